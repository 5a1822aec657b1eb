"""What people do with alerts, what is refused, and what ends their answers again."""

from __future__ import annotations

import shlex
from datetime import date, timedelta
from typing import Any

import pytest

from monitor.core.actions import ActionRefused
from monitor.core.vocabulary import AlertState
from monitor.operations import people
from monitor.operations.people import acknowledge, assign, close, snooze
from monitor.store import tables
from monitor.store.errors import TooEarly
from tests.clinic import CBC, LFT, Clinic, at, whats

NOW = at("2026-01-12")
TODAY = date(2026, 1, 12)


def _alert(ward: Clinic, neutrophils: str = "1.2") -> tuple[int, int]:
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": neutrophils})
    ward.review(NOW)
    (alert,) = ward.alerts(enrolment)
    return enrolment, alert.id


def _late(ward: Clinic) -> tuple[int, int]:
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.review(at("2026-01-15"))
    (alert,) = ward.alerts(enrolment)
    return enrolment, alert.id


def _state(ward: Clinic, enrolment: int) -> AlertState:
    (alert,) = ward.alerts(enrolment)
    return alert.state


def test_an_acknowledgement_lasts_seven_days_and_then_people_hear_again(ward: Clinic) -> None:
    enrolment, alert = _alert(ward)
    until = acknowledge(ward.store, ward.settings, alert, by="Ada", note="rang", now=NOW)
    assert until == TODAY + timedelta(days=7)
    assert ward.review(NOW).opened == 0
    assert _state(ward, enrolment) is AlertState.ACKNOWLEDGED
    ward.review(at("2026-01-18"))
    assert _state(ward, enrolment) is AlertState.ACKNOWLEDGED
    ward.results("A1", "2026-01-19", CBC | {"neutrophils": "1.3"})
    ward.review(at("2026-01-19"))
    assert _state(ward, enrolment) is AlertState.OPEN
    history = ward.rows(tables.AlertHistory)
    assert whats(history)[:2] == ["opened", "acknowledged"]
    assert "acknowledgement expired" in whats(history)
    assert (history[1].by, history[1].note) == ("Ada", "until 2026-01-19; rang")
    assert len(ward.rows(tables.Delivery, kind="alert")) == 2


def test_an_acknowledgement_longer_than_28_days_is_refused(ward: Clinic) -> None:
    _, alert = _alert(ward)
    last = TODAY + timedelta(days=28)
    with pytest.raises(ActionRefused, match="28 days"):
        acknowledge(ward.store, ward.settings, alert, by="Ada", until=last + timedelta(1), now=NOW)
    assert acknowledge(ward.store, ward.settings, alert, by="Ada", until=last, now=NOW) == last


def test_a_name_is_no_text(ward: Clinic) -> None:
    """PostgreSQL could not keep a longer one beside the worklist, where SQLite could."""
    _, alert = _alert(ward)
    longest = "".join(chr(0x4E00 + place) for place in range(200))
    for who in (longest + "x", "x" * 5000):
        with pytest.raises(ActionRefused, match="at most 200"):
            acknowledge(ward.store, ward.settings, alert, by=who, now=NOW)
        with pytest.raises(ActionRefused, match="at most 200"):
            assign(ward.store, ward.settings, alert, to=who, by="Ada", now=NOW)
    acknowledge(ward.store, ward.settings, alert, by=longest, now=NOW)
    assign(ward.store, ward.settings, alert, to=longest[::-1], by="Ada", now=NOW)


@pytest.mark.parametrize("who", ["Ann", "Dr Meier", "Kate O'Brien", "O'Brien", "Kim;ls"])
def test_the_command_that_takes_it_over_can_be_typed(ward: Clinic, who: str) -> None:
    _, alert = _alert(ward)
    acknowledge(ward.store, ward.settings, alert, by="Jo", now=NOW)
    with pytest.raises(ActionRefused) as refused:
        acknowledge(ward.store, ward.settings, alert, by=who, now=NOW)
    command = shlex.split(str(refused.value).partition("to take it over: ")[2])
    assert command == ["monitor", "assign", str(alert), "--to", who, "--by", who]


def test_a_worse_value_ends_an_acknowledgement(ward: Clinic) -> None:
    enrolment, alert = _alert(ward)
    acknowledge(ward.store, ward.settings, alert, by="Ada", now=NOW)
    ward.results("A1", "2026-01-13", CBC | {"neutrophils": "0.9"})
    ward.review(at("2026-01-13"))
    assert _state(ward, enrolment) is AlertState.OPEN
    (row,) = ward.rows(tables.AlertRow)
    assert (row.acknowledged_by, row.acknowledged_until) == (None, None)


