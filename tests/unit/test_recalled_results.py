"""A review reads what came since the last one, and everything where that may say less."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from monitor.operations import arrivals
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.readings import Reading, Readings
from monitor.store.tables import table_of
from tests.clinic import CBC, LFT, Clinic, at

REVIEWED = at("2026-01-13")
LATER = at("2026-01-20")

Send = Callable[..., arrivals.Loaded]


@pytest.fixture
def send(ward: Clinic) -> Send:
    """Load a file with results of A1 and review whom it touched."""

    def load(*rows: str, now: datetime = LATER) -> arrivals.Loaded:
        file = ward.settings.intake.inbox.parent / f"rows{len(ward.rows(tables.File))}.csv"
        lines = ["mrn,collected_at,analyte,value,unit,status", *(f"A1,{row}" for row in rows)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return arrivals.load(ward.store, ward.settings, file, "", now)

    return load


@pytest.fixture
def known(ward: Clinic) -> int:
    """An enrolment that was reviewed with what was known of it; nothing of it is unusual."""
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | LFT | {"platelets": "250"})
    ward.review(REVIEWED)
    return enrolment


def behind_its_back(ward: Clinic, analyte: str, value: str) -> None:
    """Its newest result reads otherwise now: whoever reads it sees it, and whoever recalls the
    results does not."""
    newest = ward.rows(tables.ResultRow, analyte=analyte)[-1]
    ward.set(tables.ResultRow, newest.id, value=Decimal(value))


def kinds(ward: Clinic, enrolment: int) -> list[str]:
    return [it.kind.value for it in ward.alerts(enrolment) if it.state.value != "closed"]


def test_of_what_was_known_nothing_is_read_again(ward: Clinic, known: int, send: Send) -> None:
    behind_its_back(ward, "neutrophils", "0.4")
    assert send("2026-01-19T09:00,platelets,240,10*9/L,").report.stored == 1
    assert kinds(ward, known) == []


def test_time_that_passes_reads_no_results(ward: Clinic, known: int) -> None:
    behind_its_back(ward, "neutrophils", "0.4")
    ward.review(at("2026-02-20"))
    assert "overdue_test" in kinds(ward, known)
    assert "discontinue" not in kinds(ward, known)


def test_a_review_of_everyone_reads_everything(ward: Clinic, known: int) -> None:
    behind_its_back(ward, "neutrophils", "0.4")
    ward.review(LATER, everyone=True)
    assert "discontinue" in kinds(ward, known)


@pytest.mark.parametrize("count", ["139", "140"])
def test_a_new_value_is_judged(ward: Clinic, known: int, send: Send, count: str) -> None:
    send(f"2026-01-19T09:00,platelets,{count},10*9/L,")
    assert ("withhold" in kinds(ward, known)) is (count == "139")
    assert verify(ward.store, ward.settings, LATER) == []


def test_falls_in_a_row_go_on_from_what_was_known(ward: Clinic, send: Send) -> None:
    enrolment = ward.enrol("A1")
    for day, count in (("2026-01-10", "3.2"), ("2026-01-11", "2.8"), ("2026-01-12", "2.5")):
        ward.results("A1", day, CBC | LFT | {"neutrophils": count})
    ward.review(REVIEWED)
    assert kinds(ward, enrolment) == []
    send("2026-01-19T09:00,neutrophils,2.2,10*9/L,")
    assert "falling_neutrophils" in [
        it.cause.removeprefix("rule:") for it in ward.alerts(enrolment)
    ]
    assert verify(ward.store, ward.settings, LATER) == []


def test_a_correction_of_what_was_known_is_seen(ward: Clinic, known: int, send: Send) -> None:
    loaded = send("2026-01-12T09:00,neutrophils,0.9,10*9/L,corrected")
    assert loaded.report.superseded == 1
    assert "discontinue" in kinds(ward, known)
    assert verify(ward.store, ward.settings, LATER) == []
    back = at("2026-01-20", 13)
    send("2026-01-12T09:00,neutrophils,3.9,10*9/L,corrected", now=back)
    assert kinds(ward, known) == []
    assert verify(ward.store, ward.settings, back) == []


def test_a_withdrawal_makes_a_test_owed_again(ward: Clinic, known: int, send: Send) -> None:
    """The days on which a panel was complete are remembered too."""
    rows = [f"2026-01-19T09:00,{name},{value},," for name, value in CBC.items()]
    send(*rows)
    due = ward.next_review(known)
    back = at("2026-01-20", 13)
    send("2026-01-19T09:00,platelets,,,withdrawn", now=back)
    assert ward.next_review(known) != due
    assert verify(ward.store, ward.settings, back) == []


def test_what_comes_late_is_read_with_everything(ward: Clinic, known: int, send: Send) -> None:
    behind_its_back(ward, "neutrophils", "0.4")
    send("2026-01-11T09:00,neutrophils,3.0,10*9/L,")
    assert "discontinue" in kinds(ward, known)


def test_a_row_below_the_last_that_was_seen_is_found(ward: Clinic, known: int, send: Send) -> None:
    """Another writer had its number before the review, and committed after it."""
    results = table_of(tables.ResultRow)
    seen = [row.id for row in ward.rows(tables.ResultRow)]
    with ward.store.write() as connection:
        row = dict(
            connection.execute(select(results).where(results.c.id == seen[-1])).one()._mapping
        )
        (low,) = Readings(connection).numbers([Reading(Decimal("0.4"))])
        row |= {"id": min(seen) - 1, "analyte": "neutrophils", "reading_id": low}
        connection.execute(insert(results).values(row))
    send("2026-01-19T09:00,platelets,240,10*9/L,")
    assert "discontinue" in kinds(ward, known)


def test_what_no_rule_asks_for_is_seen(ward: Clinic, known: int, send: Send) -> None:
    """A weight: what the dose is judged by, old ones and new."""
    send("2026-01-19T09:00,weight,68,kg,")
    assert kinds(ward, known) == []
    later = at("2026-01-21")
    send("2026-01-21T09:00,weight,20,kg,", now=later)
    assert kinds(ward, known) == ["dose_check"]
    assert verify(ward.store, ward.settings, later) == []
