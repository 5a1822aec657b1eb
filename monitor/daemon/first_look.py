"""What lies in the inbox at a start is read before anybody is asked for it.

After a weekend without a monitor the tests of the weekend lie there: a sweep of everyone beside
their intake would ask for them, and the watch over the feeds would miss them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.store.errors import StoreError

_LONGEST = 1800.0
"""Seconds after which nobody waits any longer: a share may hang."""


class FirstLook:
    """Whether the inbox has been looked through since the start."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _LONGEST

    @property
    def lasts(self) -> bool:
        return time.monotonic() < self._until

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A look. It counts where files failed too, or the folder is gone; not where the database
        gave way, for then it is taken again."""
        try:
            yield
        except StoreError:
            raise
        except Exception:
            self._until = 0.0
            raise
        self._until = 0.0
