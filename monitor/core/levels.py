"""A rule over the results of its analyte: which level of the ladder each instant (each day, for
trends) meets for certain, and which it may meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from monitor.core.baselines import BaselineTerms
from monitor.core.case import Result
from monitor.core.judged import Judged, Limit, Unknown
from monitor.core.limits import Reference, limit_of, nearest
from monitor.core.ordered import Reach
from monitor.core.protocol import Rule
from monitor.core.threshold import Breach, above, below
from monitor.core.trends import judge_trend
from monitor.core.vocabulary import Status


def judge(
    rule: Rule, results: Sequence[Result], terms: BaselineTerms, unit: str
) -> list[Judged | Unknown]:
    """Judge the results of the rule's analyte (ordered by collection), by instant.

    Results of one instant are judged as one, by the worst. A preliminary result that
    breaches nothing is left out: it ends no episode.
    """
    numeric = [result for result in results if result.value is not None]
    if rule.is_trend:
        return list(judge_trend(rule, numeric, unit))
    instants: dict[datetime, list[Result]] = defaultdict(list)
    for result in numeric:
        instants[result.collected_at].append(result)
    reference = Reference(rule, numeric, terms)
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


def is_quiet(
    rule: Rule,
    reach: Reach,
    ulns: Collection[Decimal | None] = (),
    baseline: Decimal | None = None,
) -> bool:
    """Whether certainly none of the results breaches a rule on their analyte, and all could be
    judged: the worst of them lies beyond no limit that any of them has. For patients without
    personal limits; False where it cannot be said without judging each result. `ulns` are the
    upper reference limits that came (None: one came without), where the rule asks for them, and
    `baseline` the one that all are compared with."""
    if rule.is_trend:
        ceiling = rule.levels[0].only_below
        return ceiling is not None and reach.lowest >= ceiling
    worst, compare = (reach.lowest, below) if rule.downward else (reach.highest, above)
    limits = [nearest(level, ulns, baseline) for level in rule.levels]
    return all(it is not None and compare(worst, "", it) is Breach.NO for it in limits)


def _counts(judged: Judged) -> bool:
    return judged.breaches or judged.result.status is not Status.PRELIMINARY


def _judge_one(
    rule: Rule, result: Result, reference: Reference, unit: str
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
        limit = limit_of(level, number, result, reference, unit)
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
