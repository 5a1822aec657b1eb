"""The manual's page on symptoms and combinations, row by row (docs/manual/symptoms.md)."""

from __future__ import annotations

import re
from datetime import date

import pytest

from monitor.core.answer import Finding
from monitor.core.case import Result
from monitor.core.vocabulary import Because, PanelState
from tests.spec import cases
from tests.spec.manual import ids, table

HEADINGS = (
    "Hypersensitivity",
    "Infection and signs of a low count",
    "Other symptoms",
    "Cell lines low together",
)
ROWS = [row for heading in HEADINGS for row in table("symptoms.md", heading)]
WORDS = {word for rule in cases.protocol().symptoms for group in rule.groups for word in group}
WORDS |= {"headache"}
COUNT = re.compile(r"(\S+) (\S+) ([<>]?)([\d.]+)")
TODAY = date(2027, 1, 1)


def happened(text: str) -> str:
    """`2026-01-20 rash` is `2026-01-20 symptom rash`."""
    parts = []
    for part in filter(None, (it.strip() for it in text.split(";"))):
        day, _, rest = part.partition(" ")
        parts.append(f"{day} symptom {rest}" if rest in WORDS else part)
    return "; ".join(parts)


def counts(text: str) -> list[Result]:
    found = []
    for part in filter(None, (it.strip() for it in text.split(";"))):
        match = COUNT.fullmatch(part)
        assert match, part
        day, analyte, comparator, value = match.groups()
        found.append(cases.result(analyte, value, date.fromisoformat(day), comparator=comparator))
    return found


def told(finding: Finding) -> str:
    text = f"{finding.rule} {finding.kind} {finding.urgency}"
    if finding.cause.startswith("symptom:"):
        return text
    return f"{text} {'recovered' if finding.recovered else 'going on'}"


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_what_is_said_of_symptoms(row: dict[str, str]) -> None:
    answer = cases.reviewed(counts(row["counts"]), TODAY, cases.events(happened(row["happened"])))
    found = [it for it in answer.findings if it.cause.startswith(("symptom:", "combination:"))]
    assert sorted(told(it) for it in found) == sorted(filter(None, row["says"].split("; ")))
    assert all("rescriber to decide" in it.action for it in found)


def test_a_sign_of_a_low_count_makes_the_blood_count_due_that_day() -> None:
    fever = cases.events("2026-07-01 symptom fever")
    done = cases.panel("cbc", date(2026, 6, 20))
    status = cases.status_of(cases.reviewed(done, date(2026, 7, 1), fever), "cbc")
    assert (status.due_on, status.because, status.state) == (
        date(2026, 7, 1),
        Because.EVENT,
        PanelState.DUE,
    )
    assert status.demanded_by == ("fever on 1 Jul 2026",)
    late = cases.status_of(cases.reviewed(done, date(2026, 7, 2), fever), "cbc")
    assert (late.state, late.urgency) == (PanelState.OVERDUE, "urgent")


def test_the_count_of_the_day_answers_it() -> None:
    fever = cases.events("2026-07-01 symptom fever")
    done = cases.panel("cbc", date(2026, 7, 1))
    status = cases.status_of(cases.reviewed(done, date(2026, 7, 2), fever), "cbc")
    assert (status.due_on, status.because) == (date(2026, 10, 1), Because.SCHEDULE)


def test_nausea_alone_asks_for_no_test() -> None:
    done = cases.panel("cbc", date(2026, 6, 20))
    nausea = cases.events("2026-07-01 symptom nausea")
    status = cases.status_of(cases.reviewed(done, date(2026, 7, 1), nausea), "cbc")
    assert status.because is Because.SCHEDULE
