"""Blood counts of one patient, and the intervals that they cover or leave."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from monitor.core.adherence import adherence
from monitor.core.calendar import parse_duration
from monitor.core.case import Case, Event, Result
from monitor.core.gap_reasons import Ground
from monitor.core.gaps import Interval, panels
from monitor.core.review import view_of
from tests.spec.cases import START, ZONE, catalogue, enrolment, noon, protocol

LATE_AFTER = parse_duration("3 days")


def received(results: Iterable[Result], on: date) -> list[Result]:
    """The same, come in at noon of that day."""
    at = datetime.combine(on, time(12), tzinfo=UTC)
    return [it._replace(received_at=at) for it in results]


def january(day: int) -> date:
    return date(2026, 1, day)


def cbc(
    results: Iterable[Result],
    today: date,
    happened: tuple[Event, ...] = (),
    *,
    first: date = START,
    told: tuple[Ground, ...] = (),
    known: dict[tuple[str, date], date] | None = None,
) -> list[Interval]:
    """The intervals of the blood count up to a day."""
    case = Case(enrolment=enrolment(), results=tuple(results), events=happened)
    view = view_of(case, {"azathioprine": protocol()}, catalogue(), noon(today), ZONE)
    found = adherence(view, first, today)
    by_panel = {it.panel: it for it in panels(view, found, told, known or {}, LATE_AFTER)}
    return list(by_panel["cbc"].intervals)
