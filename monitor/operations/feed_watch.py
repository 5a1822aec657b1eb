"""Each source's feed: what it usually does, and what of that it does no longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.feed import (
    WEEKDAYS,
    Expected,
    belongs_to_shift,
    due_next,
    learned,
    missed,
    shifted,
    vanished,
)
from monitor.core.findings import day_text
from monitor.core.vocabulary import Kind
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.readings import whole_results
from monitor.store.silent_feeds import title_of
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_HELD = table_of(tables.HeldRowTable)
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_VALUES_READ = 400
_FEW = 2
"""Values of a file that say nothing of it alone, and such files in a row."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Values of an analyte that lie a power of ten from those before."""

    analyte: str
    power: int
    file_ids: tuple[int, ...]
    files: tuple[str, ...]
    result_ids: tuple[int, ...]
    patient_ids: tuple[int, ...]

    @property
    def factor(self) -> str:
        return f"1/{10**-self.power}" if self.power < 0 else str(10**self.power)


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
        if self.missed and self.last is not None:
            text = (
                f"Nothing has come from {title} since {day_text(self.last.date())}; it was "
                f"expected by {self.missed[0]:%H:%M} on {day_text(self.missed[0].date())}. Is the "
                "feed running? Patients who look overdue meanwhile are marked."
            )
            found.append((f"feed {title} is silent", text))
        for analyte, since in self.vanished:
            text = (
                f"{title} brings no {analyte} since {day_text(since.date())}, as it did before. "
                "Has a code or a column changed? See monitor quarantine list."
            )
            found.append((f"feed {title}: no {analyte}", text))
        found += [(f"feed {title}: {it.analyte} shifted", self._told(it)) for it in self.shifts]
        if self.asks_for_patients:
            text = (
                f"{self.newly_overdue} patients whose results come from {title} became overdue "
                "on one day. Is the feed complete?"
            )
            found.append((f"feed {title}: patients overdue", text))
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
    expected = tuple(_told(text) for text in mapping.expected) if mapping else ()
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
        shifts=_shifts(connection, settings, source, now) if shifts and watched else (),
        newly_overdue=late,
        overdue_at_once=rules.overdue_at_once,
        watched=watched,
    )


def _told(text: str) -> Expected:
    weekday, _, clock = text.partition(" ")
    return Expected(WEEKDAYS.index(weekday), time.fromisoformat(clock))


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
    recent = select(columns.id, columns.source, columns.received_at).where(
        results, columns.received_at >= begin
    )
    days: dict[int, tuple[str, Any]] = {}
    for file in connection.execute(recent.order_by(columns.received_at)):
        at = file.received_at.astimezone(zone)
        histories[file.source].arrivals.append(at)
        days[file.id] = file.source, at.date()
    recent_ids = select(columns.id).where(results, columns.received_at >= begin)
    for table in (_RESULTS, _HELD):
        pairs = select(table.c.file_id, table.c.analyte).distinct()
        wanted = table.c.file_id.in_(recent_ids) & (table.c.analyte != "")
        for pair in connection.execute(pairs.where(wanted)).all():
            source, day = days[pair[0]]
            histories[source].by_day[day].add(pair[1])
    return histories


def _shifts(
    connection: Connection, settings: Settings, source: str, now: datetime
) -> tuple[Shift, ...]:
    rules, columns = settings.feeds, whole_results().c
    recent = select(_FILES.c.id).where(
        _FILES.c.source == source,
        _FILES.c.received_at <= now,
        _FILES.c.received_at >= now - timedelta(weeks=rules.weeks),
    )
    nth = func.row_number().over(partition_by=columns.analyte, order_by=columns.id.desc())
    newest = (
        select(columns.id, columns.analyte, columns.value, columns.patient_id, columns.file_id)
        .add_columns(nth.label("nth"))
        .where(columns.file_id.in_(recent), columns.stands)
        .where(columns.value.is_not(None), columns.comparator == "")
        .subquery()
    )
    query = (
        select(newest, _FILES.c.name)
        .join(_FILES, _FILES.c.id == newest.c.file_id)
        .where(newest.c.nth <= _VALUES_READ)
        .order_by(newest.c.id)
    )
    by_analyte: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        by_analyte[row.analyte].append(row)
    found = []
    for analyte, rows in sorted(by_analyte.items()):
        values = [float(row.value) for row in rows]
        before, after = values[: -rules.shift_values], values[-rules.shift_values :]
        power = shifted(before, after, least=rules.shift_history, tolerance=rules.shift_tolerance)
        if power:
            found.append(_shift(analyte, power, rows, before))
    return tuple(found)


def _shift(analyte: str, power: int, rows: Sequence[Any], before: Sequence[float]) -> Shift:
    """The values that came shifted, those among them too that look as ever: a low count ten
    times as large looks healthy."""
    by_file: dict[int, list[Any]] = defaultdict(list)
    for row in reversed(rows):
        by_file[row.file_id].append(row)
    mine: list[list[Any]] = []
    between: list[list[Any]] = []
    for of_file in by_file.values():
        if belongs_to_shift(median(float(row.value) for row in of_file), before, power):
            mine += [*between, of_file]
            between = []
        elif mine and (len(of_file) > _FEW or len(between) >= _FEW):
            break
        elif mine:
            between.append(of_file)
    shifted_rows = [row for of_file in reversed(mine) for row in reversed(of_file)]
    files = {row.file_id: row.name for row in shifted_rows}
    return Shift(
        analyte,
        power,
        tuple(files),
        tuple(files.values()),
        tuple(row.id for row in shifted_rows),
        tuple(dict.fromkeys(row.patient_id for row in shifted_rows)),
    )


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
    patients = list(connection.scalars(opened))
    if len(patients) < settings.feeds.overdue_at_once:
        return {}
    latest = (
        select(_RESULTS.c.patient_id, func.max(_RESULTS.c.file_id).label("file_id"))
        .where(_RESULTS.c.patient_id.in_(patients))
        .group_by(_RESULTS.c.patient_id)
        .subquery()
    )
    query = (
        select(_FILES.c.source, func.count().label("patients"))
        .join(latest, latest.c.file_id == _FILES.c.id)
        .group_by(_FILES.c.source)
    )
    return {row.source: row.patients for row in connection.execute(query)}
