"""What the columns of an unknown laboratory may be, by what stands in them: a last resort of
`source learn`, to be confirmed by a person, never of a load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import islice

from monitor.core.catalogue import Catalogue
from monitor.core.units import Number, parse_number
from monitor.intake.csv import Record, Table
from monitor.intake.dates import day_in_any_order

_LOOKED_AT = 300
_MOST = 0.8
_MANY = 0.5
_FIRST_YEAR = 1990


def guessed_columns(
    table: Table,
    missing: Sequence[str],
    taken: Sequence[int],
    catalogue: Catalogue,
    is_mrn: Callable[[str], bool],
) -> Mapping[str, str]:
    """Our missing columns, each with the name of the one column whose cells look like it; where
    several do, the first."""
    rows = table.read()
    records = [it for it in islice(rows, _LOOKED_AT) if isinstance(it, Record)]
    rows.close()
    tests: dict[str, tuple[Callable[[str], bool], float]] = {
        "mrn": (is_mrn, 0.0),
        "collected_at": (_is_date, _MOST),
        "analyte": (lambda text: catalogue.find(text) is not None, _MANY),
        "unit": (
            lambda text: catalogue.spelling.normal(text) is not None and _is_unit(text, catalogue),
            _MANY,
        ),
        "value": (_is_number, _MANY),
    }
    found: dict[str, str] = {}
    free = [i for i, name in enumerate(table.header) if name and i not in taken]
    for name, (holds, share) in tests.items():
        if name not in missing:
            continue
        shares = {i: _share(records, i, holds) for i in free}
        best = max(shares, key=lambda i: shares[i], default=None)
        if best is not None and shares[best] > share:
            found[name] = table.header[best]
            free.remove(best)
    return found


def looks_like_a_value(text: str) -> bool:
    """Whether a cell is a number or a date, and so no name of a column."""
    return _is_number(text) or day_in_any_order(text) is not None


def _share(records: Sequence[Record], position: int, holds: Callable[[str], bool]) -> float:
    cells = [record.cells[position].strip() for record in records]
    filled = [cell for cell in cells if cell]
    return sum(map(holds, filled)) / len(filled) if filled else 0.0


def _is_date(text: str) -> bool:
    day = day_in_any_order(text)
    return day is not None and date(_FIRST_YEAR, 1, 1) <= day


def _is_number(text: str) -> bool:
    return any(
        isinstance(parse_number(text, decimal_comma=comma), Number) for comma in (False, True)
    )


def _is_unit(text: str, catalogue: Catalogue) -> bool:
    return any(analyte.factor(text) is not None for analyte in catalogue.analytes.values() if text)
