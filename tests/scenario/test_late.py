"""Results that come weeks late end as if they had come in order, and the report says what they
would have said on their day."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine

HEADER = "mrn,collected_at,analyte,value,unit,specimen_id,status\n"
WEEKS = (
    ("2026-01-12", "2.4"), ("2026-01-19", "1.4"), ("2026-01-26", "0.9"), ("2026-02-02", "1.2"),
    ("2026-02-09", "2.6"),
)  # fmt: skip


@pytest.fixture
def desk(monitor: CommandLine, migrated_sqlite: Path) -> CommandLine:
    """A clinic of one patient on azathioprine since 5 January; on SQLite alone."""
    shutil.copy(migrated_sqlite, monitor.folder / "monitor.db")
    assert monitor("init").code == 0
    people = "mrn,drug,started_on\nP1,azathioprine,2026-01-05\n"
    assert monitor("enrol", monitor.write("p.csv", people), "--at", "2026-01-05").code == 0
    return monitor


def line(day: str, value: str, status: str = "F") -> str:
    return f"P1,{day}T08:00,neutrophils,{value},10*9/L,S{day},{status}\n"


def load(desk: CommandLine, at: str, *lines: str) -> dict[str, Any]:
    name = desk.write(f"{at}.csv", HEADER + "".join(lines))
    document: dict[str, Any] = desk("load", name, "--at", at, "--json").json["files"][0]
    return document


def standing(desk: CommandLine, at: str) -> list[Any]:
    """The alerts on results, without when the monitor came to know of them."""
    rows = desk("alerts", "--json", "--at", at, "--state", "all").json
    return sorted(
        [it["rule"], it["kind"], it["urgency"], it["value"], it["recovered"]]
        for it in rows
        if it["rule"]
    )


def test_weeks_at_once_are_reported_with_the_days_they_would_have_alerted(
    desk: CommandLine,
) -> None:
    document = load(desk, "2026-02-12", *(line(*week) for week in WEEKS))
    late = document["late"]
    assert (late["late_results"], late["patients"]) == (4, 1)
    (alert,) = [it for it in late["alerts"] if it["rule"] == "neutropenia"]
    assert (alert["would_have_opened_on"], alert["opened_on"]) == ("2026-01-19", "2026-02-12")
    assert (alert["days_late"], alert["urgency"], alert["kind"]) == (24, "urgent", "withhold")
    listed = desk("report", "late", "--at", "2026-02-20", "--json").json
    assert listed["alerts"] == late["alerts"]
    assert desk("report", "late", "--at", "2026-02-20").out.count("2026-01-19") == 1
    assert (
        "P1,azathioprine,neutropenia" in desk("report", "late", "--csv", "--at", "2026-02-20").out
    )
    page = desk("report", "late", "--html", "--since", "2026-02-12", "--at", "2026-02-20").out
    assert "since 12 Feb 2026" in page and '<td class="day">19 Jan 2026</td>' in page
    none = desk("report", "late", "--since", "2026-02-13", "--at", "2026-02-20", "--json").json
    assert (none["late_results"], none["alerts"]) == (0, [])


def test_a_long_episode_from_before_the_enrolment_is_reported_from_it_on(
    desk: CommandLine,
) -> None:
    """However many breaches lie before: they told nobody, and none of them is looked at."""
    before = [line(f"2025-12-{day}", "1.4") for day in range(15, 32)]
    document = load(desk, "2026-02-12", *before, line("2026-01-06", "1.4"))
    (alert,) = [it for it in document["late"]["alerts"] if it["rule"] == "neutropenia"]
    assert alert["would_have_opened_on"] == "2026-01-06"


def test_what_comes_in_time_is_not_late(desk: CommandLine) -> None:
    for day, value in WEEKS:
        document = load(desk, day + "T12:00", line(day, value))
        assert document["late"]["late_results"] == 0
    assert desk("report", "late", "--at", "2026-02-20", "--json").json["alerts"] == []


def test_an_alert_that_was_opened_in_time_is_not_opened_earlier_by_a_late_result(
    desk: CommandLine,
) -> None:
    load(desk, "2026-01-19T12:00", line("2026-01-19", "1.4"))
    document = load(desk, "2026-02-12", line("2026-01-26", "0.9"))
    assert (document["late"]["late_results"], document["late"]["alerts"]) == (1, [])


def test_corrections_before_originals_and_a_month_replayed_end_as_in_order(
    desk: CommandLine, monitor: CommandLine, migrated_sqlite: Path
) -> None:
    lines = [line(*week) for week in WEEKS] + [line("2026-01-26", "1.5", "C")]
    load(desk, "2026-02-12", *lines)
    in_order = standing(desk, "2026-02-12")

    shutil.copy(migrated_sqlite, monitor.folder / "monitor.db")
    assert monitor("init").code == 0
    assert monitor("enrol", "p.csv", "--at", "2026-01-05").code == 0
    load(monitor, "2026-02-10", lines[-1], lines[4])
    load(monitor, "2026-02-11", lines[3], lines[0])
    load(monitor, "2026-02-12", *reversed(lines))
    again = load(monitor, "2026-02-12T01:00", *lines[:5])
    assert again["stored"] == again["superseded"] == 0
    assert standing(monitor, "2026-02-12T01:00") == in_order
