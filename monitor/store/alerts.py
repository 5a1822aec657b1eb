"""Writing alerts: what a review decided, what a person did, and the history of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from monitor.core.alerts import OPENING
from monitor.core.changes import Change, ChangeWhat
from monitor.core.evidence import naming
from monitor.core.protocol import Protocol
from monitor.core.routing import CLIMBING, ENDINGS
from monitor.core.vocabulary import DIED, AlertState
from monitor.store import tables
from monitor.store.among import among
from monitor.store.tables import table_of
from monitor.store.unsent import take_back

MONITOR = "monitor"
"""Who did what nobody did by hand."""
ACKNOWLEDGED, SNOOZED = "acknowledged", "snoozed"
ASSIGNED, COMMENTED, CONTACTED = "assigned", "comment", "contact"
"""What people do, in an alert's history; closing is called as the monitor's own is."""

_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_NO_ANSWER: Mapping[str, Any] = {
    "acknowledged_at": None,
    "acknowledged_until": None,
    "acknowledged_by": None,
    "snoozed_until": None,
    "snoozed_by": None,
    "snooze_reason": None,
    "outcome_missed": False,
}
_NOT_TOLD: Mapping[str, Any] = {
    "messages_made": 0,
    "told_level": None,
    "told_value": None,
    "last_told_at": None,
    "version": 0,
    "assigned_to": "",
    "contact_outcome": "",
}
_NOT_ASKED: Mapping[str, Any] = {
    "asked_at": None,
    "rungs_told": 0,
    "outcome_at": None,
    "outcome_missed": False,
    "no_answers": 0,
}
_NOT_CLOSED: Mapping[str, Any] = {
    "review_by": None,
    "closed_at": None,
    "closed_by": None,
    "closed_recovered": False,
    "outcome": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change to write, with the evidence and digest of what the alert now shows."""

    enrolment_id: int
    change: Change
    shown: Mapping[str, Any] | None = None
    """None where the cause is gone: the alert keeps what it last showed."""
    content: str = ""
    protocol_digest: str = ""


def write_steps(connection: Connection, steps: Sequence[Step], now: datetime) -> list[int]:
    """Write the changes with their history; the id of each one's alert, in their order."""
    opened = [step for step in steps if step.change.what is ChangeWhat.OPENED]
    ids = iter(_insert(connection, opened, now))
    of_step = []
    changed: dict[int, dict[str, Any]] = defaultdict(dict)
    for step in steps:
        alert = step.change.alert
        if alert is None:
            of_step.append(next(ids))
            continue
        changed[alert.id] |= _of_change(step, now)
        of_step.append(alert.id)
    _update(connection, changed)
    _append(
        connection,
        [
            _line(alert_id, step.change.what.value, MONITOR, step.change.reason, now)
            | {"version": _version_after(step.change)}
            for alert_id, step in zip(of_step, steps, strict=True)
            if step.change.what is not ChangeWhat.RESTATED
        ],
    )
    dead = [
        alert_id
        for alert_id, step in zip(of_step, steps, strict=True)
        if step.change.what is ChangeWhat.CLOSED and step.change.reason == DIED
    ]
    if dead:
        take_back(connection, dead, now)
    return of_step


def restate(connection: Connection, enrolment_ids: Collection[int], protocol: Protocol) -> None:
    """The live alerts of these enrolments say by a newer text of their protocol what they said."""
    columns = _ALERTS.c
    query = select(columns.id, columns.shown).where(
        among(columns.enrolment_id, enrolment_ids),
        columns.state != AlertState.CLOSED.value,
        columns.protocol_digest != protocol.digest,
    )
    named = {"protocol_digest": protocol.digest}
    _update(
        connection,
        {
            row.id: {**named, "shown": {**row.shown, "protocol": naming(protocol)}}
            for row in connection.execute(query)
        },
    )


def add_history(
    connection: Connection,
    entries: Sequence[tuple[int, str, str, str]],
    now: datetime,
    *,
    code: str = "",
    version: int = 0,
) -> None:
    """Append (alert id, what, by, note) to the histories."""
    more = {"code": code, "version": version}
    _append(connection, [_line(*entry, now) | more for entry in entries])


def _line(alert_id: int, what: str, by: str, note: str, now: datetime) -> dict[str, Any]:
    return {"alert_id": alert_id, "at": now, "what": what, "by": by, "note": note, "code": ""}


def _append(connection: Connection, lines: list[dict[str, Any]]) -> None:
    if lines:
        connection.execute(insert(_HISTORY), lines)


def _version_after(change: Change) -> int:
    """The version that an alert has by a change; 0 where it keeps the one it has."""
    return change.alert.version + 1 if change.alert and change.is_to_be_seen else 0


def history_of(connection: Connection, alert_ids: Sequence[int]) -> list[Row[Any]]:
    """The history of these alerts, oldest first."""
    query = select(_HISTORY).where(_HISTORY.c.alert_id.in_(alert_ids)).order_by(_HISTORY.c.id)
    return list(connection.execute(query))


def acknowledged(now: datetime, until: Any, by: str) -> dict[str, Any]:
    """The columns of an alert that somebody has taken in hand; a snooze ends with it."""
    answer = {"acknowledged_at": now, "acknowledged_until": until, "acknowledged_by": by}
    return {"state": AlertState.ACKNOWLEDGED.value, **_NO_ANSWER, **answer}


