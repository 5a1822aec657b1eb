"""How many requests one visitor or one program may make: a bucket that fills steadily."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
"""Of whom is remembered at once; the one who has been quiet longest is forgotten first."""


class Pace:
    """So many requests a minute for each; safe for threads."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._full, self._clock = float(a_minute), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, who: str) -> int:
        """Take one request: 0 where it may be made, else after how many seconds."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.pop(who, (self._full, now))
            left = min(self._full, left + (now - at) * self._full / 60)
            allowed = left >= 1
            self._buckets[who] = (left - 1 if allowed else left, now)
            if len(self._buckets) > _MOST:
                self._buckets.popitem(last=False)
        return 0 if allowed else math.ceil((1 - left) * 60 / self._full)
