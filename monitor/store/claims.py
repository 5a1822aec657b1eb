"""Whose review is owed, and the claim of a batch of them.

A batch is locked and reviewed in one transaction, so a daemon that dies leaves nothing behind:
its locks go with it. On PostgreSQL a claim passes over what others hold (`FOR UPDATE SKIP
LOCKED`), so that several daemons share one queue; SQLite has one writer at a time, whose lock
does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from monitor.store import tables
from monitor.store.facts import brought_to_query
from monitor.store.persons import of_enrolment
from monitor.store.tables import table_of

FIRST, WITH_ALL = 0, 1
"""Ranks of those that wait: whom something of their own woke; whom an edit of the rules woke
together with everybody else."""
ANY = (FIRST, WITH_ALL)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_UNTRUE = "~"
"""Before `kept_by` where nothing is said of the answer any more, only of the results."""
RESULTS_ALONE = case(
    (_ENROLMENTS.c.kept_by.startswith(_UNTRUE), _ENROLMENTS.c.kept_by),
    else_=_UNTRUE + _ENROLMENTS.c.kept_by,
)
"""What `kept_by` becomes where results are as they were, and the answer may be another."""

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
    query = select(columns.id).where(columns.id.in_(ids), columns.kept_by.is_(None))
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
    """By one statement, of an entry of an index: the same for however many are enrolled."""
    latest, first = connection.execute(_hour()).one()
    return Hour(None if latest is None else datetime.fromisoformat(latest), first)


@cache
def _hour() -> Select[Any]:
    """Asks for the first, not for any that is due: a server that plans for an instant unknown
    takes a third of all for due, and would go through the table to find one."""
    first = select(func.min(_ENROLMENTS.c.next_review_at))
    return select(brought_to_query().scalar_subquery(), first.scalar_subquery())


def count_due(connection: Connection, now: datetime) -> int:
    """How many are due."""
    query = select(func.count()).select_from(_ENROLMENTS)
    return int(connection.scalar(query.where(_ENROLMENTS.c.next_review_at <= now)) or 0)


def everyone(connection: Connection) -> list[int]:
    """The ids of all enrolments, ascending."""
    return list(connection.scalars(select(_ENROLMENTS.c.id).order_by(_ENROLMENTS.c.id)))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a review leaves behind for an edit of the rules."""

    by: str
    reach: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """Until when a reviewed enrolment sleeps (None: for good), and what is kept of the answer."""

    until: datetime | None
    kept: Kept | None = None


def put_to_sleep(connection: Connection, sleeps: Mapping[int, Sleep]) -> None:
    """Write down when each of the reviewed is to be looked at again."""
    if not sleeps:
        return
    statement = (
        update(_ENROLMENTS)
        .where(_ENROLMENTS.c.id == bindparam("enrolment"))
        .values(
            next_review_at=bindparam("at"),
            wake_rank=FIRST,
            kept_until=bindparam("at"),
            kept_by=bindparam("by"),
            kept_reach=bindparam("reach"),
        )
    )
    rows = [
        {
            "enrolment": enrolment,
            "at": it.until,
            "by": it.kept and it.kept.by,
            "reach": it.kept and it.kept.reach,
        }
        for enrolment, it in sleeps.items()
    ]
    connection.execute(statement, rows)


def concerned_by(protocol_id: str) -> ColumnElement[bool]:
    """The enrolments of patients with one on a protocol: who tells of a panel that several drugs
    ask for depends on the protocols of all."""
    own = _ENROLMENTS.alias()
    patients = select(own.c.patient_id).where(own.c.protocol_id == protocol_id)
    return _ENROLMENTS.c.patient_id.in_(patients)


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
            next_review_at=now, wake_rank=WITH_ALL, kept_by=case((_is_asleep(), columns.kept_by))
        )
    )


def wake_kept_by_others(connection: Connection, now: datetime, last: str) -> int:
    """Wake whom nothing wakes yet and of whom is kept what does not end `kept_by` so; how many.
    Of whom nothing is kept nobody knows who judged them."""
    columns = _ENROLMENTS.c
    asleep = or_(columns.next_review_at.is_(None), columns.next_review_at > now)
    others = columns.kept_by.is_not(None) & ~columns.kept_by.endswith(last, autoescape=True)
    # Locked in one order, and nobody is waited for: several daemons may begin at once.
    query = select(columns.id).where(asleep, others, columns.stands).order_by(columns.id)
    theirs = query.with_for_update(skip_locked=True).scalar_subquery()
    statement = update(_ENROLMENTS).where(columns.id.in_(theirs))
    return connection.execute(statement.values(next_review_at=now, wake_rank=WITH_ALL)).rowcount


class Keeping(NamedTuple):
    """An enrolment of which something is kept."""

    id: int
    protocol_id: str
    indication: str
    by: str
    reach: str
    until: datetime | None
    """When something changes by the passing of time; None: never."""
    holds: bool
    """Nothing has by now."""


