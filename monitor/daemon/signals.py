"""The signals that ask a process to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_end(asked: list[int]) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP ask for the end, where this is the main thread; the last one not
    under nohup, where it is ignored. They are only noted: what a handler interrupts may hold the
    very lock that it would wait for. And whoever waits looks again and again: a signal that the
    system gives to another thread wakes no main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    wanted = [signal.SIGTERM, signal.SIGINT]
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        wanted.append(hangup)
    before = {number: signal.signal(number, ask) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
