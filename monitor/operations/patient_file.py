"""The whole of one patient for whoever looks: who it is, what stands, every value, dose and day.

Nothing is decided here: states come from the review, limits from the protocol in force, words
from the same functions that the commands print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from monitor.config import Settings
from monitor.core.adherence import Adherence, DueTest, adherence
from monitor.core.answer import Life, PanelStatus, Review
from monitor.core.calendar import clinic_day, parse_duration
from monitor.core.case import Case, Event, HeldRow, Result, in_turn
from monitor.core.doses import Given, history
from monitor.core.due import scheduled
from monitor.core.judges import View
from monitor.core.life import Pause, pauses
from monitor.core.protocol import Protocol
from monitor.core.review import view_of
from monitor.core.treatments import Owned
from monitor.core.vocabulary import EnrolmentState, Status
from monitor.intake.event_kinds import OF_ENROLMENT
from monitor.operations.alert_list import Standing, alert_row, alerts_at, worst_first
from monitor.operations.answers import answers
from monitor.operations.letters import spellings
from monitor.operations.patient_courses import Course, courses_of
from monitor.operations.patient_facts import facts_of
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import events_of
from monitor.store.persons import of_person
from monitor.store.readings import whole_results
from monitor.store.rulebook import RuleBook
from monitor.store.tables import table_of

AHEAD = parse_duration("12 months")
"""How far the schedule to come is written out."""
_LONGEST_SEARCH = 200
"""Nobody types more to find one."""
_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_FILES = table_of(tables.File)
_IDENTIFIERS = table_of(tables.Identifier)
_NAMED = (
    _PATIENTS.c.mrn,
    of_person("family_name"),
    of_person("given_name"),
    of_person("birth_date"),
    of_person("sex"),
)


class NoSuchPatient(Exception):
    """Nobody of this number in the database."""


@dataclass(frozen=True, slots=True)
class Who:
    """A patient by the database's own number, which stands in addresses."""

    id: int
    mrn: str
    family_name: str
    given_name: str
    birth_date: date | None
    sex: str


@dataclass(frozen=True, slots=True)
class Coming:
    """A test to come, if each is done on its day."""

    due_on: date
    panel: str
    title: str
    phase: str


@dataclass(frozen=True, slots=True)
class Tests:
    """One panel: where it stands, what became of each test that came due, and on which days it was
    done besides: before its day came, or before the enrolment."""

    title: str
    status: PanelStatus
    due: tuple[DueTest, ...]
    besides: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Treatment:
    """One enrolment of the patient."""

    case: Case
    life: Life
    protocol: Protocol
    today: date
    tests: tuple[Tests, ...]
    coming: tuple[Coming, ...]
    doses: tuple[Given, ...]
    pauses: tuple[Pause, ...]
    facts: tuple[str, ...]
    alerts: frozenset[int]
    """The ids of its alerts."""


@dataclass(frozen=True, slots=True)
class PatientFile:
    """Everything that a patient's page shows, as of an instant."""

    who: Who
    merged: tuple[str, ...]
    """Numbers that were merged into theirs: papers and tubes may still bear them."""
    treatments: tuple[Treatment, ...]
    not_judged: tuple[int, ...]
    """Enrolments that the monitor itself failed to judge."""
    live: tuple[dict[str, Any], ...]
    """Worst first."""
    closed: tuple[dict[str, Any], ...]
    courses: tuple[Course, ...]
    results: tuple[Result, ...]
    """Those that stand, derived counts too; latest first."""
    replaced: tuple[Any, ...]
    """Rows that a correction, a withdrawal or a batch taken back has replaced; latest first."""
    to_come: tuple[Event, ...]
    """What is on record for days ahead, a planned stop; the latest first, as `events`."""
    events: tuple[Event, ...]
    held: tuple[HeldRow, ...]


