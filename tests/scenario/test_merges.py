"""Merged numbers: everything follows, and everything comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.core.calendar import clinic_day
from monitor.core.life import life_of
from monitor.core.vocabulary import AlertState
from monitor.delivery.content import alert_views
from monitor.intake.messages import Arrived, take_messages
from monitor.operations import arrivals, batches
from monitor.operations.alert_list import alert_rows
from monitor.operations.alert_story import story
from monitor.operations.people import acknowledge
from monitor.operations.status import status_rows
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import all_enrolment_ids, load_cases
from monitor.store.leases import load_message
from monitor.store.rulebook import load_rulebook
from tests.clinic import at
from tests.desk import EVENTS, NOW, Desk, sqlite_desk

LATER = at("2026-03-12")


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


@pytest.fixture
def quick_desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        yield desk


def enrolled(desk: Desk, *mrns: str, **more: Any) -> None:
    desk.enrol(*(f"{mrn},azathioprine,2026-01-05,,," for mrn in mrns), **more)


def value(mrn: str, number: str, day: str = "2026-03-02") -> str:
    return f"{mrn},{day}T08:00,neutrophils,{number},10*9/L,,,,"


def say(desk: Desk, *lines: str, now: datetime = NOW) -> Any:
    path = desk.file(EVENTS, *lines)
    return arrivals.events(desk.store, desk.settings, path, now)


def is_right(desk: Desk, now: datetime = LATER) -> None:
    desk.clinic.review(now)
    assert [str(it) for it in verify(desk.store, desk.settings, now)] == []


def counts_alerts(desk: Desk) -> list[Any]:
    return [row for row in desk.clinic.rows(tables.AlertRow) if row.rule is not None]


def listed(desk: Desk) -> list[str]:
    return sorted({row["mrn"] for row in status_rows(desk.store, desk.settings, LATER)})


def states(desk: Desk) -> list[str]:
    """Of each enrolment that stands."""
    with desk.store.read() as connection:
        zone = desk.settings.clinic.zone
        cases = load_cases(connection, all_enrolment_ids(connection), zone=zone)
        protocols = load_rulebook(connection)
    found = (
        life_of(
            case.enrolment,
            case.events,
            protocols.protocols[case.enrolment.protocol_id],
            clinic_day(LATER, zone),
            protocols.catalogue.drugs,
        )
        for case in cases
    )
    return sorted(life.state.value for life in found)


def test_results_events_and_alerts_move_and_later_rows_follow(desk: Desk) -> None:
    enrolled(desk, "A1", "B1")
    desk.load(value("A1", "0.4"), value("B1", "3.1", "2026-03-03"))
    desk.events("A1,2026-02-01,comedication_start,allopurinol,,,")
    desk.clinic.review(NOW)
    said = say(desk, "A1,2026-03-09,merge,B1,,registered twice,")
    assert said.report.taken == 1
    assert any("under two numbers" in note for note in said.report.notes)
    assert desk.whose() == {"B1": ["0.4", "3.1"]}
    assert listed(desk) == ["B1"]
    desk.load(value("A1", "2.2", "2026-03-09"))
    assert desk.whose() == {"B1": ["0.4", "2.2", "3.1"]}
    live = [row for row in desk.clinic.rows(tables.AlertRow) if row.state != "closed"]
    assert {row.shown["mrn"] for row in live} == {"B1"}
    assert "moved" in {row.what for row in desk.clinic.rows(tables.AlertHistory)}
    is_right(desk)


def test_who_was_told_hears_the_number_that_survives(desk: Desk) -> None:
    enrolled(desk, "A1")
    desk.load(value("A1", "0.4"))
    desk.clinic.review(NOW)
    say(desk, "A1,2026-03-09,merge,B1,,,")
    notes = [row.note for row in desk.clinic.rows(tables.AlertHistory, what="updated")]
    assert "the patient's number is now B1, it was A1" in notes
    messages = desk.clinic.rows(tables.DeliveryAlert, what="updated")
    assert messages and all("B1" in row.reason for row in messages)
    is_right(desk)


def test_an_unmerge_leaves_everything_where_it_was(desk: Desk) -> None:
    enrolled(desk, "A1", "B1")
    desk.load(value("A1", "0.4"), value("B1", "3.1", "2026-03-03"))
    desk.clinic.review(NOW)
    before = desk.whose()
    say(desk, "A1,2026-03-09,merge,B1,,,")
    desk.load(value("A1", "2.2", "2026-03-09"), value("B1", "2.3", "2026-03-09"))
    back = say(desk, "B1,2026-03-10,unmerge,A1,,,")
    assert back.report.taken == 1
    assert desk.whose() == {"A1": [*before["A1"], "2.2"], "B1": ["2.3", *before["B1"]]}
    assert listed(desk) == ["A1", "B1"]
    is_right(desk)
    for row in desk.clinic.rows(tables.AlertRow):
        assert (row.state == "closed") or row.home_id is None


def test_what_is_told_after_a_merge_or_an_unmerge_names_the_number_it_was_told_by(
    desk: Desk,
) -> None:
    """Of a worse value, or of one that was another's, the mail named only the number that stands:
    who knew the alert by the other took it for a stranger's, and never heard that it is void."""
    enrolled(desk, "A1")
    desk.load(value("A1", "1.4"), value("B1", "0.9", "2026-03-03"))
    desk.clinic.review(NOW)
    say(desk, "A1,2026-03-09,merge,B1,,,")
    (worse,) = desk.clinic.rows(tables.DeliveryAlert, what="worse")
    assert worse.reason.startswith("a further limit is met")
    assert worse.reason.endswith("; the patient's number is now B1, it was A1")
    say(desk, "B1,2026-03-10,unmerge,A1,,,")
    updated = [row.reason for row in desk.clinic.rows(tables.DeliveryAlert, what="updated")]
    (milder,) = (it for it in updated if it.startswith("a correction made it milder"))
    assert milder.endswith("; the patient's number is now A1, it was B1")


