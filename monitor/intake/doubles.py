"""One patient enrolled twice on one drug at a time, under two numbers: one enrolment is kept.

The other stays on record and is not watched; its events, doses and alerts belong to the kept
one. Which is kept: that of the number that survives, else the one that was enrolled first.

Where one was stopped before the numbers were merged and the other was not, or on another day,
both stand: a duplicate that a nurse has stopped before she merges it must not end the watch over
the patient (ADR 0063).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from monitor.core.merges import together_since
from monitor.core.treatments import Owned, Treatment, by_treatment
from monitor.core.vocabulary import AlertState
from monitor.intake.context import chunks
from monitor.intake.sayings import Heard, Turn, sayings
from monitor.store import tables
from monitor.store.alerts import MONITOR, add_history
from monitor.store.frames import to_event
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_EVENTS = table_of(tables.EventRow)
_ALERTS = table_of(tables.AlertRow)
_CHUNK = 500
MOVED = "moved"
"""In an alert's history: it belongs to another enrolment now."""


def settle_doubles(
    connection: Connection, patient_ids: Collection[int], now: datetime
) -> list[str]:
    """Decide anew for these patients which enrolments are kept, and let the alerts follow;
    returns what a person should know."""
    notes: list[str] = []
    for ids in chunks(sorted(set(patient_ids)), _CHUNK):
        rows = _enrolments(connection, ids)
        kept = _kept(rows, _known_of(connection, rows))
        for row in rows:
            into = kept[row.id]
            if row.merged_into == into:
                continue
            connection.execute(
                update(_ENROLMENTS)
                .where(_ENROLMENTS.c.id == row.id)
                .values(merged_into=into, stands=into is None)
            )
            if into is not None:
                notes.append(_note(row, next(it for it in rows if it.id == into)))
        _move_alerts(connection, kept, now)
    return notes


def misplaced(connection: Connection) -> list[int]:
    """Enrolments that are kept and should not be, or the other way round."""
    doubled = select(_ENROLMENTS.c.patient_id).where(_ENROLMENTS.c.home_id.is_not(None)).distinct()
    found: list[int] = []
    for ids in chunks(sorted(connection.scalars(doubled)), _CHUNK):
        rows = _enrolments(connection, ids)
        kept = _kept(rows, _known_of(connection, rows))
        found += [row.id for row in rows if row.merged_into != kept[row.id]]
    return found


def _enrolments(connection: Connection, patient_ids: Sequence[int]) -> list[Row[Any]]:
    """The enrolments of these patients but those whose file was taken back."""
    columns = _ENROLMENTS.c
    home = func.coalesce(columns.home_id, columns.patient_id).label("home")
    query = (
        select(columns.id, columns.patient_id, columns.drug, columns.started_on, home)
        .add_columns(columns.merged_into, _PATIENTS.c.mrn)
        .join(_PATIENTS, _PATIENTS.c.id == func.coalesce(columns.home_id, columns.patient_id))
        .where(
            columns.patient_id.in_(patient_ids),
            or_(columns.stands, columns.merged_into.is_not(None)),
        )
    )
    return list(connection.execute(query.order_by(columns.id)))


@dataclass(frozen=True, slots=True)
class _Stop:
    on: date
    turn: Turn


@dataclass(frozen=True, slots=True)
class _Known:
    """What decides whether enrolments are one: their own stops, and the words of merges."""

    stops: Mapping[int, Sequence[_Stop]]
    heard: Sequence[Heard]

    def ended_on(self, enrolment_id: int, before: Turn | None = None) -> date | None:
        """The day on which it was stopped under its own number, by what was said `before` the
        numbers were merged: later words are of the patient."""
        stops = self.stops.get(enrolment_id, ())
        known = (it.on for it in stops if before is None or it.turn < before)
        return min(known, default=None)

    def together_since(self, one: int, other: int) -> Turn | None:
        """When two numbers were merged, of those that are."""
        place = together_since([it.said for it in self.heard], one, other)
        return None if place is None else self.heard[place].turn


def _known_of(connection: Connection, rows: Sequence[Row[Any]]) -> _Known:
    several = [row for same in _by_drug(rows) if len({it.home for it in same}) > 1 for row in same]
    if not several:
        return _Known({}, ())
    return _Known(
        _own_stops(connection, several),
        sayings(connection, {row.home for row in several}),
    )


