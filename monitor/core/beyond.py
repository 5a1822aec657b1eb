"""A made-up value that lies beyond a limit for certain: what a canary is given (docs/adr/0067)."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from monitor.core.catalogue import Analyte
from monitor.core.protocol import Level, Protocol, Rule


class Beyond(NamedTuple):
    """A value that meets a level, in the canonical unit of its analyte."""

    rule: Rule
    level: Level
    value: Decimal
    uln: Decimal | None
    """The upper reference limit that goes with it; None: it needs none."""


def beyond(rule: Rule, analyte: Analyte) -> Beyond | None:
    """A plausible value beyond the gravest level that a value alone can meet; None for a rule that
    compares with earlier ones."""
    for level in reversed(rule.levels):
        found = None if _needs_a_course(level) else _value(level, analyte)
        if found is not None:
            return Beyond(rule, level, *found)
    return None


def indication_for(rule: Rule, protocol: Protocol) -> str:
    """One that the rule is meant for; "" where it is for all."""
    excepted = rule.except_indications
    fitting = [it for it in sorted(protocol.indications) if it not in excepted]
    return next(iter(rule.indications or fitting), "")


def _needs_a_course(level: Level) -> bool:
    return level.looks_at_course or level.after is not None or level.until is not None


def _value(level: Level, analyte: Analyte) -> tuple[Decimal, Decimal | None] | None:
    """Midway between the limit and the end of what is plausible, and the reference limit."""
    low, high = analyte.plausible_low, analyte.plausible_high
    if level.below is not None:
        return _between(low, level.below), None
    if level.above is not None:
        return _between(level.above, high), None
    if level.above_times_uln is not None:
        uln = high / (2 * level.above_times_uln)
        return _between(high / 2, high), uln
    return None


def _between(low: Decimal, high: Decimal) -> Decimal:
    return (low + high) / 2