def test_a_value_that_was_another_patients_is_withdrawn_by_the_number_it_was_told_by(
    desk: Desk,
) -> None:
    enrolled(desk, "A1")
    desk.load(value("A1", "3.1"), value("B1", "0.9", "2026-03-03"))
    say(desk, "A1,2026-03-09,merge,B1,,,")
    assert {row.shown["mrn"] for row in counts_alerts(desk)} == {"B1"}
    say(desk, "B1,2026-03-10,unmerge,A1,,,")
    (withdrawn,) = desk.clinic.rows(tables.DeliveryAlert, what="withdrawn")
    assert withdrawn.reason.endswith("; the patient's number is now A1, it was B1")


def test_numbers_that_come_apart_while_the_mail_is_down_are_named_as_they_stand(
    desk: Desk,
) -> None:
    """The mails of the merge and of its end went out together, under the number of the end: the
    first said below it that the number is now the other one."""
    enrolled(desk, "A1")
    desk.load(value("A1", "0.4"))
    desk.clinic.review(NOW)
    say(desk, "A1,2026-03-09,merge,B1,,,")
    say(desk, "B1,2026-03-10,unmerge,A1,,,")
    with desk.store.read() as connection:
        lines = [
            (view.person.mrn, view.reason)
            for row in desk.clinic.rows(tables.Delivery, kind="alert")
            for view in alert_views(
                connection, load_message(connection, row.id), desk.settings, LATER
            )
            if "number" in view.reason and view.urgency == "critical"
        ]
    assert [mrn for mrn, _ in lines] == ["A1", "A1"]
    assert "the patient's number was B1 and is now A1" in lines[0][1]
    assert "the patient's number is now A1, it was B1" in lines[1][1]


def live(desk: Desk) -> dict[int, tuple[str, str, str, str | None]]:
    return {
        row.id: (row.shown["mrn"], row.cause, row.state, row.acknowledged_by)
        for row in desk.clinic.rows(tables.AlertRow)
        if row.state != "closed"
    }


