"""A rota file: who is on call, by week.

CSV with a header: `week, name, addresses, telephone`. `week` is an ISO week (`2026-W49`) or
any day of it (`2026-11-30`); `addresses` are separated by spaces; several lines of one week
are several people on call together. Further columns are for people.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date, timedelta

from monitor.core.contacts import Shift

_ISO_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE)
NEEDED = ("week", "name", "addresses")


def read_rota(text: str) -> tuple[tuple[Shift, ...], tuple[str, ...]]:
    """The shifts of a rota file, and what is wrong with it: each fault with its line. A line
    that cannot be read takes none of the others with it."""
    sample = text.lstrip("\ufeff")
    head = sample.splitlines()[0] if sample.strip() else ""
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(sample), delimiter=delimiter)
    header = [name.strip().lower() for name in next(rows, [])]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        needed = ", ".join(NEEDED)
        return (), (f"line 1: no column {', '.join(missing)}; a rota has {needed}, telephone",)
    shifts, faults = [], []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
        try:
            shifts.append(_shift(cells))
        except ValueError as error:
            faults.append(f"line {rows.line_num}: {error}")
    if not shifts and not faults:
        faults.append("nobody is in it")
    return tuple(shifts), tuple(faults)


def _shift(cells: Mapping[str, str]) -> Shift:
    addresses = tuple(cells.get("addresses", "").split())
    wrong = [it for it in addresses if "@" not in it and ":" not in it]
    if not addresses:
        raise ValueError("no address; who is on call must be reachable")
    if wrong:
        raise ValueError(f"{wrong[0]}: not an address; several are separated by spaces")
    if not cells.get("name"):
        raise ValueError("no name; say who is on call")
    return Shift(
        week=_monday(cells.get("week", "")),
        name=cells["name"],
        addresses=addresses,
        telephone=cells.get("telephone", ""),
    )


def _monday(text: str) -> date:
    match = _ISO_WEEK.fullmatch(text)
    try:
        if match is not None:
            return date.fromisocalendar(int(match[1]), int(match[2]), 1)
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r}: not a week; one is written 2026-W49 or 2026-11-30") from None
    return day - timedelta(days=day.weekday())
