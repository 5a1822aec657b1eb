"""The threshold comparison, here and nowhere else (specification, section 6).

A rule turns the results of one analyte into `Judged` values, one an instant (one a day for
trends): which level of the ladder each meets for certain, and which it may meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum

from monitor.core.answer import Measured
from monitor.core.calendar import Duration
from monitor.core.case import Result
from monitor.core.personal_terms import Personal
from monitor.core.protocol import Level, Rule
from monitor.core.response import further
from monitor.core.vocabulary import Status

_HUNDRED = Decimal(100)
_BOUNDS = ("<", "<=", "", ">=", ">")
"""Comparators from the one that may hide the lowest value to the highest."""


class Breach(IntEnum):
    """Whether a value, possibly censored, is beyond a limit."""

    NO = 0
    MAY = 1
    CERTAIN = 2


def below(value: Decimal, comparator: str, limit: Decimal) -> Breach:
    """Is the value strictly below the limit? Exact: 0.5 is not below 0.5."""
    match comparator:
        case "<":
            return Breach.CERTAIN if value <= limit else Breach.MAY
        case "<=":
            return Breach.CERTAIN if value < limit else Breach.MAY
        case ">" | ">=":
            return Breach.NO if value >= limit else Breach.MAY
    return Breach.CERTAIN if value < limit else Breach.NO


def above(value: Decimal, comparator: str, limit: Decimal) -> Breach:
    """Is the value strictly above the limit? The mirror of `below`."""
    match comparator:
        case ">":
            return Breach.CERTAIN if value >= limit else Breach.MAY
        case ">=":
            return Breach.CERTAIN if value > limit else Breach.MAY
        case "<" | "<=":
            return Breach.NO if value <= limit else Breach.MAY
    return Breach.CERTAIN if value > limit else Breach.NO


def worse(value: Decimal, than: Decimal, *, downward: bool) -> bool:
    return value < than if downward else value > than


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The number a value was compared with, and what it is made of."""

    value: Decimal
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One instant of one analyte as a rule sees it. Levels count from 1; 0 is none."""

    result: Result
    certain: int
    """The worst level met for certain."""
    may: int
    """The worst level met for certain or perhaps."""
    limits: tuple[Limit | None, ...]
    """Of each level, mildest first; None where the level's limit is not known."""

    @property
    def measured(self) -> Measured:
        """The value with its instant, as findings carry it."""
        return measured(self.result)

    @property
    def collected_at(self) -> datetime:
        return self.result.collected_at

    @property
    def collected_on(self) -> date:
        return self.result.collected_on

    @property
    def breaches(self) -> bool:
        return self.certain > 0 or self.may > 0

    @property
    def level(self) -> int:
        """The level that speaks: the worst met for certain, else the worst that may be."""
        return self.certain or self.may

    @property
    def limit(self) -> Limit:
        """The limit of the level that speaks; only of a judgement that breaches."""
        limit = self.limits[self.level - 1]
        assert limit is not None
        return limit

    def severity(self, *, downward: bool) -> tuple[int, int, Decimal, int]:
        """Orders judgements from mild to severe."""
        value, sign = self.result.value, _BOUNDS.index(self.result.comparator)
        assert value is not None
        if downward:
            return self.certain, self.may, -value, -sign
        return self.certain, self.may, value, sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A result that a rule could not judge, because a limit or baseline is missing."""

    collected_at: datetime
    collected_on: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineTerms:
    """What a rise or a fall is measured against, and the limits that were set for the patient."""

    start: date
    within: Duration
    personal: Sequence[Personal] = ()
    """Limits of this rule alone."""
    as_of: date | None = None
    """By the personal limits of this day; None: of each result's own day."""


def judge(
    rule: Rule, results: Sequence[Result], terms: BaselineTerms, unit: str
) -> list[Judged | Unknown]:
    """Judge the results of the rule's analyte (ordered by collection), by instant.

    Results of one instant are judged as one, by the worst. A preliminary result that
    breaches nothing is left out: it ends no episode.
    """
    numeric = [result for result in results if result.value is not None]
    if rule.is_trend:
        return list(_judge_trend(rule, numeric))
    instants: dict[datetime, list[Result]] = defaultdict(list)
    for result in numeric:
        instants[result.collected_at].append(result)
    reference = _Reference(rule, numeric, terms)
    judged: list[Judged | Unknown] = []
    for collected_at in sorted(instants):
        verdicts = [
            reference.quiet(it) or _judge_one(rule, it, reference, unit)
            for it in instants[collected_at]
        ]
        known = [it for it in verdicts if isinstance(it, Judged) and _counts(it)]
        unknown = [it for it in verdicts if isinstance(it, Unknown)]
        if len(known) == 1:
            judged.append(known[0])
        elif known:
            judged.append(max(known, key=lambda it: it.severity(downward=rule.downward)))
        elif unknown:
            judged.append(unknown[0])
    return judged