@pytest.mark.parametrize(("old", "new"), [("A1", "B1"), ("B1", "A1")])
def test_alerts_stand_again_as_they_did_when_numbers_come_apart(
    desk: Desk, old: str, new: str
) -> None:
    """Those that became one with another's were opened anew: people were asked for the second
    time, and what somebody had taken in hand was nobody's."""
    enrolled(desk, "A1", "B1", now=at("2026-02-10"))
    desk.load(value("A1", "0.4"), value("B1", "0.4"))
    desk.clinic.review(NOW)
    for alert in list(live(desk))[::2]:
        acknowledge(desk.store, desk.settings, alert, by="Dr A", now=NOW)
    before = live(desk)
    assert len(before) > 4
    say(desk, f"{old},2026-03-10,merge,{new},,,", now=LATER)
    merged = desk.clinic.rows(tables.AlertRow)
    assert {row.shown["mrn"] for row in merged if row.state != "closed"} == {new}
    assert any((row.outcome or "").startswith("one episode with alert") for row in merged)
    for row in merged:
        if row.state == "closed":
            standing = story(desk.store, desk.settings, row.id, LATER).standing
            assert standing["acknowledged_by"] is None
    count = len(merged)
    say(desk, f"{old},2026-03-10,unmerge,{new},,,", now=LATER)
    assert live(desk) == before
    assert len(desk.clinic.rows(tables.AlertRow)) == count, "none was opened anew"
    told = {row.what for row in desk.clinic.rows(tables.DeliveryAlert)}
    assert "stands again" in told
    again = next(row for row in desk.clinic.rows(tables.AlertHistory, what="stands again"))
    assert again.note == "two numbers that were taken for one patient are not"
    is_right(desk)
    assert live(desk) == before
    shown = alert_rows(desk.store, desk.settings, {"open", "acknowledged"}, LATER)
    assert {it["id"]: it["state"] for it in shown} == {key: it[2] for key, it in before.items()}


def test_an_alert_whose_cause_has_ended_meanwhile_does_not_stand_again(desk: Desk) -> None:
    enrolled(desk, "A1", "B1", now=at("2026-02-10"))
    desk.load(value("A1", "0.4"), value("B1", "0.4", "2026-03-03"))
    desk.clinic.review(NOW)
    (first, second) = (row.id for row in counts_alerts(desk))
    say(desk, "A1,2026-03-10,merge,B1,,,", now=LATER)
    desk.load(
        value("B1", "4.0", "2026-03-03").replace(",10*9/L,,,,", ",10*9/L,,corrected,,"), now=LATER
    )
    say(desk, "A1,2026-03-10,unmerge,B1,,,", now=LATER)
    states = {row.id: row.state for row in counts_alerts(desk)}
    assert states[first] == "open"
    assert states.get(second) == "closed"
    is_right(desk)


def test_an_alert_that_the_wrong_merge_made_is_withdrawn_and_its_readers_told(desk: Desk) -> None:
    enrolled(desk, "B1")
    desk.load(value("A1", "0.4"))
    say(desk, "A1,2026-03-09,merge,B1,,,")
    (alert,) = counts_alerts(desk)
    assert alert.state != AlertState.CLOSED.value
    say(desk, "A1,2026-03-10,unmerge,B1,,,", now=LATER)
    (alert,) = counts_alerts(desk)
    assert alert.state == AlertState.CLOSED.value
    assert desk.clinic.rows(tables.Delivery, kind="withdrawal")
    is_right(desk)


def test_the_same_result_under_both_numbers_counts_once_and_survives_the_unmerge(
    desk: Desk,
) -> None:
    enrolled(desk, "A1", "B1")
    say(desk, "A1,2026-03-09,merge,B1,,,")
    desk.load(value("A1", "2.2"), value("B1", "2.2"))
    assert desk.whose() == {"B1": ["2.2"]}
    say(desk, "A1,2026-03-10,unmerge,B1,,,")
    assert desk.whose() == {"A1": ["2.2"], "B1": ["2.2"]}
    is_right(desk)


