"""Who is reviewed, when, and in which batches: the queue of those who are due, those asked for
by name, and everyone. Each batch is claimed and reviewed in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from monitor import logs
from monitor.config import Settings
from monitor.review.batch import BATCH, WITH_ALL_READ, Tally, alarm, review_batch, some
from monitor.review.screen import Screen
from monitor.store import claims
from monitor.store.database import Store
from monitor.store.facts import bring_to, brought_to, check_not_earlier, refuse_earlier
from monitor.store.statistics import renew_statistics

Progress = Callable[[int, int], None]
"""Told (done, of how many) between two batches."""
_TICK = timedelta(minutes=1)
_MANY = 1_000


def review_due(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    everyone: bool = False,
    only: Collection[int] | None = None,
    owed: bool = False,
    within: float | None = None,
    progress: Progress | None = None,
) -> Tally:
    """Review whoever is due at `now`; or `only` these, due or not; or `everyone`.

    Several may do so at once on PostgreSQL: they share what is due. With `owed`, of `only` those
    alone that are still due and that nobody else is at. `within` seconds no further batch is
    begun, and the tally says that something is `left`: whoever waits for this thread has a turn.

    A review of everyone is also the monitor's check of itself: where an enrolment changes
    that was not due, it is counted as `unexpected` and the operator is alarmed.
    Raises TooEarly where the database has already been brought to a later instant; not for
    `only`, whose callers have just written at `now`. Where others go ahead meanwhile, the
    review goes with them: nothing is judged at an instant before one it was judged at.
    """
    if only is None and not everyone:
        return _drain(store, settings, now, within, progress)
    tally = Tally()
    if only is not None:
        ids = sorted(set(only))
        if owed:
            tally.reviewed = _screened(store, settings, now)
    else:
        with store.read() as connection:
            latest = check_not_earlier(connection, now)
            ids = claims.everyone(connection)
        if not ids:
            _note_the_time(store, latest, now)
    if ids:
        renew_statistics(store)
    done = 0
    while done < len(ids):
        with store.write() as connection:
            piece = _next(connection, ids[done : done + BATCH], everyone=everyone)
            if only is not None and not owed:
                due = claims.claim(connection, piece)
            else:
                due = claims.claim_free(connection, piece, now if owed else None)
            at = max(now, brought_to(connection) or now)
            batch = review_batch(connection, settings, list(due), at, recalling=not everyone)
            if everyone:
                batch.unexpected = [it for it in batch.changed if not _is_due(due[it], at)]
                _alarm_unexpected(connection, settings, batch.unexpected, at)
            bring_to(connection, at)
        tally.add(batch)
        done += len(piece)
        if progress is not None:
            progress(done, len(ids))
    return tally


def _next(connection: Connection, ids: Sequence[int], *, everyone: bool) -> Sequence[int]:
    """The first of these that make a batch; of everyone all results are read."""
    if everyone:
        return ids[:WITH_ALL_READ]
    return claims.fitting(connection, ids, WITH_ALL_READ)


def _drain(
    store: Store,
    settings: Settings,
    now: datetime,
    within: float | None,
    progress: Progress | None,
) -> Tally:
    """Review whoever is due, a claimed batch after the other, until nobody is."""
    tally = Tally()
    with store.look() as connection:
        hour = claims.hour(connection)
    refuse_earlier(hour.brought_to, now)
    if not hour.is_any_due(now):
        _note_the_time(store, hour.brought_to, now)
        return tally
    renew_statistics(store)
    total = 0
    if progress is not None:
        with store.look() as connection:
            total = claims.count_due(connection, now)
    began, done, screen = time.monotonic(), 0, Screen(settings)
    while True:
        if within is not None and time.monotonic() - began > within:
            tally.left = True
            break
        with store.write() as connection:
            at = max(now, brought_to(connection) or now)
            alone = 0 if screen.is_done else screen.put_back(connection, at)
            ranks = claims.ANY if screen.is_done else (claims.FIRST,)
            due = claims.claim_due(connection, now, BATCH, ranks)
            if not due and screen.is_done:
                break
            piece = _next(connection, list(due), everyone=False)
            batch = review_batch(connection, settings, sorted(piece), at)
            bring_to(connection, at)
        batch.reviewed += alone
        tally.add(batch)
        done += len(piece) + alone
        if progress is not None:
            progress(done, max(done, total))
    if done > _MANY:
        renew_statistics(store)  # of the alerts, and of what is kept of each
    return tally


def _screened(store: Store, settings: Settings, now: datetime) -> int:
    """Put back whom an edit certainly leaves alone; how many."""
    screen, alone = Screen(settings), 0
    while not screen.is_done:
        with store.write() as connection:
            at = max(now, brought_to(connection) or now)
            alone += screen.put_back(connection, at)
    return alone


def _is_due(next_review_at: datetime | None, now: datetime) -> bool:
    return next_review_at is not None and next_review_at <= now


def _alarm_unexpected(
    connection: Connection, settings: Settings, ids: Sequence[int], now: datetime
) -> None:
    if not ids:
        return
    _log().error("changes that nothing had announced", count=len(ids), first=ids[0])
    text = (
        f"The review of everyone changed the alerts of {len(ids)} enrolments that were not due: "
        f"{some(ids)}. The alerts are right now; that they were late is a fault of the monitor."
    )
    alarm(connection, settings, f"unexpected changes from enrolment {ids[0]} on", text, now)


def _note_the_time(store: Store, latest: datetime | None, now: datetime) -> None:
    """Nothing is owed at `now`. A daemon finds that every few seconds: not worth a write."""
    if latest is None or now - latest > _TICK:
        with store.write() as connection:
            bring_to(connection, now)


def _log() -> Any:
    return logs.logger("review")
