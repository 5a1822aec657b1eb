"""Cases in the shipped protocol, written as a clinic would tell them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.core.answer import PanelStatus, Review
from monitor.core.case import Case, Enrolment, Event, Result
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.core.protocol import Protocol
from monitor.core.protocol_file import parse_protocol
from monitor.core.review import review
from monitor.core.vocabulary import Status

SCHEDULES = Path(__file__).parents[2] / "schedules"
ZONE = ZoneInfo("UTC")
START = date(2026, 1, 5)
RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def catalogue() -> Catalogue:
    path = SCHEDULES / "analytes.toml"
    return load_catalogue(path.read_text(encoding="utf-8"), path.name)


@cache
def protocol() -> Protocol:
    path = SCHEDULES / "azathioprine.toml"
    return parse_protocol(path.read_text(encoding="utf-8"), path.name, catalogue())


def enrolment(started_on: date = START, enrolled_on: date | None = None) -> Enrolment:
    return Enrolment(
        id=1,
        patient_id=1,
        mrn="A1",
        drug="azathioprine",
        protocol_id="azathioprine",
        started_on=started_on,
        enrolled_on=enrolled_on or started_on,
        dose_mg_per_day=Decimal(50),
    )


def event(number: int, text: str) -> Event:
    """`2026-04-20 dose 100`."""
    day, name, *value = text.split(" ", 2)
    return Event(
        id=number,
        on=date.fromisoformat(day),
        event=name,
        value=value[0] if value else "",
        received_at=RECEIVED,
    )


def events(text: str) -> tuple[Event, ...]:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return tuple(event(number, part) for number, part in enumerate(parts, start=1))


_numbers = iter(range(1, 10**9))


def result(
    analyte: str,
    value: str | Decimal | None,
    on: date,
    *,
    hour: int = 9,
    comparator: str = "",
    status: Status = Status.FINAL,
    ref_low: str | None = None,
    ref_high: str | None = None,
    specimen: str = "",
    no_result: str = "",
) -> Result:
    at = datetime.combine(on, time(hour), tzinfo=UTC)
    return Result(
        id=next(_numbers),
        analyte=analyte,
        collected_at=at,
        collected_on=on,
        value=None if value is None else Decimal(value),
        comparator=comparator,
        status=status,
        specimen_id=specimen,
        received_value=str(value),
        ref_low=None if ref_low is None else Decimal(ref_low),
        ref_high=None if ref_high is None else Decimal(ref_high),
        no_result=no_result,
        received_at=at,
    )


def unremarkable(analyte: str) -> Decimal:
    """A value that no level of the shipped protocol meets."""
    limits = {
        level.below: level.above
        for rule in protocol().rules
        for level in rule.levels
        if rule.analyte == analyte
    }
    lowest = max((limit for limit in limits if limit is not None), default=None)
    if lowest is not None:
        return lowest * 2
    return Decimal(20)


def panel(panel_id: str, on: date, **values: str) -> list[Result]:
    """A complete panel of one day; named analytes have these values, others are unremarkable."""
    found = []
    for analyte in protocol().panel(panel_id).analytes:
        value = values.get(analyte, unremarkable(analyte))
        found.append(result(analyte, value, on))
    return found


def days(text: str) -> list[date]:
    """`2026-01-12`, or `weekly to 2026-02-24` (counted back to the first week)."""
    if not text:
        return []
    if not text.startswith("weekly to "):
        return [date.fromisoformat(text)]
    last = date.fromisoformat(text.removeprefix("weekly to "))
    found = [last]
    while found[-1] - timedelta(days=7) > START:
        found.append(found[-1] - timedelta(days=7))
    return found[::-1]


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def reviewed(
    results: Iterable[Result],
    today: date,
    happened: tuple[Event, ...] = (),
    who: Enrolment | None = None,
) -> Review:
    case = Case(enrolment=who or enrolment(), results=tuple(results), events=happened)
    now = datetime.combine(today, time(12), tzinfo=UTC)
    return review([case], {"azathioprine": protocol()}, catalogue(), now, ZONE)[0]


def status_of(answer: Review, panel_id: str) -> PanelStatus:
    return next(status for status in answer.panels if status.panel == panel_id)
