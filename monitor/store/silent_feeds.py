"""Which feeds are silent, and whose overdue tests may lie in one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, func, insert, select

from monitor.core.calendar import clinic_day
from monitor.core.findings import day_text
from monitor.core.vocabulary import Kind
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.readings import came_at
from monitor.store.tables import table_of

_SILENT = table_of(tables.SilentFeed)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_RESULTS = table_of(tables.ResultRow)
_FILES = table_of(tables.File)
_ALERTS = table_of(tables.AlertRow)


class Silence(NamedTuple):
    """A source of which nothing comes, and when its last file did."""

    source: str
    since: datetime

    def says(self, zone: ZoneInfo) -> str:
        """What to say of a test that may lie in it."""
        return (
            f"Feed suspected: nothing has come from {title_of(self.source)} since "
            f"{day_text(clinic_day(self.since, zone))}; the test may have been done."
        )


def title_of(source: str) -> str:
    """A source as people read it; files without one are a feed too."""
    return source or "files without a source"


def note_silent(connection: Connection, silent: Mapping[str, datetime], now: datetime) -> None:
    """Keep which sources are silent now, each with when its last file came."""
    if not is_news(connection, silent):
        return
    connection.execute(delete(_SILENT))
    if silent:
        rows = [{"source": it, "since": at, "noted_at": now} for it, at in silent.items()]
        connection.execute(insert(_SILENT), rows)


def is_news(connection: Connection, silent: Mapping[str, datetime]) -> bool:
    """Whether other sources are silent than those that were noted."""
    return {row.source: row.since for row in connection.execute(select(_SILENT))} != silent


def suspected(connection: Connection, enrolment_ids: Collection[int]) -> dict[int, Silence]:
    """Of these enrolments those whose results come from a silent source, and that became
    overdue only since its last file."""
    silent = {row.source: row.since for row in connection.execute(select(_SILENT))}
    if not silent:
        return {}
    found: dict[int, Silence] = {}
    for piece in chunks(list(enrolment_ids)):
        sources = _sources(connection, piece)
        for row in connection.execute(_overdue(piece)):
            source = sources.get(row.enrolment_id)
            if source is not None and source in silent and row.opened_at > silent[source]:
                found[row.enrolment_id] = Silence(source, silent[source])
    return found


def say_suspected(connection: Connection, rows: Iterable[Row[Any]], zone: ZoneInfo) -> None:
    """Add that to what the overdue alerts among these rows show."""
    late = [row for row in rows if row.kind == Kind.OVERDUE_TEST.value and row.state != "closed"]
    if not late:
        return
    told = suspected(connection, {row.enrolment_id for row in late})
    for row in late:
        if silence := told.get(row.enrolment_id):
            row.shown["say"] = [*row.shown.get("say", ()), silence.says(zone)]


def _overdue(enrolment_ids: Collection[int]) -> Any:
    return select(_ALERTS.c.enrolment_id, _ALERTS.c.opened_at).where(
        _ALERTS.c.enrolment_id.in_(enrolment_ids),
        _ALERTS.c.kind == Kind.OVERDUE_TEST.value,
        _ALERTS.c.state != "closed",
    )


def _sources(connection: Connection, enrolment_ids: Collection[int]) -> dict[int, str]:
    """The source of the latest result of each enrolment's patient."""
    latest = (
        select(_ENROLMENTS.c.id, _FILES.c.source, func.max(came_at()).label("at"))
        .join(_RESULTS, _RESULTS.c.patient_id == _ENROLMENTS.c.patient_id)
        .join(_FILES, _FILES.c.id == _RESULTS.c.file_id)
        .where(_ENROLMENTS.c.id.in_(enrolment_ids))
        .group_by(_ENROLMENTS.c.id, _FILES.c.source)
        .order_by(func.max(came_at()))
    )
    return {row.id: row.source for row in connection.execute(latest)}
