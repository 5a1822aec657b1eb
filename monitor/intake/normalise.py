"""Raw row to result, held row or ignored row: the one way in for every format.

Source: specification, section 3. Nothing is guessed: what cannot be trusted is held with its
reason, and where the analyte and the patient are known, with the values it may mean.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.standing import PLACEHOLDER, Key, Report, key_of, read_status
from monitor.core.vocabulary import Status
from monitor.intake.dates import Moment, read_day, read_moment
from monitor.intake.issuers import Another, Claim, Found, Issuers, match
from monitor.intake.measure import Measure, Measures, Problem
from monitor.intake.people import People, Person, mrn_key, read_number
from monitor.intake.problems import another_issuer, no_date, no_number, no_status
from monitor.intake.raw import BadLine, RawRow, as_written

_ID = re.compile("[/:]")
_AHEAD = timedelta(hours=24)
_CACHE_LIMIT = 100_000
_COMMENT_LIMIT = 4000
_METHOD_LIMIT = 200
_NAME_SHOWN = 60
_MRN_LIMIT = 200
"""Characters of a number that quarantine is searched by; no real one comes near."""
UNKNOWN_PATIENT = "unknown_patient"


@dataclass(slots=True)
class Taken:
    """A row that became a result, before it is known whether it stands."""

    line: int
    patient_id: int
    analyte: str
    collected: Moment
    specimen_id: str
    value: Decimal | None
    comparator: str
    no_result: str
    status: Status
    received_value: str
    received_unit: str
    ref_low: Decimal | None
    ref_high: Decimal | None
    reported_at: datetime | None
    comment: str
    below_plausible: bool
    doubtful_comment: str
    method: str
    raw: RawRow
    home_id: int | None = None
    """The patient under whose number it came, where that was merged into another."""
    issuer: str = ""
    received_at: datetime | None = None
    """When the row first came, where it was held before; None: now."""

    @property
    def key(self) -> Key:
        collected = self.collected
        return key_of(
            self.patient_id,
            self.analyte,
            self.specimen_id,
            collected.on,
            collected.at,
            collected.timed,
        )

    def report(self, received: tuple[datetime, *tuple[int, ...]]) -> Report:
        return Report(self.status, self.value, self.comparator, self.reported_at, received)


@dataclass(slots=True)
class Held:
    """A row that goes into quarantine."""

    line: int
    stored: dict[str, Any]
    code: str
    reason: str
    hint: str = ""
    mrn_key: str = ""
    patient_id: int | None = None
    analyte: str = ""
    collected_on: date | None = None
    raw: RawRow | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row that needs nobody: `why` is mapping, placeholder, announced or not enrolled."""

    line: int
    why: str


Outcome = Taken | Held | Ignored


