"""Whose review is owed, and the claim of a batch of them.

A batch is locked and reviewed in one transaction, so a daemon that dies leaves nothing behind:
its locks go with it. On PostgreSQL a claim passes over what others hold (`FOR UPDATE SKIP
LOCKED`), so that several daemons share one queue; SQLite has one writer at a time, whose lock
does the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    case,
    func,
    or_,
    select,
    update,
)

from monitor.core.calendar import earliest
from monitor.store import tables
from monitor.store.among import among
from monitor.store.facts import brought_to_query
from monitor.store.tables import table_of

FIRST, WITH_ALL = 0, 1
"""Ranks of those that wait: whom something of their own woke; whom an edit of the rules woke
together with everybody else."""
ANY = (FIRST, WITH_ALL)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
OF_ANY_RANK = _ENROLMENTS.c.wake_rank.in_(ANY)
"""Asked together with an instant: those that wait are found by rank, then by instant."""
Due = dict[int, datetime | None]
"""The claimed enrolments and when each was to be reviewed."""


def claim_due(connection: Connection, now: datetime, limit: int, ranks: Sequence[int] = ANY) -> Due:
    """Lock up to `limit` enrolments that are due: whoever was woken by something of their own
    before those whom an edit of the rules woke, and of each the longest waiting first. Whoever
    somebody else holds is reviewed there, or owed afterwards."""
    claimed: Due = {}
    columns = _ENROLMENTS.c
    for rank in ranks:
        query = (
            select(columns.id, columns.next_review_at)
            .where(columns.wake_rank == rank, columns.next_review_at <= now)
            .order_by(columns.next_review_at, columns.id)
            .limit(limit - len(claimed))
            .with_for_update(skip_locked=True)
        )
        claimed |= {row.id: row.next_review_at for row in connection.execute(query)}
        if len(claimed) >= limit:
            break
    return claimed


def claim(connection: Connection, ids: Sequence[int]) -> Due:
    """Lock these enrolments, due or not; whoever somebody else holds is waited for."""
    return _locked(connection, ids, None)


def claim_free(connection: Connection, ids: Sequence[int], due_by: datetime | None = None) -> Due:
    """Lock those of these enrolments that nobody else holds, and only those due by an instant
    where one is given."""
    return _locked(connection, ids, due_by, skip_locked=True)


def fitting(connection: Connection, ids: Sequence[int], most: int) -> Sequence[int]:
    """The first of these enrolments, with at most so many among them of whom nothing is
    remembered: all of their results will be read."""
    columns = _ENROLMENTS.c
    query = select(columns.id).where(among(columns.id, ids), columns.kept_by.is_(None))
    unknown = set(connection.scalars(query))
    counts = accumulate(enrolment in unknown for enrolment in ids)
    return [enrolment for enrolment, count in zip(ids, counts, strict=True) if count <= most]


class Hour(NamedTuple):
    """What a look at the clock needs to know."""

    brought_to: datetime | None
    """The latest instant that the database has been brought to."""
    next_review_at: datetime | None
    """When the first of all enrolments is to be reviewed."""

    def is_any_due(self, now: datetime) -> bool:
        return self.next_review_at is not None and self.next_review_at <= now


def hour(connection: Connection) -> Hour:
    """By one statement, of an entry of an index for each rank: the same for however many are
    enrolled."""
    latest, *firsts = connection.execute(_hour()).one()
    return Hour(None if latest is None else datetime.fromisoformat(latest), earliest(*firsts))


@cache
def _hour() -> Select[Any]:
    """Asks for the first, not for any that is due: a server that plans for an instant unknown
    takes a third of all for due, and would go through the table to find one."""
    return select(brought_to_query().scalar_subquery(), *firsts())


def firsts(*which: ColumnElement[bool]) -> Iterator[ScalarSelect[datetime | None]]:
    """When the first review of each rank is due, of these enrolments or of all."""
    columns = _ENROLMENTS.c
    for rank in ANY:
        first = select(func.min(columns.next_review_at)).where(columns.wake_rank == rank, *which)
        yield first.scalar_subquery()


def count_due(connection: Connection, now: datetime) -> int:
    """How many are due."""
    query = select(func.count()).where(OF_ANY_RANK, _ENROLMENTS.c.next_review_at <= now)
    return int(connection.scalar(query) or 0)


def everyone(connection: Connection) -> list[int]:
    """The ids of all enrolments, ascending."""
    return list(connection.scalars(select(_ENROLMENTS.c.id).order_by(_ENROLMENTS.c.id)))


def concerned_by(protocol_id: str) -> ColumnElement[bool]:
    """The enrolments of patients with one on a protocol: who tells of a panel that several drugs
    ask for depends on the protocols of all."""
    own = _ENROLMENTS.alias()
    patients = select(own.c.patient_id).where(own.c.protocol_id == protocol_id)
    return _ENROLMENTS.c.patient_id.in_(patients)


def is_asleep() -> ColumnElement[bool]:
    """Nothing has woken an enrolment since its review."""
    return _ENROLMENTS.c.next_review_at.is_not_distinct_from(_ENROLMENTS.c.kept_until)


def wake_all(connection: Connection, now: datetime, protocol_id: str | None) -> None:
    """Wake everybody whom an edit of a protocol (None: of any) may concern, with one statement.
    Whoever is due already keeps the place that was theirs: nobody is put back."""
    columns = _ENROLMENTS.c
    asleep = or_(columns.next_review_at.is_(None), columns.next_review_at > now)
    statement = update(_ENROLMENTS).where(asleep)
    if protocol_id is not None:
        statement = statement.where(concerned_by(protocol_id))
    connection.execute(
        statement.values(
            next_review_at=now, wake_rank=WITH_ALL, kept_by=case((is_asleep(), columns.kept_by))
        )
    )


class Named(NamedTuple):
    """An enrolment as people name it."""

    id: int
    mrn: str
    drug: str


def named(connection: Connection, ids: Sequence[int]) -> list[Named]:
    """These enrolments, by id."""
    columns = _ENROLMENTS.c
    query = (
        select(columns.id, _PATIENTS.c.mrn, columns.drug)
        .join(_PATIENTS, _PATIENTS.c.id == columns.patient_id)
        .where(among(columns.id, ids))
        .order_by(columns.id)
    )
    return [Named._make(row) for row in connection.execute(query)]


def ids_by_mrn(connection: Connection) -> list[int]:
    """The id of every enrolment that stands, by the number of its patient; of one number ascending.
    Sorted here: databases differ in what comes first."""
    query = (
        select(_PATIENTS.c.mrn, _ENROLMENTS.c.id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(_ENROLMENTS.c.stands)
    )
    return [enrolment for _, enrolment in sorted((*row,) for row in connection.execute(query))]


def _locked(
    connection: Connection,
    ids: Sequence[int],
    due_by: datetime | None,
    *,
    skip_locked: bool = False,
) -> Due:
    columns = _ENROLMENTS.c
    query = select(columns.id, columns.next_review_at).where(among(columns.id, ids))
    if due_by is not None:
        query = query.where(columns.next_review_at <= due_by)
    query = query.order_by(columns.id).with_for_update(skip_locked=skip_locked)
    return {row.id: row.next_review_at for row in connection.execute(query)}