def _counts(judged: Judged) -> bool:
    return judged.breaches or judged.result.status is not Status.PRELIMINARY


def _judge_one(
    rule: Rule, result: Result, reference: _Reference, unit: str
) -> Judged | Unknown | None:
    """Compare one result with every level of the ladder.

    A level without its limit leaves the others to speak; where none of them is met, the
    result could not be judged.
    """
    assert result.value is not None
    compare = below if rule.downward else above
    certain = may = 0
    limits: list[Limit | None] = []
    missing: Unknown | None = None
    for number, level in enumerate(rule.levels, start=1):
        limit = _limit(level, number, result, reference, unit)
        if level.looks_at_course and isinstance(limit, Limit):
            limit = reference.with_course(level, result, limit, unit)
        limits.append(limit if isinstance(limit, Limit) else None)
        if not isinstance(limit, Limit):
            missing = limit or missing
            continue
        breach = compare(result.value, result.comparator, limit.value)
        certain = number if breach is Breach.CERTAIN else certain
        may = number if breach is not Breach.NO else may
    if not any(limits) or (missing is not None and not (certain or may)):
        return missing
    judged = Judged(result=result, certain=certain, may=may, limits=tuple(limits))
    if missing is None:
        reference.remember(judged)
    return judged


def measured(result: Result) -> Measured:
    """The value of a result, as findings carry it."""
    assert result.value is not None
    return Measured(
        value=result.value,
        comparator=result.comparator,
        collected_at=result.collected_at,
        collected_on=result.collected_on,
        result_id=result.id,
    )


def _unknown(result: Result, why: str) -> Unknown:
    return Unknown(collected_at=result.collected_at, collected_on=result.collected_on, why=why)


def _limit(
    level: Level, number: int, result: Result, reference: _Reference, unit: str
) -> Limit | Unknown | None:
    """The number this level compares with; None where the level does not apply at all."""
    fixed = level.below if level.above is None else level.above
    personal = reference.personal(number, result)
    if fixed is None and level.above_times_uln is None:
        return reference.limit(result, level, unit)
    return _stated_limit(level, fixed, personal, result, unit)


def _stated_limit(
    level: Level, fixed: Decimal | None, personal: Personal | None, result: Result, unit: str
) -> Limit | Unknown:
    """A limit that the protocol or a clinician states, as a number or as a multiple."""
    if fixed is not None:
        own, note = _own(fixed, personal, unit)
        return Limit(value=own, text=f"{own:f} {unit}{note}")
    assert level.above_times_uln is not None
    times, note = _own(level.above_times_uln, personal, "x ULN")
    limit = _uln_limit(level, times, result, unit)
    return replace(limit, text=limit.text + note) if isinstance(limit, Limit) else limit


def _own(number: Decimal, personal: Personal | None, unit: str) -> tuple[Decimal, str]:
    """The number in force for the patient, and what is said beside it."""
    if personal is None or personal.value is None:
        return number, ""
    day = personal.last.isoformat()
    return personal.value, f" (personal limit until {day}; the protocol's own is {number:f} {unit})"


def _uln_limit(level: Level, times: Decimal, result: Result, unit: str) -> Limit | Unknown:
    own = usable_uln(result)
    uln = level.default_uln if own is None else own
    if uln is None:
        return _unknown(result, "no upper reference limit came with it")
    whose = "the protocol's default upper limit" if own is None else "the result's own upper limit"
    value = times * uln
    return Limit(value=value, text=f"{times:f} x {uln:f} = {value:f} {unit} ({whose})")


def usable_uln(result: Result) -> Decimal | None:
    """The result's upper reference limit; one that is 0 or not above the lower is none."""
    high, low = result.ref_high, result.ref_low
    if high is None or high <= 0 or (low is not None and high <= low):
        return None
    return high


