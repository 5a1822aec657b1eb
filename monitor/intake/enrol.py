"""Enrolment files: who is on which drug since when, and nothing silently rewritten.

For someone enrolled an empty cell leaves what is known; what an event has to say is refused
with the name of the event (specification: interfaces, "Enrolment CSV").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.case import in_turn
from monitor.core.faults import almost
from monitor.core.indications import indication_key
from monitor.core.panels import DECLARED_PANEL
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import DIED
from monitor.intake.application import Application, read_application
from monitor.intake.changes import as_text, note_changes
from monitor.intake.context import ENROLLING, batches, chunks, take_turn
from monitor.intake.cut_people import CutEnrolments
from monitor.intake.doubles import settle_doubles
from monitor.intake.enrolled_already import changes_of, is_restart
from monitor.intake.held import HELD, count_held, mrn_in
from monitor.intake.left_terms import words_of_left
from monitor.intake.lookalikes import lookalikes
from monitor.intake.people import PATIENTS, People, Person
from monitor.intake.people_file import (
    Account,
    Cells,
    Refused,
    asked_numbers,
    check_weight,
    read_rows,
)
from monitor.intake.repeats import note_repeats
from monitor.intake.report import PeopleReport, Refusal
from monitor.intake.retry import Retried, retry_held
from monitor.intake.roster import ENROLMENTS, Entry, Roster, clinics
from monitor.intake.survey import survey
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.frames import wake
from monitor.store.rulebook import RuleBook, load_rulebook

COLUMNS = (
    "mrn", "family_name", "given_name", "birth_date", "sex", "drug", "indication", "started_on",
    "dose_mg_per_day", "weight_kg", "tpmt", "nudt15", "clinic", "protocol", "last_tested_on",
    "issuer",
)  # fmt: skip
REQUIRED = ("mrn", "drug", "started_on")
_BATCH = 500
_OF_PERSON = ("family_name", "given_name", "birth_date", "sex")


def enrol_file(store: Store, settings: Settings, path: Path, now: datetime) -> PeopleReport:
    """Take in an enrolment file in one transaction; rows that cannot be taken are refused with
    line and reason, and the others go in. Results held for those enrolled go in too.

    Raises UnreadableFile where no row of the file can be read.
    """
    account = Account(survey(path), "enrol")
    with store.write() as connection:
        take_turn(connection, now)
        take_turn(connection, now, ENROLLING)
        enrolling = _Enrolling(connection, settings, account, now)
        for batch in batches(read_rows(account, COLUMNS, REQUIRED), _BATCH):
            enrolling.take(batch)
        enrolling.finish()
        touched = wake(connection, account.patients, now)
        bring_to(connection, now)
    return account.report(touched)


class _Enrolling:
    def __init__(
        self, connection: Connection, settings: Settings, account: Account, now: datetime
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._account = account
        self._now = now
        self._today = clinic_day(now, settings.clinic.zone)
        self._rulebook: RuleBook = load_rulebook(connection)
        self._people = People(connection, births_apart=0)  # each row asks for one
        self._roster = Roster(connection, self._rulebook, self._today)
        self._keys: set[str] = set()
        self._file_id = account.record(connection, now)
        self._clinics = clinics(connection)
        self._cuts = CutEnrolments(connection, account.survey, self._file_id, now)

    def take(self, batch: Collection[tuple[int, Cells]]) -> None:
        numbers = asked_numbers(batch)
        self._people.prepare(number.number for number in numbers)
        known = [self._people.find(number) for number in numbers]
        self._roster.prepare([person.id for person in known if person is not None])
        for line, cells in batch:
            self._take_away(line)
            try:
                row = self._by_its_drug(read_application(line, cells, self._today))
                row = replace(row, clinic=self._spelling(row.clinic))
                changed = self._row(row)
            except Refused as refused:
                self._account.refused.append(Refusal(line, str(refused)))
            else:
                self._account.taken += changed
                self._account.duplicate += not changed
            if self._cuts.are_left:
                self._cuts.above |= {
                    it.id for it in map(self._people.find, asked_numbers([(line, cells)])) if it
                }

    def _take_away(self, line: int) -> None:
        """What an earlier file said where it broke off, before this one says it as it was meant."""
        undone = self._cuts.take_away(line)
        for note in undone.notes:
            self._account.note(note)
        if undone.patients:
            self._account.mended = True
            self._account.patients |= undone.patients
            self._people.forget()
            self._roster.forget_all()

    def finish(self) -> None:
        """Let the rows go in that were held for those who are enrolled now, and bring the
        account of the file up to date."""
        for note in settle_doubles(self._connection, self._account.patients, self._now):
            self._account.note(note)
        self._retry_held()
        self._account.update(self._connection, self._file_id)

    def _retry_held(self) -> None:
        taken = 0
        held = 0
        for keys in chunks(sorted(self._keys), _BATCH):
            retried = self._retry(mrn_in(keys))
            taken += retried.taken
            held += retried.outcomes["held"]
            self._account.patients |= retried.patients
        if taken:
            self._account.note(f"results that were held for those enrolled now went in: {taken}")
        if held:
            self._account.note(f"results of those enrolled that stay held: {held}")
        self._look_alike()

    def _look_alike(self) -> None:
        """Strangers' rows that came before, and may be of those who are enrolled now: had they
        come after, they would be held as theirs."""
        maybe = 0
        for which in lookalikes(self._connection, self._keys, set(self._account.patients)):
            ids = list(self._connection.scalars(select(HELD.c.id).where(which)))
            for some in chunks(ids, _BATCH):
                mine = HELD.c.id.in_(some)
                retried = self._retry(mine)
                self._account.patients |= retried.patients
                maybe += count_held(self._connection, mine & HELD.c.patient_id.is_not(None))
        if maybe:
            self._account.note(
                f"held results that may be of those enrolled, under another number: {maybe}"
            )

    def _retry(self, which: ColumnElement[bool]) -> Retried:
        return retry_held(
            self._connection,
            self._settings,
            self._rulebook.catalogue,
            which,
            self._now,
            by="enrolment",
        )

    def _by_its_drug(self, row: Application) -> Application:
        """A brand name stands for its drug, and the account says so."""
        drug = self._rulebook.drug_named(row.drug)
        if drug != row.drug:
            self._account.note(f'line {row.line}: "{row.drug}" is taken as {drug}')
        return replace(row, drug=drug)

    def _spelling(self, clinic: str) -> str:
        """A clinic as it was first written: North and north are one, here as in routes, and in
        lists and counts too."""
        return self._clinics.setdefault(clinic.casefold(), clinic)

    def _row(self, row: Application) -> bool:
        """Take one row; False where it says nothing new. Raises Refused."""
        check_weight("weight_kg", row.weight_kg, self._rulebook.catalogue)
        person = self._people.find(row.mrn)
        if person is None:
            protocol = self._protocol(row)
            self._open(row, self._enter(row), protocol)
            return True
        self._refuse_another_person(row, person)
        entries = self._roster.on_drug(person.id, row.drug, person.home_id)
        current = entries[-1] if entries else None
        if current is None or is_restart(row, current):
            self._refuse_dead(person)
            protocol = self._protocol(row)
            self._update_person(row, person)
            self._open(row, person, protocol)
            self._note_standing(row, self._roster.of(person.id)[-1])
            return True
        changes = changes_of(row, current)
        changed = self._update_person(row, person)
        protocol = self._rulebook.protocols[current.protocol_id]
        if "indication" in changes:
            self._note_indication(row, protocol)
        if "last_tested_on" in changes:
            self._note_declared(row, protocol)
        if changes:
            self._note_changes("enrolment", current.id, changes, current)
            self._connection.execute(
                update(ENROLMENTS).where(ENROLMENTS.c.id == current.id).values(**changes)
            )
        note_repeats(self._connection, "enrolment", [(current.id, self._file_id, row.line)])
        if changes or changed:
            self._touch(person)
        return bool(changes) or changed

    def _enter(self, row: Application) -> Person:
        self._warn_of_likeness(row)
        known = self._people.patient_of(row.mrn) or self._people.adopt(row.mrn)
        if known is None:
            patient_id = self._people.enter(row.mrn)
            person = Person(patient_id, patient_id, str(row.mrn))
        else:
            person = self._known_before(known)
        self._update_person(row, person)
        return person

    def _known_before(self, known: int) -> Person:
        """Somebody whose number was merged, or who was enrolled by a file that was taken back."""
        columns = PATIENTS.c
        query = select(columns.id, columns.mrn).where(
            columns.id
            == select(func.coalesce(columns.person_id, columns.id))
            .where(columns.id == known)
            .scalar_subquery()
        )
        survivor = self._connection.execute(query).one()
        return Person(survivor.id, known, survivor.mrn)

    def _warn_of_likeness(self, row: Application) -> None:
        number = row.mrn.number
        if self._people.with_number(number):
            self._account.note(
                f"line {row.line}: the same number from another issuer is enrolled: two patients"
            )
        if self._people.alike(number):
            self._account.note(
                f"line {row.line}: an enrolled number equals this one but for leading zeros or "
                "punctuation: is it the same patient?"
            )
        if (
            row.birth_date
            and row.family_name
            and row.given_name
            and self._people.namesakes(row.family_name, row.given_name, row.birth_date)
        ):
            self._account.note(
                f"line {row.line}: name and birth date are those of an enrolled patient under "
                "another number: is it the same patient?"
            )

    def _protocol(self, row: Application) -> Protocol:
        try:
            return self._rulebook.for_drug(row.drug, row.protocol)
        except LookupError as error:
            raise Refused(str(error)) from None

    def _open(self, row: Application, person: Person, protocol: Protocol) -> None:
        self._note_indication(row, protocol)
        self._note_declared(row, protocol)
        self._connection.execute(
            insert(ENROLMENTS).values(
                patient_id=person.id,
                home_id=person.moved_from,
                file_id=self._file_id,
                drug=row.drug,
                protocol_id=protocol.id,
                indication=row.indication,
                clinic=row.clinic,
                started_on=row.started_on,
                enrolled_on=self._today,
                enrolled_at=self._now,
                dose_mg_per_day=row.dose_mg_per_day,
                weight_kg=row.weight_kg,
                tpmt=row.tpmt,
                nudt15=row.nudt15,
                last_tested_on=row.last_tested_on,
                next_review_at=self._now,
            )
        )
        self._touch(person)

    def _note_indication(self, row: Application, protocol: Protocol) -> None:
        """A slip of the pen would take a patient out of the rules that are meant for them."""
        meant = almost(indication_key(row.indication), protocol.indications)
        if meant:
            self._account.note(
                f'line {row.line}: "{row.indication}" is no indication that protocol {protocol.id} '
                f'names, and nearly one: did you mean "{meant}"? The same row with it corrects it'
            )

    def _note_declared(self, row: Application, protocol: Protocol) -> None:
        """A protocol may call its blood count otherwise, and then nothing is declared by it."""
        names = [panel.id for panel in protocol.panels]
        if row.last_tested_on is not None and DECLARED_PANEL not in names:
            self._account.note(
                f"line {row.line}: last_tested_on counts for a panel called {DECLARED_PANEL}, and "
                f"protocol {protocol.id} has none: nothing comes of it"
            )

    def _refuse_dead(self, person: Person) -> None:
        """Nobody would be told of the new treatment. Raises Refused."""
        for entry in self._roster.of(person.id):
            if entry.ended_by == DIED:
                raise Refused(entry.how_it_ended)

    def _note_standing(self, row: Application, new: Entry) -> None:
        """Why a new treatment of somebody known is not just watched from its start on."""
        if new.life is not None and new.life.elsewhere_until is not None:
            self._account.note(
                f"line {row.line}: another clinic monitors this patient until "
                f"{new.life.elsewhere_until}: nobody is told of a test before; if that is over, "
                "record the event back"
            )
        if new.taken_over:
            self._note_taken_over(row, new)
        if left := words_of_left(self._connection, new, self._today, row.mrn):
            self._account.note(f"line {row.line}: {left}")

    def _note_taken_over(self, row: Application, new: Entry) -> None:
        """What was told of the treatment before, and is of this one by its day."""
        told = ", ".join(f"{it.event} of {it.on}" for it in in_turn(new.taken_over))
        ended = (
            f"; so it ended on {new.ended_on}: if it goes on, withdraw that stop (status "
            "entered-in-error)"
            if new.ended_on is not None
            else ""
        )
        self._account.note(
            f"line {row.line}: told of the treatment before, and by its day of this one: "
            f"{told}{ended}"
        )

    def _touch(self, person: Person) -> None:
        self._account.patients.add(person.id)
        self._keys.update(self._people.renew(person.id))
        self._roster.forget(person.id)

    def _refuse_another_person(self, row: Application, person: Person) -> None:
        wrong = person.disagreement(row.family_name, row.given_name, row.birth_date)
        if wrong == "birth date":
            raise Refused("the birth date is not the one known for this number: another patient?")
        known_by_birth = row.birth_date is not None and row.birth_date == person.birth_date
        if wrong and not known_by_birth:
            raise Refused(
                f"the {wrong} is not the one known for this number: give the birth date too, or "
                "is it another patient?"
            )

    def _update_person(self, row: Application, person: Person) -> bool:
        """Take over what the row newly says of the person; True where it did."""
        mine = PATIENTS.c.id == person.home_id
        stored = self._connection.execute(PATIENTS.select().where(mine)).one()
        said = {name: getattr(row, name) for name in _OF_PERSON}
        changes = {name: it for name, it in said.items() if it and it != getattr(stored, name)}
        if changes:
            self._note_changes("patient", person.home_id, changes, stored)
            self._connection.execute(update(PATIENTS).where(mine).values(**changes))
        return bool(changes)

    def _note_changes(self, what: str, row_id: int, changes: Mapping[str, Any], known: Any) -> None:
        """Keep what stood in the cells before, so that the file can be taken back."""
        rows = [
            {
                "file_id": self._file_id,
                "what": what,
                "row_id": row_id,
                "name": name,
                "before": as_text(getattr(known, name)),
                "after": as_text(value),
            }
            for name, value in changes.items()
        ]
        note_changes(self._connection, rows)
