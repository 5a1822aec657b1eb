"""Whose row it is: exact numbers decide, likeness and names only raise suspicion.

Source: specification, section 3, "Whose". MRNs are text, compared without surrounding space
and regardless of case; nothing is ever guessed from a number that is merely alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, or_, select

from monitor.store import tables
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_CHUNK = 400
_CACHE_LIMIT = 200_000
_ZEROS = re.compile(r"^0+(?=.)|(?<!\d)0+(?=\d)")
_FLOAT_TAIL = re.compile(r"\.0+$")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})


def mrn_key(text: str) -> str:
    """An MRN as it is compared."""
    return text.strip().casefold()


def mrn_loose(text: str) -> str:
    """An MRN without leading zeros, punctuation and a spreadsheet's `.0`: equal ones are
    suspicious, never the same."""
    text = _FLOAT_TAIL.sub("", mrn_key(text))
    return _ZEROS.sub("", "".join(sign for sign in text if sign.isalnum()))


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as far as identity goes."""

    id: int
    mrn: str
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None


def disagreement(person: Person, family: str, given: str, birth: date | None) -> str:
    """Which of name and birth date contradicts what is known of the person; "" if none."""
    if birth is not None and person.birth_date is not None and birth != person.birth_date:
        return "birth date"
    if not _same_word(person.family_name, family):
        return "family name"
    if not _same_given(person.given_name, given):
        return "given name"
    return ""


def _name_forms(name: str) -> set[str]:
    """Spellings under which a name counts as the same: without marks, or with them spelt out."""
    name = name.casefold()
    plain = unicodedata.normalize("NFKD", name)
    spelt = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(_UMLAUTS))
    return {"".join(sign for sign in form if sign.isalpha()) for form in (plain, spelt)}


def _same_word(known: str, given: str) -> bool:
    """Equal as a name; one that is not known contradicts nothing."""
    if not known.strip() or not given.strip():
        return True
    return bool(_name_forms(known) & _name_forms(given))


def _same_given(known: str, given: str) -> bool:
    """Equal as given names: `Anna`, `Anna Maria` and the initial `A.` do not contradict."""
    return _same_word(known, given) or any(
        one.startswith(other) or other.startswith(one)
        for one in _name_forms(known)
        for other in _name_forms(given)
    )


class People:
    """The patients of the database, looked up for a batch of rows at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._exact: dict[str, Person | None] = {}
        self._alike: dict[str, tuple[Person, ...]] = {}
        self._born: dict[date, list[Person]] | None = None

    def prepare(self, keys: Iterable[str]) -> None:
        """Look up these keys, in a few queries for all of them."""
        if len(self._exact) > _CACHE_LIMIT:
            self._exact.clear()
            self._alike.clear()
        unknown = sorted(set(keys) - self._exact.keys())
        for start in range(0, len(unknown), _CHUNK):
            self._look_up(unknown[start : start + _CHUNK])

    def find(self, key: str) -> Person | None:
        """The patient with exactly this number."""
        if key not in self._exact:
            self.prepare([key])
        return self._exact[key]

    def alike(self, key: str) -> tuple[Person, ...]:
        """Patients whose number equals this one but for leading zeros or punctuation."""
        self.find(key)
        loose = mrn_loose(key)
        return self._alike.get(loose, ()) if loose else ()

    def namesakes(self, family: str, given: str, birth: date) -> tuple[Person, ...]:
        """Patients with this name and birth date."""
        if self._born is None:
            self._born = defaultdict(list)
            for person in self._persons(_PATIENTS.c.birth_date.is_not(None)):
                if person.birth_date is not None:
                    self._born[person.birth_date].append(person)
        return tuple(
            person
            for person in self._born.get(birth, ())
            if person.family_name
            and person.given_name
            and not disagreement(person, family, given, birth)
        )

    def add(self, key: str, person: Person) -> None:
        """Note a patient who has just been entered or changed."""
        self._exact[key] = person
        loose = mrn_loose(key)
        others = tuple(one for one in self._alike.get(loose, ()) if one.id != person.id)
        self._alike[loose] = (*others, person)
        self._born = None

    def _look_up(self, keys: Sequence[str]) -> None:
        loose = {mrn_loose(key) for key in keys}
        found = or_(_PATIENTS.c.mrn_key.in_(keys), _PATIENTS.c.mrn_loose.in_(loose))
        self._exact.update(dict.fromkeys(keys))
        alike: dict[str, list[Person]] = {one: [] for one in loose}
        for person in self._persons(found):
            key = mrn_key(person.mrn)
            if key in self._exact:
                self._exact[key] = person
            alike.setdefault(mrn_loose(key), []).append(person)
        self._alike.update({one: tuple(persons) for one, persons in alike.items()})

    def _persons(self, which: ColumnElement[bool]) -> Iterator[Person]:
        columns = _PATIENTS.c
        query = select(
            columns.id,
            columns.mrn,
            columns.family_name,
            columns.given_name,
            columns.birth_date,
        ).where(which)
        for row in self._connection.execute(query.order_by(columns.id)):
            yield Person(*row)
