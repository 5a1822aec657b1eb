"""The worklist: who needs somebody. One row a patient with all causes, worst and longest first.

It reads what stands in the tables. The database counts and orders the patients over every live
alert; what is shown is fetched for the patients of one page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
)

from monitor.config import Settings
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.operations.alert_list import Standing, alert_row
from monitor.operations.letters import spellings
from monitor.operations.muted import muted_alerts
from monitor.operations.status import with_review_ahead
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import chunks
from monitor.store.silent_feeds import suspected
from monitor.store.tables import table_of

PATIENTS_A_PAGE = 50
_LONGEST_SEARCH = 200
"""Nobody types more to find one."""
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)


class View(StrEnum):
    """Which causes a list is about."""

    NEEDED = "needed"
    """Nobody has it in hand, or its outcome is owed."""
    IN_HAND = "in_hand"
    SNOOZED = "snoozed"
    RECOVERED = "recovered"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to see; empty means any."""

    view: View = View.NEEDED
    clinic: str = ""
    drug: str = ""
    urgency: str = ""
    overdue: bool = False
    mine: str = ""
    """The name of whoever asks for their own."""
    page: int = 1
    like: str | None = None
    """What a search looks for: every word is in a name or a number, without case."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One live alert of a patient. `alert` has the keys of the JSON contract."""

    alert: Mapping[str, Any]
    view: View
    version: int
    assigned_to: str
    acknowledged_by: str
    acknowledged_until: date | None
    snoozed_until: date | None
    snooze_reason: str
    outcome_missed: bool
    contact_outcome: str
    no_answers: int
    muted_by: int | None
    feed_suspected: str
    source: str

    @property
    def id(self) -> int:
        return int(self.alert["id"])


