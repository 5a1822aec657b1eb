"""What stands beside an alert stays true while it waits: the last dose, what it is taken with,
where the enrolment stands, the last values. A mail to the next tier says them as they are then.
"""

from __future__ import annotations

from typing import Any

import pytest

from monitor.operations.verify import verify
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at, whats

DOSE = {"mg_per_day": "100", "on": "2026-01-05"}


@pytest.fixture
def low(ward: Clinic) -> Clinic:
    """A patient with neutrophils of 1.2 since the 12th."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-08", CBC)
    ward.review(at("2026-01-08"))
    ward.results("A1", "2026-01-12", CBC | {"neutrophils": "1.2"})
    assert ward.review(at("2026-01-12")).opened == 1
    return ward


def shown(ward: Clinic) -> dict[str, Any]:
    (row,) = ward.rows(tables.AlertRow)
    return dict(row.shown)


def looked_again(ward: Clinic) -> dict[str, Any]:
    """What the alert shows after a review in which nothing is told and nothing changes."""
    tally = ward.review(at("2026-01-12", 13))
    assert (tally.reviewed, tally.opened, tally.updated, tally.messages) == (1, 0, 0, 0)
    assert whats(ward.rows(tables.AlertHistory)) == ["opened"]
    assert verify(ward.store, ward.settings, at("2026-01-12", 13)) == []
    return shown(ward)


def test_the_last_dose_is_that_of_now(low: Clinic) -> None:
    assert shown(low)["dose"] == DOSE
    low.event("A1", "2026-01-12", "dose", "50", received_at=at("2026-01-12", 13))
    assert looked_again(low)["dose"] == {"mg_per_day": "50", "on": "2026-01-12"}


def test_a_warfarin_that_is_begun_meanwhile_stands_beside_it(low: Clinic) -> None:
    """The interaction is an alert of its own; this one asks for the INR from now on, too."""
    assert not shown(low)["warfarin"]
    low.event("A1", "2026-01-12", "comedication_start", "warfarin",
              received_at=at("2026-01-12", 13))  # fmt: skip
    low.review(at("2026-01-12", 13))
    row = low.rows(tables.AlertRow)[0]
    assert row.rule == "neutropenia"
    assert row.shown["warfarin"]


def test_where_the_enrolment_stands_is_that_of_now(low: Clinic) -> None:
    low.event("A1", "2026-01-12", "monitored_elsewhere", "2026-02-12",
              received_at=at("2026-01-12", 13))  # fmt: skip
    low.review(at("2026-01-12", 13))
    assert low.rows(tables.AlertRow)[0].shown["enrolment_state"] == "elsewhere"


def test_a_value_that_was_taken_back_stands_in_no_table(low: Clinic) -> None:
    """It is neither the worst nor the latest: what the alert says is the same without it."""
    low.supersede("A1", "neutrophils", "2026-01-08")
    low.results("A1", "2026-01-08", {"neutrophils": "3.2"}, status="corrected",
                received_at=at("2026-01-12", 13))  # fmt: skip
    values = [point["value"] for point in looked_again(low)["series"]]
    assert values[-2:] == ["3.2", "1.2"]


def test_a_preliminary_value_joins_the_table(low: Clinic) -> None:
    low.results("A1", "2026-01-12", {"neutrophils": "3.9"}, hour=12, status="preliminary",
                received_at=at("2026-01-12", 13))  # fmt: skip
    assert looked_again(low)["series"][-1]["status"] == "preliminary"
