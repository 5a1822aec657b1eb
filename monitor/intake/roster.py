"""Who is enrolled on what, and where each enrolment stands: for enrolment and events files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, or_, select

from monitor.core.answer import Life
from monitor.core.case import Enrolment, Event
from monitor.core.life import life_of
from monitor.core.treatments import Owned, Treatment, by_treatment
from monitor.core.vocabulary import DIED
from monitor.intake.context import chunks
from monitor.store import tables
from monitor.store.frames import to_event
from monitor.store.rulebook import RuleBook
from monitor.store.tables import table_of

ENROLMENTS = table_of(tables.EnrolmentRow)
EVENTS = table_of(tables.EventRow)
_CHUNK = 500


@dataclass(slots=True)
class Entry:
    """One enrolment as the database has it, with what its events make of it today."""

    id: int
    patient_id: int
    drug: str
    protocol_id: str
    indication: str
    clinic: str
    started_on: date
    enrolled_on: date
    dose_mg_per_day: Decimal | None
    weight_kg: Decimal | None
    tpmt: str
    nudt15: str
    last_tested_on: date | None
    home_id: int | None
    merged_into: int | None
    """The enrolment that is kept for it, where the patient had two on one drug."""
    life: Life | None = None
    taken_over: tuple[Event, ...] = ()
    """What was told of an earlier treatment and is of this one."""

    @property
    def home(self) -> int:
        """The patient under whose number it came."""
        return self.home_id or self.patient_id

    @property
    def ended_on(self) -> date | None:
        """The day it ended, up to today; None while it lasts."""
        return None if self.life is None else self.life.stopped_on

    @property
    def ended_by(self) -> str:
        return "" if self.life is None else self.life.ended_by

    @property
    def how_it_ended(self) -> str:
        """To whoever says something of it that can only be of a treatment that lasts."""
        if self.ended_by == DIED:
            return (
                f"the patient is recorded as dead since {self.ended_on}: if that is wrong, "
                "withdraw the event died (status entered-in-error)"
            )
        return (
            f"this treatment ended on {self.ended_on} ({self.ended_by}): a new one is enrolled "
            "with a started_on after that day; a stop in error is withdrawn by the event stop "
            "with status entered-in-error"
        )


_COLUMNS = [name for name in Entry.__slots__ if name not in ("life", "taken_over")]


class Roster:
    """Enrolments by patient, looked up for many patients at a time."""

    def __init__(self, connection: Connection, rulebook: RuleBook, today: date) -> None:
        self._connection = connection
        self._rulebook = rulebook
        self._today = today
        self._entries: dict[int, list[Entry]] = {}

    def prepare(self, patient_ids: Collection[int]) -> None:
        """Look up these patients anew."""
        for ids in chunks(sorted(set(patient_ids)), _CHUNK):
            self._entries.update({patient_id: [] for patient_id in ids})
            events = self._events(ids)
            query = select(*(ENROLMENTS.c[name] for name in _COLUMNS))
            known = or_(ENROLMENTS.c.stands, ENROLMENTS.c.merged_into.is_not(None))
            mine = query.where(ENROLMENTS.c.patient_id.in_(ids), known).order_by(ENROLMENTS.c.id)
            for row in self._connection.execute(mine):
                self._entries[row.patient_id].append(Entry(**row._mapping))
            for patient_id in ids:
                self._live(self._entries[patient_id], events[patient_id])

    def of(self, patient_id: int) -> list[Entry]:
        """The enrolments of a patient, oldest first; also those merged into another."""
        if patient_id not in self._entries:
            self.prepare([patient_id])
        return self._entries[patient_id]

    def on_drug(self, patient_id: int, drug: str, home: int) -> list[Entry]:
        """The enrolments of a patient on one drug that came under this number, oldest first."""
        same = [entry for entry in self.of(patient_id) if entry.drug == drug]
        return [entry for entry in same if entry.home == home]

    def forget(self, patient_id: int) -> None:
        """Read a patient again at the next question: something was written."""
        self._entries.pop(patient_id, None)

    def forget_all(self) -> None:
        """Read everyone again: whose enrolments are whose has changed."""
        self._entries.clear()

    def _live(self, entries: Collection[Entry], events: Collection[Owned]) -> None:
        """What the events make of each; those of an enrolment are its kept one's too."""
        into = {entry.id: entry.merged_into for entry in entries if entry.merged_into}
        kept = [it for it in entries if it.merged_into is None]
        told = [(owner and into.get(owner, owner), event) for owner, event in events]
        treatments = (Treatment(it.id, it.drug, it.started_on, it.home) for it in kept)
        theirs = by_treatment(treatments, told)
        for entry in entries:
            entry.life = self._life(entry, theirs if entry.merged_into is None else events)
            entry.taken_over = tuple(
                event
                for (before, event), (owner, _) in zip(told, theirs, strict=True)
                if owner == entry.id != before
            )

    def _life(self, entry: Entry, events: Collection[Owned]) -> Life | None:
        protocol = self._rulebook.protocols.get(entry.protocol_id)
        if protocol is None:
            return None
        enrolment = Enrolment(
            id=entry.id,
            patient_id=entry.patient_id,
            mrn="",
            drug=entry.drug,
            protocol_id=entry.protocol_id,
            started_on=entry.started_on,
            enrolled_on=entry.enrolled_on,
            dose_mg_per_day=entry.dose_mg_per_day,
        )
        mine = [event for owner, event in events if owner is None or owner == entry.id]
        names = self._rulebook.catalogue.drugs
        return life_of(enrolment, mine, protocol, self._today, names)

    def _events(self, patient_ids: Collection[int]) -> Any:
        found: defaultdict[int, list[Owned]] = defaultdict(list)
        query = select(EVENTS).where(
            EVENTS.c.patient_id.in_(patient_ids), EVENTS.c.withdrawn.is_(False)
        )
        for row in self._connection.execute(query.order_by(EVENTS.c.id)):
            found[row.patient_id].append((row.enrolment_id, to_event(row)))
        return found


def clinics(connection: Connection) -> dict[str, str]:
    """The clinics there are, each as it was first written, by their names without case."""
    first = func.min(ENROLMENTS.c.id)
    query = select(ENROLMENTS.c.clinic).group_by(ENROLMENTS.c.clinic).order_by(first)
    found: dict[str, str] = {}
    for name in connection.scalars(query):
        found.setdefault(name.casefold(), name)
    return found
