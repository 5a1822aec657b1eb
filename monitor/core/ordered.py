"""Results in order, and what is asked of them again and again, reckoned once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from monitor.core.case import Result


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the values of an analyte reach, all of them exact."""

    lowest: Decimal
    highest: Decimal


Reaches = Mapping[str, tuple[Reach, frozenset[Decimal | None]] | None]
"""Of each analyte with a result: how far its values reach, with the upper reference limits that
came with them; None where that cannot be said."""


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

    @property
    def analytes(self) -> Collection[str]:
        """Those of which there is a result, with a value or without."""
        return self._by_analyte.keys()

    @cached_property
    def _reaches(self) -> dict[str, Reach | None]:
        return {}

    def reach(self, analyte: str) -> Reach | None:
        """Of all values of an analyte; None where there are none, or one is only a bound."""
        if analyte not in self._reaches:
            own = self.of(analyte)
            values = [result.value for result in own if result.value is not None]
            exact = values and not any(result.comparator for result in own)
            self._reaches[analyte] = Reach(min(values), max(values)) if exact else None
        return self._reaches[analyte]

    def ulns(self, analyte: str) -> frozenset[Decimal | None]:
        """The upper reference limits that came with an analyte; None: a result came without."""
        if analyte not in self._ulns:
            ranges = {(it.ref_low, it.ref_high): it for it in self.of(analyte)}
            self._ulns[analyte] = frozenset(it.usable_uln for it in ranges.values())
        return self._ulns[analyte]

    @cached_property
    def _ulns(self) -> dict[str, frozenset[Decimal | None]]:
        return {}

    @cached_property
    def _days(self) -> dict[str, frozenset[date]]:
        return {}

    def days(self, analyte: str) -> frozenset[date]:
        """The days on which an analyte has a valid result."""
        if analyte not in self._days:
            own = self.of(analyte)
            self._days[analyte] = frozenset(it.collected_on for it in own if it.is_valid)
        return self._days[analyte]