@dataclass(frozen=True, slots=True)
class Somebody:
    """A patient who needs somebody, and every cause."""

    id: int
    mrn: str
    family_name: str
    given_name: str
    birth_date: date | None
    drugs: tuple[str, ...]
    clinics: tuple[str, ...]
    urgency: str
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page of it. `counts` are patients a view, under the other choices; `seen` tells whether
    anything has happened since."""

    wanted: Wanted
    page: int
    patients: tuple[Somebody, ...]
    counts: Mapping[View, int]
    total: int
    pages: int
    clinics: tuple[str, ...]
    drugs: tuple[str, ...]
    with_review_ahead: int
    """Enrolments."""
    seen: str


def worklist(store: Store, settings: Settings, wanted: Wanted, now: datetime) -> Worklist:
    """The page of the worklist that is wanted."""
    with store.read() as connection:
        counts = _counts(connection, wanted)
        total = counts[wanted.view]
        pages = max(1, -(-total // PATIENTS_A_PAGE))
        page = min(max(wanted.page, 1), pages)
        first = (page - 1) * PATIENTS_A_PAGE
        ids = _ids(connection, wanted, first + PATIENTS_A_PAGE)[first:] if total else []
        clinics, drugs = _offered(connection)
        return Worklist(
            wanted=wanted,
            page=page,
            patients=_patients(connection, settings, ids, wanted.view, now),
            counts=counts,
            total=total,
            pages=pages,
            clinics=clinics,
            drugs=drugs,
            with_review_ahead=with_review_ahead(connection),
            seen=_seen(connection),
        )


def seen(store: Store) -> str:
    """What changes whenever anything happens to any alert; cheap enough to ask every few
    seconds."""
    with store.read() as connection:
        return _seen(connection)


def view_of(row: Any) -> View:
    """Which view a live alert belongs to."""
    if row.recovered:
        return View.RECOVERED
    if row.snoozed_until is not None:
        return View.SNOOZED
    if row.state == AlertState.ACKNOWLEDGED.value and not row.outcome_missed:
        return View.IN_HAND
    return View.NEEDED


_VIEW = case(
    (_ALERTS.c.recovered, View.RECOVERED.value),
    (_ALERTS.c.snoozed_until.is_not(None), View.SNOOZED.value),
    (
        (_ALERTS.c.state == AlertState.ACKNOWLEDGED.value) & ~_ALERTS.c.outcome_missed,
        View.IN_HAND.value,
    ),
    else_=View.NEEDED.value,
)
"""`view_of`, as the database reckons it over all live alerts."""


def _live(wanted: Wanted) -> Subquery:
    """Live alerts under these choices: whose, in which view, in which order. All columns of alerts
    that it asks for are in one index, apart from the evidence; the plus keeps SQLite from walking
    over every enrolment instead."""
    of_whom = _ENROLMENTS.c.id == literal_column("+alerts.enrolment_id")
    ranks = {it.value: Urgency.CRITICAL.rank - it.rank for it in Urgency}
    columns = (
        _ENROLMENTS.c.patient_id,
        _ENROLMENTS.c.clinic,
        _ENROLMENTS.c.drug,
        _ALERTS.c.opened_at,
        case(ranks, value=_ALERTS.c.urgency).label("place"),
        _VIEW.label("view"),
    )
    return (
        select(*columns)
        .select_from(_ALERTS.join(_ENROLMENTS, of_whom))
        .where(_ALERTS.c.state != literal_column("'closed'"), *_choices(wanted))
        .subquery()
    )


def _choices(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.clinic:
        yield _ENROLMENTS.c.clinic == wanted.clinic
    if wanted.drug:
        yield _ENROLMENTS.c.drug == wanted.drug
    if wanted.urgency:
        yield _ALERTS.c.urgency == wanted.urgency
    if wanted.overdue:
        yield _ALERTS.c.kind == Kind.OVERDUE_TEST.value
    if wanted.mine:
        has = case(
            (func.coalesce(_ALERTS.c.acknowledged_by, "") != "", _ALERTS.c.acknowledged_by),
            else_=_ALERTS.c.assigned_to,
        )
        yield func.lower(has).in_(spellings(wanted.mine))
    if wanted.like is not None:
        yield _ENROLMENTS.c.patient_id.in_(_patients_like(wanted.like))


def _patients_like(words: str) -> Select[Any]:
    """Ids of patients of whom every word is in a name or a number; nobody for no word."""
    columns = _PATIENTS.c
    named = columns.family_name, columns.given_name, columns.mrn
    parts = words[:_LONGEST_SEARCH].replace(",", " ").split()
    every = [
        or_(
            *(
                func.lower(it).contains(spelt, autoescape=True)
                for it in named
                for spelt in spellings(part)
            )
        )
        for part in parts
    ]
    return select(func.coalesce(columns.person_id, columns.id)).where(*(every or [false()]))


def _counts(connection: Connection, wanted: Wanted) -> dict[View, int]:
    """Patients a view, under the other choices."""
    live = _live(wanted)
    patients = func.count(live.c.patient_id.distinct())
    counts = dict.fromkeys(View, 0)
    for view, count in connection.execute(select(live.c.view, patients).group_by(live.c.view)):
        counts[View(view)] = count
    counts[View.ALL] = connection.scalar(select(patients)) or 0
    return counts


def _ids(connection: Connection, wanted: Wanted, upto: int) -> list[int]:
    """The patients of the first so many places: with something critical first, by how long, then
    urgent. A patient's place is that of their first alert in this order."""
    live = _live(wanted)
    query = select(live.c.patient_id)
    if wanted.view is not View.ALL:
        query = query.where(live.c.view == wanted.view.value)
    query = query.order_by(live.c.place, live.c.opened_at, live.c.patient_id)
    most = 2 * upto
    while True:
        rows = list(connection.scalars(query.limit(most)))
        ids = list(dict.fromkeys(rows))
        if len(ids) >= upto or len(rows) < most:
            return ids[:upto]
        most *= 4