def test_rows_held_for_the_old_number_go_in(desk: Desk) -> None:
    enrolled(desk, "B1")
    desk.load(value("A1", "0.4"))
    assert [row.reason_code for row in desk.held()] == ["unknown_patient"]
    said = say(desk, "A1,2026-03-09,merge,B1,,,")
    assert "rows that were held for merged numbers went in: 1" in said.report.notes
    assert (desk.whose(), desk.held()) == ({"B1": ["0.4"]}, [])
    is_right(desk)


def test_what_is_refused_is_said(quick_desk: Desk) -> None:
    enrolled(quick_desk, "A1", "B1")
    report = quick_desk.events(
        "A1,2026-03-09,merge,A1,,,",
        "A1,2026-03-09,merge,,,,",
        "X1,2026-03-09,merge,X2,,,",
        "A1,2026-03-09,unmerge,B1,,,",
        "A1,2027-03-09,merge,B1,,,",
        "A1,2026-03-09,merge,north:A1,,,",
    )
    assert [it.reason for it in report.refused] == [
        "a number cannot be merged with itself",
        "value is empty: it has to be the other number, the one that survives",
        "neither of the two numbers is enrolled",
        "A1 and B1 are not merged: nothing to take back",
        "merge lies in the future",
    ]


def test_the_same_lines_again_change_nothing(quick_desk: Desk) -> None:
    enrolled(quick_desk, "A1", "B1")
    merge = "A1,2026-03-09,merge,B1,,,"
    assert quick_desk.events(merge, merge).duplicate == 1
    quick_desk.events("A1,2026-03-10,unmerge,B1,,,")
    again = quick_desk.events(merge, "A1,2026-03-10,unmerge,B1,,,")
    assert (again.taken, again.duplicate) == (0, 2)
    assert listed(quick_desk) == ["A1", "B1"]
    assert quick_desk.events("A1,2026-03-11,merge,B1,,,", now=LATER).taken == 1
    assert listed(quick_desk) == ["B1"]
    enrolled(quick_desk, "A1")
    assert quick_desk.enrol("A1,azathioprine,2026-01-05,,,").duplicate == 1


def test_entered_in_error_takes_a_merge_back(quick_desk: Desk) -> None:
    enrolled(quick_desk, "A1", "B1")
    quick_desk.events("A1,2026-03-09,merge,B1,,,")
    assert quick_desk.events("A1,2026-03-09,merge,B1,,,entered-in-error").taken == 1
    assert listed(quick_desk) == ["A1", "B1"]


def test_a_chain_follows_and_names_of_every_number_agree(desk: Desk) -> None:
    desk.enrol(
        "A1,azathioprine,2026-01-05,Muster,Anna,1970-02-03",
        "B1,azathioprine,2026-01-05,Meier,Anna,1970-02-03",
    )
    desk.events("A1,2026-03-09,merge,B1,,,", "B1,2026-03-09,merge,C1,,,")
    header = "mrn,collected_at,analyte,value,unit,family_name,given_name,birth_date"
    desk.load(
        "A1,2026-03-02,neutrophils,2.1,10*9/L,Muster,Anna,1970-02-03",
        "C1,2026-03-03,neutrophils,2.2,10*9/L,Meier,Anna,1970-02-03",
        "C1,2026-03-04,neutrophils,2.3,10*9/L,Muster,Anna,1970-02-03",
        "C1,2026-03-05,neutrophils,2.4,10*9/L,Muster,Berta,1970-02-03",
        header=header,
    )
    assert desk.whose() == {"C1": ["2.1", "2.2", "2.3"]}
    assert [row.reason_code for row in desk.held()] == ["identity"]
    is_right(desk)


