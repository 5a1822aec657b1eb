"""The manual's page on other drugs and on life, row by row (docs/manual/other-drugs-and-life.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from monitor.core import judges
from monitor.core.answer import Review
from monitor.core.review import view_of
from tests.spec import cases
from tests.spec.manual import ids, table

PAGE = "other-drugs-and-life.md"
HEADINGS = (
    "Allopurinol and febuxostat",
    "Two thiopurines",
    "Warfarin",
    "Drugs with a note and further tests",
    "Vaccines, pregnancy, breastfeeding",
    "Autoimmune hepatitis",
    "Tasks",
    "Missed tests",
)
MISSED = "Missed tests"
ROWS = [{**row, "heading": heading} for heading in HEADINGS for row in table(PAGE, heading)]
ROOMS = ("interaction", "vaccine", "pregnancy", "breastfeeding", "target", "tasks")
IN_AIH = ("rule:alt_in_aih", "rule:ast_in_aih", "rule:raised_alt", "rule:raised_ast")


def answer_to(row: dict[str, str]) -> Review:
    enrolled_on = date.fromisoformat(row["enrolled"]) if row.get("enrolled") else cases.START
    who = replace(
        cases.enrolment(enrolled_on=enrolled_on),
        indication=row.get("indication", ""),
        dose_mg_per_day=Decimal(row["dose"]) if row.get("dose") else None,
        weight_kg=Decimal(row["weight"]) if row.get("weight") else None,
    )
    results = []
    for text in filter(None, row.get("results", "").split("; ")):
        day, analyte, value, *limits = text.split()
        if value == "complete":
            results += cases.panel(analyte, date.fromisoformat(day))
            continue
        low, high = limits[0].strip("()").split("-") if limits else (None, None)
        on = date.fromisoformat(day)
        results.append(cases.result(analyte, value, on, ref_low=low, ref_high=high))
    happened = cases.events(row["events"])
    return cases.reviewed(results, date.fromisoformat(row["today"]), happened, who)


def said(answer: Review, heading: str) -> list[str]:
    """What the rooms say; tests missed in a row only where the table is about them."""
    rooms = ("missed",) if heading == MISSED else ROOMS
    return [
        f"{it.cause}: {it.kind}, {it.urgency}" + (", recovered" if it.recovered else "")
        for it in answer.findings
        if it.cause.partition(":")[0] in rooms or it.cause in IN_AIH
    ]


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_what_is_said(row: dict[str, str]) -> None:
    answer = answer_to(row)
    assert said(answer, row["heading"]) == [it for it in row["said"].split("; ") if it]
    if row.get("due"):
        panel, day = row["due"].split()
        status = next((it for it in answer.panels if it.panel == panel), None)
        found = status.due_on.isoformat() if status and status.due_on else "none"
        assert (found if status else "absent") == day


def test_how_often_tasks_are_told_does_not_change_with_the_month_that_is_looked_at() -> None:
    """A month is the one after the task's due day, whatever day it is."""
    told = {
        task.repeat_days
        for on in (date(2027, 1, 31), date(2027, 2, 1), date(2027, 2, 28))
        for task in cases.reviewed([], on).findings
        if task.cause == "tasks"
    }
    assert told == {31}


def test_what_was_quiet_says_why() -> None:
    """Each entry of the protocol either spoke or has a reason for keeping quiet."""
    for row in ROWS:
        answer = answer_to(row)
        now = cases.noon(date.fromisoformat(row["today"]))
        view = view_of(
            answer.case, {"azathioprine": cases.protocol()}, cases.catalogue(), now, cases.ZONE
        )
        quiet = {(it.room, it.subject) for it in judges.considered(view)}
        causes = {it.cause for it in answer.findings}
        for entry in cases.protocol().interactions:
            spoke = any(f":{entry.id}" in cause for cause in causes)
            assert spoke or ("interaction", entry.id) in quiet, (row, entry.id)