def test_closing_an_episode_that_goes_on_needs_a_review_day_and_it_comes_back(
    ward: Clinic,
) -> None:
    enrolment, alert = _alert(ward)
    with pytest.raises(ActionRefused, match="--review-by"):
        close(ward.store, ward.settings, alert, by="Ada", outcome="dose halved", now=NOW)
    day = TODAY + timedelta(days=3)
    with pytest.raises(ActionRefused, match="28 days"):
        close(
            ward.store,
            ward.settings,
            alert,
            by="Ada",
            outcome="dose halved",
            review_by=TODAY + timedelta(days=29),
            now=NOW,
        )
    close(
        ward.store,
        ward.settings,
        alert,
        by="Ada",
        outcome="dose halved",
        review_by=day,
        now=NOW,
    )
    assert ward.review(NOW).opened == 0
    assert _state(ward, enrolment) is AlertState.CLOSED
    ward.review(at("2026-01-14"))
    assert _state(ward, enrolment) is AlertState.CLOSED
    assert ward.review(at("2026-01-15")).opened == 1
    (back,) = ward.alerts(enrolment)
    assert (back.id, back.state, back.closed_by) == (alert, AlertState.OPEN, None)


def test_a_recovered_episode_is_closed_for_good_and_counts_as_answered(ward: Clinic) -> None:
    enrolment, alert = _alert(ward)
    ward.results("A1", "2026-01-14", CBC)
    ward.review(at("2026-01-14"))
    now = at("2026-01-14", 13)
    assert close(ward.store, ward.settings, alert, by="Ada", outcome="ok", now=now) is None
    ward.review(at("2026-01-14", 14), everyone=True)
    assert _state(ward, enrolment) is AlertState.CLOSED


def test_an_overdue_alert_cannot_be_closed_and_says_what_can_be_done(ward: Clinic) -> None:
    _, alert = _late(ward)
    with pytest.raises(ActionRefused, match="enter the result"):
        close(
            ward.store,
            ward.settings,
            alert,
            by="Ada",
            outcome="x",
            review_by=date(2026, 1, 20),
            now=at("2026-01-15"),
        )


def test_a_snooze_rests_until_its_day(ward: Clinic) -> None:
    enrolment, alert = _late(ward)
    end = date(2026, 1, 18)
    now = at("2026-01-15")
    snooze(ward.store, ward.settings, alert, by="Ada", until=end, reason="on holiday", now=now)
    told = len(ward.rows(tables.Delivery))
    ward.review(at("2026-01-17"))
    assert len(ward.rows(tables.Delivery)) == told
    ward.review(at("2026-01-18"))
    assert len(ward.rows(tables.Delivery)) == told + 1
    (row,) = ward.rows(tables.AlertRow, enrolment_id=enrolment)
    assert (row.snoozed_until, row.snooze_reason) == (None, None)
    assert "snooze expired" in whats(ward.rows(tables.AlertHistory))


def test_critical_alerts_cannot_be_snoozed(ward: Clinic) -> None:
    _, alert = _alert(ward, neutrophils="0.4")
    with pytest.raises(ActionRefused, match="critical"):
        snooze(
            ward.store,
            ward.settings,
            alert,
            by="Ada",
            until=date(2026, 1, 14),
            reason="x",
            now=NOW,
        )


def test_a_snooze_needs_a_reason(ward: Clinic) -> None:
    _, alert = _alert(ward)
    with pytest.raises(ActionRefused, match="reason"):
        snooze(
            ward.store,
            ward.settings,
            alert,
            by="Ada",
            until=date(2026, 1, 14),
            reason=" ",
            now=NOW,
        )


def test_what_is_refused_changes_nothing(ward: Clinic) -> None:
    _, alert = _alert(ward)
    before = ward.rows(tables.AlertRow), ward.rows(tables.EnrolmentRow)
    with pytest.raises(ActionRefused, match="no alert 99"):
        acknowledge(ward.store, ward.settings, 99, by="Ada", now=NOW)
    with pytest.raises(ActionRefused, match="--by"):
        acknowledge(ward.store, ward.settings, alert, by=" ", now=NOW)
    with pytest.raises(TooEarly):
        acknowledge(ward.store, ward.settings, alert, by="Ada", now=at("2026-01-11"))
    assert before == (ward.rows(tables.AlertRow), ward.rows(tables.EnrolmentRow))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("acknowledge", {"until": date(2026, 2, 9)}),
        ("snooze", {"until": date(2026, 2, 9), "reason": "known"}),
        ("close", {"outcome": "seen", "review_by": date(2026, 2, 9)}),
    ],
)
def test_a_muted_alert_that_was_answered_comes_back_when_it_gets_worse(
    ward: Clinic, answer: str, said: dict[str, Any]
) -> None:
    """Nobody was told of it; who answers it knows what stands on the list."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "1.4", "white_cells": "3.4"})
    ward.review(NOW)
    (lesser,) = ward.rows(tables.AlertRow, rule="leucopenia")
    getattr(people, answer)(ward.store, ward.settings, lesser.id, by="Ada", now=NOW, **said)
    for day, white_cells in (("2026-01-19", "3.1"), ("2026-01-26", "3.06")):
        assert ward.rows(tables.DeliveryAlert, alert_id=lesser.id) == []
        ward.results("A1", day, CBC | {"neutrophils": "1.9", "white_cells": white_cells})
        ward.review(at(day))
    (told,) = ward.rows(tables.DeliveryAlert, alert_id=lesser.id)
    assert told.reason == "at least 10 % worse than the worst that was told"
    (row,) = ward.rows(tables.AlertRow, id=lesser.id)
    assert (row.state, row.snoozed_until) == ("open", None)
