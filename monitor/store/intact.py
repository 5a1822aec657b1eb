"""Whether rows that belong together are there together, and read as they were written.

A database refuses to lose what others refer to; a file that was damaged, or that somebody edited
with another program, was not asked. What refers to nothing is read by no query that joins the two:
a patient would be gone, and nobody would miss them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Column, Connection, Table, exists, func, or_, select
from sqlmodel import SQLModel

from monitor.core.routing import ENDINGS
from monitor.core.vocabulary import AlertState
from monitor.store import tables
from monitor.store.alerts import ACKNOWLEDGED
from monitor.store.readings import READING_COLUMNS, Reading, digest_of
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_READINGS = table_of(tables.ReadingRow)
_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_UNCHECKED = {
    "patient_id": table_of(tables.Patient),
    "home_id": table_of(tables.Patient),
    "reading_id": _READINGS,
    "file_id": table_of(tables.File),
}
"""What results refer to, which no database checks (`docs/adr/0055`)."""
_ROWS = 10_000


class Loose(NamedTuple):
    """Rows of a table that refer to rows of another which are gone."""

    table: str
    column: str
    to: str
    rows: int


def loose(connection: Connection) -> Iterator[Loose]:
    """Every reference that leads nowhere, by table and column."""
    for table in SQLModel.metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda it: it.parent.name):
            yield from _leads_nowhere(connection, table, key.parent, key.column.table)
    for name, parent in _UNCHECKED.items():
        yield from _leads_nowhere(connection, _RESULTS, _RESULTS.c[name], parent)


def _leads_nowhere(
    connection: Connection, table: Table, column: Column[int], parent: Table
) -> Iterator[Loose]:
    to = parent.alias()  # a table may refer to itself
    (key,) = to.primary_key
    query = select(func.count()).select_from(table)
    missing = column.is_not(None), ~exists().where(key == column)
    count = int(connection.scalar(query.where(*missing)) or 0)
    if count:
        yield Loose(table.name, column.name, parent.name, count)


def altered_readings(connection: Connection) -> Iterator[int]:
    """Readings that are no longer what their digest was made of: what results say was changed."""
    query = select(_READINGS.c.id, _READINGS.c.digest, *READING_COLUMNS).order_by(_READINGS.c.id)
    rows = connection.execute(query.execution_options(stream_results=True, yield_per=_ROWS))
    for number, digest, *said in rows:
        if digest_of(Reading._make(said)) != digest:
            yield number


def untold(connection: Connection) -> Iterator[tuple[int, str]]:
    """Alerts of whose state their history does not tell, with what it lacks."""
    own = _HISTORY.c.alert_id == _ALERTS.c.id
    what = _HISTORY.c.what
    ended = own & what.in_([it.value for it in ENDINGS]) & (_HISTORY.c.at == _ALERTS.c.closed_at)
    by = _ALERTS.c.closed_by
    ended &= or_(by.is_(None), by == _HISTORY.c.by)
    taken = own & (what == ACKNOWLEDGED)
    asked = {
        "its opening": ~exists().where(own),
        "its end": (_ALERTS.c.state == AlertState.CLOSED.value) & ~exists().where(ended),
        "who took it": (_ALERTS.c.state == AlertState.ACKNOWLEDGED.value) & ~exists().where(taken),
    }
    for lacks, where in asked.items():
        for alert in connection.scalars(select(_ALERTS.c.id).where(where).order_by(_ALERTS.c.id)):
            yield alert, lacks
