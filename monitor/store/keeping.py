"""What is kept of the answers: what a review leaves of each enrolment, so that an edit of the
rules, a question of where everybody stands, and the next review need not judge or read all again.

Whose answer it is, by what it was judged and until when it holds stands with the enrolment; what
is kept of it, some hundreds of characters, in a table of its own: an edit wakes everybody and puts
most to sleep again, and writes only what is short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store import tables
from monitor.store.among import among
from monitor.store.claims import FIRST, WITH_ALL, is_asleep
from monitor.store.persons import of_enrolment
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_ANSWERS = table_of(tables.KeptAnswer)
_OF_ENROLMENT = _ANSWERS.c.enrolment_id == _ENROLMENTS.c.id
_UNTRUE = "~"
"""Before `kept_by` where nothing is said of the answer any more, only of the results."""
RESULTS_ALONE = case(
    (_ENROLMENTS.c.kept_by.startswith(_UNTRUE), _ENROLMENTS.c.kept_by),
    else_=_UNTRUE + _ENROLMENTS.c.kept_by,
)
"""What `kept_by` becomes where results are as they were, and the answer may be another."""


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
        )
    )
    connection.execute(
        statement,
        [
            {"enrolment": enrolment, "at": it.until, "by": it.kept and it.kept.by}
            for enrolment, it in sleeps.items()
        ],
    )
    kept = [
        {"enrolment_id": enrolment, "reach": it.kept.reach}
        for enrolment, it in sleeps.items()
        if it.kept is not None
    ]
    if kept:
        connection.execute(_instead(connection.dialect.name), kept)


@cache
def _instead(dialect: str) -> Insert:
    """What is kept of an enrolment, in the place of what was."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(_ANSWERS)
    return statement.on_conflict_do_update(
        index_elements=[_ANSWERS.c.enrolment_id], set_={"reach": statement.excluded.reach}
    )


def wake_kept_by_others(connection: Connection, now: datetime, last: str, *, unknown: bool) -> int:
    """Wake whom nothing wakes yet and of whom is kept what does not end `kept_by` so; how many.
    Of whom nothing is kept (held rows, two drugs, a limit of their own: the difficult ones) nobody
    knows who judged them: they are woken where that may be `unknown`."""
    columns = _ENROLMENTS.c
    asleep = or_(columns.next_review_at.is_(None), columns.next_review_at > now)
    theirs = ~columns.kept_by.endswith(last, autoescape=True)
    others = func.coalesce(theirs, unknown)  # of nothing that is kept one cannot tell
    # Locked in one order, and nobody is waited for: several daemons may begin at once.
    query = select(columns.id).where(asleep, others, columns.stands).order_by(columns.id)
    found = query.with_for_update(skip_locked=True).scalar_subquery()
    statement = update(_ENROLMENTS).where(columns.id.in_(found))
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
        .with_for_update(skip_locked=True, of=_ENROLMENTS)
    )
    return [Keeping._make(row) for row in connection.execute(query).all()]


def asleep(connection: Connection, ids: Sequence[int], now: datetime) -> list[Keeping]:
    """Those of these enrolments that sleep, and of whom something is kept."""
    query = _keeping(now).where(among(_ENROLMENTS.c.id, ids), is_asleep())
    return [Keeping._make(row) for row in connection.execute(query).all()]


class Sleeping(NamedTuple):
    """An enrolment that stands and sleeps, and what is kept of the answer, which holds."""

    id: int
    patient_id: int
    mrn: str
    drug: str
    protocol_id: str
    by: str
    reach: str


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
            _ANSWERS.c.reach,
        )
        .join(_PATIENTS, _PATIENTS.c.id == columns.patient_id)
        .join(_ANSWERS, _OF_ENROLMENT)
        .where(among(columns.id, ids), columns.stands, is_asleep(), _holds(now), _is_kept())
        .order_by(columns.id)
    )
    return [Sleeping._make(row) for row in connection.execute(query).all()]


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
        _ANSWERS.c.reach,
        columns.kept_until,
        and_(columns.stands, _holds(now)),
    ).where(_OF_ENROLMENT, _is_kept())


def put_back(connection: Connection, ids: Sequence[int], by: str) -> None:
    """Let claimed ones sleep on as they did before the edit; their answer is now by it, too."""
    columns = _ENROLMENTS.c
    connection.execute(
        update(_ENROLMENTS)
        .where(among(columns.id, ids))
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
    statement = update(_ENROLMENTS).where(among(_ENROLMENTS.c.id, ids))
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
        _ANSWERS.c.reach,
    ).where(_OF_ENROLMENT, among(columns.id, ids), columns.stands, columns.kept_by.is_not(None))
    return [OfResults._make(row) for row in connection.execute(query)]
