"""Every boundary of the CTCAE v5 ladder, below, at and above, in two units, against the criteria
that others wrote down (tests/data/real/ctcae, pharmaverse admiral)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import CodeType

import pytest

from monitor.core.case import Result
from monitor.core.grading import grade, term_for
from monitor.core.units import to_canonical
from tests.spec.cases import catalogue, protocol

CRITERIA = Path(__file__).parents[1] / "data" / "real" / "ctcae" / "ctcv5.csv"
ANALYTES = {
    "Anemia": "hemoglobin",
    "Lymphocyte count decreased": "lymphocytes",
    "Neutrophil count decreased": "neutrophils",
    "White blood cell decreased": "white_cells",
    "Platelet count decreased": "platelets",
    "Hypoalbuminemia": "albumin",
    "Alanine aminotransferase increased": "alt",
    "Aspartate aminotransferase increased": "ast",
    "Alkaline phosphatase increased": "alp",
    "GGT increased": "ggt",
    "Blood bilirubin increased": "bilirubin",
    "Creatinine increased": "creatinine",
    "Serum amylase increased": "amylase",
    "Lipase increased": "lipase",
    "INR increased": "inr",
}
UNITS = {
    "hemoglobin": ("g/L", "g/dL"),
    "lymphocytes": ("10*9/L", "/uL"),
    "neutrophils": ("10*9/L", "/uL"),
    "white_cells": ("10*9/L", "K/uL"),
    "platelets": ("10*9/L", "10*4/uL"),
    "albumin": ("g/L", "g/dL"),
    "bilirubin": ("umol/L", "mmol/L"),
    "creatinine": ("umol/L", "mmol/L"),
    "inr": ("1", "1"),
}
SYMPTOMS_NOT_KNOWN = ("Serum amylase increased", "Lipase increased")
"""The criteria as code take symptoms for granted; we take them for absent."""
LIMITS: dict[str, tuple[str | None, str | None, str | None]] = {
    "none": (None, None, None),
    "a range": ("20", "40", None),
    "a normal baseline": ("20", "40", "30"),
    "a raised baseline": ("20", "40", "60"),
}
"""Lower limit, upper limit and baseline, for terms that need them."""


@dataclass(frozen=True)
class Criteria:
    term: str
    code: str

    def grade(self, value: Fraction, low: Fraction | None, high: Fraction | None,
              base: Fraction | None) -> str | None:  # fmt: skip
        """What the criteria's own expression says; None: not gradable."""
        names = {
            "AVAL": value,
            "ANRLO": low,
            "ANRHI": high,
            "BASE": base,
            "HIGH": high is not None and base is not None and base > high,
            "NA": lambda it: it is None,
            "F": Fraction,
            "TRUE": True,
            "NA_character_": None,
        }
        for condition, result in _cases(self.code):
            if eval(condition, {}, names):  # a test's own data, translated below
                return None if result == "NA_character_" else result.strip('"')
        raise AssertionError(self.code)


@cache
def _cases(code: str) -> tuple[tuple[CodeType, str], ...]:
    """`case_when(condition ~ "grade", ...)` of R as conditions of Python, in order."""
    text = code.removeprefix("case_when(").removesuffix(")")
    text = re.sub(r"signif\(([^,]+), signif_dig\)", r"(\1)", text)
    text = text.replace("BNRIND %in% high_indicator", "HIGH").replace("is.na", "NA")
    text = text.replace("!", " not ").replace("&", " and ").replace("|", " or ")
    found = []
    for case in re.split(r",\s+(?![^~]*\)[^~]*$(?<!~))", text):
        condition, _, result = case.rpartition("~")
        exact = re.sub(r"(?<![\w.])(\d+\.?\d*)", r'F("\1")', condition.strip())
        found.append((compile(exact, "criteria", "eval"), result.strip()))
    return tuple(found)


def criteria() -> list[Criteria]:
    with CRITERIA.open(encoding="utf-8", newline="") as file:
        return [Criteria(row["TERM"], row["GRADE_CRITERIA_CODE"]) for row in csv.DictReader(file)]


def multiples(code: str) -> list[Decimal]:
    """The numbers an expression compares with, or multiplies by."""
    return sorted({Decimal(it) for it in re.findall(r"(?<![\w.])(\d+\.?\d*)(?!\")", code)})


