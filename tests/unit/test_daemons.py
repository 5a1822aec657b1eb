"""Daemons of one database: who works, and who does what is done once for all."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.operations.downtime import alarm_after_downtime, alarm_after_sleep
from monitor.operations.fleet import Member
from monitor.store import daemons
from monitor.store.daemons import Identity, Turn
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.outbox import DELIVERIES
from tests.clinic import settings_in

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
HOLD = timedelta(minutes=10)


def _named(name: str) -> Identity:
    return Identity(id=name, host=f"{name}.example", pid=7, version="1", revision="0009")


ONE, TWO = _named("one"), _named("two")


@pytest.fixture
def fleet(store: Store) -> Store:
    with store.write() as connection:
        for each in (ONE, TWO):
            daemons.started(connection, each, NOW)
    return store


def _take(store: Store, who: Identity, at: datetime, since: datetime = NOW) -> Turn:
    with store.write() as connection:
        return daemons.take_turn(connection, "nightly", who, at, since=since, hold=HOLD)


def _end(store: Store, who: Identity, done_at: datetime | None) -> None:
    with store.write() as connection:
        daemons.end_turn(connection, "nightly", who, done_at)


def _tick(store: Store, who: Identity, at: datetime) -> None:
    with store.write() as connection:
        daemons.ticked(connection, who, at, ["review", "inbox"])


def test_a_job_is_done_once_a_night(fleet: Store) -> None:
    assert _take(fleet, ONE, NOW) is Turn.OURS
    assert _take(fleet, TWO, NOW) is Turn.TAKEN
    _end(fleet, ONE, NOW + timedelta(minutes=1))
    assert _take(fleet, TWO, NOW + timedelta(minutes=1)) is Turn.DONE
    tomorrow = NOW + timedelta(days=1)
    assert _take(fleet, TWO, tomorrow, since=tomorrow) is Turn.OURS


@pytest.mark.parametrize("seconds", [-20, -1, 1, 20])
def test_clocks_apart_by_seconds_do_it_once(fleet: Store, seconds: int) -> None:
    """Each looks when its own clock says three; one of them is ahead."""
    assert _take(fleet, ONE, NOW) is Turn.OURS
    _end(fleet, ONE, NOW)
    theirs = NOW + timedelta(seconds=max(seconds, 0))
    assert _take(fleet, TWO, theirs) is Turn.DONE


def test_what_a_wrong_clock_has_done_is_done_again(fleet: Store) -> None:
    assert _take(fleet, ONE, NOW + timedelta(hours=5)) is Turn.OURS
    _end(fleet, ONE, NOW + timedelta(hours=5))
    assert _take(fleet, TWO, NOW) is Turn.OURS


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=365)])
def test_a_turn_of_a_daemon_that_died_by_a_wrong_clock_is_taken_over(
    fleet: Store, ahead: timedelta
) -> None:
    """Killed at it, before the clock of its machine was set right: it seems to work until then."""
    _tick(fleet, ONE, NOW + ahead)
    assert _take(fleet, ONE, NOW + ahead) is Turn.OURS
    assert _take(fleet, TWO, NOW) is Turn.OURS


def test_a_turn_without_success_is_given_back(fleet: Store) -> None:
    assert _take(fleet, ONE, NOW) is Turn.OURS
    _end(fleet, ONE, None)
    assert _take(fleet, TWO, NOW) is Turn.OURS


def test_a_dead_daemon_is_taken_over(fleet: Store) -> None:
    assert _take(fleet, ONE, NOW) is Turn.OURS
    later = NOW + timedelta(minutes=3)
    _tick(fleet, TWO, later)
    assert _take(fleet, TWO, later) is Turn.OURS
    _end(fleet, ONE, later)  # it was asleep and not dead: the turn is no longer its to end
    assert _take(fleet, ONE, later) is Turn.TAKEN
    with fleet.write() as connection:
        assert not daemons.keep_turn(connection, "nightly", ONE, later, HOLD)
        assert daemons.keep_turn(connection, "nightly", TWO, later, HOLD)


def test_a_turn_ends_with_its_time_unless_it_goes_on(fleet: Store) -> None:
    late = NOW + HOLD
    assert _take(fleet, ONE, NOW) is Turn.OURS
    _tick(fleet, ONE, late)
    assert _take(fleet, TWO, late - timedelta(seconds=1)) is Turn.TAKEN
    assert _take(fleet, TWO, late) is Turn.OURS


def test_who_works_and_who_fell_silent(fleet: Store) -> None:
    later = NOW + timedelta(minutes=3)
    _tick(fleet, TWO, later)
    with fleet.read() as connection:
        (works,) = daemons.running(connection, later)
        (silent,) = daemons.vanished(connection, later)
        assert daemons.gone(connection, ["one", "two", "strange"], later) == {"one"}
        assert daemons.vanished(connection, later + timedelta(days=2)) == []
    assert (works.id, works.failing, works.host) == ("two", "inbox review", "two.example")
    assert silent.id == "one"


@pytest.mark.parametrize(("seconds", "told"), [(45, False), (90, True), (300, True)])
def test_clocks_that_are_far_apart_are_told(fleet: Store, seconds: int, told: bool) -> None:
    """The one behind would be taken for dead, and its mails be sent twice, while all looks well."""
    apart, tick = timedelta(seconds=seconds), daemons.TICK
    member = Member(fleet)
    member.join(NOW)
    _tick(fleet, TWO, NOW + apart)
    member.tick(NOW, (), "")  # it may have died before a clock was set back
    member.tick(NOW + tick, (), "")
    _tick(fleet, TWO, NOW + apart + tick)
    with pytest.raises(StoreError, match=r"two\.example") if told else nullcontext():
        member.tick(NOW + tick, (), "")
    with fleet.read() as connection:
        assert member.me.id in {it.id for it in daemons.running(connection, NOW + tick)}


def test_who_ended_in_good_order_is_not_missed_and_holds_nothing(fleet: Store) -> None:
    assert _take(fleet, ONE, NOW) is Turn.OURS
    with fleet.write() as connection:
        daemons.stopped(connection, ONE, NOW)
    assert _take(fleet, TWO, NOW) is Turn.OURS
    with fleet.read() as connection:
        assert [it.id for it in daemons.running(connection, NOW)] == ["two"]
        assert daemons.vanished(connection, NOW + timedelta(minutes=3))[0].id == "two"


def test_starts_of_long_ago_are_forgotten(fleet: Store) -> None:
    with fleet.write() as connection:
        daemons.started(connection, _named("three"), NOW + timedelta(days=8))
        assert daemons.gone(connection, ["one", "two"], NOW + timedelta(days=8)) == set()


@pytest.mark.parametrize(
    ("away", "told"),
    [(timedelta(minutes=240), False), (timedelta(minutes=241), True), (timedelta(days=366), True)],
)
def test_hours_without_any_daemon_are_told_when_one_starts_again(
    fleet: Store, tmp_path: Path, away: timedelta, told: bool
) -> None:
    _tick(fleet, TWO, NOW + timedelta(hours=1))
    back = NOW + timedelta(hours=1) + away
    assert alarm_after_downtime(fleet, settings_in(tmp_path), back) is told
    with fleet.read() as connection:
        texts = connection.scalars(select(DELIVERIES.c.payload)).all()
    assert len(texts) == told
    assert all("did not run from 5 Jan 2026, 05:00" in str(it) for it in texts)


@pytest.mark.parametrize(("another_ran", "told"), [(False, True), (True, False)])
def test_a_daemon_that_stood_still_for_days_is_told_where_no_other_ran(
    fleet: Store, tmp_path: Path, another_ran: bool, told: bool
) -> None:
    woke = NOW + timedelta(days=3)
    if another_ran:
        _tick(fleet, TWO, woke - timedelta(seconds=10))
    _tick(fleet, ONE, woke + timedelta(seconds=1))  # its own sign of life was sooner
    assert alarm_after_sleep(fleet, settings_in(tmp_path), ONE, NOW, woke) is told


def test_the_first_start_of_all_has_nothing_to_tell(store: Store, tmp_path: Path) -> None:
    assert not alarm_after_downtime(store, settings_in(tmp_path), NOW)
