"""A review writes alerts, their history, messages and the next review, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.core.personal_terms import Personal, Terms
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.delivery.shown import view_of
from monitor.delivery.view import Person, Standing
from monitor.operations import people
from monitor.operations.personal import set_term
from monitor.operations.verify import verify
from monitor.review import SET_ASIDE
from monitor.store import tables
from monitor.store.errors import StoreError, TooEarly
from tests.clinic import CBC, CONFIG, LFT, ZONE, Clinic, at, settings_in, whats


def _low_neutrophils(ward: Clinic, mrn: str = "A1") -> int:
    enrolment = ward.enrol(mrn, now=at("2026-01-05"))
    ward.results(mrn, "2026-01-05", CBC | LFT)
    ward.review(at("2026-01-05"))
    ward.results(mrn, "2026-01-12", CBC | {"neutrophils": "1.2"})
    return enrolment


def test_a_breach_opens_an_alert_with_its_evidence_and_a_message(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    tally = ward.review(at("2026-01-12"))
    assert (tally.reviewed, tally.opened, tally.messages) == (1, 1, 1)
    (alert,) = ward.alerts(enrolment)
    assert alert.kind is Kind.WITHHOLD
    assert alert.urgency is Urgency.URGENT
    assert alert.state is AlertState.OPEN
    assert str(alert.worst_value) == "1.2"
    assert alert.opened_at == alert.last_told_at == at("2026-01-12")
    (row,) = ward.rows(tables.AlertRow)
    assert (row.rule, row.shown["value"], row.shown["limit"]) == ("neutropenia", "1.2", "1.6")
    assert whats(ward.rows(tables.AlertHistory)) == ["opened"]
    (message,) = ward.rows(tables.Delivery)
    assert (message.recipient, message.urgency) == ("nurse@clinic.example", "urgent")
    next_review = ward.next_review(enrolment)
    assert next_review is not None
    assert next_review > at("2026-01-12")


def test_reviewing_again_changes_nothing(ward: Clinic) -> None:
    _low_neutrophils(ward)
    ward.review(at("2026-01-12"))
    before = {model: ward.rows(model) for model in (tables.AlertRow, tables.AlertHistory)}
    again = ward.review(at("2026-01-12", 13), everyone=True)
    assert (again.reviewed, again.opened, again.updated, again.messages) == (1, 0, 0, 0)
    assert again.unexpected == []
    assert before == {model: ward.rows(model) for model in before}


def test_nobody_is_reviewed_before_their_time(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    ward.review(at("2026-01-12"))
    due = ward.next_review(enrolment)
    assert due is not None
    assert ward.review(due - timedelta(seconds=1)).reviewed == 0
    assert ward.review(due).reviewed == 1


def test_an_alert_lives_through_its_episode(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    ward.review(at("2026-01-12"))
    ward.results("A1", "2026-01-14", CBC | {"neutrophils": "0.8"})
    assert ward.review(at("2026-01-14")).updated == 1
    (worse,) = ward.alerts(enrolment)
    assert (worse.kind, worse.urgency) == (Kind.DISCONTINUE, Urgency.CRITICAL)
    ward.results("A1", "2026-01-16", CBC)
    ward.review(at("2026-01-16"))
    (better,) = ward.alerts(enrolment)
    assert better.recovered
    assert (better.state, better.urgency) == (AlertState.OPEN, Urgency.CRITICAL)
    assert whats(ward.rows(tables.AlertHistory)) == ["opened", "worse", "recovered"]


def test_a_correction_withdraws_the_alert_and_tells_who_was_told(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    ward.review(at("2026-01-12"))
    ward.supersede("A1", "neutrophils", "2026-01-12")
    ward.results("A1", "2026-01-12", {"neutrophils": "4.2"}, hour=9, status="corrected")
    tally = ward.review(at("2026-01-13"))
    assert (tally.closed, tally.messages) == (1, 1)
    (alert,) = ward.alerts(enrolment)
    assert alert.state is AlertState.CLOSED
    assert alert.closed_by is None
    assert [row.kind for row in ward.rows(tables.Delivery)] == ["alert", "withdrawal"]


@pytest.mark.parametrize(
    ("corrected", "told"), [("4.2", "withdrawal"), ("1.4", "alert"), ("1.2", "")]
)
def test_a_correction_of_what_a_person_closed_tells_who_was_told(
    ward: Clinic, corrected: str, told: str
) -> None:
    """Whoever held the drug for it hears what the value was; the alert stays closed."""
    enrolment = _low_neutrophils(ward)
    ward.review(at("2026-01-12"))
    (alert,) = ward.alerts(enrolment)
    people.close(
        ward.store, ward.settings, alert.id, by="Jo", outcome="drug_held: Dr Gray",
        review_by=date(2026, 1, 16), now=at("2026-01-12", 13),
    )  # fmt: skip
    ward.supersede("A1", "neutrophils", "2026-01-12")
    ward.results("A1", "2026-01-12", {"neutrophils": corrected}, hour=9, status="corrected")
    ward.review(at("2026-01-13"))
    (alert,) = ward.alerts(enrolment)
    assert alert.state is AlertState.CLOSED
    assert alert.review_by == (None if told == "withdrawal" else date(2026, 1, 16))
    kinds = ["alert", *filter(None, [told])]
    assert [row.kind for row in ward.rows(tables.Delivery)] == kinds
    ward.review(at("2026-01-13", 14), everyone=True)
    assert len(ward.rows(tables.Delivery)) == len(kinds)
    assert verify(ward.store, ward.settings, at("2026-01-13", 14)) == []


def test_missing_tests_open_one_alert_that_closes_itself(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.review(at("2026-01-05"))
    ward.review(at("2026-01-15"))
    (late,) = ward.alerts(enrolment)
    assert (late.kind, late.urgency) == (Kind.OVERDUE_TEST, Urgency.URGENT)
    assert [panel for panel, _ in late.panels] == ["cbc"]
    ward.results("A1", "2026-01-15", CBC, hour=14)
    assert ward.review(at("2026-01-15", 15)).closed == 1
    (done,) = ward.alerts(enrolment)
    assert done.state is AlertState.CLOSED


def test_an_episode_that_a_correction_splits_is_not_over_by_its_latest_result(
    ward: Clinic,
) -> None:
    """The result between them was none: what is low now is another episode's."""
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    for day, value in (
        ("2026-01-12", "1.2"), ("2026-02-16", "4.0"), ("2026-03-23", "1.4"), ("2026-05-25", "1.3"),
    ):  # fmt: skip
        ward.results("A1", day, CBC | {"neutrophils": value})
        ward.review(at(day))
    ward.supersede("A1", "neutrophils", "2026-03-23")
    ward.results("A1", "2026-03-23", {"neutrophils": "4.0"}, status="corrected")
    ward.review(at("2026-05-26"))
    first, second = (it for it in ward.alerts(enrolment) if it.cause == "rule:neutropenia")
    assert (first.recovered, second.recovered) == (True, False)
    (line,) = ward.rows(tables.AlertHistory, alert_id=first.id, what="recovered")[-1:]
    assert line.note == "the latest result is of another episode"


