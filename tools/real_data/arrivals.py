"""What arrives at the clinic, and when: everything at the end, or bit by bit as it happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tools.real_data.prepared import Load, Prepared, read_text
from tools.real_data.rows import rows_of, separator_of

_COMMANDS = ["enrol", "events", "load"]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One file, the command that takes it, and the instant that stands for now."""

    at: str
    command: str
    path: Path
    source: str = ""


def arrivals(prepared: Prepared, folder: Path, pieces: int) -> list[Arrival]:
    """The files of a set in order of time.

    With one piece, events and results all come at the end. With more, the results are cut by
    time of collection; each piece comes a day after its last result, and the events with it.
    """
    coming = list(_waves(prepared, folder))
    if pieces == 1:
        coming.append(_events(prepared.events, prepared.now, folder, 0))
        coming += [
            Arrival(at=prepared.now, command="load", path=load.path, source=load.source)
            for load in prepared.loads
        ]
    else:
        (load,) = prepared.loads
        coming += _in_pieces(prepared, load, folder, pieces)
    return sorted(coming, key=lambda it: (it.at, _COMMANDS.index(it.command)))


def _waves(prepared: Prepared, folder: Path) -> Iterator[Arrival]:
    for number, (day, people) in enumerate(prepared.waves(), start=1):
        path = folder / f"enrol-{number}.csv"
        people.to_csv(path, index=False)
        yield Arrival(at=day, command="enrol", path=path)


def _in_pieces(prepared: Prepared, load: Load, folder: Path, pieces: int) -> Iterator[Arrival]:
    separator = separator_of(load)
    table = read_text(load.path, sep=separator)
    days = pd.Series(["" if row.at is None else str(row.at.date()) for row in rows_of(load, ())])
    order = days.sort_values(kind="stable").index
    known_from = prepared.enrol.set_index("mrn")["enrol_on"]
    told_on = prepared.events["on"].where(
        prepared.events["on"] > prepared.events["mrn"].map(known_from),
        prepared.events["mrn"].map(known_from),
    )
    size = -(-len(order) // pieces)
    since = ""
    for number in range(1, pieces + 1):
        own = order[(number - 1) * size : number * size]
        if number == pieces or own.empty:
            at = prepared.now
        else:
            at = str((pd.Timestamp(days[own].max()) + pd.Timedelta(days=1)).date())
        path = folder / f"piece-{number}{load.path.suffix}"
        table.loc[own].to_csv(path, index=False, sep=separator)
        yield Arrival(at=at, command="load", path=path, source=load.source)
        told = prepared.events[(told_on > since) & (told_on <= at)]
        if not told.empty:
            yield _events(told, at, folder, number)
        since = at


def _events(events: pd.DataFrame, at: str, folder: Path, number: int) -> Arrival:
    path = folder / f"events-{number}.csv"
    events.to_csv(path, index=False)
    return Arrival(at=at, command="events", path=path)
