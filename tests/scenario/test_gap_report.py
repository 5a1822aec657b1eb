"""The monitoring gap report: a clinic's weeks told as they happened, what an auditor is shown of
them, and that it can be tried again later (`UPDATE_GOLDEN=1` writes the golden anew: read it)."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from monitor.operations.feed_outages import outages
from monitor.operations.report_compliance import compliance
from monitor.operations.report_gaps import Gaps
from monitor.operations.report_overdue import Which
from monitor.review import WITH_ALL_READ
from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.tables import table_of
from tests.clinic import CBC, CONFIG, LFT, Clinic, at, settings_in
from tests.command_line import CommandLine
from tests.desk import Desk, sqlite_desk
from tests.scenario.test_feed_watch import feed, file_of, weekdays

GOLDEN = Path(__file__).parents[1] / "golden" / "gaps.txt"
PEOPLE = """\
mrn,family_name,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg,clinic
P1,Doe,azathioprine,2026-01-05,normal,normal,100,70,north
P2,Roe,azathioprine,2026-01-05,normal,normal,100,70,north
P3,Poe,azathioprine,2026-01-05,normal,normal,100,70,south
P4,Moe,azathioprine,2026-01-05,normal,normal,100,70,south
P5,Coe,azathioprine,2026-01-05,normal,normal,100,70,south
"""
HEADER = (
    "mrn,collected_at,hemoglobin [g/L],white cells [10*9/L],neutrophils [10*9/L],"
    "lymphocytes [10*9/L],platelets [10*9/L],bilirubin [umol/L],alt [U/L]"
)
EVERYBODY = ("P1", "P2", "P3", "P4", "P5")
NOW = "2026-02-10T12:00"
DAYS = ("--from", "2026-01-05", "--to", "2026-02-08")


class Story:
    """What came on which day, told to the command line."""

    def __init__(self, clinic: CommandLine) -> None:
        self.clinic = clinic
        self._files = 0

    def __call__(self, on: str, *command: str) -> None:
        ended = self.clinic(*command, "--at", on)
        assert ended.code in (0, 3), ended.err

    def tested(self, came: str, *days: str, who: tuple[str, ...], row: str = "") -> None:
        row = row or "140,6.0,4.0,1.5,250,10,20"
        lines = [f"{mrn},{day},{row}" for day in days for mrn in who]
        self._load(came, "\n".join([HEADER, *lines]))

    def value(self, came: str, line: str) -> None:
        self._load(came, f"mrn,collected_at,analyte,value,unit\n{line}\n")

    def happened(self, on: str, *lines: str) -> None:
        self._files += 1
        text = "\n".join(["mrn,on,event,value,note", *lines])
        self(on, "events", self.clinic.write(f"events{self._files}.csv", text))

    def _load(self, came: str, text: str) -> None:
        self._files += 1
        self(came, "load", self.clinic.write(f"labs{self._files}.csv", text))

    def overdue_alert(self, mrn: str, on: str) -> str:
        rows = self.clinic("alerts", "--json", "--at", on).json
        return next(
            str(it["id"]) for it in rows if (it["mrn"], it["kind"]) == (mrn, "overdue_test")
        )


@pytest.fixture
def told(clinic: CommandLine) -> CommandLine:
    """Five patients. P1 is in time, but the count of 19 January comes on the 30th. P2 is held,
    could not be reached, and declines. P3 is elsewhere for a while. Of P4 a value waits in
    quarantine, and a sample lacks lymphocytes. Of P5 nothing is known since 12 January."""
    tell = Story(clinic)
    tell("2026-01-05", "enrol", clinic.write("people.csv", PEOPLE))
    tell.tested("2026-01-05T08:00", "2025-12-29", who=EVERYBODY)
    tell.tested("2026-01-12T16:00", "2026-01-12", who=EVERYBODY)
    tell.happened("2026-01-15", "P3,2026-01-14,monitored_elsewhere,2026-02-01,letter of Dr Ash")
    tell.value("2026-01-19T16:00", "P4,2026-01-19,platelets,231,furlong")
    tell("2026-01-23", "sweep")
    tell.tested("2026-01-27T16:00", "2026-01-26", who=("P1",))
    alert = tell.overdue_alert("P2", "2026-01-28")
    for day, outcome in (
        ("2026-01-28", "no_answer"),
        ("2026-01-29", "no_answer"),
        ("2026-02-02", "declined"),
    ):
        tell(f"{day}T10:00", "contact", alert, "--outcome", outcome, "--by", "Nurse Bell")
        if day == "2026-01-29":
            tell.happened("2026-01-29T11:00", "P2,2026-01-25,hold,,fever")
            tell.tested("2026-01-30T08:00", "2026-01-19", who=("P1",))
            tell.tested("2026-01-30T09:00", "2026-01-29", who=("P4",), row="140,6.0,4.0,,250,10,20")
    tell(
        "2026-02-02T11:00",
        "quarantine",
        "discard",
        "1",
        "--by",
        "Nurse Bell",
        "--reason",
        "no platelets",
    )
    tell.tested("2026-02-03T09:00", "2026-02-02", who=("P1", "P3"))
    tell(
        "2026-02-03T10:00",
        "snooze",
        tell.overdue_alert("P4", "2026-02-03T10:00"),
        "--until",
        "2026-02-06",
        "--by",
        "Nurse Bell",
        "--reason",
        "comes on Friday",
    )
    return clinic


def whole(desk: CommandLine, *more: str) -> Any:
    ended = desk("report", "gaps", *DAYS, "--json", "--at", NOW, *more)
    assert ended.code == 0, ended.err
    return ended.json


def lines_of(document: Any, mrn: str, panel: str = "cbc") -> list[str]:
    """`covered 01-05 01-14`, and the reasons of days not covered with their days."""
    own = next(it for it in document["enrolments"] if it["mrn"] == mrn)
    found = next(it for it in own["panels"] if it["panel"] == panel)
    said = []
    for it in found["intervals"]:
        words = [it["state"], it["from"][5:], it["to"][5:]]
        if "known_only_since" in it:
            words += ["known", it["known_only_since"][5:]]
        said.append(" ".join(words))
        said += [
            f"  {why['reason']} {why['from'][5:]} {why['to'][5:]} [{why['recorded_on'][5:]}]"
            for why in it.get("reasons", ())
        ]
    return said


def test_the_story_day_by_day(told: CommandLine) -> None:
    found = whole(told)
    assert lines_of(found, "P1") == [
        "covered 01-05 01-21",
        "covered 01-22 01-25 known 01-30",
        "covered 01-26 02-08",
    ]
    assert lines_of(found, "P2") == [
        "covered 01-05 01-21",
        "not_covered 01-22 02-08",
        "  hold 01-25 02-08 [01-29]",
        "  not_reached 01-28 02-01 [01-28]",
        "  declined 02-02 02-08 [02-02]",
    ]
    assert lines_of(found, "P3") == [
        "covered 01-05 01-13",
        "elsewhere 01-14 01-31",
        "  monitored_elsewhere 01-14 01-31 [01-15]",
        "not_covered 02-01 02-01",
        "covered 02-02 02-08",
    ]
    assert lines_of(found, "P4") == [
        "covered 01-05 01-21",
        "not_covered 01-22 02-08",
        "  held_row 01-22 02-01 [01-19]",
        "  incomplete_sample 01-29 02-08 [01-30]",
        "  put_aside 02-03 02-05 [02-03]",
    ]
    assert lines_of(found, "P5") == ["covered 01-05 01-21", "not_covered 01-22 02-08"]
    assert lines_of(found, "P5", "lft") == ["covered 01-05 02-08"]


def test_its_days_are_those_of_the_report_on_tests_done(told: CommandLine) -> None:
    for narrow in ((), ("--clinic", "south")):
        found = whole(told, *narrow)["totals"]
        other = told("report", "compliance", *DAYS, "--json", "--at", NOW, *narrow).json
        days = {"days": found["days"], "covered": found["covered"]}
        assert other["patient_days"].items() >= days.items()
        for mine, theirs in zip(found["clinics"], other["clinics"], strict=True):
            assert all(mine[name] == theirs[name] for name in ("clinic", "drug", "days", "covered"))
    assert found["not_covered"] == sum(it["days"] for it in found["reasons"]) == 18 + 18 + 1
    assert found["elsewhere"] == 18
    assert found["longest_gap"] == {
        "mrn": "P4", "test": "Complete blood count with differential",
        "from": "2026-01-22", "to": "2026-02-08", "days": 18,
    }  # fmt: skip


def test_on_the_screen_as_its_golden_has_it(told: CommandLine) -> None:
    shown = told("report", "gaps", *DAYS, "--at", NOW)
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[-1] == f"  SHA-256 {whole(told)['sealed']['digest']}"
    kept = [line for line in lines[:-1] if not line.startswith("  Made ")]
    text = "\n".join(line.rstrip() for line in kept) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_every_form_says_the_same(told: CommandLine) -> None:
    found = whole(told)
    rows = list(
        csv.DictReader(io.StringIO(told("report", "gaps", *DAYS, "--csv", "--at", NOW).out))
    )
    *intervals, last = rows
    many = [
        it for line in found["enrolments"] for panel in line["panels"] for it in panel["intervals"]
    ]
    assert [(it["state"], it["from"], int(it["days"])) for it in intervals] == [
        (it["state"], it["from"], it["days"]) for it in many
    ]
    assert last["state"] == "sealed"
    assert found["sealed"]["digest"] in last["reasons"]
    page = told("report", "gaps", *DAYS, "--html", "--at", NOW).out
    assert found["sealed"]["digest"] in page
    assert "letter of Dr Ash" in page and "Doe" not in page
    nobody = told("report", "gaps", "--clinic", "nroth", "--at", NOW).out
    assert 'Nobody is enrolled under clinic "nroth"' in nobody


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


@pytest.mark.parametrize("damage", ["panels", "panel", "intervals", "format"])
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


def test_days_that_end_before_they_begin_are_refused(clinic: CommandLine) -> None:
    ended = clinic("report", "gaps", "--from", "2026-03-01", "--to", "2026-02-01")
    assert (ended.code, ended.out) == (2, "")
    assert "--from 2026-03-01 lies after --to 2026-02-01" in ended.err


def test_an_empty_clinic_has_one_too(clinic: CommandLine) -> None:
    shown = clinic("report", "gaps", "--at", "2026-02-05")
    assert shown.code == 0, shown.err
    assert "Nobody is enrolled yet." in shown.out
    assert "5 Feb 2026 is not over: a test of that day may still come." in shown.out
    assert clinic("report", "gaps", "--json", "--at", "2026-02-05").json["enrolments"] == []


def test_whoever_cannot_be_judged_is_named_and_left_out(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.enrol("B1", protocol_id="no such protocol", now=at("2026-01-05"))
    found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-01-20"))
    one, other = found
    assert (one["mrn"], other["mrn"], other["not_judged"]) == ("A1", "B1", True)
    assert (found.totals["enrolments"], found.totals["not_judged"]) == (1, 1)


def test_it_is_made_a_piece_at_a_time(ward: Clinic) -> None:
    """In the order of the numbers, each patient whole, whatever the order of the enrolments; and
    nobody's days are counted twice."""
    for number in reversed(range(WITH_ALL_READ + 3)):
        ward.enrol(f"A{number:03}", baseline=False, now=at("2026-01-05"))
    found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-02-20"))
    lines = iter(found)
    assert next(lines)["mrn"] == "A000"
    assert not found.totals
    assert [it["mrn"] for it in lines] == [f"A{n:03}" for n in range(1, WITH_ALL_READ + 3)]
    other = compliance(ward.store, ward.settings, Which(), (None, None), at("2026-02-20"))
    assert found.totals["days"] == other.total.days == 47 * (WITH_ALL_READ + 3)
    assert found.totals["covered"] == other.total.covered