def _patients(
    connection: Connection, settings: Settings, ids: list[int], view: View, now: datetime
) -> tuple[Somebody, ...]:
    """These patients in this order, with every live alert of each."""
    if not ids:
        return ()
    zone, alerts = settings.clinic.zone, _alerts_of(connection, ids)
    muted = muted_alerts(connection, {it.enrolment_id for it in alerts})
    late = [it for it in alerts if it.kind == Kind.OVERDUE_TEST.value]
    feeds = suspected(connection, {it.enrolment_id for it in late})
    causes: dict[int, list[Cause]] = defaultdict(list)
    for row in alerts:
        standing = Standing(row, row.state, row.recovered, row.closed_at, row.shown)
        silence = feeds.get(row.enrolment_id) if row.kind == Kind.OVERDUE_TEST.value else None
        alert, feed = alert_row(standing, zone, now), silence.says(zone) if silence else ""
        causes[row.patient_id].append(_cause(row, alert, muted.get(row.id), feed))
    people = {
        row.id: row
        for piece in chunks(ids)
        for row in connection.execute(select(_PATIENTS).where(_PATIENTS.c.id.in_(piece)))
    }
    clinics: dict[int, set[str]] = defaultdict(set)
    for row in alerts:
        clinics[row.patient_id].add(row.clinic)
    return tuple(_somebody(people[it], causes[it], clinics[it], view) for it in ids if it in people)


def _alerts_of(connection: Connection, ids: Collection[int]) -> list[Row[Any]]:
    query = (
        select(_ALERTS, _ENROLMENTS.c.patient_id, _ENROLMENTS.c.clinic)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .where(_ALERTS.c.state != AlertState.CLOSED.value)
    )
    found: list[Row[Any]] = []
    for piece in chunks(list(ids)):
        found += connection.execute(query.where(_ENROLMENTS.c.patient_id.in_(piece)))
    return found


def _cause(row: Any, alert: Mapping[str, Any], muted_by: int | None, feed: str) -> Cause:
    return Cause(
        alert=alert,
        view=view_of(row),
        version=row.version,
        assigned_to=row.assigned_to,
        acknowledged_by=(row.acknowledged_by or "") if row.state == "acknowledged" else "",
        acknowledged_until=row.acknowledged_until,
        snoozed_until=row.snoozed_until,
        snooze_reason=row.snooze_reason or "",
        outcome_missed=row.outcome_missed,
        contact_outcome=row.contact_outcome,
        no_answers=row.no_answers,
        muted_by=muted_by,
        feed_suspected=feed,
        source=row.shown.get("source", ""),
    )


def _somebody(person: Any, causes: list[Cause], clinics: set[str], view: View) -> Somebody:
    causes.sort(
        key=lambda it: (
            it.view is not view and view is not View.ALL,
            -Urgency(it.alert["urgency"]).rank,
            it.alert["opened_at"],
            it.id,
        )
    )
    return Somebody(
        id=person.id,
        mrn=person.mrn,
        family_name=person.family_name,
        given_name=person.given_name,
        birth_date=person.birth_date,
        drugs=tuple(dict.fromkeys(it.alert["drug"] for it in causes)),
        clinics=tuple(sorted(it for it in clinics if it)),
        urgency=causes[0].alert["urgency"] if causes else Urgency.ROUTINE.value,
        causes=tuple(causes),
    )


def _offered(connection: Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clinics and drugs of those who have a live alert."""
    live = _live(Wanted())
    rows = connection.execute(select(live.c.clinic, live.c.drug).distinct()).all()
    return tuple(sorted({it[0] for it in rows if it[0]})), tuple(sorted({it[1] for it in rows}))


def _seen(connection: Connection) -> str:
    last = connection.execute(
        text("SELECT (SELECT MAX(id) FROM alert_history), (SELECT MAX(id) FROM alerts)")
    ).one()
    return f"{last[0] or 0}.{last[1] or 0}"
