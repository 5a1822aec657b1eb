"""After a large file PostgreSQL knows at once what it plans by, which it finds out by itself only
later, or never."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.review import review_due
from monitor.store.database import Store, open_store
from tests.clinic import Clinic, at, settings_in

_ROWS = text(
    "INSERT INTO results (patient_id, analyte, collected_at, collected_on, timed, specimen_id, "
    "reading_id, stands, comment, doubtful_comment, file_id, line) SELECT number % :patients, "
    "'alt', now(), '2026-01-05', true, '', 1, true, '', '', 1, number "
    "FROM generate_series(1, 5000) AS number"
)
_KNOWN = text(
    "SELECT n_distinct FROM pg_stats "
    "WHERE schemaname = current_schema() AND tablename = 'results' AND attname = 'patient_id'"
)


def _fill(store: Store, patients: int) -> None:
    with store.write() as connection:
        connection.execute(_ROWS, {"patients": patients})


def _known_patients(store: Store) -> object:
    with store.read() as connection:
        return connection.scalar(_KNOWN)


@pytest.mark.postgresql_only
def test_a_review_is_planned_by_what_a_large_file_brought(empty_url: str, tmp_path: Path) -> None:
    store = open_store(empty_url)
    store.migrate()
    ward = Clinic(store, settings_in(tmp_path))
    ward.enrol("P1", now=at("2026-01-05"))
    assert _known_patients(store) is None
    _fill(store, 10)
    review_due(store, ward.settings, at("2026-01-05"))
    assert _known_patients(store) == 10
    _fill(store, 20)
    review_due(store, ward.settings, at("2026-01-06"), everyone=True)
    assert _known_patients(store) == 10, "not as long as it has hardly grown"
    for _ in range(3):
        _fill(store, 20)
    review_due(store, ward.settings, at("2026-01-06"), everyone=True)
    assert _known_patients(store) == 20
    store.dispose()
