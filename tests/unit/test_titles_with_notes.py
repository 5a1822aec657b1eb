"""Titles of columns with a mark of a footnote, or with the limits of their analyte behind it: such
a column is not passed over."""

from __future__ import annotations

import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.known_names import known_of
from monitor.intake.wide import split_unit
from monitor.resources import schedules_folder


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


@pytest.mark.parametrize(
    ("title", "name", "unit"),
    [
        ("ALT\u2020", "ALT", ""),
        ("WBC\u00b9", "WBC", ""),
        ("WBC (x 10^9/L)\u2021", "WBC", "x 10^9/L"),
        ("Leukozyten (G/l) (3,9-10,2)", "Leukozyten", "G/l"),
        ("WBC (4.0-10.0 x10^9/L)", "WBC", "x10^9/L"),
        ("ALT (<45 U/L)", "ALT", "U/L"),
        ("WBC (4-11)", "WBC", ""),
        # No mark of a footnote, and no limits.
        ("WBC, 10\u2079/l", "WBC", "10\u2079/l"),
        ("eGFR mL/min/1.73m\u00b2", "eGFR", "mL/min/1.73m\u00b2"),
        ("WBC (10^9/L)", "WBC", "10^9/L"),
        ("RBC (10^12/L)", "RBC", "10^12/L"),
        ("RBC [10 ^ 12/L]", "RBC", "10 ^ 12/L"),
        ("Glucose\u2020", "Glucose", ""),
    ],
)
def test_a_title_is_parted(catalogue: Catalogue, title: str, name: str, unit: str) -> None:
    assert split_unit(title, known_of(Source(), catalogue)) == (name, unit)
