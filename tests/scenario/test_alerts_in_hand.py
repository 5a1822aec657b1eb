"""`monitor alerts`: whether somebody has an alert already, or it rests."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.core.changes import Alert
from monitor.core.vocabulary import AlertState, Kind
from monitor.operations import people
from monitor.operations.alert_story import alert_then
from monitor.operations.digests import compose_digests
from monitor.store import tables
from tests.clinic import ZONE, Clinic, at, settings_in
from tests.command_line import CommandLine

PEOPLE = """\
mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg,last_tested_on
P1,azathioprine,2026-01-05,normal,normal,100,70,2026-01-02
P2,azathioprine,2026-01-05,normal,normal,100,70,2026-01-02
"""
HEADER = "mrn,collected_at,analyte,value,unit"
NOW = "2026-02-02T12:00"
LATER = "2026-02-02T13:00"


def test_who_has_an_alert_and_until_when_it_rests_stands_in_the_list(clinic: CommandLine) -> None:
    """A nurse who lists what is open rang a patient whose alert a colleague had put aside."""
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    clinic("sweep", "--at", NOW)
    late = {
        it["mrn"]: str(it["id"])
        for it in clinic("alerts", "--json", "--at", NOW).json
        if it["kind"] == "overdue_test"
    }
    clinic("ack", late["P1"], "--by", "Dr Gray", "--until", "2026-02-05", "--at", NOW)
    clinic("snooze", late["P2"], "--until", "2026-02-10", "--by", "Nurse Bell",
           "--reason", "abroad", "--at", NOW)  # fmt: skip
    listed = clinic("alerts", "--at", LATER).out
    assert "acknowledged, with Dr Gray until 2026-02-05" in listed
    assert "open, rests until 2026-02-10, Nurse Bell" in listed
    assert "until" not in clinic("alerts", "--at", "2026-02-01").out
    assert "rests" not in clinic("alerts", "--at", "2026-02-10").out


def test_who_answers_an_alert_from_an_older_mail_reads_what_it_says_now(
    clinic: CommandLine,
) -> None:
    """The mail said 0.9, the command that stood in it took in hand what said 0.4 by then."""
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    for day, value in (("2026-01-29", "0.9"), ("2026-02-01", "0.4")):
        line = f"P1,{day}T08:00,neutrophils,{value},10*9/L\n"
        clinic("load", clinic.write("lab.csv", f"{HEADER}\n{line}"), "--at", NOW)
    alert = next(str(it["id"]) for it in clinic("alerts", "--json", "--at", NOW).json if it["rule"])
    told = clinic("ack", alert, "--by", "Dr Gray", "--at", NOW).out
    assert "It says, critical: Neutrophils 0.40 10*9/L on 1 Feb 2026" in told
    closed = clinic("close", alert, "--by", "Dr Gray", "--outcome", "drug_stopped: rang",
                    "--review-by", "2026-02-04", "--at", NOW)  # fmt: skip
    assert "It says, critical: Neutrophils 0.40" in closed.out


@pytest.mark.parametrize(
    "act",
    [
        ("ack",),
        ("snooze", "--until", "2026-02-10", "--reason", "abroad"),
        ("assign", "--to", "Dr Gray"),
        ("contact", "--outcome", "reached"),
        ("close", "--outcome", "done"),
    ],
    ids=lambda it: it[0],
)
def test_whoever_saw_an_alert_that_nobody_had_touched_does_not_act_over_somebody_else(
    clinic: CommandLine, act: tuple[str, ...]
) -> None:
    """`alert show` ends with Version 0 until somebody acts: 0 was taken for no version."""
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    clinic("sweep", "--at", NOW)
    late = next(
        str(it["id"])
        for it in clinic("alerts", "--json", "--at", NOW).json
        if (it["mrn"], it["kind"]) == ("P1", "overdue_test")
    )
    assert "Version 0: " in clinic("alert", "show", late, "--at", NOW).out
    clinic("comment", late, "--by", "Nurse Bell", "--text", "is abroad", "--at", NOW)
    command, *more = act
    done = clinic(command, late, *more, "--by", "Dr Gray", "--version", "0", "--at", LATER)
    assert done.code == 2
    assert "has changed since version 0: comment by Nurse Bell" in done.err
    seen = clinic(command, late, *more, "--by", "Dr Gray", "--version", "1", "--at", LATER)
    assert "has changed" not in seen.err
    assert seen.code == (2 if command == "close" else 0)  # it closes itself, once the test is done


@pytest.mark.parametrize(("dose", "state"), [("275", "open"), ("225", "acknowledged")])
def test_a_dose_that_is_raised_while_somebody_has_its_check_is_told_again(
    clinic: CommandLine, dose: str, state: str
) -> None:
    """250 mg a day is above the maximum at 70 kg; 225 is above it still.
    How far, the alert says."""
    people = PEOPLE.replace("100,70", "250,70")
    clinic("enrol", clinic.write("people.csv", people), "--at", "2026-01-05")
    (check,) = (
        it for it in clinic("alerts", "--json", "--at", "2026-01-05").json
        if (it["mrn"], it["kind"]) == ("P1", "dose_check")
    )  # fmt: skip
    above = "250 mg/day is above the maximum, 3 mg/kg/day x 70 kg = 210 mg/day"
    assert check["summary"] == above
    clinic(
        "ack", str(check["id"]), "--by", "Dr Gray", "--until", "2026-01-30", "--at", "2026-01-05"
    )
    events = f"mrn,on,event,value\nP1,2026-01-12,dose,{dose}\n"
    clinic("events", clinic.write("events.csv", events), "--at", "2026-01-12")
    found = {it["id"]: it["state"] for it in clinic("alerts", "--json", "--at", LATER).json}
    assert found[check["id"]] == state
    story = clinic("alert", "show", str(check["id"]), "--at", LATER).out
    assert ("worse: the dose was raised on 12 Jan 2026" in story) is (state == "open")


def _states(clinic: CommandLine, kind: str, at: str) -> dict[int, str]:
    listed = clinic("alerts", "--json", "--at", at).json
    return {it["id"]: it["state"] for it in listed if (it["mrn"], it["kind"]) == ("P1", kind)}


def _held(clinic: CommandLine, number: int, value: str, analyte: str = "platelets") -> None:
    day = f"2026-01-{number}"
    row = f"P1,{day}T08:00,{analyte},{value},furlong\n"
    rows = clinic.write(f"lab{number}.csv", "mrn,collected_at,analyte,value,unit\n" + row)
    assert clinic("load", rows, "--at", f"{day}T09:00").code == 3


@pytest.mark.parametrize(("analyte", "state"), [("platelets", "open"), ("mcv", "acknowledged")])
def test_a_held_result_that_may_be_grave_is_told_beside_one_that_is_in_hand(
    clinic: CommandLine, analyte: str, state: str
) -> None:
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    _held(clinic, 12, "10")
    ((alert, _),) = _states(clinic, "quarantined_result", "2026-01-12T09:00").items()
    clinic("ack", str(alert), "--by", "Dr Gray", "--at", "2026-01-12T10:00")
    _held(clinic, 14, "9", analyte)
    assert _states(clinic, "quarantined_result", "2026-01-14T09:00") == {alert: state}
    clinic("ack", str(alert), "--by", "Dr Gray", "--at", "2026-01-14T10:00")
    clinic("quarantine", "discard", "2", "--by", "Dr Gray", "--reason", "known",
           "--at", "2026-01-14T11:00")  # fmt: skip
    clinic("sweep", "--at", "2026-01-14T11:00")
    assert _states(clinic, "quarantined_result", "2026-01-14T11:00") == {alert: "acknowledged"}


def test_a_kidney_that_fails_further_is_told_though_somebody_has_the_dose_check(
    clinic: CommandLine,
) -> None:
    people = PEOPLE.replace("100,70", "150,70")
    clinic("enrol", clinic.write("people.csv", people), "--at", "2026-01-05")
    states = []
    for day, egfr in (("2026-01-12", "45"), ("2026-01-13", "40"), ("2026-01-14", "9")):
        row = f"mrn,collected_at,analyte,value,unit\nP1,{day}T08:00,egfr,{egfr},mL/min/1.73m2\n"
        clinic("load", clinic.write(f"{day}.csv", row), "--at", f"{day}T09:00")
        ((alert, state),) = _states(clinic, "dose_check", f"{day}T09:00").items()
        states.append(state)
        clinic("ack", str(alert), "--by", "Dr Gray", "--at", f"{day}T10:00")
    assert states == ["open", "acknowledged", "open"]


def test_a_task_that_is_done_is_no_news_of_the_others(ward: Clinic) -> None:
    """Three tasks were due on one day: when the last of the list was done, the next one was told
    as if it had come due, and the acknowledgement was over."""
    enrolment = ward.enrol("P1", "2026-01-05")
    ward.review(at("2027-01-05"))

    def tasks() -> Alert:
        return next(it for it in ward.alerts(enrolment) if it.kind is Kind.TASK_DUE)

    store, settings = ward.store, ward.settings
    people.acknowledge(store, settings, tasks().id, by="Nurse Bell", now=at("2027-01-05", 13))
    ward.event("P1", "2027-01-06", "task_done", "skin_check")
    ward.review(at("2027-01-06"))
    assert tasks().state is AlertState.ACKNOWLEDGED
    assert "Skin check" not in tasks().summary
    until = date(2028, 1, 25)
    people.acknowledge(
        store, settings, tasks().id, by="Nurse Bell", until=until, now=at("2028-01-05")
    )
    ward.review(at("2028-01-06"))
    (row,) = ward.rows(tables.AlertRow, id=tasks().id)
    assert (row.state, row.shown["news"]) == ("open", "Skin check is due since 6 Jan 2028")


def test_acknowledging_again_starts_the_time_for_an_outcome_not_anew(ward: Clinic) -> None:
    """Whoever acknowledges is told so: "within 4 hours of the first acknowledgement". A click
    every three hours kept a critical alert from everybody else."""
    ward.enrol("A1", "2026-03-01", now=at("2026-03-01"))
    ward.results("A1", "2026-03-02", {"neutrophils": "0.4"})
    ward.review(at("2026-03-02", 10))
    (alert,) = ward.rows(tables.AlertRow, rule="neutropenia")
    again = date(2026, 3, 12)
    for hour, until in ((11, None), (14, again), (16, again)):
        now = at("2026-03-02", hour)
        people.acknowledge(ward.store, ward.settings, alert.id, by="Jo", until=until, now=now)
        ward.review(now)
    (row,) = ward.rows(tables.AlertRow, rule="neutropenia")
    assert row.acknowledged_at == at("2026-03-02", 11)
    assert row.acknowledged_until == again
    assert row.outcome_missed
    (missed,) = ward.rows(tables.AlertHistory, what="outcome missing")
    assert missed.at == at("2026-03-02", 16)
    for hour in (11, 14, 16):
        with ward.store.read() as connection:
            then = alert_then(connection, ward.settings, alert.id, at("2026-03-02", hour)).alert
        assert then.acknowledged_at == at("2026-03-02", 11)
        assert then.outcome_missed is (hour == 16)


OUT_OF_HOURS = """
[clinic]
timezone = "Europe/Zurich"
email = "operator@clinic.example"
hours = "08:00-18:00"

