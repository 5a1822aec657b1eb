"""Limits and intervals of one patient: set with a reason, shown, refused past the floor, ended
and told."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.core.actions import ActionRefused
from monitor.core.personal_terms import Personal, Terms
from monitor.core.vocabulary import AlertState
from monitor.intake.report import PeopleReport
from monitor.operations import arrivals
from monitor.operations.personal import end_term, keep_terms, set_term, terms
from monitor.operations.status import status_rows
from monitor.operations.verify import verify
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at, whats

START = "2026-01-05"


def _ward(ward: Clinic, **values: str) -> int:
    enrolment = ward.enrol("A1", now=at(START), tpmt="normal", nudt15="normal")
    ward.results("A1", START, CBC | LFT)
    ward.results("A1", "2026-01-12", CBC | values)
    ward.review(at("2026-01-12"))
    return enrolment


def _term(day: str = "2026-01-13", **more: Any) -> Personal:
    values: dict[str, Any] = {
        "id": 0,
        "what": Terms.LIMIT,
        "subject": "neutropenia",
        "level": 1,
        "value": Decimal("1.2"),
        "since": date.fromisoformat(day),
        "until": date(2026, 12, 1),
        "by": "Dr A",
        "reason": "Duffy-null",
        "set_at": at(day),
    }
    return Personal(**values | more)


def _set(ward: Clinic, day: str = "2026-01-13", now: datetime | None = None, **more: Any) -> int:
    term = _term(day, **more)
    return set_term(ward.store, ward.settings, "A1", "", term, now or at(day))


def _alert(ward: Clinic, cause: str = "rule:neutropenia") -> Any:
    (row,) = ward.rows(tables.AlertRow, cause=cause)
    return row


def test_a_personal_limit_ends_the_breach_and_the_recheck_but_not_the_alert(ward: Clinic) -> None:
    enrolment = _ward(ward, neutrophils="1.4")
    assert _alert(ward).recovered is False
    _set(ward)
    ward.review(at("2026-01-13", 14))
    row = _alert(ward)
    assert (row.state, row.recovered) == ("open", True)
    assert "Personal limit on neutropenia, level 1: 1.2 until 1 Dec 2026." in row.shown["say"]
    due = {it.cause: it for it in ward.alerts(enrolment)}
    assert "overdue" not in due
    ward.review(at("2026-01-20"), everyone=True)
    assert verify(ward.store, ward.settings, at("2026-01-20")) == []


def test_a_limit_set_on_the_day_of_the_breach_withdraws_nothing(ward: Clinic) -> None:
    _ward(ward, neutrophils="1.4")
    _set(ward, "2026-01-12", now=at("2026-01-12", 15))
    ward.review(at("2026-01-12", 16))
    row = _alert(ward)
    assert (row.state, row.recovered, row.shown["limit"]) == ("open", True, "1.6")
    assert verify(ward.store, ward.settings, at("2026-01-12", 16)) == []


def test_a_limit_set_on_the_day_of_the_breach_makes_it_no_milder(ward: Clinic) -> None:
    _ward(ward, neutrophils="0.9")
    _set(ward, "2026-01-12", now=at("2026-01-12", 15), level=2, value=Decimal("0.8"), second="Dr B")
    ward.review(at("2026-01-12", 16))
    row = _alert(ward)
    assert (row.kind, row.urgency, row.recovered) == ("discontinue", "critical", False)


def test_a_stricter_limit_minds_what_was_collected_on_its_day(ward: Clinic) -> None:
    _ward(ward, lymphocytes="0.55")
    _set(ward, "2026-01-12", now=at("2026-01-12", 15), subject="lymphopenia", value=Decimal("0.6"))
    ward.review(at("2026-01-12", 16))
    assert _alert(ward, "rule:lymphopenia").shown["limit"] == "0.6"


def test_ending_a_stricter_limit_withdraws_nothing_of_that_day(ward: Clinic) -> None:
    _ward(ward)
    number = _set(ward, subject="lymphopenia", value=Decimal("0.6"))
    ward.results("A1", "2026-01-19", CBC | {"lymphocytes": "0.55"})
    ward.review(at("2026-01-19"))
    end_term(ward.store, ward.settings, number, by="Dr A", reason="x", now=at("2026-01-19", 15))
    ward.review(at("2026-01-19", 16))
    row = _alert(ward, "rule:lymphopenia")
    assert (row.state, row.recovered, row.shown["limit"]) == ("open", True, "0.6")


def test_later_values_are_judged_by_it_and_show_it(ward: Clinic) -> None:
    enrolment = _ward(ward)
    _set(ward)
    ward.results("A1", "2026-01-19", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-01-19"))
    assert [it.cause for it in ward.alerts(enrolment) if it.cause.startswith("rule")] == []
    ward.results("A1", "2026-01-26", CBC | {"neutrophils": "1.1"})
    ward.review(at("2026-01-26"))
    shown = _alert(ward).shown
    assert shown["limit"] == "1.2"
    until = "personal limit until 1 Dec 2026, 1.6 10*9/L is the protocol's own"
    assert until in shown["limit_text"]
    assert not any(it.startswith("Personal limit") for it in shown["say"])


def test_when_it_ends_the_protocols_own_returns_and_somebody_is_told(ward: Clinic) -> None:
    _ward(ward)
    _set(ward, until=date(2026, 2, 2))
    ward.results("A1", "2026-01-26", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-01-26"))
    ward.review(at("2026-02-02"))
    (row,) = [it for it in ward.rows(tables.AlertRow) if it.cause.startswith("personal_ended")]
    assert "ended on 2 Feb 2026: the protocol's own applies again" in row.summary
    assert "Latest neutrophils 1.4" in row.shown["say"][0]
    assert "own limit is 1.6 10*9/L." in row.shown["say"][0]
    ward.results("A1", "2026-02-03", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-02-03"))
    assert _alert(ward).shown["limit"] == "1.6"


def test_the_protocols_own_multiple_is_no_number_of_units(ward: Clinic) -> None:
    """Beside `Latest alanine aminotransferase 85 U/L` a limit of 5 would be far exceeded."""
    _ward(ward)
    _set(ward, subject="raised_alt", level=2, value=Decimal(4), until=date(2026, 2, 2))
    ward.review(at("2026-02-02"))
    (row,) = [it for it in ward.rows(tables.AlertRow) if it.cause.startswith("personal_ended")]
    assert row.shown["say"][0].endswith("the protocol's own limit is 5 x ULN.")


def test_a_stop_takes_back_no_limit_that_ended_before_it(ward: Clinic) -> None:
    _ward(ward)
    _set(ward, until=date(2026, 2, 2))
    _set(ward, subject="leucopenia", value=Decimal("3.0"), until=date(2026, 2, 5))
    ward.review(at("2026-02-02"))
    (row,) = [it for it in ward.rows(tables.AlertRow) if it.cause.startswith("personal_ended")]
    ward.event("A1", "2026-02-03", "stop")
    for day in ("2026-02-03", "2026-02-05"):
        ward.review(at(day))
    assert verify(ward.store, ward.settings, at("2026-02-05")) == []
    (now,) = [it for it in ward.rows(tables.AlertRow) if it.cause.startswith("personal_ended")]
    assert (now.id, now.state, now.recovered) == (row.id, "open", True)


NEXT = "2026-03-02"


def _begun_anew(ward: Clinic, tmp_path: Path, day: str = NEXT) -> tuple[int, PeopleReport]:
    """Stopped and enrolled again, as somebody does who changes the protocol."""
    ward.event("A1", day, "stop", enrolment_id=1)
    path = tmp_path / "anew.csv"
    row = "A1,azathioprine,2026-03-03,azathioprine,normal,normal"
    path.write_text(f"mrn,drug,started_on,protocol,tpmt,nudt15\n{row}\n")
    report = arrivals.enrol(ward.store, ward.settings, path, at(day)).report
    return int(ward.rows(tables.EnrolmentRow)[-1].id), report


def _left(ward: Clinic) -> list[Any]:
    return [it for it in ward.rows(tables.AlertRow) if it.cause.startswith("personal_left")]


def test_what_was_set_is_not_dropped_in_silence_with_the_treatment(
    ward: Clinic, tmp_path: Path
) -> None:
    """The protocol's own limits counted again, and nobody had been told: a patient with a low count
    of their own was told to stop, one with a stricter limit was not."""
    _ward(ward)
    _set(ward)
    _set(
        ward,
        what=Terms.INTERVAL,
        subject="cbc",
        level=0,
        value=None,
        phase="weekly",
        every="3 days",
    )
    _, report = _begun_anew(ward, tmp_path)
    (note,) = [it for it in report.notes if "limit keep" in it]
    assert "personal limit on neutropenia, level 1: 1.2 until 2026-12-01" in note
    assert "personal interval of cbc in phase weekly: every 3 days until 2026-12-01" in note
    alerts = _left(ward)
    assert [(it.urgency, it.recovered) for it in alerts] == [("routine", False)] * 2
    assert "was set for the treatment before" in alerts[0].summary
    assert verify(ward.store, ward.settings, at(NEXT)) == []


@pytest.mark.parametrize(("day", "told"), [(NEXT, []), ("2026-03-10", [True])])
def test_what_was_set_is_kept_for_the_next_treatment_by_somebody_who_says_so(
    ward: Clinic, tmp_path: Path, day: str, told: list[bool]
) -> None:
    _ward(ward)
    _set(ward)
    enrolment, _ = _begun_anew(ward, tmp_path)
    more: dict[str, Any] = {"second": "", "now": at(day)}
    with pytest.raises(ActionRefused, match="reason"):
        keep_terms(ward.store, ward.settings, "A1", "", by="Dr B", reason="", **more)
    kept = keep_terms(ward.store, ward.settings, "A1", "", by="Dr B", reason="still so", **more)
    assert [(it.value, it.until, it.by) for it in kept] == [
        (Decimal("1.2"), date(2026, 12, 1), "Dr B")
    ]
    with pytest.raises(ActionRefused, match="nothing was left"):
        keep_terms(ward.store, ward.settings, "A1", "", by="Dr B", reason="still so", **more)
    ward.results("A1", "2026-03-12", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-03-12"))
    assert not [it for it in ward.alerts(enrolment) if it.cause == "rule:neutropenia"]
    assert [it.recovered for it in _left(ward) if it.state != "closed"] == told
    assert verify(ward.store, ward.settings, at("2026-03-12")) == []


def test_what_had_run_out_or_was_ended_is_not_told_of(ward: Clinic, tmp_path: Path) -> None:
    _ward(ward)
    _set(ward, until=date(2026, 2, 2))
    ended = _set(ward, level=2, value=Decimal("0.9"), second="Dr C")
    end_term(ward.store, ward.settings, ended, by="Dr A", reason="better", now=at("2026-02-10"))
    _, report = _begun_anew(ward, tmp_path)
    assert not [it for it in report.notes if "limit keep" in it]
    assert _left(ward) == []
    more: dict[str, Any] = {"second": "", "now": at(NEXT)}
    with pytest.raises(ActionRefused, match="nothing was left"):
        keep_terms(ward.store, ward.settings, "A1", "", by="Dr B", reason="still so", **more)


def test_one_that_is_renewed_in_time_is_told_by_nobody(ward: Clinic) -> None:
    enrolment = _ward(ward)
    _set(ward, until=date(2026, 2, 2))
    _set(ward, "2026-01-30", until=date(2026, 6, 1))
    ward.review(at("2026-02-03"), everyone=True)
    assert not [it for it in ward.alerts(enrolment) if it.cause.startswith("personal_ended")]


def test_an_accepted_baseline_asks_for_no_recheck_until_it_is_worse(ward: Clinic) -> None:
    enrolment = _ward(ward, neutrophils="1.4")
    _set(ward, what=Terms.BASELINE, level=0, value=None, until=date(2026, 3, 1))
    ward.review(at("2026-01-20"))
    overdue = [it for it in ward.alerts(enrolment) if it.cause == "overdue"]
    assert overdue == []
    assert _alert(ward).recovered is False
    ward.results("A1", "2026-01-21", CBC | {"neutrophils": "1.2"})
    ward.review(at("2026-01-29"))
    assert [it.cause for it in ward.alerts(enrolment) if it.cause == "overdue"] == ["overdue"]


@pytest.mark.parametrize(
    ("collected", "received"),
    [
        pytest.param(("2026-01-12", 18), ("2026-01-12", 19), id="later that day"),
        pytest.param(("2026-01-12", 13), ("2026-01-13", 9), id="that morning, and not yet there"),
    ],
)
def test_what_came_after_the_acceptance_is_not_accepted(
    ward: Clinic, collected: tuple[str, int], received: tuple[str, int]
) -> None:
    enrolment = _ward(ward, neutrophils="1.4")
    accepted_at = at("2026-01-12", 14)
    _set(
        ward, "2026-01-12", now=accepted_at, what=Terms.BASELINE, level=0, value=None,
        until=date(2026, 3, 1),
    )  # fmt: skip
    ward.results(
        "A1", collected[0], {"neutrophils": "0.9"}, hour=collected[1], received_at=at(*received)
    )
    ward.review(at("2026-01-15"))
    assert "overdue" in [it.cause for it in ward.alerts(enrolment)]


def test_a_shorter_interval_brings_the_test_forward(ward: Clinic) -> None:
    enrolment = _ward(ward)
    _set(
        ward, what=Terms.INTERVAL, subject="cbc", level=0, value=None, phase="weekly",
        every="3 days",
    )  # fmt: skip
    ward.review(at("2026-01-18"))
    (alert,) = [it for it in ward.alerts(enrolment) if it.cause == "overdue"]
    assert "was due 15 Jan 2026" in alert.summary


@pytest.mark.parametrize(
    ("until", "due_on", "state"),
    [
        (date(2026, 2, 2), "2026-01-24", "overdue"),  # and was so on the day before
        (date(2026, 2, 1), "2026-04-10", "up_to_date"),
    ],
)
def test_an_interval_that_runs_out_forgives_no_test_that_is_overdue(
    ward: Clinic, until: date, due_on: str, state: str
) -> None:
    """Only a completion ends it; afterwards the protocol's own counts."""

    def blood_count(day: str) -> tuple[str, str]:
        rows = status_rows(ward.store, ward.settings, at(day), "A1")
        (row,) = (it for it in rows if it["panel"] == "cbc")
        return row["due_on"], row["state"]

    enrolment = ward.enrol("A1", "2025-10-06")
    ward.results("A1", "2026-01-10", CBC | LFT)
    _set(
        ward, what=Terms.INTERVAL, subject="cbc", level=0, value=None, phase="quarterly",
        every="2 weeks", until=until,
    )  # fmt: skip
    ward.review(at("2026-02-01"))
    ward.review(at("2026-02-02"))
    late = [it for it in ward.alerts(enrolment) if it.cause == "overdue"]
    assert blood_count("2026-02-02") == (due_on, state)
    assert [it.state for it in late] == [AlertState.OPEN] * (state == "overdue")
    ward.results("A1", "2026-02-02", CBC)
    ward.review(at("2026-02-02", 14))
    assert blood_count("2026-02-02") == ("2026-05-02", "up_to_date")
    assert "overdue" not in [it.cause for it in ward.alerts(enrolment) if it.state == "open"]
    assert verify(ward.store, ward.settings, at("2026-02-02", 14)) == []