class Normaliser:
    """Normalises the rows of one source at one instant."""

    def __init__(
        self,
        people: People,
        catalogue: Catalogue,
        source: Source,
        *,
        zone: ZoneInfo,
        now: datetime,
        issuers: Issuers | None = None,
        patients: Mapping[str, str] | None = None,
        ignore_unknown_patients: bool = False,
    ) -> None:
        self._people = people
        self.issuers = issuers or Issuers()
        self._said = patients or {}
        self._now = now
        self._catalogue = catalogue
        self._source = source
        self._zone = zone
        self.latest = now + _AHEAD
        """A collection after it lies in the future."""
        self._ignore_unknown = ignore_unknown_patients
        self.measures = Measures(catalogue, source)
        self._moments: dict[tuple[str, str], Moment | None] = {}
        self._statuses: dict[str, Status | str | None] = {}
        self.unread: Counter[str] = Counter()
        """Optional cells that could not be read and count as missing, by column."""

    def normalise(self, rows: Iterable[RawRow | BadLine]) -> Iterator[Outcome]:
        """The outcome of each row, in order; patients are looked up for all of them at once."""
        rows = list(rows)
        self._people.prepare(
            self.issuers.claim(row.mrn, row.issuer).number.number
            for row in rows
            if isinstance(row, RawRow)
        )
        for row in rows:
            yield self._bad_line(row) if isinstance(row, BadLine) else self._row(row)

    def prepare(self, numbers: Iterable[str]) -> None:
        """Look up the patients of plain numbers, as rows without an issuer give them."""
        self._people.prepare(self.issuers.claim(mrn, "").number.number for mrn in numbers)

    def possible_values(self, held: Held) -> str:
        """The canonical values that a held row may mean, as quarantine keeps them."""
        analyte = self._catalogue.find(held.analyte) if held.analyte else None
        if analyte is None or held.raw is None or held.patient_id is None:
            return ""
        values = self.measures.possible(analyte, held.raw.value, held.raw.unit, held.raw.decimal)
        return " ".join(format(value, "f") for value in values)

    def _bad_line(self, bad: BadLine) -> Held:
        stored = {"line": bad.text} | ({"place": bad.place} if bad.place else {})
        return Held(bad.line, stored, bad.code, bad.reason, place=bad.place)

    def _row(self, row: RawRow) -> Outcome:
        if row.unresolved and self._source.patient_id_is_mrn:
            row = row._replace(mrn=_ID.split(row.reference)[-1])
        contradiction = None
        if row.also:
            contradiction = self._contradicting(row)
            row = self._named(row)
        if self.measures.is_ignored(row.analyte):
            return Ignored(row.line, "mapping")
        status = self.status(row.status)
        if status == PLACEHOLDER:
            return Ignored(row.line, "announced" if row.value.strip() else "placeholder")
        whose = self.whose(row)
        if not isinstance(whose, Person):
            return whose
        moment = self.moment(row.collected_at, row.dates)
        if moment is None:
            return self._hold(row, no_date(row.collected_at), whose.id)
        if moment.at > self.latest:
            problem = Problem("future", "collected more than 24 hours in the future")
            return self._hold(row, problem, whose.id)
        if not isinstance(status, Status):
            return self._hold(row, no_status(row.status), whose.id)
        if contradiction:
            return self._hold(row, contradiction, whose.id)
        return self.measured(row, whose, moment, status)

    def measured(self, row: RawRow, whose: Person, moment: Moment, status: Status) -> Outcome:
        """The outcome of a row of which whose it is, its instant and its status are known."""
        measures = self.measures
        if status in (Status.WITHDRAWN, Status.CANCELLED):
            found = measures.withdrawn(row.analyte, row.value, row.unit, row.decimal)
        else:
            found = measures.measure(row.analyte, row.value, row.unit, row.decimal)
        if isinstance(found, Problem):
            return self._hold(row, found, whose.id)
        if found.pending and status is not Status.WITHDRAWN:
            return Ignored(row.line, "placeholder")
        cancelled = status is Status.CANCELLED
        low, high = measures.limits(
            found.analyte, row.ref_low, row.ref_high, found.unit, row.decimal
        )
        comment = row.comment.strip()[:_COMMENT_LIMIT]
        return Taken(
            line=row.line,
            patient_id=whose.id,
            analyte=found.analyte.name,
            collected=moment,
            specimen_id=row.specimen_id.strip(),
            value=None if cancelled else found.value,
            comparator="" if cancelled else found.comparator,
            no_result=_no_result(found, status, row.value),
            status=status,
            received_value=row.value.strip(),
            received_unit=row.unit.strip(),
            ref_low=low,
            ref_high=high,
            reported_at=self._reported(row),
            comment=comment,
            below_plausible=found.below_plausible,
            doubtful_comment=measures.doubt(comment, found.analyte),
            method=" ".join(row.method.casefold().split())[:_METHOD_LIMIT],
            raw=row,
            home_id=whose.moved_from,
            issuer=row.issuer.strip()[:_MRN_LIMIT],
        )

    def whose(self, row: RawRow) -> Person | Held | Ignored:
        """Whose row it is, or what becomes of one that is nobody's."""
        claim = self.issuers.claim(row.mrn, row.issuer)
        if self._said and (said := self._said.get(as_written(row))):
            person = self._people.find(read_number(said))
            if person is not None:
                return person
        if not claim.number.number:
            return self._hold(row, no_number(row), None)
        found = match(claim, self._people.with_number(claim.number.number))
        if isinstance(found, Found):
            return self._the_same(row, found)
        if isinstance(found, Another) and not self._is_told_apart(claim):
            return self._hold(row, another_issuer(claim, found), _only(found.persons))
        return self._nobody(row, claim)

    def _is_told_apart(self, claim: Claim) -> bool:
        """Whether the issuer is one that people know: its number is surely another's."""
        return claim.surely and mrn_key(claim.number.issuer) in self._people.issuers()

    def _the_same(self, row: RawRow, found: Found) -> Person | Held:
        person = found.person
        if row.family_name or row.given_name or row.birth_date:
            problem = self._contradiction(row, person)
            if problem is not None:
                return self._hold(row, problem, person.id)
        if found.newly is not None and found.newly.issuer:
            self._people.see(found.newly, person.home_id, self._now)
        return person

    def _nobody(self, row: RawRow, claim: Claim) -> Held | Ignored:
        """A row of somebody who is not enrolled, unless it looks like somebody who is."""
        alike = self._people.alike(claim.number.number)
        if alike:
            problem = Problem(
                "mrn_alike",
                "the number equals an enrolled patient's but for leading zeros or punctuation",
                f"enrolled: {', '.join(one.mrn for one in alike)}",
            )
            return self._hold(row, problem, _only(alike))
        namesakes = self._namesakes(row)
        if namesakes:
            problem = Problem(
                "another_number",
                "name and birth date are an enrolled patient's, under another number",
                f"enrolled: {', '.join(one.mrn for one in namesakes)}",
            )
            return self._hold(row, problem, _only(namesakes))
        if self._ignore_unknown:
            return Ignored(row.line, "not enrolled")
        reason = "the patient is not enrolled; taken in by itself upon enrolment"
        return self._hold(row, Problem(UNKNOWN_PATIENT, reason), None)

    def _contradiction(self, row: RawRow, person: Person) -> Problem | None:
        birth = self._birth_date(row)
        if row.birth_date.strip() and birth is None:
            return Problem("identity", "identity does not match: birth date not readable")
        wrong = person.disagreement(row.family_name, row.given_name, birth)
        if not wrong:
            return None
        return Problem("identity", f"identity does not match: the {wrong} is not this number's")

    def _namesakes(self, row: RawRow) -> tuple[Person, ...]:
        if not row.birth_date.strip() or not row.family_name.strip() or not row.given_name.strip():
            return ()
        birth = self._birth_date(row)
        if birth is None:
            return ()
        return self._people.namesakes(row.family_name, row.given_name, birth)

    def _birth_date(self, row: RawRow) -> date | None:
        """The birth date of a row; one with a year of two digits lies in the past."""
        moment = self.moment(row.birth_date, row.dates) if row.birth_date.strip() else None
        if moment is None:
            return None
        day = read_day(row.birth_date, self._source.date_format or row.dates) or moment.on
        return day if day <= self.latest.date() else _a_century_earlier(day)

    def moment(self, text: str, order: str) -> Moment | None:
        """The instant that a text means; None where it cannot be read."""
        key = (text, order)
        if key not in self._moments:
            if len(self._moments) > _CACHE_LIMIT:
                self._moments.clear()
            self._moments[key] = read_moment(text, self._source.date_format or order, self._zone)
        return self._moments[key]

    def status(self, word: str) -> Status | str | None:
        """The meaning of a status word; None for an unknown one."""
        if word not in self._statuses:
            if len(self._statuses) > _CACHE_LIMIT:
                self._statuses.clear()
            self._statuses[word] = read_status(word)
        return self._statuses[word]

    def _reported(self, row: RawRow) -> datetime | None:
        if not row.reported_at.strip():
            return None
        moment = self.moment(row.reported_at, row.dates)
        if moment is None:
            self.unread["reported_at"] += 1
            return None
        return moment.at

    def _hold(self, row: RawRow, problem: Problem, patient_id: int | None) -> Held:
        """Hold a row with all that is known of it, so that a watched patient's is judged."""
        analyte = problem.analyte or self.measures.analyte(row.analyte)
        if analyte is not None and "%" in row.unit:
            measured = self.measures.measure(row.analyte, row.value, row.unit, row.decimal)
            analyte = measured.analyte or analyte
        moment = self.moment(row.collected_at, row.dates)
        return Held(
            line=row.line,
            stored=row.stored(),
            code=problem.code,
            reason=problem.reason,
            hint=problem.hint,
            mrn_key=mrn_key(self.issuers.claim(row.mrn, row.issuer).number.number)[:_MRN_LIMIT],
            patient_id=patient_id,
            analyte="" if analyte is None else analyte.name,
            collected_on=None if moment is None else moment.on,
            raw=row,
            place=row.place,
        )

    def _named(self, row: RawRow) -> RawRow:
        """The row under that one of its analyte's names that counts: one to be ignored, one that
        the mapping names, else the first that says something to us."""
        names = [name for name in (row.analyte, *row.also) if name.strip()]
        measures = self.measures
        known = (name for name in names if measures.analyte(name) is not None)
        chosen = chain(
            filter(measures.is_ignored, names), filter(measures.is_mapped, names), known, names
        )
        return row._replace(analyte=next(chosen, row.analyte))

    def _contradicting(self, row: RawRow) -> Problem | None:
        """Why two names of a row's analyte cannot both be right, if so; a count and its
        percentage are no contradiction, for the unit tells them apart."""
        meant: dict[str, str] = {}
        for name in (row.analyte, *row.also):
            analyte = self.measures.analyte(name)
            if analyte is not None and not self.measures.is_mapped(name):
                meant.setdefault(analyte.absolute_name or analyte.name, name)
        if len(meant) < 2:
            return None
        (_, one), (_, other) = list(meant.items())[:2]
        reason = "code and name of the analyte contradict each other"
        hint = f'"{one[:_NAME_SHOWN]}" and "{other[:_NAME_SHOWN]}"'
        return Problem("code_contradicts_name", reason, hint)


def _a_century_earlier(day: date) -> date:
    return day.replace(year=day.year - 100, day=min(day.day, 28) if day.month == 2 else day.day)


def _no_result(found: Measure, status: Status, text: str) -> str:
    if status is Status.CANCELLED:
        return found.no_result if found.no_result and text.strip() else "cancelled"
    return found.no_result if found.value is None and status is not Status.WITHDRAWN else ""


def _only(persons: tuple[Person, ...]) -> int | None:
    return persons[0].id if len(persons) == 1 else None