def _is_stated(level: Level) -> bool:
    """Whether its limit is a number or a multiple of the upper reference limit."""
    numbers = (level.below, level.above, level.above_times_uln)
    return not level.looks_at_course and any(number is not None for number in numbers)


class _Reference:
    """What a value is compared with: personal limits, and for a rise or a fall the baseline,
    later the earliest value in the window; of values measured by another method none."""

    def __init__(self, rule: Rule, results: Sequence[Result], terms: BaselineTerms) -> None:
        self._terms = terms
        self._downward = rule.downward
        self._members = [result for result in results if is_member(result)]
        self._by_method: dict[str, list[Result]] = {}
        self._baselines: dict[str, tuple[Decimal, Result] | tuple[None, None]] = {}
        self._asks_for_uln = any(level.above_times_uln is not None for level in rule.levels)
        self._is_stated = not terms.personal and all(_is_stated(level) for level in rule.levels)
        self._ladders: dict[str, tuple[tuple[Limit | None, ...], Decimal]] = {}
        """Limits and the mildest of them, where the protocol states them, by the upper reference
        limit as it is written: few, of many results."""

    def quiet(self, result: Result) -> Judged | None:
        """The judgement of an exact value that lies beyond no limit of a ladder that was
        reckoned before: most values are such. None: to be compared level by level."""
        known = self._ladders.get(self._key(result)) if self._ladders else None
        if known is None or result.comparator or result.value is None:
            return None
        limits, mildest = known
        if result.value < mildest if self._downward else result.value > mildest:
            return None
        return Judged(result=result, certain=0, may=0, limits=limits)

    def remember(self, judged: Judged) -> None:
        """Keep a whole ladder of limits that depend on nothing but the upper reference limit."""
        if self._is_stated:
            values = [limit.value for limit in judged.limits if limit is not None]
            mildest = max(values) if self._downward else min(values)
            self._ladders[self._key(judged.result)] = judged.limits, mildest

    def _key(self, result: Result) -> str:
        return str(usable_uln(result)) if self._asks_for_uln else ""

    def personal(self, level: int, result: Result) -> Personal | None:
        """The limit that was set for a level; of several in force the one set last."""
        if not self._terms.personal:
            return None
        day = self._terms.as_of or result.collected_on
        own = [it for it in self._terms.personal if it.level == level and it.is_on(day)]
        return max(own, key=lambda it: (it.set_at, it.id), default=None)

    def limit(self, result: Result, level: Level, unit: str) -> Limit | Unknown | None:
        trusted = self._trusted(result)
        baseline, baseline_at = self._baseline(result)
        if baseline is None or baseline_at is None:
            return _unknown(result, "no baseline value is known")
        if result.collected_at <= baseline_at.collected_at:
            return None
        base, name, within = baseline, "baseline", level.within
        if within is not None and baseline_at.collected_on < within.before(result.collected_on):
            earliest = _earliest(trusted, result, within)
            if earliest is None:
                return _unknown(result, f"no earlier value within {within} to compare with")
            base, name = earliest, f"earliest value within {within}"
        sign, percent = "+", level.rise_from_baseline or Decimal(0)
        if level.fall_from_baseline is not None:
            sign, percent = "-", -level.fall_from_baseline
        value = base * (_HUNDRED + percent) / _HUNDRED
        text = f"{name} {base:f} {sign} {abs(percent):f} % = {value:f} {unit}"
        return Limit(value=value, text=text)

    def with_course(
        self, level: Level, result: Result, limit: Limit, unit: str
    ) -> Limit | Unknown | None:
        """The stricter of a limit and what the course since the start adds to it."""
        trusted = self._trusted(result)
        baseline, baseline_at = self._baseline(result)
        known = None if baseline is None or baseline_at is None else (baseline, baseline_at)
        found = further(level, result, trusted, known, self._terms.start)
        if found is None:
            return None
        if found.value is None:
            return _unknown(result, found.text)
        return replace(
            limit, value=max(limit.value, found.value), text=f"{limit.text} and {found.text} {unit}"
        )

    def _baseline(self, result: Result) -> tuple[Decimal, Result] | tuple[None, None]:
        if result.method not in self._baselines:
            self._baselines[result.method] = _baseline(self._trusted(result), self._terms)
        return self._baselines[result.method]

    def _trusted(self, result: Result) -> list[Result]:
        """One an instant, measured as this one was."""
        if result.method not in self._by_method:
            alike = (it for it in self._members if same_method(it, result))
            self._by_method[result.method] = _one_an_instant(alike, downward=self._downward)
        return self._by_method[result.method]


