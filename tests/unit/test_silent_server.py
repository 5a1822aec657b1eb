"""A PostgreSQL that is frozen while its machine still acknowledges whatever is sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, text

from monitor.store import silence
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreLost


class Between:
    """Passes on what both sides say, until it is `frozen`: then it takes what comes, and new
    connections, and says nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._there = host, port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.thawed = threading.Event()
        self.thawed.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(here,), daemon=True).start()

    def _join(self, here: socket.socket) -> None:
        self.thawed.wait()
        there = socket.create_connection(self._there)
        for one, other in ((here, there), (there, here)):
            threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        while True:
            try:
                said = one.recv(65536)
                self.thawed.wait()
                other.sendall(said)
            except OSError:
                return
            if not said:
                other.close()
                return

    def close(self) -> None:
        self.thawed.set()
        self._listening.close()


@pytest.fixture
def between(store: Store) -> Iterator[Between]:
    url = make_url(str(store.engine.url))
    made = Between(url.host or "127.0.0.1", url.port or 5432)
    yield made
    made.close()


@pytest.fixture
def away(store: Store, between: Between) -> Iterator[Store]:
    """The store, by way of what stands between."""
    url = make_url(store.engine.url.render_as_string(hide_password=False))
    url = url.set(host="127.0.0.1", port=between.port).update_query_dict({"connect_timeout": "2"})
    made = open_store(url.render_as_string(hide_password=False))
    yield made
    made.dispose()


@pytest.mark.postgresql_only
def test_whoever_waits_for_a_frozen_server_is_told_that_it_does_not_answer(
    away: Store, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENT", 0.5)
    with away.read() as connection:
        connection.execute(text("SELECT 1"))
    between.thawed.clear()
    began = time.monotonic()
    with pytest.raises(StoreLost) as told, away.write() as connection:
        connection.execute(text("SELECT 1"))
    assert time.monotonic() - began < 10
    assert "does not answer: it has said nothing for" in str(told.value)
    between.thawed.set()
    with away.write() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.postgresql_only
def test_a_long_statement_of_a_server_that_answers_others_is_waited_for(
    away: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENT", 0.3)
    with away.read() as connection:
        assert connection.scalar(text("SELECT 7 FROM pg_sleep(1.5)")) == 7


@pytest.mark.postgresql_only
def test_nobody_waits_longer_than_a_statement_may_take(
    away: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes connections, and one frozen process of it."""
    monkeypatch.setattr(silence, "SILENT", 0.3)
    monkeypatch.setattr(silence, "LONGEST", 1.0)
    with pytest.raises(StoreLost), away.read() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
