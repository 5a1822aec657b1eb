"""A PostgreSQL that was set up for other programs: what its defaults would change is not theirs to
say, and what cannot be worked with is said in words."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from monitor.operations.backup import backup
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreBusy, StoreError
from monitor.store.tables import table_of

pytestmark = pytest.mark.postgresql_only
FACTS = table_of(tables.Fact)
RUNS = table_of(tables.JobRun)
NOW = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


@pytest.fixture
def with_defaults(store: Store) -> Iterator[list[Store]]:
    """Opens the store where server, database and role have other defaults."""
    opened: list[Store] = []
    yield opened
    for it in opened:
        it.dispose()


def _odd(store: Store, opened: list[Store], **defaults: str) -> Store:
    url = store.engine.url
    said = [str(url.query.get("options", "")), *(f"-c{key}={it}" for key, it in defaults.items())]
    odd = open_store(
        url.update_query_dict({"options": " ".join(said)}).render_as_string(hide_password=False)
    )
    opened.append(odd)
    return odd


@pytest.mark.parametrize("level", ["serializable", "repeatable\\ read"])
def test_writers_of_one_row_follow_each_other_whatever_the_server_takes_for_granted(
    store: Store, with_defaults: list[Store], level: str
) -> None:
    odd = _odd(store, with_defaults, default_transaction_isolation=level)
    with odd.write() as connection:
        connection.execute(insert(FACTS).values(name="count", value="0"))
    failed: list[Exception] = []
    mine = FACTS.c.name == "count"

    def add() -> None:
        try:
            for _ in range(10):
                with odd.write() as connection:
                    query = select(FACTS.c.value).where(mine).with_for_update()
                    value = int(connection.execute(query).scalar_one())
                    connection.execute(update(FACTS).where(mine).values(value=str(value + 1)))
        except Exception as error:  # noqa: BLE001  # a thread's own would be lost
            failed.append(error)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with odd.read() as connection:
        assert connection.scalar(select(FACTS.c.value).where(mine)) == "30"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datestyle", "German"),
        ("datestyle", "SQL,DMY"),
        ("timezone", "Asia/Kathmandu"),
        ("timezone", "<+0530>-05:30"),
        ("client_encoding", "LATIN1"),
        ("client_encoding", "SQL_ASCII"),
        ("standard_conforming_strings", "off"),
    ],
)
def test_what_is_stored_is_read_as_it_was(
    store: Store, with_defaults: list[Store], name: str, value: str
) -> None:
    odd = _odd(store, with_defaults, **{name: value})
    words = "Łukasiewicz ≥ 0,5 \\ 10⁹/L"
    with odd.write() as connection:
        connection.execute(insert(FACTS).values(name="words", value=words))
        connection.execute(insert(RUNS).values(name="run", started_at=NOW, error=""))
    with odd.read() as connection:
        assert connection.scalar(select(FACTS.c.value).where(FACTS.c.name == "words")) == words
        started = connection.scalar(select(RUNS.c.started_at).where(RUNS.c.name == "run"))
        assert started == NOW
        assert connection.scalar(text("SELECT DATE '2026-01-05'")) == date(2026, 1, 5)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:s3cret@h:port/c",
        "postgresql://a:s3cret@h/c?port=soon",
        "sqlite:///a.db?timeout=soon",
        "postgresql://a:s3cret@127.0.0.1/c?targt_session_attrs=read-write",
    ],
)
def test_what_an_address_cannot_have_is_said(url: str) -> None:
    with pytest.raises(StoreError, match=r"\[database\] url") as told, open_store(url).look():
        pass
    assert "s3cret" not in str(told.value)


def test_two_that_cannot_both_be_right_are_asked_to_take_turns(store: Store) -> None:
    """A standby, too, ends so what reads what its primary has taken away."""
    conflict = "RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'"
    with pytest.raises(StoreBusy, match="try again"), store.write() as connection:
        connection.execute(text(f"DO $$ BEGIN {conflict}; END $$"))


def test_a_place_for_tables_that_is_not_there_is_said(
    store: Store, with_defaults: list[Store]
) -> None:
    nowhere = _odd(store, with_defaults, search_path="nowhere")
    with pytest.raises(StoreError, match="monitor init"), nowhere.read():
        pass
    with pytest.raises(StoreError, match="search_path, which names no schema"):
        nowhere.migrate()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_name_is_refused_in_words(
    store: Store, encoding: str
) -> None:
    name = f"odd_{uuid.uuid4().hex}"
    url = store.engine.url.set(database=name).difference_update_query(["options"])
    made = f"ENCODING {encoding} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with store.look() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {made}"))
    try:
        odd = open_store(url.render_as_string(hide_password=False))
        with pytest.raises(StoreError, match=f"encoding {encoding}.*--encoding UTF8"):
            odd.migrate()
        odd.dispose()
    finally:
        with store.look() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_a_standby_is_copied_although_it_cannot_note_it(
    store: Store, with_defaults: list[Store], tmp_path: Path
) -> None:
    standby = _odd(store, with_defaults, default_transaction_read_only="on")
    made = backup(standby, tmp_path / "copy.db", NOW, replace=False)
    assert "takes no writes" in made.not_noted
    assert (tmp_path / "copy.db").is_file()
