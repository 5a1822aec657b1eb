"""Every limit of the shipped protocol (docs/manual/boundaries.md)."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

import pytest

from monitor.core.case import Result
from monitor.core.units import Number, parse_value, to_canonical
from tests.spec import boundaries, cases
from tests.spec.manual import MANUAL

ROWS = boundaries.rows()
DAY = date(2026, 3, 2)
BY_RULE = {rule: list(rows) for rule, rows in groupby(ROWS, key=lambda row: row.rule)}


def received(row: boundaries.Row, analyte: str, on: date) -> Result:
    """The row as intake would take it: text parsed, unit converted."""
    parsed = parse_value(row.given, catalogue=cases.catalogue())
    assert isinstance(parsed, Number)
    value = to_canonical(cases.catalogue().analytes[analyte], parsed.value, row.unit)
    assert isinstance(value, Decimal)
    return cases.result(
        analyte,
        value,
        on,
        comparator=parsed.comparator,
        ref_low=row.ref_low or None,
        ref_high=row.ref_high or None,
    )


def said(row: boundaries.Row) -> str:
    rule = next(rule for rule in cases.protocol().rules if rule.id == row.rule)
    results = [
        received(row, rule.analyte, DAY + timedelta(days=number)) for number in range(rule.confirm)
    ]
    answer = cases.reviewed(results, DAY + timedelta(days=rule.confirm))
    found = [it for it in answer.findings if it.rule == row.rule]
    if not found:
        return "quiet"
    sentence = f"{found[0].kind}, {found[0].urgency}"
    ask = any("ask the laboratory for the number" in text for text in found[0].say)
    return f"{sentence}: ask the laboratory for the number" if ask else sentence


@pytest.mark.parametrize("rule", BY_RULE)
def test_every_boundary_of_a_rule(rule: str) -> None:
    wrong = [(row.cells, said(row)) for row in BY_RULE[rule] if said(row) != row.speaks]
    assert wrong == []


def test_every_threshold_rule_has_rows_that_speak_and_rows_that_do_not() -> None:
    for rule, rows in BY_RULE.items():
        assert {row.speaks == "quiet" for row in rows} == {True, False}, rule


def test_the_page_of_the_manual_is_this_table() -> None:
    path, text = MANUAL / "boundaries.md", boundaries.page(ROWS)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
