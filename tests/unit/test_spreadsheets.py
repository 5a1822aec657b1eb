"""What is written as CSV is opened with a spreadsheet: a number of a patient, a name or a note that
looks like a formula must not be one."""

from __future__ import annotations

import csv
import io

import pytest

from monitor.delivery.fields import whole_list
from monitor.delivery.view import Person
from monitor.operations.report_csv import as_csv
from tests.golden.mail_samples import raised_alt, view

FORMULAS = ["=1+1", "+41 44 555 01 20", "-2", '@SUM(A1)"', '=HYPERLINK("http://a.example";"M1")']


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_looks_like_a_formula_is_quoted(text: str) -> None:
    report = as_csv(("mrn", "days"), [{"mrn": text, "days": -2}])
    (row,) = csv.DictReader(io.StringIO(report))
    assert row == {"mrn": f"'{text}", "days": "-2"}
    (row,) = csv.DictReader(io.StringIO(whole_list([view(1, raised_alt(), Person(mrn=text))])))
    assert row["mrn"] == f"'{text}"


def test_any_other_text_stays_as_it_is() -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv(("mrn",), [{"mrn": "M-1=2"}])))
    assert row == {"mrn": "M-1=2"}
    (row,) = csv.DictReader(io.StringIO(whole_list([view(1, raised_alt(), Person(mrn="M-1"))])))
    assert (row["mrn"], row["alert"]) == ("M-1", "1")
