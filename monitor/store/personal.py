"""What clinicians set for single patients: reading it for the core, writing it for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from monitor.core.personal_terms import Personal, Terms
from monitor.store import tables
from monitor.store.tables import table_of

_PERSONAL = table_of(tables.PersonalRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)


def load_personal(
    connection: Connection, enrolment_ids: Sequence[int], until: datetime | None = None
) -> Mapping[int, tuple[Personal, ...]]:
    """All that was ever set for these enrolments, in the order it was set; with `until`, as it
    stood then. What was set for an enrolment that was merged into one of these is theirs."""
    owner = func.coalesce(_ENROLMENTS.c.merged_into, _ENROLMENTS.c.id)
    theirs = select(_ENROLMENTS.c.id).where(
        or_(_ENROLMENTS.c.id.in_(enrolment_ids), _ENROLMENTS.c.merged_into.in_(enrolment_ids))
    )
    query = (
        select(_PERSONAL, owner.label("owner"))
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _PERSONAL.c.enrolment_id)
        .where(_PERSONAL.c.enrolment_id.in_(theirs))
    )
    if until is not None:
        query = query.where(_PERSONAL.c.set_at <= until)
    found: dict[int, list[Personal]] = defaultdict(list)
    for row in connection.execute(query.order_by(_PERSONAL.c.id)):
        found[row.owner].append(_personal(row, until))
    return {enrolment: tuple(terms) for enrolment, terms in found.items()}


def lasting_terms(
    connection: Connection, patient_id: int, drug: str, enrolment_id: int, day: date
) -> list[Personal]:
    """The limits and intervals that are in force on a day for earlier enrolments of a patient on a
    drug than this one."""
    earlier = select(_ENROLMENTS.c.id).where(
        _ENROLMENTS.c.patient_id == patient_id,
        _ENROLMENTS.c.drug == drug,
        _ENROLMENTS.c.id < enrolment_id,
    )
    query = select(_PERSONAL).where(
        _PERSONAL.c.enrolment_id.in_(earlier), _PERSONAL.c.what != Terms.BASELINE.value
    )
    rows = connection.execute(query.order_by(_PERSONAL.c.id))
    return [it for row in rows if (it := _personal(row, None)).is_on(day)]


def owner_of(connection: Connection, term_id: int) -> tuple[int, Personal] | None:
    """The enrolment that a personal term belongs to, and the term."""
    row = connection.execute(select(_PERSONAL).where(_PERSONAL.c.id == term_id)).one_or_none()
    return None if row is None else (row.enrolment_id, _personal(row, None))


def add_personal(connection: Connection, enrolment_id: int, term: Personal) -> int:
    """Write it; the id it got (that of `term` does not count)."""
    done = connection.execute(
        insert(_PERSONAL).values(
            enrolment_id=enrolment_id,
            what=term.what.value,
            subject=term.subject,
            level=term.level,
            value=term.value,
            phase=term.phase,
            every=term.every,
            since=term.since,
            until=term.until,
            by=term.by,
            second=term.second,
            reason=term.reason,
            set_at=term.set_at,
            ended_by="",
            ended_because="",
        )
    )
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def end_personal(
    connection: Connection, term_id: int, on: date, by: str, because: str, now: datetime
) -> None:
    """End it before its time; the row stays."""
    connection.execute(
        update(_PERSONAL)
        .where(_PERSONAL.c.id == term_id)
        .values(ended_on=on, ended_by=by, ended_because=because, ended_at=now)
    )


def _personal(row: Any, until: datetime | None) -> Personal:
    ended = row.ended_at is not None and (until is None or row.ended_at <= until)
    return Personal(
        id=row.id,
        what=Terms(row.what),
        subject=row.subject,
        level=row.level,
        value=row.value,
        phase=row.phase,
        every=row.every,
        since=row.since,
        until=row.until,
        by=row.by,
        second=row.second,
        reason=row.reason,
        ended_on=row.ended_on if ended else None,
        set_at=row.set_at,
    )
