"""A seal over what is only ever added to: who saw and did what, and what happened to alerts.

Whoever has the database can change it. A seal that is kept elsewhere shows it: it is one SHA-256
over every line up to a certain one, each after the one before, so that no line up to there can be
changed, taken away or slipped in without another seal coming of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, Table, func, select

from monitor.store import tables
from monitor.store.tables import table_of

_TRAIL = table_of(tables.AuditRow)
_HISTORY = table_of(tables.AlertHistory)
_SEALED = {
    _TRAIL: ("id", "at", "who", "what", "patient_id", "alert_id", "address", "detail"),
    _HISTORY: ("id", "alert_id", "at", "what", "by", "note", "code", "version"),
}
"""Named one by one: a column that comes later changes no seal."""
_SETTLED = timedelta(hours=1)
"""A line of a transaction that is still under way has a lower number than one that stands."""
_ROWS = 10_000
_WRITTEN = re.compile(r"(\d{1,18})-(\d{1,18})-([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Seal:
    """Of all lines up to `trail` in the audit trail and `history` in the history of alerts."""

    trail: int
    history: int
    digest: str

    def __str__(self) -> str:
        return f"{self.trail}-{self.history}-{self.digest}"

    @classmethod
    def read(cls, text: str) -> Self:
        """A seal as it was printed. Raises ValueError where it is none."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a seal: {text!r}; one looks like 1204-873-3f9a... (64 digits)")
        return cls(int(found[1]), int(found[2]), found[3])


def seal(connection: Connection, now: datetime) -> Seal:
    """The seal of every line up to an hour before `now`."""
    last = [_last(connection, table, now - _SETTLED) for table in (_TRAIL, _HISTORY)]
    return _sealed(connection, *last)


def holds(connection: Connection, kept: Seal) -> bool:
    """Whether every line up to there stands as it did when the seal was made."""
    return _sealed(connection, kept.trail, kept.history) == kept


def _last(connection: Connection, table: Table, settled: datetime) -> int:
    return connection.scalar(select(func.max(table.c.id)).where(table.c.at <= settled)) or 0


def _sealed(connection: Connection, trail: int, history: int) -> Seal:
    digest = hashlib.sha256()
    for (table, names), last in zip(_SEALED.items(), (trail, history), strict=True):
        query = select(*(table.c[name] for name in names)).where(table.c.id <= last)
        query = query.order_by(table.c.id)
        rows = connection.execute(query.execution_options(stream_results=True, yield_per=_ROWS))
        for row in rows:
            digest.update(json.dumps([table.name, *map(_plain, row)]).encode())
    return Seal(trail, history, digest.hexdigest())


def _plain(cell: Any) -> Any:
    """The same on both databases: instants in UTC."""
    return cell.isoformat() if isinstance(cell, datetime) else cell
