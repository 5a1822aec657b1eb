"""Each source's feed: what it usually does, and what of that it does no longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.feed import (
    Expected,
    due_next,
    learned,
    missed,
    vanished,
)
from monitor.core.findings import day_text
from monitor.core.vocabulary import Kind
from monitor.operations.feed_outages import told
from monitor.operations.shifted_values import ROWS_READ, Shift
from monitor.operations.shifted_values import shifts as found_shifts
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import chunks
from monitor.store.silent_feeds import title_of
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_HELD = table_of(tables.HeldRowTable)
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)


@dataclass(frozen=True, slots=True)
class Feed:
    """One source at an instant."""

    source: str
    last: datetime | None
    expected: tuple[Expected, ...]
    is_learned: bool
    next: datetime | None
    missed: tuple[datetime, ...] = ()
    analytes: tuple[str, ...] = ()
    vanished: tuple[tuple[str, datetime], ...] = ()
    shifts: tuple[Shift, ...] = ()
    newly_overdue: int = 0
    overdue_at_once: int = 0
    watched: bool = True

    @property
    def state(self) -> str:
        """silent, changed, late patients, well; learning while nothing is usual yet."""
        if not self.watched:
            return "not watched"
        if self.missed:
            return "silent"
        if self.vanished or self.shifts:
            return "changed"
        if self.asks_for_patients:
            return "in question"
        return "well" if self.expected else "learning"

    @property
    def asks_for_patients(self) -> bool:
        return self.newly_overdue >= self.overdue_at_once > 0

    def alarms(self) -> list[tuple[str, str]]:
        """Topic and text of each alarm; ids and counts, no patients."""
        if not self.watched:
            return []
        title, found = title_of(self.source), []
        feed = f"feed {title}" if self.source else f"feed of {title}"
        if self.missed and self.last is not None:
            text = (
                f"Nothing has come from {title} since {day_text(self.last.date())}; it was "
                f"expected by {self.missed[0]:%H:%M} on {day_text(self.missed[0].date())}. Is the "
                "feed running? Patients who look overdue meanwhile are marked."
            )
            found.append((f"{feed} is silent", text))
        for analyte, since in self.vanished:
            text = (
                f"No {analyte} has come from {title} since {day_text(since.date())}, as it did "
                "before. Has a code or a column changed? See monitor quarantine list."
            )
            found.append((f"{feed}: no {analyte}", text))
        found += [(f"{feed}: {it.analyte} shifted", self._told(it)) for it in self.shifts]
        if self.asks_for_patients:
            text = (
                f"{self.newly_overdue} patients whose results come from {title} became overdue "
                "on one day. Is the feed complete?"
            )
            found.append((f"{feed}: patients overdue", text))
        return found

    def _told(self, shift: Shift) -> str:
        names = ", ".join(f"{it} (file {n})" for n, it in
                          zip(shift.file_ids[:5], shift.files[:5], strict=True))  # fmt: skip
        more = f" and {len(shift.files) - 5} more" if len(shift.files) > 5 else ""
        return (
            f"The latest {shift.analyte} of {title_of(self.source)} are {shift.factor} times what "
            f"they were: {names}{more}; patients {len(shift.patient_ids)}. Is the unit right? "
            "monitor feeds --shifts lists who may have been wrongly reassured or alarmed, and how "
            "to set it right."
        )


@dataclass(slots=True)
class _History:
    """What the database knows of one source."""

    arrivals: list[datetime] = field(default_factory=list)
    by_day: dict[Any, set[str]] = field(default_factory=lambda: defaultdict(set))


def feeds(
    store: Store, settings: Settings, now: datetime, *, shifts: bool = True
) -> tuple[Feed, ...]:
    """Every source that ever brought results, and those of the config, as of `now`."""
    with store.read() as connection:
        histories = _histories(connection, settings, now)
        late = _newly_overdue(connection, settings, now)
        return tuple(
            _feed(connection, settings, source, histories[source], late.get(source, 0), now, shifts)
            for source in sorted(histories)
        )


def _feed(
    connection: Connection,
    settings: Settings,
    source: str,
    history: _History,
    late: int,
    now: datetime,
    shifts: bool,
) -> Feed:
    rules, mapping, zone = settings.feeds, settings.sources.get(source), settings.clinic.zone
    here, closed = now.astimezone(zone), settings.clinic.holidays
    since = here.date() - timedelta(weeks=rules.weeks)
    expected = tuple(map(told, mapping.expected)) if mapping else ()
    is_learned = not expected
    if is_learned:
        late_by = timedelta(hours=rules.late_hours)
        expected = learned(history.arrivals, since, share=rules.usual_share, late=late_by)
    last = history.arrivals[-1] if history.arrivals else None
    watched = mapping is None or mapping.watched
    passed: tuple[datetime, ...] = ()
    if last is not None and watched:
        passed = missed(expected, last, here, closed, chance=rules.silence_chance)
    days = sorted(history.by_day)
    gone = vanished(
        [history.by_day[day] for day in days],
        least=rules.vanished_days,
        chance=rules.vanished_chance,
    )
    return Feed(
        source=source,
        last=last,
        expected=expected,
        is_learned=is_learned,
        next=due_next(expected, last, here, closed) if watched else None,
        missed=passed,
        analytes=tuple(sorted(set().union(*history.by_day.values()))) if days else (),
        vanished=tuple((it, datetime.combine(days[n], time.min, zone)) for it, n in gone),
        shifts=found_shifts(connection, settings, source, now) if shifts and watched else (),
        newly_overdue=late,
        overdue_at_once=rules.overdue_at_once,
        watched=watched,
    )


def _histories(connection: Connection, settings: Settings, now: datetime) -> dict[str, _History]:
    zone = settings.clinic.zone
    begin = now - timedelta(weeks=settings.feeds.weeks)
    histories: dict[str, _History] = {source: _History() for source in settings.sources}
    columns = _FILES.c
    results = (columns.kind == "results") & (columns.received_at <= now)
    results &= columns.reverted_at.is_(None)
    latest = select(columns.source, func.max(columns.received_at).label("at"))
    for row in connection.execute(latest.where(results).group_by(columns.source)):
        history = histories.setdefault(row.source, _History())
        if row.at < begin:
            history.arrivals.append(row.at.astimezone(zone))
    recent = select(columns.id, columns.source, columns.received_at, columns.rows).where(
        results, columns.received_at >= begin
    )
    days: dict[int, tuple[str, Any]] = {}
    small: list[int] = []
    large: list[int] = []
    for file in connection.execute(recent.order_by(columns.received_at)):
        at = file.received_at.astimezone(zone)
        histories[file.source].arrivals.append(at)
        days[file.id] = file.source, at.date()
        (large if file.rows > ROWS_READ else small).append(file.id)
    for file_id, analyte in _brought(connection, small, large):
        source, day = days[file_id]
        histories[source].by_day[day].add(analyte)
    return histories


def _brought(
    connection: Connection, small: Sequence[int], large: Sequence[int]
) -> Iterator[tuple[int, str]]:
    """The analytes of each file; of a large one those of some of its results. Files are named by
    their ids: planned without them, a statement goes through all results of all years."""
    for table in (_RESULTS, _HELD):
        pairs = select(table.c.file_id, table.c.analyte).distinct().where(table.c.analyte != "")
        for piece in chunks(small):
            for file_id, analyte in connection.execute(pairs.where(table.c.file_id.in_(piece))):
                yield file_id, analyte
        for file_id in large:
            some = select(table.c.analyte).where(table.c.file_id == file_id).limit(ROWS_READ)
            names = select(some.subquery().c.analyte).distinct()
            yield from ((file_id, name) for name in connection.scalars(names) if name)


def _newly_overdue(connection: Connection, settings: Settings, now: datetime) -> dict[str, int]:
    """By source, how many patients became overdue on this clinic day, who were enrolled before
    it: whoever comes late into the monitor says nothing of the feed."""
    zone = settings.clinic.zone
    today = clinic_day(now, zone)
    start = datetime.combine(today, time.min, zone)
    opened = (
        select(_ENROLMENTS.c.patient_id)
        .distinct()
        .join(_ALERTS, _ALERTS.c.enrolment_id == _ENROLMENTS.c.id)
        .where(
            _ALERTS.c.kind == Kind.OVERDUE_TEST.value,
            _ALERTS.c.opened_at >= start,
            _ALERTS.c.opened_at <= now,
            _ENROLMENTS.c.enrolled_on < today,
        )
    )
    many = connection.scalar(select(func.count()).select_from(opened.subquery())) or 0
    if many < settings.feeds.overdue_at_once:
        return {}
    latest = (
        select(_RESULTS.c.patient_id, func.max(_RESULTS.c.file_id).label("file_id"))
        .where(_RESULTS.c.patient_id.in_(opened))
        .group_by(_RESULTS.c.patient_id)
        .subquery()
    )
    query = (
        select(_FILES.c.source, func.count().label("patients"))
        .join(latest, latest.c.file_id == _FILES.c.id)
        .group_by(_FILES.c.source)
    )
    return {row.source: row.patients for row in connection.execute(query)}
