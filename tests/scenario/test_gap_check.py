"""A monitoring gap report that was kept can be tried on any later day; what differs is named."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from monitor.config import load_settings
from monitor.operations.report_gaps_check import Kept, check
from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.tables import table_of
from tests.clinic import at
from tests.command_line import CommandLine
from tests.scenario.gap_story import DAYS, NOW, Story, told_to, whole


@pytest.fixture
def told(clinic: CommandLine) -> CommandLine:
    return told_to(clinic)


def test_the_same_is_said_on_any_later_day(told: CommandLine) -> None:
    """Also after events and results of later days, which change nothing before them."""
    found = whole(told)
    told.write("kept.json", json.dumps(found))
    tell = Story(told)
    later = "2026-03-20T12:00"
    tell.tested(later, "2026-03-10", who=("P1", "P5"))
    events = ("P2,2026-02-09,resume,,", "P5,2026-03-01,dose,125,", "P4,2026-02-20,stop,,")
    tell.happened(later, *events, "P3,2026-02-12,monitored_elsewhere,2026-05-01,")
    again = told("report", "gaps", *DAYS, "--json", "--at", "2027-05-01").json
    assert again["enrolments"] == found["enrolments"]
    assert again["sealed"]["digest"] == found["sealed"]["digest"]
    assert again["sealed"]["audit_seal"] != found["sealed"]["audit_seal"]
    checked = told("report", "gaps", "--check", "kept.json", "--at", "2027-05-01")
    assert checked.code == 0, checked.out
    assert checked.out.startswith("The same: kept.json is what is stored now, SHA-256 ")
    document = told("report", "gaps", "--check", "kept.json", "--json").json
    assert (document["same"], document["audit_seal_holds"], document["differences"]) == (
        True,
        True,
        [],
    )


def test_what_came_since_is_named(told: CommandLine) -> None:
    told.write("kept.json", json.dumps(whole(told)))
    tell = Story(told)
    tell.tested("2026-03-02T09:00", "2026-01-30", who=("P5",))
    tell.happened("2026-03-02T10:00", "P2,2026-02-04,stop,,")
    checked = told("report", "gaps", "--check", "kept.json", "--at", "2026-03-03")
    assert checked.code == 3
    said = checked.out
    assert "Not the same: kept.json of 2026-02-10T12:00:00+00:00 has SHA-256" in said
    assert "P2 azathioprine: stopped_on was None, is 2026-02-04" in said
    assert (
        "P5 azathioprine, Complete blood count with differential: was not covered 22 Jan 2026 to "
        "8 Feb 2026 (nothing on record), is not covered 22 Jan 2026 to 29 Jan 2026 (nothing on "
        "record); covered 30 Jan 2026 to 8 Feb 2026 (known only since 2 Mar 2026)" in said
    )
    assert "P1" not in said and "changed since it was made" not in said
    assert "The audit trail up to then was not changed." in said


def test_a_file_that_was_changed_shows(told: CommandLine) -> None:
    found = whole(told)
    gap = found["enrolments"][4]["panels"][0]["intervals"].pop()
    told.write("kept.json", json.dumps(found))
    checked = told("report", "gaps", "--check", "kept.json", "--at", NOW)
    assert (checked.code, gap["state"]) == (3, "not_covered")
    assert "Not the same: kept.json was changed since it was made." in checked.out
    assert (
        "P5 azathioprine, Complete blood count with differential: was otherwise, is" in checked.out
    )
    document = told("report", "gaps", "--check", "kept.json", "--json", "--at", NOW).json
    assert (document["same"], document["file_is_whole"]) == (False, False)


def test_an_audit_trail_that_was_changed_shows(told: CommandLine, store_url: str) -> None:
    told.write("kept.json", json.dumps(whole(told)))
    store, history = open_store(store_url), table_of(tables.AlertHistory)
    with store.write() as connection:
        changed = update(history).where(history.c.code == "no_answer").values(by="Nurse Reed")
        connection.execute(changed)
    store.dispose()
    checked = told("report", "gaps", "--check", "kept.json", "--at", NOW)
    assert checked.code == 3
    assert "The audit trail up to then was changed: its seal " in checked.out
    assert "Nurse Bell" in checked.out and "Nurse Reed" in checked.out


def test_another_clinic_or_other_terms_are_named(told: CommandLine) -> None:
    path = told.folder / "kept.json"
    path.write_text(json.dumps(whole(told, "--clinic", "south")), encoding="utf-8")
    assert told("report", "gaps", "--check", "kept.json", "--at", NOW).code == 0
    config = told.folder / "config.toml"
    changed = config.read_text(encoding="utf-8").replace(
        'late_after = "3 days"', 'late_after = "30 days"'
    )
    config.write_text(
        changed if "30 days" in changed else changed + '\n[intake]\nlate_after = "30 days"\n'
    )
    said = told("report", "gaps", "--check", "kept.json", "--at", NOW)
    assert said.code == 3
    assert "[intake] late_after: was 3 days, is 30 days" in said.out
    assert "P3" not in said.out
    early = told("report", "gaps", "--check", "kept.json", "--at", "2026-02-01")
    assert "the last day: was 2026-02-08, is 2026-02-01" in early.out


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"head": 1}', "mrn,from\n", "\ufeff{}", "[" * 50_000,
     '{"head": {"from": "x"}, "enrolments": [], "totals": {}, "sealed": {}}'],
)  # fmt: skip
def test_another_file_is_refused(clinic: CommandLine, text: str) -> None:
    clinic.write("other.json", text)
    ended = clinic("report", "gaps", "--check", "other.json")
    assert (ended.code, ended.out) == (2, "")
    assert "other.json: no monitoring gap report" in ended.err


@pytest.mark.parametrize("damage", ["panels", "panel", "intervals", "format", "year"])
def test_a_damaged_file_is_no_fault_of_ours(told: CommandLine, damage: str) -> None:
    found = whole(told)
    panel = found["enrolments"][0]["panels"][0]
    match damage:
        case "panels":
            found["enrolments"][0]["panels"] = ["cbc"]
        case "panel":
            panel["panel"] = ["cbc"]
        case "intervals":
            panel["intervals"][0] = None
        case "format":
            found["head"]["format"] = 99
        case "year":
            found["head"]["from"] = "0001-01-01"
    told.write("kept.json", json.dumps(found))
    ended = told("report", "gaps", "--check", "kept.json", "--at", NOW)
    assert (ended.code, ended.out) == (2, "")
    assert ("another format" if damage == "format" else "no monitoring gap report") in ended.err


def test_what_is_asked_of_a_kept_report_stands_in_it(clinic: CommandLine) -> None:
    for option in (DAYS[:2], ("--csv",), ("--clinic", "north")):
        ended = clinic("report", "gaps", "--check", "kept.json", *option)
        assert (ended.code, ended.out) == (2, "")
        assert "--check takes days, clinic and drug from the file" in ended.err
    missing = clinic("report", "gaps", "--check", "nothing.json")
    assert (missing.code, missing.err) == (2, "nothing.json: No such file or directory\n")


def test_it_holds_in_a_backup_of_either_database(told: CommandLine, store_url: str) -> None:
    told.write("kept.json", json.dumps(whole(told)))
    assert told("backup", "copy.db", "--at", NOW).code == 0
    copy = open_store(f"sqlite:///{told.folder / 'copy.db'}")
    kept = Kept.read(told.folder / "kept.json")
    found = check(copy, load_settings(told.folder / "config.toml"), kept, at("2026-05-01"))
    copy.dispose()
    assert found.is_well
