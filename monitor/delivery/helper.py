"""A process of its own that lays messages out while this one sends others.

In a storm a mail takes longer to lay out than to hand over, and both together need two cores. The
helper gets leased messages through a pipe and gives back what it made of them; it reads the
database and writes nothing. What it cannot lay out, and everything once it is gone, is laid out
where it is sent. It ends with this process, however that ends: the system closes the pipe.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any

from monitor import logs
from monitor.config import Settings
from monitor.delivery.content import known_of
from monitor.delivery.layout import lay_out
from monitor.delivery.message import Rendered
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError
from monitor.store.leases import Leased

Made = tuple[Rendered, bytes | None]
"""What a message shows, and the mail that says it."""
_PATIENCE = 60.0
"""Seconds after which a helper that says nothing is taken for dead."""
_LAST_WORDS = 5.0


class Helper:
    """One such process, from a run's storm to the end of the run. Raises OSError where it cannot
    be started."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        url = store.engine.url.render_as_string(hide_password=False)
        self._process = context.Process(
            target=_work, args=(theirs, url, settings, now), name="monitor layout", daemon=True
        )
        self._is_ready = self._is_gone = False
        try:
            self._process.start()
        except OSError:
            self._pipe.close()
            raise
        finally:
            theirs.close()

    @property
    def is_ready(self) -> bool:
        """Whether it has started, which takes it about a second, and has not ended."""
        if not self._is_ready and not self._is_gone:
            try:
                self._is_ready = self._pipe.poll() and self._pipe.recv() is None
            except (EOFError, OSError):
                self._give_up()
        return self._is_ready and not self._is_gone

    def lay_out(self, messages: Sequence[Leased]) -> Sequence[Made | None]:
        """What it makes of each; None where it could not. For a thread: it takes a while."""
        try:
            self._pipe.send(messages)
            if self._pipe.poll(_PATIENCE):
                made: Sequence[Made | None] = self._pipe.recv()
                return made
        except (EOFError, OSError):
            pass
        self._give_up()
        return [None] * len(messages)

    def close(self) -> None:
        """End it, and free what it held."""
        self._pipe.close()
        self._process.join(_LAST_WORDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _give_up(self) -> None:
        self._is_gone = True
        self._process.kill()
        _log().warning("the layout of mails goes on without its helper")


def _work(pipe: Pipe, url: str, settings: Settings, now: datetime) -> None:
    """What the helper does: until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever sends
    store = open_store(url)
    gc.freeze()  # what was imported stays: not to be looked through again for each few mails
    with suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            pipe.send(_laid_out(store, pipe.recv(), settings, now))
    store.dispose()


def _laid_out(
    store: Store, messages: Sequence[Leased], settings: Settings, now: datetime
) -> list[Made | None]:
    made: list[Made | None] = []
    with suppress(StoreError), store.read() as connection:
        known = known_of(connection, messages, settings)
        for leased in messages:
            try:
                letter = lay_out(connection, leased, settings, now, known)
                made.append((letter.rendered, letter.mail))
            except Exception:  # noqa: BLE001  # whoever sends it meets it again, and tells of it
                made.append(None)
    return made + [None] * (len(messages) - len(made))


def _log() -> Any:
    return logs.logger("delivery")