def baseline_of(results: Sequence[Result], terms: BaselineTerms, *, like: Result) -> Decimal | None:
    """The baseline of an analyte among its results, measured as `like` was and before it; None:
    not known."""
    members = [it for it in results if is_member(it) and same_method(it, like)]
    baseline, at = _baseline(_one_an_instant(members, downward=False), terms)
    return None if at is None or at.collected_at >= like.collected_at else baseline


def same_method(one: Result, other: Result) -> bool:
    """Whether two results may be compared: a method that is not known is taken for the same."""
    return not one.method or not other.method or one.method == other.method


def _earliest(trusted: Sequence[Result], result: Result, within: Duration) -> Decimal | None:
    since = within.before(result.collected_on)
    for candidate in trusted:
        if candidate.collected_at >= result.collected_at:
            return None
        if candidate.collected_on >= since:
            return candidate.value
    return None


def _one_an_instant(trusted: Iterable[Result], *, downward: bool) -> list[Result]:
    """The worst value of each instant (the highest where a rise is judged), ascending: results
    of one instant are judged as one, whichever of them arrived first."""
    instants: dict[datetime, Result] = {}
    for result in trusted:
        kept = instants.get(result.collected_at)
        if kept is None or _is_worse(result, kept, downward=downward):
            instants[result.collected_at] = result
    return [instants[at] for at in sorted(instants)]


def is_member(result: Result) -> bool:
    """May serve as a baseline or a member of a trend: final, exact and not doubted."""
    return (
        result.is_valid
        and not result.comparator
        and not result.below_plausible
        and not result.doubtful_comment
    )


def _baseline(
    trusted: Sequence[Result], terms: BaselineTerms
) -> tuple[Decimal, Result] | tuple[None, None]:
    """The median of the last two values at or before the start, else the first after it."""
    since = terms.within.before(terms.start)
    before = [it for it in trusted if since <= it.collected_on <= terms.start][-2:]
    if before:
        values = [it.value for it in before if it.value is not None]
        return sum(values, Decimal(0)) / len(values), before[-1]
    for result in trusted:
        if result.collected_on > terms.start and result.value is not None:
            return result.value, result
    return None, None


def _judge_trend(rule: Rule, results: Sequence[Result]) -> Iterable[Judged]:
    """Falls in a row among final values, one a day; what is not exact breaks the row."""
    level = rule.levels[0]
    assert level.falls_in_a_row is not None and level.each is not None
    keep = (_HUNDRED - level.each) / _HUNDRED
    text = f"{level.falls_in_a_row} falls in a row, each of more than {level.each:f} %"
    falls, before, row = 0, None, ""
    for result in _daily_worst(results):
        if not is_member(result) or result.value is None:
            falls, before, row = 0, None, ""
            continue
        if before is not None and row and result.method and row != result.method:
            falls, before, row = 0, None, ""
        fell = before is not None and result.value < before * keep
        falls = falls + 1 if fell else 0
        before, row = result.value, result.method or row
        low = level.only_below is None or result.value < level.only_below
        met = int(falls >= level.falls_in_a_row and low)
        ceiling = result.value if level.only_below is None else level.only_below
        yield Judged(
            result=result,
            certain=met,
            may=met,
            limits=(Limit(value=ceiling, text=text),),
        )


def _daily_worst(results: Sequence[Result]) -> list[Result]:
    """The lowest valid result of each day, ascending."""
    days: dict[date, Result] = {}
    for result in results:
        if not result.is_valid:
            continue
        kept = days.get(result.collected_on)
        if kept is None or _fall_order(result) < _fall_order(kept):
            days[result.collected_on] = result
    return [days[day] for day in sorted(days)]


def _fall_order(result: Result) -> tuple[Decimal, int, bool, datetime, str]:
    """Lowest first; of equal values the one that may hide a lower, then the one trusted, then
    the earlier."""
    assert result.value is not None
    bound, doubted = _BOUNDS.index(result.comparator), not is_member(result)
    return result.value, bound, doubted, result.collected_at, result.method


def _is_worse(result: Result, than: Result, *, downward: bool) -> bool:
    assert result.value is not None and than.value is not None
    return worse(result.value, than.value, downward=downward)
