"""A made-up population: enrolled over years, tested as the protocol asks, with a seed.

Weekly blood counts for eight weeks, then counts and liver tests every three months, each a
little early or late; a few people lapse, a few counts breach. Starts are spread evenly over the
years, so that twenty thousand people over ten years have some five million rows. Everything
follows from (size, years, seed), and no test lies after `TODAY`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TODAY = date(2026, 3, 2)
"""The last day of the population; a Monday."""
NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)
"""After every test of it."""
CBC = (
    ("hemoglobin", "g/L", 138, 0.07, 0),
    ("white_cells", "10*9/L", 6.4, 0.16, 1),
    ("neutrophils", "10*9/L", 4.0, 0.16, 2),
    ("lymphocytes", "10*9/L", 1.6, 0.14, 2),
    ("platelets", "10*9/L", 255, 0.12, 0),
)
LFT = (
    ("alt", "U/L", 22, 0.16, 0),
    ("ast", "U/L", 21, 0.14, 0),
    ("alp", "U/L", 70, 0.12, 0),
    ("ggt", "U/L", 24, 0.16, 0),
    ("bilirubin", "umol/L", 9, 0.14, 0),
    ("albumin", "g/L", 42, 0.05, 0),
)
"""Analyte, unit, usual value, spread (of a normal logarithm), decimals."""
ANALYTES = CBC + LFT
_BREACH = 0.002
"""The share of tests with a lymphocyte count at a third of its usual value."""
_LAPSE = 0.02
"""The share of people who come no more from some day on."""
_WEEKLY, _GAP = 8, 88


class Test(NamedTuple):
    """One specimen: whose (0-based), when, and its values in the order of `ANALYTES`."""

    patient: int
    at: datetime
    values: tuple[str, ...]


@dataclass(frozen=True)
class Population:
    """`size` people enrolled over `years` up to `TODAY`."""

    size: int
    years: float = 10
    seed: int = 1

    def mrn(self, patient: int) -> str:
        """The number of a patient, 0-based."""
        return f"P{patient + 1:07d}"

    @cached_property
    def starts(self) -> list[date]:
        """The start day of each patient."""
        span = max(1, round(self.years * 365.25))
        ago = self._draw("starts").integers(1, span + 1, self.size)
        return [TODAY - timedelta(days=int(days)) for days in ago]

    @cached_property
    def _when(self) -> tuple[Any, Any, Any]:
        """Patient, minute and whether liver tests are in it, of every test, in time's order."""
        draw = self._draw("tests")
        start = np.array([day.toordinal() for day in self.starts])
        today = TODAY.toordinal()
        last = np.full(self.size, today)
        lapsed = draw.random(self.size) < _LAPSE
        last[lapsed] = start[lapsed] + (draw.random(lapsed.sum()) * (today - start[lapsed])).astype(
            int
        )
        everyone = np.arange(self.size)
        found = [(everyone, start - 7, np.ones(self.size, bool))]
        day = start.copy()
        turn = 0
        while True:
            weekly = turn < _WEEKLY
            turn += 1
            step = 7 if weekly else _GAP + draw.integers(-4, 6, self.size)
            day = day + step
            here = day <= last
            if not here.any():
                break
            found.append((everyone[here], day[here], np.full(here.sum(), not weekly)))
        patient, days, liver = (np.concatenate(parts) for parts in zip(*found, strict=True))
        minute = days * 1440 + draw.integers(7 * 60, 11 * 60, len(days))
        order = np.argsort(minute, kind="stable")
        return patient[order], minute[order], liver[order]

    def tests(self) -> Iterator[Test]:
        """Every test, in the order of time. Values of a test without liver tests are five."""
        draw = self._draw("values")
        own = np.exp(draw.normal(0, 0.05, (self.size, len(ANALYTES)))).astype(np.float32)
        usual = np.array([usual for _, _, usual, _, _ in ANALYTES], np.float32)
        spread = np.array([spread for _, _, _, spread, _ in ANALYTES], np.float32)
        formats = [f".{decimals}f" for *_, decimals in ANALYTES]
        epoch = date(1970, 1, 1).toordinal() * 1440
        patient, minute, liver = self._when
        for begin in range(0, len(patient), 50_000):
            whose = patient[begin : begin + 50_000]
            drawn = np.exp(draw.normal(0, 1, (len(whose), len(ANALYTES))) * spread)
            values = usual * own[whose] * drawn
            values[draw.random(len(whose)) < _BREACH, 3] *= 0.3
            rows = zip(
                whose.tolist(),
                minute[begin : begin + 50_000].tolist(),
                liver[begin : begin + 50_000].tolist(),
                values.tolist(),
                strict=True,
            )
            for person, at, with_liver, numbers in rows:
                yield Test(
                    person,
                    datetime.fromtimestamp((at - epoch) * 60, UTC),
                    tuple(
                        format(number, form)
                        for number, form in islice(
                            zip(numbers, formats, strict=True), None if with_liver else len(CBC)
                        )
                    ),
                )

    def last_tests(self) -> list[tuple[date, int]]:
        """Of each patient the day of the last test, and how many there were."""
        patient, minute, _ = self._when
        last = np.zeros(self.size, int)
        np.maximum.at(last, patient, minute // 1440)
        counts = np.bincount(patient, minlength=self.size)
        return [
            (date.fromordinal(day), count)
            for day, count in zip(last.tolist(), counts.tolist(), strict=True)
        ]

    @property
    def rows(self) -> int:
        """How many results there are."""
        liver = self._when[2]
        return int(len(liver) * len(CBC) + liver.sum() * len(LFT))

    def write_results(self, path: Path) -> int:
        """All results as a long CSV file, in the order of time; how many rows."""
        tails = [f",{name}," for name, *_ in ANALYTES], [f",{unit}\n" for _, unit, *_ in ANALYTES]
        written = 0
        with path.open("w", encoding="ascii") as file:
            file.write("mrn,collected_at,analyte,value,unit\n")
            for test in self.tests():
                head = f"{self.mrn(test.patient)},{test.at:%Y-%m-%dT%H:%MZ}"
                file.write(
                    "".join(
                        head + name + value + unit
                        for value, name, unit in zip(test.values, *tails, strict=False)
                    )
                )
                written += len(test.values)
        return written

    def write_enrolments(self, path: Path) -> None:
        """Everybody as a file for `monitor enrol`."""
        with path.open("w", encoding="ascii") as file:
            file.write("mrn,drug,started_on,dose_mg_per_day,weight_kg,tpmt,nudt15\n")
            for patient, start in enumerate(self.starts):
                file.write(f"{self.mrn(patient)},azathioprine,{start},100,70,normal,normal\n")

    def people(self) -> tuple[list[dict[str, Any]], ...]:
        """The rows of `patients`, `identifiers`, `enrolments` and `events`, in this order; ids
        are the patients' numbers from 1. Nobody is due for a look before tomorrow; everybody
        was weighed within the year."""
        drawn = self._draw("wake").integers(1, 88 * 1440, self.size).tolist()
        patients, numbers, enrolments, events = [], [], [], []
        for key, start in enumerate(self.starts, 1):
            mrn = self.mrn(key - 1)
            own = mrn.casefold()
            began = datetime.combine(start - timedelta(days=7), datetime.min.time(), UTC)
            patients.append(
                {"id": key, "mrn": mrn, "mrn_key": own, "mrn_loose": own, "family_name": "",
                 "given_name": "", "sex": ""}
            )  # fmt: skip
            numbers.append(
                {"id": key, "patient_id": key, "issuer": "", "number": mrn, "issuer_key": "",
                 "number_key": own}
            )  # fmt: skip
            enrolments.append(
                {"id": key, "patient_id": key, "drug": "azathioprine",
                 "protocol_id": "azathioprine", "indication": "", "clinic": "",
                 "started_on": start, "enrolled_on": began.date(), "enrolled_at": began,
                 "dose_mg_per_day": Decimal(100), "weight_kg": Decimal(70), "tpmt": "normal",
                 "nudt15": "normal",
                 "next_review_at": NOW + timedelta(days=1, minutes=drawn[key - 1])}
            )  # fmt: skip
            weighed = max(start, TODAY - timedelta(days=drawn[key - 1] // 1440))
            events.append(
                {"patient_id": key, "on": weighed, "event": "weight", "value": "70", "drug": "",
                 "note": "", "received_at": datetime.combine(weighed, datetime.min.time(), UTC),
                 "line": key + 1, "withdrawn": False}
            )  # fmt: skip
        return patients, numbers, enrolments, events

    def _draw(self, what: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.size, *what.encode()])
