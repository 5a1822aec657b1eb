"""What arrives in the week: who comes to be tested and who does not, counts that fall, files
that are sent again, corrected or broken, people who are enrolled, stop or die.

Everything follows from the population and the seed. Nothing depends on the order in which the
files of one instant are taken in: a patient is in one of them only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from bench.population import ANALYTES, CBC, TODAY, Population
from tools.week.days import CORRECTIONS, LABS, LATER_LABS, PEOPLE

FIRST_DAY = TODAY + timedelta(days=1)
_RESULTS = "mrn,collected_at,analyte,value,unit,specimen_id,status"
_PATIENTS = "mrn,drug,started_on,clinic,dose_mg_per_day,weight_kg,tpmt,nudt15"
_EVENTS = "mrn,on,event,value"
_QUARTERLY = 88
_MISSED = 0.05
"""The share of those who are due and do not come."""
_LOW, _AT_LEAST = 0.015, 6
"""The share of tests with a value that alerts; no fewer a day."""
_LOWS: Sequence[Mapping[str, str]] = (
    {"neutrophils": "1.3"},
    {"lymphocytes": "0.40"},
    {"neutrophils": "0.8", "white_cells": "1.9"},
    {"platelets": "120"},
    {"lymphocytes": "0.15"},
    {"hemoglobin": "78"},
    {"neutrophils": "0.4", "white_cells": "1.5", "platelets": "45"},
    {"white_cells": "3.1"},
)  # fmt: skip
_WORSE = {"lymphocytes": "0.1", "neutrophils": "0.3", "platelets": "40"}
_LABS = 3
_NEW, _EVENTFUL = 0.0002, 0.0008
"""Shares of the enrolled: enrolled anew on a day, and with something that happens to them."""
_UNITS = {name: unit for name, unit, *_ in ANALYTES}


@dataclass(frozen=True, slots=True)
class Arriving:
    """One file."""

    name: str
    text: str

    @property
    def rows(self) -> int:
        return self.text.count("\n") - 1


Story = Mapping[tuple[date, str], Sequence[Arriving]]
"""By day and by what happens then."""


@dataclass(frozen=True, slots=True)
class _Test:
    """One specimen of a day."""

    mrn: str
    day: date
    clock: str
    values: Mapping[str, str]
    low: Mapping[str, str]

    def rows(self) -> Iterator[str]:
        for name, value in {**self.values, **self.low}.items():
            yield self.row(name, value, "final")

    def row(self, analyte: str, value: str, status: str) -> str:
        at = f"{self.day}T{self.clock}"
        unit = _UNITS[analyte]
        return f"{self.mrn},{at},{analyte},{value},{unit},{self.mrn}-{self.day},{status}"


def story_of(people: Population, clinics: Sequence[str], days: int) -> Story:
    """The whole of it."""
    luck = Random(f"{people.seed} {people.size} week")  # noqa: S311  # to be repeated
    coming = _coming(people, days, luck)
    found: dict[tuple[date, str], Sequence[Arriving]] = {}
    newly: list[str] = []
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number)
        tests = _tests(people, sorted(coming[day]), day, luck)
        half = len(tests) // 2
        labs = _files(tests[:half], day, "a", luck)
        newly = [f"N{day:%m%d}{it:05d}" for it in range(_some(people.size * _NEW, 3))]
        first = [_Test(mrn, day, "13:10", _values(luck, liver=True), {}) for mrn in newly]
        found[day, LABS] = labs
        found[day, PEOPLE] = _people(people, newly, clinics, day, luck)
        found[day, LATER_LABS] = [
            *_files(tests[half:], day, "b", luck),
            _file(day, "c-new", _RESULTS, [row for test in first for row in test.rows()]),
        ]
        found[day, CORRECTIONS] = [
            *_corrections(tests, day, luck),
            Arriving(f"{day}-x-{labs[0].name}", labs[0].text),  # sent again
            *([Arriving(f"{day}-scan.csv", "%PDF-1.7\nscan\n")] if number % 3 == 0 else ()),
        ]
    return found


def _coming(people: Population, days: int, luck: Random) -> dict[date, list[int]]:
    """Who is expected on each day, by what they did so far, and comes."""
    found: dict[date, list[int]] = defaultdict(list)
    for patient, (last, count) in enumerate(people.last_tests()):
        step = 14 if count == 1 else 7 if count <= 8 else _QUARTERLY + luck.randint(-4, 5)
        next_one = last + timedelta(days=step)
        if TODAY < next_one <= TODAY + timedelta(days=days) and luck.random() >= _MISSED:
            found[next_one].append(patient)
    return found


def _tests(people: Population, whose: Sequence[int], day: date, luck: Random) -> list[_Test]:
    lows = min(len(whose), max(_AT_LEAST, round(len(whose) * _LOW)))
    chosen = dict(zip(luck.sample(whose, lows), _cycled(lows), strict=True))
    tests = [
        _Test(
            people.mrn(patient),
            day,
            f"{luck.randint(7, 10):02d}:{luck.randint(0, 59):02d}",
            _values(luck, liver=luck.random() < 0.4),
            chosen.get(patient, {}),
        )
        for patient in whose
    ]
    luck.shuffle(tests)
    return tests


def _cycled(count: int) -> list[Mapping[str, str]]:
    return [_LOWS[number % len(_LOWS)] for number in range(count)]


def _values(luck: Random, *, liver: bool) -> dict[str, str]:
    return {
        name: f"{usual * math.exp(luck.gauss(0, 0.7 * spread)):.{decimals}f}"
        for name, _, usual, spread, decimals in (ANALYTES if liver else CBC)
    }


def _files(tests: Sequence[_Test], day: date, turn: str, luck: Random) -> list[Arriving]:
    """Some laboratories, each with a patient nobody knows and a value nobody can read."""
    files = []
    for lab in range(_LABS):
        own = tests[lab::_LABS]
        rows = [row for test in own for row in test.rows()]
        stranger = _Test(f"S{day:%m%d}{turn}{lab}", day, "08:00", _values(luck, liver=False), {})
        rows += stranger.rows()
        if own:
            typed = own[-1].row("platelets", "0.4*", "final")
            rows.append(typed.replace(f"-{day},", f"-{day}-typed,"))
        files.append(_file(day, f"{turn}-lab{lab}", _RESULTS, rows))
    return files


def _corrections(tests: Sequence[_Test], day: date, luck: Random) -> Iterator[Arriving]:
    """Of those that were low some are worse, some were never low, and most stand."""
    rows = []
    for test in tests:
        draw = luck.random()
        for name, value in test.low.items():
            if draw < 0.25 and name in _WORSE and float(_WORSE[name]) < float(value):
                rows.append(test.row(name, _WORSE[name], "corrected"))
            elif draw > 0.8:
                rows.append(test.row(name, test.values[name], "corrected"))
    if rows:
        yield _file(day, "d-corrected", _RESULTS, rows)


def _people(
    people: Population, newly: Sequence[str], clinics: Sequence[str], day: date, luck: Random
) -> list[Arriving]:
    enrolled = [
        f"{mrn},azathioprine,{day - timedelta(days=luck.randint(0, 5))},{luck.choice(clinics)},"
        "100,70,normal,normal"
        for mrn in newly
    ]
    whose = luck.sample(range(people.size), _some(people.size * _EVENTFUL, 4))
    happened = [f"{people.mrn(patient)},{day},{_event(day, luck)}" for patient in whose]
    return [_file(day, "enrol", _PATIENTS, enrolled), _file(day, "events", _EVENTS, happened)]


def _event(day: date, luck: Random) -> str:
    until = day + timedelta(days=luck.randint(2, 10))
    return luck.choice(("dose,75", "dose,125", f"hold,{until}", "stop,", "died,", "weight,71"))


def _file(day: date, name: str, header: str, rows: Sequence[str]) -> Arriving:
    return Arriving(f"{day}-{name}.csv", "\n".join((header, *rows)) + "\n")


def _some(share: float, least: int) -> int:
    return max(least, round(share))
