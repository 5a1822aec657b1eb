"""What files say of numbers that are one patient's, as they say it: events and HL7 messages."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.analytes import Catalogue
from monitor.core.merges import MERGE, UNMERGE
from monitor.intake.issuers import Another, Claim, Found, Issuers, match
from monitor.intake.merges import Saying, already_said, derive, is_merged, record
from monitor.intake.people import Number, People
from monitor.intake.people_file import Refused
from monitor.intake.raw import PatientMerge


class Merging:
    """The merges of one file, each made true as it comes: later rows follow."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        catalogue: Catalogue,
        people: People,
        file_id: int,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._catalogue = catalogue
        self._people = people
        self._file_id = file_id
        self._now = now
        self._taken = 0
        self._notes: list[str] = []
        self._passed: Counter[str] = Counter()
        self.touched: set[int] = set()
        """Patients whose answers can have changed."""

    def say(
        self, what: str, old: Number, new: Number, *, on: date, note: str, origin: str, line: int
    ) -> bool:
        """Take what a person says; False where it says nothing new. Raises Refused."""
        if old.key == new.key:
            raise Refused("a number cannot be merged with itself")
        ids = self._people.patient_of(old), self._people.patient_of(new)
        if what == UNMERGE and (None in ids or not is_merged(self._connection, *_both(ids))):
            said_before = None not in ids and already_said(
                self._connection, _saying(what, *_both(ids), on, note, origin, line)
            )
            if said_before:
                return False
            raise Refused(f"{old} and {new} are not merged: nothing to take back")
        old_id = self._people.enter(old) if ids[0] is None else ids[0]
        new_id = self._people.enter(new) if ids[1] is None else ids[1]
        if old_id == new_id:
            raise Refused("both numbers are one patient's already, with and without their issuer")
        saying = _saying(what, old_id, new_id, on, note, origin, line)
        if already_said(self._connection, saying) is not None:
            return False
        self._record(saying)
        return True

    def hear(self, message: PatientMerge, issuers: Issuers) -> None:
        """Take what a message says; what cannot be followed becomes a note."""
        old_id = self._patient(issuers.claim(message.old, message.issuer))
        new_id = self._patient(issuers.claim(message.new, message.issuer))
        if old_id is None or new_id is None:
            self._passed["names another issuer's number, or none: not followed"] += 1
        elif old_id == new_id:
            self._passed["names one number twice: nothing to do"] += 1
        else:
            saying = _saying(MERGE, old_id, new_id, None, "", message.kind, message.line)
            if already_said(self._connection, saying) is None:
                self._record(saying)

    def notes(self) -> list[str]:
        """What a person should know, once all are taken."""
        notes = list(dict.fromkeys(self._notes))
        if self._taken:
            notes.append(f"rows that were held for merged numbers went in: {self._taken}")
        for what, count in self._passed.items():
            notes.append(f"{count} message that merges patients {what}")
        return notes

    def _record(self, saying: Saying) -> None:
        record(self._connection, saying, self._file_id, self._now)
        both = (saying.old_id, saying.new_id)
        derived = derive(self._connection, self._settings, self._catalogue, both, self._now)
        self.touched |= derived.patients
        self._taken += derived.taken
        self._notes += derived.notes
        self._people.forget()

    def _patient(self, claim: Claim) -> int | None:
        """The patient a message means; a number that nobody knows yet is remembered."""
        number = claim.number
        if not number.number:
            return None
        known = self._people.patient_of(number)
        if known is not None:
            return known
        found = match(claim, self._people.with_number(number.number))
        if isinstance(found, Found):
            if found.newly is not None and found.newly.issuer:
                self._people.see(found.newly, found.person, self._now)
            return found.person.home_id
        if isinstance(found, Another):
            return None
        return self._people.enter(number, heard_at=None if claim.surely else self._now)


def _saying(
    what: str, old_id: int, new_id: int, on: date | None, note: str, origin: str, line: int
) -> Saying:
    return Saying(
        what=what, old_id=old_id, new_id=new_id, on=on, note=note, origin=origin, line=line
    )


def _both(ids: tuple[int | None, int | None]) -> tuple[int, int]:
    old, new = ids
    assert old is not None and new is not None
    return old, new
