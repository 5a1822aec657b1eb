"""Kept answers: what a review leaves behind so that an edit of some rules need not have everybody
judged anew (docs/adr/0054).

Kept is how far the values of each analyte reach, and only of an enrolment that stands alone and
of which no alert is live. An edit of rules on analytes leaves such an enrolment as it was where
certainly no value breaches any of these rules, neither as they were nor as they are: no finding
and no recheck is theirs, before or after, and what others find is unchanged. That is the very
question a review begins with (`levels.is_quiet`); here it is asked without the results.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from monitor.core.levels import is_quiet
from monitor.core.ordered import Ordered, Reach, Reaches
from monitor.core.protocol import Protocol, Rule
from monitor.core.verdicts import applies


def reaches(results: Ordered, rules: Iterable[Rule]) -> Reaches:
    """What is kept of results. Upper reference limits only where a rule asks for them now."""
    asked = {rule.analyte for rule in rules if rule.asks_for_uln}
    found: dict[str, tuple[Reach, frozenset[Decimal | None]] | None] = {}
    for name in results.analytes:
        reach = results.reach(name)
        ulns = results.ulns(name) if name in asked else frozenset[Decimal | None]()
        found[name] = None if reach is None else (reach, ulns)
    return found


def as_text(kept: Reaches) -> str:
    """For the database."""
    return json.dumps(
        {
            name: None if known is None else [*_bounds(known[0]), *map(_text, known[1])]
            for name, known in kept.items()
        },
        separators=(",", ":"),
    )


def from_text(text: str, analytes: Collection[str]) -> Reaches:
    """What `as_text` wrote, of these analytes."""
    written = json.loads(text)
    return {
        name: None if (known := written[name]) is None else _known(*known)
        for name in analytes
        if name in written
    }


@dataclass(frozen=True, slots=True)
class RuleEdit:
    """An edit that changed nothing but rules on analytes."""

    rules: tuple[Rule, ...]
    """Those that differ, as they were and as they are."""

    @property
    def analytes(self) -> frozenset[str]:
        return frozenset(rule.analyte for rule in self.rules)

    def leaves_alone(self, kept: Reaches, indication: str) -> bool:
        """Whether certainly the answer for an enrolment stays as it is: its findings, its panels
        and until when."""
        return all(
            not applies(rule, indication)
            or rule.analyte not in kept
            or ((known := kept[rule.analyte]) is not None and is_quiet(rule, *known))
            for rule in self.rules
        )


def rule_edit(old: Protocol, new: Protocol) -> RuleEdit | None:
    """What differs between two texts of one protocol; None where it is more than rules on
    analytes, and what is never said of a patient."""
    if _without_rules(old) != _without_rules(new):
        return None
    before, after = ({rule.id: rule for rule in it.rules} for it in (old, new))
    differing = [key for key in before | after if before.get(key) != after.get(key)]
    both = (it.get(key) for it in (before, after) for key in differing)
    return RuleEdit(tuple(rule for rule in both if rule is not None))


def _without_rules(protocol: Protocol) -> Protocol:
    return replace(protocol, rules=(), digest="", version="", note="", examples=())


def _bounds(reach: Reach) -> tuple[str, str]:
    return str(reach.lowest), str(reach.highest)


def _text(uln: Decimal | None) -> str | None:
    return None if uln is None else str(uln)


def _known(lowest: str, highest: str, *ulns: str | None) -> tuple[Reach, frozenset[Decimal | None]]:
    own = frozenset(None if uln is None else Decimal(uln) for uln in ulns)
    return Reach(Decimal(lowest), Decimal(highest)), own
