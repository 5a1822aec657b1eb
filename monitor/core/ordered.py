"""Results in order, found by analyte without looking through all of them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from monitor.core.case import Result


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
