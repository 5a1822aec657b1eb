"""What people did with the alerts of history, done again to the alerts of its replay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.config import Settings
from monitor.core.actions import ActionRefused
from monitor.core.changes import ChangeWhat
from monitor.core.vocabulary import AlertState
from monitor.operations import people
from monitor.store import tables
from monitor.store.alerts import (
    ACKNOWLEDGED,
    ASSIGNED,
    COMMENTED,
    CONTACTED,
    MONITOR,
    SNOOZED,
)
from monitor.store.database import Store
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_UNTIL = re.compile(r"^until (\d{4}-\d\d-\d\d)(?:; )?")
_REVIEW_BY = re.compile(r"(?:; )?review by (\d{4}-\d\d-\d\d)$")
_TO = re.compile(r"(?:^|; )to ([^;]+)")


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person, on the alert of this cause of this enrolment."""

    at: datetime
    enrolment_id: int
    cause: str
    what: str
    by: str
    note: str
    code: str


def acts_of(connection: Connection) -> list[Act]:
    """Everything people did, in its order."""
    query = (
        select(
            _HISTORY.c.at, _HISTORY.c.what, _HISTORY.c.by, _HISTORY.c.note, _HISTORY.c.code,
            _ALERTS.c.enrolment_id, _ALERTS.c.cause,
        )
        .join(_ALERTS, _ALERTS.c.id == _HISTORY.c.alert_id)
        .where(_HISTORY.c.version > 0, _HISTORY.c.by != MONITOR)
        .order_by(_HISTORY.c.at, _HISTORY.c.id)
    )  # fmt: skip
    return [Act(**row._mapping) for row in connection.execute(query)]


def do_again(store: Store, settings: Settings, act: Act, now: datetime) -> bool:
    """Do it, through the function of the command; False where there is no such alert, or it
    could not be done (the alert stands otherwise now)."""
    with store.read() as connection:
        alert_id = _alert(connection, act)
    perform = _PERFORM.get(act.what)
    if alert_id is None or perform is None:
        return False
    try:
        perform(store, settings, alert_id, act, now)
    except ActionRefused:
        return False
    return True


def _alert(connection: Connection, act: Act) -> int | None:
    """The live alert of the cause, else the last that was closed."""
    query = (
        select(_ALERTS.c.id, _ALERTS.c.state)
        .where(_ALERTS.c.enrolment_id == act.enrolment_id, _ALERTS.c.cause == act.cause)
        .order_by(_ALERTS.c.id.desc())
    )
    rows: list[Row[Any]] = list(connection.execute(query))
    live = [row.id for row in rows if row.state != AlertState.CLOSED.value]
    return next(iter([*live, *(row.id for row in rows)]), None)


def _acknowledge(store: Store, settings: Settings, alert_id: int, act: Act, now: datetime) -> None:
    until, note = _day_and_rest(act.note)
    people.acknowledge(store, settings, alert_id, by=act.by, until=until, note=note, now=now)


def _snooze(store: Store, settings: Settings, alert_id: int, act: Act, now: datetime) -> None:
    until, reason = _day_and_rest(act.note)
    if until is not None:
        people.snooze(store, settings, alert_id, by=act.by, until=until, reason=reason, now=now)


def _close(store: Store, settings: Settings, alert_id: int, act: Act, now: datetime) -> None:
    found = _REVIEW_BY.search(act.note)
    day = date.fromisoformat(found[1]) if found else None
    outcome = _REVIEW_BY.sub("", act.note)
    people.close(store, settings, alert_id, by=act.by, outcome=outcome, review_by=day, now=now)


def _assign(store: Store, settings: Settings, alert_id: int, act: Act, now: datetime) -> None:
    found = _TO.search(act.note)
    if found:
        people.assign(store, settings, alert_id, to=found[1], by=act.by, now=now)


def _comment(store: Store, settings: Settings, alert_id: int, act: Act, now: datetime) -> None:
    people.comment(store, settings, alert_id, text=act.note, by=act.by, now=now)


def _contact(store: Store, settings: Settings, alert_id: int, act: Act, now: datetime) -> None:
    found = _TO.search(act.note)
    to = found[1] if found else ""
    people.contact(store, settings, alert_id, outcome=act.code, by=act.by, to=to, now=now)


_PERFORM: dict[str, Callable[[Store, Settings, int, Act, datetime], None]] = {
    ACKNOWLEDGED: _acknowledge,
    SNOOZED: _snooze,
    ChangeWhat.CLOSED.value: _close,
    ASSIGNED: _assign,
    COMMENTED: _comment,
    CONTACTED: _contact,
}


def _day_and_rest(note: str) -> tuple[date | None, str]:
    found = _UNTIL.match(note)
    return (date.fromisoformat(found[1]), note[found.end() :]) if found else (None, note)
