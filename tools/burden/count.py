"""Alerts that opened, by rule and urgency, for 100 patient-years: of everybody, of the first
year on the drug, and of those on it for longer; how many of them came as a message; and how many
are of values, of tests that were not done, of what is not on record, of tasks."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from monitor.config import Settings
from monitor.core.vocabulary import Kind
from monitor.operations import burden
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.outbox import BEARS, DELIVERIES
from monitor.store.tables import table_of

_YEAR = timedelta(days=365)
_YEAR_DAYS = 365.25
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_LATE, _TASKS, _RECORDS, _VALUES = (
    "tests that were not done",
    "yearly tasks: a line of the digest",
    "what is not on record: baseline, weight, dose",
    "values, doses, symptoms",
)
_NOT_ON_RECORD = ("baseline_missing", "dose_check:weight", "dose_check:dose_unknown")


@dataclass(frozen=True, slots=True)
class Row:
    """One cause at one urgency; rates of 100 patient-years. `mailed` of the alerts came as a
    message of their own, the others as a line of a digest, or muted by another alert."""

    cause: str
    kind: str
    urgency: str
    alerts: int
    mailed: int
    everybody: float
    first_year: float
    later: float

    @property
    def about(self) -> str:
        """What kind of thing it speaks of."""
        if self.kind == Kind.OVERDUE_TEST.value or self.cause.startswith("missed:"):
            return _LATE
        if self.kind == Kind.TASK_DUE.value:
            return _TASKS
        return _RECORDS if self.cause in _NOT_ON_RECORD else _VALUES


@dataclass(frozen=True, slots=True)
class Counted:
    """What a clinic was told. `messages` are those of the outbox, digests apart."""

    first: date
    last: date
    patients: int
    patient_years: float
    first_years: float
    rows: tuple[Row, ...]
    messages: dict[str, int]
    results: int

    def document(self) -> dict[str, Any]:
        return asdict(self) | {"first": str(self.first), "last": str(self.last)}

    def rate(self, *urgencies: str, which: str = "everybody") -> float:
        """Alerts of these urgencies for 100 patient-years."""
        told = [float(getattr(it, which)) for it in self.rows if it.urgency in urgencies]
        return round(sum(told), 1)

    def groups(self) -> list[tuple[str, int, int, float]]:
        """What the alerts that are not critical speak of: alerts, mailed, of 100 patient-years."""
        found = []
        for name in (_VALUES, _RECORDS, _LATE, _TASKS):
            rows = [it for it in self.rows if it.about == name and it.urgency != "critical"]
            alerts, mailed = sum(it.alerts for it in rows), sum(it.mailed for it in rows)
            found.append((name, alerts, mailed, _rate(alerts, self.patient_years)))
        return found


def count(store: Store, settings: Settings, first: date, last: date, now: datetime) -> Counted:
    """Count from `first` to `last`; patient-years are those of `monitor report burden`."""
    with store.read() as connection:
        known = burden.count(connection, settings, first, last, now)
        starts = {it.id: it for it in connection.execute(select(_ENROLMENTS))}
        stops: dict[int, date] = {
            it.enrolment_id: it.on
            for it in connection.execute(select(_EVENTS).where(_EVENTS.c.event == "stop"))
        }
        opened: Counter[tuple[str, str, str, bool]] = Counter()
        mailed: Counter[tuple[str, str, str]] = Counter()
        by_message = set(
            connection.scalars(
                select(BEARS.c.alert_id)
                .join(DELIVERIES, DELIVERIES.c.id == BEARS.c.delivery_id)
                .where(DELIVERIES.c.kind != "digest", DELIVERIES.c.created_at <= now)
            )
        )
        for it in connection.execute(select(_ALERTS).where(_ALERTS.c.opened_at <= now)):
            new = it.opened_at.date() < starts[it.enrolment_id].started_on + _YEAR
            opened[_cause(it.cause), it.kind, it.urgency, new] += 1
            mailed[_cause(it.cause), it.kind, it.urgency] += it.id in by_message
        messages = {
            f"{it.kind} {it.urgency}": it.number
            for it in connection.execute(
                select(DELIVERIES.c.kind, DELIVERIES.c.urgency, func.count().label("number"))
                .where(DELIVERIES.c.kind != "digest", DELIVERIES.c.created_at <= now)
                .group_by(DELIVERIES.c.kind, DELIVERIES.c.urgency)
            )
        }
        results = connection.scalar(select(func.count()).select_from(table_of(tables.ResultRow)))
    early = sum(
        max((min(stops.get(id_, last), last, it.started_on + _YEAR) - it.enrolled_on).days, 0)
        for id_, it in starts.items()
    )
    years, new_years = known.patient_years, early / _YEAR_DAYS
    keys = sorted({key[:3] for key in opened}, key=lambda key: (-_sum(opened, key), key))
    return Counted(
        first=first,
        last=last,
        patients=len(starts),
        patient_years=years,
        first_years=round(new_years, 1),
        rows=tuple(
            Row(
                *key,
                alerts=_sum(opened, key),
                mailed=mailed[key],
                everybody=_rate(_sum(opened, key), years),
                first_year=_rate(opened[*key, True], new_years),
                later=_rate(opened[*key, False], years - new_years),
            )
            for key in keys
        ),
        messages=dict(sorted(messages.items())),
        results=results or 0,
    )


def lines(found: Counted) -> list[str]:
    """The account as a table of Markdown."""
    about = (
        f"{found.patients} patients, {found.first} to {found.last}: {found.patient_years:.1f} "
        f"patient-years ({found.first_years:.1f} in the first year on the drug), "
        f"{found.results} results."
    )
    told = [
        about,
        "",
        "| cause | kind | urgency | alerts | mailed | per 100 patient-years | first year | later |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    told += [
        f"| {it.cause} | {it.kind} | {it.urgency} | {it.alerts} | {it.mailed} | {it.everybody} | "
        f"{it.first_year} | {it.later} |"
        for it in found.rows
    ]
    for name, urgencies in (("not critical", ("routine", "urgent")), ("critical", ("critical",))):
        rates = (found.rate(*urgencies, which=it) for it in ("everybody", "first_year", "later"))
        rows = [it for it in found.rows if it.urgency in urgencies]
        number, mailed = sum(it.alerts for it in rows), sum(it.mailed for it in rows)
        told.append(
            f"| **{name}** | | | {number} | {mailed} | "
            + " | ".join(f"{it}" for it in rates)
            + " |"
        )
    told += [
        "",
        "| not critical, of | alerts | mailed | per 100 patient-years |",
        "| --- | --- | --- | --- |",
        *(
            f"| {name} | {alerts} | {mailed} | {rate} |"
            for name, alerts, mailed, rate in found.groups()
        ),
    ]
    total = sum(found.messages.values())
    per_100 = 100 * total / found.patient_years if found.patient_years else 0
    by_kind = ", ".join(f"{kind} {number}" for kind, number in found.messages.items())
    told += ["", f"Messages, digests apart: {total}, {per_100:.1f} per 100 patient-years"
             + (f" ({by_kind})." if by_kind else ".")]  # fmt: skip
    return told


def _cause(cause: str) -> str:
    """The rule, or the room that spoke: what stands before a panel's or a drug's name."""
    return cause.removeprefix("rule:")


def _sum(opened: Counter[tuple[str, str, str, bool]], key: tuple[str, str, str]) -> int:
    return opened[*key, True] + opened[*key, False]


def _rate(alerts: int, years: float) -> float:
    return round(100 * alerts / years, 1) if years > 0 else 0.0