def _recheck_corrected(ward: Clinic) -> None:
    ward.supersede("A1", "neutrophils", "2026-03-09")
    ward.results("A1", "2026-03-09", {"neutrophils": "4.0"}, status="corrected")


def _accepted(ward: Clinic) -> None:
    term = Personal(
        id=0,
        what=Terms.BASELINE,
        subject="neutropenia",
        since=date(2026, 3, 18),
        until=date(2026, 6, 1),
        by="Dr A",
        reason="known",
        set_at=at("2026-03-18"),
    )
    set_term(ward.store, ward.settings, "A1", "", term, at("2026-03-18"))


@pytest.mark.parametrize("settles", [_recheck_corrected, _accepted])
def test_a_test_that_nothing_asks_for_any_more_is_not_called_done(
    ward: Clinic, settles: Callable[[Clinic], None]
) -> None:
    """Whoever reads that it was done looks for no other."""
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-03-09", CBC | LFT | {"neutrophils": "1.4"})
    ward.review(at("2026-03-17"))
    settles(ward)
    ward.review(at("2026-03-18"))
    (late,) = (it for it in ward.rows(tables.AlertRow) if it.kind == "overdue_test")
    assert (late.enrolment_id, late.state) == (enrolment, "closed")
    assert late.outcome == "what is on record now no longer asks for it"


