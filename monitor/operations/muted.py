"""Which live alerts are muted now, and by which: for lists and digests, never stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from monitor.core.muting import CAUSES, Voice, muters
from monitor.core.vocabulary import Urgency
from monitor.store import tables
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)


def muted_alerts(
    connection: Connection, enrolments: Collection[int] | None = None
) -> dict[int, int]:
    """Muted alert -> the alert that speaks for it; of these enrolments (a few), or of all."""
    columns = (
        _ALERTS.c.id,
        _ALERTS.c.enrolment_id,
        _ALERTS.c.cause,
        _ALERTS.c.kind,
        _ALERTS.c.urgency,
        _ALERTS.c.recovered,
        _ALERTS.c.snoozed_until,
        _ENROLMENTS.c.protocol_id,
    )
    query = (
        select(*columns)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .where(_ALERTS.c.state != "closed", or_(*(_ALERTS.c.cause.startswith(it) for it in CAUSES)))
        .order_by(_ALERTS.c.id)
    )
    if enrolments is not None:
        query = query.where(_ALERTS.c.enrolment_id.in_(enrolments))
    by_enrolment: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        by_enrolment[row.enrolment_id].append(row)
    several = [rows for rows in by_enrolment.values() if len(rows) > 1]
    if not several:
        return {}
    protocols = load_rulebook(connection).protocols
    found: dict[int, int] = {}
    for rows in several:
        voices = [_voice(row) for row in rows]
        said = muters(voices, protocols[rows[0].protocol_id])
        found |= {muted: louder.key for muted, louder in said.items()}
    return found


def _voice(row: Row[Any]) -> Voice:
    return Voice(
        key=row.id,
        cause=row.cause,
        kind=row.kind,
        urgency=Urgency(row.urgency),
        speaks=not row.recovered and row.snoozed_until is None,
    )
