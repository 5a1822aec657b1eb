"""The burden of alerts, counted: what each reader gets a day, and what each rule costs.

A rate is per 100 patient-years, so that a small clinic and a large one, and a month and a
year, can be compared. A day counts for a patient from the day of enrolment to the day of the
stop, and once on however many drugs; digests are counted apart, for they come every day whatever
happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.case import in_turn
from monitor.core.life import ENDING, end_of
from monitor.core.treatments import Owned, Treatment, by_treatment
from monitor.operations.period import check_period
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import to_event
from monitor.store.outbox import BEARS, DELIVERIES
from monitor.store.tables import table_of

USUAL = timedelta(days=28)
_YEAR = 365.25
_ONE_DAY = timedelta(days=1)
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderBurden:
    """One recipient; `messages` without digests, `alerts` each once however often told."""

    to: str
    messages: int
    digests: int
    alerts: int
    messages_a_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBurden:
    """One rule, or a kind that has none; alerts opened, and messages that bore them."""

    rule: str
    alerts: int
    messages: int
    per_100_patient_years: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """From a day to a day, both included."""

    since: date
    until: date
    days: int
    patient_years: float
    alerts: int
    per_100_patient_years: float | None
    readers: tuple[ReaderBurden, ...]
    rules: tuple[RuleBurden, ...]
    over_budget: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        found = asdict(self)
        found["from"], found["to"] = (found.pop(it).isoformat() for it in ("since", "until"))
        return {"from": found.pop("from"), "to": found.pop("to"), **found}


def burden(
    store: Store, settings: Settings, since: date | None, until: date | None, now: datetime
) -> Burden:
    """Count from `since` (default: 28 days) to `until` (default: today), no later than `now`.
    Raises NoPeriod."""
    with store.read() as connection:
        return count(connection, settings, since, until, now)


def count(
    connection: Connection,
    settings: Settings,
    since: date | None,
    until: date | None,
    now: datetime,
) -> Burden:
    """As `burden`, on a connection."""
    zone = settings.clinic.zone
    last = min(until or clinic_day(now, zone), clinic_day(now, zone))
    first = since or last - USUAL + timedelta(days=1)
    check_period(first, last)
    begin = start_of_day(first, zone)
    end = min(start_of_day(last + timedelta(days=1), zone), now + timedelta(microseconds=1))
    days = (last - first).days + 1
    years = _patient_days(connection, first, last) / _YEAR
    readers = _readers(connection, begin, end, days)
    rules = _rules(connection, begin, end, years)
    alerts = sum(rule.alerts for rule in rules)
    rate = _rate(alerts, years)
    return Burden(
        since=first,
        until=last,
        days=days,
        patient_years=round(years, 2),
        alerts=alerts,
        per_100_patient_years=rate,
        readers=readers,
        rules=rules,
        over_budget=_over(settings, readers, rate),
    )


def _readers(
    connection: Connection, begin: datetime, end: datetime, days: int
) -> tuple[ReaderBurden, ...]:
    messages: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    within = (DELIVERIES.c.created_at >= begin, DELIVERIES.c.created_at < end)
    who = func.lower(DELIVERIES.c.recipient).label("who")
    for row in connection.execute(
        select(who, DELIVERIES.c.kind, func.count().label("number"))
        .where(*within)
        .group_by(who, DELIVERIES.c.kind)
    ):
        messages[row.who]["digests" if row.kind == "digest" else "messages"] += row.number
    borne: dict[str, int] = _counts(
        connection.execute(
            select(who, func.count(func.distinct(BEARS.c.alert_id)))
            .join(BEARS, BEARS.c.delivery_id == DELIVERIES.c.id)
            .where(*within, DELIVERIES.c.kind != "digest")
            .group_by(who)
        )
    )
    return tuple(
        ReaderBurden(
            to=name,
            messages=found["messages"],
            digests=found["digests"],
            alerts=borne.get(name, 0),
            messages_a_day=round(found["messages"] / days, 2),
        )
        for name, found in sorted(messages.items(), key=lambda it: (-it[1]["messages"], it[0]))
    )


def _rules(
    connection: Connection, begin: datetime, end: datetime, years: float
) -> tuple[RuleBurden, ...]:
    name = func.coalesce(_ALERTS.c.rule, _ALERTS.c.kind).label("name")
    opened: dict[str, int] = _counts(
        connection.execute(
            select(name, func.count())
            .where(_ALERTS.c.opened_at >= begin, _ALERTS.c.opened_at < end)
            .group_by(name)
        )
    )
    told: dict[str, int] = _counts(
        connection.execute(
            select(name, func.count(func.distinct(DELIVERIES.c.id)))
            .join(BEARS, BEARS.c.alert_id == _ALERTS.c.id)
            .join(DELIVERIES, DELIVERIES.c.id == BEARS.c.delivery_id)
            .where(DELIVERIES.c.created_at >= begin, DELIVERIES.c.created_at < end)
            .where(DELIVERIES.c.kind != "digest")
            .group_by(name)
        )
    )
    names = sorted({*opened, *told}, key=lambda it: (-opened.get(it, 0), it))
    return tuple(
        RuleBurden(
            rule=it,
            alerts=opened.get(it, 0),
            messages=told.get(it, 0),
            per_100_patient_years=_rate(opened.get(it, 0), years),
        )
        for it in names
    )


def _patient_days(connection: Connection, first: date, last: date) -> int:
    """Days of patients, on however many drugs."""
    columns = _ENROLMENTS.c
    home = func.coalesce(columns.home_id, columns.patient_id).label("home")
    names = ("id", "patient_id", "drug", "started_on", "enrolled_on")
    query = select(home, *(columns[name] for name in names))
    query = query.where(columns.stands).order_by(columns.id)
    treatments: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        treatments[row.patient_id].append(row)
    told = _endings(connection, last)
    return sum(
        _days(_spans(rows, told.get(patient, ()), first, last))
        for patient, rows in treatments.items()
    )


def _endings(connection: Connection, last: date) -> dict[int, list[Owned]]:
    """What ends treatments up to a day, by patient."""
    kept = func.coalesce(_ENROLMENTS.c.merged_into, _EVENTS.c.enrolment_id).label("kept_id")
    query = select(_EVENTS, kept).outerjoin(_ENROLMENTS, _ENROLMENTS.c.id == _EVENTS.c.enrolment_id)
    ending = _EVENTS.c.event.in_(ENDING), ~_EVENTS.c.withdrawn, _EVENTS.c.on <= last
    found: dict[int, list[Owned]] = defaultdict(list)
    for row in connection.execute(query.where(*ending).order_by(_EVENTS.c.id)):
        found[row.patient_id].append((row.kept_id, to_event(row)))
    return found


def _spans(
    rows: Sequence[Row[Any]], told: Sequence[Owned], first: date, last: date
) -> Iterator[tuple[date, date]]:
    """The first and the last day of each treatment of a patient among these days."""
    treatments = [Treatment(it.id, it.drug, it.started_on, it.home) for it in rows]
    events = by_treatment(treatments, told)
    for row in rows:
        own = in_turn(event for owner, event in events if owner in (None, row.id))
        end, _ = end_of(own, row.started_on)
        yield max(row.enrolled_on, first), last if end is None else min(end, last)


def _days(spans: Iterable[tuple[date, date]]) -> int:
    """How many days are in one of the spans at least."""
    total = 0
    counted = date.min
    for begin, end in sorted(spans):
        begin = max(begin, counted + _ONE_DAY)
        if begin <= end:
            total += (end - begin).days + 1
            counted = end
    return total


def _counts(rows: Iterable[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}


def _rate(alerts: int, years: float) -> float | None:
    return round(100 * alerts / years, 1) if years else None


def _over(
    settings: Settings, readers: tuple[ReaderBurden, ...], rate: float | None
) -> tuple[str, ...]:
    budget = settings.budget
    found = [
        f"{reader.to} gets {reader.messages_a_day:g} messages a day; the budget is "
        f"{budget.messages_a_day:g}"
        for reader in readers
        if 0 < budget.messages_a_day < reader.messages_a_day
    ]
    most = budget.alerts_per_100_patient_years
    if rate is not None and 0 < most < rate:
        found.append(f"{rate:g} alerts per 100 patient-years; the budget is {most:g}")
    return tuple(found)
