"""The alerts as people and programs read them, as they stood at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, or_, select

from monitor.config import Settings
from monitor.core.alerts import OPENING
from monitor.core.calendar import clinic_day
from monitor.core.changes import ChangeWhat
from monitor.core.evidence import evidence
from monitor.core.routing import ENDINGS, severity
from monitor.core.told_again import urgency_now
from monitor.core.vocabulary import LATE, AlertState, Kind
from monitor.operations.answers import answers, finding_about
from monitor.operations.status import FEED_SUSPECTED
from monitor.store import tables
from monitor.store.alerts import ACKNOWLEDGED, SNOOZED, history_of
from monitor.store.database import Store
from monitor.store.facts import brought_to
from monitor.store.frames import chunks, to_alert
from monitor.store.silent_feeds import suspected
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_OPEN, _ACKNOWLEDGED, _CLOSED = (state.value for state in AlertState)
_STATE_AFTER = {
    **{what.value: _OPEN for what in (ChangeWhat.OPENED, *OPENING)},
    **{what.value: _CLOSED for what in ENDINGS},
    ACKNOWLEDGED: _ACKNOWLEDGED,
    SNOOZED: _OPEN,
}


AT_A_TIME = 100
"""Alerts in memory at a time: what one shows is some KiB."""
Place = tuple[int, bool, int, datetime, int]
"""Where an alert stands in a list, worst first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert at an instant; `shown` is the evidence as it was then."""

    row: Row[Any]
    state: str
    recovered: bool
    closed_at: datetime | None
    shown: Mapping[str, Any]


def alert_rows(
    store: Store,
    settings: Settings,
    states: Collection[str],
    now: datetime,
    *,
    enrolments: Collection[int] | None = None,
) -> list[dict[str, Any]]:
    """The alerts (of some enrolments, or of all) in one of `states` (open, acknowledged, closed)
    as `monitor alerts --json` prints them: worst first by urgency, those going on before the
    recovered, then by what is asked of the prescriber, then the oldest."""
    found = placed_rows(store, settings, states, now, enrolments=enrolments)
    return [row for _, row in sorted(found, key=itemgetter(0))]


def placed_rows(
    store: Store,
    settings: Settings,
    states: Collection[str],
    now: datetime,
    *,
    enrolments: Collection[int] | None = None,
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The rows of `alert_rows` as they are found, each with its place in their order: a piece of
    them at a time is in memory."""
    with store.read() as connection:
        live = _CLOSED not in states
        found = alerts_at(connection, settings, now, enrolments=enrolments, live=live)
        wanted = (it for it in found if it.state in states)
        while piece := list(islice(wanted, AT_A_TIME)):
            late = {
                it.row.id: it.row.enrolment_id
                for it in piece
                if it.row.kind == Kind.OVERDUE_TEST.value and it.state != _CLOSED
            }
            feeds = suspected(connection, set(late.values()))
            for alert in piece:
                mark = FEED_SUSPECTED if late.get(alert.row.id) in feeds else {}
                yield worst_first(alert), {**alert_row(alert, settings.clinic.zone, now), **mark}


def in_hand(connection: Connection, now: datetime, zone: ZoneInfo) -> dict[int, str]:
    """Of live alerts who has them until when, or until when they rest: of the present alone, for
    what was asked of the past is told by its history."""
    latest = brought_to(connection)
    if latest is not None and now < latest:
        return {}
    today = clinic_day(now, zone)
    columns = _ALERTS.c
    query = select(
        columns.id,
        columns.acknowledged_by,
        columns.acknowledged_until,
        columns.snoozed_by,
        columns.snoozed_until,
    ).where(columns.state != _CLOSED)
    found = {}
    for row in connection.execute(query):
        if row.acknowledged_until is not None and row.acknowledged_until > today:
            found[row.id] = f"with {row.acknowledged_by} until {row.acknowledged_until}"
        elif row.snoozed_until is not None and row.snoozed_until > today:
            found[row.id] = f"rests until {row.snoozed_until}, {row.snoozed_by}"
    return found


def alerts_at(
    connection: Connection,
    settings: Settings,
    now: datetime,
    *,
    only: int | None = None,
    enrolments: Collection[int] | None = None,
    kind: Kind | None = None,
    live: bool = False,
) -> Iterator[Standing]:
    """Every alert (or `only` this one, or those of some enrolments, or of a kind) opened by `now`,
    as it stood then. `live` leaves out most of what was closed by then: over the years that is
    nearly all there is.

    What changed later is taken back: the state by the alert's history, what it showed by
    judging the enrolment anew with nothing later than `now`. Those of an enrolment follow each
    other, the oldest first, so that it is judged once.
    """
    query = select(_ALERTS.c.id).where(_ALERTS.c.opened_at <= now)
    query = query.order_by(_ALERTS.c.enrolment_id, _ALERTS.c.id)
    if only is not None:
        query = query.where(_ALERTS.c.id == only)
    if enrolments is not None:
        query = query.where(_ALERTS.c.enrolment_id.in_(enrolments))
    if kind is not None:
        query = query.where(_ALERTS.c.kind == kind.value)
    if live:
        query = query.where(or_(_ALERTS.c.state != _CLOSED, _ALERTS.c.closed_at > now))
    for ids in chunks(connection.scalars(query).all(), AT_A_TIME):
        yield from _standing(connection, settings, ids, now)


