"""One clock for many processes: it stands until the one who leads the week moves it on.

Beside the instant there is a slot for each daemon, in which it says how far it is: so the
leader knows that nobody is still at work at an earlier instant.
"""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMAT = "<q"
_SIZE = struct.calcsize(_FORMAT)
_SLOTS = 8


class SharedClock:
    """An instant in a file that every process has in its memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(_SIZE * (1 + _SLOTS)))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def now(self) -> datetime:
        """The instant that it shows."""
        return self._read(0)

    def put(self, at: datetime) -> None:
        """Move it to an instant."""
        self._write(0, at)

    def reached(self, slot: int) -> datetime | None:
        """No job of this daemon works at an earlier instant; None: it has not begun to work."""
        at = self._read(1 + slot)
        return None if at == _EPOCH else at

    def reach(self, slot: int, at: datetime | None) -> None:
        """Say how far a daemon is; None: it begins anew."""
        self._write(1 + slot, _EPOCH if at is None else at)

    def _read(self, place: int) -> datetime:
        (microseconds,) = struct.unpack_from(_FORMAT, self._memory, place * _SIZE)
        return _EPOCH + timedelta(microseconds=microseconds)

    def _write(self, place: int, at: datetime) -> None:
        microseconds = (at - _EPOCH) // timedelta(microseconds=1)
        struct.pack_into(_FORMAT, self._memory, place * _SIZE, microseconds)