def test_different_drugs_both_belong_to_the_survivor(desk: Desk) -> None:
    desk.clinic.enrol("A1", drug="mercaptopurine")
    desk.clinic.enrol("B1")
    desk.events("A1,2026-03-09,merge,B1,,,")
    rows = status_rows(desk.store, desk.settings, LATER, "A1")
    assert {(row["mrn"], row["drug"]) for row in rows} == {
        ("B1", "mercaptopurine"),
        ("B1", "azathioprine"),
    }


def test_treatments_one_after_the_other_both_stay(desk: Desk) -> None:
    desk.enrol("A1,azathioprine,2025-01-06,,,", "B1,azathioprine,2026-01-05,,,")
    desk.events("A1,2025-06-30,stop,,,,")
    desk.events("A1,2026-03-09,merge,B1,,,")
    states = {row["enrolment_state"] for row in status_rows(desk.store, desk.settings, LATER, "B1")}
    assert states == {"stopped", "active"}
    is_right(desk)


@pytest.mark.parametrize(("stopped", "goes_on"), [("A1", "B1"), ("B1", "A1")])
def test_a_duplicate_that_was_stopped_does_not_end_the_watch(
    desk: Desk, stopped: str, goes_on: str
) -> None:
    enrolled(desk, "A1", "B1")
    desk.events(f"{stopped},2026-03-02,stop,,,registered twice,")
    said = say(desk, "A1,2026-03-09,merge,B1,,registered twice,")
    assert f"record the stop under {goes_on} too" in "".join(said.report.notes)
    assert states(desk) == ["active", "stopped"]
    is_right(desk)
    desk.events(f"{goes_on},2026-03-10,stop,,,,")
    assert states(desk) == ["stopped", "stopped"]
    is_right(desk)


def test_a_stop_in_the_file_of_the_merge_counts_by_its_line(desk: Desk) -> None:
    enrolled(desk, "A1", "B1")
    desk.events("A1,2026-03-02,stop,,,registered twice,", "A1,2026-03-09,merge,B1,,,")
    assert states(desk) == ["active", "stopped"]
    is_right(desk)


@pytest.mark.parametrize("number", ["A1", "B1"])
def test_once_merged_a_stop_is_the_patients(desk: Desk, number: str) -> None:
    enrolled(desk, "A1", "B1")
    desk.events("A1,2026-03-09,merge,B1,,,", f"{number},2026-03-09,stop,,,,")
    assert states(desk) == ["stopped"]
    is_right(desk)


@pytest.mark.parametrize(
    ("event", "before"),
    [("died", ["stopped"]), ("hold", ["held"]), ("stop", ["active", "stopped"])],
)
def test_what_was_said_under_the_old_number_is_withdrawn_under_the_new_one(
    desk: Desk, event: str, before: list[str]
) -> None:
    enrolled(desk, "A1", "B1")
    desk.events(f"A1,2026-03-02,{event},,,,", "A1,2026-03-09,merge,B1,,,")
    assert states(desk) == before
    said = desk.events(f"B1,2026-03-02,{event},,,,entered-in-error")
    assert (said.taken, said.refused) == (1, ())
    assert states(desk) == ["active"]
    assert desk.events(f"B1,2026-03-02,{event},,,,entered-in-error", now=LATER).taken == 0
    is_right(desk)


def test_both_stopped_on_one_day_are_one(desk: Desk) -> None:
    enrolled(desk, "A1", "B1")
    desk.events("A1,2026-03-02,stop,,,,", "B1,2026-03-02,stop,,,,", "A1,2026-03-09,merge,B1,,,")
    assert states(desk) == ["stopped"]
    is_right(desk)


