"""A pooler before PostgreSQL: one that keeps sessions is none the wiser, any other is refused."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue

import psycopg
import pytest
from sqlalchemy import text

from monitor.store import pooler
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError

pytestmark = pytest.mark.postgresql_only
_TERMINATE, _READY, _IDLE = b"X", b"Z", b"I"


class Pooler:
    """Lends sessions of a server: for a transaction each, or for as long as a client stays."""

    def __init__(self, store: Store, *, keeps_sessions: bool, most: int = 9) -> None:
        self._server = store.engine.dialect.create_connect_args(store.engine.url)[1]
        self._keeps = keeps_sessions
        self._may_open = threading.Semaphore(most)
        self._opened: list[psycopg.Connection] = []
        self._free: LifoQueue[socket.socket] = LifoQueue()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()
        for it in self._opened:
            it.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(here,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        with suppress(OSError), here:
            self._greet(here)
            there, half = None, b""
            while True:
                ready, _, _ = select.select([here, *([there] if there else [])], [], [])
                if here in ready:
                    said = here.recv(65536)
                    if said[:1] in {b"", _TERMINATE}:
                        break
                    there = there or self._take()
                    there.sendall(said)
                elif there is not None:
                    whole, half, is_idle = _frames(half + there.recv(65536))
                    here.sendall(whole)
                    if is_idle and not self._keeps:
                        self._free.put(there)
                        there = None
            if there is not None:
                self._free.put(there)

    def _take(self) -> socket.socket:
        with suppress(Empty):
            return self._free.get_nowait()
        if not self._may_open.acquire(blocking=False):
            return self._free.get()
        self._opened.append(psycopg.connect(**self._server, sslmode="disable"))
        return socket.socket(fileno=os.dup(self._opened[-1].fileno()))

    def _greet(self, here: socket.socket) -> None:
        length = int.from_bytes(here.recv(4))
        while length == 8:  # asks for encryption
            here.recv(4)
            here.sendall(b"N")
            length = int.from_bytes(here.recv(4))
        here.recv(length - 4)
        known = {"server_encoding": "UTF8", "client_encoding": "UTF8", "server_version": "15.0"}
        pairs = (f"{key}\0{it}\0".encode() for key, it in known.items())
        here.sendall(
            _frame(b"R", bytes(4))
            + b"".join(_frame(b"S", pair) for pair in pairs)
            + _frame(b"K", os.urandom(8))
            + _frame(_READY, _IDLE)
        )


def _frame(kind: bytes, content: bytes) -> bytes:
    return kind + (4 + len(content)).to_bytes(4) + content


def _frames(said: bytes) -> tuple[bytes, bytes, bool]:
    """What is whole of it, the rest, and whether the server is in no transaction then."""
    end, is_idle = 0, False
    while len(said) >= end + 5:
        after = end + 1 + int.from_bytes(said[end + 1 : end + 5])
        if len(said) < after:
            break
        is_idle = said[end:after].startswith(_READY) and said[after - 1 : after] == _IDLE
        end = after
    return said[:end], said[end:], is_idle


@contextmanager
def _through(store: Store, made: Pooler) -> Iterator[Store]:
    url = store.engine.url.set(host="127.0.0.1", port=made.port).difference_update_query(
        ["options"]
    )
    through = open_store(url.render_as_string(hide_password=False))
    try:
        yield through
    finally:
        through.dispose()
        made.close()


def test_one_that_gives_away_sessions_between_transactions_is_refused(store: Store) -> None:
    made = Pooler(store, keeps_sessions=False)
    with (
        _through(store, made) as through,
        pytest.raises(StoreError, match="pool_mode = session"),
        through.look(),
    ):
        pass


@pytest.mark.parametrize("most", [9, 1])
def test_one_that_keeps_sessions_is_worked_with_even_on_its_last(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(pooler, "_SECONDS", 0.2)
    made = Pooler(store, keeps_sessions=True, most=most)
    with _through(store, made) as through:
        for _ in range(7):  # of which the driver prepares the later ones
            with through.look() as connection:
                assert connection.scalar(text("SELECT 1 + 1")) == 2


def test_statements_of_somebody_else_in_our_session_tell_of_one_that_was_not_seen(
    store: Store,
) -> None:
    with pytest.raises(StoreError, match="pool_mode = session"), store.look() as connection:
        connection.execute(text("EXECUTE of_somebody_else"))