[[routes]]
to = ["nurse@clinic.example"]
then = [["doctor@clinic.example"]]
hours = "open"

[[routes]]
to = ["duty@clinic.example"]
then = [["lead@clinic.example"]]
hours = "closed"
"""


def test_an_outcome_that_is_missing_at_night_is_told_to_those_of_the_night(
    ward: Clinic, tmp_path: Path
) -> None:
    """The first told were those of the day, and those of the night then counted as told."""
    ward.settings = settings_in(tmp_path, OUT_OF_HOURS)
    ward.enrol("A1", "2026-03-01", now=at("2026-03-01"))
    ward.results("A1", "2026-03-02", {"neutrophils": "0.4"})
    ward.review(at("2026-03-02", 14))
    (alert,) = ward.rows(tables.AlertRow, rule="neutropenia")
    people.acknowledge(ward.store, ward.settings, alert.id, by="Jo", now=at("2026-03-02", 15))
    before = len(ward.rows(tables.Delivery))
    for minutes in (0, 30, 60):
        ward.review(at("2026-03-02", 19) + timedelta(minutes=minutes))
    told = [
        (it.recipient, f"{it.created_at.astimezone(ZONE):%H:%M}")
        for it in ward.rows(tables.Delivery)[before:]
    ]
    assert told == [
        ("duty@clinic.example", "19:00"),
        ("lead@clinic.example", "19:30"),
        ("operator@clinic.example", "20:00"),
    ]


def test_what_is_declined_after_its_outcome_was_missed_is_in_nobodys_hand(ward: Clinic) -> None:
    """The digest of everybody broke on it, every day, and the end of its ladder was silent."""
    ward.enrol("A1", now=at("2026-01-02"))
    ward.results("A1", "2026-01-12", {"neutrophils": "0.3"})
    ward.review(at("2026-01-12"))
    (alert,) = [it for it in ward.rows(tables.AlertRow) if it.rule == "neutropenia"]
    people.acknowledge(ward.store, ward.settings, alert.id, by="Jo", now=at("2026-01-12"))
    ward.review(at("2026-01-12", 16))
    (missed,) = ward.rows(tables.AlertRow, id=alert.id)
    assert missed.outcome_missed
    people.contact(
        ward.store, ward.settings, alert.id, outcome="declined", by="Jo", now=at("2026-01-12", 17)
    )
    (now,) = ward.rows(tables.AlertRow, id=alert.id)
    assert (now.state, now.outcome_missed) == ("open", False)
    compose_digests(ward.store, ward.settings, at("2026-01-13", 9))
    assert ward.rows(tables.Delivery, kind="digest")
    before = len(ward.rows(tables.DeliveryAlert, alert_id=alert.id, what="escalated"))
    for hour in (9, 13, 18):
        ward.review(at("2026-01-13", hour))
    assert len(ward.rows(tables.DeliveryAlert, alert_id=alert.id, what="escalated")) > before + 2
    with ward.store.read() as connection:
        then = alert_then(connection, ward.settings, alert.id, at("2026-01-12", 17)).alert
    assert (then.state, then.outcome_missed) == (AlertState.OPEN, False)
