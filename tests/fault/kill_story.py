"""What arrives at the clinic of the kill test: files, round by round, always the same.

The order in which files are reviewed together differs from run to run, so nothing here
depends on it: no value that one file makes dangerous and a later one makes harmless again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

NURSE, DOCTOR, OPERATOR = "nurse@clinic.example", "doctor@clinic.example", "desk@clinic.example"
CONFIG = f"""
[clinic]
name = "Rheumatology"
timezone = "{{timezone}}"
email = "{OPERATOR}"
telephone = "+41 44 555 01 20"

[database]
url = "{{url}}"

[intake]
settle_seconds = 0

[mail]
host = "127.0.0.1"
port = {{port}}
sender = "monitor@clinic.example"

[[routes]]
to = ["{NURSE}"]

[[routes]]
to = ["{DOCTOR}"]
urgencies = ["critical"]
digest = false

# How many alerts fall into one hour depends on the kills: a storm would be told as one message
# in one clinic and not in the other, and ten minutes later.
[quiet]
storm_from = 1000
"""
PATIENTS = "mrn,drug,started_on,clinic,dose_mg_per_day,weight_kg,tpmt,nudt15"
EVENTS = "mrn,on,event,value"
RESULTS = "mrn,collected_at,analyte,value,unit,specimen_id,status"
UNITS = {
    "hemoglobin": "g/L",
    "white_cells": "10*9/L",
    "neutrophils": "10*9/L",
    "lymphocytes": "10*9/L",
    "platelets": "10*9/L",
}
NORMAL = {
    "hemoglobin": "140",
    "white_cells": "6.0",
    "neutrophils": "4.0",
    "lymphocytes": "1.5",
    "platelets": "250",
}


@dataclass(frozen=True)
class Made:
    """One file: what kind it is, its name and its text. `kind` is enrol, events, results, or
    broken for one of which nothing can be read."""

    kind: str
    name: str
    lines: tuple[str, ...] = field(repr=False)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def files_of_round(number: int, today: date) -> list[Made]:
    """What arrives in one round, in its order. `today` is the clinic's."""
    return [
        Made(kind, f"{number:03d}-{place}-{kind}.csv", tuple(lines))
        for place, (kind, lines) in enumerate(_arrivals(number, today))
    ]


def _arrivals(number: int, today: date) -> Iterator[tuple[str, list[str]]]:
    yield "enrol", _patients(number, today)
    yield "results", _results(number, today)
    if number % 3 == 1:
        yield "broken", ["%PDF-1.7", f"scan {number}"]
    if number % 3 == 2:
        yield "events", [EVENTS, f"{_mrn(number, 'quiet')},{today},dose,75"]
    if number and number % 4 == 1:  # a correction, still as bad
        yield (
            "results",
            [RESULTS, _row(number - 1, "low", today, "lymphocytes", "0.1", "corrected")],
        )
    if number and number % 4 == 2:  # worse, an hour later
        worse = _row(number - 1, "falling", today, "neutrophils", "0.8", specimen="later", hour=9)
        yield "results", [RESULTS, worse]
    if number and number % 4 == 3:  # the laboratory sends a file again, under another name
        yield "results", _results(number - 1, today)


def _patients(number: int, today: date) -> list[str]:
    started = today - timedelta(days=3)
    people = ["quiet", "falling", "low"]
    lines = [
        PATIENTS,
        *(f"{_mrn(number, who)},azathioprine,{started},,50,70,normal,normal" for who in people),
    ]
    if number % 3 == 0:
        long_ago = today - timedelta(days=100)
        lines.append(
            f"{_mrn(number, 'never-tested')},azathioprine,{long_ago},,100,70,normal,normal"
        )
    return lines


def _results(number: int, today: date) -> list[str]:
    quiet = NORMAL | ({"hemoglobin": "95"} if number % 4 == 0 else {})
    lines = [RESULTS]
    lines += [_row(number, "quiet", today, name, value) for name, value in quiet.items()]
    for who, own in {"falling": {"neutrophils": "1.2"}, "low": {"lymphocytes": "0.15"}}.items():
        values = NORMAL | own
        lines += [_row(number, who, today, name, value) for name, value in values.items()]
    if number % 5 == 2:
        lines.append(_row(number, "quiet", today, "platelets", "0.4*", specimen="typed"))
        lines.append(_row(number, "stranger", today, "platelets", "250"))
    if number % 5 == 3:
        lines.append(_row(number, "falling", today, "hemoglobin", "clotted", specimen="clot"))
    return lines


def _row(
    number: int,
    who: str,
    today: date,
    analyte: str,
    value: str,
    status: str = "final",
    *,
    specimen: str = "first",
    hour: int = 8,
) -> str:
    mrn = _mrn(number, who)
    unit = UNITS[analyte]
    return f"{mrn},{today}T{hour:02d}:00,{analyte},{value},{unit},{mrn}-{specimen},{status}"


def _mrn(number: int, who: str) -> str:
    return f"{who}-{number:03d}"
