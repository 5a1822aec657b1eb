"""Events files: doses, starts, holds, stops and all else that happens to a patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.faults import nearest
from monitor.core.merges import MERGE, UNMERGE
from monitor.core.symptoms import SYMPTOM
from monitor.core.tasks import DONE
from monitor.intake.broke_off import events_broke_off
from monitor.intake.context import Preview, batches, take_turn
from monitor.intake.cut_people import cut_people, take_events_away
from monitor.intake.cut_short import Cut, Whole, note_cut
from monitor.intake.doubles import settle_doubles
from monitor.intake.event_kinds import BACK, MERGES, check_symptom
from monitor.intake.event_subject import Subjects
from monitor.intake.happening import Happening, read_happening
from monitor.intake.merging import Merging
from monitor.intake.people import People, Person, read_number
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
from monitor.intake.roster import EVENTS, Entry, Roster
from monitor.intake.sayings import BY_PEOPLE
from monitor.intake.survey import survey
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.frames import wake
from monitor.store.rulebook import load_rulebook

COLUMNS = ("mrn", "on", "event", "value", "drug", "note", "status", "issuer")
REQUIRED = ("mrn", "on", "event")
_BATCH = 500
_OF_DRUGS = ("comedication_start", "comedication_stop", "intended_combination", "vaccine")
_GOES_ON = ("start", "dose", "resume")
"""Events of a treatment that lasts."""


class RowRefused(Exception):
    """A row cannot be taken, where all were to be taken or none; the text is the reason."""


def events_file(
    store: Store,
    settings: Settings,
    path: Path,
    now: datetime,
    *,
    preview: Callable[[Connection, Sequence[int]], None] | None = None,
    whole: bool = False,
) -> PeopleReport:
    """Take in an events file in one transaction; rows that cannot be taken are refused with
    line and reason, and the others go in (`whole`: none does). With `preview` everything is done,
    it is shown the enrolments that were touched, and all is taken back.

    Raises UnreadableFile where no row of the file can be read; with `whole` RowRefused.
    """
    account = Account(survey(path), "events")
    touched: Sequence[int] = ()
    try:
        with store.write() as connection:
            take_turn(connection, now)
            recording = _Recording(connection, settings, account, now)
            for batch in batches(read_rows(account, COLUMNS, REQUIRED), _BATCH):
                recording.take(batch)
            recording.finish()
            if whole and account.refused:
                raise RowRefused(account.refused[0].reason)
            touched = wake(connection, account.patients, now)
            if preview is not None:
                preview(connection, touched)
                raise Preview
            bring_to(connection, now)
    except Preview:
        pass
    return account.report(touched)


class _Recording:
    def __init__(
        self, connection: Connection, settings: Settings, account: Account, now: datetime
    ) -> None:
        self._connection = connection
        self._account = account
        self._now = now
        self._today = clinic_day(now, settings.clinic.zone)
        self._people = People(connection)
        self._rulebook = load_rulebook(connection)
        self._roster = Roster(connection, self._rulebook, self._today)
        self._subjects = Subjects(connection, self._people, self._roster)
        protocols = self._rulebook.protocols.values()
        self._known = {
            SYMPTOM: {word for it in protocols for word in it.symptom_words},
            DONE: {task.id for it in protocols for task in it.tasks},
        }
        self._drugs = self._rulebook.catalogue.drugs
        self._accepted: list[tuple[int, int]] = []
        """Line and patient of what says that another clinic has accepted somebody."""
        self._file_id = account.record(connection, now)
        self._merging = Merging(
            connection, settings, self._rulebook.catalogue, self._people, self._file_id, now
        )
        for cut in cut_people(connection, account.survey, self._file_id, now):
            self._take_away(cut, self._file_id, cut.came_whole)

    def _take_away(self, cut: Cut, whole_id: int, note: str) -> None:
        """What an earlier file said where it broke off, before this one says it as it was meant; or
        this one, after it was said."""
        patients, merged = take_events_away(self._connection, cut)
        if merged:
            self._merging.make_true(merged)
        if patients or merged:
            self._account.patients |= patients | self._merging.touched
            self._account.mended = True
            note_cut(self._connection, cut, whole_id, cut.lines, patients | merged, self._now)
            self._account.note(note)

    def finish(self) -> None:
        """Bring the account of the file up to date."""
        counts = Counter(stored=self._account.taken, duplicate=self._account.duplicate)
        file = Whole(self._file_id, "", self._account.survey, counts)
        if (found := events_broke_off(self._connection, file)) is not None:
            cut, whole_id = found
            self._take_away(cut, whole_id, cut.broke_off(whole_id))
        self._note_not_handed_over()
        notes = settle_doubles(self._connection, self._account.patients, self._now)
        for note in (*notes, *self._merging.notes()):
            self._account.note(note)
        self._account.update(self._connection, self._file_id)

    def take(self, batch: Collection[tuple[int, Cells]]) -> None:
        numbers = asked_numbers(batch)
        self._people.prepare(number.number for number in numbers)
        known = [self._people.find(number) for number in numbers]
        self._roster.prepare([person.id for person in known if person is not None])
        for line, cells in batch:
            try:
                row = read_happening(line, cells, self._today)
                drug = self._rulebook.drug_named(row.drug) if row.drug else ""
                changed = self._row(replace(row, drug=drug))
            except Refused as refused:
                self._account.refused.append(Refusal(line, str(refused)))
            else:
                self._account.taken += changed
                self._account.duplicate += not changed

    def _row(self, row: Happening) -> bool:
        """Take one row; False where it says nothing new. Raises Refused."""
        if row.event in MERGES:
            return self._merge(row)
        person = self._subjects.person(row)
        if person.birth_date is not None and row.on < person.birth_date:
            raise Refused("on lies before the birth date")
        enrolment = self._subjects.enrolment(row, person)
        same = self._subjects.same(row, person, enrolment)
        if row.withdrawn:
            return self._withdraw(row, person, same)
        noted = next((known.id for known in same if known.note == row.note), None)
        if noted is not None:
            note_repeats(self._connection, "event", [(noted, self._file_id, row.line)])
            if all(known.withdrawn for known in same if known.note == row.note):
                self._account.note(
                    f"line {row.line}: this event was withdrawn before; to record it anew, give "
                    "it another note"
                )
            return False
        self._refuse_unbelievable(row, enrolment)
        if row.event == BACK:
            self._refuse_back_to_nothing(row, person)
        self._connection.execute(
            insert(EVENTS).values(
                patient_id=person.id,
                home_id=person.moved_from,
                enrolment_id=None if enrolment is None else enrolment.id,
                on=row.on,
                event=row.event,
                value=row.value,
                drug=row.drug,
                note=row.note,
                received_at=self._now,
                file_id=self._file_id,
                line=row.line,
                withdrawn=False,
            )
        )
        self._touch(person)
        self._note_unnamed(row)
        if row.event == "stop" and enrolment is not None:
            self._note_going_on(row, enrolment)
        if row.event == "accepted_by" and row.on <= self._today:
            self._accepted.append((row.line, person.id))
        return True

    def _refuse_unbelievable(self, row: Happening, enrolment: Entry | None) -> None:
        """What would stand in the database and never be looked at. Raises Refused."""
        if row.event == "weight":
            check_weight("value", Decimal(row.value), self._rulebook.catalogue)
        if row.event == SYMPTOM:
            check_symptom(row.value, self._known[SYMPTOM])
        if enrolment is None or enrolment.ended_on is None or row.event == "stop":
            return
        if row.on > enrolment.ended_on:
            raise Refused(enrolment.how_it_ended)

    def _refuse_back_to_nothing(self, row: Happening, person: Person) -> None:
        """Whoever comes back is thought to be watched again, also where the transfer or a stop had
        ended the treatment. Raises Refused where nothing is left to be watched."""
        kept = [entry for entry in self._roster.of(person.id) if entry.merged_into is None]
        ended = [entry for entry in kept if entry.ended_on is not None and row.on > entry.ended_on]
        if ended and len(ended) == len(kept):
            raise Refused(ended[-1].how_it_ended)

    def _note_going_on(self, row: Happening, enrolment: Entry) -> None:
        """A stop before what was said of the treatment afterwards: one of the two is a slip."""
        columns = EVENTS.c
        later = (columns.enrolment_id == enrolment.id) & (columns.on > row.on)
        later &= columns.event.in_(_GOES_ON) & ~columns.withdrawn
        found = self._connection.execute(
            select(columns.event, columns.on).where(later).order_by(columns.on, columns.id).limit(1)
        ).first()
        if found is not None:
            self._account.note(
                f"line {row.line}: stopped before its {found.event} of {found.on}: nobody is "
                "watched after the stop; if the treatment goes on, withdraw the stop (status "
                "entered-in-error)"
            )

    def _note_not_handed_over(self) -> None:
        """A treatment that nobody has said goes to another clinic is watched on."""
        for line, patient in self._accepted:
            lasting = {
                entry.drug
                for entry in self._roster.of(patient)
                if entry.ended_on is None and entry.merged_into is None
            }
            if lasting:
                self._account.note(
                    f"line {line}: no transfer_out since the start comes before it: "
                    f"{', '.join(sorted(lasting))} is watched on"
                )

    def _note_unnamed(self, row: Happening) -> None:
        """A symptom or task that no protocol names, a drug whose name is nearly one that is
        known: kept, and nobody is told of it but here."""
        known = self._known.get(row.event)
        if known is not None and row.value not in known:
            guess = nearest(row.value, sorted(known))
            what = "symptom" if row.event == SYMPTOM else "task"
            hint = f"; {guess}" if guess.startswith("did you mean") else ""
            self._account.note(
                f'line {row.line}: no protocol names the {what} "{row.value}": recorded, and '
                f"no alert {'comes of it' if what == 'symptom' else 'ends by it'}{hint}"
            )
        if row.event in _OF_DRUGS and row.value and not self._drugs.is_known(row.value):
            guess = self._drugs.suggest(row.value)
            if guess.startswith("did you mean"):
                self._account.note(
                    f'line {row.line}: no drug is called "{row.value}" in analytes.toml: recorded, '
                    f"and no interaction comes of it; {guess}"
                )

    def _merge(self, row: Happening) -> bool:
        other = read_number(row.value)
        if self._people.find(row.mrn) is None and self._people.find(other) is None:
            raise Refused("neither of the two numbers is enrolled")
        what = row.event
        if row.withdrawn:
            what = UNMERGE if what == MERGE else MERGE
        changed = self._merging.say(
            what, row.mrn, other, on=row.on, note=row.note, origin=BY_PEOPLE, line=row.line
        )
        self._account.patients |= self._merging.touched
        self._roster.forget_all()
        return changed

    def _withdraw(self, row: Happening, person: Person, same: Sequence[Any]) -> bool:
        if not same:
            raise Refused("there is no such event to withdraw: day, event and value must agree")
        lasting = [known for known in same if not known.withdrawn]
        if not lasting:
            again = [(known.id, self._file_id, row.line) for known in same]
            note_repeats(self._connection, "withdrawal", again)
            return False
        if len({known.value for known in lasting}) > 1:
            raise Refused("several such events on that day: give the value of the one meant")
        noted = [known for known in lasting if known.note == row.note]
        ids = [known.id for known in (noted or lasting)]
        self._connection.execute(
            update(EVENTS)
            .where(EVENTS.c.id.in_(ids))
            .values(withdrawn=True, withdrawn_in=self._file_id)
        )
        self._touch(person)
        if row.event == "stop":
            self._note_twice(row, person)
        return True

    def _note_twice(self, row: Happening, person: Person) -> None:
        """A stop was taken back after the drug had been begun anew."""
        lasting = [
            entry
            for entry in self._roster.of(person.id)
            if entry.ended_on is None and entry.merged_into is None
        ]
        for drug in sorted({entry.drug for entry in lasting}):
            days = [str(entry.started_on) for entry in lasting if entry.drug == drug]
            if len(days) > 1:
                self._account.note(
                    f"line {row.line}: {drug} is enrolled more than once now, from "
                    f"{' and from '.join(days)}: both are watched; if the first did end, record "
                    "its stop anew, with a note"
                )

    def _touch(self, person: Person) -> None:
        self._account.patients.add(person.id)
        self._roster.forget(person.id)
