"""One event said by a person at a desk: what would come of it, and then the event itself.

It goes in by the same road as an events file, so that a page refuses what a file refuses, in the
same words.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.answer import PanelStatus
from monitor.core.calendar import clinic_day
from monitor.intake.dates import read_day
from monitor.intake.events import COLUMNS, RowRefused, events_file
from monitor.intake.report import PeopleReport
from monitor.operations.alert_list import alert_row, alerts_at
from monitor.operations.answers import answers, enrolments_of
from monitor.review import review_batch, review_due
from monitor.store.database import Store

_NAME = "one-event.csv"
_AHEAD = "That day is to come: nothing changes before it."
"""Beside "no due day changes", which would read as if the event had no effect."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line of an events file (interfaces, "Events CSV"), as a person wrote it."""

    mrn: str
    on: str
    event: str
    value: str = ""
    drug: str = ""
    note: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A panel whose day or state the event changes."""

    drug: str
    panel: str
    before: PanelStatus | None
    after: PanelStatus | None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What came of an event, or would; `refused` says why it cannot be taken, "" where it can."""

    refused: str
    known: bool
    """It was said before: nothing changes."""
    notes: tuple[str, ...] = ()
    opened: tuple[dict[str, Any], ...] = ()
    closed: tuple[dict[str, Any], ...] = ()
    moved: tuple[Moved, ...] = ()
    states: tuple[tuple[str, str, str], ...] = ()
    """Drug, state before and after, where it changes."""


def foresee(store: Store, settings: Settings, said: Said, now: datetime) -> Consequence:
    """What the event would change, all taken back."""
    with store.read() as connection:
        before = _standing(connection, settings, enrolments_of(connection, said.mrn), now)
    after: list[_Standing] = []

    def look(connection: Connection, touched: Sequence[int]) -> None:
        review_batch(connection, settings, touched, now)
        ids = enrolments_of(connection, said.mrn)
        after.append(_standing(connection, settings, {*touched, *ids}, now))

    with _as_file(said) as path:
        report = events_file(store, settings, path, now, preview=look)
    coming = _consequence(report, before, after[0])
    on = read_day(said.on)
    if on is None or on <= clinic_day(now, settings.clinic.zone):
        return coming
    return replace(coming, notes=(*coming.notes, _AHEAD))


def record(store: Store, settings: Settings, said: Said, now: datetime) -> str:
    """Take the event in and review whom it touches; why it was refused, or "". One that is refused
    leaves nothing behind."""
    with _as_file(said) as path:
        try:
            report = events_file(store, settings, path, now, whole=True)
        except RowRefused as refused:
            return str(refused)
    review_due(store, settings, now, only=report.touched)
    return ""


@dataclass(frozen=True, slots=True)
class _Standing:
    live: dict[int, dict[str, Any]]
    panels: dict[tuple[str, str], PanelStatus]
    states: dict[str, str]


def _standing(
    connection: Connection, settings: Settings, ids: Collection[int], now: datetime
) -> _Standing:
    panels: dict[tuple[str, str], PanelStatus] = {}
    states: dict[str, str] = {}
    for batch in answers(connection, settings, now, ids=ids, until=now):
        for review in batch.reviews:
            drug = review.case.enrolment.drug
            states[drug] = review.life.state.value
            panels |= {(drug, panel.panel): panel for panel in review.panels}
    zone = settings.clinic.zone
    live = {
        it.row.id: alert_row(it, zone, now)
        for it in alerts_at(connection, settings, now, enrolments=ids)
        if it.state != "closed"
    }
    return _Standing(live, panels, states)


def _consequence(report: PeopleReport, before: _Standing, after: _Standing) -> Consequence:
    keys = sorted({*before.panels, *after.panels})
    pairs = [(key, before.panels.get(key), after.panels.get(key)) for key in keys]
    return Consequence(
        refused=_refused(report),
        known=report.duplicate > 0,
        notes=tuple(note.partition(": ")[2] for note in report.notes if note.startswith("line ")),
        opened=tuple(it for id_, it in after.live.items() if id_ not in before.live),
        closed=tuple(it for id_, it in before.live.items() if id_ not in after.live),
        moved=tuple(
            Moved(drug, panel, was, becomes)
            for (drug, panel), was, becomes in pairs
            if _day_and_state(was) != _day_and_state(becomes)
        ),
        states=tuple(
            (drug, before.states.get(drug, ""), state)
            for drug, state in after.states.items()
            if before.states.get(drug, "") != state
        ),
    )


def _day_and_state(panel: PanelStatus | None) -> tuple[object, object] | None:
    return None if panel is None else (panel.due_on, panel.state)


def _refused(report: PeopleReport) -> str:
    return report.refused[0].reason if report.refused else ""


@contextmanager
def _as_file(said: Said) -> Iterator[Path]:
    """The event as the one line of an events file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / _NAME
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerow(asdict(said))
        yield path
