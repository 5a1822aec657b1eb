"""Held rows that may be of somebody who is enrolled by now, under another number.

They came before the enrolment, as a stranger's. Had they come after it they would have been held
as this patient's, who is told of (specification, section 3, "Whose" and "Held rows").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from itertools import permutations

from sqlalchemy import ColumnElement, Connection, func, select

from monitor.intake.context import chunks
from monitor.intake.held import HELD, mrn_in
from monitor.intake.outcomes import UNKNOWN_PATIENT
from monitor.intake.people import PATIENTS, mrn_loose

_REASONS = (UNKNOWN_PATIENT, "mrn_alike", "another_number")
_NUMBERS = re.compile(r"\d+", re.ASCII)
_CHUNK = 500
_OF_A_YEAR = 4
"""Digits; a longer number is no part of a date."""
_Short = tuple[int, int, int]


def lookalikes(
    connection: Connection, numbers: Collection[str], patient_ids: Collection[int]
) -> Iterator[ColumnElement[bool]]:
    """Which rows those are, some at a time: with a number that equals one of these but for
    leading zeros or punctuation, or with the birth date of one of these patients and a name."""
    of_strangers = (HELD.c.state == "held") & HELD.c.reason_code.in_(_REASONS)
    loose = {mrn_loose(number) for number in numbers} - {""}
    keys = connection.scalars(select(HELD.c.mrn_key).where(of_strangers).distinct())
    alike = [key for key in keys if mrn_loose(key) in loose and key not in numbers]
    for some in chunks(sorted(alike), _CHUNK):
        yield of_strangers & mrn_in(some)
    born = _born(connection, patient_ids)
    if not born:
        return
    birth = HELD.c.raw["birth_date"].as_string()
    named = of_strangers & HELD.c.raw["family_name"].as_string().is_not(None)
    texts = connection.scalars(select(birth).where(named, birth.is_not(None)).distinct())
    for some in chunks(sorted(text for text in texts if not born.isdisjoint(_days(text))), _CHUNK):
        yield named & birth.in_(some)


def _born(connection: Connection, patient_ids: Collection[int]) -> set[_Short]:
    columns = PATIENTS.c
    person = func.coalesce(columns.person_id, columns.id)
    found: set[_Short] = set()
    for ids in chunks(sorted(patient_ids), _CHUNK):
        days = select(columns.birth_date).where(person.in_(ids), columns.birth_date.is_not(None))
        for day in connection.scalars(days):
            # without the month too, for it may be written as a word
            found |= {_short(day), (day.year % 100, 0, day.day)}
    return found


def _short(day: date) -> _Short:
    return day.year % 100, day.month, day.day


def _days(text: str) -> set[_Short]:
    """The days that a birth date may mean in whatever order it is written: rather one too many,
    for the source's own reading decides in the end."""
    numbers = _NUMBERS.findall(text)
    if numbers and len(numbers[0]) >= len("19700203"):
        whole = numbers[0]
        numbers = [whole[:4], whole[4:6], whole[6:8]]
        other = [whole[:2], whole[2:4], whole[4:8]]
        return _orders(numbers) | _orders(other)
    return _orders(numbers[:3])


def _orders(numbers: Collection[str]) -> set[_Short]:
    parts = [int(it) for it in numbers if len(it) <= _OF_A_YEAR]
    if len(parts) == 2:
        parts.append(0)
    return {(year % 100, month, day) for year, month, day in permutations(parts, 3)}
