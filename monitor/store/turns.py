"""Threads that take turns, in the order in which they asked."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """A lock that is handed on: whoever gives it up stands last, however soon it asks again."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        """The first is whose turn it is."""

    def take(self, seconds: float) -> bool:
        """Wait for one's turn, at most so long; whether it came."""
        mine = threading.Event()
        with self._mutex:
            self._waiting.append(mine)
            if len(self._waiting) == 1:
                mine.set()
        if mine.wait(seconds):
            return True
        with self._mutex:
            if mine.is_set():
                return True
            self._waiting.remove(mine)
            return False

    def give(self) -> None:
        """End one's turn."""
        with self._mutex:
            self._waiting.popleft()
            if self._waiting:
                self._waiting[0].set()
