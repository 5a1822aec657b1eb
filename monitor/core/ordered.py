"""Results in order, and what is asked of them again and again, reckoned once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from monitor.core.baselines import BaselineTerms, common_baseline
from monitor.core.case import Result
from monitor.core.once import once

if TYPE_CHECKING:
    from monitor.core.protocol import Rule
    from monitor.core.recalled import Recalled

in_order = attrgetter("collected_at", "analyte", "id")
"""By what results follow each other."""
_COLLECTED_ON = attrgetter("collected_on")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the values of an analyte reach, all of them exact."""

    lowest: Decimal
    highest: Decimal


Reaches = Mapping[str, tuple[Reach, frozenset[Decimal | None]] | None]
"""Of each analyte with a result: how far its values reach, with the upper reference limits that
came with them; None where that cannot be said."""


class Remembered(NamedTuple):
    """What is remembered of the results of one analyte, all of which have a value."""

    reach: Reach | None
    ulns: frozenset[Decimal | None]
    days: frozenset[date]
    """On which there is a valid one."""
    last: date
    """The latest on which there is any."""


def remembered(
    reach: Reach | None, ulns: frozenset[Decimal | None], days: frozenset[date], last: date
) -> Remembered:
    """Limits are of no use without the reach."""
    return Remembered(reach, frozenset() if reach is None else ulns, days, last)


class Ordered(tuple[Result, ...]):
    """Results as they follow each other; they never change."""

    @once
    def _by_analyte(self) -> Mapping[str, Sequence[Result]]:
        found: dict[str, list[Result]] = defaultdict(list)
        for result in self:
            found[result.analyte].append(result)
        return dict(found)

    @once
    def asked(self) -> set[str]:
        """The analytes of which the results themselves were asked for, by whatever is no rule."""
        return set()

    def of(self, *analytes: str) -> Sequence[Result]:
        """Those of these analytes, in their order here."""
        self.asked.update(analytes)
        there = [name for name in analytes if name in self._by_analyte]
        if len(there) > 1:
            return [result for result in self if result.analyte in there]
        return self._by_analyte[there[0]] if there else ()

    def rows(self, analyte: str) -> Sequence[Result]:
        """Those of one analyte, for a rule on it."""
        return self._by_analyte.get(analyte, ())

    @property
    def analytes(self) -> Collection[str]:
        """Those of which there is a result, with a value or without."""
        return self._by_analyte.keys()

    def not_settled(self, rule: Rule, start: date) -> Results:
        """Those that a rule has still to be asked about, of a patient with this first dose."""
        del rule, start
        return self

    def baseline(self, rule: Rule, terms: BaselineTerms) -> tuple[Decimal, str] | None:
        """The baseline that all values of a rule's analyte are compared with, and the method they
        were measured by; None: there are several, or it is not known."""
        return common_baseline(self.rows(rule.analyte), terms, downward=rule.downward)

    def without_value(self) -> Sequence[Result]:
        """Samples of which the laboratory could tell nothing."""
        return [result for result in self if result.value is None]

    def days_after(self, today: date) -> set[date]:
        """The days to come on which something is said to be collected."""
        return {result.collected_on for result in self if result.collected_on > today}

    @once
    def _reaches(self) -> dict[str, Reach | None]:
        return {}

    def reach(self, analyte: str) -> Reach | None:
        """Of all values of an analyte; None where there are none, or one is only a bound."""
        if analyte not in self._reaches:
            own = self.rows(analyte)
            values = [result.value for result in own if result.value is not None]
            exact = values and not any(result.comparator for result in own)
            self._reaches[analyte] = Reach(min(values), max(values)) if exact else None
        return self._reaches[analyte]

    def ulns(self, analyte: str) -> frozenset[Decimal | None]:
        """The upper reference limits that came with an analyte; None: a result came without."""
        if analyte not in self._ulns:
            ranges = {(it.ref_low, it.ref_high): it for it in self.rows(analyte)}
            self._ulns[analyte] = frozenset(it.usable_uln for it in ranges.values())
        return self._ulns[analyte]

    @once
    def _ulns(self) -> dict[str, frozenset[Decimal | None]]:
        return {}

    @once
    def _days(self) -> dict[str, frozenset[date]]:
        return {}

    def days(self, analyte: str) -> frozenset[date]:
        """The days on which an analyte has a valid result."""
        if analyte not in self._days:
            own = self.rows(analyte)
            self._days[analyte] = frozenset(it.collected_on for it in own if it.is_valid)
        return self._days[analyte]

    @once
    def _days_in_order(self) -> dict[str, tuple[date, ...]]:
        return {}

    def _days_up_to(self, analyte: str, day: date) -> frozenset[date]:
        if analyte not in self._days_in_order:
            self._days_in_order[analyte] = tuple(sorted(self.days(analyte)))
        days = self._days_in_order[analyte]
        return frozenset(days[: bisect_right(days, day)])

    def up_to(self, day: date) -> Ordered:
        """Those collected up to a day, that day included."""
        end = bisect_right(self, day, key=_COLLECTED_ON)
        return self if end == len(self) else UpTo(self, self[:end], day)

    def remembered(self, analyte: str) -> Remembered:
        """What may be remembered of an analyte."""
        last = max(result.collected_on for result in self.rows(analyte))
        return remembered(self.reach(analyte), self.ulns(analyte), self.days(analyte), last)


class UpTo(Ordered):
    """Those of a patient's results that were collected up to a day, for who asks of one day after
    another: what was reckoned of the whole is not reckoned again. So `reach` and `ulns` are those
    of the whole, within which these lie: a rule that is quiet about the whole is quiet about them,
    and where it is not it goes by the results themselves."""

    def __new__(cls, whole: Ordered, own: Sequence[Result], day: date) -> UpTo:
        del whole, day
        return super().__new__(cls, own)

    def __init__(self, whole: Ordered, own: Sequence[Result], day: date) -> None:
        del own
        self._whole: Ordered = whole._whole if isinstance(whole, UpTo) else whole
        self._day = day

    @once
    def _by_analyte(self) -> Mapping[str, Sequence[Result]]:
        whole = self._whole._by_analyte.items()
        ends = (
            (name, rows, bisect_right(rows, self._day, key=_COLLECTED_ON)) for name, rows in whole
        )
        return {name: rows[:end] for name, rows, end in ends if end}

    def reach(self, analyte: str) -> Reach | None:
        return self._whole.reach(analyte)

    def ulns(self, analyte: str) -> frozenset[Decimal | None]:
        return self._whole.ulns(analyte)

    def days(self, analyte: str) -> frozenset[date]:
        return self._whole._days_up_to(analyte, self._day)

    def days_after(self, today: date) -> set[date]:
        return set() if self._day <= today else super().days_after(today)

    def remembered(self, analyte: str) -> Remembered:
        return Ordered(self).remembered(analyte)


Results: TypeAlias = "Ordered | Recalled"
