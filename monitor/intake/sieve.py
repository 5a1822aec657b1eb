"""Numbers remembered in little memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HASHES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
_BITS_A_NUMBER = 24
_MOST_BITS = 1 << 27
"""So many whatever is expected: of more than five million numbers it lets some more through."""


class Sieve:
    """Remembers numbers in little memory: what it does not hold was never added, what it seems
    to hold may have been (a Bloom filter)."""

    def __init__(self, expected: int) -> None:
        import numpy as np

        bits = min(max(expected, 1) * _BITS_A_NUMBER, _MOST_BITS)
        self._shift = 64 - max(16, (bits - 1).bit_length())
        self._bits = np.zeros(1 << (64 - self._shift - 3), np.uint8)

    def add(self, numbers: NDArray[np.int64]) -> None:
        for places, bits in self._places(numbers):
            while len(places):
                self._bits[places] |= bits
                # of several bits that go to one place, the last is there by now
                left = self._bits[places] & bits == 0
                places, bits = places[left], bits[left]

    def may_hold(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        import numpy as np

        found = np.ones(len(numbers), bool)
        for places, bits in self._places(numbers):
            found &= self._bits[places] & bits != 0
        return found

    def _places(self, numbers: NDArray[np.int64]) -> Iterator[tuple[Any, Any]]:
        import numpy as np

        for factor in _HASHES:
            mixed = (numbers.astype(np.uint64) * np.uint64(factor)) >> np.uint64(self._shift)
            yield (
                (mixed >> np.uint64(3)).astype(np.int64),
                (np.uint8(1) << (mixed & np.uint64(7)).astype(np.uint8)),
            )


class Exact:
    """Remembers numbers exactly, on the disk: for looking up a few of them."""

    def __init__(self) -> None:
        self._ordered: list[mmap.mmap] = []

    def add(self, ordered: NDArray[np.int64]) -> None:
        """Remember ascending numbers."""
        if not len(ordered):
            return
        with TemporaryFile() as file:
            ordered.tofile(file)
            file.flush()
            self._ordered.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def holds(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        import numpy as np

        found = np.zeros(len(numbers), bool)
        for pages in self._ordered:
            found |= is_among(numbers, np.frombuffer(pages, np.int64))
            if hasattr(mmap, "MADV_DONTNEED"):
                pages.madvise(mmap.MADV_DONTNEED)  # what was read of them is no longer ours
        return found


def is_among(numbers: NDArray[np.int64], ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the numbers are among ascending ones, of which there is at least one."""
    import numpy as np

    places = ordered.searchsorted(numbers)
    found: NDArray[np.bool_] = ordered[np.minimum(places, len(ordered) - 1)] == numbers
    return found
