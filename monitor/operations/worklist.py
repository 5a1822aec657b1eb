"""The worklist: who needs somebody. One row a patient with all causes, worst and longest first.

It reads what stands in the tables. A first, light query goes over every live alert, for counts
and order; a second one fetches what is shown of the patients of one page.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, text

from monitor.config import Settings
from monitor.core.model import AlertState, Kind, Urgency
from monitor.operations.alert_list import Standing, alert_row
from monitor.operations.muted import muted_alerts
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import chunks
from monitor.store.silent_feeds import suspected
from monitor.store.tables import table_of

PATIENTS_A_PAGE = 50
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_LIVE = text(
    "SELECT a.id, e.patient_id, e.clinic, e.drug, a.kind, a.urgency, a.state, a.recovered, "
    "a.snoozed_until, a.outcome_missed, a.opened_at, a.acknowledged_by, a.assigned_to "
    "FROM alerts a JOIN enrolments e ON e.id = a.enrolment_id "
    "WHERE a.state IN ('open', 'acknowledged')"
)


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
    only: frozenset[int] | None = None
    """Ids of patients a search found."""


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

    @property
    def with_whom(self) -> str:
        return self.acknowledged_by or self.assigned_to


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
    patients: tuple[Somebody, ...]
    counts: Mapping[View, int]
    total: int
    pages: int
    clinics: tuple[str, ...]
    drugs: tuple[str, ...]
    enrolled: int
    seen: str


@dataclass(slots=True)
class _Group:
    """The light rows of one patient."""

    rows: list[Any] = field(default_factory=list)
    views: set[View] = field(default_factory=set)
    rank: int = -1
    since: Any = None


def worklist(store: Store, settings: Settings, wanted: Wanted, now: datetime) -> Worklist:
    """The page of the worklist that is wanted."""
    with store.read() as connection:
        rows = connection.execute(_LIVE).all()
        groups = _grouped(_chosen(rows, wanted), wanted.view)
        counts = Counter(view for group in groups.values() for view in group.views)
        counts[View.ALL] = len(groups)
        shown = [it for it in groups.items() if wanted.view in (*it[1].views, View.ALL)]
        shown.sort(key=lambda it: (-it[1].rank, it[1].since, it[0]))
        pages = max(1, -(-len(shown) // PATIENTS_A_PAGE))
        first = (min(max(wanted.page, 1), pages) - 1) * PATIENTS_A_PAGE
        page = [patient_id for patient_id, _ in shown[first : first + PATIENTS_A_PAGE]]
        return Worklist(
            wanted=wanted,
            patients=_patients(connection, settings, page, wanted.view, now),
            counts={view: counts[view] for view in View},
            total=len(shown),
            pages=pages,
            clinics=tuple(sorted({row.clinic for row in rows if row.clinic})),
            drugs=tuple(sorted({row.drug for row in rows})),
            enrolled=_enrolled(connection),
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


def patients_like(store: Store, words: str, at_most: int = 200) -> frozenset[int]:
    """Ids of patients of whom every word is in a name or a number, without case."""
    parts = [it.casefold() for it in words.split()][:6]
    if not parts:
        return frozenset()
    clauses, values = [], {}
    for number, part in enumerate(parts):
        plain = part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        values[f"w{number}"] = f"%{plain}%"
        clauses.append(
            f"(lower(p.family_name) LIKE :w{number} ESCAPE '!' OR lower(p.given_name) LIKE "
            f":w{number} ESCAPE '!' OR lower(p.mrn) LIKE :w{number} ESCAPE '!')"
        )
    query = text(
        "SELECT COALESCE(p.person_id, p.id) FROM patients p WHERE "  # noqa: S608  # names of ours
        f"{' AND '.join(clauses)} ORDER BY p.id LIMIT {int(at_most)}"
    )
    with store.read() as connection:
        return frozenset(connection.scalars(query, values))


def _chosen(rows: Iterable[Any], wanted: Wanted) -> Iterable[Any]:
    late = {Kind.OVERDUE_TEST.value}
    me = wanted.mine.casefold()
    for row in rows:
        if (
            (not wanted.clinic or row.clinic == wanted.clinic)
            and (not wanted.drug or row.drug == wanted.drug)
            and (not wanted.urgency or row.urgency == wanted.urgency)
            and (not wanted.overdue or row.kind in late)
            and (not me or (row.acknowledged_by or row.assigned_to or "").casefold() == me)
            and (wanted.only is None or row.patient_id in wanted.only)
        ):
            yield row


def _grouped(rows: Iterable[Any], view: View) -> dict[int, _Group]:
    """By patient; worst and longest of what the view is about."""
    groups: dict[int, _Group] = defaultdict(_Group)
    for row in rows:
        group, own = groups[row.patient_id], view_of(row)
        group.rows.append(row)
        group.views.add(own)
        if view not in (own, View.ALL):
            continue
        rank = Urgency(row.urgency).rank
        if rank > group.rank:
            group.rank, group.since = rank, row.opened_at
        elif rank == group.rank:
            group.since = min(group.since, row.opened_at)
    return groups


def _patients(
    connection: Connection, settings: Settings, ids: list[int], view: View, now: datetime
) -> tuple[Somebody, ...]:
    """These patients in this order, with every live alert of each."""
    if not ids:
        return ()
    alerts = _alerts_of(connection, ids)
    muted = muted_alerts(connection)
    late = [it for it in alerts if it.kind == Kind.OVERDUE_TEST.value]
    feeds = suspected(connection, {it.enrolment_id for it in late})
    causes: dict[int, list[Cause]] = defaultdict(list)
    for row in alerts:
        standing = Standing(row, row.state, row.recovered, row.closed_at, row.shown)
        feed = feeds.get(row.enrolment_id, "") if row.kind == Kind.OVERDUE_TEST.value else ""
        alert = alert_row(standing, settings.clinic.zone, now)
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


def _enrolled(connection: Connection) -> int:
    query = text("SELECT COUNT(*) FROM enrolments WHERE stands AND next_review_at IS NOT NULL")
    return int(connection.scalar(query) or 0)


def _seen(connection: Connection) -> str:
    last = connection.execute(
        text("SELECT (SELECT MAX(id) FROM alert_history), (SELECT MAX(id) FROM alerts)")
    ).one()
    return f"{last[0] or 0}.{last[1] or 0}"
