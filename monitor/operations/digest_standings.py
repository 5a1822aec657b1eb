"""Where everybody stands, for the readers of a digest: one pass over all enrolments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.routebook import RouteBook
from monitor.core.vocabulary import EnrolmentState
from monitor.delivery.digest import DueLine
from monitor.delivery.words import short_day
from monitor.operations.digest_due import due_soon
from monitor.operations.digest_readers import Reader, covers
from monitor.operations.status import NOT_JUDGED
from monitor.operations.statuses import Standing, statuses
from monitor.store import tables
from monitor.store.persons import who
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)


@dataclass(slots=True)
class Standings:
    """What one reader is told."""

    counts: Counter[str] = field(default_factory=Counter)
    due: list[DueLine] = field(default_factory=list)
    unjudged: list[tuple[str, str]] = field(default_factory=list)


def standings(
    connection: Connection,
    settings: Settings,
    book: RouteBook,
    owed: Sequence[Reader],
    now: datetime,
) -> list[Standings]:
    """One for each of these readers."""
    found = _Places(book, owed)
    for batch in statuses(connection, settings, now):
        people = _people(connection, batch.ids)
        for failed in batch.failed:
            for each in found.told_of(people[failed.enrolment_id]):
                each.counts[NOT_JUDGED] += 1
        for it in batch.standings:
            row = people[it.whose.enrolment_id]
            if told := found.told_of(row):
                due = due_soon(it, batch.rulebook, row, settings, now)
                unjudged = _unjudged(it, settings)
                for each in told:
                    each.counts[it.status.ledger_state] += 1
                    each.counts["held"] += it.status.state is EnrolmentState.HELD
                    each.due += due
                    each.unjudged += unjudged
    return found.standings


class _Places:
    """Who is told of which clinic and drug: found out once for all that have both in common."""

    def __init__(self, book: RouteBook, owed: Sequence[Reader]) -> None:
        self._book = book
        self._owed = owed
        self._told: dict[tuple[str, str], list[Standings]] = {}
        self.standings = [Standings() for _ in owed]

    def told_of(self, enrolment: Row[Any]) -> list[Standings]:
        place = enrolment.clinic, enrolment.drug
        if place not in self._told:
            self._told[place] = [
                each
                for each, reader in zip(self.standings, self._owed, strict=True)
                if covers(reader, self._book, *place)
            ]
        return self._told[place]


def _unjudged(standing: Standing, settings: Settings) -> list[tuple[str, str]]:
    zone = settings.clinic.zone
    lines = []
    for it in standing.status.unjudged:
        day = short_day(clinic_day(it.collected_at, zone))
        why = f"{it.rule.replace('_', ' ')}, result of {day}: {it.why}"
        lines.append((standing.whose.mrn, why))
    return lines


def _people(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    query = (
        select(
            _ENROLMENTS.c.id,
            _ENROLMENTS.c.clinic,
            _ENROLMENTS.c.drug,
            _PATIENTS.c.mrn,
            *who(),
        )
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(_ENROLMENTS.c.id.in_(list(ids)))
    )
    return {row.id: row for row in connection.execute(query)}