def test_what_the_merged_enrolment_knew_is_not_lost(desk: Desk) -> None:
    header = "mrn,drug,started_on,tpmt,dose_mg_per_day,birth_date"
    desk.enrol("A1,azathioprine,2026-01-05,poor,100,1970-02-03", header=header)
    enrolled(desk, "B1")
    desk.events("A1,2026-02-02,hold,,,,", "A1,2026-03-09,merge,B1,,,")
    with desk.store.read() as connection:
        zone = desk.settings.clinic.zone
        (case,) = load_cases(connection, all_enrolment_ids(connection), zone=zone)
    assert (case.enrolment.mrn, case.enrolment.tpmt) == ("B1", "poor")
    assert case.enrolment.birth_date is not None
    assert [event.event for event in case.events] == ["hold"]
    (row, *_) = status_rows(desk.store, desk.settings, LATER)
    assert row["enrolment_state"] == "held"
    desk.events("A1,2026-03-10,resume,,,,")
    (row, *_) = status_rows(desk.store, desk.settings, LATER)
    assert row["enrolment_state"] == "active"
    is_right(desk)


# ------------------------------------------------------------------ messages of a hospital


def oru(
    mrn: str,
    number: str,
    on: str,
    issuer: str = "CITY",
    name: str = "Muster^Anna",
    born: str = "19700203",
) -> str:
    return "\r".join([
        f"MSH|^~\\&|LAB|CITY|MON|CLINIC|{on}120000||ORU^R01|{on}{mrn}|P|2.3",
        f"PID|1||{mrn}^^^{issuer}^MR||{name}||{born}|F",
        f"OBR|1||S{on}|CBC|||{on}080000",
        f"OBX|1|NM|751-8^NEUTROPHILS^LN||{number}|10*9/L|2.0-7.5|L|||F|||{on}080000",
    ])  # fmt: skip


def adt(kind: str, old: str, new: str, on: str, issuer: str = "CITY") -> str:
    return "\r".join([
        f"MSH|^~\\&|ADT|CITY|MON|CLINIC|{on}120000||ADT^{kind}|{kind}{on}|P|2.3",
        f"EVN|{kind}|{on}120000",
        f"PID|1||{new}^^^{issuer}^MR||Muster^Anna||19700203|F",
        f"MRG|{old}^^^{issuer}^MR",
    ])  # fmt: skip


def stream(desk: Desk, *messages: str, now: datetime = NOW) -> Any:
    desk.number += 1
    path = desk.folder / f"stream{desk.number}.hl7"
    path.write_text("\r\r".join(messages) + "\r", encoding="ascii")
    return arrivals.load(desk.store, desk.settings, path, "", now)


@pytest.mark.parametrize("kind", ["A34", "A40"])
def test_a_hospital_that_merges_two_numbers_takes_the_results_along(desk: Desk, kind: str) -> None:
    desk.enrol("4711,azathioprine,2026-01-05,Muster,Anna,1970-02-03")
    loaded = stream(
        desk,
        oru("4711", "0.4", "20260302"),
        oru("9999", "0.5", "20260303"),
        adt(kind, "4711", "9999", "20260304"),
        oru("4711", "0.6", "20260305"),
        oru("9999", "0.7", "20260306"),
    )
    assert loaded.report.other_messages == 1
    assert desk.whose() == {"9999": ["0.4", "0.5", "0.6", "0.7"]}
    assert (listed(desk), desk.held()) == (["9999"], [])
    live = [row for row in desk.clinic.rows(tables.AlertRow) if row.state != "closed"]
    assert {row.shown["mrn"] for row in live} == {"9999"}
    is_right(desk)
    stream(desk, adt(kind, "4711", "9999", "20260304"), oru("4711", "0.6", "20260305"))
    assert len(desk.clinic.rows(tables.MergeRow)) == 1
    say(desk, "4711,2026-03-10,unmerge,9999,,,", now=LATER)
    assert desk.whose() == {"4711": ["0.4", "0.6"]}
    assert sorted(row.raw["value"] for row in desk.held()) == ["0.5", "0.7"]
    stream(desk, adt(kind, "4711", "9999", "20260304"), now=LATER)
    assert listed(desk) == ["4711"]
    is_right(desk)