def test_ending_it_needs_a_name_and_a_reason_and_is_kept(ward: Clinic) -> None:
    _ward(ward)
    number = _set(ward)
    with pytest.raises(ActionRefused, match="a name and a reason"):
        end_term(ward.store, ward.settings, number, by="", reason="", now=at("2026-01-14"))
    end_term(ward.store, ward.settings, number, by="Dr B", reason="wrong", now=at("2026-01-14"))
    (row,) = terms(ward.store, ward.settings, "A1", at("2026-01-14"))
    assert (row["state"], row["until"], row["protocol"]) == ("ended", "2026-01-14", "1.6")
    (before,) = terms(ward.store, ward.settings, "A1", at("2026-01-13", 15))
    assert before["state"] == "in force"
    with pytest.raises(ActionRefused, match="ended already"):
        end_term(ward.store, ward.settings, number, by="Dr B", reason="x", now=at("2026-01-15"))


REFUSALS = {
    "another unit": ({"value": Decimal(1200)}, "above anything plausible for neutrophils"),
    "past the floor": ({"value": Decimal("0.4")}, "past the floor of neutropenia, 0.5"),
    "no floor": ({"subject": "lymphopenia", "value": Decimal("0.4")}, "names no floor"),
    "no second person": ({"level": 2, "value": Decimal("0.8")}, "a second person has to agree"),
    "the second is the first": (
        {"level": 2, "value": Decimal("0.8"), "second": "dr  a"}, "another has to agree"),
    "past its neighbour": ({"value": Decimal("0.9")}, "the second must be the more severe"),
    "no reason": ({"reason": " "}, "it needs a reason"),
    "nobody": ({"by": ""}, "say who"),
    "too long": ({"until": date(2027, 1, 14)}, "ends between tomorrow and 2027-01-13"),
    "over already": ({"until": date(2026, 1, 13)}, "ends between tomorrow"),
    "an unknown rule": ({"subject": "neutropaenia"}, 'did you mean "neutropenia"'),
    "an unknown level": ({"level": 4}, "levels 1 to 3"),
    "nothing new": ({"value": Decimal("1.6")}, "the protocol's own limit"),
    "a trend": ({"subject": "falling_neutrophils"}, "no number that could be moved"),
    "a longer interval": (
        {"what": Terms.INTERVAL, "subject": "cbc", "phase": "quarterly", "every": "6 months"},
        "may only be made shorter"),
    "within its grace": (
        {"what": Terms.INTERVAL, "subject": "cbc", "phase": "quarterly", "every": "3 days"},
        "longer than its grace"),
    "an unknown phase": (
        {"what": Terms.INTERVAL, "subject": "cbc", "phase": "monthly", "every": "3 days"},
        "no phase monthly"),
    "nothing to accept": ({"what": Terms.BASELINE}, "does not speak"),
}  # fmt: skip


