"""An edit that counts the levels of a rule anew: nobody hears again of what stays as it was, and
whoever answered an alert hears of what is worse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from monitor.core.faults import Faults
from monitor.core.personal_terms import Personal, Terms
from monitor.core.vocabulary import AlertState
from monitor.operations import people
from monitor.operations.personal import end_term, set_term
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import edit_of, preview
from monitor.store import tables
from tests.clinic import CBC, Clinic, at
from tests.schedules_folder import edit, text_of, write

WITHHOLD = '  { below = 1.6, action = "withhold", urgency = "urgent", recheck = "1 week" },\n'
MILDER = '  { below = 1.8, action = "review", urgency = "routine" },\n'
GRAVEST = (
    '  { below = 0.5, action = "discontinue", urgency = "critical", recheck = "1 day", '
    'say = "same-day clinical assessment" },\n'
)


@pytest.fixture
def path(folder: Path) -> Path:
    """The protocol, without its examples."""
    return write(folder, text_of(folder).partition("# ==== Examples")[0])


def watched(ward: Clinic, neutrophils: str) -> int:
    """A patient with this count; the alert of it."""
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": neutrophils})
    ward.review(at("2026-01-12"))
    (alert,) = ward.alerts(enrolment)
    return alert.id


def apply_it(ward: Clinic, path: Path, day: str) -> None:
    apply(ward.store, ward.settings, edit_of(path), at(day), by="Dr A", reason="minutes")


def close(ward: Clinic, alert: int, day: str, review_by: str) -> None:
    people.close(
        ward.store, ward.settings, alert, by="Jo", outcome="drug_held: Dr Gray",
        review_by=date.fromisoformat(review_by), now=at(day),
    )  # fmt: skip


def what_was_said(ward: Clinic, alert: int) -> list[str]:
    return [row.what for row in ward.rows(tables.DeliveryAlert, alert_id=alert)]


def test_a_milder_level_more_makes_nobody_worse(ward: Clinic, folder: Path, path: Path) -> None:
    alert = watched(ward, "1.5")
    people.acknowledge(ward.store, ward.settings, alert, by="Jo", now=at("2026-01-12", 13))
    edit(folder, WITHHOLD, MILDER + WITHHOLD)
    assert preview(ward.store, ward.settings, edit_of(path), at("2026-01-13")).patients == ()
    apply_it(ward, path, "2026-01-13")
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert (row.state, row.level) == (AlertState.ACKNOWLEDGED, 2)
    assert what_was_said(ward, alert) == ["opened"]
    ward.results("A1", "2026-01-14", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-01-14"))
    assert what_was_said(ward, alert) == ["opened"], "the same level, and not 10 % worse"
    ward.results("A1", "2026-01-15", CBC | {"neutrophils": "0.9"})
    ward.review(at("2026-01-15"))
    assert what_was_said(ward, alert) == ["opened", "worse"]


def test_a_level_less_makes_nobody_milder(ward: Clinic, folder: Path, path: Path) -> None:
    edit(folder, WITHHOLD, MILDER + WITHHOLD)
    apply_it(ward, path, "2026-01-04")
    alert = watched(ward, "1.5")
    edit(folder, MILDER, "")
    apply_it(ward, path, "2026-01-13")
    assert what_was_said(ward, alert) == ["opened"]
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert row.level == 1


@pytest.mark.parametrize(
    ("told", "now", "comes_back"), [("1.5", "1.1", True), ("1.5", "1.4", False)]
)
def test_a_closed_alert_comes_back_at_a_tenth_worse_by_fewer_levels(
    ward: Clinic, folder: Path, path: Path, told: str, now: str, comes_back: bool
) -> None:
    edit(folder, WITHHOLD, MILDER + WITHHOLD)
    apply_it(ward, path, "2026-01-04")
    alert = watched(ward, told)
    close(ward, alert, "2026-01-12", "2026-01-30")
    edit(folder, MILDER, "")
    apply_it(ward, path, "2026-01-13")
    ward.results("A1", "2026-01-14", CBC | {"neutrophils": now})
    ward.review(at("2026-01-14"))
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert row.state == (AlertState.OPEN if comes_back else AlertState.CLOSED)


def test_a_closed_alert_comes_back_when_its_own_level_is_gone_and_it_is_worse(
    ward: Clinic, folder: Path, path: Path
) -> None:
    alert = watched(ward, "0.45")
    close(ward, alert, "2026-01-12", "2026-01-19")
    edit(folder, GRAVEST, "")
    apply_it(ward, path, "2026-01-13")
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert row.state == AlertState.CLOSED, "somebody has answered it"
    ward.results("A1", "2026-01-14", CBC | {"neutrophils": "0.1"})
    ward.review(at("2026-01-14"))
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert row.state == AlertState.OPEN


def test_a_closed_alert_comes_back_when_an_edit_makes_it_critical(
    ward: Clinic, folder: Path, path: Path
) -> None:
    alert = watched(ward, "1.5")
    close(ward, alert, "2026-01-12", "2026-02-09")
    edit(folder, WITHHOLD, WITHHOLD.replace("urgent", "critical"))
    apply_it(ward, path, "2026-01-13")
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert (row.state, row.urgency) == (AlertState.OPEN, "critical")
    assert what_was_said(ward, alert) == ["opened", "reopened"]


def limit(ward: Clinic, level: int, value: str, until: str = "2026-12-01") -> int:
    term = Personal(
        id=0, what=Terms.LIMIT, subject="neutropenia", level=level, value=Decimal(value),
        since=date(2026, 1, 5), until=date.fromisoformat(until), by="Dr A", second="Dr B",
        reason="Duffy-null", set_at=at("2026-01-05"),
    )  # fmt: skip
    return set_term(ward.store, ward.settings, "A1", "", term, at("2026-01-05"))


@pytest.mark.parametrize(
    ("level", "value", "old", "new", "problem"),
    [
        (2, "0.8", WITHHOLD, MILDER + WITHHOLD, "asks for discontinue, critical at 1.0, and"),
        (1, "1.2", WITHHOLD, "", "asks for withhold, urgent at 1.6, and"),
        (1, "1.2", WITHHOLD, WITHHOLD.replace("urgent", "critical"), "withhold, critical at 1.6"),
        (2, "0.8", "floor = 0.5 ", "floor = 0.9 ", "(0.8) would lie past the floor"),
        (2, "0.8", WITHHOLD, WITHHOLD.replace("1.6", "1.7"), ""),
        (3, "0.55", GRAVEST, "", ""),
        # asks for the same, and is another level all the same: 0.55 instead of 1.0
        (3, "0.55", WITHHOLD, MILDER + WITHHOLD, "discontinue, critical at 0.5, and would stand"),
        (2, "0.8", WITHHOLD, "", "discontinue, critical at 1.0, and would stand in for"),
        (3, "0.55", "below = 0.5, action", "below = 0.6, action", ""),
    ],
)
def test_no_edit_makes_another_of_a_limit_that_was_agreed_for_a_patient(
    ward: Clinic, folder: Path, path: Path, level: int, value: str, old: str, new: str, problem: str
) -> None:
    ward.enrol("A1")
    number = limit(ward, level, value)
    edit(folder, old, new)
    if not problem:
        apply_it(ward, path, "2026-01-13")
        return
    for act in (preview, partial(apply, by="Dr A", reason="minutes")):
        with pytest.raises(Faults) as raised:
            act(ward.store, ward.settings, edit_of(path), at("2026-01-13"))
        assert problem in str(raised.value)
        assert f"monitor limit end {number}" in str(raised.value)
        (fault,) = raised.value.faults
        assert fault.line and "{ below = " in path.read_text().splitlines()[fault.line - 1]
    now = at("2026-01-13")
    end_term(ward.store, ward.settings, number, by="Dr A", reason="the edit", now=now)
    apply_it(ward, path, "2026-01-13")


def test_a_limit_whose_level_is_gone_does_not_come_to_stand_for_the_next_one(
    ward: Clinic, folder: Path, path: Path
) -> None:
    """With its level it ended to count; the next edit gave it another, and 0.9 was no longer
    critical for the patient."""
    ward.enrol("A1")
    number = limit(ward, 3, "0.55")
    edit(folder, GRAVEST, "")
    apply_it(ward, path, "2026-01-13")
    edit(folder, WITHHOLD, MILDER + WITHHOLD)
    with pytest.raises(Faults) as raised:
        apply_it(ward, path, "2026-01-14")
    assert "a level that the text in force does not have, and would stand in for" in str(
        raised.value
    )
    assert f"monitor limit end {number}" in str(raised.value)


QUARTERLY = '[phases.panels.cbc]\nevery = "3 months"\n'


def interval(ward: Clinic) -> int:
    """A test every 6 weeks instead of every 3 months, for one patient."""
    ward.enrol("A1")
    term = Personal(
        id=0, what=Terms.INTERVAL, subject="cbc", phase="quarterly", every="6 weeks",
        since=date(2026, 1, 5), until=date(2026, 12, 1), by="Dr A", reason="lupus",
        set_at=at("2026-01-05"),
    )  # fmt: skip
    return set_term(ward.store, ward.settings, "A1", "", term, at("2026-01-05"))


def test_no_edit_leaves_a_patients_interval_behind(ward: Clinic, folder: Path, path: Path) -> None:
    """A phase of another name took it away, and `limit list` said that it is in force."""
    number = interval(ward)
    edit(folder, 'name = "quarterly"', 'name = "later"')
    with pytest.raises(Faults, match="phases: personal interval .* has no phase quarterly") as said:
        apply_it(ward, path, "2026-01-13")
    assert f"monitor limit end {number}" in str(said.value)


def test_a_limit_that_has_ended_is_in_no_edits_way(ward: Clinic, folder: Path, path: Path) -> None:
    ward.enrol("A1")
    limit(ward, 2, "0.8", until="2026-01-13")
    edit(folder, WITHHOLD, MILDER + WITHHOLD)
    apply_it(ward, path, "2026-01-13")


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ('every = "1 month"', "no every_at_most for cbc in phase quarterly"),
        ('every = "1 month"\nevery_at_most = "5 weeks"', "than the protocol allows, 5 weeks"),
        ('every = "1 month"\nevery_at_most = "8 weeks"', "need a second person"),
        ('every = "8 weeks"', ""),
        ('every = "6 weeks"', ""),
    ],
)
def test_no_edit_makes_an_interval_rarer_that_was_agreed_to_be_shorter(
    ward: Clinic, folder: Path, path: Path, new: str, problem: str
) -> None:
    """Every 6 weeks needs one person's word beside 3 months, and two beside a month."""
    number = interval(ward)
    edit(folder, QUARTERLY, f"[phases.panels.cbc]\n{new}\n")
    if problem:
        with pytest.raises(Faults) as raised:
            apply_it(ward, path, "2026-01-13")
        said = str(raised.value)
        assert "phases[1].panels.cbc.every" in said and problem in said
        assert f"monitor limit end {number}" in said
        now = at("2026-01-13")
        end_term(ward.store, ward.settings, number, by="Dr A", reason="the edit", now=now)
    apply_it(ward, path, "2026-01-13")
