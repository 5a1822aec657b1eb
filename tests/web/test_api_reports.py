"""Reports of the API: what narrows them, and whether they can be tried later."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.operations.report_gaps_check import Kept, check
from tests.web.test_api import caller, is_problem
from tests.web_clinic import WebClinic


@pytest.mark.parametrize(("report", "name"), [
    ("burden?clinic=North", "clinic"), ("burden?drug=azathioprine", "drug"),
    ("late?clinic=North", "clinic"), ("late?to=2026-03-01", "to"),
    ("overdue?from=2026-01-01", "from"), ("overdue?to=2026-01-01", "to"),
])  # fmt: skip
def test_what_does_not_narrow_a_report_is_refused(web: WebClinic, report: str, name: str) -> None:
    """The figures of everybody were given out as those of one clinic."""
    answer = caller(web).get(f"/reports/{report}")
    assert is_problem(answer, 422)
    (error,) = answer.json()["errors"]
    assert error["at"] == f"query/{name}"
    assert "valid: " in error["problem"]


def test_late_results_are_those_that_came_since_a_day(web: WebClinic) -> None:
    since = caller(web).get("/reports/late?from=2026-03-01").json()["since"]
    assert since.startswith(("2026-03-01", "2026-02-28T23"))


def test_a_gap_report_that_was_asked_for_here_can_be_tried_later(
    web: WebClinic, tmp_path: Path
) -> None:
    days = "from=2026-01-05&to=2026-02-01"
    answer = caller(web).get(f"/reports/gaps?{days}")
    assert answer.status_code == 200
    assert answer.json()["enrolments"]
    (tmp_path / "kept.json").write_bytes(answer.content)
    kept = Kept.read(tmp_path / "kept.json")
    found = check(web.store, web.settings, kept, web.now + timedelta(days=30))
    assert (found.is_well, found.differences) == (True, [])
