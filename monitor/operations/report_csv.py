"""A report as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def as_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows under these names; a text that a spreadsheet would take for a formula is quoted."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(row.get(name, "")) for name in names} for row in rows)
    return written.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value
