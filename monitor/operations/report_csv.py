"""A report as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from monitor.delivery.fields import cell


def as_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows under these names; a text that a spreadsheet would take for a formula is quoted."""
    return "".join(csv_lines(names, rows))


def csv_lines(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The same of any number of rows, line by line."""
    yield _line(names, dict(zip(names, names, strict=True)))
    for row in rows:
        yield _line(names, {name: cell(row.get(name, "")) for name in names})


def _line(names: Sequence[str], cells: Mapping[str, Any]) -> str:
    written = io.StringIO(newline="")
    csv.DictWriter(written, names, lineterminator="\n").writerow(cells)
    return written.getvalue()