def patient_file(store: Store, settings: Settings, patient_id: int, now: datetime) -> PatientFile:
    """The file of a patient, also by a number that was merged into theirs. Raises
    NoSuchPatient."""
    with store.read() as connection:
        who = person_of(connection, patient_id)
        ids = _enrolments(connection, who.id)
        reviewed: list[tuple[Review, RuleBook]] = []
        failed: list[int] = []
        for batch in answers(connection, settings, now, ids=ids, until=now):
            reviewed += [(review, batch.rulebook) for review in batch.reviews]
            failed += batch.failed
        alerts = list(alerts_at(connection, settings, now, enrolments=ids))
        old, merged = _replaced(connection, who.id, now), _merged(connection, who.id)
        zone = settings.clinic.zone
        ahead = events_of(connection, [who.id], _EVENTS.c.on > clinic_day(now, zone))
    views = [
        view_of(review.case, book.protocols, book.catalogue, now, zone) for review, book in reviewed
    ]
    live = sorted((it for it in alerts if it.state != "closed"), key=worst_first)
    closed = [it for it in alerts if it.state == "closed"]
    results = _results(views)
    return PatientFile(
        who=who,
        merged=merged,
        treatments=tuple(
            _treatment(review, view, alerts)
            for (review, _), view in zip(reviewed, views, strict=True)
        ),
        not_judged=tuple(failed),
        live=tuple(alert_row(it, zone, now) for it in live),
        closed=tuple(alert_row(it, zone, now) for it in reversed(closed)),
        courses=tuple(courses_of(results, views)),
        results=tuple(sorted(results, key=lambda it: it.collected_at, reverse=True)),
        replaced=tuple(old),
        to_come=_to_come(ahead.get(who.id, []), views),
        events=_events(views),
        held=tuple({row.id: row for view in views for row in view.case.held}.values()),
    )


def find(store: Store, text: str, *, most: int = 50) -> list[Who]:
    """Patients one of whose numbers, or whose family or given name, begins with a text, by name;
    also by several of these, as in `Adler, Ann`. The empty text finds nobody; of merged numbers
    the survivor is found."""
    wanted = " ".join(text[:_LONGEST_SEARCH].split())
    readings = {(wanted,), tuple(wanted.split(",")), tuple(wanted.replace(",", " ").split())}
    clauses = [and_(*map(_begins, it)) for it in sorted(readings) if any(map(str.strip, it))]
    if not clauses:
        return []
    columns = _PATIENTS.c
    found = select(func.coalesce(columns.person_id, columns.id)).where(or_(*clauses)).distinct()
    query = (
        select(columns.id, *_NAMED)
        .where(columns.id.in_(found))
        .order_by(columns.family_name, columns.given_name, columns.mrn)
        .limit(most)
    )
    with store.read() as connection:
        return [Who(*row) for row in connection.execute(query)]


def _begins(part: str) -> ColumnElement[bool]:
    """Whose name or number begins so, without case."""
    columns, number = _PATIENTS.c, _IDENTIFIERS.c.number
    begins = spellings(part.strip())

    def does(column: ColumnElement[str]) -> ColumnElement[bool]:
        return or_(*(func.lower(column).startswith(it, autoescape=True) for it in begins))

    named = (columns.mrn, columns.family_name, columns.given_name)
    numbered = select(_IDENTIFIERS.c.patient_id).where(does(number))
    return or_(*map(does, named), columns.id.in_(numbered))


def person_of(connection: Connection, patient_id: int) -> Who:
    """Who a patient's number of the database means, also where it was merged into another.
    Raises NoSuchPatient."""
    columns = _PATIENTS.c
    person = (
        select(func.coalesce(columns.person_id, columns.id))
        .where(columns.id == patient_id)
        .scalar_subquery()
    )
    row = connection.execute(select(columns.id, *_NAMED).where(columns.id == person)).first()
    if row is None:
        raise NoSuchPatient
    return Who(*row)


def enrolments_of_patient(store: Store, patient_id: int) -> list[int]:
    """The enrolments of a patient, also by a number that was merged into theirs. Raises
    NoSuchPatient."""
    with store.read() as connection:
        return _enrolments(connection, person_of(connection, patient_id).id)


def _enrolments(connection: Connection, person_id: int) -> list[int]:
    columns = _ENROLMENTS.c
    query = select(columns.id).where(columns.patient_id == person_id, columns.stands)
    return list(connection.scalars(query.order_by(columns.id)))


