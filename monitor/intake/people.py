"""Whose row it is: exact numbers decide, likeness and names only raise suspicion.

A number belongs to its issuer: the same number from two issuers is two patients. A plain
number is the source's own (specification, section 3, "Whose"; `docs/choices/identity.md`).
MRNs are text, compared without surrounding space and regardless of case; nothing is ever
guessed from a number that is merely alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update

from monitor.intake.names import same_name
from monitor.store import tables
from monitor.store.tables import table_of

PATIENTS = table_of(tables.Patient)
IDENTIFIERS = table_of(tables.Identifier)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_CHUNK = 400
_CACHE_LIMIT = 200_000
_ZEROS = re.compile(r"^0+(?=.)|(?<!\d)0+(?=\d)")
_FLOAT_TAIL = re.compile(r"\.0+$")
_BIRTHS_APART = 20
"""Birth dates that are asked for one by one; whoever asks for more has all of them read."""
_SURVIVOR = PATIENTS.alias()
_MEMBER = PATIENTS.alias()
_IS_ENROLLED = (
    select(_ENROLMENTS.c.id)
    .where(
        _ENROLMENTS.c.patient_id.in_(
            (PATIENTS.c.id, func.coalesce(PATIENTS.c.person_id, PATIENTS.c.id))
        ),
        func.coalesce(_ENROLMENTS.c.home_id, _ENROLMENTS.c.patient_id) == PATIENTS.c.id,
        or_(_ENROLMENTS.c.stands, _ENROLMENTS.c.merged_into.is_not(None)),
    )
    .exists()
)
"""Under this number, and not only under one that it was merged with. Asked for by who the enrolment
is of now, for which there is an index."""
_NAMED = (
    select(
        PATIENTS.c.id.label("home"),
        _SURVIVOR.c.id,
        _SURVIVOR.c.mrn,
        _MEMBER.c.id.label("member"),
        _MEMBER.c.family_name,
        _MEMBER.c.given_name,
        _MEMBER.c.birth_date,
        _IS_ENROLLED.label("is_enrolled"),
    )
    .join(_SURVIVOR, _SURVIVOR.c.id == func.coalesce(PATIENTS.c.person_id, PATIENTS.c.id))
    .join(_MEMBER, or_(_MEMBER.c.id == _SURVIVOR.c.id, _MEMBER.c.person_id == _SURVIVOR.c.id))
    .where(
        select(_ENROLMENTS.c.id)
        .where(_ENROLMENTS.c.patient_id == _SURVIVOR.c.id, _ENROLMENTS.c.stands)
        .exists()
    )
    .order_by(PATIENTS.c.id, _MEMBER.c.id)
)
"""The enrolled among patients, with what is known of each under all of their numbers; built once,
for it is asked for each row of a file."""


def mrn_key(text: str) -> str:
    """An MRN, or an issuer, as it is compared."""
    return text.strip().casefold()


def mrn_loose(text: str) -> str:
    """An MRN without leading zeros, punctuation and a spreadsheet's `.0`: equal ones are
    suspicious, never the same."""
    text = _FLOAT_TAIL.sub("", mrn_key(text))
    return _ZEROS.sub("", "".join(sign for sign in text if sign.isalnum()))


class Number(NamedTuple):
    """A patient number and who gave it out; an issuer of "" is the clinic itself."""

    issuer: str
    number: str

    @property
    def key(self) -> tuple[str, str]:
        """As it is compared."""
        return mrn_key(self.issuer), mrn_key(self.number)

    def __str__(self) -> str:
        return f"{self.issuer}:{self.number}" if self.issuer else self.number


def read_number(text: str) -> Number:
    """A number as people write it: `issuer:number`, or plain. The last colon divides, for an
    issuer may be an address (`urn:oid:2.16.756:4711`)."""
    issuer, _, number = text.strip().rpartition(":")
    if not number.strip() or not issuer.strip():
        return Number("", text.strip())
    return Number(issuer.strip(), number.strip())


class Named(NamedTuple):
    """What is known of a person under one number."""

    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None

    def disagreement(self, family: str, given: str, birth: date | None) -> str:
        """Which of name and birth date contradicts this; "" if none."""
        if birth is not None and self.birth_date is not None and birth != self.birth_date:
            return "birth date"
        return same_name(self.family_name, self.given_name, family, given)


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as far as identity goes: the number that survives, and what is known under
    each of the numbers (the asked one first)."""

    id: int
    home_id: int
    """The patient under whose number this was found: `id`, unless that was merged."""
    mrn: str
    named: tuple[Named, ...] = (Named(),)
    is_enrolled: bool = True
    """Under the very number by which this was found."""

    @property
    def moved_from(self) -> int | None:
        """What `home_id` of a row has to say."""
        return None if self.home_id == self.id else self.home_id

    @property
    def birth_date(self) -> date | None:
        return next((it.birth_date for it in self.named if it.birth_date is not None), None)

    def disagreement(self, family: str, given: str, birth: date | None) -> str:
        """Which of name and birth date contradicts all that is known of the person: a name that
        was left with an old number is known too."""
        births = {it.birth_date for it in self.named} - {None}
        if birth is not None and births and birth not in births:
            return "birth date"
        names = [it for it in self.named if it.family_name.strip() or it.given_name.strip()]
        found = [same_name(it.family_name, it.given_name, family, given) for it in names]
        return "" if not found or "" in found else found[0]


