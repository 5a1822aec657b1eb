"""The manual's page on due days, row by row (docs/manual/due-days.md)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec import cases
from tests.spec.manual import ids, table

PAGE = "due-days.md"
DUE = table(PAGE, "Due days") + table(PAGE, "The days around a due day")
RECHECKS = table(PAGE, "Rechecks")


def expected_due(row: dict[str, str]) -> date | None:
    return date.fromisoformat(row["due"]) if row["due"] else None


@pytest.mark.parametrize("row", DUE, ids=ids(DUE))
def test_due_day_and_state(row: dict[str, str]) -> None:
    results = [
        it for day in cases.days(row["completions"]) for it in cases.panel(row["panel"], day)
    ]
    answer = cases.reviewed(results, date.fromisoformat(row["today"]), cases.events(row["events"]))
    status = cases.status_of(answer, row["panel"])
    assert (status.due_on, status.state) == (expected_due(row), row["state"])


@pytest.mark.parametrize("row", RECHECKS, ids=ids(RECHECKS))
def test_recheck(row: dict[str, str]) -> None:
    results = cases.panel("cbc", date(2026, 6, 2), neutrophils=row["neutrophils"])
    if row["then"]:
        day, value = row["then"].split()
        results.append(cases.result("neutrophils", value, date.fromisoformat(day)))
    answer = cases.reviewed(results, date.fromisoformat(row["today"]), cases.events(row["events"]))
    status = cases.status_of(answer, "cbc")
    assert (status.due_on, status.state) == (expected_due(row), row["state"])
