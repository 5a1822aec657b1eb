"""A step that goes on while the caller does: what a database takes long for, beside what the
interpreter takes long for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, event

_SWITCH_SECONDS = 0.0005
"""After how long a thread that computes lets the other one have the interpreter. The usual ten
times as much is longer than a statement takes: the database would mostly wait for the next."""
_USUAL_SECONDS = sys.getswitchinterval()


class Beside:
    """Does one step at a time in a thread of its own, with the driver's connection. Whatever else
    is asked of the connection meanwhile waits until the step is done. To be entered; when it is
    left, no step is under way any more."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Beside:
        event.listen(self._connection, "before_cursor_execute", self._before)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=True)
        event.remove(self._connection, "before_cursor_execute", self._before)
        sys.setswitchinterval(_USUAL_SECONDS)

    def do(self, step: Callable[[], None]) -> None:
        """Have the step done, after the one before it."""
        self.settle()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._under_way = self._threads.submit(step)

    def settle(self) -> None:
        """Wait until the step is done. Raises what it raised."""
        if (under_way := self._under_way) is not None:
            self._under_way = None
            under_way.result()

    def _before(self, *_: Any) -> None:
        self.settle()
