"""What is known of a patient or an enrolment, where others were merged into it: its own cells,
and where one of those is empty, theirs."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, select

from monitor.store import tables
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)


def of_person(name: str) -> ColumnElement[Any]:
    """A column of `patients`, filled from the numbers merged into that patient."""
    return _filled(_PATIENTS, name, "person_id")


def who() -> tuple[ColumnElement[Any], ...]:
    """The columns of `patients` by which people know somebody, besides the number."""
    return tuple(of_person(name) for name in ("family_name", "given_name", "birth_date"))


def of_enrolment(name: str) -> ColumnElement[Any]:
    """A column of `enrolments`, filled from those merged into that enrolment."""
    return _filled(_ENROLMENTS, name, "merged_into")


@cache
def _filled(table: Table, name: str, points: str) -> ColumnElement[Any]:
    # kept: making the expression anew took a sixth of a small review
    own, other = table.c[name], table.alias()
    is_text = not own.nullable
    present = other.c[name] != "" if is_text else other.c[name].is_not(None)
    borrowed = (
        select(other.c[name])
        .where(and_(other.c[points] == table.c.id, present))
        .order_by(other.c.id)
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    if is_text:
        return func.coalesce(func.nullif(own, ""), borrowed, "", type_=own.type).label(name)
    return func.coalesce(own, borrowed, type_=own.type).label(name)
