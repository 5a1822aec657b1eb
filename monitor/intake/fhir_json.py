"""JSON to FHIR resources, one at a time: Bundles entry by entry, NDJSON line by line.

A file is never held whole, so its size does not matter; one resource may be LARGEST characters
long. A resource that cannot be read costs itself and nothing else. Numbers stay the text that
was written: no rounding, no exponent blown up. NaN and keys that stand twice are refused, for
nobody knows which value was meant.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TextIO

from monitor.intake.raw import BadLine, OtherMessage
from monitor.intake.storable import storable
from monitor.intake.survey import Survey, decoder_of

LARGEST = 1 << 24
"""Characters of one resource, or of one member of a Bundle other than its entries."""
KEPT = 2000
"""Characters of what cannot be read that quarantine keeps."""

_BLOCK = 1 << 18
_LINES = (".ndjson", ".jsonl")
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_OUTSIDE, _INSIDE = re.compile(r'["{}\[\]]'), re.compile(r'["\\]')
_NO_SIGN = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_VERB = re.compile(r"[A-Z]{1,10}")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A resource where it stands: line, path (`entry[4]`), its fullUrl, and what it says.

    A Bundle comes without its entries, which are resources of their own.
    """

    line: int
    place: str
    url: str
    body: Body


Item = Found | BadLine | OtherMessage


class _Unlawful(ValueError):
    """JSON that leaves open what is meant."""


def json_resources(survey: Survey) -> Iterator[Item]:
    """The resources of a JSON or NDJSON file, in the order in which they stand there."""
    codec, errors = decoder_of(survey.encoding)
    with survey.open() as raw, io.TextIOWrapper(raw, encoding=codec, errors=errors) as stream:
        if _is_lines(survey, stream):
            stream.seek(0)
            yield from _lines(stream)
        else:
            stream.seek(0)
            yield from _Reading(stream).resources()


def _is_lines(survey: Survey, stream: TextIO) -> bool:
    """Whether each line is a resource of its own."""
    if survey.path.suffix.casefold() in _LINES:
        return True
    lines = (stream.readline(LARGEST).strip(" \t\r\n\ufeff") for _ in range(2))
    first, second = lines
    return first.startswith("{") and first.endswith("}") and second.startswith("{")


def _lines(stream: TextIO) -> Iterator[Item]:
    number = 0
    while line := stream.readline(LARGEST):
        number += 1
        if len(line) == LARGEST and not line.endswith("\n"):
            while (rest := stream.readline(LARGEST)) and not rest.endswith("\n"):
                pass
            yield _bad(number, "", _too_long(), line)
            continue
        text = line.strip(" \t\r\n\ufeff")
        if not text:
            continue
        try:
            value = _storable(_DECODER.decode(text), text)
        except (ValueError, RecursionError) as error:
            yield _bad(number, "", _why(error), text)
        else:
            yield from _whole(value, number, "", "")


def _whole(value: Any, line: int, place: str, url: str) -> Iterator[Item]:
    """A value that was read as a whole; a Bundle is taken apart."""
    if not isinstance(value, dict):
        yield _bad(line, place, "no FHIR resource: no JSON object", json.dumps(value)[:KEPT])
    elif value.get("resourceType") == "Bundle":
        entries = value.get("entry")
        if not place:
            yield Found(line, "", url, {name: it for name, it in value.items() if name != "entry"})
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            inner = f"{place}.resource." if place else ""
            yield from _entry(entry, line, f"{inner}entry[{number}]")
    else:
        yield Found(line, place, url, value)


def _entry(entry: Any, line: int, place: str) -> Iterator[Item]:
    if not isinstance(entry, dict):
        yield _bad(line, place, "an entry that is no JSON object", json.dumps(entry)[:KEPT])
    elif "resource" in entry:
        url = entry.get("fullUrl")
        yield from _whole(entry["resource"], line, place, url if isinstance(url, str) else "")
    else:
        request = entry.get("request")
        verb = request.get("method") if isinstance(request, dict) else ""
        known = isinstance(verb, str) and _VERB.fullmatch(verb)
        yield OtherMessage(line, f"{verb} without a resource" if known else "empty entry")


