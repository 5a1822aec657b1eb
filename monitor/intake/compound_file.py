"""Streams of a compound file, the container of old Office documents.

Source: [MS-CFB], Compound File Binary File Format, 2.2 to 2.6.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_DIFAT = struct.Struct("<109I")
_ENTRY = 128
_ROOT, _STREAM = 5, 2
_LARGEST_SECTOR = 0xFFFFFFFA
"""Numbers of sectors end here; larger ones mean the end, or nothing."""


class DamagedCompound(ValueError):
    """A compound file that does not hold what it says."""


def stream_of(content: bytes, names: Sequence[str]) -> bytes:
    """The content of the first of these streams. Raises DamagedCompound where there is none, or
    where the file is damaged."""
    try:
        return _Compound(content).stream(names)
    except (struct.error, IndexError) as fault:
        raise DamagedCompound from fault


class _Compound:
    def __init__(self, content: bytes) -> None:
        if not content.startswith(_MAGIC):
            raise DamagedCompound
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 0x1E)
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._cutoff = struct.unpack_from("<I", content, 0x38)[0]
        self._fat = self._table(self._sectors_of_fat())
        first = struct.unpack_from("<I", content, 0x30)[0]
        self._directory = self._chain(first)
        mini = struct.unpack_from("<I", content, 0x3C)[0]
        self._mini_fat = self._numbers(self._chain(mini)) if mini < _LARGEST_SECTOR else ()

    def stream(self, names: Sequence[str]) -> bytes:
        """The content of the first of these streams."""
        found: dict[str, tuple[int, int]] = {}
        root = 0
        for start in range(0, len(self._directory) - _ENTRY + 1, _ENTRY):
            entry = self._directory[start : start + _ENTRY]
            first, size = struct.unpack_from("<II", entry, 0x74)
            if entry[0x42] == _ROOT:
                root = first
            elif entry[0x42] == _STREAM:
                length = struct.unpack_from("<H", entry, 0x40)[0]
                name = entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
                found[name.casefold()] = first, size
        for name in names:
            if name.casefold() in found:
                first, size = found[name.casefold()]
                if size < self._cutoff:
                    return self._short(first, size, self._chain(root))
                return self._chain(first)[:size]
        raise DamagedCompound

    def _sectors_of_fat(self) -> list[int]:
        listed = list(_HEADER_DIFAT.unpack_from(self._content, 0x4C))
        following, count = struct.unpack_from("<II", self._content, 0x44)
        for _ in range(min(count, len(self._content) // self._size)):
            numbers = self._numbers(self._sector(following))
            listed += numbers[:-1]
            following = numbers[-1]
        return [number for number in listed if number < _LARGEST_SECTOR]

    def _table(self, sectors: Sequence[int]) -> Sequence[int]:
        return self._numbers(b"".join(map(self._sector, sectors)))

    @staticmethod
    def _numbers(content: bytes) -> Sequence[int]:
        return struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        if start >= len(self._content):
            raise DamagedCompound
        return self._content[start : start + self._size]

    def _chain(self, first: int) -> bytes:
        return b"".join(map(self._sector, self._linked(first, self._fat)))

    def _short(self, first: int, size: int, within: bytes) -> bytes:
        each = self._mini_size
        parts = (within[it * each : (it + 1) * each] for it in self._linked(first, self._mini_fat))
        return b"".join(parts)[:size]

    @staticmethod
    def _linked(first: int, table: Sequence[int]) -> list[int]:
        """The numbers of a chain. Raises DamagedCompound where it goes round."""
        found: list[int] = []
        number = first
        while number < _LARGEST_SECTOR:
            if len(found) >= len(table):
                raise DamagedCompound
            found.append(number)
            number = table[number]
        return found
