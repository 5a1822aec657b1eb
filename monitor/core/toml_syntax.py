"""What an admin is told of a text that is no TOML: the line of the slip, and how it is written.

The parser says what it stumbled over ("Invalid value"); of the slips that people make, this says
what stands there and what would be right.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

from monitor.core.toml_lines import headed, last_named, shown, unclosed_text

SYNTAX = "the syntax of TOML, see docs/protocol-files.md"
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_TWICE = ("overwrite", "twice", "redefine", "immutable")
_HABITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[=\[,{]\s*[“”„‟«»‘’‚]"), 'plain quotes: "text"'),
    (re.compile(r"\r"), "line ends as Unix or Windows write them"),
    (re.compile(r"=\s*\d{1,2}[./]\d{1,2}[./]\d{2,4}|=\s*\d{4}-\d-|=\s*\d{4}-\d\d-\d\b"),
     "a day as year, month, day: 2026-01-05"),
    (re.compile(r"=\s*[+-]?\d+,\d"), "a number with a point, not a comma"),
    (re.compile(r"=\s*[+-]?\."), "a digit before the point"),
    (re.compile(r"=\s*[<>≤≥]"), "a number alone"),
    (re.compile(r"=\s*(?i:true|false|yes|no|on|off)\b"), "true or false, in small letters"),
    (re.compile(r"=\s*[^\W\d_]\w*"), 'text in quotes: "text"'),
    (re.compile(r"=\s*\d+\s+\w"), 'text in quotes, such as "8 weeks"'),
    (re.compile(r"^\s*[\w-]+\s*:"), "key = value, with = between them"),
)  # fmt: skip
"""How a line looks that somebody wrote as they would elsewhere, and how it is written here."""


_BROKEN: tuple[tuple[str, str], ...] = (
    ("Illegal character '\\n'", "a quote that ends the text, on the line where it begins"),
    ("Unclosed inline table", "a comma between two keys, and } behind the last"),
    ("Unclosed array", "a comma between two members, and ] behind the last"),
    ("Unescaped '\\'", "two backslashes for one: \\\\"),
    ("Expected newline", "nothing behind a value on its line but a remark, which begins with #"),
)
"""What the parser stumbled over, and how it is written, where the line itself tells no more."""


class Slip(NamedTuple):
    """Where a text is no TOML: the fault of a file without the file."""

    problem: str
    valid: str = SYNTAX
    line: int | None = None
    key: str = ""


def slip(error: Exception, text: str) -> Slip:
    """What is wrong with a text of which the parser complains."""
    if not isinstance(error, tomllib.TOMLDecodeError):
        return Slip("is no TOML: it holds a number that cannot be read")
    message = str(error)
    place = _PLACE.search(message)
    words = _PLACE.sub("", message).strip()
    if place is None:
        return Slip(f"is no TOML: {words}")
    if place[1] is None:
        return _at_the_end(words, text)
    line, column = int(place[1]), int(place[2])
    if any(word in words for word in _TWICE):
        twice = _stands_twice(_until(text, line, column))
        if twice is not None:
            return twice
    return Slip(f"is no TOML: {words} at column {column}", _meant(words, text, line), line)


def _at_the_end(words: str, text: str) -> Slip:
    found = unclosed_text(text)
    if found is not None:
        quotes = "three quotes" if found.is_long else "a quote"
        problem = f"is no TOML: the text that begins here in {quotes} has no end"
        return Slip(problem, f"{quotes} behind its last word", found.line)
    return Slip(f"is no TOML: {words} at its end", SYNTAX, text.rstrip().count("\n") + 1)


def _until(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[: line - 1], lines[line - 1][: column - 1]])


def _stands_twice(text: str) -> Slip | None:
    """A key or table that is there already; what comes before it is TOML."""
    found = last_named(text)
    if found is None:
        return None
    if found.is_listed and found.is_a_table_in is not None:
        name = found.path[:-1]
        problem = f"is one table, and a list of tables in line {found.line}"
        return Slip(problem, f"[[{headed(name)}]]", found.is_a_table_in, shown(name))
    if found.is_header and isinstance(found.path[-1], int) and not found.is_listed:
        problem = "is one table here, and a list of tables above"
        return Slip(problem, f"[[{headed(found.path)}]]", found.line, shown(found.path[:-1]))
    if found.first is None:
        return None
    problem = f"stands a second time; the first is in line {found.first}"
    above = "each once in its table; is a header such as [[rules]] missing above it?"
    return Slip(problem, above, found.line, shown(found.path))


def _meant(words: str, text: str, line: int) -> str:
    lines = text.split("\n")
    written = lines[line - 1] if line <= len(lines) else ""
    broken = (right for start, right in _BROKEN if words.startswith(start))
    return next((it for habit, it in _HABITS if habit.search(written)), next(broken, SYNTAX))
