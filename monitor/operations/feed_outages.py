"""When a source of results was silent, reckoned from when its files came: the same on any later
day. What is noted of a silence while it lasts is gone once something comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.feed import WEEKDAYS, Expected, learned, missed
from monitor.store import tables
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_BEFORE = timedelta(days=366)
"""A silence that began longer before the days asked for is none of a feed, but its end."""
_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A source of which nothing came when it should have."""

    source: str
    last: datetime
    """The first file of the last day on which one came."""
    noticed_on: date
    """The first time that passed without one."""
    back_on: date | None
    """When something came again; None: not until the instant asked for."""


def told(text: str) -> Expected:
    """What the config says is expected: `mon 12:00`."""
    weekday, _, clock = text.partition(" ")
    return Expected(WEEKDAYS.index(weekday), time.fromisoformat(clock))


def outages(
    connection: Connection, settings: Settings, first: date, until: datetime
) -> Mapping[str, Sequence[Outage]]:
    """The silences of each source that is watched, from a day on and up to an instant."""
    found = {}
    for source, arrivals in _arrivals(connection, settings, first, until).items():
        mapping = settings.sources.get(source)
        if mapping is not None and not mapping.watched:
            continue
        if own := _of_source(source, arrivals, settings, first, until):
            found[source] = own
    return found


def _of_source(
    source: str, arrivals: Sequence[datetime], settings: Settings, first: date, until: datetime
) -> list[Outage]:
    """`arrivals` are the first of each day, by the clinic's clock."""
    rules, zone = settings.feeds, settings.clinic.zone
    mapping = settings.sources.get(source)
    fixed = tuple(map(told, mapping.expected)) if mapping else ()
    late_by = timedelta(hours=rules.late_hours)
    found = []
    ends = [*arrivals, until.astimezone(zone)]
    for number, (last, end) in enumerate(pairwise(ends), start=1):
        if end.date() < first or end.date() - last.date() <= timedelta(days=1):
            continue
        since = last.date() - timedelta(weeks=rules.weeks)
        expected = fixed or learned(arrivals[:number], since, share=rules.usual_share, late=late_by)
        passed = missed(expected, last, end, settings.clinic.holidays, chance=rules.silence_chance)
        if passed:
            back = end.date() if number < len(arrivals) else None
            found.append(
                Outage(source=source, last=last, noticed_on=passed[0].date(), back_on=back)
            )
    return found


def _arrivals(
    connection: Connection, settings: Settings, first: date, until: datetime
) -> Mapping[str, list[datetime]]:
    """When files with results came from each source: the first of each day, ascending."""
    zone, columns = settings.clinic.zone, _FILES.c
    begin = first - _BEFORE - timedelta(weeks=settings.feeds.weeks)
    query = select(columns.source, columns.received_at).where(
        columns.kind == "results",
        columns.reverted_at.is_(None),
        columns.received_at >= datetime.combine(begin, time.min, zone),
        columns.received_at <= until,
    )
    query = query.order_by(columns.received_at, columns.id)
    found: dict[str, list[datetime]] = defaultdict(list)
    for row in connection.execute(query.execution_options(yield_per=_ROWS)):
        own, at = found[row.source], row.received_at.astimezone(zone)
        if not own or own[-1].date() < at.date():
            own.append(at)
    return found
