"""Steps beside the caller: whoever asks the connection waits for them, and is told of failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from monitor.store.beside import Beside
from monitor.store.database import Store
from monitor.store.errors import StoreError

_COUNT = text("SELECT count(*) FROM facts")


def _adds(connection: Connection, name: str, *, waits: float = 0) -> Callable[[], Iterator[None]]:
    driver: Any = connection.connection.driver_connection
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"

    def step() -> Iterator[None]:
        time.sleep(waits)
        driver.cursor().execute(
            f"INSERT INTO facts (name, value) VALUES ({mark}, '')",
            (name,),
        )
        yield

    return step


def test_a_question_waits_for_the_step_that_is_under_way(store: Store) -> None:
    with store.write() as connection, Beside(connection) as beside:
        before = connection.scalar(_COUNT)
        beside.do(_adds(connection, "first", waits=0.2))
        beside.do(_adds(connection, "second", waits=0.2))
        assert connection.scalar(_COUNT) == before + 2


def test_the_caller_goes_on_meanwhile(store: Store) -> None:
    gone_on = threading.Event()
    with store.write() as connection, Beside(connection) as beside:
        beside.do(lambda: () if gone_on.wait(20) else pytest.fail("the caller waited"))
        gone_on.set()


def test_a_question_that_the_step_does_not_concern_is_asked_between_two_of_its_statements(
    store: Store,
) -> None:
    asked = threading.Event()

    def step(connection: Connection) -> Iterator[None]:
        yield from _adds(connection, "before")()
        for _ in range(20_000):  # statements, as it were
            if asked.wait(0.001):
                break
            yield
        else:
            pytest.fail("the caller waited for all of it")
        yield from _adds(connection, "behind")()

    with store.write() as connection, Beside(connection) as beside:
        before = connection.scalar(_COUNT)
        beside.do(lambda: step(connection))
        with beside.between():
            connection.scalar(_COUNT)
        asked.set()
        assert connection.scalar(_COUNT) == before + 2


def test_what_failed_is_told_to_whoever_asks_between_two_statements(store: Store) -> None:
    def fails() -> Iterator[None]:
        yield
        raise StoreError("the disk is full")

    with (
        pytest.raises(StoreError, match="the disk is full"),
        store.write() as connection,
        Beside(connection) as beside,
    ):
        beside.do(fails)
        with beside.between():
            raise RuntimeError("nothing can be asked any more")


def test_nothing_is_under_way_once_it_is_left(store: Store) -> None:
    with store.write() as connection:
        with Beside(connection) as beside:
            beside.do(_adds(connection, "late", waits=0.2))
        assert connection.scalar(text("SELECT count(*) FROM facts WHERE name = 'late'")) == 1


def test_what_fails_is_told_to_whoever_asks_next_and_nothing_remains(store: Store) -> None:
    def fails() -> Iterator[None]:
        yield
        raise StoreError("the disk is full")

    with store.read() as connection:
        before = connection.scalar(_COUNT)
    with (
        pytest.raises(StoreError, match="the disk is full"),
        store.write() as connection,
        Beside(connection) as beside,
    ):
        beside.do(_adds(connection, "undone"))
        beside.do(fails)
        connection.scalar(_COUNT)
    with store.read() as connection:
        assert connection.scalar(_COUNT) == before
