"""The whole story of one alert: what the monitor saw, whom it told, what people did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.actions import ActionRefused
from monitor.core.changes import Alert
from monitor.core.escalation import escalate, outcome_due_at
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.delivery.ladders import ladder_of_alert
from monitor.operations.alert_list import alert_row, alerts_at
from monitor.operations.alert_then import Then, as_it_was
from monitor.store.alerts import MONITOR, history_of
from monitor.store.database import Store
from monitor.store.outbox import BEARS, DELIVERIES

_AHEAD = 4
"""Rungs to come that are named."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story; `by` is the monitor or a person, `to` whom a message went to."""

    at: datetime
    what: str
    by: str
    text: str
    code: str = ""
    to: str = ""
    state: str = ""

    def document(self, settings: Settings) -> dict[str, Any]:
        return {
            "at": self.at.astimezone(settings.clinic.zone).isoformat(),
            "what": self.what,
            "by": self.by,
            "text": self.text,
            "code": self.code or None,
            "to": self.to or None,
            "delivery": self.state or None,
        }


@dataclass(frozen=True, slots=True)
class Story:
    """An alert as it stands at an instant, its history up to then, and what comes next."""

    alert: dict[str, Any]
    standing: dict[str, Any]
    entries: tuple[Entry, ...]
    coming: tuple[dict[str, Any], ...]

    def document(self, settings: Settings) -> dict[str, Any]:
        return {
            "alert": self.alert,
            **self.standing,
            "history": [entry.document(settings) for entry in self.entries],
            "next": list(self.coming),
        }


def story(store: Store, settings: Settings, alert_id: int, now: datetime) -> Story:
    """The story of an alert up to `now`. Raises ActionRefused where there is no such alert."""
    zone = settings.clinic.zone
    with store.read() as connection:
        found = next(alerts_at(connection, settings, now, only=alert_id), None)
        if found is None:
            raise ActionRefused(f"there is no alert {alert_id}; see: monitor alerts --state all")
        history = _history(connection, alert_id, now)
        first = min((it.at for it in history), default=now)
        entries = [*history, *_messages(connection, alert_id, first, now)]
        then = alert_then(connection, settings, alert_id, now)
        coming = _coming(connection, settings, then.alert, now)
    return Story(
        alert=alert_row(found, zone, now),
        standing=then.standing(),
        entries=tuple(sorted(entries, key=lambda entry: entry.at)),
        coming=coming,
    )


def alert_then(connection: Connection, settings: Settings, alert_id: int, now: datetime) -> Then:
    """The alert as it stood at an instant that it had been opened by: what people had done
    with it, whom it had been put to, what it said."""
    found = next(alerts_at(connection, settings, now, only=alert_id))
    said = {
        "urgency": Urgency(found.shown["urgency"]),
        "kind": Kind(found.shown["kind"]),
        "recovered": found.recovered,
    }
    return as_it_was(
        found.row,
        history_of(connection, [alert_id]),
        partial(ladder_of_alert, connection, settings),
        now,
        **said,
    )


def _history(connection: Connection, alert_id: int, now: datetime) -> list[Entry]:
    return [
        Entry(row.at, row.what, row.by or MONITOR, row.note, row.code)
        for row in history_of(connection, [alert_id])
        if row.at <= now
    ]


def _messages(connection: Connection, alert_id: int, first: datetime, now: datetime) -> list[Entry]:
    """What went out or waits, never before the alert's `first` line: a message that waited
    already may have taken it along."""
    columns = (
        DELIVERIES.c.created_at,
        DELIVERIES.c.sent_at,
        DELIVERIES.c.recipient,
        DELIVERIES.c.kind,
        DELIVERIES.c.state,
        BEARS.c.what,
    )
    query = (
        select(*columns)
        .join(BEARS, BEARS.c.delivery_id == DELIVERIES.c.id)
        .where(BEARS.c.alert_id == alert_id, DELIVERIES.c.created_at <= now)
        .order_by(DELIVERIES.c.id)
    )
    entries = []
    for row in connection.execute(query):
        state = delivery_state(row.state, row.sent_at, now)
        text = "in the digest" if row.kind == "digest" else row.what
        at = max(row.created_at, first)
        entries.append(Entry(at, "told", MONITOR, text, to=row.recipient, state=state))
    return entries


def delivery_state(state: str, sent_at: datetime | None, now: datetime) -> str:
    """Whether a message had gone out by an instant."""
    if state != "failed" and (sent_at is None or sent_at > now):
        return "waiting"
    return state


def _coming(
    connection: Connection, settings: Settings, alert: Alert, now: datetime
) -> tuple[dict[str, Any], ...]:
    """Who will be told when, while nothing else happens."""
    ladder = ladder_of_alert(connection, settings, alert)
    if ladder is None:
        return ()
    zone = settings.clinic.zone
    due_at = outcome_due_at(alert, ladder)
    if due_at is not None and not alert.outcome_missed and due_at > now:
        at = due_at.astimezone(zone).isoformat()
        return ({"at": at, "tier": None, "to": [], "why": "an outcome is needed by then"},)
    step = escalate(alert, ladder, now, ahead=_AHEAD)
    return tuple(
        {
            "at": rung.at.astimezone(zone).isoformat(),
            "tier": rung.tier or "last resort",
            "to": list(rung.addresses),
            "why": rung.why,
        }
        for rung in (*step.due, *step.upcoming)[:_AHEAD]
    )


def quiet_because(alert: Alert) -> str:
    """Why an alert asks nobody, in words; "" where it does."""
    if alert.state is AlertState.CLOSED:
        return "it is closed"
    if alert.snoozed_until is not None:
        return f"it is snoozed until {alert.snoozed_until.isoformat()}"
    if alert.recovered:
        return "it has recovered: a person closes it, with the outcome"
    if alert.asked_at is None:
        return "it is muted: a graver alert of the same cause speaks for it"
    return ""
