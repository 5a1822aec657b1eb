"""Reports as people read them: who is overdue and what was tried, what was tested, who did what;
as words, JSON, CSV and one page."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from monitor.operations.report_compliance import compliance
from monitor.operations.report_compliance_page import page
from monitor.operations.report_overdue import Which
from monitor.operations.status import status_rows
from tests.clinic import CBC, Clinic, at
from tests.command_line import CommandLine

PEOPLE = """\
mrn,family_name,given_name,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg,clinic
P1,Doe,<b>Ann</b>,azathioprine,2026-01-05,normal,normal,100,70,north
P2,Roe,Ben,azathioprine,2026-01-05,normal,normal,100,70,south
P3,Poe,Cat,azathioprine,2026-01-05,normal,normal,100,70,north
"""
HEADER = (
    "mrn,collected_at,hemoglobin [g/L],white cells [10*9/L],neutrophils [10*9/L],"
    "lymphocytes [10*9/L],platelets [10*9/L],bilirubin [umol/L],alt [U/L]"
)
DONE = {
    "P1": ("2025-12-29", "2026-01-12", "2026-01-20"),
    "P2": ("2025-12-29", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"),
    "P3": ("2025-12-29", "2026-01-15"),
}
NOW = "2026-02-05T12:00"


class _Words(HTMLParser):
    """What a page shows; that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.shown: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "rect", "line"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "rect", "line"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1] not in {"style", "title"}:
            self.shown.append(data.strip())


@pytest.fixture
def desk(clinic: CommandLine) -> CommandLine:
    """Three patients: one in time, one late and then silent, one with a single late test."""
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    rows = [f"{mrn},{day},140,6.0,4.0,1.5,250,10,20" for mrn, days in DONE.items() for day in days]
    loaded = clinic("load", clinic.write("all.csv", "\n".join([HEADER, *rows])), "--at", NOW)
    assert loaded.code == 0, loaded.err
    return clinic


def overdue_alert(desk: CommandLine, mrn: str) -> str:
    rows = desk("alerts", "--json", "--at", NOW).json
    return next(str(it["id"]) for it in rows if (it["mrn"], it["kind"]) == (mrn, "overdue_test"))


def test_who_is_overdue_and_what_was_tried(desk: CommandLine) -> None:
    later = "2026-02-05T13:00"
    desk("contact", overdue_alert(desk, "P3"), "--outcome", "no_answer", "--by", "Nurse Bell",
         "--at", NOW)  # fmt: skip
    desk("ack", overdue_alert(desk, "P1"), "--by", "Nurse Reed", "--at", later)
    found = desk("report", "overdue", "--json", "--at", later).json
    rows = {row["mrn"]: row for row in found["overdue"]}
    assert (found["patients"], found["enrolled"]) == (2, 3)
    assert list(rows) == ["P3", "P1"]  # the longest first
    assert rows["P1"]["owner"] == "Nurse Reed"
    assert rows["P1"]["until"] == "2026-02-12"
    assert (rows["P1"]["due_on"], rows["P1"]["overdue_since"]) == ("2026-01-27", "2026-01-30")
    assert rows["P1"]["days_overdue"] == 9
    assert (rows["P3"]["owner"], rows["P3"]["contacts"]) == ("", 1)
    assert "called, no answer" in rows["P3"]["tried"]
    before = desk("report", "overdue", "--json", "--at", NOW).json["overdue"]
    assert {row["mrn"]: row["owner"] for row in before} == {"P1": "", "P3": ""}
    south = desk("report", "overdue", "--json", "--at", NOW, "--clinic", "SOUTH").json
    assert (south["overdue"], south["enrolled"]) == ([], 1)
    none = desk("report", "overdue", "--json", "--at", NOW, "--drug", "methotrexate").json
    assert none["enrolled"] == 0


