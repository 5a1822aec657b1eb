"""Results of which only what an earlier review left is known, and those that came since.

Most rules never made anything of anybody's results, and new ones lie beyond no limit. A review
asks such results what it asks of any: which analytes there are, how far they reach, on which
days they were measured. Whoever has to see results that were not read gets `NotRead`, which names
them; they are read then, and the question is asked again. Nothing here compares a value with a
limit (docs/adr/0057).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from heapq import merge
from typing import TYPE_CHECKING

from monitor.core.baselines import BaselineTerms, common_baseline
from monitor.core.case import Result
from monitor.core.ordered import Ordered, Reach, Remembered, in_order, remembered

if TYPE_CHECKING:
    from monitor.core.protocol import Rule


class NotRead(Exception):
    """Results of some analytes (None: all) would have to be read."""

    def __init__(self, analytes: frozenset[str] | None) -> None:
        super().__init__("results that were not read")
        self.analytes = analytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a review leaves of the results of an enrolment that stands alone."""

    start: date
    """The first dose that rules were asked by."""
    indication: str
    of: Mapping[str, Remembered]
    open: frozenset[str]
    """Rules that a result breached, or that could not judge one: all results are for them to
    see again. Of every other rule no result did either."""
    baselines: Mapping[str, tuple[Decimal, str]]
    """Of rules that ask for one: the baseline of all results, and the one method of theirs."""
    asked: frozenset[str]
    """Analytes of which a review wanted to see the results, although no rule is open."""

    def goes_on_with(self, day: date, analyte: str) -> bool:
        """Whether a newer result changes nothing of what was made of those before it."""
        known = self.of.get(analyte)
        return known is None or (day > known.last and day > self.start)


class Recalled:
    """The results of one patient: remembered ones, and those that came since, in order.

    `settled` are the rules that are still as they were when they made nothing of what is
    remembered. `read` are all results of those analytes that were read."""

    def __init__(
        self,
        memory: Memory,
        new: Ordered,
        settled: Collection[str],
        read: Mapping[str, Sequence[Result]],
    ) -> None:
        self._memory = memory
        self.analytes: Collection[str] = {**memory.of, **dict.fromkeys(new.analytes)}
        self._new = new
        self._settled = settled
        self._read = read
        self.asked: set[str] = set()

    def __iter__(self) -> Iterator[Result]:
        raise NotRead(None)

    def of(self, *analytes: str) -> Sequence[Result]:
        self.asked.update(analytes)
        there = [self.rows(name) for name in analytes if name in self.analytes]
        if len(there) > 1:
            return list(merge(*there, key=in_order))
        return there[0] if there else ()

    def rows(self, analyte: str) -> Sequence[Result]:
        if analyte not in self._memory.of:
            return self._new.rows(analyte)
        if analyte not in self._read:
            raise NotRead(frozenset((analyte,)))
        return self._read[analyte]

    def not_settled(self, rule: Rule, start: date) -> Ordered | Recalled:
        return self._new if self._is_settled(rule, start) else self

    def _is_settled(self, rule: Rule, start: date) -> bool:
        return rule.id in self._settled and start == self._memory.start

    def baseline(self, rule: Rule, terms: BaselineTerms) -> tuple[Decimal, str] | None:
        new = self._new.rows(rule.analyte)
        if self._is_settled(rule, terms.start):
            known = self._memory.baselines.get(rule.id)
            if not new or (known and all(result.method == known[1] for result in new)):
                return known
        return common_baseline(self.rows(rule.analyte), terms, downward=rule.downward)

    def without_value(self) -> Sequence[Result]:
        return self._new.without_value()

    def days_after(self, today: date) -> set[date]:
        return self._new.days_after(today)

    def reach(self, analyte: str) -> Reach | None:
        known, new = self._memory.of.get(analyte), self._new.reach(analyte)
        if known is None or known.reach is None or analyte not in self._new.analytes:
            return new if known is None else known.reach
        if new is None:
            return None
        before = known.reach
        return Reach(min(before.lowest, new.lowest), max(before.highest, new.highest))

    def ulns(self, analyte: str) -> frozenset[Decimal | None]:
        known = self._memory.of.get(analyte)
        return self._new.ulns(analyte) | (known.ulns if known else frozenset())

    def days(self, analyte: str) -> frozenset[date]:
        known = self._memory.of.get(analyte)
        if known is None:
            return self._new.days(analyte)
        return known.days | self._new.days(analyte) if analyte in self._new.analytes else known.days

    def remembered(self, analyte: str) -> Remembered:
        known = self._memory.of.get(analyte)
        if analyte not in self._new.analytes:
            assert known is not None
            return known
        new = self._new.remembered(analyte)
        if known is None:
            return new
        return remembered(
            self.reach(analyte),
            new.ulns | known.ulns,
            new.days | known.days,
            max(new.last, known.last),
        )


def of_analyte(results: Sequence[Result] | Recalled, analyte: str) -> Iterable[Result]:
    """Those of one analyte among the results of a case."""
    if isinstance(results, Recalled):
        return results.of(analyte)
    return (result for result in results if result.analyte == analyte)