@pytest.mark.parametrize(("values", "words"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_is_refused_says_what_would_be_taken(
    ward: Clinic, values: dict[str, Any], words: str
) -> None:
    _ward(ward)
    with pytest.raises(ActionRefused, match=words):
        _set(ward, **values)
    assert ward.rows(tables.PersonalRow) == []


def test_a_stricter_limit_needs_no_floor(ward: Clinic) -> None:
    _ward(ward)
    _set(ward, subject="lymphopenia", value=Decimal("0.8"))
    ward.results("A1", "2026-01-19", CBC | {"lymphocytes": "0.7"})
    ward.review(at("2026-01-19"))
    assert _alert(ward, "rule:lymphopenia").shown["limit"] == "0.8"


def test_a_limit_met_before_the_start_is_offered_as_a_personal_one(ward: Clinic) -> None:
    enrolment = ward.enrol("A1", now=at(START), tpmt="normal", nudt15="normal")
    for day in ("2025-12-15", "2025-12-29"):
        ward.results("A1", day, CBC | LFT | {"neutrophils": "1.4"}, received_at=at(START))
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "1.4"})
    ward.review(at("2026-01-12"))
    assert [it.state for it in ward.alerts(enrolment) if it.cause == "rule:neutropenia"] == [
        AlertState.OPEN
    ]
    assert any("a personal limit can be set" in line for line in _alert(ward).shown["say"])
    assert whats(ward.rows(tables.AlertHistory))[0] == "opened"
