"""What the core needs to judge enrolments, read in a few queries for any number of them."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true, update

from monitor.core.calendar import clinic_day
from monitor.core.case import Case, Enrolment, Event, HeldRow
from monitor.core.changes import Alert
from monitor.core.meanings import read_meanings
from monitor.core.ordered import Ordered
from monitor.core.pairing import merged_into
from monitor.core.recalled import Recalled
from monitor.core.treatments import Owned, Treatment, by_treatment
from monitor.core.vocabulary import AlertState, Kind, PanelState, Urgency
from monitor.store import tables
from monitor.store.among import among
from monitor.store.claims import FIRST
from monitor.store.histories import Histories
from monitor.store.keeping import RESULTS_ALONE
from monitor.store.personal import load_personal
from monitor.store.persons import of_enrolment, of_person
from monitor.store.tables import table_of

T = TypeVar("T")
CHUNK = 500
"""Ids a query: SQLite allows a limited number of parameters."""

_FILLED = (
    "indication", "clinic", "dose_mg_per_day", "last_tested_on", "weight_kg", "tpmt", "nudt15",
)  # fmt: skip
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_EVENTS = table_of(tables.EventRow)
_HELD = table_of(tables.HeldRowTable)
_ALERTS = table_of(tables.AlertRow)


def load_cases(
    connection: Connection,
    enrolment_ids: Collection[int],
    *,
    until: datetime | None = None,
    zone: ZoneInfo,
    histories: Histories | None = None,
    recalled: Mapping[int, Recalled] = MappingProxyType({}),
) -> list[Case]:
    """The cases of those of these enrolments that stand, in the order of their ids. Of patients
    whose results are `recalled` none are read; `histories` are those of this transaction.

    Results are those that stand after corrections. `until` hides results collected later,
    events and held rows of a later clinic day, and enrolments of which nothing was before: they
    began later and were entered later; None hides nothing.
    """
    histories = histories or Histories(connection)
    with not_collecting():
        return [
            case
            for ids in chunks(sorted(set(enrolment_ids)))
            for case in _chunk_of_cases(connection, ids, until, zone, histories, recalled)
        ]


def as_known_at(
    connection: Connection, cases: Sequence[Case], until: datetime, zone: ZoneInfo
) -> list[Case]:
    """What `load_cases` finds of these cases `until` an instant before the one they were loaded
    for; read again are only those with something of their own, or another enrolment."""
    day = clinic_day(until, zone)
    alone = [it for it in cases if not (it.siblings or it.personal)]
    others = [it.enrolment.id for it in cases if it.siblings or it.personal]
    found = [_hidden_after(it, until, day) for it in alone if _had_begun(it.enrolment, day)]
    found += load_cases(connection, others, until=until, zone=zone)
    return sorted(found, key=lambda it: it.enrolment.id)


def _had_begun(it: Enrolment, day: date) -> bool:
    return it.started_on <= day or it.enrolled_on <= day


def _hidden_after(case: Case, until: datetime, day: date) -> Case:
    results = case.results
    return replace(
        case,
        results=results.up_to(day)
        if isinstance(results, Ordered)
        else tuple(it for it in results if it.collected_at <= until),
        events=tuple(it for it in case.events if it.on <= day),
        held=tuple(it for it in case.held if it.collected_on is None or it.collected_on <= day),
    )


@contextmanager
def not_collecting() -> Iterator[None]:
    """Rows hold no cycles: to look for some among all that were just made takes as long as to
    make them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_alerts(connection: Connection, enrolment_ids: Collection[int]) -> dict[int, list[Alert]]:
    """All alerts of each of these enrolments, the closed ones too, oldest first."""
    found: dict[int, list[Alert]] = {enrolment: [] for enrolment in enrolment_ids}
    for ids in chunks(sorted(found)):
        query = select(_ALERTS).where(among(_ALERTS.c.enrolment_id, ids)).order_by(_ALERTS.c.id)
        for row in connection.execute(query):
            found[row.enrolment_id].append(to_alert(row))
    return found