def has_it_still(until: Any, by: str) -> dict[str, Any]:
    """The columns of an acknowledged alert whose holder acknowledges it again: the time for an
    outcome, and a ladder that is climbed for want of one, go on as they were."""
    return {"acknowledged_until": until, "acknowledged_by": by}


def reopened() -> dict[str, Any]:
    """The columns of a live alert that nobody has any longer."""
    return {"state": AlertState.OPEN.value, **_NO_ANSWER}


def snoozed(until: Any, by: str, reason: str) -> dict[str, Any]:
    """The columns of an alert that rests; an acknowledgement ends with it."""
    answer = {"snoozed_until": until, "snoozed_by": by, "snooze_reason": reason}
    return {"state": AlertState.OPEN.value, **_NO_ANSWER, **answer}


def closed(
    now: datetime, by: str | None, outcome: str, *, recovered: bool, review_by: Any = None
) -> dict[str, Any]:
    """The columns of a closed alert; `by` is None where the monitor closed it."""
    return {
        "state": AlertState.CLOSED.value,
        **_NO_ANSWER,
        "closed_at": now,
        "closed_by": by,
        "closed_recovered": recovered,
        "outcome": outcome,
        "review_by": review_by,
    }


def _insert(connection: Connection, steps: Sequence[Step], now: datetime) -> list[int]:
    if not steps:
        return []
    rows = [
        {
            "enrolment_id": step.enrolment_id,
            "state": AlertState.OPEN.value,
            "opened_at": now,
            **_NO_ANSWER,
            **_NOT_CLOSED,
            **_NOT_TOLD,
            **_NOT_ASKED,
            **_told(step.change, now),
            **_finding(step),
        }
        for step in steps
    ]
    statement = insert(_ALERTS).returning(_ALERTS.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, rows))


def _update(connection: Connection, changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Write what became of alerts; of those alike in what changed at once."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for alert_id, values in changed.items():
        row = {f"new_{name}": value for name, value in values.items()}
        alike[tuple(values)].append({**row, "alert": alert_id})
    for names, rows in alike.items():
        if names:
            values = {name: bindparam(f"new_{name}") for name in names}
            own = update(_ALERTS).where(_ALERTS.c.id == bindparam("alert"))
            connection.execute(own.values(values), rows)


def _of_change(step: Step, now: datetime) -> dict[str, Any]:
    if step.change.what is ChangeWhat.UNMUTED:
        assert step.change.alert is not None
        alert = step.change.alert
        told = {"told_level": alert.level, "told_value": alert.worst_value, "last_told_at": now}
        return {**told, **_asked(step.change)}
    if step.change.what in CLIMBING:
        return _asked(step.change)
    return _ended(step.change, now) if step.shown is None else _changed(step, now)


def _changed(step: Step, now: datetime) -> dict[str, Any]:
    change = step.change
    values = {**_finding(step), **_told(change, now)}
    if version := _version_after(change):
        values["version"] = version
    if change.counts_anew and change.alert is not None and change.alert.told_level is not None:
        values["told_level"] = values["level"]
    if change.unasked:
        values |= _NOT_ASKED
    if change.what in OPENING:
        values |= {"state": AlertState.OPEN.value, **_NO_ANSWER, **_NOT_CLOSED}
    if change.what is ChangeWhat.APART and change.alert is not None:
        values |= {"state": change.alert.state.value, **_NOT_CLOSED}
    return values


def _ended(change: Change, now: datetime) -> dict[str, Any]:
    assert change.what in ENDINGS and change.alert is not None
    values = closed(now, None, change.reason, recovered=change.alert.recovered)
    if change.what is ChangeWhat.MERGED:  # it may come apart, and stands as it did then
        values = {name: it for name, it in values.items() if name not in _NO_ANSWER}
    return values


def _finding(step: Step) -> dict[str, Any]:
    change, finding = step.change, step.change.finding
    assert finding is not None
    return {
        "cause": finding.cause,
        "kind": finding.kind.value,
        "rule": finding.rule,
        "urgency": change.urgency.value,
        "recovered": finding.recovered,
        "summary": finding.summary,
        "level": finding.level,
        "downward": finding.downward,
        "worst_value": finding.worst.value if finding.worst else None,
        "breaches": [instant.isoformat() for instant in finding.breaches],
        "subjects": list(finding.subjects),
        "shown": {**(step.shown or {}), "urgency": change.urgency.value},
        "content": step.content,
        "first_seen_recovered": change.first_seen_recovered,
        "protocol_digest": step.protocol_digest,
    }


def _told(change: Change, now: datetime) -> dict[str, Any]:
    if not change.tell or change.finding is None:
        return {}
    worst = change.finding.worst
    return {
        "told_level": change.finding.level,
        "told_value": worst.value if worst else None,
        "last_told_at": now,
        **_asked(change),
    }


def _asked(change: Change) -> dict[str, Any]:
    """Where the alert stands on its ladder: a new one where it was put to people again."""
    if change.asked_at is None:
        return {}
    values = {
        "asked_at": change.asked_at,
        "rungs_told": change.climbed,
        "outcome_missed": change.outcome_missed,
    }
    if change.what not in CLIMBING:
        values |= {"outcome_at": None, "no_answers": 0}
    return values