def test_a_correction_and_a_file_taken_back(ward: Clinic) -> None:
    """What was superseded had been known; what was taken back counts as if it had never come."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-14", CBC, received_at=at("2026-01-15"), stands=False)
    ward.results("A1", "2026-01-14", CBC, received_at=at("2026-01-25"), status="corrected")
    ward.results("A1", "2026-01-21", CBC | LFT)

    def known() -> list[str]:
        found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-01-26"))
        (line,) = found
        intervals = line["panels"][0]["intervals"]
        return [it["known_only_since"] for it in intervals if "known_only_since" in it]

    assert known() == []
    results = table_of(tables.ResultRow)
    with ward.store.write() as connection:
        connection.execute(update(results).where(~results.c.stands).values(taken_back=True))
    assert known() == ["2026-01-25"]


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "inbox").mkdir()
    with sqlite_desk(migrated_sqlite, tmp_path, CONFIG + "\n[sources.lab]\n") as found:
        yield found


def test_a_silent_feed_is_reckoned_from_its_files_as_it_was_noticed_then(desk: Desk) -> None:
    """Of each day of a story the same as what `feeds` said on that day; also years later, when
    files come again and nothing of the silence is noted any more."""
    gone = (date(2026, 3, 9), date(2026, 3, 18))
    begin, end = date(2026, 1, 5), date(2026, 3, 31)
    days = [it for it in weekdays(begin, end) if not gone[0] <= it < gone[1]]
    came, noticed = iter(days), set()
    coming = next(came, None)
    for number in range((end - begin).days + 1):
        day = begin + timedelta(days=number)
        if day == coming:
            file_of(desk, day)
            coming = next(came, None)
        if feed(desk, at(day.isoformat(), 23)).state == "silent":
            noticed.add(day)
    with desk.store.read() as connection:
        (found,) = outages(connection, desk.settings, begin, at("2026-03-31", 23))["lab"]
    assert (found.noticed_on, found.back_on) == (gone[0], gone[1])
    assert noticed == {found.noticed_on + timedelta(days=n) for n in range(9)}
    with desk.store.read() as connection:
        amid = outages(connection, desk.settings, begin, at("2026-03-12", 23))["lab"]
        off = settings_in(Path(), CONFIG + "\n[sources.lab]\nwatched = false\n")
        assert not outages(connection, off, begin, at("2026-03-31", 23))
    assert [(it.noticed_on, it.back_on) for it in amid] == [(gone[0], None)]


def test_days_in_a_silence_say_so_of_whom_it_concerns(desk: Desk) -> None:
    clinic = desk.clinic
    start = date(2026, 1, 5)
    for mrn in ("A1", "B1"):
        clinic.enrol(mrn, start.isoformat(), now=at("2026-01-05"))
    for day in weekdays(start, date(2026, 3, 6)):
        file_id = file_of(desk, day)
        if day.weekday() == 0:
            clinic.results(
                "A1",
                day.isoformat(),
                CBC | LFT,
                hour=8,
                file_id=file_id,
                received_at=at(day.isoformat(), 9),
            )
        if day == date(2026, 2, 16):
            clinic.results(
                "B1",
                day.isoformat(),
                CBC | LFT,
                hour=8,
                file_id=file_id,
                received_at=at(day.isoformat(), 9),
            )
    clinic.event("A1", "2026-03-04", "dose", "125")  # weekly again: overdue in the silence
    found = Gaps(desk.store, desk.settings, Which(), (None, date(2026, 3, 20)), at("2026-06-01"))
    reasons = {
        line["mrn"]: {
            why["reason"]
            for panel in line["panels"]
            for it in panel["intervals"]
            for why in it.get("reasons", ())
        }
        for line in found
    }
    assert reasons == {"A1": {"feed_silent"}, "B1": set()}