def test_whose_test_it_is_what_it_lacked_and_who_put_it_aside(desk: CommandLine) -> None:
    """Two drugs ask for the same test; a sample without a differential; an alert that rests."""
    second = PEOPLE.splitlines()[0] + "\nP2,Roe,Ben,methotrexate,2025-12-01,,,,,south\n"
    desk("enrol", desk.write("second.csv", second), "--at", NOW)
    part = f"{HEADER}\nP3,2026-02-04,140,6.0,,,250,,\n"
    desk("load", desk.write("part.csv", part), "--at", NOW)
    desk("snooze", overdue_alert(desk, "P3"), "--until", "2026-02-09", "--by", "Nurse Bell",
         "--reason", "abroad", "--at", NOW)  # fmt: skip
    later = "2026-02-07T12:00"
    found = desk("report", "overdue", "--json", "--at", later).json
    rows = {(it["mrn"], it["panel"].split()[0], it["drug"]): it for it in found["overdue"]}
    late = rows["P3", "Complete", "azathioprine"]
    assert late["missing"] == "4 Feb 2026: no neutrophils, lymphocytes"
    assert late["rests"] == "until 2026-02-09 by Nurse Bell: abroad"
    words = desk("report", "overdue", "--at", later).out
    assert "(azathioprine, weekly)" in words
    assert "(methotrexate, until stable)" in words
    assert "Put aside until 2026-02-09 by Nurse Bell: abroad" in words
    ended = desk("report", "overdue", "--json", "--at", "2026-02-09").json["overdue"]
    assert not any(it["rests"] for it in ended)
    assert "methotrexate" in desk("status", "P2", "--at", later).out


def test_who_has_stopped_is_none_of_those_who_could_be_overdue(desk: CommandLine) -> None:
    line = "mrn,on,event\nP2,2026-02-05,stop\n"
    assert desk("events", desk.write("stop.csv", line), "--at", NOW).code == 0
    found = desk("report", "overdue", "--json", "--at", NOW).json
    assert (found["patients"], found["monitored_here"], found["enrolled"]) == (2, 2, 3)
    assert "(of 2 monitored here)" in desk("report", "overdue", "--at", NOW).out


def test_how_long_a_patient_waits_is_the_longest_of_the_tests(clinic: CommandLine) -> None:
    """After a dose increase the count is seriously overdue earlier than the liver tests, which
    are late for longer."""
    people = PEOPLE.splitlines()[:2]
    clinic("enrol", clinic.write("people.csv", "\n".join(people)), "--at", "2026-01-05")
    counts = ("2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16",
              "2026-02-23", "2026-03-02")  # fmt: skip
    rows = ["P1,2025-12-29,140,6.0,4.0,1.5,250,10,20"]
    rows += [f"P1,{day},140,6.0,4.0,1.5,250,," for day in counts]
    clinic("load", clinic.write("all.csv", "\n".join([HEADER, *rows])), "--at", "2026-03-02")
    more = clinic.write("more.csv", "mrn,on,event,value\nP1,2026-04-06,dose,125\n")
    clinic("events", more, "--at", "2026-04-06")
    told = clinic("report", "overdue", "--json", "--at", "2026-05-02").json["overdue"]
    assert [(it["state"], it["days_overdue"]) for it in told] == [
        ("seriously_overdue", 19),
        ("overdue", 27),
    ]
    page = clinic("report", "overdue", "--html", "--at", "2026-05-02").out
    shown = _Words(page).shown
    assert "27 days" in shown
    assert "the longest 27 days" in shown


def test_whom_another_clinic_monitors_is_not_overdue_here(desk: CommandLine) -> None:
    line = "mrn,on,event,value\nP1,2026-02-05,monitored_elsewhere,2026-03-01\n"
    assert desk("events", desk.write("away.csv", line), "--at", NOW).code == 0
    for day, late in (("2026-02-28", ["P3", "P2"]), ("2026-03-01", ["P3", "P1", "P2"])):
        found = desk("report", "overdue", "--json", "--at", day).json
        assert list(dict.fromkeys(row["mrn"] for row in found["overdue"])) == late
        ledger = desk("status", "--at", day).out.splitlines()[-1]
        assert f"seriously overdue {len(late)}, overdue 0" in ledger