def _merged(connection: Connection, person_id: int) -> tuple[str, ...]:
    query = select(_PATIENTS.c.mrn).where(_PATIENTS.c.person_id == person_id)
    return tuple(connection.scalars(query.order_by(_PATIENTS.c.mrn)))


def _replaced(connection: Connection, person_id: int, now: datetime) -> list[Row[Any]]:
    """What no longer counts: corrected, withdrawn, or of a file taken back; latest first."""
    whole = whole_results()
    columns = whole.c
    past = ~columns.stands | columns.taken_back | (columns.status == Status.WITHDRAWN.value)
    query = (
        select(whole, _FILES.c.name.label("file"))
        .join(_FILES, _FILES.c.id == columns.file_id)
        .where(columns.patient_id == person_id, past, columns.received_at <= now)
        .order_by(columns.collected_at.desc(), columns.id.desc())
    )
    return list(connection.execute(query))


def _treatment(review: Review, view: View, alerts: Sequence[Standing]) -> Treatment:
    lived = adherence(view, review.case.enrolment.enrolled_on, view.today)
    return Treatment(
        case=review.case,
        life=review.life,
        protocol=view.protocol,
        today=view.today,
        tests=tuple(_tests(it, view, lived) for it in review.panels),
        coming=tuple(sorted(_coming(review, view), key=lambda it: it.due_on)),
        doses=tuple(history(review.case, review.life, view.today)),
        pauses=tuple(pauses(_in_order(review.case))),
        facts=tuple(facts_of(review, view)),
        alerts=frozenset(
            it.row.id for it in alerts if it.row.enrolment_id == review.case.enrolment.id
        ),
    )


def _tests(status: PanelStatus, view: View, lived: Adherence) -> Tests:
    due = tuple(test for test in lived.tests if test.panel == status.panel)
    answers = {test.done_on for test in due}
    besides = tuple(day for day in view.done[status.panel].days if day not in answers)
    return Tests(view.protocol.panel(status.panel).title, status, due, besides)


def _coming(review: Review, view: View) -> Iterator[Coming]:
    """What is owed first, then what the schedule asks for after it; of a treatment that was
    stopped no schedule asks, only the recheck that it left."""
    end = AHEAD.after(view.today)
    for panel in review.panels:
        due_on, phase = panel.due_on, panel.phase
        title = view.protocol.panel(panel.panel).title
        while due_on is not None and due_on <= end:
            yield Coming(due_on, panel.panel, title, phase)
            if review.life.state is EnrolmentState.STOPPED:
                break
            done_on = max(due_on, view.today)
            duty = scheduled(view.protocol, panel.panel, done_on, review.life.anchors, view.today)
            if duty is None or duty.due_on <= done_on:
                break
            due_on, phase = duty.due_on, duty.phase.name


def _in_order(case: Case) -> list[Event]:
    return in_turn(case.events)


def _results(views: Sequence[View]) -> list[Result]:
    """Of all enrolments of the patient each result once; derived ones have no number."""
    found = {(it.id, it.analyte, it.collected_at): it for view in views for it in view.results}
    return sorted(found.values(), key=lambda it: (it.collected_at, it.id))


def _to_come(ahead: Iterable[Owned], views: Sequence[View]) -> tuple[Event, ...]:
    """Of one enrolment with its drug. Nothing else of a patient looks ahead, so a slip in the day
    would be seen by nobody before it comes true."""
    drugs = {view.case.enrolment.id: view.case.enrolment.drug for view in views}
    events = [
        event if number is None else replace(event, drug=drugs.get(number, event.drug))
        for number, event in ahead
    ]
    return tuple(reversed(in_turn(events)))


def _events(views: Sequence[View]) -> tuple[Event, ...]:
    """What happened, latest first; of a patient on several drugs with the drug it was of."""
    several = len({view.case.enrolment.drug for view in views}) > 1
    events = {
        event.id: replace(event, drug=view.case.enrolment.drug)
        if several and event.event in OF_ENROLMENT
        else event
        for view in views
        for event in view.case.events
    }
    return tuple(reversed(in_turn(events.values())))
