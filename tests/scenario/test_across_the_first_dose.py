"""An episode that began before the first dose and goes on under the drug."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.operations import people
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from tests.clinic import CBC, Clinic, at, settings_in

ENROLLED = at("2026-01-02")
LOW, STILL_LOW = {"neutrophils": "1.3"}, {"neutrophils": "1.4"}


@pytest.fixture
def ward(store: Store, tmp_path: Path) -> Clinic:
    """A patient who begins on 5 January with low neutrophils three days before."""
    ward = Clinic(store, settings_in(tmp_path))
    ward.enrol("A1", now=ENROLLED)
    ward.results("A1", "2026-01-02", CBC | LOW)
    ward.review(ENROLLED)
    return ward


def told(ward: Clinic, now: datetime) -> list[str]:
    known = len(ward.rows(tables.Delivery))
    ward.review(now)
    new = {it.id for it in ward.rows(tables.Delivery)[known:]}
    return [it.reason for it in ward.rows(tables.DeliveryAlert) if it.delivery_id in new]


@pytest.mark.parametrize("do", ["nothing", "acknowledge", "close"])
def test_a_breach_under_the_drug_asks_for_what_its_level_asks_for(ward: Clinic, do: str) -> None:
    (alert,) = [it for it in ward.rows(tables.AlertRow) if it.rule == "neutropenia"]
    assert alert.kind == "review"
    how: dict[str, dict[str, Any]] = {
        "acknowledge": {"until": date(2026, 1, 20)},
        "close": {"outcome": "seen", "review_by": date(2026, 1, 20)},
    }
    if do != "nothing":
        act = getattr(people, do)
        act(ward.store, ward.settings, alert.id, by="Jo", now=ENROLLED, **how[do])
    ward.results("A1", "2026-01-12", CBC | STILL_LOW)
    now = at("2026-01-12")
    assert "the protocol now asks for: withhold" in told(ward, now)
    (alert,) = ward.rows(tables.AlertRow, id=alert.id)
    assert (alert.kind, alert.urgency, alert.state) == ("withhold", "urgent", "open")
    assert alert.asked_at == now
    assert verify(ward.store, ward.settings, now) == []
    assert told(ward, now) == []


def test_an_episode_that_was_over_by_then_stays_a_review(ward: Clinic) -> None:
    ward.results("A1", "2026-01-12", CBC)
    assert not any("asks for" in it for it in told(ward, at("2026-01-12")))
    (alert,) = [it for it in ward.rows(tables.AlertRow) if it.rule == "neutropenia"]
    assert (alert.kind, alert.recovered) == ("review", True)
