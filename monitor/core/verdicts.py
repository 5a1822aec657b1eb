"""What each rule makes of the results of one enrolment. Most rules make nothing of anybody's
results: that is found out first, and their results are judged one by one only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from monitor.core import due, levels
from monitor.core.answer import Life, Unjudged
from monitor.core.baselines import BaselineTerms
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.episodes import Episode, watched
from monitor.core.judged import Judged, Unknown
from monitor.core.once import once
from monitor.core.ordered import Results
from monitor.core.personal import is_accepted, limits_of
from monitor.core.protocol import Protocol, Rule


class Verdict:
    """What one rule makes of the results of its analyte."""

    def __init__(
        self,
        rule: Rule,
        results: Results,
        case: Case,
        life: Life,
        protocol: Protocol,
        unit: str,
        today: date,
    ) -> None:
        self.rule = rule
        self._results = results
        self._case = case
        self._life = life
        self._unit = unit
        self._today = today
        self._within = protocol.baseline.within

    @once
    def _terms(self) -> BaselineTerms:
        return BaselineTerms(
            start=self._life.first_dose_on,
            within=self._within,
            personal=limits_of(self.rule.id, self._case.personal),
        )

    @once
    def is_quiet(self) -> bool:
        """Certainly no result breaches, and all could be judged."""
        rule = self.rule
        results = self._results.not_settled(rule, self._life.first_dose_on)
        if rule.analyte not in results.analytes:
            return True
        reach = results.reach(rule.analyte)
        if reach is None or self._case.personal:
            return False
        ulns = results.ulns(rule.analyte) if rule.asks_for_uln else ()
        baseline = None if self.baseline is None else self.baseline[0]
        return levels.is_quiet(rule, reach, ulns, baseline)

    @once
    def baseline(self) -> tuple[Decimal, str] | None:
        """What all results are compared with, where the rule asks for it, and their method."""
        asks = self.rule.asks_for_baseline
        return self._results.baseline(self.rule, self._terms) if asks else None

    @property
    def is_settled(self) -> bool:
        """No result breaches, watched or not, and all could be judged."""
        return self.is_quiet or not any(
            isinstance(it, Unknown) or it.breaches for it in self.judged
        )

    @once
    def judged(self) -> Sequence[Judged | Unknown]:
        """Every instant of the analyte, watched or not."""
        return self._judge(self._terms)

    def _judge(self, terms: BaselineTerms) -> Sequence[Judged | Unknown]:
        return levels.judge(self.rule, self._results.rows(self.rule.analyte), terms, self._unit)

    @once
    def _watched(self) -> Sequence[Judged | Unknown]:
        return watched([it for it in self.judged if self._counts_yet(it)], self._life)

    def _counts_yet(self, judged: Judged | Unknown) -> bool:
        """What is dated to come, by a clock that is ahead, speaks at once where it breaches, and
        reassures nobody before its day: as it completes no panel before."""
        return judged.collected_on <= self._today or (
            isinstance(judged, Judged) and judged.breaches
        )

    @once
    def series(self) -> Sequence[Judged]:
        """The watched instants that could be judged."""
        return [it for it in self._watched if isinstance(it, Judged)]

    @property
    def unknown(self) -> Unknown | None:
        """The latest watched result, where it could not be judged."""
        latest = None if self.is_quiet or not self._watched else self._watched[-1]
        return latest if isinstance(latest, Unknown) else None

    @once
    def ever_breached(self) -> bool:
        """Whether a watched result breaches."""
        return not self.is_quiet and any(it.breaches for it in self.series)

    @once
    def latest(self) -> Judged | None:
        """The latest watched result, by the limits of today where the patient has any."""
        if not self.series:
            return None
        latest = self.series[-1]
        if not self._case.personal:
            return latest
        now = self._judge(replace(self._terms, as_of=self._today))
        same = (it for it in now if it.collected_at == latest.collected_at)
        return next((it for it in same if isinstance(it, Judged)), latest)

    def is_going_on(self, episode: Episode) -> bool:
        """Not where the limits of today no longer mind the latest result."""
        latest = self.latest
        return episode.going_on and latest is not None and latest.breaches

    @once
    def repeat_by(self) -> date | None:
        """The last day of a recheck, while the latest result meets a level that asks for one."""
        if not self.rule.asks_to_recheck or self.is_quiet:
            return None
        latest = self.latest
        if latest is None or not latest.breaches or self._is_accepted:
            return None
        met = self.rule.levels[: latest.level]
        days = (it.recheck.after(latest.collected_on) for it in met if it.recheck)
        return min(days, default=None)

    def rechecks(self, protocol: Protocol) -> list[tuple[str, due.Recheck]]:
        """(panel, recheck) while the latest result meets a level that asks for one."""
        if self.repeat_by is None:
            return []
        recheck = due.Recheck(due_on=self.repeat_by, rule=self.rule.id)
        return [(panel.id, recheck) for panel in protocol.panels_with(self.rule.analyte)]

    @property
    def _is_accepted(self) -> bool:
        own, down = self._case.personal, self.rule.downward
        return is_accepted(self.rule.id, self.series, own, self._today, downward=down)

    def unjudged(self) -> Unjudged | None:
        """Said only while it is the latest result that could not be judged."""
        if self.unknown is None:
            return None
        return Unjudged(
            rule=self.rule.id,
            analyte=self.rule.analyte,
            collected_at=self.unknown.collected_at,
            why=self.unknown.why,
        )


def verdict_of(
    rule: Rule,
    results: Results,
    case: Case,
    life: Life,
    protocol: Protocol,
    catalogue: Catalogue,
    today: date,
) -> Verdict:
    """The verdict of a rule on the results of its analyte, those of `with_derived`."""
    unit = catalogue.analytes[rule.analyte].unit
    return Verdict(rule, results, case, life, protocol, unit, today)


class Verdicts(Mapping[str, Sequence[Judged]]):
    """The watched instants that each rule could judge, by the id of the rule."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self._by_rule = {it.rule.id: it for it in verdicts}

    def __getitem__(self, rule: str) -> Sequence[Judged]:
        return self._by_rule[rule].series

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_rule)

    def __len__(self) -> int:
        return len(self._by_rule)

    def ever_breached(self, rule: str) -> bool:
        """Whether a watched result breaches the rule."""
        return rule in self._by_rule and self._by_rule[rule].ever_breached
