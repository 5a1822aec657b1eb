"""Sees at once that something was put into the inbox, so that a critical count need not wait for
the next look. It only says when to look: what it misses, the next look finds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from monitor.config import Settings

_PAUSE = 0.05
"""Seconds between two glances: one question about each folder, whatever is in it."""


class Watch:
    """Calls `look` once files that were dropped have had time to settle, and again until
    `looked` is called: whoever is looking already may have passed them."""

    def __init__(self, settings: Settings, look: Callable[[], None]) -> None:
        inbox = settings.intake.inbox
        self._folders = [inbox, *(inbox / name for name in settings.sources)]
        self._settle = settings.intake.settle_seconds
        self._look = look
        self._waiting = threading.Event()
        self._ending = threading.Event()
        self._known: list[int] = []
        self._thread = threading.Thread(target=self._glance, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to watch: what comes from now on is seen."""
        self._known = self._state()
        self._thread.start()

    def stop(self) -> None:
        """End; returns once it has."""
        self._ending.set()
        self._thread.join()

    def looked(self) -> None:
        """Somebody begins to look now."""
        self._waiting.clear()

    def _glance(self) -> None:
        due: float | None = None
        while not self._ending.wait(_PAUSE):
            state = self._state()
            if state != self._known:
                self._known = state
                due = time.monotonic() + self._settle if due is None else due
            if due is not None and time.monotonic() >= due:
                due = None
                self._waiting.set()
            if self._waiting.is_set():
                self._look()

    def _state(self) -> list[int]:
        """When a name last came into or left each folder."""
        return [_changed(folder) for folder in self._folders]


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