def claim_woken(connection: Connection, now: datetime, limit: int) -> list[Keeping]:
    """Lock up to `limit` of those whom an edit of the rules woke, and of whom something is
    kept. Something of their own would have woken them by itself, and nothing would be kept."""
    columns = _ENROLMENTS.c
    query = (
        _keeping(now)
        .where(columns.wake_rank == WITH_ALL, columns.next_review_at <= now)
        .order_by(columns.next_review_at, columns.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Keeping._make(row) for row in connection.execute(query)]


def asleep(connection: Connection, ids: Sequence[int], now: datetime) -> list[Keeping]:
    """Those of these enrolments that sleep, and of whom something is kept."""
    query = _keeping(now).where(_ENROLMENTS.c.id.in_(ids), _is_asleep())
    return [Keeping._make(row) for row in connection.execute(query)]


class Sleeping(NamedTuple):
    """An enrolment that stands and sleeps, and what is kept of the answer, which holds."""

    id: int
    patient_id: int
    mrn: str
    drug: str
    protocol_id: str
    by: str
    reach: str


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
        .where(columns.id.in_(ids))
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


def sleeping(connection: Connection, ids: Sequence[int], now: datetime) -> list[Sleeping]:
    """Those of these enrolments whose kept answer holds at `now`."""
    columns = _ENROLMENTS.c
    query = (
        select(
            columns.id,
            columns.patient_id,
            _PATIENTS.c.mrn,
            columns.drug,
            columns.protocol_id,
            columns.kept_by,
            columns.kept_reach,
        )
        .join(_PATIENTS, _PATIENTS.c.id == columns.patient_id)
        .where(columns.id.in_(ids), columns.stands, _is_asleep(), _holds(now), _is_kept())
        .order_by(columns.id)
    )
    return [Sleeping._make(row) for row in connection.execute(query)]


def _is_asleep() -> ColumnElement[bool]:
    """Nothing has woken it since its review."""
    return _ENROLMENTS.c.next_review_at.is_not_distinct_from(_ENROLMENTS.c.kept_until)


def _holds(now: datetime) -> ColumnElement[bool]:
    return or_(_ENROLMENTS.c.kept_until.is_(None), _ENROLMENTS.c.kept_until > now)


def _is_kept() -> ColumnElement[bool]:
    columns = _ENROLMENTS.c
    return and_(columns.kept_by.is_not(None), ~columns.kept_by.startswith(_UNTRUE))


def _keeping(now: datetime) -> Select[Any]:
    columns = _ENROLMENTS.c
    return select(
        columns.id,
        columns.protocol_id,
        of_enrolment("indication"),
        columns.kept_by,
        columns.kept_reach,
        columns.kept_until,
        and_(columns.stands, _holds(now)),
    ).where(_is_kept())


def put_back(connection: Connection, ids: Sequence[int], by: str) -> None:
    """Let claimed ones sleep on as they did before the edit; their answer is now by it, too."""
    columns = _ENROLMENTS.c
    connection.execute(
        update(_ENROLMENTS)
        .where(columns.id.in_(ids))
        .values(next_review_at=columns.kept_until, wake_rank=FIRST, kept_by=by)
    )


def sleep_until(connection: Connection, untils: Mapping[int, datetime | None]) -> None:
    """What is kept of claimed ones holds until other instants than before the edit."""
    if untils:
        own = update(_ENROLMENTS).where(_ENROLMENTS.c.id == bindparam("enrolment"))
        rows = [{"enrolment": enrolment, "at": until} for enrolment, until in untils.items()]
        connection.execute(own.values(kept_until=bindparam("at")), rows)


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Keep nothing more of the answers for claimed ones: they are to be judged."""
    statement = update(_ENROLMENTS).where(_ENROLMENTS.c.id.in_(ids))
    connection.execute(statement.values(kept_by=RESULTS_ALONE))


class OfResults(NamedTuple):
    """What is kept of the results of an enrolment."""

    id: int
    patient_id: int
    protocol_id: str
    by: str
    reach: str


def of_results(connection: Connection, ids: Sequence[int]) -> list[OfResults]:
    """What is kept of the results of those of these enrolments that stand."""
    columns = _ENROLMENTS.c
    query = select(
        columns.id,
        columns.patient_id,
        columns.protocol_id,
        func.ltrim(columns.kept_by, _UNTRUE),
        columns.kept_reach,
    ).where(columns.id.in_(ids), columns.stands, columns.kept_by.is_not(None))
    return [OfResults._make(row) for row in connection.execute(query)]


def _locked(
    connection: Connection,
    ids: Sequence[int],
    due_by: datetime | None,
    *,
    skip_locked: bool = False,
) -> Due:
    columns = _ENROLMENTS.c
    query = select(columns.id, columns.next_review_at).where(columns.id.in_(ids))
    if due_by is not None:
        query = query.where(columns.next_review_at <= due_by)
    query = query.order_by(columns.id).with_for_update(skip_locked=skip_locked)
    return {row.id: row.next_review_at for row in connection.execute(query)}
