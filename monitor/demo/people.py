"""Made-up patients whose treatment goes as it should, more or less."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from monitor.demo.book import Book

_FAMILY = (
    "Aebi Baumann Caluori Dubois Egli Favre Gerber Huber Iten Jost Keller Lang Marti Nägeli Oberli "
    "Peter Roth Schmid Thoma Urech Vogel Weber Zaugg Ammann Brunner Christen Diaz Ernst Frei Graf"
).split()
_GIVEN = (
    "Anna Bruno Clara David Elena Felix Greta Hugo Irene Jonas Karin Leo Mara Nils Olga Paul Rosa "
    "Simon Tina Urs Vera Willi Yara Zeno"
).split()
_INDICATIONS = (
    "Crohn's disease", "ulcerative colitis", "autoimmune hepatitis", "lupus", "myasthenia gravis",
)  # fmt: skip
_WEEKLY, _WEEKS = timedelta(days=7), 8
_QUARTERLY = timedelta(days=87)

CBC_UNITS = {
    "hemoglobin": "g/L",
    "white_cells": "10*9/L",
    "neutrophils": "10*9/L",
    "lymphocytes": "10*9/L",
    "platelets": "10*9/L",
    "mcv": "fL",
}
LFT_UNITS = {"alt": "U/L", "ast": "U/L", "bilirubin": "umol/L", "creatinine": "umol/L"}
_USUAL = {
    "hemoglobin": (138, 8),
    "white_cells": (6.8, 0.7),
    "neutrophils": (4.1, 0.4),
    "lymphocytes": (1.8, 0.2),
    "platelets": (258, 22),
    "mcv": (92, 2),
    "alt": (24, 5),
    "ast": (22, 4),
    "bilirubin": (9, 2),
    "creatinine": (74, 5),
}
_WHOLE = {"hemoglobin", "platelets", "alt", "ast", "bilirubin", "creatinine"}

Values = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Person:
    """A patient, with the values that are usual for them."""

    row: dict[str, str]
    started_on: date
    usual: dict[str, float]

    @property
    def mrn(self) -> str:
        return self.row["mrn"]


class Registry:
    """Makes people up, the same ones each time, and writes their tests into the book."""

    def __init__(self, book: Book, seed: int = 1986) -> None:
        self.book = book
        self._random = Random(seed)  # noqa: S311  # the same made-up people each time
        self._count = 0

    def enrol(self, started_on: date) -> Person:
        """A new patient on azathioprine from a day."""
        draw, self._count = self._random, self._count + 1
        mrn = f"D{1000 + self._count * 7}"
        born = date(1950, 1, 1) + timedelta(days=draw.randrange(18_000))
        row = {
            "mrn": mrn,
            "family_name": draw.choice(_FAMILY),
            "given_name": draw.choice(_GIVEN),
            "birth_date": born.isoformat(),
            "sex": draw.choice("FM"),
            "drug": "azathioprine",
            "indication": draw.choice(_INDICATIONS),
            "started_on": started_on.isoformat(),
            "dose_mg_per_day": str(draw.choice((50, 75, 100, 125, 150))),
            "weight_kg": str(draw.randrange(50, 95)),
            "tpmt": draw.choice(("normal",) * 14 + ("intermediate", "")),
            "nudt15": draw.choice(("normal",) * 16),
            "clinic": draw.choice(("north", "south")),
            "last_tested_on": "",
        }
        self.book.enrol(row)
        usual = {name: draw.gauss(mean, spread) for name, (mean, spread) in _USUAL.items()}
        return Person(row, started_on, usual)

    def cbc(self, person: Person, **other: str) -> Values:
        """A blood count like the patient's others, but for the values named."""
        return self._values(person, CBC_UNITS, other)

    def lft(self, person: Person, **other: str) -> Values:
        """Liver tests like the patient's others, but for the values named."""
        return self._values(person, LFT_UNITS, other)

    def both(self, person: Person, **other: str) -> Values:
        """Blood count and liver tests of one visit."""
        return self.cbc(person, **other) | self.lft(person, **other)

    def visit(self, person: Person, on: date, values: Values) -> None:
        """A visit with its tube. Of visits before the clinic had the monitor, the enrolment
        names the last."""
        self.book.specimen(person.mrn, on, values, arrives=max(on, person.started_on))
        if on < self.book.live_since:
            person.row["last_tested_on"] = max(person.row["last_tested_on"], on.isoformat())

    def baseline(self, person: Person) -> None:
        """The tests before the first dose."""
        self.visit(person, person.started_on - timedelta(days=5), self.both(person))

    def faithful(self, person: Person, until: date) -> None:
        """Every test in time, up to a day."""
        self.baseline(person)
        for week in range(1, _WEEKS + 1):
            on = person.started_on + week * _WEEKLY
            if on <= until:
                self.visit(person, on, self.cbc(person))
        on = person.started_on + _QUARTERLY
        while on <= until:
            self.visit(person, on, self.both(person))
            on += _QUARTERLY - timedelta(days=self._random.randrange(6))

    def _values(self, person: Person, units: dict[str, str], other: dict[str, str]) -> Values:
        return {
            name: (other.get(name) or self._near(name, person.usual[name]), unit)
            for name, unit in units.items()
        }

    def _near(self, analyte: str, usual: float) -> str:
        value = usual * self._random.uniform(0.97, 1.03)
        return str(round(value)) if analyte in _WHOLE else f"{value:.1f}"
