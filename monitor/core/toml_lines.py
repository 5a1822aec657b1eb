"""On which line of a TOML text a key stands.

The parser of the standard library reads values and forgets where they were; an admin who is
told that a value is wrong wants to know the line. This walks the same text once more and
notes only positions. It expects text that has already been parsed without a complaint.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Path = tuple[str | int, ...]
"""The way to a value: table names and keys as text, places in an array as numbers from 0."""

_LONG = ('"""', "'''")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|\n"
    r"|[ \t\r]+"
    r"|[\[\]{}=,.]"
    r"|[^\s\[\]{}=,.#\"']+",
    re.DOTALL,
)


class Named(NamedTuple):
    """A key or header of a text, and where the same stood before."""

    path: Path
    line: int
    first: int | None
    """The line where the same stood before; None: nowhere."""
    is_header: bool = False
    is_listed: bool = False
    """`[[...]]`: one of a list of tables."""
    is_a_table_in: int | None = None
    """Of one of a list of tables the line where that is one table."""


def line_numbers(text: str) -> dict[Path, int]:
    """The line of every table, key and array member of a valid TOML text, from 1."""
    return _Walk(text).lines


def last_named(text: str) -> Named | None:
    """The last key or header of a text that is TOML up to it."""
    return _Walk(text).last


class Unclosed(NamedTuple):
    """Where a text begins that never ends."""

    line: int
    is_long: bool
    """In three quotes."""


def unclosed_text(text: str) -> Unclosed | None:
    """The first text that has no end."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        token = match[0] if match else text[at]
        is_long = text.startswith(_LONG, at) and not token.startswith(_LONG)
        if is_long or token in ("'", '"'):
            return Unclosed(text.count("\n", 0, at) + 1, is_long)
        at += len(token)
    return None


def headed(path: Path) -> str:
    """A path as it stands in a header: `phases.panels.cbc`."""
    return ".".join(part for part in path if isinstance(part, str))


def shown(path: Path) -> str:
    """A path as people write it: `rules[2].levels[0].below`."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
    return words


class _Walk:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self.last: Named | None = None
        self._tokens: list[tuple[str, int]] = []
        self._arrays: dict[Path, int] = {}
        self._at = 0
        line = 1
        for token in _TOKEN.findall(text):
            if token.strip(" \t\r") and not token.startswith("#"):
                self._tokens.append((token, line))
            line += token.count("\n")
        table: Path = ()
        while self._peek():
            if self._peek() == "\n":
                self._at += 1
            elif self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)][1]

    def _take(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._at += 1
        return True

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the table that the keys below it belong to."""
        line = self._line()
        self._at += 1
        is_array = self._take("[")
        names = self._key()
        while self._take("]"):
            pass
        path: Path = ()
        before = line
        for place, name in enumerate(names):
            path = (*path, name)
            if is_array and place == len(names) - 1:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path])
            before = self.lines.setdefault(path, line)
        single = self.lines.get(path[:-1]) if is_array and path[-1] == 0 else None
        self.last = Named(path, line, before if before != line else None, True, is_array, single)
        return path

    def _key(self) -> Path:
        names = [_unquoted(self._peek())]
        self._at += 1
        while self._take("."):
            names.append(_unquoted(self._peek()))
            self._at += 1
        return tuple(names)

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        before = line
        for name in self._key():
            path = (*path, name)
            before = self.lines.setdefault(path, line)
        self._take("=")
        self._value(path)
        self.last = Named(path, line, before if before != line else None)

    def _value(self, path: Path) -> None:
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline_table(path)
        else:
            while self._peek() not in ("", "\n", ",", "]", "}"):
                self._at += 1

    def _array(self, path: Path) -> None:
        place = 0
        while self._peek() and not self._take("]"):
            if self._peek() in ("\n", ","):
                self._at += 1
                continue
            self.lines.setdefault((*path, place), self._line())
            before = self._at
            self._value((*path, place))
            self._at = max(self._at, before + 1)
            place += 1

    def _inline_table(self, path: Path) -> None:
        while self._peek() and not self._take("}"):
            if self._peek() in ("\n", ","):
                self._at += 1
            else:
                self._pair(path)


def _unquoted(name: str) -> str:
    return name[1:-1] if name[:1] in ('"', "'") else name
