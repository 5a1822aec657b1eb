"""A country whose past came in one file: PostgreSQL, which plans by how values are spread, still
finds what came in since without going through all results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from monitor.intake.results import Bucket, ResultWriter
from monitor.operations.digest_facts import came_in_since
from monitor.operations.feeds import watch
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import CBC, Clinic, at
from tests.statements import planned

NOW = at("2026-01-12")
PAST = 100_000
"""Results: enough that reading them all is not the cheapest for a few."""

pytestmark = pytest.mark.postgresql_only


@contextmanager
def whole_reads(store: Store) -> Iterator[set[str]]:
    """The statements that read the table of results from end to end, by the server's plans."""
    found: set[str] = set()

    def look(cursor: Any, statement: str, parameters: Any) -> None:
        plan = cursor.execute(f"EXPLAIN {statement}", parameters).fetchall()
        if any("Seq Scan on results" in row[0] for row in plan):
            found.add(" ".join(statement.split()))

    with planned(store, look):
        yield found


@pytest.fixture
def country(ward: Clinic) -> Clinic:
    """All of the past came in the file of the first patient; today's is the second's."""
    for number in range(2):
        ward.enrol(f"P{number}", now=at("2026-01-05"), baseline=False)
    ward.results("P0", "2025-06-12", CBC)
    ward.set(tables.File, ward.file_id, received_at=NOW - timedelta(days=200))
    names = "patient_id, analyte, collected_at, timed, specimen_id, stands, received_at"
    names += ", comment, doubtful_comment, line, issuer, taken_back, reading_id, file_id"
    with ward.store.write() as connection:
        connection.execute(
            text(
                f"INSERT INTO results ({names}, collected_on) SELECT {names}, collected_on - n "
                "FROM (SELECT * FROM results ORDER BY id LIMIT 1) AS first, "
                f"generate_series(1, {PAST}) AS n"
            )
        )
        connection.execute(text("ANALYZE"))
    todays = Clinic(ward.store, ward.settings)
    todays.results("P1", "2026-01-12", CBC)
    todays.set(tables.File, todays.file_id, received_at=NOW - timedelta(hours=1))
    return ward


def test_what_came_in_since_yesterday_is_counted_without_the_past(country: Clinic) -> None:
    with whole_reads(country.store) as found, country.store.read() as connection:
        came = came_in_since(connection, NOW - timedelta(days=1), NOW)
    assert (came.files, came.patients) == (1, 1)
    assert found == set()


def test_the_watch_over_feeds_does_not_go_through_the_past(country: Clinic) -> None:
    with whole_reads(country.store) as found:
        watch(country.store, country.settings, NOW)
    assert found == set()


def test_a_days_results_are_looked_for_without_the_past(country: Clinic) -> None:
    days = [NOW.date() - timedelta(days=it) for it in range(500)]
    with whole_reads(country.store) as found, country.store.write() as connection:
        patient = connection.scalars(select(func.max(table_of(tables.Patient).c.id))).one()
        asked = [Bucket(patient, analyte, day) for analyte in CBC for day in days]
        filled = ResultWriter(connection, NOW).filled(asked)
    assert filled == {Bucket(patient, analyte, NOW.date()) for analyte in CBC}
    assert found == set()


def test_a_table_that_is_read_whole_is_found(country: Clinic) -> None:
    with whole_reads(country.store) as found, country.store.read() as connection:
        connection.execute(text("SELECT count(*) FROM results WHERE line = -1"))
    assert len(found) == 1
