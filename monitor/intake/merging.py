"""What files say of numbers that are one patient's, as they say it: events and HL7 messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.catalogue import Catalogue
from monitor.core.merges import MERGE, UNMERGE
from monitor.intake.issuers import Another, Claim, Found, Issuers, match
from monitor.intake.merges import Saying, already_said, derive, is_merged, record
from monitor.intake.people import Number, People
from monitor.intake.people_file import Refused
from monitor.intake.raw import PatientMerge
from monitor.intake.repeats import note_repeats

_ANOTHERS = -1
"""No patient: the number is known, of another issuer."""


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
        return self._record(_saying(what, old_id, new_id, on, note, origin, line))

    def hear(self, message: PatientMerge, issuers: Issuers) -> str:
        """Take what a message says; what names nobody of ours becomes a note. Returns why it may
        not be followed without a person, if so."""
        old = issuers.claim(message.old, message.old_issuer or message.issuer)
        new = issuers.claim(message.new, message.issuer)
        if wrong := self._half_told(old, new) or self._unsure(message, old, new):
            return f"a merge of patients that is not followed: {wrong}"
        if message.unsure:
            return ""
        known = self._known(old), self._known(new)
        if _ANOTHERS in known or not (old.number.number and new.number.number):
            self._passed["names another issuer's number, or none: not followed"] += 1
            return ""
        if wrong := self._contradiction(message, old, new):
            return f"a merge of patients that is not followed: {wrong}"
        ours = old.number.key[0] == new.number.key[0] and any(
            it is not None and self._people.is_plain(it) for it in known
        )
        old_id = self._enter(old, ours=ours) if known[0] is None else known[0]
        new_id = self._enter(new, ours=ours) if known[1] is None else known[1]
        if old_id == new_id:
            self._passed["names one number twice: nothing to do"] += 1
        else:
            self._record(_saying(MERGE, old_id, new_id, None, "", message.kind, message.line))
        return ""

    def _unsure(self, message: PatientMerge, old: Claim, new: Claim) -> str:
        """Why a number beside the one that ends is to be looked at: it is an enrolled patient's,
        and not yet that of the one who stays."""
        found = match(old, self._people.with_number(old.number.number)) if message.unsure else None
        if not isinstance(found, Found):
            return ""
        stays = match(new, self._people.with_number(new.number.number))
        is_one = isinstance(stays, Found) and stays.person.id == found.person.id
        return "" if is_one else message.unsure

    def _half_told(self, old: Claim, new: Claim) -> str:
        """What is missing of a merge of one who is enrolled: the other of the two numbers."""
        for claim, other, which in ((old, new, "new"), (new, old, "old")):
            if claim.number.number and not other.number.number:
                found = match(claim, self._people.with_number(claim.number.number))
                if isinstance(found, Found):
                    return f"the {which} number is not told"
        return ""

    def _contradiction(self, message: PatientMerge, old: Claim, new: Claim) -> str:
        """What a message says of the patient that cannot be so: that is somebody else than who has
        the number that stays, or was not born on the day of who has the one that ends. Names may
        differ there: a patient is often two because of a marriage."""
        birth = _day(message.birth_date)
        names = message.family_name, message.given_name
        for claim, family, given in ((new, *names), (old, "", "")):
            found = match(claim, self._people.with_number(claim.number.number))
            if isinstance(found, Found):
                wrong = found.person.disagreement(family, given, birth)
                if wrong:
                    which = "new" if claim is new else "old"
                    return f"the {wrong} of the message is not that of the {which} number"
        return ""

    def notes(self) -> list[str]:
        """What a person should know, once all are taken."""
        notes = list(dict.fromkeys(self._notes))
        if self._taken:
            notes.append(f"rows that were held for merged numbers went in: {self._taken}")
        for what, count in self._passed.items():
            notes.append(f"{count} message that merges patients {what}")
        return notes

    def _record(self, saying: Saying) -> bool:
        """Write it down and make it true; False where it was said before."""
        said = already_said(self._connection, saying)
        if said is not None:
            note_repeats(self._connection, "merge", [(said, self._file_id, saying.line)])
            return False
        record(self._connection, saying, self._file_id, self._now)
        self.make_true({saying.old_id, saying.new_id})
        return True

    def make_true(self, patients: Collection[int]) -> None:
        """Derive anew whose everything is, after what was said of these numbers has changed."""
        derived = derive(self._connection, self._settings, self._catalogue, patients, self._now)
        self.touched |= derived.patients
        self._taken += derived.taken
        self._notes += derived.notes
        self._people.forget()

    def _known(self, claim: Claim) -> int | None:
        """The patient a message means; None where nobody knows the number yet."""
        number = claim.number
        patient = self._people.patient_of(number)
        if patient is not None:
            return patient
        found = match(claim, self._people.with_number(number.number))
        if isinstance(found, Found):
            if found.newly is not None and found.newly.issuer:
                self._people.see(found.newly, found.person.home_id, self._now)
            return found.person.home_id
        return _ANOTHERS if isinstance(found, Another) else self._not_enrolled(claim)

    def _not_enrolled(self, claim: Claim) -> int | None:
        """The patient of a plain number that nobody is enrolled under, or not any more: the issuer
        is taken for the clinic's own, as that of an enrolled patient's is."""
        number = claim.number
        plain = self._people.patient_of(Number("", number.number))
        if plain is None or claim.surely or self._people.has_issuer(plain, number):
            return None
        self._people.see(number, plain, self._now)
        return plain

    def _enter(self, claim: Claim, *, ours: bool) -> int:
        """Remember a number that nobody knows yet. It is a plain one (`ours`) where the other
        number of the message is the clinic's, and both have one issuer."""
        number = claim.number
        if not ours or not number.issuer:
            return self._people.enter(number, heard_at=None if claim.surely else self._now)
        plain = Number("", number.number)
        if self._people.patient_of(plain) is not None:
            return self._people.enter(number, heard_at=self._now)
        patient = self._people.enter(plain)
        self._people.see(number, patient, self._now)
        return patient


def _saying(
    what: str, old_id: int, new_id: int, on: date | None, note: str, origin: str, line: int
) -> Saying:
    return Saying(
        what=what, old_id=old_id, new_id=new_id, on=on, note=note, origin=origin, line=line
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _both(ids: tuple[int | None, int | None]) -> tuple[int, int]:
    old, new = ids
    assert old is not None and new is not None
    return old, new
