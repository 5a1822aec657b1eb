"""A population straight into a database, in bulk: the state after years of its life."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, insert, text

import monitor.store
from bench.databases import copied, keep, kept
from bench.population import ANALYTES, NOW, Population
from monitor.config import Settings, read_settings
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.readings import Reading, Readings
from monitor.store.rulebook import put_in_force
from monitor.store.tables import table_of
from monitor.store.types import CountedDay, CountedInstant

CONFIG = """
[clinic]
timezone = "Europe/London"
email = "clinic@hill.example"
[[routes]]
to = ["nurse@hill.example"]
"""
_RESULT = (
    "patient_id", "analyte", "collected_at", "collected_on", "timed", "specimen_id", "reading_id",
    "stands", "received_at", "comment", "doubtful_comment", "file_id", "line",
)  # fmt: skip


def settings(folder: Path = Path(), config: str = CONFIG) -> Settings:
    """The settings of a bench's clinic."""
    return read_settings(config, folder / "config.toml", {})


@contextmanager
def filled(database: str, size: int, years: float = 10) -> Iterator[str]:
    """The URL of a database of one's own with a population that has lived; removed afterwards.
    It is filled once and then copied."""
    with copied(kept_full(database, size, years)) as url:
        yield url


def kept_full(database: str, size: int, years: float = 10) -> str:
    """The URL of the kept database of a population, filled where it is not there yet. To be
    read only."""
    url, there = kept(database, f"people_{size}_{round(years * 10)}_{_shape()}")
    if not there:
        store = open_store(url)
        store.migrate()
        fill(store, Population(size, years))
        store.dispose()
        keep(url)
    return url


def fill(store: Store, people: Population) -> None:
    """Protocol, patients, enrolments and all their results into an empty, migrated store."""
    patients, numbers, enrolments, events = people.people()
    with store.write() as connection:
        put_protocols(connection)
        file_id = _file(connection, people.rows)
        happened = [event | {"file_id": file_id} for event in events]
        connection.execute(insert(table_of(tables.Patient)), patients)
        connection.execute(insert(table_of(tables.Identifier)), numbers)
        connection.execute(insert(table_of(tables.EnrolmentRow)), enrolments)
        connection.execute(insert(table_of(tables.EventRow)), happened)
        for table in (tables.Patient, tables.Identifier, tables.EnrolmentRow):
            _count_on(connection, table.__tablename__)
    with store.write() as connection:
        fill_results(connection, people, file_id)
    with store.write() as connection:
        connection.execute(text("ANALYZE"))


def put_protocols(connection: Connection) -> None:
    """The shipped catalogue and protocol in force."""
    for name in ("analytes", "azathioprine"):
        content = (schedules_folder() / f"{name}.toml").read_text(encoding="utf-8")
        digest = hashlib.sha256(content.encode()).hexdigest()
        put_in_force(connection, name, content, digest, NOW, "bench", "first")


def fill_results(connection: Connection, people: Population, file_id: int) -> None:
    """Every result of the population. This alone knows how the table of results looks."""
    numbers = _reading_numbers(connection, people)
    driver: Any = connection.connection.cursor()
    if connection.dialect.name == "postgresql":
        with (
            _without_indexes(connection),
            driver.copy(f"COPY results ({', '.join(_RESULT)}) FROM STDIN") as copy,
        ):
            for row in _rows(people, file_id, numbers, connection.dialect):
                copy.write_row(row)
        return
    marks = ", ".join("?" for _ in _RESULT)
    with _without_indexes(connection):
        driver.executemany(
            f"INSERT INTO results ({', '.join(_RESULT)}) VALUES ({marks})",
            _rows(people, file_id, numbers, connection.dialect),
        )


def _count_on(connection: Connection, table: str) -> None:
    """The next id follows those that were written down; SQLite sees to it by itself."""
    if connection.dialect.name == "postgresql":
        last = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        connection.execute(text(last))


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Indexes are made of the whole table at once, which is quicker."""
    indexes = list(table_of(tables.ResultRow).indexes)
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def _reading_numbers(connection: Connection, people: Population) -> Mapping[tuple[str, str], int]:
    """The number of what each value and unit of a population read."""
    units = [unit for _, unit, *_ in ANALYTES]
    pairs = sorted({it for test in people.tests() for it in zip(test.values, units, strict=False)})
    readings = (
        Reading(Decimal(value), received_value=value, received_unit=unit) for value, unit in pairs
    )
    return dict(zip(pairs, Readings(connection).numbers(readings), strict=True))


def _rows(
    people: Population, file_id: int, numbers: Mapping[tuple[str, str], int], dialect: Dialect
) -> Iterator[tuple[Any, ...]]:
    instant, day_of = CountedInstant(), CountedDay()
    units = [(name, unit) for name, unit, *_ in ANALYTES]
    line = 1
    for test in people.tests():
        at = instant.process_bind_param(test.at, dialect)
        day = day_of.process_bind_param(test.at.date(), dialect)
        received = f"{test.at:%Y-%m-%d %H:%M:%S}.000000" if dialect.name == "sqlite" else at
        for value, (analyte, unit) in zip(test.values, units, strict=False):
            line += 1
            yield (
                test.patient + 1, analyte, at, day, True, "", numbers[value, unit], True, received,
                "", "", file_id, line,
            )  # fmt: skip


def _file(connection: Connection, rows: int) -> int:
    counts = dict.fromkeys(
        ("duplicate", "superseded", "withdrawn", "quarantined", "ignored", "other_messages"), 0
    )
    done = connection.execute(
        insert(table_of(tables.File)).values(
            kind="results", name="all.csv", sha256="0", source="", received_at=NOW, rows=rows,
            stored=rows, **counts,
        )
    )  # fmt: skip
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def _shape() -> str:
    """Tells databases of one schema, and of one way to fill it, from others."""
    folder = Path(monitor.store.__file__).parent
    digest = hashlib.sha256()
    own = [Path(__file__), Path(__file__).with_name("population.py")]
    for path in [
        *own,
        *sorted(folder.glob("*tables.py")),
        *sorted(folder.glob("migrations/versions/*.py")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
