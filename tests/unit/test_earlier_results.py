"""A number that a message brings for comparison is not the one of today."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.nearest import nearest_analyte
from monitor.intake.raw import RawRow
from tests.fhir_resources import PATIENT, bundle, items_in, observation
from tests.hl7_messages import catalogue, obx, oru, rows


@pytest.mark.parametrize(
    "name",
    ["Platelets previous", "Platelets (previous result)", "Thrombozyten Vorwert", "PLT delta"],
)
@pytest.mark.parametrize("code", ["PLT^{}^L", "777-3^{}^LN", "PLT^^L^777-3^{}^LN"])
def test_a_result_called_the_previous_one_is_not_read_by_its_code(code: str, name: str) -> None:
    """It would take the place of the count beside it, which has the same code."""
    today, before = rows(oru(obx("PLT^Platelets^L", "145"), obx(code.format(name), "45")))
    assert today.analyte == "PLT"
    assert all(catalogue().find(it) is None for it in (before.analyte, *before.also))


def test_neither_is_one_of_fhir(tmp_path: Path) -> None:
    named = observation("45", "777-3")
    named["code"]["text"] = "Platelets, previous"
    (found,) = [it for it in items_in(tmp_path, bundle(PATIENT, named)) if isinstance(it, RawRow)]
    assert found.analyte == "777-3 (Platelets, previous)"


@pytest.mark.parametrize("code", ["PLT (UR)", "PLT (control)", "777-3 (Platelets, previous)"])
def test_what_is_something_else_is_not_called_a_misspelling(code: str) -> None:
    """Who is asked `did you mean "platelets"?` would have the urine's taken for the blood's."""
    assert nearest_analyte(catalogue(), code, ["10*9/L"]) == ""
    assert nearest_analyte(catalogue(), "platlets", ["10*9/L"]) == 'did you mean "platelets"?'
