"""Numbers that are one patient's: recorded as said, and all that depends on it derived anew.

What was said is only ever added to (`merges`); whose a result, an event, an enrolment, an alert
or a held row is follows from it. Each keeps the number under which it came (`home_id`), so
that a merge that is taken back leaves everything where it was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, null, or_, select, update

from monitor.config import Settings
from monitor.core.catalogue import Catalogue
from monitor.core.merges import lasting, survivors
from monitor.intake.doubles import at_odds, settle_doubles
from monitor.intake.held import HELD, said_of
from monitor.intake.merged_rows import hold_strangers
from monitor.intake.people import IDENTIFIERS, PATIENTS
from monitor.intake.results import restand
from monitor.intake.retry import retry_held
from monitor.intake.sayings import MERGES, sayings
from monitor.store import tables
from monitor.store.among import among
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_OWNED = tuple(table_of(it) for it in (tables.ResultRow, tables.EventRow, tables.EnrolmentRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """That two numbers are one patient's, or that they are not; patients by their ids."""

    what: str
    old_id: int
    new_id: int
    on: date | None = None
    note: str = ""
    origin: str
    line: int


def already_said(connection: Connection, saying: Saying) -> int | None:
    """The row that says the very same, if one does. A message is the same again whenever it
    comes: a replay of old messages must not undo what a person has said since."""
    columns = MERGES.c
    same = (
        (columns.what == saying.what)
        & (columns.old_id == saying.old_id)
        & (columns.new_id == saying.new_id)
        & (columns.origin == saying.origin)
        & ~columns.taken_back
    )
    if saying.on is not None:
        same &= (columns.on == saying.on) & (columns.note == saying.note)
    return connection.scalar(select(columns.id).where(same).order_by(columns.id))


def is_merged(connection: Connection, one: int, other: int) -> bool:
    """Whether somebody has merged these two, and nobody has taken it back."""
    pair = {one, other}
    said = [it.said for it in sayings(connection, pair)]
    return any({it.old, it.new} == pair for it in lasting(said))


def record(connection: Connection, saying: Saying, file_id: int, now: datetime) -> int:
    """Write down what was said; `derive` makes it true. Returns the row's id."""
    values = {name: getattr(saying, name) for name in Saying.__slots__}
    inserted = connection.execute(
        insert(MERGES).values(file_id=file_id, received_at=now, taken_back=False, **values)
    )
    key = inserted.inserted_primary_key
    assert key is not None
    return int(key[0])


@dataclass(frozen=True, slots=True)
class Derived:
    """What followed: whom it touches, what could be taken from quarantine, what to tell."""

    patients: frozenset[int]
    taken: int = 0
    notes: tuple[str, ...] = ()


def derive(
    connection: Connection,
    settings: Settings,
    catalogue: Catalogue,
    patient_ids: Collection[int],
    now: datetime,
) -> Derived:
    """Make true what was said of these numbers and of all that hang together with them."""
    of = survivors(it.said for it in sayings(connection, patient_ids))
    everyone = sorted(of.keys() | set(patient_ids))
    _lock(connection, everyone)
    moved = _move(connection, of, everyone)
    persons = sorted({of.get(patient, patient) for patient in everyone})
    touched = {*persons, *everyone}
    if moved:
        touched |= said_of(connection, hold_strangers(connection, persons))
    restand(connection, touched)
    notes = settle_doubles(connection, persons, now) + at_odds(connection, persons)
    retried = retry_held(connection, settings, catalogue, _held_of(everyone), now, by="merge")
    patients = (
        frozenset(touched | retried.patients) if moved or retried.taken else frozenset(persons)
    )
    return Derived(patients, retried.taken, tuple(notes))


def misplaced(connection: Connection) -> list[int]:
    """Patients whose number does not stand where all that was said puts it."""
    of = survivors(it.said for it in sayings(connection))
    stands = select(PATIENTS.c.id, func.coalesce(PATIENTS.c.person_id, PATIENTS.c.id))
    found = connection.execute(stands).all()
    return [patient for patient, person in found if of.get(patient, patient) != person]


def _lock(connection: Connection, patient_ids: Collection[int]) -> None:
    """Enrolments first, in the order of their ids, as everybody who writes does."""
    mine = among(_ENROLMENTS.c.patient_id, patient_ids)
    query = select(_ENROLMENTS.c.id).where(mine).order_by(_ENROLMENTS.c.id)
    connection.execute(query.with_for_update()).all()


def _move(connection: Connection, of: dict[int, int], patient_ids: Collection[int]) -> bool:
    """Put every number, and what came under it, where it belongs; whether anything moved."""
    columns = PATIENTS.c
    query = select(columns.id, func.coalesce(columns.person_id, columns.id))
    stands = connection.execute(query.where(among(columns.id, patient_ids))).all()
    moved = {
        patient: of.get(patient, patient)
        for patient, person in stands
        if of.get(patient, patient) != person
    }
    for patient, person in moved.items():
        own = null() if person == patient else person
        connection.execute(update(PATIENTS).where(columns.id == patient).values(person_id=own))
        for table in _OWNED:
            unmoved = (table.c.patient_id == patient) & table.c.home_id.is_(None)
            values: dict[str, Any] = {
                "patient_id": person,
                "home_id": null() if person == patient else patient,
            }
            mine = or_(table.c.home_id == patient, unmoved)
            connection.execute(update(table).where(mine).values(values))
    return bool(moved)


def _held_of(patient_ids: Collection[int]) -> Any:
    """Held rows that these patients' numbers may have to do with."""
    numbers = select(IDENTIFIERS.c.number_key).where(among(IDENTIFIERS.c.patient_id, patient_ids))
    return or_(HELD.c.mrn_key.in_(numbers), among(HELD.c.patient_id, patient_ids))