@pytest.mark.parametrize("said", ["S,2026-03-09,merge,D,,,", "D,2026-03-09,merge,S,,,"])
@pytest.mark.parametrize("by_a_word", [False, True])
def test_a_strangers_rows_wait_again_once_the_numbers_come_apart(
    desk: Desk, said: str, *, by_a_word: bool
) -> None:
    """They stood as results of a number that nobody is enrolled under, where nobody looks: neither
    held, nor said to be maybe an enrolled patient's of a number that is nearly the same."""
    enrolled(desk, "D", "0S")
    desk.load(value("S", "0.4"), value("D", "3.3", "2026-03-05"))
    assert [row.reason_code for row in desk.held()] == ["mrn_alike"]
    say(desk, said)
    merge = desk.clinic.rows(tables.File)[-1].id
    came = desk.load(value("S", "0.6", "2026-03-03"), value("S", "0.4"))
    assert (came.stored, came.duplicate) == (1, 1)
    assert sorted(*desk.whose().values()) == ["0.4", "0.6", "3.3"]
    if by_a_word:
        say(desk, "S,2026-03-10,unmerge,D,,,", now=LATER)
    else:
        batches.revert(desk.store, desk.settings, merge, by="Ada", reason="wrong", now=LATER)
    assert desk.whose() == {"D": ["3.3"]}
    held = {(row.raw["value"], row.reason_code) for row in desk.held()}
    assert held == {("0.4", "mrn_alike"), ("0.6", "mrn_alike")}
    is_right(desk)
    alert = next(it for it in desk.clinic.rows(tables.AlertRow, kind="quarantined_result"))
    assert (alert.shown["mrn"], alert.state, alert.urgency) == ("0S", "open", "critical")
    desk.enrol("S,azathioprine,2026-01-05,,,", now=LATER)
    assert desk.whose() == {"D": ["3.3"], "S": ["0.4", "0.6"]}
    is_right(desk)


def test_what_two_files_said_of_a_stranger_is_not_lost_with_the_first(quick_desk: Desk) -> None:
    desk = quick_desk
    enrolled(desk, "D")
    say(desk, "S,2026-03-09,merge,D,,,")
    merge = desk.clinic.rows(tables.File)[-1].id
    desk.load(value("S", "0.4"))
    first = desk.clinic.rows(tables.File)[-1].id
    desk.load(value("S", "0.4"), value("D", "3.3", "2026-03-05"))
    for wrong in (merge, first):
        batches.revert(desk.store, desk.settings, wrong, by="Ada", reason="wrong", now=LATER)
        assert [row.raw["value"] for row in desk.held()] == ["0.4"]
        is_right(desk)


def test_a_strangers_message_waits_again_as_a_file_does(desk: Desk) -> None:
    enrolled(desk, "D")
    say(desk, "S,2026-03-09,merge,D,,,")
    came = Arrived(oru("S", "0.4", "20260302").encode("ascii"))
    (took,) = take_messages(desk.store, desk.settings, [came], NOW)
    assert took.counts == {"stored": 1}
    assert desk.whose() == {"D": ["0.4"]}
    say(desk, "S,2026-03-10,unmerge,D,,,", now=LATER)
    assert desk.whose() == {}
    assert [row.raw["value"] for row in desk.held()] == ["0.4"]
    is_right(desk)


def test_a_merge_of_strangers_is_remembered_until_one_is_enrolled(desk: Desk) -> None:
    stream(desk, oru("1", "0.4", "20260302"), adt("A40", "1", "2", "20260303"))
    assert [row.reason_code for row in desk.held()] == ["unknown_patient"]
    desk.enrol("2,azathioprine,2026-01-05,Muster,Anna,1970-02-03")
    assert desk.whose() == {"2": ["0.4"]}
    is_right(desk)


