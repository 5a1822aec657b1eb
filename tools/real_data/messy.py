"""A multisite trial's results as people type them: seven shapes of dates in one column, units
glued to numbers, one range in a cell.

`results.csv` is written. A cell that holds number and unit is parted in two, its characters
unchanged; where the glued unit is not the row's own, the cell stays as it is, for quarantine.
The order of day and month is settled shape by shape: by the dates of the shape that can be
read one way only. A shape whose dates settle it both ways, or not at all, stays as it is.
The lower-case subject numbers stay too: MRNs are compared regardless of case.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from tools.real_data.prepared import (
    RESULT_COLUMNS,
    Load,
    Prepared,
    assemble,
    day_of,
    first_days,
    read_text,
    seen_on,
    write_rows,
)

_NUMERIC_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})")
_WORDED = ("%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%d %B %Y")
_DAY_FIRST, _MONTH_FIRST = "day", "month"


def prepare(folder: Path, out: Path) -> Prepared:
    typed = read_text(folder / "multisite_lab_results.csv")
    parted = [part(*cell) for cell in zip(typed["result"], typed["unit"], strict=True)]
    orders = settle(typed["sample_date"])
    limits = typed["normal_range"].str.extract(r"^\s*([\d.]+)\s*-\s*([\d.]+)").fillna("")
    rows = pd.DataFrame(
        {
            "mrn": typed["subject_id"],
            "collected_at": typed["sample_date"].map(lambda text: read_date(text, orders)),
            "analyte": typed["test_name"],
            "value": [value for value, _ in parted],
            "unit": [unit for _, unit in parted],
            "ref_low": limits[0],
            "ref_high": limits[1],
        }
    )
    path = write_rows(rows[[*RESULT_COLUMNS, "ref_low", "ref_high"]], out)
    days = rows["collected_at"]
    dated = days.str.fullmatch(r"\d{4}-\d{2}-\d{2}")
    people = first_days(rows["mrn"].str.upper()[dated], day_of(days)[dated])
    return assemble(
        people, (Load(path=path, source="messy"),), seen_on(rows["mrn"].str.upper(), days)[dated]
    )


def part(result: str, unit: str) -> tuple[str, str]:
    """Number and unit of a cell that holds both."""
    if not result.endswith((unit, f"({unit})")) or not unit:
        return result, unit
    number = result.removesuffix(f"({unit})").removesuffix(unit).strip()
    return (number, unit) if re.fullmatch(r"[<>]?\s*\d+(\.\d+)?", number) else (result, unit)


def settle(texts: pd.Series) -> dict[tuple[str, int], str]:
    """Which of day and month comes first in each numeric shape (separator, length of year)."""
    seen: dict[tuple[str, int], set[str]] = {}
    for match in filter(None, map(_NUMERIC_DATE.fullmatch, texts)):
        votes = seen.setdefault((match[2], len(match[4])), set())
        if int(match[1]) > 12:
            votes.add(_DAY_FIRST)
        elif int(match[3]) > 12:
            votes.add(_MONTH_FIRST)
    return {shape: votes.pop() for shape, votes in seen.items() if len(votes) == 1}


def read_date(text: str, orders: dict[tuple[str, int], str]) -> str:
    """The date as ISO; the text itself where its shape is not settled."""
    match = _NUMERIC_DATE.fullmatch(text)
    if match is None:
        return _worded(text)
    order = orders.get((match[2], len(match[4])))
    if order is None:
        return text
    day, month = (match[1], match[3]) if order == _DAY_FIRST else (match[3], match[1])
    year = match[4] if len(match[4]) == 4 else f"20{match[4]}"
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _worded(text: str) -> str:
    for shape in _WORDED:
        moment = pd.to_datetime(text, format=shape, errors="coerce")
        if not pd.isna(moment):
            return str(moment.date())
    return text
