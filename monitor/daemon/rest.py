"""Pauses that grow while the same thing fails again and again."""

from __future__ import annotations

import time

_FIRST, _LONGEST = 2.0, 60.0
"""Seconds."""


class Rest:
    """Each pause twice as long as the one before, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        return time.monotonic() < self._until

    def begin(self) -> float:
        """It failed again; how many seconds to wait."""
        self._pause = min(max(2 * self._pause, _FIRST), _LONGEST)
        self._until = time.monotonic() + self._pause
        return self._pause

    def interrupt(self) -> None:
        """Look at once; where it still fails, the pauses grow on."""
        self._until = 0.0

    def end(self) -> None:
        """It works."""
        self._pause = self._until = 0.0
