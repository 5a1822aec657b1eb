"""Whose an event is: the person and the enrolment that a row means, and the same event where it was
recorded before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, true

from monitor.intake.event_kinds import OF_ENROLMENT
from monitor.intake.happening import Happening
from monitor.intake.people import People, Person
from monitor.intake.people_file import Refused
from monitor.intake.roster import EVENTS, Entry, Roster


class Subjects:
    """Of the rows of one file."""

    def __init__(self, connection: Connection, people: People, roster: Roster) -> None:
        self._connection = connection
        self._people = people
        self._roster = roster

    def person(self, row: Happening) -> Person:
        """Whom the row names. Raises Refused where nobody of the number is enrolled."""
        person = self._people.find(row.mrn)
        if person is not None:
            return person
        others = [str(it.number) for it in self._people.with_number(row.mrn.number)]
        if others:
            raise Refused(
                f"not enrolled under this number; the same number of another issuer is: "
                f"{', '.join(others)}"
            )
        if self._people.alike(row.mrn.number):
            raise Refused(
                "not enrolled under this number; an enrolled number equals it but for leading "
                "zeros or punctuation"
            )
        raise Refused("not enrolled: enrol the patient first")

    def enrolment(self, row: Happening, person: Person) -> Entry | None:
        """The enrolment that the event means; None where it means the patient.
        Raises Refused where it may mean several, or none."""
        if row.event not in OF_ENROLMENT:
            return None
        entries = self._roster.of(person.id)
        kept = [entry for entry in entries if entry.merged_into is None]
        own = [entry for entry in entries if entry.home == person.home_id]
        entries = own or kept
        if row.drug and not any(entry.drug == row.drug for entry in entries):
            entries = kept
        if row.drug:
            entries = [entry for entry in entries if entry.drug == row.drug]
            if not entries:
                raise Refused("the patient is not enrolled on this drug")
        entries = self._with_the_event(row, person, entries)
        lasting = [entry for entry in entries if entry.ended_on is None]
        taken = [entry for entry in entries if _was_taken(entry, row.on)]
        drugs = sorted({entry.drug for entry in (*(lasting or entries), *taken)})
        if len(drugs) > 1:
            raise Refused(f"several enrolments ({', '.join(drugs)}): name the drug in drug")
        entries = [entry for entry in entries if entry.drug in drugs]
        if row.event == "stop":
            entries = [it for it in entries if _known_on(it, row.on)] or entries
            lasting = [it for it in lasting if it in entries]
        return _in_force(entries, row.on) or (lasting or entries)[-1]

    def _with_the_event(
        self, row: Happening, person: Person, entries: Sequence[Entry]
    ) -> list[Entry]:
        """The enrolments that have the event, if any has: those a withdrawal means, and those of
        a line that comes again after the next treatment has begun."""
        query = select(EVENTS.c.enrolment_id)
        if not row.withdrawn:
            query = query.where(EVENTS.c.note == row.note)
        owners = set(self._connection.scalars(query.where(_is_same_happening(row, person))))
        if row.withdrawn and not owners:
            owners = set(self._connection.scalars(query.where(_happened(row, person))))
            entries = [it for it in self._roster.of(person.id) if it.id in owners] or entries
        return [entry for entry in entries if entry.id in owners] or list(entries)

    def same(self, row: Happening, person: Person, enrolment: Entry | None) -> Sequence[Any]:
        """The same event as recorded before, withdrawn or not; to withdraw it, also under another
        number of the patient, where this one has none."""
        if enrolment is not None:
            about = EVENTS.c.enrolment_id == enrolment.id
        elif row.drug or not row.withdrawn:
            about = EVENTS.c.drug == row.drug
        else:
            about = true()
        query = select(EVENTS).where(about).order_by(EVENTS.c.id)
        found = self._connection.execute(query.where(_is_same_happening(row, person))).all()
        if row.withdrawn and not found:
            found = self._connection.execute(query.where(_happened(row, person))).all()
        return found


def _in_force(entries: Sequence[Entry], on: date) -> Entry | None:
    """The latest enrolment that lasted on a day."""
    begun = [entry for entry in entries if entry.started_on <= on]
    lasted = [entry for entry in begun if entry.ended_on is None or on <= entry.ended_on]
    return lasted[-1] if lasted else None


def _was_taken(entry: Entry, on: date) -> bool:
    """Whether a treatment that has ended by now went on at that day."""
    return entry.ended_on is not None and entry.started_on <= on < entry.ended_on


def _known_on(entry: Entry, on: date) -> bool:
    """Whether it had begun, or was planned: the stop of a day on which nobody thought of it
    belongs to the treatment before, and must not end this one."""
    return entry.started_on <= on or entry.enrolled_on <= on


def _is_same_happening(row: Happening, person: Person) -> ColumnElement[bool]:
    """Under the number of the row."""
    home = func.coalesce(EVENTS.c.home_id, EVENTS.c.patient_id)
    return _happened(row, person) & (home == person.home_id)


def _happened(row: Happening, person: Person) -> ColumnElement[bool]:
    """Under any number of the patient."""
    columns = EVENTS.c
    same = (columns.patient_id == person.id) & (columns.on == row.on) & ~columns.taken_back
    same &= columns.event == row.event
    return same if row.withdrawn and not row.value else same & (columns.value == row.value)
