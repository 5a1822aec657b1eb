"""Why an alert, or why none: nothing of the answer is left out."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from monitor.core.actions import ActionRefused
from monitor.operations.explain import explain_alert, explain_patient, in_words
from monitor.operations.people import acknowledge
from tests.clinic import CBC, LFT, Clinic, at

NOW = at("2026-01-12")


def _low(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results(
        "A1", "2026-01-12", {"neutrophils": "1.2"}, received_value="1200", received_unit="/uL"
    )
    ward.review(NOW)


def _rule(told: dict[str, Any], rule: str) -> dict[str, Any]:
    rules = told["enrolments"][0]["rules"]
    return next(it for it in rules if it["rule"] == rule)


def test_an_alert_tells_all_it_was_made_of(ward: Clinic) -> None:
    _low(ward)
    acknowledge(ward.store, ward.settings, 1, by="Ada", now=NOW)
    told = explain_alert(ward.store, ward.settings, 1, NOW)
    assert told["alert"]["rule"] == "neutropenia"
    assert told["limit"] == "1.6 10*9/L"
    assert "BSR 2017" in told["alert"]["source"]
    assert told["protocol"]["digest"]
    assert told["values"][-1]["value"] == 1.2
    assert told["dose"]["mg_per_day"] == 100
    assert [entry["what"] for entry in told["history"]] == ["opened", "acknowledged"]
    text = "\n".join(in_words(told))
    assert "received 1200 /uL = 1.2 10*9/L" in text
    assert "below 1.6 10*9/L: withhold, urgent" in text
    assert "acknowledged by Ada" in text
    json.dumps(told)


def test_an_alert_is_explained_as_it_stood(ward: Clinic) -> None:
    _low(ward)
    ward.results("A1", "2026-01-14", CBC | {"neutrophils": "0.7"})
    ward.review(at("2026-01-14"))
    told = explain_alert(ward.store, ward.settings, 1, NOW)
    assert (told["alert"]["urgency"], told["alert"]["value"]) == ("urgent", 1.2)
    assert len(told["arithmetic"]) == 1


def test_an_alert_that_is_not_there_is_said(ward: Clinic) -> None:
    _low(ward)
    with pytest.raises(ActionRefused, match="no alert 7"):
        explain_alert(ward.store, ward.settings, 7, NOW)
    with pytest.raises(ActionRefused, match="no alert 1"):
        explain_alert(ward.store, ward.settings, 1, at("2026-01-11"))


def test_a_patient_tells_of_every_rule_and_panel_why(ward: Clinic) -> None:
    _low(ward)
    told = explain_patient(ward.store, ward.settings, "a1", date(2026, 1, 12), at("2026-01-20"))
    assert _rule(told, "neutropenia")["outcome"] == "spoke"
    quiet = _rule(told, "thrombocytopenia")
    assert quiet["outcome"] == "quiet"
    assert quiet["why"] == ("the latest, 250 10*9/L on 5 Jan 2026, is not below 140 10*9/L",)
    assert _rule(told, "low_albumin")["why"] == ("no result of albumin is known",)
    panels = {it["panel"]: it for it in told["enrolments"][0]["panels"]}
    assert set(panels) == {"cbc", "lft"}
    assert panels["cbc"]["why"][0] == "last completed on 5 Jan 2026"
    assert any("no hemoglobin" in line for line in panels["cbc"]["why"])
    text = "\n".join(in_words(told))
    assert "Rule neutropenia: spoke" in text
    assert "Panel cbc: quiet" in text
    json.dumps(told)


def test_what_could_not_be_judged_never_reads_as_quiet(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"creatinine": "80"}, comparator=">")
    told = explain_patient(ward.store, ward.settings, "A1", date(2026, 1, 12), NOW)
    reason = _rule(told, "rising_creatinine")
    assert reason["outcome"] == "could not be judged"
    assert "baseline" in reason["why"][0]


def test_a_row_in_quarantine_is_never_read_as_quiet(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.hold_row("A1", "2026-01-12", "lymphocytes", "0,4*")
    told = explain_patient(ward.store, ward.settings, "A1", date(2026, 1, 12), NOW)
    reason = _rule(told, "lymphopenia")
    assert reason["outcome"] == "could not be judged"
    assert "row 1, 0,4* G/L (not a number)" in reason["why"][-1]


def test_history_before_the_enrolment_and_unconfirmed_breaches_say_why_they_are_quiet(
    ward: Clinic,
) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2025-12-01", {"neutrophils": "1.2"})
    ward.results("A1", "2025-12-15", {"neutrophils": "2.2"})
    ward.results("A1", "2026-01-05", CBC | LFT | {"mcv": "108"})
    told = explain_patient(ward.store, ward.settings, "A1", date(2026, 1, 6), NOW)
    assert "history" in _rule(told, "neutropenia")["why"][0]
    assert "breach 2 in a row" in _rule(told, "macrocytosis")["why"][0]


def test_a_day_without_the_day_means_now_and_strangers_are_said(ward: Clinic) -> None:
    _low(ward)
    told = explain_patient(ward.store, ward.settings, "A1", None, NOW)
    assert told["at"] == "2026-01-12T12:00:00+01:00"
    with pytest.raises(ActionRefused, match="nobody is enrolled"):
        explain_patient(ward.store, ward.settings, "Z9", None, NOW)


def test_a_repeat_is_asked_for_until_its_day_and_then_now(ward: Clinic) -> None:
    _low(ward)
    for day, says in (
        ("2026-01-19", "Repeat the test by 19 Jan 2026 at the latest."),
        ("2026-01-20", "The test was to be repeated by 19 Jan 2026 at the latest: test now."),
    ):
        ward.review(at(day))
        assert says in explain_alert(ward.store, ward.settings, 1, at(day))["say"]
