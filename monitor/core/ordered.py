"""Results in order, and what is asked of them again and again, reckoned once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from monitor.core.case import Result


@dataclass(frozen=True, slots=True)
class Extremes:
    """The lowest and the highest of some exact values."""

    lowest: Decimal
    highest: Decimal


class Ordered(tuple[Result, ...]):
    """Results as they follow each other; they never change."""

    @cached_property
    def _by_analyte(self) -> Mapping[str, Sequence[Result]]:
        found: dict[str, list[Result]] = defaultdict(list)
        for result in self:
            found[result.analyte].append(result)
        return dict(found)

    def of(self, *analytes: str) -> Sequence[Result]:
        """Those of these analytes, in their order here."""
        there = [name for name in analytes if name in self._by_analyte]
        if len(there) > 1:
            return [result for result in self if result.analyte in there]
        return self._by_analyte[there[0]] if there else ()

    @cached_property
    def _extremes(self) -> dict[str, Extremes | None]:
        return {}

    def extremes(self, analyte: str) -> Extremes | None:
        """Of all values of an analyte; None where there are none, or one is only a bound."""
        if analyte not in self._extremes:
            own = self.of(analyte)
            values = [result.value for result in own if result.value is not None]
            exact = values and not any(result.comparator for result in own)
            self._extremes[analyte] = Extremes(min(values), max(values)) if exact else None
        return self._extremes[analyte]

    @cached_property
    def _days(self) -> dict[str, frozenset[date]]:
        return {}

    def days(self, analyte: str) -> frozenset[date]:
        """The days on which an analyte has a valid result."""
        if analyte not in self._days:
            own = self.of(analyte)
            self._days[analyte] = frozenset(it.collected_on for it in own if it.is_valid)
        return self._days[analyte]
