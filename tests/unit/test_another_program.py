"""Whom another version of the program judged last, or another time zone, is judged anew."""

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


def woken(ward: Clinic) -> int:
    return wake_judged_otherwise(ward.store, ward.settings.clinic.zone, UPGRADED)


@pytest.mark.parametrize("before", ["", "~"])
def test_an_answer_of_another_program_is_given_anew(ward: Clinic, before: str) -> None:
    of_this = judged(ward, "A1")
    of_another = judged(ward, "B2")
    by_another(ward, of_another, before)
    asleep = ward.next_review(of_this)
    assert woken(ward) == 1
    assert woken(ward) == 0
    assert ward.next_review(of_this) == asleep
    assert ward.review(UPGRADED).reviewed == 1
    assert "rule:neutropenia" in {alert.cause for alert in ward.alerts(of_another)}
    assert verify(ward.store, ward.settings, UPGRADED) == []
    assert kept_by(ward, of_another).endswith(program())
    assert woken(ward) == 0


def test_who_is_due_already_keeps_the_place_that_was_theirs(ward: Clinic) -> None:
    enrolment = judged(ward, "A1")
    by_another(ward, enrolment)
    due = at("2026-01-13T12:00")
    ward.set(tables.EnrolmentRow, enrolment, next_review_at=due)
    assert woken(ward) == 0
    assert ward.next_review(enrolment) == due


def test_after_an_edit_of_the_time_zone_everybody_is_judged_anew(ward: Clinic) -> None:
    """Their days begin at another instant: who sleeps until the old one wakes hours late."""
    enrolment = judged(ward, "A1")
    clinic = ward.settings.clinic.model_copy(update={"timezone": "Asia/Tokyo"})
    elsewhere = ward.settings.model_copy(update={"clinic": clinic})
    assert verify(ward.store, elsewhere, UPGRADED) != []
    assert wake_judged_otherwise(ward.store, elsewhere.clinic.zone, UPGRADED) == 1
    ward.settings = elsewhere
    assert ward.review(UPGRADED).reviewed == 1
    assert verify(ward.store, elsewhere, UPGRADED) == []
    assert "Asia/Tokyo" in kept_by(ward, enrolment)
