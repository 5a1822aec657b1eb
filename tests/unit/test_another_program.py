"""Whom another version of the program judged last is judged anew by this one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.operations.verify import verify
from monitor.review import wake_judged_otherwise
from monitor.review.program import program
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at

REVIEWED = at("2026-01-13")
UPGRADED = at("2026-01-14")


def judged(ward: Clinic, mrn: str) -> int:
    """Somebody with good counts, asleep."""
    enrolment = ward.enrol(mrn)
    ward.results(mrn, "2026-01-12", CBC | LFT)
    ward.review(REVIEWED)
    return enrolment


def kept_by(ward: Clinic, enrolment: int) -> str:
    (row,) = ward.rows(tables.EnrolmentRow, id=enrolment)
    assert row.kept_by is not None
    return str(row.kept_by)


def by_another(ward: Clinic, enrolment: int, before: str = "") -> None:
    """The answer stands as a program left it that passed over a low count."""
    mark = before + kept_by(ward, enrolment).replace(program(), "earlier")
    ward.set(tables.EnrolmentRow, enrolment, kept_by=mark)
    newest = ward.rows(tables.ResultRow, analyte="neutrophils")[-1]
    ward.set(tables.ResultRow, newest.id, value=Decimal("0.4"))


@pytest.mark.parametrize("before", ["", "~"])
def test_an_answer_of_another_program_is_given_anew(ward: Clinic, before: str) -> None:
    of_this = judged(ward, "A1")
    of_another = judged(ward, "B2")
    by_another(ward, of_another, before)
    asleep = ward.next_review(of_this)
    assert wake_judged_otherwise(ward.store, UPGRADED) == 1
    assert wake_judged_otherwise(ward.store, UPGRADED) == 0
    assert ward.next_review(of_this) == asleep
    assert ward.review(UPGRADED).reviewed == 1
    assert "rule:neutropenia" in {alert.cause for alert in ward.alerts(of_another)}
    assert verify(ward.store, ward.settings, UPGRADED) == []
    assert kept_by(ward, of_another).endswith(program())
    assert wake_judged_otherwise(ward.store, UPGRADED) == 0


def test_who_is_due_already_keeps_the_place_that_was_theirs(ward: Clinic) -> None:
    enrolment = judged(ward, "A1")
    by_another(ward, enrolment)
    due = at("2026-01-13T12:00")
    ward.set(tables.EnrolmentRow, enrolment, next_review_at=due)
    assert wake_judged_otherwise(ward.store, UPGRADED) == 0
    assert ward.next_review(enrolment) == due
