"""The store keeps what it is given, ends transactions whole, and says readably what is wrong."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreBusy, StoreError, StoreLost, StoreOutdated, TooEarly
from monitor.store.facts import bring_to, brought_to, check_not_earlier
from monitor.store.revisions import (
    COMPATIBLE_FROM,
    Revision,
    chain,
    compatible_from,
    newest,
    note_compatible,
)
from monitor.store.tables import table_of
from monitor.store.turns import Turns
from tests.processes import ROOT, met

NOW = datetime(2026, 1, 5, 9, 30, 15, 123456, tzinfo=UTC)
FACTS = table_of(tables.Fact)


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def _put(store: Store, name: str) -> None:
    with store.write() as connection:
        connection.execute(insert(FACTS).values(name=name, value="1"))


def _names(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.scalars(select(FACTS.c.name))) - {COMPATIBLE_FROM}


def test_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_changes_nothing_and_loses_nothing(empty_url: str) -> None:
    store = open_store(empty_url)
    store.migrate()
    _put(store, "kept")
    store.migrate()
    assert _names(store) == {"kept"}
    store.dispose()


def test_instants_keep_their_moment_and_decimals_their_digits(store: Store) -> None:
    patients, enrolments = table_of(tables.Patient), table_of(tables.EnrolmentRow)
    east = timezone(timedelta(hours=5, minutes=30))
    with store.write() as connection:
        connection.execute(
            insert(patients).values(
                id=1, mrn="A1", mrn_key="A1", mrn_loose="A1", family_name="", given_name="", sex=""
            )
        )
        connection.execute(
            insert(enrolments).values(
                patient_id=1,
                drug="azathioprine",
                protocol_id="azathioprine",
                indication="",
                clinic="",
                started_on=date(2026, 1, 5),
                enrolled_on=date(2026, 1, 5),
                enrolled_at=NOW.astimezone(east),
                dose_mg_per_day=Decimal("0.1000"),
                tpmt="",
                nudt15="",
            )
        )
    with store.read() as connection:
        row = connection.execute(select(enrolments)).one()
    assert row.enrolled_at == NOW
    assert row.enrolled_at.utcoffset() == timedelta(0)
    assert str(row.dose_mg_per_day) == "0.1000"


def test_an_instant_without_offset_is_refused(store: Store) -> None:
    runs = table_of(tables.JobRun)
    with pytest.raises(Exception, match="offset"), store.write() as connection:
        naive = NOW.replace(tzinfo=None)
        connection.execute(insert(runs).values(name="x", started_at=naive, error=""))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as connection:
        connection.execute(insert(FACTS).values(name="half", value="1"))
        raise RuntimeError
    assert _names(store) == set()


def test_a_reader_sees_one_snapshot_while_others_write(store: Store) -> None:
    _put(store, "before")
    with store.read() as connection:
        first = set(connection.scalars(select(FACTS.c.name)))
        _put(store, "during")
        assert set(connection.scalars(select(FACTS.c.name))) == first
    assert first - {COMPATIBLE_FROM} == {"before"}
    assert _names(store) == {"before", "during"}


def test_a_single_statement_is_a_transaction_by_itself(store: Store) -> None:
    with store.note() as connection:
        connection.execute(insert(FACTS).values(name="noted", value="1"))
        with store.look() as other:
            assert other.scalar(select(FACTS.c.value).where(FACTS.c.name == "noted")) == "1"
    with pytest.raises(IntegrityError), store.note() as connection:
        connection.execute(insert(FACTS), [{"name": "two", "value": "1"}] * 2)
    with store.read() as connection:
        assert connection.scalar(select(FACTS.c.name).where(FACTS.c.name == "noted")) == "noted"
    assert "noted" in _names(store)


@pytest.mark.postgresql_only
def test_what_is_on_its_way_to_a_machine_that_is_gone_is_given_up(store: Store) -> None:
    """Signs of life are looked for on a quiet connection alone. What was sent and is never
    acknowledged would be sent again for a quarter of an hour."""
    with store.read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as line:
            assert line.family in {socket.AF_INET, socket.AF_INET6}
            ours = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        theirs = connection.scalar(text("SHOW tcp_user_timeout"))
    assert ours == 90_000
    assert theirs == "90000"


@pytest.mark.postgresql_only
def test_of_two_databases_the_one_that_failed_is_named(store: Store, tmp_path: Path) -> None:
    """A backup writes one while it reads the other."""
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    other.migrate()
    end = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(StoreLost, match="database postgresql"), store.read() as ours, other.write():
        ours.execute(end)
    other.dispose()


@pytest.mark.postgresql_only
def test_connections_that_the_server_ended_are_not_used_again(store: Store) -> None:
    end = text("SELECT pg_terminate_backend(:pid)")
    look = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    for way in (store.read, store.write, store.look, store.note):
        with store.read() as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
        another = open_store(store.engine.url.render_as_string(hide_password=False))
        with another.look() as connection:
            connection.execute(end, {"pid": pid})
            assert met(lambda: connection.scalar(look, {"pid": pid}) == 0)  # noqa: B023
        another.dispose()
        with way() as connection:
            assert connection.scalar(text("SELECT pg_backend_pid()")) != pid


def test_writers_of_the_same_row_follow_each_other(store: Store) -> None:
    _put(store, "count")

    def add() -> None:
        for _ in range(10):
            with store.write() as connection:
                mine = FACTS.c.name == "count"
                query = select(FACTS.c.value).where(mine).with_for_update()
                value = int(connection.execute(query).scalar_one())
                connection.execute(update(FACTS).where(mine).values(value=str(value + 1)))

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert connection.scalar(select(FACTS.c.value).where(FACTS.c.name == "count")) == "31"


def test_sqlite_is_opened_for_safety(store: Store) -> None:
    if not store.is_sqlite:
        return
    with store.read() as connection:
        settings = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30000,
    }


def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.dispose()


def test_a_missing_database_is_said_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with (
        pytest.raises(StoreError, match=r"no database .*none\.db.*monitor init"),
        open_store(f"sqlite:///{path}").read(),
    ):
        pass
    assert not path.exists()


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder .* does not exist"):
        open_store(f"sqlite:///{tmp_path}/no/monitor.db").migrate()


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear colleague, " * 100)
    with pytest.raises(StoreError, match="is no database"), open_store(f"sqlite:///{path}").read():
        pass


def test_a_server_that_does_not_answer_is_said_without_its_password() -> None:
    store = open_store("postgresql+psycopg://who:secret@127.0.0.1:1/none")
    with pytest.raises(StoreError) as caught, store.read():
        pass
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_cannot_be_used_is_said(url: str) -> None:
    with pytest.raises(StoreError, match=r"\[database\] url"):
        open_store(url)


def test_a_database_without_tables_asks_for_init(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    store = open_store(empty_url)
    with pytest.raises(StoreError, match="monitor init"), store.read():
        pass
    store.dispose()


def test_a_database_of_a_newer_monitor_is_left_alone(empty_url: str) -> None:
    store = open_store(empty_url)
    store.migrate()
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE facts SET value = '9998' WHERE name = 'compatible_from'"))
    other = open_store(store.engine.url.render_as_string(hide_password=False))
    with pytest.raises(StoreError, match="newer version"), other.write():
        pass
    with pytest.raises(StoreError, match="newer version"):
        other.migrate()
    other.dispose()
    store.dispose()


def test_a_database_that_only_has_more_is_worked_on(store: Store) -> None:
    """A newer monitor added something; from which revision on programs may use it, it says."""
    with store.write() as connection:
        note_compatible(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.check_again()
    with store.write() as connection:
        connection.execute(update(FACTS).values(value="9999"))
    with pytest.raises(StoreOutdated, match="newer version"):
        store.check_again()
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{newest()}'"))


@pytest.mark.parametrize(
    ("steps", "since"),
    [
        ("first:no", "first"),
        ("first:no second:yes third:yes", "first"),
        ("first:no second:no third:yes", "second"),
        ("first:no second:yes third:no", "third"),
    ],
)
def test_who_may_use_a_database_is_decided_by_the_last_step_that_does_more_than_add(
    steps: str, since: str
) -> None:
    pairs = [step.split(":") for step in steps.split()]
    assert compatible_from([Revision(name, more == "yes") for name, more in pairs]) == since


def test_the_chain_of_revisions_is_whole() -> None:
    names = [step.name for step in chain()]
    files = list((ROOT / "monitor" / "store" / "migrations" / "versions").glob("0*.py"))
    assert len(names) == len(files) == len(set(names))


def test_a_second_daemon_on_one_sqlite_file_is_refused(store: Store) -> None:
    other = open_store(store.engine.url.render_as_string(hide_password=False))
    with store.hold_daemon_lock():
        if store.is_sqlite:
            with pytest.raises(StoreBusy, match="another daemon"), other.hold_daemon_lock():
                pass
        else:
            with other.hold_daemon_lock():
                pass
    with other.hold_daemon_lock():
        pass
    other.dispose()


def test_a_lock_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/no/monitor.db")
    with pytest.raises(StoreError, match="lock .* cannot be opened"), store.hold_daemon_lock():
        pass


@pytest.mark.sqlite_only
def test_a_lock_for_which_there_is_no_room_is_no_fault_of_ours(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.pwrite", _full)
    told = pytest.raises(StoreError, match=r"lock .* cannot be written: No space left on device")
    with told, store.hold_daemon_lock():
        pass
    monkeypatch.undo()
    with store.hold_daemon_lock():
        pass


def test_the_database_knows_how_far_it_was_brought_and_never_goes_back(store: Store) -> None:
    with store.write() as connection:
        assert brought_to(connection) is None
        check_not_earlier(connection, NOW)
        bring_to(connection, NOW)
        bring_to(connection, NOW - timedelta(days=1))
        assert brought_to(connection) == NOW
        check_not_earlier(connection, NOW - timedelta(minutes=5))
        with pytest.raises(TooEarly, match="cannot go back"):
            check_not_earlier(connection, NOW - timedelta(minutes=5, seconds=1))


def test_threads_that_write_to_sqlite_take_turns(tmp_path: Path) -> None:
    """One that writes transaction after transaction lets the other in between each two."""
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    store.migrate()
    order: list[str] = []
    asked = threading.Event()

    def other() -> None:
        asked.set()
        with store.write():
            order.append("other")

    thread = threading.Thread(target=other)
    with store.write():
        thread.start()
        asked.wait()
        time.sleep(0.2)
    for _ in range(3):
        with store.write():
            order.append("busy")
    thread.join()
    store.dispose()
    assert order == ["other", "busy", "busy", "busy"]


def test_a_turn_that_does_not_come_in_time_is_given_up() -> None:
    turns = Turns()
    assert turns.take(1)
    assert not turns.take(0.05)
    turns.give()
    assert turns.take(1)
    turns.give()
