"""The answers of commands that are meant for programs: one JSON document each, however long."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

_PIECE = 500
_IN_MEMORY = 8 * 2**20
"""Signs of an answer; of a longer one the rest lies in a file without a name."""
_KEPT = "surrogatepass"


def print_json(document: Any) -> None:
    """The one JSON document of a command."""
    sys.stdout.write(_encoder().encode(document) + "\n")


def print_json_list(items: Iterable[Any]) -> None:
    """The same of a list of any length, which memory need not hold."""
    print_lines(_list_of(items))


def print_json_around(
    head: Mapping[str, Any],
    name: str,
    items: Iterable[Any],
    ending: Callable[[], Mapping[str, Any]],
) -> None:
    """The same of an object that holds such a list under a name, after what is known at once and
    before what is known in the end."""
    print_lines(_object_around(head, name, items, ending))


def print_lines(parts: Iterable[str]) -> None:
    """A long answer. It is written down first: whoever reads it may take their time, and the
    database does not wait for them."""
    from shutil import copyfileobj
    from tempfile import SpooledTemporaryFile  # for a long answer alone

    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as whole:
        whole.writelines(parts)
        whole.seek(0)
        copyfileobj(whole, sys.stdout)


def print_json_sorted(placed: Iterable[tuple[Any, Any]]) -> None:
    """The same of items that come in any order, each with its place: written down as they come,
    and read back in order, so that memory holds their places alone."""
    from tempfile import SpooledTemporaryFile

    encode = _encoder().encode
    with SpooledTemporaryFile(_IN_MEMORY) as whole:
        places = []
        for place, item in placed:
            text = encode([item]).removeprefix("[\n").removesuffix("\n]").encode("utf-8", _KEPT)
            places.append((place, whole.tell(), len(text)))
            whole.write(text)
        mark = "[\n"
        for _, start, length in sorted(places):
            whole.seek(start)
            sys.stdout.write(mark + whole.read(length).decode("utf-8", _KEPT))
            mark = ",\n"
        sys.stdout.write("[]\n" if mark[0] == "[" else "\n]\n")


def _list_of(items: Iterable[Any]) -> Iterator[str]:
    left, mark, encode = iter(items), "[\n", _encoder().encode
    while piece := list(islice(left, _PIECE)):
        yield mark + encode(piece).removeprefix("[\n").removesuffix("\n]")
        mark = ",\n"
    yield "[]\n" if mark[0] == "[" else "\n]\n"


def _object_around(
    head: Mapping[str, Any],
    name: str,
    items: Iterable[Any],
    ending: Callable[[], Mapping[str, Any]],
) -> Iterator[str]:
    encode, mark = _encoder().encode, "\n"
    yield encode(head).removesuffix("\n}") + f',\n  "{name}": ['
    for item in items:
        yield mark + "    " + encode(item).replace("\n", "\n    ")
        mark = ",\n"
    yield "]" if mark == "\n" else "\n  ]"
    last = encode(ending())
    yield "\n}\n" if last == "{}" else ",\n" + last.removeprefix("{\n") + "\n"


def _encoder() -> json.JSONEncoder:
    plain = (sys.stdout.encoding or "utf-8").casefold() not in ("utf-8", "utf8")
    return json.JSONEncoder(ensure_ascii=plain, indent=2, default=str)
