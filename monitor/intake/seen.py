"""Which codes a file has and what they were taken for, counted for a preview and for learning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.core.catalogue import Catalogue
from monitor.intake.nearest import nearest_analyte
from monitor.intake.outcomes import Held, Outcome, Taken
from monitor.intake.raw import BadLine, RawRow

_CODES_LIMIT = 2000
_UNITS_SHOWN = 6


@dataclass(slots=True)
class CodeSeen:
    """One code or name of theirs."""

    code: str
    analyte: str = ""
    """Ours; empty where it is unknown."""
    ignored: bool = False
    rows: int = 0
    units: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows were held, by the code of the reason."""
    nearest: str = ""
    """For an unknown code: the analyte it may mean, in words."""

    def document(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "analyte": self.analyte or None,
            "ignored": self.ignored,
            "rows": self.rows,
            "units": [unit for unit, _ in self.units.most_common(_UNITS_SHOWN)],
            "held": dict(self.reasons.most_common()),
            "nearest": self.nearest or None,
        }


class Seen:
    """Counts the codes of a file, the first so many of them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._codes: dict[str, CodeSeen] = {}
        self.left_out = 0
        """Rows of codes beyond the limit."""

    def add(self, rows: Sequence[RawRow | BadLine], outcomes: Iterable[Outcome]) -> None:
        """Count rows with what became of them, in the same order."""
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(row, RawRow):
                self._add(row, outcome)

    def _add(self, row: RawRow, outcome: Outcome) -> None:
        raw = outcome.raw if isinstance(outcome, Taken | Held) else None
        code = (raw or row).analyte.strip()
        if code not in self._codes and len(self._codes) >= _CODES_LIMIT:
            self.left_out += 1
            return
        seen = self._codes.setdefault(code, CodeSeen(code))
        seen.rows += 1
        seen.units[row.unit.strip()] += 1
        if isinstance(outcome, Taken):
            seen.analyte = outcome.analyte
        elif isinstance(outcome, Held):
            seen.analyte = seen.analyte or outcome.analyte
            seen.reasons[outcome.code] += 1
        else:
            seen.ignored = True

    def codes(self) -> tuple[CodeSeen, ...]:
        """Known ones first, the most frequent of each kind first."""
        found = sorted(self._codes.values(), key=lambda it: (not it.analyte, -it.rows, it.code))
        for seen in found:
            if not (seen.analyte or seen.ignored):
                seen.nearest = nearest_analyte(self._catalogue, seen.code, seen.units)
        return tuple(found)