@dataclass(frozen=True, slots=True)
class Known:
    """A number that somebody has, with its issuer. `seen`: only laboratory rows named it."""

    number: Number
    person: Person
    seen: bool


class People:
    """The patients of the database, looked up for a batch of rows at a time. A person counts
    as known once enrolled, under whichever number."""

    def __init__(self, connection: Connection, *, births_apart: int = _BIRTHS_APART) -> None:
        self._connection = connection
        self._births_apart = births_apart
        self._known: dict[str, tuple[Known, ...]] = {}
        self._alike: dict[str, tuple[Person, ...]] = {}
        self._born: dict[date, list[Person]] = {}
        self._all_born = False
        self._issuers: frozenset[str] | None = None

    def prepare(self, numbers: Iterable[str]) -> None:
        """Look up these numbers (without issuer), in a few queries for all of them."""
        if len(self._known) > _CACHE_LIMIT:
            self.forget()
        # not as a difference of sets, which goes through all that are known
        unknown = sorted({key for key in map(mrn_key, numbers) if key not in self._known})
        for start in range(0, len(unknown), _CHUNK):
            self._look_up(unknown[start : start + _CHUNK])

    def with_number(self, number: str) -> tuple[Known, ...]:
        """Everyone who has this number, of whatever issuer."""
        self.prepare([number])
        return self._known[mrn_key(number)]

    def find(self, number: Number) -> Person | None:
        """The patient with exactly this number of this issuer."""
        key = number.key
        known = self.with_number(number.number)
        return next((it.person for it in known if it.number.key == key), None)

    def alike(self, number: str) -> tuple[Person, ...]:
        """Patients whose number equals this one but for leading zeros or punctuation."""
        exact = {it.person.id for it in self.with_number(number)}
        found = self._alike.get(mrn_loose(number), ())
        return tuple(person for person in found if person.id not in exact)

    def namesakes(self, family: str, given: str, birth: date) -> tuple[Person, ...]:
        """Patients with this name and birth date."""
        self._look_up_births(birth)
        found = {
            person.id: person
            for person in self._born.get(birth, ())
            if any(_is_namesake(named, family, given, birth) for named in person.named)
        }
        return tuple(found.values())

    def issuers(self) -> frozenset[str]:
        """The issuers that people have named, as they are compared."""
        if self._issuers is None:
            query = select(IDENTIFIERS.c.issuer_key).where(IDENTIFIERS.c.seen_at.is_(None))
            self._issuers = frozenset(self._connection.scalars(query.distinct())) - {""}
        return self._issuers

    def patient_of(self, number: Number) -> int | None:
        """The patient known under this number, enrolled or not."""
        issuer_key, number_key = number.key
        columns = IDENTIFIERS.c
        same = (columns.issuer_key == issuer_key) & (columns.number_key == number_key)
        found: int | None = self._connection.scalar(select(columns.patient_id).where(same))
        return found

    def enter(
        self,
        number: Number,
        values: Mapping[str, object] | None = None,
        *,
        heard_at: datetime | None = None,
    ) -> int:
        """A patient known under a new number; returns the id. `heard_at`: where only a message
        spoke of it."""
        given = {"family_name": "", "given_name": "", "birth_date": None, "sex": ""}
        inserted = self._connection.execute(
            insert(PATIENTS).values(
                mrn=str(number),
                mrn_key=mrn_key(str(number)),
                mrn_loose=mrn_loose(number.number),
                **given | dict(values or {}),
            )
        )
        key = inserted.inserted_primary_key
        assert key is not None
        self._add(number, int(key[0]), heard_at)
        self._issuers = None  # and nobody is known before the enrolment
        return int(key[0])

    def adopt(self, number: Number) -> int | None:
        """The patient of whom messages spoke under this plain number and one issuer: the clinic's
        own from now on, as a plain number is of the only issuer seen with it."""
        columns = IDENTIFIERS.c
        query = select(columns.patient_id, columns.seen_at).where(
            columns.number_key == number.key[1]
        )
        known = self._connection.execute(query).all()
        heard = {row.patient_id for row in known if row.seen_at is not None}
        if number.issuer or len(heard) != 1:
            return None
        patient_id: int = heard.pop()
        self._connection.execute(
            update(PATIENTS)
            .where(PATIENTS.c.id == patient_id)
            .values(mrn=str(number), mrn_key=mrn_key(str(number)))
        )
        self._add(number, patient_id, None)
        self.forget()
        return patient_id

    def see(self, number: Number, patient_id: int, now: datetime) -> None:
        """Note that rows name this issuer for the plain number that the patient has."""
        self._add(number, patient_id, now)
        self._known.pop(mrn_key(number.number), None)

    def is_plain(self, patient_id: int) -> bool:
        """Whether the patient has a plain number, one of the clinic's own."""
        columns = IDENTIFIERS.c
        own = (columns.patient_id == patient_id) & (columns.issuer_key == "")
        return self._connection.scalar(select(columns.id).where(own)) is not None

    def has_issuer(self, patient_id: int, number: Number) -> bool:
        """Whether some issuer was seen with this number of the patient."""
        columns = IDENTIFIERS.c
        same = (columns.patient_id == patient_id) & (columns.number_key == number.key[1])
        seen = select(columns.id).where(same, columns.seen_at.is_not(None))
        return self._connection.scalar(seen.limit(1)) is not None

    def numbers_of(self, person_id: int) -> list[str]:
        """All numbers of a person, without their issuers, as they are compared."""
        query = select(IDENTIFIERS.c.number_key).join(
            PATIENTS, PATIENTS.c.id == IDENTIFIERS.c.patient_id
        )
        return list(self._connection.scalars(query.where(_is_of(person_id)).distinct()))

    def renew(self, person_id: int) -> list[str]:
        """Look one person up anew, who was enrolled or changed, and nobody else: a file enrols
        thousands. Returns the person's numbers, as `numbers_of`."""
        numbers = self.numbers_of(person_id)
        self._look_up(numbers)
        self._issuers = None
        if self._born or self._all_born:
            self._note_births(_is_of(person_id))
        return numbers

    def forget(self) -> None:
        """Look everyone up anew: somebody was merged."""
        self._known.clear()
        self._alike.clear()
        self._born.clear()
        self._all_born = False
        self._issuers = None

    def _look_up_births(self, birth: date) -> None:
        """See to it that who was born on this day is known."""
        if self._all_born or birth in self._born:
            return
        if len(self._born) < self._births_apart:
            self._born[birth] = []
            self._note_births(PATIENTS.c.birth_date == birth)
            return
        self._born, self._all_born = {}, True
        self._note_births(PATIENTS.c.birth_date.is_not(None))

    def _note_births(self, which: ColumnElement[bool]) -> None:
        """Who of these patients was born on the days that are known; a person that stands there
        already is replaced."""
        for person in self._persons(which).values():
            for day in {it.birth_date for it in person.named if it.birth_date is not None}:
                if self._all_born or day in self._born:
                    known = self._born.get(day, ())
                    others = [it for it in known if it.home_id != person.home_id]
                    self._born[day] = [*others, person]

    def _add(self, number: Number, patient_id: int, seen_at: datetime | None) -> None:
        issuer_key, number_key = number.key
        self._connection.execute(
            insert(IDENTIFIERS).values(
                patient_id=patient_id,
                issuer=number.issuer,
                number=number.number,
                issuer_key=issuer_key,
                number_key=number_key,
                seen_at=seen_at,
            )
        )

    def _look_up(self, keys: Sequence[str]) -> None:
        loose = {mrn_loose(key) for key in keys} - {""}
        alike = select(PATIENTS.c.id).where(PATIENTS.c.mrn_loose.in_(loose))
        columns = IDENTIFIERS.c
        rows = self._connection.execute(
            select(columns.issuer, columns.number, columns.patient_id, columns.seen_at)
            .where(or_(columns.number_key.in_(keys), columns.patient_id.in_(alike)))
            .order_by(columns.id)
        ).all()
        persons = self._persons(PATIENTS.c.id.in_(sorted({row.patient_id for row in rows})))
        known: dict[str, list[Known]] = {key: [] for key in keys}
        alike_persons: dict[str, dict[int, Person]] = {one: {} for one in loose}
        for row in rows:
            person = persons.get(row.patient_id)
            if person is None:
                continue
            number = Number(row.issuer, row.number)
            if number.key[1] in known:
                known[number.key[1]].append(Known(number, person, row.seen_at is not None))
            if (one := mrn_loose(row.number)) in alike_persons:  # of others some may lack here
                alike_persons[one][person.id] = person
        self._known.update({key: tuple(found) for key, found in known.items()})
        self._alike.update({one: tuple(found.values()) for one, found in alike_persons.items()})

    def _persons(self, which: ColumnElement[bool]) -> dict[int, Person]:
        """The enrolled among these patients, by the id under which each was asked for."""
        found: dict[int, tuple[Row[Any], list[tuple[int, Named]]]] = {}
        for row in self._connection.execute(_NAMED.where(which)):
            _, named = found.setdefault(row.home, (row, []))
            named.append((row.member, Named(row.family_name, row.given_name, row.birth_date)))
        return {
            home: Person(row.id, home, row.mrn, _own_first(home, named), row.is_enrolled)
            for home, (row, named) in found.items()
        }


def _is_of(person_id: int) -> ColumnElement[bool]:
    """The patients, one a number, that are this person."""
    return or_(PATIENTS.c.id == person_id, PATIENTS.c.person_id == person_id)


def _own_first(home: int, named: Sequence[tuple[int, Named]]) -> tuple[Named, ...]:
    return tuple(it for _, it in sorted(named, key=lambda one: one[0] != home))


def _is_namesake(named: Named, family: str, given: str, birth: date) -> bool:
    whole = named.family_name and named.given_name and named.birth_date is not None
    return bool(whole) and not named.disagreement(family, given, birth)
