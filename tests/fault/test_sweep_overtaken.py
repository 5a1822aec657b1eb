"""A long review of everyone is overtaken: lab files come in and days begin while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.operations.verify import verify
from monitor.review import Tally, due
from monitor.store import tables
from monitor.store.facts import bring_to
from tests.clinic import CBC, Clinic, at

NIGHT = at("2026-01-10", 3)


@pytest.fixture(autouse=True)
def _one_enrolment_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "WITH_ALL_READ", 1)


def sweep(ward: Clinic, now: datetime, between: Callable[[], object]) -> Tally:
    """Review everyone; something else happens after the first of them."""
    return ward.review(
        now, everyone=True, progress=lambda done, _total: between() if done == 1 else None
    )


def load(ward: Clinic, now: datetime) -> None:
    """A critical count of A2 comes in, and is not yet reviewed."""
    ward.results("A2", "2026-01-09", CBC | {"neutrophils": "0.4"}, received_at=now)
    with ward.store.write() as connection:
        bring_to(connection, now)


def test_what_comes_in_meanwhile_is_judged_and_no_cause_for_alarm(ward: Clinic) -> None:
    for mrn in ("A1", "A2"):
        ward.enrol(mrn)
    ward.review(NIGHT)
    tally = sweep(ward, NIGHT, lambda: load(ward, NIGHT + timedelta(minutes=10)))
    assert (tally.reviewed, tally.unexpected) == (2, [])
    assert [row.urgency for row in ward.rows(tables.AlertRow)] == ["critical"]
    assert [row.kind for row in ward.rows(tables.Delivery)] == ["alert"]
    assert verify(ward.store, ward.settings, NIGHT + timedelta(minutes=10)) == []


def test_a_day_that_has_begun_meanwhile_is_not_taken_back(ward: Clinic) -> None:
    for mrn in ("A1", "A2"):
        ward.enrol(mrn)
    before = at("2026-01-14", 23) + timedelta(minutes=58)
    after = before + timedelta(minutes=3)
    ward.review(before)
    sweep(ward, before, lambda: ward.review(after))
    alerts = ward.rows(tables.AlertRow)
    assert [(row.kind, row.state) for row in alerts] == [("overdue_test", "open")] * 2
    assert verify(ward.store, ward.settings, after) == []