def test_a_sample_that_was_none_is_not_called_repeated(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"platelets": ""}, no_result="clotted")
    ward.review(at("2026-01-12"))
    ward.supersede("A1", "platelets", "2026-01-12")
    ward.results("A1", "2026-01-05", {"mcv": "90"}, received_at=at("2026-01-13"))
    ward.review(at("2026-01-13"))
    (recall,) = (it for it in ward.rows(tables.AlertRow) if it.kind == "sample_unusable")
    assert recall.outcome == "what is on record now no longer asks for it"


def test_a_crash_in_the_middle_leaves_everything_owed(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    owed = ward.next_review(enrolment)
    with ward.store.write() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO gone"))
    with pytest.raises(Exception, match="deliveries"):
        ward.review(at("2026-01-12"))
    assert ward.rows(tables.AlertRow) == []
    assert ward.rows(tables.AlertHistory) == []
    assert ward.next_review(enrolment) == owed
    with ward.store.write() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO deliveries"))
    assert ward.review(at("2026-01-12")).opened == 1


def test_one_that_cannot_be_judged_is_set_aside_loudly_and_stops_nobody(ward: Clinic) -> None:
    bad = ward.enrol("B2", now=at("2026-01-05"), protocol_id="no such protocol")
    good = _low_neutrophils(ward)
    tally = ward.review(at("2026-01-12"))
    assert (tally.opened, tally.failed) == (1, 1)
    assert ward.alerts(good)
    assert ward.next_review(bad) == at("2026-01-12") + SET_ASIDE
    alarms = ward.rows(tables.Delivery, kind="operator")
    assert alarms[-1].recipient == "operator@clinic.example"
    assert str(bad) in alarms[-1].payload["text"]


def test_a_change_that_nothing_announced_is_an_alarm(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    ward.review(at("2026-01-12"))
    ward.set(tables.AlertRow, ward.alerts(enrolment)[0].id, content="tampered")
    tally = ward.review(at("2026-01-12", 13), everyone=True)
    assert tally.unexpected == [enrolment]
    (alarm,) = ward.rows(tables.Delivery, kind="operator")
    assert str(enrolment) in alarm.payload["text"]


def test_a_lost_wake_up_heals_at_the_review_of_everyone(ward: Clinic) -> None:
    enrolment = _low_neutrophils(ward)
    ward.set(tables.EnrolmentRow, enrolment, next_review_at=None)
    assert ward.review(at("2026-01-12")).reviewed == 0
    tally = ward.review(at("2026-01-12", 13), everyone=True)
    assert (tally.opened, tally.unexpected) == (1, [enrolment])


def test_only_those_asked_for_are_reviewed_due_or_not(ward: Clinic) -> None:
    first, second = ward.enrol("A1"), ward.enrol("B2")
    progress: list[tuple[int, int]] = []
    tally = ward.review(
        at("2026-01-06"), only=[second], progress=lambda done, total: progress.append((done, total))
    )
    assert tally.reviewed == 1
    assert progress == [(1, 1)]
    assert ward.next_review(first) == at("2026-01-05", 0)
    assert ward.review(at("2026-01-06"), only=[]).reviewed == 0


def test_many_patients_are_reviewed_in_batches(
    ward: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.review.due.BATCH", 2)
    enrolments = [ward.enrol(f"P{number}") for number in range(5)]
    progress: list[tuple[int, int]] = []
    tally = ward.review(
        at("2026-01-05"), progress=lambda done, total: progress.append((done, total))
    )
    assert tally.reviewed == 5
    assert progress == [(2, 5), (4, 5), (5, 5)]
    assert all(ward.next_review(it) != at("2026-01-05", 0) for it in enrolments)


def test_few_of_a_batch_have_all_their_results_read(
    ward: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.review.due.WITH_ALL_READ", 2)
    known = [ward.enrol(f"K{number}") for number in range(3)]
    ward.review(at("2026-01-05"))
    new = [ward.enrol(f"N{number}", now=at("2026-01-06")) for number in range(5)]
    for only in ([*known, *new], None):
        ward.set(tables.EnrolmentRow, known[0], next_review_at=at("2026-01-06"))
        for enrolment in new:
            ward.set(tables.EnrolmentRow, enrolment, next_review_at=at("2026-01-06"), kept_by=None)
        progress: list[tuple[int, int]] = []
        note = progress.append
        tally = ward.review(at("2026-01-06"), only=only, progress=lambda *it, note=note: note(it))
        assert tally.reviewed == len(only or [known[0], *new])
        first = 5 if only else 3
        assert [done for done, _ in progress] == [first, first + 2, first + 3]


def test_a_review_never_goes_back_in_time(ward: Clinic) -> None:
    ward.enrol("A1")
    ward.review(at("2026-01-12"))
    with pytest.raises(TooEarly):
        ward.review(at("2026-01-11"), everyone=True)
    assert issubclass(TooEarly, StoreError)


@pytest.mark.parametrize(
    ("corrected", "before"),
    [
        ("0.9", "before: beyond the limit of 0.5 10*9/L"),
        ("1.2", "before: critical, discontinue"),
    ],
)
def test_what_a_correction_made_milder_is_told_from_what_it_was(
    ward: Clinic, corrected: str, before: str
) -> None:
    """Of 0.4 and 0.9 neutrophils the protocol asks for the same, as urgently."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"neutrophils": "0.4"})
    ward.review(at("2026-01-12"))
    ward.supersede("A1", "neutrophils", "2026-01-12")
    ward.results("A1", "2026-01-12", {"neutrophils": corrected}, hour=9)
    ward.review(at("2026-01-12", 14))
    told = ward.rows(tables.AlertHistory, what="updated")
    assert [it.note for it in told] == [f"a correction made it milder; {before}"]


def test_who_was_told_hears_of_a_correction_though_a_graver_alert_mutes_what_is_left(
    ward: Clinic,
) -> None:
    """Told as critical, it was corrected to what the neutrophils speak for: whoever had stopped
    the drug for it heard nothing, then or later."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"neutrophils": "1.4", "white_cells": "1.9"})
    ward.review(at("2026-01-12"))
    (alert,) = ward.rows(tables.AlertRow, rule="leucopenia")
    told = [it.what for it in ward.rows(tables.DeliveryAlert, alert_id=alert.id)]
    assert told == ["opened"]
    ward.supersede("A1", "white_cells", "2026-01-12")
    ward.results("A1", "2026-01-12", {"white_cells": "2.6"}, hour=9)
    ward.review(at("2026-01-12", 14))
    lines = ward.rows(tables.DeliveryAlert, alert_id=alert.id)
    assert [it.what for it in lines] == ["opened", "updated"]
    assert lines[1].reason == "a correction made it milder; before: critical, discontinue"


def test_who_was_told_hears_of_a_correction_though_it_got_worse_while_it_was_muted(
    ward: Clinic,
) -> None:
    """Getting worse while it was muted put it to nobody, and who had been told was forgotten."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"white_cells": "2.6"})
    ward.review(at("2026-01-12"))
    ward.results("A1", "2026-01-13", {"neutrophils": "1.4", "white_cells": "2.2"})
    ward.review(at("2026-01-13"))
    for day in ("2026-01-12", "2026-01-13"):
        ward.supersede("A1", "white_cells", day)
        ward.results("A1", day, {"white_cells": "3.2"}, hour=9)
    ward.review(at("2026-01-13", 14))
    (alert,) = ward.rows(tables.AlertRow, rule="leucopenia")
    lines = ward.rows(tables.DeliveryAlert, alert_id=alert.id)
    assert [it.what for it in lines] == ["opened", "updated"]
    assert lines[1].reason == "a corrected result changed the value that was told"


def test_who_was_told_hears_of_a_correction_in_the_hour_in_which_the_acknowledgement_ends(
    ward: Clinic, tmp_path: Path
) -> None:
    """Put to the first tier again, and the second, which had been told too, heard nothing."""
    ward.settings = settings_in(tmp_path, CONFIG + 'then = [["lead@clinic.example"]]\n')
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"neutrophils": "0.4"})
    ward.review(at("2026-01-12"))
    ward.review(at("2026-01-12", 13))
    (alert,) = ward.rows(tables.AlertRow, rule="neutropenia")
    until = date(2026, 1, 14)
    people.acknowledge(
        ward.store, ward.settings, alert.id, by="Jo", until=until, now=at("2026-01-12", 14)
    )
    people.contact(
        ward.store, ward.settings, alert.id, by="Jo", outcome="reached", now=at("2026-01-12", 14)
    )
    ward.review(at("2026-01-12", 14))
    before = len(ward.rows(tables.DeliveryAlert))
    ward.supersede("A1", "neutrophils", "2026-01-12")
    ward.results("A1", "2026-01-12", {"neutrophils": "1.2"}, hour=9)
    ward.review(at("2026-01-14", 9))
    lines = ward.rows(tables.DeliveryAlert)[before:]
    milder = "a correction made it milder; before: critical, discontinue"
    to = {it.id: it.recipient for it in ward.rows(tables.Delivery)}
    assert [(to[it.delivery_id], it.what, it.reason) for it in lines] == [
        (
            "nurse@clinic.example",
            "acknowledgement expired",
            f"the acknowledgement has run out; {milder}",
        ),
        ("lead@clinic.example", "updated", milder),
        ("operator@clinic.example", "updated", milder),
    ]


@pytest.mark.parametrize(
    ("neutrophils", "asked"),
    [("1.2", "The test is to be repeated either way."), ("4.0", "If so, test today.")],
)
def test_a_recheck_is_asked_for_whether_or_not_the_drug_was_begun(
    ward: Clinic, neutrophils: str, asked: str
) -> None:
    """Planned for 2 February; the count of the 20th of January is low, or not."""
    enrolment = ward.enrol("A1", "2026-02-02", now=at("2026-01-19"), baseline=False)
    ward.results("A1", "2026-01-20", CBC | {"neutrophils": neutrophils})
    day = "2026-01-28" if neutrophils == "1.2" else "2026-02-12"
    ward.review(at(day))
    (row,) = ward.rows(tables.AlertRow, enrolment_id=enrolment, kind=Kind.OVERDUE_TEST.value)
    assert f"Start not confirmed: was it started? {asked}" in row.shown["say"]


def test_tests_that_were_missed_are_no_result_that_grew_old(ward: Clinic) -> None:
    """Its mail began "15 days old: state today unknown: test now", also once they were done."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.review(at("2026-02-03"))
    (row,) = ward.rows(tables.AlertRow, cause="missed:cbc")
    told = view_of(
        row.id,
        row.shown,
        Person(mrn="A1"),
        Standing(state=row.state, opened_at=row.opened_at),
        what="opened",
        reason="",
        now=at("2026-02-03"),
        zone=ZONE,
    )
    assert "missed in a row" in told.summary
    assert told.old == ""


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("0.9", "a correction took its cause away: it is 3.9 10*9/L now"),
        ("1.2", "a correction took its cause away"),
    ],
)
def test_whoever_was_told_of_a_critical_value_hears_what_it_is(
    ward: Clinic, before: str, reason: str
) -> None:
    """Of an urgent one a mail at minimal privacy shows no value."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"neutrophils": before})
    ward.review(at("2026-01-12"))
    ward.supersede("A1", "neutrophils", "2026-01-12")
    ward.results("A1", "2026-01-12", {"neutrophils": "3.9"}, status="corrected")
    ward.review(at("2026-01-12", 14))
    (told,) = ward.rows(tables.AlertHistory, what="withdrawn")
    assert told.note == reason


def test_a_better_result_of_before_the_enrolment_may_come_after_a_critical_one(
    ward: Clinic,
) -> None:
    """A laboratory's files of the weeks before, one after the other. What the second shows to have
    been over by the enrolment is history; its patient is judged by the rest of it."""
    ward.enrol("A1", "2025-09-01", now=at("2026-01-05"), baseline=False)
    ward.results("A1", "2026-01-01", {"neutrophils": "0.4", "platelets": "200"})
    ward.review(at("2026-01-05", 10))
    ward.results("A1", "2026-01-03", {"neutrophils": "3.0", "platelets": "40"})
    assert ward.review(at("2026-01-05", 11)).failed == 0
    (over,) = ward.rows(tables.AlertRow, rule="neutropenia")
    (new,) = ward.rows(tables.AlertRow, rule="thrombocytopenia")
    assert (over.state, new.state) == (AlertState.CLOSED, AlertState.OPEN)
    (told,) = ward.rows(tables.AlertHistory, what="withdrawn")
    assert told.note == "it was over before the enrolment, as what came in later shows"
