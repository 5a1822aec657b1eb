"""Whom another version of the program judged last, or another time zone, is judged anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.daemon.in_force import InForce
from monitor.daemon.own_config import OwnConfig
from monitor.operations.fleet import Member
from monitor.operations.verify import verify
from monitor.review import wake_judged_otherwise
from monitor.review.program import program
from monitor.store import tables
from monitor.store.facts import put_fact
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


def of_whom_nothing_is_kept(ward: Clinic, mrn: str) -> int:
    """A result that cannot be judged is held for them, so that no edit may leave them alone."""
    enrolment = judged(ward, mrn)
    ward.set(tables.EnrolmentRow, enrolment, kept_by=None)
    return enrolment


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


def test_those_of_whom_nothing_is_kept_are_judged_anew_where_another_judged(ward: Clinic) -> None:
    """Held rows, two drugs, a limit of their own: it is the difficult ones."""
    woken(ward)
    enrolment = of_whom_nothing_is_kept(ward, "A1")
    assert woken(ward) == 0, "this program judged them"
    with ward.store.write() as connection:
        put_fact(connection, "judges", "UTC earlier")
    assert woken(ward) == 1
    assert ward.review(UPGRADED).reviewed == 1
    ward.set(tables.EnrolmentRow, enrolment, kept_by=None)
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


def joined(ward: Clinic, seconds: int, *, program: str = "") -> Member:
    member = Member(ward.store)
    if program:
        member.me = replace(member.me, program=program)
    member.join(UPGRADED + timedelta(seconds=seconds))
    return member


def goes_by(ward: Clinic, member: Member, folder: Path) -> InForce:
    """What a daemon goes by that has begun a moment ago."""
    settings = ward.settings
    schedules = settings.schedules.model_copy(update={"folder": folder})
    settings = settings.model_copy(update={"schedules": schedules})
    in_force = InForce(ward.store, settings, OwnConfig(settings, None), lambda *_told: None, member)
    in_force.begin(UPGRADED)
    return in_force


@pytest.mark.postgresql_only
@pytest.mark.parametrize(("third", "wakes"), [(-1, True), (2, False)])
@pytest.mark.parametrize("ends", [True, False])
def test_whom_a_daemon_judged_beside_a_later_one_is_judged_anew_once_it_has_gone(
    ward: Clinic, tmp_path: Path, third: int, wakes: bool, ends: bool
) -> None:
    """Daemons are replaced one by one. As long as both run nobody is handed to and fro; what the
    old one said in its last minutes must not stand until the night. Of two that are left the
    later one is of the newer version."""
    of_this = judged(ward, "A1")
    of_another = judged(ward, "B2")
    went, stayed, beside = joined(ward, 0, program="earlier"), joined(ward, 1), joined(ward, third)
    in_force = goes_by(ward, stayed, tmp_path)
    by_another(ward, of_another)
    of_a_kind = of_whom_nothing_is_kept(ward, "C3")
    at_rest = ward.next_review(of_a_kind)
    asleep = ward.next_review(of_this), ward.next_review(of_another)
    now = UPGRADED + timedelta(seconds=3)
    in_force.look(now)
    assert (ward.next_review(of_this), ward.next_review(of_another)) == asleep
    if ends:
        went.leave(now)
    else:
        now += timedelta(minutes=5)
        for member in (stayed, beside):
            member.tick(now, (), "")
    in_force.look(now)
    assert ward.next_review(of_this) == asleep[0]
    assert ward.next_review(of_another) == (now if wakes else asleep[1])
    assert ward.next_review(of_a_kind) == (now if wakes else at_rest)


@pytest.mark.postgresql_only
def test_where_one_of_the_same_version_has_gone_nobody_is_judged_anew(
    ward: Clinic, tmp_path: Path
) -> None:
    went, stayed = joined(ward, 0), joined(ward, 1)
    in_force = goes_by(ward, stayed, tmp_path)
    enrolment = of_whom_nothing_is_kept(ward, "A1")
    asleep = ward.next_review(enrolment)
    went.leave(UPGRADED)
    in_force.look(UPGRADED + timedelta(seconds=3))
    assert ward.next_review(enrolment) == asleep
