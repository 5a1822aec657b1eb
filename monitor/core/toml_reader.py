"""Reading a TOML file that people edit: every fault at once, each with its place.

A getter always returns a value of its type. Where the file has none that is valid, it notes
the fault and returns a placeholder, so that reading goes on to the next fault; `sound` tells
later checks where not to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from monitor.core.calendar import FIRST_YEAR, LAST_YEAR, Duration, parse_duration
from monitor.core.faults import Fault, Faults, nearest
from monitor.core.toml_lines import Path, line_numbers, shown

_DIGITS = 15
_YEARS = 50
_SHOWN = 60
_LABEL = 100
_PERCENT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?%")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_Word = TypeVar("_Word", bound=StrEnum)


class Report:
    """Collects the faults of one file, of which `toml_text.read_toml` has taken the text."""

    def __init__(self, file: str, text: str = "") -> None:
        self._file = file
        self._text = text
        self._labels: dict[Path, str] = {}
        self._faulty: set[Path] = set()
        self._told: set[Path] = set()
        self.faults: list[Fault] = []

    @cached_property
    def _lines(self) -> dict[Path, int]:
        """Looked up only where something is to be said of a line: most texts have no fault."""
        try:
            return line_numbers(self._text)
        except RecursionError:
            return {}

    def label(self, path: Path, words: str) -> None:
        """Say this beside the key of every fault at or below the path: `rule anaemia`."""
        self._labels[path] = words

    def add(self, path: Path, value: object, problem: str, valid: str = "") -> None:
        key = shown(path)
        self._told.add(path)
        for end in range(len(path), 0, -1):
            self._faulty.add(path[:end])
        labels = [
            self._labels[path[:end]]
            for end in range(1, len(path) + 1)
            if path[:end] in self._labels
        ]
        if labels:
            key += f" ({', '.join(labels)})"
        text = value if isinstance(value, str) else as_toml(value)
        self.faults.append(Fault(self._file, key, text, problem, valid, self.line(path)))

    def line(self, path: Path) -> int | None:
        """The line of the path (of a list of tables its first), or of the nearest table around
        it."""
        if (*path, 0) in self._lines and path not in self._lines:
            return self._lines[(*path, 0)]
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None

    def sound(self, *path: str | int) -> bool:
        """No fault was found at or below this path (the whole file, without one)."""
        return not self.faults if not path else path not in self._faulty

    def told(self, *path: str | int) -> bool:
        """A fault was found at this very path: the value below it may still be sound."""
        return path in self._told

    def raise_if_faulty(self) -> None:
        if self.faults:
            raise Faults(tuple(sorted(self.faults, key=lambda fault: fault.line or 0)))


class Table:
    """One table of the file. Keys that are not in `known` are faults (None: no
    key is)."""

    def __init__(self, report: Report, path: Path, data: Any, known: Sequence[str] | None) -> None:
        self.report = report
        self.path = path
        self.data: dict[str, Any] = {}
        if not isinstance(data, dict):
            report.add(path, data, "must be a table", f"keys {', '.join(known or ())}")
            return
        for key, value in data.items():
            if known is None or key in known:
                self.data[key] = value
            else:
                report.add((*path, key), value, "is an unknown key", suggest(key, known))

    def __contains__(self, key: str) -> bool:
        return key in self.data

    @property
    def sound(self) -> bool:
        return self.report.sound(*self.path)

    def at(self, key: str | int) -> Path:
        return (*self.path, key)

    def peek(self, key: str) -> str:
        """The text of a key for use in words, whatever it is."""
        value = self.data.get(key, "?")
        return value[:_LABEL] if isinstance(value, str) else "?"

    def fault(self, key: str, problem: str, valid: str = "") -> None:
        self.report.add(self.at(key), self.data.get(key, ""), problem, valid)

    def text(self, key: str, default: str | None = None, *, long: bool = False) -> str:
        """One line of text (`long`: of several lines), not empty."""
        if key not in self.data:
            if default is None:
                self._missing(key, "text in quotes")
            return default or ""
        value = self.data[key]
        if not isinstance(value, str):
            self.fault(key, "must be text", f'text in quotes, such as {key} = "..."')
        elif not value.strip():
            self.fault(key, "is empty", "at least one word, or no such key")
        elif any(ord(sign) < ord(" ") and not (long and sign == "\n") for sign in value):
            self.fault(key, "holds a line break or control character", "one line of text")
        else:
            return value.strip()
        return ""

    def name(self, key: str) -> str:
        """An id: small letters, digits, underscores and hyphens (`azathioprine-us-label`)."""
        value = self.text(key)
        if value and is_no_name(value):
            self.fault(key, "is no id", "small letters, digits, _ and -, a letter first")
        return value

    def flag(self, key: str) -> bool:
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            self.fault(key, "must be true or false", "true or false, without quotes")
            return False
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        valid = f"a whole number from {low} to {high}"
        if key not in self.data:
            if default is None:
                self._missing(key, valid)
            return low if default is None else default
        value = self.data[key]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fault(key, "is not valid", valid)
            return low
        return value

    def number(self, key: str, *, zero: bool = False) -> Decimal | None:
        """An exact decimal above zero (`zero`: or zero); None where there is none."""
        if key not in self.data:
            return None
        value = self.data[key]
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.fault(key, "must be a number", "a number without quotes, such as 0.5")
            return Decimal(1)
        number = Decimal(value)
        if not number.is_finite():
            self.fault(key, "is no number", "a number such as 0.5")
        elif number < 0 or (number == 0 and not zero):
            self.fault(key, "is too small", "0 or more" if zero else "a number above 0")
        elif is_unwieldy(number):
            self.fault(key, "has too many digits", f"at most {_DIGITS} digits")
        else:
            return number
        return Decimal(1)

    def needed_number(self, key: str) -> Decimal:
        """The same where the file has to have one."""
        found = self.number(key)
        if found is None:
            self._missing(key, "a number such as 0.5")
        return found or Decimal(1)

    def needed_percent(self, key: str) -> Decimal:
        found = self.percent(key)
        if found is None:
            self._missing(key, 'text such as "30 %"')
        return found or Decimal(1)

    def percent(self, key: str) -> Decimal | None:
        """`"30 %"` as 30; None where there is none."""
        if key not in self.data:
            return None
        value = self.data[key]
        match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or Decimal(match[1]) == 0:
            self.fault(key, "is no percentage", 'text such as "30 %", more than 0')
            return Decimal(1)
        return Decimal(match[1])

    def duration(self, key: str, *, zero: bool = False) -> Duration:
        found = self.optional_duration(key, zero=zero)
        if found is None:
            self._missing(key, 'text such as "8 weeks"')
        return found or Duration(days=1)

    def optional_duration(self, key: str, *, zero: bool = False) -> Duration | None:
        if key not in self.data:
            return None
        value = self.data[key]
        valid = 'text such as "3 days", "8 weeks", "3 months" or "1 year"'
        if not isinstance(value, str):
            self.fault(key, "is no duration", valid)
            return Duration(days=1)
        try:
            found = parse_duration(value)
        except ValueError:
            self.fault(key, "is no duration", valid)
            return Duration(days=1)
        if not (found.days or found.months or zero):
            self.fault(key, "is no time at all", valid)
        elif found.days > _YEARS * 366 or found.months > _YEARS * 12:
            self.fault(key, "is longer than a life under treatment", f"at most {_YEARS} years")
        else:
            return found
        return Duration(days=1)

    def day(self, key: str) -> date:
        found = self.optional_day(key)
        if found is None:
            self._missing(key, "a day such as 2026-01-05")
        return found or date.min

    def optional_day(self, key: str) -> date | None:
        return self._day(self.at(key), self.data[key]) if key in self.data else None

    def days(self, key: str) -> tuple[date, ...]:
        """A list of days, in the order of the calendar."""
        found = [self._day(path, value) for path, value in self._members(key, "days")]
        return tuple(sorted(set(found)))

    def _day(self, path: Path, value: object) -> date:
        if isinstance(value, datetime) or not isinstance(value, date):
            self.report.add(path, value, "is no day", "a day without quotes: 2026-01-05")
            return date.min
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            valid = f"a year from {FIRST_YEAR} to {LAST_YEAR}"
            self.report.add(path, value, "is no day of our time", valid)
        return value

    def choice(self, key: str, words: Sequence[_Word]) -> _Word:
        """One of the words; the first where the file has none that is valid."""
        found = self.optional_choice(key, words)
        if found is None:
            self._missing(key, one_of(words))
        return words[0] if found is None else found

    def optional_choice(self, key: str, words: Sequence[_Word]) -> _Word | None:
        if key not in self.data:
            return None
        for word in words:
            if self.data[key] == word.value:
                return word
        self.fault(key, "is not known here", suggest(self.data[key], words))
        return words[0]

    def texts(self, key: str, known: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts, each once; with `known`, only these words."""
        return texts_at(self.report, self.at(key), self.data.get(key, []), known)

    def table(self, key: str, known: Sequence[str]) -> Table:
        if key not in self.data:
            self._missing(key, f"a table [{shown(self.at(key))}]")
            return Table(self.report, self.at(key), {}, known)
        return Table(self.report, self.at(key), self.data[key], known)

    def tables(self, key: str, known: Sequence[str]) -> Iterator[Table]:
        """The members of an array of tables."""
        for path, value in self._members(key, "tables"):
            yield Table(self.report, path, value, known)

    def named_tables(self, key: str, known: Sequence[str]) -> Iterator[tuple[str, Table]]:
        """Tables whose names the file chooses, such as `[panels.cbc]`."""
        for name, value in self.mapping(key).items():
            yield name, Table(self.report, (*self.at(key), name), value, known)

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            self.fault(key, "must be a table")
            return {}
        return value

    def _members(self, key: str, what: str) -> Iterator[tuple[Path, Any]]:
        return members(self.report, self.at(key), self.data.get(key, []), what)

    def _missing(self, key: str, valid: str) -> None:
        self.report.add(self.at(key), "", "is missing", valid)


