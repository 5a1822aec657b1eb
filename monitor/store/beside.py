"""A step that goes on while the caller does: what a database takes long for, beside what the
interpreter takes long for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, event

_SWITCH_SECONDS = 0.0001
"""After how long a thread that computes lets the other one have the interpreter. The usual fifty
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
        self._in_use = Lock()
        self._may_go_on = Event()
        self._may_go_on.set()
        self._is_between = False

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

    def do(self, step: Callable[[], Iterable[None]]) -> None:
        """Have the step done, after the one before it: statement by statement, as it yields."""
        self.settle()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._under_way = self._threads.submit(self._go_through, step)

    def _go_through(self, step: Callable[[], Iterable[None]]) -> None:
        statements = iter(step())
        is_over = False
        while not is_over:
            self._may_go_on.wait()
            with self._in_use:
                is_over = next(statements, self) is self

    @contextmanager
    def between(self) -> Iterator[None]:
        """What is asked of the connection within this waits for a statement of the step alone,
        not for all of it: the step is to concern none of it."""
        self._may_go_on.clear()
        try:
            with self._in_use:
                self._is_between = True
                yield
        except Exception:
            self._let_go_on()
            self.settle()  # where the step has failed, nothing can be asked: that is to be told
            raise
        finally:
            self._let_go_on()

    def _let_go_on(self) -> None:
        self._is_between = False
        self._may_go_on.set()

    @property
    def is_idle(self) -> bool:
        """Whether no step is under way."""
        return self._under_way is None or self._under_way.done()

    def settle(self) -> None:
        """Wait until the step is done. Raises what it raised."""
        if (under_way := self._under_way) is not None:
            self._under_way = None
            under_way.result()

    def _before(self, *_: Any) -> None:
        if not self._is_between:
            self.settle()