class _Reading:
    """JSON on its way to resources: values after one another, arrays, Bundles."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def resources(self) -> Iterator[Item]:
        while sign := self._next():
            if sign == "{":
                yield from self._object()
            elif sign == "[":
                yield from self._elements("", is_entries=False)
            else:
                yield self._refuse("", "no JSON: an object begins with {")
                return

    def _object(self) -> Iterator[Item]:
        """An object member by member; the entries of a Bundle go out as they come."""
        line, members, broken, began = self._line, Body(), False, self._shown()
        self._skip_to(self._at + 1)
        while (sign := self._next()) == '"':
            try:
                key = self._member()
                if key == "entry" and self._next() == "[" and _may_be_bundle(members):
                    members.setdefault("resourceType", "Bundle")
                    yield from self._elements("entry", is_entries=True)
                elif key in members and not (key == "resourceType" and members[key] == "Bundle"):
                    raise _Unlawful(f'the key "{key[:40]}" stands twice')
                else:
                    members[key] = self._value()
            except (ValueError, RecursionError) as error:
                yield _bad(line, "", _why(error), began)
                broken = True
                if not self._leave(depth=1):
                    return
                break
            if self._next() == ",":
                self._skip_to(self._at + 1)
        if broken:
            return
        if sign != "}":
            yield _bad(line, "", "not complete: its closing } is missing", began)
            self._leave(depth=1)
            return
        self._skip_to(self._at + 1)
        yield Found(line, "", "", members)

    def _member(self) -> str:
        """Past the key of a member and its colon."""
        key = self._value()
        if self._next() != ":":
            raise ValueError("a key without a value")
        self._skip_to(self._at + 1)
        self._next()
        return str(key)

    def _elements(self, name: str, *, is_entries: bool) -> Iterator[Item]:
        """The elements of an array, one at a time."""
        number = 0
        self._skip_to(self._at + 1)
        while (sign := self._next()) and sign != "]":
            line, place = self._line, f"{name}[{number}]"
            try:
                value = self._value()
            except (ValueError, RecursionError) as error:
                yield self._refuse(place, _why(error))
                if sign not in "{[" or not self._leave():
                    self._leave(depth=1)
                    return
            else:
                yield from (
                    _entry(value, line, place) if is_entries else _whole(value, line, place, "")
                )
            number += 1
            if self._next() == ",":
                self._skip_to(self._at + 1)
        if sign:
            self._skip_to(self._at + 1)
        else:
            yield _bad(self._line, name, "not complete: the file ends within a list", "")

    def _value(self) -> Any:
        """The value that begins here, read as a whole. Raises ValueError or RecursionError."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except _Unlawful:
                raise
            except json.JSONDecodeError:
                if len(self._text) - self._at > LARGEST:
                    raise ValueError(_too_long()) from None
                if not self._more():
                    raise
            else:
                if end < len(self._text) or not self._more():  # a number may go on
                    text = self._text[self._at : end]
                    self._skip_to(end)
                    return _storable(value, text)

    def _refuse(self, place: str, why: str) -> BadLine:
        return _bad(self._line, place, why, self._shown())

    def _shown(self) -> str:
        return self._text[self._at : self._at + KEPT]

    def _next(self) -> str:
        """The next sign that is no space; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._skip_to(match.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on; False at the end. Twice as much each time, so that one long value costs no
        more than a few readings."""
        if self._ended:
            return False
        rest = self._text[self._at :]
        block = self._stream.read(max(_BLOCK, len(rest)))
        self._ended = not block
        self._text, self._at = rest + block, 0
        return not self._ended

    def _skip_to(self, place: int) -> None:
        self._line += self._text.count("\n", self._at, place)
        self._at = place

    def _leave(self, depth: int = 0) -> bool:
        """Past the value that begins here, or out of `depth` open ones, by brackets alone;
        False where its end is missing."""
        quoted = False
        while True:
            match = (_INSIDE if quoted else _OUTSIDE).search(self._text, self._at)
            if match is None:
                self._skip_to(len(self._text))
                if not self._more():
                    return False
                continue
            self._skip_to(match.end())
            sign = match[0]
            if sign == "\\":
                if self._at == len(self._text) and not self._more():
                    return False
                self._skip_to(self._at + 1)
            elif sign == '"':
                quoted = not quoted
            else:
                depth += 1 if sign in "{[" else -1
                if depth <= 0:
                    return True


def _may_be_bundle(members: Body) -> bool:
    return bool(members.get("resourceType", "Bundle") == "Bundle")


def _unique(pairs: list[tuple[str, Any]]) -> Body:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise _Unlawful(f'the key "{twice[:40]}" stands twice')
    return found


def _no_number(word: str) -> NoReturn:
    raise _Unlawful(f"{word} is no number in JSON")


_DECODER = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_unique
)


def _storable(value: Any, text: str) -> Any:
    """A value without the signs that no database takes, NUL and halves of surrogates, which JSON
    can name by escapes alone."""
    return _without_them(value) if _NO_SIGN.search(text) else value


def _without_them(value: Any) -> Any:
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return storable(whole)
    if isinstance(value, list):
        return [_without_them(it) for it in value]
    if isinstance(value, dict):
        return {_without_them(name): _without_them(it) for name, it in value.items()}
    return value


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return "not readable as JSON"
    return str(error)


def _too_long() -> str:
    return f"longer than {LARGEST // 2**20} MiB"


def _bad(line: int, place: str, why: str, text: str) -> BadLine:
    return BadLine(line, "json", f"a resource that cannot be read: {why}", text[:KEPT], place)
