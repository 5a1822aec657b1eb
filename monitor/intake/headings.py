"""Headers of more than one line: units or limits in a line below or above the names, and names
in two lines (`WBC` over `Result` and `Unit`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from monitor.intake.csv import Record
from monitor.intake.dates import day_in_any_order
from monitor.intake.ranges import limits_of
from monitor.intake.raw import BadLine
from monitor.intake.records import fitting
from monitor.intake.vocabulary import vocabulary
from monitor.intake.wide import Known, split_unit

_VALUE = re.compile(r"[-+]?\d+(?:[.,]\d+)*\s*[HLN*]{0,2}")
"""`3.1`, `12 H`: what a row of somebody holds, and no unit or limit."""
_BRACKETED = re.compile(r"[\[(]([^\[\]()]+)[\])]")
_BESIDE = {"unit": "unit", "range": "range", "flag": "flag", "comment": "comment"}


def with_units(
    header: Sequence[str], above: Record | None, rows: list[Record | BadLine], known: Known
) -> tuple[list[str], list[Record | BadLine]]:
    """The header with the units that the line above it or below it gives, and the rows without
    that line; limits below become a column beside each analyte's."""
    names = list(header)
    columns = [
        index
        for index, name in enumerate(names)
        if name and not vocabulary().column_of(name) and known.analyte(split_unit(name, known)[0])
    ]
    if not columns:
        return names, rows
    if rows and isinstance(rows[0], Record) and _names_parts(rows[0], columns):
        joined = two_lines(names, [cell.strip() for cell in rows[0].cells], known)
        return with_units(joined, above, rows[1:], known)
    if above is not None and _are_units(above, names, columns, known):
        names = _with_units_of(above, names, columns)
    ranges: Record | None = None
    rest = list(rows)
    for _ in range(2):
        first = rest[0] if rest else None
        if not isinstance(first, Record):
            break
        if _are_units(first, names, columns, known):
            names = _with_units_of(first, names, columns)
        elif ranges is None and _are_limits(first, names, columns):
            ranges = first
        else:
            break
        rest = rest[1:]
    return _with_ranges(names, rest, ranges, columns) if ranges is not None else (names, rest)


def _names_parts(record: Record, columns: Sequence[int]) -> bool:
    """Whether a line only says what stands in each column of an analyte: `Result`, `Unit`."""
    words = [cell for cell in record.cells if cell.strip()]
    roles = {vocabulary().column_of(cell) for cell in words}
    values = [text for _, text in _cells_of(record, columns)]
    return (
        len(words) > 1
        and roles <= {"value", "value_text", *_BESIDE}
        and any(vocabulary().column_of(text) == "value" for text in values)
    )


def _are_units(record: Record, names: Sequence[str], columns: Sequence[int], known: Known) -> bool:
    units = _cells_of(record, columns)
    if not units or not _is_nobodys(record, names, _with_nameless(columns, names, record)):
        return False
    return all(known.unit(split_unit(names[i], known)[0], text) for i, text in units)


def _with_nameless(columns: Sequence[int], names: Sequence[str], record: Record) -> Sequence[int]:
    """The columns with those beside them that only this line names (`flag`)."""
    cells = record.cells
    nameless = [
        index
        for index, name in enumerate(names)
        if not name and index < len(cells) and vocabulary().column_of(cells[index]) in _BESIDE
    ]
    return [*columns, *nameless]


def _are_limits(record: Record, names: Sequence[str], columns: Sequence[int]) -> bool:
    """One range at least, and nothing but limits: a value is never a range."""
    limits = [limits_of(text) for _, text in _cells_of(record, columns)]
    both = any(low and high for low, high in limits)
    return both and all(map(any, limits)) and _is_nobodys(record, names, columns)


def _cells_of(record: Record, columns: Sequence[int]) -> list[tuple[int, str]]:
    cells = record.cells
    return [(i, cells[i].strip()) for i in columns if i < len(cells) and cells[i].strip()]


def _is_nobodys(record: Record, names: Sequence[str], columns: Sequence[int]) -> bool:
    """No patient, no date: beside the analytes at most a word (`Unit`), and units or limits of
    what nobody knows (`MCHC`)."""
    others = [
        (vocabulary().column_of(names[i]) if i < len(names) else "", cell.strip())
        for i, cell in enumerate(record.cells)
        if i not in columns and cell.strip()
    ]
    of_ours = [text for ours, text in others if ours]
    of_others = [text for ours, text in others if not ours]
    if len(of_ours) > 1 or any(map(str.isdigit, "".join(of_ours))):
        return False
    return not any(_VALUE.fullmatch(it) or day_in_any_order(it) for it in of_others)


def _with_units_of(record: Record, names: Sequence[str], columns: Sequence[int]) -> list[str]:
    changed = list(names)
    for index, unit in _cells_of(record, columns):
        if "[" not in changed[index]:
            whole = _BRACKETED.fullmatch(unit)
            changed[index] = f"{changed[index]} [{whole[1] if whole else unit}]"
    return changed


def _with_ranges(
    names: Sequence[str], rows: Sequence[Record | BadLine], ranges: Record, columns: Sequence[int]
) -> tuple[list[str], list[Record | BadLine]]:
    """The limits as a column more beside each analyte, alike in every row."""
    limits = _cells_of(ranges, columns)
    more = [f"{names[index].split(' [')[0]} range" for index, _ in limits]
    texts = [text for _, text in limits]
    copies = (it if isinstance(it, BadLine) else Record(it.line, list(it.cells)) for it in rows)
    wider = [
        it if isinstance(it, BadLine) else Record(it.line, [*it.cells, *texts])
        for it in fitting(copies, list(names))
    ]
    return [*names, *more], wider


def two_lines(upper: Sequence[str], lower: Sequence[str], known: Known) -> list[str]:
    """The names of two lines put together: a title above several columns belongs to each."""
    width = max(len(upper), len(lower))
    above = [*upper, *[""] * (width - len(upper))]
    below = [*lower, *[""] * (width - len(lower))]
    names, title = [], ""
    beside = Counter(below)
    for index in range(width):
        title = above[index] or (title if below[index] else "")
        names.append(_joined(title, below[index], beside, known))
    return names


def _joined(upper: str, lower: str, beside: Counter[str], known: Known) -> str:
    if not upper or not lower:
        return upper or lower
    both = f"{upper} {lower}"
    if vocabulary().column_of(both):
        return both
    if known.analyte(split_unit(upper, known)[0]):
        role = vocabulary().column_of(lower)
        if role in ("value", "value_text"):
            return upper
        if role in _BESIDE:
            return f"{upper} {_BESIDE[role]}"
    if beside[lower] > 1:
        return both
    return lower
