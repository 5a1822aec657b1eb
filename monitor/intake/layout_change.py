"""Whether a file still has the layout that its source was learned from, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from monitor.config import Source
from monitor.intake.columns import reads_as_row
from monitor.intake.csv import DELIMITERS, Table
from monitor.intake.profile import Evidence, Profile
from monitor.intake.survey import UnreadableFile
from monitor.intake.vocabulary import key_of, vocabulary

_ALIKE = 0.6


def layout_changes(table: Table, source: Source) -> list[str]:
    """What changed in delimiter and columns. A source that was written by hand, without the
    names of its columns, expects no certain layout."""
    if not source.header:
        return []
    if reads_as_row(table.header) and not reads_as_row(source.header):
        columns = ["the line that named the columns is gone: what stands there reads like a row"]
    else:
        columns = column_changes(source.header, table.header)
    return [*_delimiter_changes(table, source), *columns]


def refuse(changes: Sequence[str]) -> NoReturn:
    """Raises UnreadableFile that says every change at once."""
    raise UnreadableFile(
        "the layout is not the one this source was learned from, so nothing was taken: "
        + "; ".join(changes)
        + ". If the laboratory changed it for good: monitor source learn FILE --name NAME "
        "--replace"
    )


def column_changes(learned: Sequence[str], found: Sequence[str]) -> list[str]:
    """What became of the columns: gone, new, renamed, moved, in words."""
    was = {key_of(name): name for name in learned if name}
    now = {key_of(name): name for name in found if name}
    gone = [key for key in was if key not in now]
    new = [key for key in now if key not in was]
    renamed = _renamed(gone, new, learned, found)
    changes = [f'"{was[old]}" is called "{now[key]}" now' for old, key in renamed.items()]
    changes += [f'column "{was[key]}" is gone' for key in gone if key not in renamed]
    fresh = [key for key in new if key not in renamed.values()]
    changes += [f'column "{now[key]}" is new' for key in fresh]
    kept_was = [renamed.get(key, key) for key in was if key in now or key in renamed]
    kept_now = [key for key in now if key in kept_was]
    if kept_was != kept_now and not changes:
        moved = [
            f'"{now[key]}" from column {kept_was.index(key) + 1} to {kept_now.index(key) + 1}'
            for key in _moved(kept_was, kept_now)
        ]
        changes.append(f"columns moved: {', '.join(moved)}")
    elif kept_was != kept_now:
        changes.append("the order of the columns changed")
    return changes


def _renamed(
    gone: Sequence[str], new: Sequence[str], learned: Sequence[str], found: Sequence[str]
) -> dict[str, str]:
    """Columns that are gone, with a new one that means the same, stands in the same place or is
    called alike."""
    was = [key_of(name) for name in learned]
    now = [key_of(name) for name in found]
    pairs: dict[str, str] = {}
    for old in gone:
        place = was.index(old)
        meaning = vocabulary().column_of(old)
        means = next((key for key in new if meaning and _means(key) == meaning), "")
        same = now[place] if len(was) == len(now) and now[place] in new else ""
        alike = get_close_matches(old, [key for key in new if key not in pairs.values()], 1, _ALIKE)
        if means and means not in pairs.values():
            pairs[old] = means
        elif same and same not in pairs.values():
            pairs[old] = same
        elif alike:
            pairs[old] = alike[0]
    return pairs


def _means(key: str) -> str:
    return vocabulary().column_of(key)


def _moved(was: Sequence[str], now: Sequence[str]) -> list[str]:
    return [key for index, key in enumerate(now) if was[index] != key]


def _delimiter_changes(table: Table, source: Source) -> list[str]:
    if table.sheet or not source.delimiter:
        return []
    learned = DELIMITERS.get(source.delimiter, source.delimiter)
    if table.delimiter_title == learned:
        return []
    return [f"it is separated by {table.delimiter_title}, no longer by {learned}"]


def notation_changes(profile: Profile, source: Source) -> list[str]:
    """What changed in the order of dates and in the decimal mark."""
    if not source.header:
        return []
    changes = []
    against: dict[str, tuple[Evidence, str]] = {
        "day_first": (profile.month_first, "month first"),
        "month_first": (profile.shows_day_first, "day first"),
    }
    for order in ("iso", "year_first"):
        first = profile.day_first if profile.day_first.count else profile.month_first
        against[order] = (first, "day first" if profile.day_first.count else "month first")
    evidence, order = against.get(source.date_format, (Evidence(), ""))
    if evidence.count:
        was = source.date_format.replace("_", " ")
        changes.append(f"dates are {order} (line {evidence.line}), no longer {was}")
    comma, point = profile.marks
    if source.decimal_comma and point.count and not comma.count:
        changes.append(f"a point marks decimals (line {point.line}), no longer a comma")
    if source.decimal_comma is False and comma.count and not point.count:
        changes.append(f"a comma marks decimals (line {comma.line}), no longer a point")
    return changes
