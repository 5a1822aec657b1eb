"""What a line beside a table says of the whole report, without naming it: `PRELIMINARY REPORT`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from monitor.core.vocabulary import Status
from monitor.intake.vocabulary import key_of, vocabulary

_LONGEST = 160
_PARTS = re.compile(r"[.,;:!()\[\]/|*#=_-]+(?=\s|$)|\s[-\u2013\u2014]\s")
_MOST_CELLS = 2
_VOID = "void"
"""What is said of a report that there is none: its rows have a status that nobody knows."""


def banner_in(cells: Sequence[str], *, above: bool) -> str:
    """The status that a line gives to a report; empty where it gives none. `above`: no row of a
    table can stand there, and any cell may say it; elsewhere `Final` is a row's own."""
    filled = [text for cell in cells if (text := cell.strip())]
    if above:
        return next((status for it in filled if (status := _status_of(it[: _LONGEST + 1]))), "")
    return _status_of(filled[0][: _LONGEST + 1]) if 0 < len(filled) <= _MOST_CELLS else ""


@lru_cache(4096)
def _status_of(text: str) -> str:
    """Of `*** Preliminary results - subject to change ***`, the words before the first mark or
    break: all of them are words for a report but for one, which says what kind of one it is."""
    parts = [part for part in _PARTS.split(text.strip(" *#=-_")) if part.strip()]
    if not parts or len(text) > _LONGEST:
        return ""
    words = [key for word in parts[0].split() if (key := key_of(word))]
    if len(words) == 1 and words[0] in vocabulary().banner_reports and len(parts) > 1:
        words += [key for word in parts[1].split() if (key := key_of(word))]
    told = [word for word in words if word not in vocabulary().banner_reports]
    kind = _kind_of("".join(told)) if told else ""
    if kind == _VOID:
        return text if len(parts) == 1 else ""
    return kind


def _kind_of(word: str) -> str:
    """A word as it is written in any case and gender: `vorläufiger`."""
    for kind, stems in vocabulary().banners.items():
        if any(word.startswith(it) and len(word) <= len(it) + 3 for it in stems):
            return kind if kind == _VOID else Status(kind).value
    return ""
