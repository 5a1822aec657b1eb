"""Whose row it is: by its number and who gave it out, checked against name and birth date.

Source: specification, section 3. Nobody is guessed: a row that may be somebody else's says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.intake.cells import Cells
from monitor.intake.issuers import Another, Claim, Found, Issuers, match
from monitor.intake.measured import Problem
from monitor.intake.outcomes import UNKNOWN_PATIENT
from monitor.intake.people import People, Person, mrn_key, read_number
from monitor.intake.problems import another_issuer, no_number, number_is_an_amount
from monitor.intake.raw import RawRow, as_written

_AMOUNT = re.compile(r"\d(?:[.,]\d+)?E\+\d{1,2}", re.IGNORECASE)
"""`1.23457E+11`, as a spreadsheet shows a long number that it takes for an amount."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """Why a row is nobody's for certain."""

    problem: Problem
    patient_id: int | None = None
    """The enrolled patient it may be of, where that is one."""


class Whose:
    """Tells whose the rows of one source are. `said` are numbers that a person explained, as
    they are written."""

    def __init__(
        self,
        people: People,
        cells: Cells,
        issuers: Issuers,
        said: Mapping[str, str],
        now: datetime,
    ) -> None:
        self._people = people
        self._cells = cells
        self._issuers = issuers
        self._said = said
        self._now = now

    def of(self, row: RawRow) -> Person | Unsure:
        """Whose row it is, or why it is nobody's."""
        claim = self._issuers.claim(row.mrn, row.issuer)
        if self._said and (said := self._said.get(as_written(row))):
            person = self._people.find(read_number(said))
            if person is not None:
                return person
        if not claim.number.number:
            return Unsure(no_number(row))
        found = match(claim, self._people.with_number(claim.number.number))
        if isinstance(found, Found):
            return self._the_same(row, found)
        if isinstance(found, Another) and not self._is_told_apart(claim):
            return Unsure(another_issuer(claim, found), _only(found.persons))
        return self._nobody(row, claim)

    def _is_told_apart(self, claim: Claim) -> bool:
        """Whether the issuer is one that people know: its number is surely another's."""
        return claim.surely and mrn_key(claim.number.issuer) in self._people.issuers()

    def _the_same(self, row: RawRow, found: Found) -> Person | Unsure:
        person = found.person
        if row.family_name or row.given_name or row.birth_date:
            problem = self._contradiction(row, person)
            if problem is not None:
                return Unsure(problem, person.id)
        if found.newly is not None and found.newly.issuer:
            self._people.see(found.newly, person.home_id, self._now)
        return person

    def _nobody(self, row: RawRow, claim: Claim) -> Unsure:
        """A row of somebody who is not enrolled, unless it looks like somebody who is."""
        alike = self._people.alike(claim.number.number)
        if alike:
            problem = Problem(
                "mrn_alike",
                "the number equals an enrolled patient's but for leading zeros or punctuation",
                f"enrolled: {', '.join(one.mrn for one in alike)}",
            )
            return Unsure(problem, _only(alike))
        namesakes = self._namesakes(row)
        if namesakes:
            problem = Problem(
                "another_number",
                "name and birth date are an enrolled patient's, under another number",
                f"enrolled: {', '.join(one.mrn for one in namesakes)}",
            )
            return Unsure(problem, _only(namesakes))
        if _AMOUNT.fullmatch(row.mrn.strip()):
            return Unsure(number_is_an_amount())
        reason = "the patient is not enrolled; taken in by itself upon enrolment"
        return Unsure(Problem(UNKNOWN_PATIENT, reason))

    def _contradiction(self, row: RawRow, person: Person) -> Problem | None:
        birth = self._cells.birth_date(row)
        if row.birth_date.strip() and birth is None and person.birth_date is not None:
            return Problem("identity", "identity does not match: birth date not readable")
        wrong = person.disagreement(row.family_name, row.given_name, birth)
        if not wrong:
            return None
        return Problem("identity", f"identity does not match: the {wrong} is not this number's")

    def _namesakes(self, row: RawRow) -> tuple[Person, ...]:
        if not row.birth_date.strip() or not row.family_name.strip() or not row.given_name.strip():
            return ()
        birth = self._cells.birth_date(row)
        if birth is None:
            return ()
        return self._people.namesakes(row.family_name, row.given_name, birth)


def _only(persons: tuple[Person, ...]) -> int | None:
    return persons[0].id if len(persons) == 1 else None
