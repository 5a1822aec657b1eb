"""The outbox: nothing is owed twice, nothing is forgotten, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from monitor.core.routing import Line, Planned
from monitor.core.vocabulary import Urgency
from monitor.store import leases, outbox
from monitor.store.database import Store
from monitor.store.leases import Leased
from monitor.store.outbox import DELIVERIES
from tests.mail_world import add_alert

NOW = datetime(2026, 5, 12, 7, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Zurich")
SENDER = "monitor@hill.example"


def queue(store: Store, to: str, urgency: str, now: datetime = NOW, alert_id: int = 0) -> int:
    with store.write() as connection:
        alert_id = alert_id or add_alert(connection, now, urgency)
        line = Line(alert_id=alert_id, what="opened", reason="new", urgency=Urgency(urgency))
        planned = Planned(kind="alert", recipient=to, urgency=Urgency(urgency), lines=(line,))
        outbox.enqueue(connection, [planned], now, zone=ZONE, sender=SENDER)
    return alert_id


def take(store: Store, now: datetime = NOW, by: str = "me", limit: int = 10) -> list[Leased]:
    with store.write() as connection:
        return leases.lease(connection, now, by, limit)


def test_the_worst_and_oldest_message_is_taken_first(store: Store) -> None:
    queue(store, "a@x.example", "urgent", NOW - timedelta(hours=2))
    queue(store, "b@x.example", "critical")
    queue(store, "c@x.example", "urgent", NOW - timedelta(hours=1))
    assert [it.recipient[0] for it in take(store)] == ["b", "a", "c"]


def test_a_leased_message_is_nobody_else_s_until_the_lease_ends(store: Store) -> None:
    queue(store, "a@x.example", "urgent")
    assert len(take(store, by="first")) == 1
    assert take(store, by="second") == []
    later = NOW + leases.LEASE
    assert take(store, later - timedelta(seconds=1), by="second") == []
    assert len(take(store, later, by="second")) == 1


def test_a_lease_of_a_clock_that_was_ahead_lasts_no_longer_than_one_taken_now(
    store: Store,
) -> None:
    """A daemon on a machine whose clock was hours ahead took it, and died."""
    queue(store, "a@x.example", "critical")
    assert len(take(store, NOW + timedelta(hours=9), by="first")) == 1
    (message,) = take(store, by="second")
    assert message.holder == "second"


def test_two_senders_at_once_never_take_the_same_message(store: Store) -> None:
    for number in range(12):
        queue(store, f"{number}@x.example", "urgent")
    barrier, taken = Barrier(2), list[int]()

    def work(by: str) -> None:
        barrier.wait()
        for _ in range(6):
            taken.extend(it.id for it in take(store, by=by, limit=1))

    threads = [Thread(target=work, args=(by,)) for by in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 12


def test_a_message_that_was_sent_is_owed_no_more(store: Store) -> None:
    queue(store, "a@x.example", "urgent")
    (leased,) = take(store)
    with store.write() as connection:
        leases.record_sent(connection, leased, NOW)
        assert outbox.waiting(connection) == 0
    assert take(store, NOW + timedelta(days=1)) == []


def test_a_passing_failure_is_tried_again_for_ever_at_most_every_15_minutes(store: Store) -> None:
    queue(store, "a@x.example", "urgent")
    now = NOW
    for attempt in range(1, 40):
        (leased,) = take(store, now)
        assert leased.attempts == attempt - 1
        with store.write() as connection:
            leases.record_failure(connection, leased, now, "451 later", permanent=False)
        assert take(store, now) == []
        now += timedelta(minutes=15)
    assert len(take(store, now)) == 1


def test_the_back_off_grows_is_the_same_each_time_and_differs_between_messages() -> None:
    delays = [leases.delay("alert:a:1", attempt) for attempt in range(1, 12)]
    assert delays == [leases.delay("alert:a:1", attempt) for attempt in range(1, 12)]
    assert all(11 <= delay.total_seconds() <= 15 for delay in delays[:1])
    assert all(675 <= delay.total_seconds() <= 900 for delay in delays[7:])
    assert len({leases.delay(f"alert:a:{number}", 9) for number in range(50)}) > 25


def test_a_person_may_ask_to_try_despite_the_back_off(store: Store) -> None:
    queue(store, "a@x.example", "urgent")
    (leased,) = take(store)
    with store.write() as connection:
        leases.record_failure(connection, leased, NOW, "451 later", permanent=False)
        assert len(leases.lease(connection, NOW, "me", 5, despite_back_off=True)) == 1


def test_a_permanent_failure_is_tried_no_more(store: Store) -> None:
    queue(store, "a@x.example", "urgent")
    (leased,) = take(store)
    with store.write() as connection:
        leases.record_failure(connection, leased, NOW, "550 no such user", permanent=True)
    assert take(store, NOW + timedelta(days=9)) == []
    with store.read() as connection:
        assert connection.scalar(select(DELIVERIES.c.state)) == "failed"


def test_whoever_stood_still_frees_nothing_of_another_that_took_over(store: Store) -> None:
    """A third would send what the second has in hand."""
    queue(store, "a@x.example", "urgent")
    (stale,) = take(store, by="one")
    later = NOW + leases.LEASE
    assert len(take(store, later, by="two")) == 1
    with store.write() as connection:
        leases.give_back(connection, [stale.id], "one")
    assert take(store, later, by="three") == []
    with store.write() as connection:
        leases.record_failure(connection, stale, later, "server hung up", permanent=False)
    assert take(store, later + timedelta(minutes=1), by="three") == []


def test_each_telling_of_an_alert_is_a_message_of_its_own_even_at_one_instant(
    store: Store,
) -> None:
    alert_id = queue(store, "a@x.example", "urgent")
    queue(store, "a@x.example", "urgent", alert_id=alert_id)
    queue(store, "a@x.example", "urgent", NOW + timedelta(days=3), alert_id=alert_id)
    leased = take(store, NOW + timedelta(days=4))
    assert len({it.message_id for it in leased}) == 3


def test_the_message_id_stays_through_every_attempt_and_is_of_the_sender_s_domain(
    store: Store,
) -> None:
    queue(store, "a@x.example", "urgent")
    (first,) = take(store)
    (again,) = take(store, NOW + timedelta(hours=1))
    assert first.message_id == again.message_id
    assert first.message_id.endswith("@hill.example>")


def test_the_operator_is_told_once_a_topic_a_clinic_day(store: Store) -> None:
    def alarm(topic: str, now: datetime) -> bool:
        with store.write() as connection:
            return outbox.operator_alarm(connection, topic, "text", "c@x.example", now, ZONE)

    assert alarm("feed", NOW)
    assert not alarm("feed", NOW + timedelta(hours=1))
    assert alarm("disk", NOW)
    assert alarm("feed", datetime(2026, 5, 12, 22, 30, tzinfo=UTC))  # past midnight in Zurich


def test_everyone_who_was_told_of_an_alert_is_known_but_not_whom_it_never_reached(
    store: Store,
) -> None:
    alert_id = queue(store, "a@x.example", "urgent")
    queue(store, "b@x.example", "urgent", alert_id=alert_id)
    queue(store, "c@x.example", "urgent")
    with store.write() as connection:
        gone = DELIVERIES.c.recipient == "b@x.example"
        connection.execute(update(DELIVERIES).where(gone).values(state="failed"))
        assert outbox.told_recipients(connection, [alert_id]) == {alert_id: ["a@x.example"]}


def test_a_rolled_back_step_leaves_no_message(store: Store) -> None:
    try:
        with store.write() as connection:
            outbox.operator_alarm(connection, "feed", "text", "c@x.example", NOW, ZONE)
            raise RuntimeError
    except RuntimeError:
        pass
    assert take(store) == []
