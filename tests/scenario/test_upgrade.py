"""A database of the first revision, with patients, results, alerts and what people did, is brought
up to date on either database, and nothing of it is lost.

`data/upgrade/revision_0001.sql` is what the program of that revision left behind: two patients,
one with a critical count, a corrected result, a hold, an acknowledgement that ran out, two overdue
tests, a row in quarantine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from monitor.config import Settings
from monitor.operations.alert_list import alert_rows
from monitor.operations.backup import restore
from monitor.operations.verify import verify
from monitor.review import review_due
from monitor.store.database import Store, open_store
from monitor.store.readings import whole_results
from monitor.store.revisions import alembic_config
from tests.clinic import at, settings_in

DUMP = Path(__file__).parents[1] / "data" / "upgrade" / "revision_0001.sql"
NOW = at("2026-01-27", 9)
_SAID = (
    "value", "comparator", "no_result", "status", "received_value", "received_unit", "ref_low",
    "ref_high",
)  # fmt: skip
_WHEN = ("collected_at", "collected_on", "reported_at", "received_at")


@pytest.fixture(scope="module")
def old_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the first revision, as a SQLite file."""
    path = tmp_path_factory.mktemp("old") / "monitor.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(DUMP.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def old(empty_url: str, old_file: Path) -> Iterator[Store]:
    """The same on each database, not yet brought up to date."""
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).write_bytes(old_file.read_bytes())
        store = open_store(empty_url)
    else:
        store = open_store(empty_url)
        _first_revision(store)
        _put_in(store, old_file)
    yield store
    store.dispose()


def _first_revision(store: Store) -> None:
    with store.engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")


def _put_in(store: Store, old_file: Path) -> None:
    with store.engine.begin() as connection, closing(sqlite3.connect(old_file)) as file:
        connection.execute(sa.text("SET LOCAL TIME ZONE 'UTC'"))
        known = sa.MetaData()
        known.reflect(connection)
        for table in known.sorted_tables:
            if table.name == "alembic_version":
                continue
            file.row_factory = sqlite3.Row
            flags = {it.name for it in table.columns if isinstance(it.type, sa.Boolean)}
            for found in file.execute(f"SELECT * FROM {table.name}"):
                row = {
                    name: bool(value) if name in flags and value is not None else value
                    for name, value in dict(found).items()
                }
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("%s" for _ in row)
                connection.exec_driver_sql(
                    f"INSERT INTO {table.name} ({names}) VALUES ({marks})", tuple(row.values())
                )
            if "id" in table.columns:
                connection.execute(
                    sa.text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                        f"(SELECT max(id) FROM {table.name}))"
                    )
                )


def _everything(old_file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the first revision, as texts, by table; the order of columns is that of the
    names."""
    with closing(sqlite3.connect(old_file)) as file:
        return {
            name: [tuple(row) for row in file.execute(f"SELECT * FROM {name} ORDER BY 1")]
            for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name != "alembic_version"
        }


def _settings(tmp_path: Path, store: Store) -> Settings:
    return settings_in(tmp_path)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else str(value)


def test_nothing_is_lost_and_nothing_differs(old: Store, old_file: Path, tmp_path: Path) -> None:
    settings = _settings(tmp_path, old)
    old.migrate()
    before = _everything(old_file)
    with old.read() as connection:
        counts = {
            name: connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in before
        }
        results = whole_results().c
        said = [results[name] for name in (*_SAID, *_WHEN, "stands")]
        rows = connection.execute(sa.select(*said).order_by(results.id)).all()
        who = connection.execute(
            sa.text("SELECT number, issuer FROM identifiers ORDER BY number")
        ).all()
        notes = connection.execute(
            sa.text('SELECT "by", what, note FROM alert_history ORDER BY id')
        ).all()
    assert counts.pop("facts") >= len(before.pop("facts"))
    assert counts == {name: len(found) for name, found in before.items()}
    assert len(before["results"]) == 25
    assert [tuple(row) for row in who] == [("P1", ""), ("P2", "")]
    assert ("Dr Gray", "acknowledged", "until 2026-01-20; seen") in {tuple(it) for it in notes}
    with closing(sqlite3.connect(old_file)) as file:
        query = f"SELECT {', '.join([*_SAID, *_WHEN])}, stands FROM results ORDER BY id"
        assert [tuple(map(_text, row)) for row in rows] == [
            (*map(_text, said), str(bool(stands))) for *said, stands in file.execute(query)
        ]
    assert verify(old, settings, NOW) == []
    alerts = alert_rows(old, settings, {"open", "acknowledged"}, NOW)
    assert [(it["mrn"], it["kind"], it["urgency"]) for it in alerts] == [
        ("P2", "discontinue", "critical"),
        ("P1", "overdue_test", "urgent"),
        ("P2", "overdue_test", "urgent"),
    ]


def test_everyone_is_reviewed_once_by_the_newer_program(old: Store, tmp_path: Path) -> None:
    settings = _settings(tmp_path, old)
    old.migrate()
    tally = review_due(old, settings, NOW)
    assert tally.reviewed == 2
    assert (tally.opened, tally.closed) == (0, 0)
    assert verify(old, settings, NOW) == []
    old.migrate()
    assert review_due(old, settings, NOW).reviewed == 0


def test_a_backup_of_the_first_revision_is_restored(
    empty_url: str, old_file: Path, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    database = settings.database.model_copy(update={"url": empty_url})
    settings = settings.model_copy(update={"database": database})
    before = old_file.read_bytes()
    found = restore(settings, old_file, replace=False)
    assert old_file.read_bytes() == before
    assert (found.rows["patients"], found.rows["results"], found.rows["alerts"]) == (2, 25, 4)
    store = open_store(empty_url)
    assert verify(store, settings, NOW) == []
    store.dispose()