def members(report: Report, path: Path, value: Any, what: str) -> Iterator[tuple[Path, Any]]:
    """The members of a list, each with its path."""
    if not isinstance(value, list):
        report.add(path, value, f"must be a list of {what}", "a list in [brackets]")
        return
    for place, member in enumerate(value):
        yield (*path, place), member


def texts_at(
    report: Report, path: Path, value: Any, known: Sequence[str] | None = None
) -> tuple[str, ...]:
    """A list of texts, each once; with `known`, only these words."""
    found: list[str] = []
    for place, member in members(report, path, value, "texts"):
        if not isinstance(member, str) or not member.strip() or not member.isprintable():
            report.add(place, member, "must be text", "text in quotes")
        elif known is not None and member not in known:
            report.add(place, member, "is not known here", suggest(member, known))
        elif member.strip() in found:
            report.add(place, member, "stands here twice", "each once")
        else:
            found.append(member.strip())
    return tuple(found)


def is_no_name(text: str) -> bool:
    return _NAME.fullmatch(text) is None


def one_of(words: Sequence[str]) -> str:
    return "one of " + ", ".join(str(word) for word in words)


def suggest(value: object, words: Sequence[str]) -> str:
    """The nearest of the words that would be valid, and the others."""
    hint = nearest(value[:_SHOWN], words) if isinstance(value, str) else ""
    return f"{hint} ({one_of(words)})" if hint.startswith("did you") else one_of(words)


def as_toml(value: object) -> str:
    """A value roughly as it stands in the file, cut where it is long."""
    if isinstance(value, bool):
        words = str(value).lower()
    elif isinstance(value, str):
        words = f'"{value}"'
    elif isinstance(value, date | Decimal):
        words = str(value)
    elif isinstance(value, int):
        words = str(value) if value.bit_length() < 200 else "a huge number"
    else:
        words = "{...}" if isinstance(value, dict) else "[...]"
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "..."


def is_unwieldy(number: Decimal, most: int = _DIGITS) -> bool:
    """Whether it has more digits than anybody measures, before or behind the point. Told from the
    digits as they stand: to reckon with it first would round it, or overflow."""
    _sign, digits, exponent = number.as_tuple()
    if number == 0 or not isinstance(exponent, int):
        return number != 0
    written = "".join(map(str, digits))
    kept = written.rstrip("0")
    return len(kept) > most or abs(exponent + len(written) - len(kept)) > most