def to_alert(row: Any) -> Alert:
    """A row of `alerts` as the core knows it."""
    return Alert(
        id=row.id,
        enrolment_id=row.enrolment_id,
        cause=row.cause,
        kind=Kind(row.kind),
        urgency=Urgency(row.urgency),
        state=AlertState(row.state),
        recovered=row.recovered,
        opened_at=row.opened_at,
        summary=row.summary,
        level=row.level,
        breaches=tuple(datetime.fromisoformat(instant) for instant in row.breaches),
        panels=tuple(
            (panel["panel"], PanelState(panel["state"])) for panel in row.shown.get("panels", ())
        ),
        done=tuple(
            (panel["panel"], _day(panel.get("last_completed_on")))
            for panel in row.shown.get("panels", ())
        ),
        subjects=tuple(row.subjects),
        worst_value=row.worst_value,
        downward=row.downward,
        told_level=row.told_level,
        told_value=row.told_value,
        last_told_at=row.last_told_at,
        first_seen_recovered=row.first_seen_recovered,
        acknowledged_until=row.acknowledged_until,
        snoozed_until=row.snoozed_until,
        review_by=row.review_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        closed_recovered=row.closed_recovered,
        merged_into=merged_into(row.outcome) if row.outcome and not row.closed_by else None,
        protocol_digest=row.protocol_digest,
        news=row.shown.get("news", ""),
        limit_text=row.shown.get("limit_text") or "",
        content=row.content,
        asked_at=row.asked_at,
        rungs_told=row.rungs_told,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        outcome_at=row.outcome_at,
        outcome_missed=row.outcome_missed,
        no_answers=row.no_answers,
        contact_outcome=row.contact_outcome,
        assigned_to=row.assigned_to,
        version=row.version,
        mrn=row.shown.get("mrn") or "",
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def all_enrolment_ids(connection: Connection) -> list[int]:
    """The id of every enrolment that stands, ascending."""
    query = select(_ENROLMENTS.c.id).where(_ENROLMENTS.c.stands)
    return list(connection.scalars(query.order_by(_ENROLMENTS.c.id)))


def wake(
    connection: Connection, patient_ids: Collection[int], at: datetime, *, results: bool = True
) -> tuple[int, ...]:
    """Have all enrolments of these patients reviewed at `at`; returns their ids, ascending.
    Without `results` no result that was there has changed, but for what rows that came say of it:
    what is remembered of results is kept.

    To be called after the new results or events were written, in the same transaction: a
    review that read the patients before now holds the rows, so this waits for it and has
    the last word.
    """
    found: list[int] = []
    for ids in chunks(sorted(set(patient_ids))):
        query = select(_ENROLMENTS.c.id).where(among(_ENROLMENTS.c.patient_id, ids))
        found += connection.scalars(query)
    wake_enrolments(connection, found, at, results=results)
    return tuple(sorted(found))


def wake_enrolments(
    connection: Connection, enrolment_ids: Collection[int], at: datetime, *, results: bool = True
) -> None:
    """Have these enrolments reviewed at `at`; without `results`, as in `wake`."""
    kept_by = None if results else RESULTS_ALONE
    for ids in chunks(sorted(set(enrolment_ids))):
        mine = among(_ENROLMENTS.c.id, ids)
        # Locked in the order of ids first, so that two who wake never wait for each other.
        query = select(_ENROLMENTS.c.id).where(mine).order_by(_ENROLMENTS.c.id)
        connection.execute(query.with_for_update()).all()
        connection.execute(
            update(_ENROLMENTS)
            .where(mine)
            .values(next_review_at=at, wake_rank=FIRST, kept_by=kept_by)
        )


def wake_together(connection: Connection, enrolment_id: int, at: datetime) -> None:
    """Have an enrolment reviewed and the others of its patient, which tell of a panel that
    several drugs ask for by what is set for each."""
    own = select(_ENROLMENTS.c.patient_id).where(_ENROLMENTS.c.id == enrolment_id)
    wake(connection, list(connection.scalars(own)), at)


def chunks(ids: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """The ids in pieces that fit a query."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _chunk_of_cases(
    connection: Connection,
    ids: Sequence[int],
    until: datetime | None,
    zone: ZoneInfo,
    histories: Histories,
    recalled: Mapping[int, Recalled],
) -> list[Case]:
    asked = set(ids)
    enrolments = _with_siblings(connection, ids, until, zone)
    patients = sorted({enrolment.patient_id for enrolment in enrolments})
    results = histories.of_patients([it for it in patients if it not in recalled], until)
    days = true() if until is None else _EVENTS.c.on <= clinic_day(until, zone)
    events = _by_treatment(enrolments, events_of(connection, patients, days))
    held = _held(connection, patients, until, zone)
    personal = load_personal(connection, [it.id for it in enrolments], until)
    cases = [
        Case(
            enrolment=enrolment,
            results=recalled[enrolment.patient_id]
            if enrolment.patient_id in recalled
            else tuple(results.get(enrolment.patient_id, ())),
            events=tuple(
                event
                for owner, event in events.get(enrolment.patient_id, ())
                if owner is None or owner == enrolment.id
            ),
            held=tuple(held.get(enrolment.patient_id, ())),
            personal=personal.get(enrolment.id, ()),
        )
        for enrolment in enrolments
    ]
    by_patient: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        by_patient[case.enrolment.patient_id].append(case)
    return [
        replace(case, siblings=tuple(it for it in by_patient[patient] if it is not case))
        if len(by_patient[patient := case.enrolment.patient_id]) > 1
        else case
        for case in cases
        if case.enrolment.id in asked
    ]


def _by_treatment(
    enrolments: Sequence[Enrolment], events: Mapping[int, Sequence[Owned]]
) -> Mapping[int, Sequence[Owned]]:
    """The events of each patient, each with the enrolment that it is of."""
    own: dict[int, list[Treatment]] = defaultdict(list)
    for it in enrolments:
        own[it.patient_id].append(Treatment(it.id, it.drug, it.started_on, it.home))
    return {
        patient: by_treatment(own[patient], told) if len(own[patient]) > 1 else told
        for patient, told in events.items()
    }


def load_enrolments(connection: Connection, ids: Sequence[int]) -> list[Enrolment]:
    """These enrolments, in the order of their ids, also those that stand no more."""
    return _enrolments(connection, among(_ENROLMENTS.c.id, ids)) if ids else []


def _with_siblings(
    connection: Connection, ids: Sequence[int], until: datetime | None, zone: ZoneInfo
) -> list[Enrolment]:
    """Of these enrolments and all others of the same patients those that stand, by id."""
    columns = _ENROLMENTS.c
    patients = select(columns.patient_id).where(among(columns.id, ids))
    which = and_(columns.patient_id.in_(patients), columns.stands)
    if until is not None:
        day = clinic_day(until, zone)
        which = and_(which, or_(columns.started_on <= day, columns.enrolled_on <= day))
    return _enrolments(connection, which)


def _enrolments(connection: Connection, which: ColumnElement[bool]) -> list[Enrolment]:
    columns = _ENROLMENTS.c
    query = (
        select(
            columns.id,
            columns.patient_id,
            _PATIENTS.c.mrn,
            columns.drug,
            columns.protocol_id,
            columns.started_on,
            columns.enrolled_on,
            func.coalesce(columns.home_id, columns.patient_id).label("home"),
            *(of_enrolment(name) for name in _FILLED),
            of_person("sex"),
            of_person("birth_date"),
        )
        .join(_PATIENTS, _PATIENTS.c.id == columns.patient_id)
        .where(which)
        .order_by(columns.id)
    )
    return [Enrolment(**row._mapping) for row in connection.execute(query)]


def events_of(
    connection: Connection, patients: Sequence[int], days: ColumnElement[bool]
) -> Mapping[int, list[Owned]]:
    """What was said of patients, by days of `events.on`, and of which enrolment; each once."""
    columns = _EVENTS.c
    happened = and_(among(columns.patient_id, patients), ~columns.withdrawn, days)
    found: dict[int, list[Owned]] = defaultdict(list)
    kept = func.coalesce(_ENROLMENTS.c.merged_into, columns.enrolment_id).label("kept_id")
    query = select(_EVENTS, kept).outerjoin(_ENROLMENTS, _ENROLMENTS.c.id == columns.enrolment_id)
    homes: dict[Hashable, int | None] = {}
    for row in connection.execute(query.where(happened).order_by(columns.id)):
        same = (row.patient_id, row.kept_id, row.on, row.event, row.value, row.drug, row.note)
        if homes.setdefault(same, row.home_id) != row.home_id:
            continue  # said under two numbers that are one patient's
        found[row.patient_id].append((row.kept_id, to_event(row)))
    return found


def to_event(row: Any) -> Event:
    """An event as the core takes it, of a row of its table."""
    return Event(
        id=row.id,
        on=row.on,
        event=row.event,
        value=row.value,
        drug=row.drug,
        note=row.note,
        received_at=row.received_at,
        file_id=row.file_id,
        line=row.line,
    )


def _held(
    connection: Connection, patients: Sequence[int], until: datetime | None, zone: ZoneInfo
) -> Mapping[int, list[HeldRow]]:
    columns = _HELD.c
    held = and_(among(columns.patient_id, patients), columns.state == "held", columns.analyte != "")
    if until is not None:
        day = clinic_day(until, zone)
        held = and_(held, or_(columns.collected_on.is_(None), columns.collected_on <= day))
    found: dict[int, list[HeldRow]] = defaultdict(list)
    for row in connection.execute(select(_HELD).where(held).order_by(columns.id)):
        found[row.patient_id].extend(_held_rows(row))
    return found


def _held_rows(row: Any) -> Iterator[HeldRow]:
    for analyte, values in read_meanings(row.analyte, row.possible_values).items():
        yield HeldRow(
            id=row.id,
            analyte=analyte,
            collected_on=row.collected_on,
            received_value=str(row.raw.get("value") or ""),
            received_unit=str(row.raw.get("unit") or ""),
            reason=row.reason,
            held_at=row.held_at,
            possible_values=values,
        )