@pytest.mark.parametrize("name", ["overdue", "compliance"])
def test_a_slip_in_the_name_of_a_clinic_does_not_read_as_all_well(
    desk: CommandLine, name: str
) -> None:
    for asked in (("--clinic", "nroth"), ("--drug", "azathiprine")):
        for form in ((), ("--html",)):
            said = desk("report", name, *asked, *form, "--at", NOW).out
            assert "Nobody is enrolled under" in said
            assert asked[1] in said
            assert "Nobody is overdue" not in said
    nobody = desk("report", name, "--clinic", "south", "--at", "2026-01-06").out
    assert ("Nobody is overdue." if name == "overdue" else "No test came due") in nobody


def test_what_was_tested_adds_up(desk: CommandLine) -> None:
    found = desk("report", "compliance", "--json", "--at", NOW).json
    names = ("in_time", "in_grace", "late", "missed", "waiting")
    for part in (found["tests"], *found["groups"], *found["months"]):
        assert part["due"] == sum(part[name] for name in names)
    total = {name: found["tests"][name] for name in names}
    # P1: 12 in time, 19 in grace, 27 missed, 3 Feb not over; P2: 12, 19, 26, 2 in time;
    # P3: 12 late, 22 and 29 missed, 5 Feb not over
    assert total == {"in_time": 5, "in_grace": 1, "late": 1, "missed": 3, "waiting": 2}
    assert found["tests"]["median_delay_days"] == 2  # of 1 and 3 days
    assert sum(row["due"] for row in found["groups"]) == found["tests"]["due"]
    # to 5 Feb each 32 days; P1 uncovered from 30 Jan, P3 on none of 15 to 24 Jan, and from 25 Jan
    days = {it["clinic"]: (it["days"], it["covered"]) for it in found["clinics"]}
    assert days == {"north": (64, 32 - 7 + 32 - 12), "south": (32, 32)}
    assert found["overdue_at_month_end"] == [
        {"on": "2026-01-31", "monitored_here": 3, "overdue": 2},
        {"on": "2026-02-05", "monitored_here": 3, "overdue": 2},
    ]
    south = desk("report", "compliance", "--json", "--at", NOW, "--clinic", "south").json
    assert south["tests"]["due"] == south["tests"]["in_time"] == 4
    wrong = desk("report", "compliance", "--from", "2026-03-01", "--to", "2026-02-01")
    assert wrong.code == 2
    assert "lies after" in wrong.err


def test_the_days_of_a_patient_on_two_drugs_are_counted_once(desk: CommandLine) -> None:
    """Each of the days was two, and whoever is overdue for both drugs was two patients."""
    second = PEOPLE.splitlines()[0] + "\nP2,Roe,Ben,methotrexate,2026-01-05,,,10,70,south\n"
    assert desk("enrol", desk.write("second.csv", second), "--at", NOW).code == 0
    later = "2026-02-24T12:00"
    found = desk("report", "compliance", "--json", "--at", later, "--clinic", "south").json
    by_drug = {it["drug"]: (it["days"], it["covered"]) for it in found["clinics"]}
    # azathioprine's count of 9 Feb was in grace to 11 Feb; methotrexate, known since 5 Feb, asks
    # for an albumin, which never came
    assert by_drug == {"azathioprine": (51, 51 - 13), "methotrexate": (20, 0)}
    assert found["patient_days"] == {"days": 51, "covered": 51 - 20, "proportion": 0.6078}
    assert found["enrolments"] == 2
    assert found["overdue_at_month_end"][-1] == {
        "on": "2026-02-24",
        "monitored_here": 1,
        "overdue": 1,
    }
    overdue = desk("report", "overdue", "--json", "--at", later).json
    assert (overdue["patients"], overdue["patients_monitored_here"], overdue["monitored_here"]) == (
        3,
        3,
        4,
    )


