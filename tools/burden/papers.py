"""What reaches the clinic on a day, and who decides it."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

Row = Mapping[str, object]


@dataclass(slots=True)
class Papers:
    """Rows of the files of one day; `older` are results that came before the enrolments."""

    older: list[Row] = field(default_factory=list)
    enrolments: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)

    def event(self, mrn: str, on: date, what: str, value: object = "", note: str = "") -> None:
        row = {"mrn": mrn, "on": on.isoformat(), "event": what, "value": value, "note": note}
        self.events.append(row)


@dataclass(frozen=True, slots=True)
class Due:
    """One panel of one patient as `status` tells it."""

    panel: str
    due_on: date
    phase: str
    because: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A new alert that asks for something."""

    mrn: str
    kind: str
    urgency: str


class People(Protocol):
    """The patients of a clinic: what they do on a day, and how they answer."""

    source: str
    """The `[sources]` table of their laboratory; "" for the long form."""

    def papers(self, day: date) -> Papers: ...

    def hear(self, day: date, due: Mapping[str, Collection[Due]]) -> None:
        """What the monitor now says is due, of those whose answer can have changed."""

    def asked(self, day: date, alerts: Sequence[Asked]) -> None:
        """What the doctor read on the round."""


def write(folder: Path, name: str, rows: Sequence[Row]) -> Path:
    """Rows as a CSV file; the columns are all that any of them has."""
    path = folder / f"{name}.csv"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