def _standing(
    connection: Connection, settings: Settings, ids: Sequence[int], now: datetime
) -> Iterator[Standing]:
    query = select(_ALERTS).where(_ALERTS.c.id.in_(ids))
    rows = connection.execute(query.order_by(_ALERTS.c.enrolment_id, _ALERTS.c.id)).all()
    later = _changed_later(connection, ids, now)
    shown = _shown_then(connection, settings, [row for row in rows if row.id in later], now)
    for row in rows:
        if row.id not in later:
            yield Standing(row, row.state, row.recovered, row.closed_at, row.shown)
        else:
            yield _as_it_was(row, later[row.id], shown.get(row.id, row.shown), now)


def _changed_later(
    connection: Connection, alert_ids: Sequence[int], now: datetime
) -> dict[int, list[Row[Any]]]:
    """The histories of the alerts to which something happened after `now`."""
    histories: dict[int, list[Row[Any]]] = defaultdict(list)
    for piece in chunks(alert_ids):
        for entry in history_of(connection, piece):
            histories[entry.alert_id].append(entry)
    return {
        alert_id: entries
        for alert_id, entries in histories.items()
        if any(entry.at > now for entry in entries)
    }


def _as_it_was(
    row: Row[Any], history: list[Row[Any]], shown: Mapping[str, Any], now: datetime
) -> Standing:
    state, closed_at, before = _OPEN, None, _OPEN
    for entry in history:
        if entry.at <= now:
            before = before if state == _CLOSED else state
            apart = entry.what == ChangeWhat.APART.value
            state = before if apart else _STATE_AFTER.get(entry.what, state)
            closed_at = entry.at if state == _CLOSED else None
    return Standing(row, state, bool(shown["recovered"]), closed_at, shown)


def _shown_then(
    connection: Connection, settings: Settings, rows: list[Row[Any]], now: datetime
) -> dict[int, dict[str, Any]]:
    """What these alerts showed at `now`, as far as the rules still say so."""
    by_enrolment: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_enrolment[row.enrolment_id].append(row)
    shown = {}
    for batch in answers(connection, settings, now, ids=by_enrolment, until=now):
        for review in batch.reviews:
            protocol = batch.rulebook.protocols[review.case.enrolment.protocol_id]
            for row in by_enrolment[review.case.enrolment.id]:
                alert = to_alert(row)
                found = finding_about(alert, review.findings)
                if found is not None:
                    then = evidence(found, review, protocol, batch.rulebook.catalogue)
                    shown[row.id] = {**then, "urgency": urgency_now(found, alert).value}
    return shown


def worst_first(alert: Standing) -> Place:
    """By urgency, those going on first, then by what is asked: discontinue before withhold."""
    rank, asked = severity(alert.shown["urgency"], alert.shown["kind"])
    return rank, alert.recovered, asked, alert.row.opened_at, alert.row.id


def alert_row(alert: Standing, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """One alert with the keys of the JSON contract; what does not apply is None."""
    shown = alert.shown
    panels = shown["panels"]
    first = panels[0] if panels else {}
    due_on = first.get("due_on")
    return {
        "id": alert.row.id,
        "mrn": shown["mrn"],
        "drug": shown["drug"],
        "kind": shown["kind"],
        "rule": shown["rule"],
        "urgency": shown["urgency"],
        "state": alert.state,
        "recovered": alert.recovered,
        "opened_at": _local(alert.row.opened_at, zone),
        "panel": first.get("panel"),
        "due_on": due_on,
        "days_overdue": _days_overdue(first, clinic_day(alert.closed_at or now, zone)),
        "panels": [panel["panel"] for panel in panels] or None,
        "analyte": shown["analyte"],
        "value": number(shown["value"]),
        "comparator": shown["comparator"] or None,  # a plain number has none
        "unit": shown["unit"],
        "collected_at": _local(shown["collected_at"], zone),
        "latest_value": number(shown["latest_value"]),
        "latest_collected_at": _local(shown["latest_collected_at"], zone),
        "limit": number(shown["limit"]),
        "summary": shown["summary"],
        "source": shown["source"],
    }


def _days_overdue(panel: Mapping[str, Any], today: date) -> int | None:
    """Reckoned on the day it is read: an alert is not rewritten each day only to count."""
    if not panel or panel["due_on"] is None:
        return None
    late = panel["state"] in LATE
    return max(0, (today - date.fromisoformat(panel["due_on"])).days) if late else 0


def number(text: str | None) -> int | float | None:
    """An exact decimal of the evidence as a JSON number."""
    if text is None:
        return None
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)


def _local(instant: datetime | str | None, zone: ZoneInfo) -> str | None:
    if instant is None:
        return None
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return instant.astimezone(zone).isoformat()