def values(found: Criteria, high: str | None, base: str | None) -> list[Decimal]:
    """Every boundary, and a thousandth to either side."""
    exact = set(multiples(found.code)) | {Decimal(20), Decimal("1.5"), Decimal(1)}
    for limit in (high, base, "20"):
        if limit is not None:
            exact |= {Decimal(limit) * it for it in (*multiples(found.code), Decimal(1))}
    sides = (Decimal("0.999"), Decimal(1), Decimal("1.001"))
    return sorted({value * side for value in exact for side in sides if value})


def result(analyte: str, value: Decimal, low: str | None, high: str | None) -> Result:
    at = datetime(2026, 1, 12, 9, tzinfo=UTC)
    return Result(
        id=1,
        analyte=analyte,
        collected_at=at,
        collected_on=date(2026, 1, 12),
        value=value,
        ref_low=None if low is None else Decimal(low),
        ref_high=None if high is None else Decimal(high),
        received_at=at,
    )


def is_inclusive(found: Criteria, value: Decimal, base: str | None) -> bool:
    """The criteria's text says `2.0 - 2.5 x baseline` of GGT as of ALP; its code leaves the
    2.0 itself out of GGT. We follow the text."""
    return found.term == "GGT increased" and base is not None and value == 2 * Decimal(base)


@pytest.mark.parametrize("found", criteria(), ids=[it.term for it in criteria()])
@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS.keys())
def test_every_boundary_is_graded_as_the_criteria_say(
    found: Criteria, limits: tuple[str | None, str | None, str | None]
) -> None:
    analyte = ANALYTES[found.term]
    known = catalogue().analytes[analyte]
    low, high, base = limits
    term = term_for(catalogue().extras.terms, "5.0", analyte)
    assert term is not None
    for value in values(found, high, base):
        said = found.grade(Fraction(value), _fraction(low), _fraction(high), _fraction(base))
        for unit in UNITS.get(analyte, ("U/L", "ukat/L")):
            factor = known.factor(unit)
            assert factor is not None, unit
            received = value / factor
            canonical = to_canonical(known, received, unit)
            if not isinstance(canonical, Decimal) or canonical != value:
                continue
            own = grade(term, result(analyte, canonical, low, high), _decimal(base), known.unit)
            given = None if own.grade is None else str(own.grade)
            if found.term in SYMPTOMS_NOT_KNOWN:
                assert given == _without_symptoms(value, high)
            elif found.term == "INR increased":
                assert given == _of_inr(value)
            elif is_inclusive(found, value, base):
                assert given == "1"
            else:
                assert given == said, (value, unit, limits)


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _without_symptoms(value: Decimal, high: str | None) -> str | None:
    """Grade 2 above 1.5 and, without symptoms, to 5 x ULN; grade 3 above 5 x ULN."""
    if high is None:
        return None
    times = value / Decimal(high)
    return "3" if times > 5 else "2" if times > Decimal("1.5") else "1" if times > 1 else "0"


def _of_inr(value: Decimal) -> str:
    """By number alone: multiples of the baseline are for those on an anticoagulant."""
    for grade_, limit in (("3", "2.5"), ("2", "1.5"), ("1", "1.2")):
        if value > Decimal(limit):
            return grade_
    return "0"


def test_every_value_was_compared_in_two_units() -> None:
    """Conversion back and forth is exact for nearly all of them; for none of the terms for
    fewer than half."""
    for found in criteria():
        analyte = ANALYTES[found.term]
        known = catalogue().analytes[analyte]
        other = UNITS.get(analyte, ("U/L", "ukat/L"))[1]
        factor = known.factor(other)
        assert factor is not None
        chosen = values(found, "40", "60")
        exact = [it for it in chosen if to_canonical(known, it / factor, other) == it]
        assert len(exact) * 2 > len(chosen), found.term


def test_version_6_is_never_mixed_up_with_version_5() -> None:
    """Grade 3 of version 5 is grade 2 of version 6."""
    terms = catalogue().extras.terms
    graded = {}
    for version in ("5.0", "6.0"):
        term = term_for(terms, version, "neutrophils")
        assert term is not None
        graded[version] = grade(term, result("neutrophils", Decimal("0.9"), None, None), None, "")
    assert (graded["5.0"].grade, graded["6.0"].grade) == (3, 2)
    assert term_for(terms, "6.0", "lymphocytes") is None
    assert protocol().ctcae_version == "5.0"
