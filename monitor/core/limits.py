"""The limits a rule compares with: numbers and multiples of the upper reference limit, a
patient's own, and rises and falls from the baseline (specification, section 6).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

from monitor.core.baselines import (
    BaselineTerms,
    earliest_within,
    find_baseline,
    is_member,
    one_an_instant,
    same_method,
)
from monitor.core.case import Result
from monitor.core.findings import day_text
from monitor.core.judged import Judged, Limit, Unknown
from monitor.core.once import once
from monitor.core.personal_checks import number_of
from monitor.core.personal_terms import Personal, in_force, stood_at
from monitor.core.protocol import Level, Rule
from monitor.core.response import further

_HUNDRED = Decimal(100)


class Reference:
    """What a value is compared with: personal limits, and for a rise or a fall the baseline,
    later the earliest value in the window; of values measured by another method none."""

    def __init__(self, rule: Rule, results: Sequence[Result], terms: BaselineTerms) -> None:
        self._terms = terms
        self._results = results
        self._downward = rule.downward
        self._by_method: dict[str, list[Result]] = {}
        self._baselines: dict[str, tuple[Decimal, Result] | tuple[None, None]] = {}
        self._levels = rule.levels
        self._ladders: dict[str, tuple[tuple[Limit | None, ...], Decimal]] = {}
        """Limits and the mildest of them, by the upper reference limit as it is written, and the
        method where that matters: few, of many results."""

    @once
    def _asks_for_uln(self) -> bool:
        return any(level.above_times_uln is not None for level in self._levels)

    @once
    def _asks_for_baseline(self) -> bool:
        return not all(map(_is_stated, self._levels))

    @once
    def _is_lasting(self) -> bool:
        """Whether later results of one method and upper reference limit have the same limits."""
        return not self._terms.personal and not any(
            level.looks_at_course or level.within is not None for level in self._levels
        )

    @once
    def _members(self) -> list[Result]:
        return [result for result in self._results if is_member(result)]

    def quiet(self, result: Result) -> Judged | None:
        """The judgement of an exact value that lies beyond no limit of a ladder that was
        reckoned for an earlier one: most values are such. None: to be compared level by level."""
        known = self._ladders.get(self._key(result)) if self._ladders else None
        if known is None or result.comparator or result.value is None:
            return None
        limits, mildest = known
        if result.value < mildest if self._downward else result.value > mildest:
            return None
        return Judged(result=result, certain=0, may=0, limits=limits)

    def remember(self, judged: Judged) -> None:
        """Keep a whole ladder of limits that the results after it have too."""
        values = [limit.value for limit in judged.limits if limit is not None]
        if self._is_lasting and len(values) == len(self._levels):
            mildest = max(values) if self._downward else min(values)
            self._ladders[self._key(judged.result)] = judged.limits, mildest

    def _key(self, result: Result) -> str:
        uln = str(result.usable_uln) if self._asks_for_uln else ""
        return f"{uln} {result.method}" if self._asks_for_baseline else uln

    def personal(self, number: int, level: Level, result: Result) -> Personal | None:
        """The limit that was set for a level; of several in force the one set last. Where a
        person set or ended one on the day of the result, what was told of it stays told: the
        stricter holds of the one that stood at its collection and the one of its day."""
        own = self._terms.personal
        if not own:
            return None
        if self._terms.as_of is not None:
            return in_force(own, number, self._terms.as_of)
        day = result.collected_on
        stands = in_force(own, number, day)
        stood = stood_at(own, number, day, result.collected_at)
        return stood if self._is_stricter(stood, stands, level) else stands

    def _is_stricter(self, one: Personal | None, other: Personal | None, level: Level) -> bool:
        own = number_of(level)
        first, second = (own if it is None else it.value for it in (one, other))
        if first is None or second is None:
            return False
        return first > second if self._downward else first < second

    def limit(self, result: Result, level: Level, unit: str) -> Limit | Unknown | None:
        trusted = self._trusted(result)
        baseline, baseline_at = self._baseline(result)
        if baseline is None or baseline_at is None:
            return _unknown(result, "no baseline value is known")
        if result.collected_at <= baseline_at.collected_at:
            return None
        base, name, within = baseline, "baseline", level.within
        if within is not None and baseline_at.collected_on < within.before(result.collected_on):
            earliest = earliest_within(trusted, result, within)
            if earliest is None:
                return _unknown(result, f"no earlier value within {within} to compare with")
            base, name = earliest, f"earliest value within {within}"
        value, percent = _from_baseline(base, level), _percent(level)
        sign = "+" if level.fall_from_baseline is None else "-"
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
            self._baselines[result.method] = find_baseline(self._trusted(result), self._terms)
        return self._baselines[result.method]

    def _trusted(self, result: Result) -> list[Result]:
        """One an instant, measured as this one was."""
        if result.method not in self._by_method:
            alike = (it for it in self._members if same_method(it, result))
            self._by_method[result.method] = one_an_instant(alike, downward=self._downward)
        return self._by_method[result.method]


def nearest(
    level: Level, ulns: Collection[Decimal | None], baseline: Decimal | None
) -> Decimal | None:
    """The limit of a level that the results of a patient without personal limits come up against
    first, by their upper reference limits (None: one came without) and the baseline that all of
    them have. None: it is to be reckoned result by result."""
    fixed = level.below if level.above is None else level.above
    times = level.above_times_uln
    if level.looks_at_course or level.within is not None:
        return None
    if fixed is not None:
        return fixed
    if times is not None:
        known = [uln or level.default_uln for uln in ulns]
        own = [uln for uln in known if uln is not None]
        return times * min(own) if own and len(own) == len(known) else None
    return None if baseline is None else _from_baseline(baseline, level)


def _percent(level: Level) -> Decimal:
    """How far from the baseline: below 0 for a fall."""
    if level.fall_from_baseline is not None:
        return -level.fall_from_baseline
    return level.rise_from_baseline or Decimal(0)


def _from_baseline(base: Decimal, level: Level) -> Decimal:
    return base * (_HUNDRED + _percent(level)) / _HUNDRED


def limit_of(
    level: Level, number: int, result: Result, reference: Reference, unit: str
) -> Limit | Unknown | None:
    """The number this level compares with; None where the level does not apply at all."""
    fixed = level.below if level.above is None else level.above
    personal = reference.personal(number, level, result)
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
    day = day_text(personal.last)
    return personal.value, f" (personal limit until {day}, {number:f} {unit} is the protocol's own)"


def _uln_limit(level: Level, times: Decimal, result: Result, unit: str) -> Limit | Unknown:
    own = result.usable_uln
    uln = level.default_uln if own is None else own
    if uln is None:
        return _unknown(result, "no upper reference limit came with it")
    whose = "the protocol's default upper limit" if own is None else "the result's own upper limit"
    value = times * uln
    return Limit(value=value, text=f"{times:f} x {uln:f} = {value:f} {unit} ({whose})")


def _is_stated(level: Level) -> bool:
    """Whether its limit is a number or a multiple of the upper reference limit."""
    numbers = (level.below, level.above, level.above_times_uln)
    return not level.looks_at_course and any(number is not None for number in numbers)


def _unknown(result: Result, why: str) -> Unknown:
    return Unknown(collected_at=result.collected_at, collected_on=result.collected_on, why=why)
