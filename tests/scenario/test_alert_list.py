"""The alerts as programs read them, now and at an instant that is past."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.operations import alert_list
from monitor.operations.alert_list import alert_rows, alerts_at, placed_rows
from monitor.operations.people import acknowledge, close
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at
from tests.statements import asked

LIVE = ("open", "acknowledged")
ALL = (*LIVE, "closed")
KEYS = (
    "id mrn drug kind rule urgency state recovered opened_at panel due_on days_overdue panels "
    "analyte value comparator unit collected_at latest_value latest_collected_at limit summary "
    "source"
).split()


def _low(ward: Clinic, mrn: str, neutrophils: str, day: str = "2026-01-12") -> None:
    ward.enrol(mrn, now=at("2026-01-05"))
    ward.results(mrn, "2026-01-05", CBC | LFT)
    ward.results(mrn, day, CBC | {"neutrophils": neutrophils})


def test_a_threshold_alert_has_all_keys_with_numbers_as_numbers(ward: Clinic) -> None:
    _low(ward, "A1", "1.2")
    ward.review(at("2026-01-12"))
    (row,) = alert_rows(ward.store, ward.settings, LIVE, at("2026-01-12"))
    assert list(row) == KEYS
    assert (row["mrn"], row["kind"], row["rule"]) == ("A1", "withhold", "neutropenia")
    assert (row["value"], row["comparator"], row["limit"]) == (1.2, None, 1.6)
    assert (row["unit"], row["analyte"]) == ("10*9/L", "neutrophils")
    assert row["collected_at"] == "2026-01-12T09:00:00+01:00"
    assert row["opened_at"] == "2026-01-12T12:00:00+01:00"
    assert (row["panel"], row["due_on"], row["panels"]) == (None, None, None)


def test_a_value_with_a_comparator_has_it_beside_the_number(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-12", {"neutrophils": "1.2"}, comparator="<")
    ward.review(at("2026-01-12"))
    (row,) = [
        it
        for it in alert_rows(ward.store, ward.settings, LIVE, at("2026-01-12"))
        if it["rule"] == "neutropenia"
    ]
    assert (row["value"], row["comparator"]) == (1.2, "<")


def test_an_overdue_alert_counts_its_days_on_the_day_it_is_read(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.review(at("2026-01-15"))
    (row,) = alert_rows(ward.store, ward.settings, LIVE, at("2026-01-17"))
    assert (row["kind"], row["panel"], row["panels"]) == ("overdue_test", "cbc", ["cbc"])
    assert (row["due_on"], row["days_overdue"]) == ("2026-01-12", 5)
    assert (row["value"], row["analyte"], row["rule"]) == (None, None, None)


def test_worst_first_then_those_going_on_then_the_oldest(ward: Clinic) -> None:
    _low(ward, "urgent", "1.2")
    _low(ward, "critical", "0.4")
    _low(ward, "recovered", "1.1")
    ward.review(at("2026-01-12"))
    ward.results("recovered", "2026-01-13", CBC)
    _low(ward, "younger", "1.3")
    ward.review(at("2026-01-13"))
    rows = alert_rows(ward.store, ward.settings, ALL, at("2026-01-13"))
    assert [row["mrn"] for row in rows] == ["critical", "urgent", "younger", "recovered"]
    assert rows[-1]["recovered"] is True


def test_only_the_states_asked_for(ward: Clinic) -> None:
    _low(ward, "A1", "1.2")
    _low(ward, "B2", "1.2")
    ward.review(at("2026-01-12"))
    acknowledge(ward.store, ward.settings, 1, by="Ada", now=at("2026-01-12"))
    states = [("open",), ("acknowledged",), ("closed",), LIVE]
    found = [
        [row["id"] for row in alert_rows(ward.store, ward.settings, it, at("2026-01-12"))]
        for it in states
    ]
    assert found == [[2], [1], [], [1, 2]]


def test_those_that_live_are_the_same_without_reading_the_closed(ward: Clinic) -> None:
    """At every instant: of an alert that was closed since, and of one that is open again."""
    for mrn in ("A1", "B1", "C1"):
        _low(ward, mrn, "1.2")
    ward.review(at("2026-01-12"))
    first, second, third = (it.id for it in ward.rows(tables.AlertRow) if it.rule == "neutropenia")
    for alert, day in ((first, "2026-01-14"), (second, "2026-01-15")):
        close(ward.store, ward.settings, alert, by="Dr A", outcome="held",
              review_by=date(2026, 1, 18), now=at(day))  # fmt: skip
    ward.review(at("2026-01-18"))
    close(ward.store, ward.settings, second, by="Dr A", outcome="held",
          review_by=date(2026, 1, 28), now=at("2026-01-19"))  # fmt: skip
    seen = set()
    for number in range(12, 22):
        now = at(f"2026-01-{number}", 13)
        with ward.store.read() as connection:
            everything = {it.row.id: it.state for it in alerts_at(connection, ward.settings, now)}
            live = {
                it.row.id: it.state for it in alerts_at(connection, ward.settings, now, live=True)
            }
        assert {key: it for key, it in live.items() if it in LIVE} == {
            key: it for key, it in everything.items() if it in LIVE
        }
        seen.add(everything[second])
        seen.add(everything[first])
    assert seen == {"open", "closed"}
    assert third in live


def test_the_past_shows_what_was_known_and_done_then(ward: Clinic) -> None:
    _low(ward, "A1", "1.2")
    ward.review(at("2026-01-12"))
    until = date(2026, 1, 19)
    acknowledge(ward.store, ward.settings, 1, by="Ada", until=until, now=at("2026-01-12", 15))
    ward.results("A1", "2026-01-14", CBC | {"neutrophils": "0.8"})
    ward.review(at("2026-01-14"))
    ward.results("A1", "2026-01-16", CBC)
    ward.review(at("2026-01-16"))

    def then(day: str, hour: int = 12) -> list[tuple[object, ...]]:
        keys = ("state", "urgency", "value", "latest_value", "recovered")
        rows = alert_rows(ward.store, ward.settings, ALL, at(day, hour))
        return [tuple(row[key] for key in keys) for row in rows]

    assert then("2026-01-11") == []
    assert then("2026-01-12") == [("open", "urgent", 1.2, 1.2, False)]
    assert then("2026-01-12", 16) == [("acknowledged", "urgent", 1.2, 1.2, False)]
    assert then("2026-01-14", 13) == [("open", "critical", 0.8, 0.8, False)]
    assert then("2026-01-16") == [("open", "critical", 0.8, 4, True)]


def test_the_rows_of_all_alerts_are_found_piece_by_piece(
    ward: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years of alerts, of which each shows some KiB, need not be in memory to be listed."""
    monkeypatch.setattr(alert_list, "AT_A_TIME", 2)
    now = at("2026-01-12")
    for mrn in ("A1", "A2", "A3", "A4", "A5"):
        ward.enrol(mrn, now=at("2026-01-05"))
        ward.results(mrn, "2026-01-12", CBC | {"lymphocytes": "0.4"})
    ward.review(now)
    with asked(ward.store) as statements:
        rows = placed_rows(ward.store, ward.settings, ALL, now)
        first = next(rows)
        so_far = len(statements)
        found = [first, *rows]
    assert so_far < len(statements)
    assert [row for _, row in sorted(found)] == alert_rows(ward.store, ward.settings, ALL, now)
    assert len(found) == 5
