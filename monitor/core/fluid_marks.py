"""The fluid that a laboratory writes beside the name of an analyte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

_FLUID_BEHIND = re.compile(
    r"(?P<name>.*\S)\s*(?:[(\[](?P<brackets>[^()\[\]]+)[)\]]|\s(?:im|in|i\.|en|w|v)\s*(?P<words>\S.*))"
)
_SHORT_FLUID = 3
"""Letters of a fluid (`B`, `vB`, `Pt`) that counts only where a hyphen or a semicolon parts it."""


def parted_fluids(text: str, marks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What remains of a name without a fluid beside it, and that fluid; first what is behind it."""
    folded = text.casefold()
    spelt_out = [mark for mark in marks if len(mark) > _SHORT_FLUID]
    if behind := _FLUID_BEHIND.fullmatch(text):
        fluid = (behind["brackets"] or behind["words"]).rstrip(".")
        if fluid.casefold() in map(str.casefold, marks):
            yield behind["name"], fluid
    for sign in (";", ", "):
        ends = ((it, f"{sign}{it}") for it in marks)
        yield from ((text.removesuffix(end), it) for it, end in ends if text.endswith(end))
    yield from (
        (text[: -len(it)].rstrip(" ,-:"), it.strip())
        for it in marks
        if (it.startswith(" ") and text.endswith(it))
        or (it in spelt_out and folded.endswith(f" {it.casefold()}"))
    )
    if before := _fluid_before(tuple(marks)).match(text):
        yield text[before.end() :], before["fluid"]
    yield from ((text[len(it) :], it) for it in spelt_out if folded.startswith(f"{it.casefold()} "))
    if text.startswith("S."):
        yield text.removeprefix("S."), "S"


@lru_cache(4)
def _fluid_before(marks: tuple[str, ...]) -> re.Pattern[str]:
    """`P-ALAT`, `B -Leuk` as in Finland, `S_ALT` as in the Czech Republic."""
    longest_first = sorted(marks, key=len, reverse=True)
    return re.compile(rf"(?P<fluid>{'|'.join(map(re.escape, longest_first))})\s?[-_]\s?(?=\S)")
