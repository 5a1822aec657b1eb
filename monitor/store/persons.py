"""What is known of a patient or an enrolment, where others were merged into it: its own cells,
and where one of those is empty, theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, and_, func, select

from monitor.store import tables
from monitor.store.tables import table_of

_PATIENTS = table_of(tables.Patient)
_ENROLMENTS = table_of(tables.EnrolmentRow)


def of_person(name: str) -> ColumnElement[Any]:
    """A column of `patients`, filled from the numbers merged into that patient."""
    return _filled(_PATIENTS, name, _merged_patients)


def of_enrolment(name: str) -> ColumnElement[Any]:
    """A column of `enrolments`, filled from those merged into that enrolment."""
    return _filled(_ENROLMENTS, name, _merged_enrolments)


def _merged_patients(other: FromClause) -> ColumnElement[bool]:
    return other.c.person_id == _PATIENTS.c.id


def _merged_enrolments(other: FromClause) -> ColumnElement[bool]:
    # one patient's all: without its number each enrolment would look through everybody's
    return and_(
        other.c.patient_id == _ENROLMENTS.c.patient_id, other.c.merged_into == _ENROLMENTS.c.id
    )


@cache
def _filled(
    table: Table, name: str, merged: Callable[[FromClause], ColumnElement[bool]]
) -> ColumnElement[Any]:
    # kept: making the expression anew took a sixth of a small review
    own, other = table.c[name], table.alias()
    is_text = not own.nullable
    present = other.c[name] != "" if is_text else other.c[name].is_not(None)
    borrowed = (
        select(other.c[name])
        .where(merged(other), present)
        .order_by(other.c.id)
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    if is_text:
        return func.coalesce(func.nullif(own, ""), borrowed, "", type_=own.type).label(name)
    return func.coalesce(own, borrowed, type_=own.type).label(name)
