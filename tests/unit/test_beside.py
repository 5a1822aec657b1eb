"""Steps beside the caller: whoever asks the connection waits for them, and is told of failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from monitor.store.beside import Beside
from monitor.store.database import Store
from monitor.store.errors import StoreError

_COUNT = text("SELECT count(*) FROM facts")


def _adds(connection: Connection, name: str, *, waits: float = 0) -> Callable[[], None]:
    driver: Any = connection.connection.driver_connection
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"

    def step() -> None:
        time.sleep(waits)
        driver.cursor().execute(
            f"INSERT INTO facts (name, value) VALUES ({mark}, '')",
            (name,),
        )

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
        beside.do(lambda: None if gone_on.wait(20) else pytest.fail("the caller waited"))
        gone_on.set()


def test_nothing_is_under_way_once_it_is_left(store: Store) -> None:
    with store.write() as connection:
        with Beside(connection) as beside:
            beside.do(_adds(connection, "late", waits=0.2))
        assert connection.scalar(text("SELECT count(*) FROM facts WHERE name = 'late'")) == 1


def test_what_fails_is_told_to_whoever_asks_next_and_nothing_remains(store: Store) -> None:
    def fails() -> None:
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