def test_whoever_cannot_be_judged_is_left_out_of_what_was_tested_and_said(ward: Clinic) -> None:
    """One such patient was a fault of ours, and nobody had a report."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.enrol("B1", protocol_id="no such protocol", now=at("2026-01-05"))
    days = (None, None)
    found = compliance(ward.store, ward.settings, Which(), days, at("2026-01-20"))
    document = found.document()
    assert (document["enrolments"], document["not_judged"]) == (1, 1)
    assert document["overdue_at_month_end"][-1]["monitored_here"] == 1
    assert "LEFT OUT: 1 enrolment that could not be judged" in page(found, Which()).notes


def test_who_did_what(desk: CommandLine) -> None:
    alert = overdue_alert(desk, "P1")
    desk("ack", alert, "--by", "Nurse Reed", "--note", "phoned", "--at", NOW)
    desk("comment", alert, "--text", "moved house", "--by", "Nurse Bell", "--at", NOW)
    desk("batch", "revert", "2", "--by", "Dr Gray", "--reason", "the wrong file", "--at", NOW)
    found = desk("report", "audit", "--json", "--at", NOW, "--from", "2026-02-05").json
    done = [(it["who"], it["what"], it["mrn"]) for it in found["entries"]]
    assert ("Nurse Reed", "acknowledged", "P1") in done
    assert ("Nurse Bell", "comment", "P1") in done
    assert ("Dr Gray", "file taken back", "") in done
    mine = desk("report", "audit", "--json", "--at", NOW, "--who", "nurse bell").json["entries"]
    assert {it["who"] for it in mine} == {"Nurse Bell"}
    north = desk("report", "audit", "--json", "--at", NOW, "--clinic", "north").json["entries"]
    assert {it["mrn"] for it in north} == {"P1"}
    earlier = desk("report", "audit", "--json", "--at", "2026-02-04").json["entries"]
    assert all(it["at"] < "2026-02-05" for it in earlier)


def test_a_clinic_keeps_what_was_done_about_its_patients(desk: CommandLine) -> None:
    """A held row is the patient's and no treatment's: with `--clinic` it was left out."""
    unit = "mrn,collected_at,analyte,value,unit\n{},2026-02-05T08:00,platelets,231,furlong\n"
    for mrn in ("P1", "P2"):
        desk("load", desk.write(f"{mrn}.csv", unit.format(mrn)), "--at", NOW)
    desk("quarantine", "discard", "1", "--by", "Nurse Bell", "--reason", "sent again", "--at", NOW)
    desk("quarantine", "discard", "2", "--by", "Nurse Reed", "--reason", "sent again", "--at", NOW)
    desk("batch", "revert", "2", "--by", "Dr Gray", "--reason", "the wrong file", "--at", NOW)

    def done(*narrow: str) -> set[tuple[str, str]]:
        found = desk("report", "audit", "--json", "--at", NOW, "--from", "2026-02-05", *narrow).json
        return {(it["who"], it["mrn"]) for it in found["entries"]}

    assert done("--clinic", "north") == {("Nurse Bell", "P1")}
    assert done("--clinic", "South") == {("Nurse Reed", "P2")}
    assert done("--drug", "azathioprine") == {("Nurse Bell", "P1"), ("Nurse Reed", "P2")}
    assert done("--drug", "methotrexate") == set()
    assert ("Dr Gray", "") in done()


@pytest.mark.parametrize("name", ["compliance", "burden", "audit"])
def test_days_that_end_before_they_begin_are_refused(clinic: CommandLine, name: str) -> None:
    for days in (("--from", "2026-03-01", "--to", "2026-02-01"), ("--from", "2026-03-17")):
        ended = clinic("report", name, *days, "--at", "2026-03-16")
        assert (ended.code, ended.out) == (2, "")
        assert f"--from {days[1]} lies after --to" in ended.err


@pytest.mark.parametrize("name", ["overdue", "compliance", "audit"])
def test_every_form_says_the_same(desk: CommandLine, name: str) -> None:
    desk("ack", overdue_alert(desk, "P1"), "--by", "=cmd()", "--at", NOW)
    both = desk("report", name, "--csv", "--json")
    assert both.code == 2
    rows = list(csv.DictReader(io.StringIO(desk("report", name, "--csv", "--at", NOW).out)))
    document = desk("report", name, "--json", "--at", NOW).json
    listed = {"overdue": "overdue", "compliance": "groups", "audit": "entries"}[name]
    assert len(rows) == len(document[listed]) > 0
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    ended = desk("report", name, "--html", "--at", NOW)
    page = _Words(ended.out)
    assert page.open == []
    assert ended.out.startswith("<!doctype html>")
    assert not re.search(r"<script|https?://|<link|@import|url\(", ended.out)
    assert "<b>Ann" not in ended.out
    assert "<svg" in ended.out
    shown = " ".join(page.shown)
    assert "north" in shown or name == "audit"
    words = desk("report", name, "--at", NOW)
    assert words.code == 0, words.err


@pytest.mark.parametrize("name", ["overdue", "compliance", "gaps", "burden", "audit"])
def test_headings_of_every_report_are_written_alike(desk: CommandLine, name: str) -> None:
    desk("ack", overdue_alert(desk, "P1"), "--by", "Nurse Reed", "--at", NOW)
    page = desk("report", name, "--html", "--at", NOW).out
    headings = re.findall(r"<th[^>]*scope=\"?col[^>]*>([^<]+)<", page)
    assert headings and all(it[0].isupper() for it in headings), headings


@pytest.mark.parametrize("name", ["overdue", "compliance", "audit"])
def test_an_empty_clinic_has_reports_too(clinic: CommandLine, name: str) -> None:
    assert clinic("report", name, "--at", "2026-02-05").code == 0
    page = clinic("report", name, "--html", "--at", "2020-02-05")
    assert page.code == 0, page.err
    assert _Words(page.out).open == []


def test_the_burden_is_the_same_on_the_screen_as_csv_and_as_a_page(desk: CommandLine) -> None:
    found = desk("report", "burden", "--json", "--at", NOW).json
    rows = list(csv.DictReader(io.StringIO(desk("report", "burden", "--csv", "--at", NOW).out)))
    rules = {row["name"]: int(row["alerts"]) for row in rows if row["of"] == "rule"}
    assert rules == {it["rule"]: it["alerts"] for it in found["rules"]}
    assert sum(rules.values()) == found["alerts"] > 0
    for form in ((), ("--html",)):
        assert "The burden of alerts" in desk("report", "burden", *form, "--at", NOW).out
    both = desk("report", "burden", "--csv", "--html")
    assert (both.code, both.err) == (2, "one of --json, --csv and --html at a time\n")


def test_who_was_overdue_at_each_month_s_end_is_who_the_status_of_then_says(ward: Clinic) -> None:
    """What was reckoned of results is used again for an earlier end only where the same were
    known: not of a count that came late in a month, nor of one derived from a percentage."""
    now = at("2026-06-20")
    share = {"neutrophils_percent": "60"}
    for mrn, tested_on in (
        ("S1", ("2026-01-12", "2026-01-19", "2026-03-02")),
        ("S2", ("2026-01-31", "2026-02-28")),
        ("S3", ()),
        ("S4", ("2026-01-12", "2026-04-30", "2026-05-01")),
    ):
        ward.enrol(mrn, now=at("2026-01-05"))
        for tested in tested_on:
            whole = {name: text for name, text in CBC.items() if name != "neutrophils"} | share
            ward.results(mrn, tested, whole if mrn == "S4" else CBC | {"lymphocytes": "0.45"})
    ward.event("S2", "2026-03-10", "stop")
    found = compliance(ward.store, ward.settings, Which(), (None, None), now).overdue
    assert len(found) == 6
    for day, here, late in found:
        then = min(at(day.isoformat(), 23) + timedelta(minutes=59), now)
        rows = status_rows(ward.store, ward.settings, then)
        monitored = {it["mrn"] for it in rows if it["enrolment_state"] != "stopped"}
        overdue = {it["mrn"] for it in rows if "overdue" in it["state"]}
        assert (here, late) == (len(monitored), len(overdue & monitored)), day