def _by_drug(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """Those of one patient on one drug together."""
    found: dict[tuple[int, str], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.patient_id, row.drug].append(row)
    return list(found.values())


def _own_stops(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, list[_Stop]]:
    told: list[Owned] = []
    columns = _EVENTS.c
    for ids in chunks([row.id for row in rows], _CHUNK):
        query = select(_EVENTS).where(
            columns.enrolment_id.in_(ids), columns.event == "stop", ~columns.withdrawn
        )
        told += [(it.enrolment_id, to_event(it)) for it in connection.execute(query)]
    treatments = (Treatment(it.id, it.drug, it.started_on, it.home) for it in rows)
    stops: dict[int, list[_Stop]] = defaultdict(list)
    for owner, event in by_treatment(treatments, told):
        assert owner is not None
        turn = Turn(event.received_at, event.file_id, event.line)
        stops[owner].append(_Stop(event.on, turn))
    return stops


def _kept(rows: Sequence[Row[Any]], known: _Known) -> dict[int, int | None]:
    """For each enrolment the one that is kept for it; None: itself."""
    kept: dict[int, int | None] = {}
    for same in _by_drug(rows):
        standing: list[Row[Any]] = []
        for row in sorted(same, key=lambda it: (it.home != it.patient_id, it.id)):
            into = next((it for it in standing if _are_one(row, it, known)), None)
            kept[row.id] = None if into is None else into.id
            if into is None:
                standing.append(row)
    return kept


def _are_one(one: Row[Any], other: Row[Any], known: _Known) -> bool:
    """Whether two of one patient and drug came under two numbers, lasted at one time, and had
    the same end when the numbers were merged."""
    if one.home == other.home:
        return False  # one after the other, as its own file had it
    since = known.together_since(one.home, other.home)
    if since is None or not _at_one_time(one, other, known):
        return False
    return known.ended_on(one.id, since) == known.ended_on(other.id, since)


def _at_one_time(one: Row[Any], other: Row[Any], known: _Known) -> bool:
    first, second = sorted((one, other), key=lambda it: (it.started_on, it.id))
    end = known.ended_on(first.id)
    return end is None or second.started_on <= end


def at_odds(connection: Connection, patient_ids: Collection[int]) -> list[str]:
    """Of numbers that have just been merged: where one was stopped while the other goes on."""
    notes: list[str] = []
    for ids in chunks(sorted(set(patient_ids)), _CHUNK):
        rows = _enrolments(connection, ids)
        known = _known_of(connection, rows)
        for same in _by_drug(rows):
            kept = [row for row in same if row.merged_into is None]
            lasting = [row for row in kept if known.ended_on(row.id) is None]
            notes += [
                _note_at_odds(row, lasting[0], end)
                for row in kept
                if (end := known.ended_on(row.id)) is not None
                and any(it.home != row.home and it.started_on <= end for it in lasting)
            ]
    return notes


_ONE = "two numbers are one patient's: it goes on in the enrolment that is kept"
_BACK = "the numbers are two patients' again: it is back in its own enrolment"


def _move_alerts(connection: Connection, kept: dict[int, int | None], now: datetime) -> None:
    columns = _ALERTS.c
    home = func.coalesce(columns.home_id, columns.enrolment_id)
    for ids in chunks(sorted(kept), _CHUNK):
        query = select(columns.id, columns.enrolment_id, columns.state, home.label("home"))
        for row in connection.execute(query.where(home.in_(ids)).order_by(columns.id)).all():
            into = kept[row.home] or row.home
            if into == row.enrolment_id:
                continue
            values = {"enrolment_id": into, "home_id": None if into == row.home else row.home}
            connection.execute(update(_ALERTS).where(columns.id == row.id).values(values))
            if row.state != AlertState.CLOSED.value:
                note = _BACK if into == row.home else _ONE
                add_history(connection, [(row.id, MOVED, MONITOR, note)], now)


def _note(row: Row[Any], kept: Row[Any]) -> str:
    return (
        f"{row.mrn} and {kept.mrn} are one patient, enrolled on {row.drug} under two numbers: the "
        f"enrolment of {kept.mrn} is kept, the other stays on record; look at dose and genotype"
    )


def _note_at_odds(row: Row[Any], lasting: Row[Any], end: date) -> str:
    return (
        f"{row.mrn} and {lasting.mrn} are one patient: on {row.drug} stopped on {end} under "
        f"{row.mrn}, not stopped under {lasting.mrn}: watched on; if the drug was stopped, record "
        f"the stop under {lasting.mrn} too"
    )
