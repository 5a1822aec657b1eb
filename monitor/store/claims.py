"""Whose review is owed, and the claim of a batch of them.

A batch is locked and reviewed in one transaction, so a daemon that dies leaves nothing behind:
its locks go with it. On PostgreSQL a claim passes over what others hold (`FOR UPDATE SKIP
LOCKED`), so that several daemons share one queue; SQLite has one writer at a time, whose lock
does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from monitor.store import tables
from monitor.store.tables import table_of

FIRST, WITH_ALL = 0, 1
"""Ranks of those that wait: whom something of their own woke; whom an edit of the rules woke
together with everybody else."""
_ENROLMENTS = table_of(tables.EnrolmentRow)

Due = dict[int, datetime | None]
"""The claimed enrolments and when each was to be reviewed."""


def claim_due(connection: Connection, now: datetime, limit: int) -> Due:
    """Lock up to `limit` enrolments that are due: whoever was woken by something of their own
    before those whom an edit of the rules woke, and of each the longest waiting first. Whoever
    somebody else holds is reviewed there, or owed afterwards."""
    claimed: Due = {}
    columns = _ENROLMENTS.c
    for rank in (FIRST, WITH_ALL):
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


def is_any_due(connection: Connection, now: datetime) -> bool:
    """Whether anybody is due. A few microseconds, however many are enrolled."""
    columns = _ENROLMENTS.c
    query = select(columns.id).where(columns.next_review_at <= now).limit(1)
    return connection.scalar(query) is not None


def count_due(connection: Connection, now: datetime) -> int:
    """How many are due."""
    query = select(func.count()).select_from(_ENROLMENTS)
    return int(connection.scalar(query.where(_ENROLMENTS.c.next_review_at <= now)) or 0)


def everyone(connection: Connection) -> list[int]:
    """The ids of all enrolments, ascending."""
    return list(connection.scalars(select(_ENROLMENTS.c.id).order_by(_ENROLMENTS.c.id)))


def note_next_reviews(connection: Connection, next_reviews: Mapping[int, datetime | None]) -> None:
    """Write down when each of the reviewed is to be looked at again."""
    if not next_reviews:
        return
    statement = (
        update(_ENROLMENTS)
        .where(_ENROLMENTS.c.id == bindparam("enrolment"))
        .values(next_review_at=bindparam("at"), wake_rank=FIRST)
    )
    rows = [{"enrolment": enrolment, "at": at} for enrolment, at in next_reviews.items()]
    connection.execute(statement, rows)


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
