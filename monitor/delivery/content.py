"""Reads what the messages of alerts show: evidence, standing, and names at full privacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from monitor.config import Settings
from monitor.core.renumbered import as_it_stands
from monitor.core.vocabulary import DIED
from monitor.delivery.discretion import shows_notes
from monitor.delivery.shown import view_of
from monitor.delivery.view import AlertView, Person, Standing
from monitor.delivery.words import initials, short_day
from monitor.store import tables
from monitor.store.leases import Leased
from monitor.store.persons import who
from monitor.store.silent_feeds import say_suspected
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_PATIENTS = table_of(tables.Patient)
_Line = tuple[int, str, str]
_CHUNK = 500
"""Alerts whose whole evidence is in memory at a time."""


def alert_views(
    connection: Connection,
    message: Leased,
    settings: Settings,
    now: datetime,
    known: Mapping[int, Row[Any]] | None = None,
) -> list[AlertView]:
    """The alerts of a message, in its order; `known` is what `known_of` has of them."""
    if known is not None:
        return _views(known, message.lines, settings, now)
    views: list[AlertView] = []
    for start in range(0, len(message.lines), _CHUNK):
        lines = message.lines[start : start + _CHUNK]
        views += _views(_known(connection, lines, settings), lines, settings, now)
    return views


def known_of(
    connection: Connection, messages: Sequence[Leased], settings: Settings
) -> Mapping[int, Row[Any]] | None:
    """What is known of the alerts of several small messages, asked for together; None where it
    is too much to be held at a time."""
    lines = [line for message in messages for line in message.lines]
    return None if len(lines) > _CHUNK else _known(connection, lines, settings)


def _known(
    connection: Connection, lines: Sequence[_Line], settings: Settings
) -> Mapping[int, Row[Any]]:
    rows = _rows(connection, [alert_id for alert_id, _, _ in lines])
    say_suspected(connection, rows.values(), settings.clinic.zone)
    return rows


def _views(
    rows: Mapping[int, Row[Any]], lines: Sequence[_Line], settings: Settings, now: datetime
) -> list[AlertView]:
    return [
        view_of(
            alert_id,
            rows[alert_id].shown,
            person_of(rows[alert_id], settings.mail.privacy),
            _standing(rows[alert_id], settings.mail.privacy),
            what=what,
            reason=as_it_stands(reason, rows[alert_id].mrn),
            now=now,
            zone=settings.clinic.zone,
            public_url=settings.web.public_url,
        )
        for alert_id, what, reason in lines
    ]


def person_of(row: Row[Any], privacy: str) -> Person:
    """The patient of a row that has mrn, family_name, given_name and birth_date; by number
    alone below full privacy."""
    if privacy != "full":
        return Person(mrn=row.mrn)
    names = [name for name in (row.family_name, row.given_name) if name]
    return Person(
        mrn=row.mrn,
        name=", ".join(names),
        born="" if row.birth_date is None else short_day(row.birth_date),
        initials=initials(row.family_name, row.given_name),
    )


def recorded_dead(connection: Connection, now: datetime) -> frozenset[str]:
    """The numbers of the patients recorded as died by `now`: a digest that was composed before
    and still waits says nothing about them."""
    query = (
        select(_PATIENTS.c.mrn)
        .join(_EVENTS, _EVENTS.c.patient_id == _PATIENTS.c.id)
        .where(_EVENTS.c.event == DIED, ~_EVENTS.c.withdrawn, ~_EVENTS.c.taken_back)
        .where(_EVENTS.c.received_at <= now)
    )
    return frozenset(connection.scalars(query))


def _rows(connection: Connection, alert_ids: list[int]) -> dict[int, Row[Any]]:
    return {row.id: row for row in connection.execute(_asking(), {"ids": alert_ids})}


@cache
def _asking() -> Select[Any]:
    """Put together once: that takes longer than the database needs to answer."""
    joined = _ALERTS.join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id).join(
        _PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id
    )
    columns: tuple[Any, ...] = (
        _ALERTS,
        _PATIENTS.c.mrn,
        *who(),
    )
    wanted = _ALERTS.c.id.in_(bindparam("ids", expanding=True))
    return select(*columns).select_from(joined).where(wanted)


def _standing(row: Row[Any], privacy: str) -> Standing:
    is_told = shows_notes(privacy) or not row.closed_by
    return Standing(
        state=row.state,
        opened_at=row.opened_at,
        acknowledged_by=row.acknowledged_by or "",
        acknowledged_until=row.acknowledged_until,
        closed_at=row.closed_at,
        outcome=(row.outcome or "") if is_told else "",
    )
