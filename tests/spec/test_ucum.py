"""Two public UCUM suites against our units: what we need is right, and nothing is wrong.

Need is said without our tables: a valid unit of the suites, without annotation, of the dimension
of an analyte's canonical unit, in which the top of its plausible range is written with one to
seven digits before the point. Sizes are reckoned by `tests/ucum.py`, which is itself held against
the suites' conversions.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.resources import schedules_folder
from tests import ucum

SUITES = Path(__file__).parents[1] / "data" / "real" / "ucum"
_XML = SUITES / "UcumFunctionalTests.xml"
_JSON = SUITES / "ucumate_ucum-tests.json"
_NOT_COMPARED = ("inr", "egfr", "weight", "tpmt", "nudt15", "tpmt_activity_class")
"""Ratios, codes, and quantities whose unit is a convention of the clinic."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    file = schedules_folder() / "analytes.toml"
    return load_catalogue(file.read_text(encoding="utf-8"), file.name)


@cache
def valid_units() -> set[str]:
    xml = {it.get("unit") or "" for it in ET.parse(_XML).iter("case") if it.get("valid") == "true"}
    cases = json.loads(_JSON.read_text(encoding="utf-8"))["validate"]
    return xml | {it["inputExpression"] for it in cases if it["valid"]}


def needed(catalogue: Catalogue) -> list[tuple[str, str, Fraction]]:
    """Analyte, unit, and what one of it is in the canonical unit."""
    found = []
    for name, analyte in catalogue.analytes.items():
        try:
            size, dimension = ucum.read(analyte.unit)
        except ucum.Unknown:
            continue
        for unit in sorted(valid_units()):
            try:
                other, its_dimension = ucum.read(unit)
            except ucum.Unknown:
                continue
            factor = other / size
            top = Fraction(analyte.plausible_high) / factor
            plain = "{" not in unit and (dimension or "%" in unit)
            if its_dimension == dimension and plain and 1 <= top < 10**7:
                found.append((name, unit, factor))
    return [it for it in found if it[0] not in _NOT_COMPARED]


def test_the_reckoning_agrees_with_the_conversions_of_the_suites() -> None:
    """Those whose units it reads; special units and molar masses are not read."""
    xml = [
        (it.get("value"), it.get("srcUnit"), it.get("dstUnit"), it.get("outcome"))
        for it in ET.parse(_XML).iter("case")
        if it.get("srcUnit")
    ]
    cases = json.loads(_JSON.read_text(encoding="utf-8"))["convert"]
    texts = ("conversionFactor", "from", "to", "resultingConversionFactor")
    checked = 0
    for value, source, target, outcome in xml + [
        tuple(it[name] for name in texts) for it in cases if it["valid"]
    ]:
        try:
            (one, of), (other, than) = ucum.read(source or ""), ucum.read(target or "")
        except ucum.Unknown:
            continue
        if of != than:
            continue
        result = Fraction(value or 0) * one / other
        assert float(result) == pytest.approx(float(outcome or 0), rel=2e-3), (source, target)
        checked += 1
    assert checked == CHECKED


def test_what_share_of_the_conversions_we_need_passes(catalogue: Catalogue) -> None:
    right, refused = [], []
    for name, unit, factor in needed(catalogue):
        ours = catalogue.analytes[name].factor(unit)
        if ours is None:
            refused.append((name, unit))
            continue
        assert Fraction(ours) == factor, (name, unit, ours)
        right.append((name, unit))
    assert (len(right), len(refused)) == SHARE
    assert sorted({unit for _, unit in refused}) == REFUSED


def test_no_unit_of_the_suites_is_ever_read_wrongly(catalogue: Catalogue) -> None:
    """All that we take of them, needed or not, annotated or not."""
    wrong = []
    for name, analyte in catalogue.analytes.items():
        for unit in valid_units():
            ours = analyte.factor(unit)
            try:
                (size, dimension), (other, its_dimension) = ucum.read(analyte.unit), ucum.read(unit)
            except ucum.Unknown:
                continue
            if ours is not None and its_dimension == dimension and Fraction(ours) != other / size:
                wrong.append((name, unit, ours))
    assert wrong == []


CHECKED = 17
SHARE = (193, 45)
REFUSED = [
    "10*12/L",
    "10*6/mm3",
    "10*6/uL",
    "10*9/mL",
    "U/kg",
    "[IU]/kg",
    "[iU]/kg",
    "kg/m3",
    "mg/L",
    "mg/dL",
    "mmol/(8.h.kg)",
    "mmol/kg/(8.h)",
    "mmol/kg/d",
    "nmol/h/mL",
    "nmol/mL/h",
    "uU/g",
    "ug/dL",
    "ug/mL",
    "umol/L/h",
    "umol/h/L",
]
"""Of the refused, each on purpose: units of red cells for platelets, of free haemoglobin and of
albumin in urine (mg/dL), hours and days that are no exact decimal of a minute, and what no
laboratory is known to write."""