@pytest.mark.parametrize("other", ["", "2,azathioprine,2026-01-05,Muster,Anna,1970-02-03"])
def test_a_merge_holds_for_a_number_whose_enrolment_was_taken_back(desk: Desk, other: str) -> None:
    """The message took it for another's of the same number: enrolled again they were two patients,
    each watched by half of the results."""
    mine = "1,azathioprine,2026-01-05,Muster,Anna,1970-02-03"
    if other:
        desk.enrol(other)
    desk.enrol(mine)
    wrong = desk.clinic.rows(tables.File)[-1].id
    batches.revert(desk.store, desk.settings, wrong, by="Ada", reason="wrong", now=NOW)
    stream(desk, adt("A40", "1", "2", "20260303"))
    desk.enrol(mine)
    stream(desk, oru("1", "2.4", "20260302"), oru("2", "2.5", "20260305"))
    assert desk.whose() == {"2": ["2.4", "2.5"]}
    assert (listed(desk), desk.held()) == (["2"], [])
    is_right(desk)


def test_a_merge_of_another_hospitals_number_is_not_followed_and_said(desk: Desk) -> None:
    desk.enrol("1,azathioprine,2026-01-05,,,", "2,azathioprine,2026-01-05,,,")
    stream(desk, oru("1", "2.4", "20260302"), oru("2", "2.5", "20260302"))
    loaded = stream(desk, adt("A40", "1", "2", "20260303", issuer="LAKE"))
    assert any("not followed" in note for note in loaded.report.notes)
    assert desk.whose() == {"1": ["2.4"], "2": ["2.5"]}


@pytest.mark.parametrize(
    ("born", "name", "follows"),
    [
        ("19700203", "Muster^Anna", True),
        ("", "", True),
        ("19330303", "Muster^Anna", False),
        ("19700203", "Schmidt^Eva", False),
    ],
)
def test_a_merge_that_says_another_patient_is_held(
    desk: Desk, born: str, name: str, follows: bool
) -> None:
    """The number is somebody else's: their results would be the patient's from then on."""
    desk.enrol("1,azathioprine,2026-01-05,,,", "2,azathioprine,2026-01-05,Muster,Anna,1970-02-03")
    stream(desk, oru("1", "0.4", "20260302"))
    merge = adt("A40", "1", "2", "20260303").replace("Muster^Anna||19700203", f"{name}||{born}")
    loaded = stream(desk, merge)
    assert desk.whose() == {"2" if follows else "1": ["0.4"]}
    reasons = [row.reason for row in desk.held()]
    assert len(reasons) == (not follows)
    assert all("not followed: the" in it and "of the new number" in it for it in reasons)
    assert (loaded.report.rows, loaded.report.quarantined) == (len(reasons), len(reasons))
    assert loaded.report.other_messages == 1
    is_right(desk)


@pytest.mark.parametrize(("family", "born", "follows"), [("Meier", "", 1), ("", "1955-07-08", 0)])
def test_who_was_born_on_another_day_is_not_merged_away(
    desk: Desk, family: str, born: str, follows: int
) -> None:
    """A name may be that of before a marriage."""
    desk.enrol(f"1,azathioprine,2026-01-05,{family},,{born}", "2,azathioprine,2026-01-05,,,")
    stream(desk, oru("1", "0.4", "20260302", name="", born=born.replace("-", "")))
    stream(desk, adt("A40", "1", "2", "20260303"))
    assert desk.whose() == {"2" if follows else "1": ["0.4"]}
    assert [row.reason_code for row in desk.held()] == ["merge"] * (not follows)


def test_each_number_that_a_merge_ends_is_the_patients(desk: Desk) -> None:
    desk.enrol("3,azathioprine,2026-01-05,Muster,Anna,1970-02-03")
    ended = adt("A40", "1", "3", "20260303") + "~2^^^CITY^MR~99^^^CITY^VN~77^^^NHS^NH"
    loaded = stream(desk, ended, oru("1", "0.4", "20260302"), oru("2", "0.5", "20260305"))
    assert loaded.report.other_messages == 1
    assert desk.whose() == {"3": ["0.4", "0.5"]}
    assert len(desk.clinic.rows(tables.MergeRow)) == 2
    is_right(desk)
