"""Where everybody stands, for the readers of a digest: one pass over all enrolments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.config import Settings
from monitor.core.answer import Review
from monitor.core.calendar import clinic_day
from monitor.core.routebook import RouteBook
from monitor.core.vocabulary import EnrolmentState
from monitor.delivery.digest import DueLine
from monitor.delivery.words import short_day
from monitor.operations.answers import answers
from monitor.operations.digest_due import due_soon
from monitor.operations.digest_readers import Reader, covers
from monitor.operations.status import NOT_JUDGED, standing_of
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
    for batch in answers(connection, settings, now, until=now, recalling=True):
        people = _people(connection, [case.enrolment.id for case in batch.cases])
        for failed in batch.failed:
            for each in found.told_of(people[failed]):
                each.counts[NOT_JUDGED] += 1
        for review in batch.reviews:
            row = people[review.case.enrolment.id]
            if told := found.told_of(row):
                due = due_soon(review, batch.rulebook, row, settings, now)
                unjudged = _unjudged(review, settings)
                for each in told:
                    each.counts[standing_of(review)] += 1
                    each.counts["held"] += review.life.state is EnrolmentState.HELD
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


def _unjudged(review: Review, settings: Settings) -> list[tuple[str, str]]:
    zone = settings.clinic.zone
    lines = []
    for it in review.unjudged:
        day = short_day(clinic_day(it.collected_at, zone))
        why = f"{it.rule.replace('_', ' ')}, result of {day}: {it.why}"
        lines.append((review.case.enrolment.mrn, why))
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
