"""Kept answers: what a review leaves behind so that an edit of some rules need not have everybody
judged anew (docs/adr/0054).

Kept is how far the values of each analyte reach, and only of an enrolment that stands alone. An
edit of rules on analytes leaves such an enrolment as it was where certainly no value breaches any
of these rules, neither as they were nor as they are: no finding and no recheck is theirs, before
or after, and what others find is unchanged. That is the very question a review begins with
(`levels.is_quiet`); here it is asked without the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.core.derive import may_derive
from monitor.core.indications import meant_for
from monitor.core.levels import is_quiet
from monitor.core.ordered import Ordered, Reaches, Remembered, Results
from monitor.core.protocol import Protocol, Rule
from monitor.core.recalled import Memory
from monitor.core.verdicts import Verdict

if TYPE_CHECKING:
    from monitor.core.judges import View


def reaches(known: Results | Memory) -> Reaches:
    """How far the values of each analyte reach."""
    of = known.of if isinstance(known, Memory) else _remembered(known)
    return {name: None if it.reach is None else (it.reach, it.ulns) for name, it in of.items()}


def _remembered(results: Results) -> dict[str, Remembered]:
    return {name: results.remembered(name) for name in results.analytes}


def memory(view: View, verdicts: Sequence[Verdict]) -> Memory | None:
    """What may be recalled instead of the results; None where some of them say more than that:
    that a sample gave no result, that a count may follow from them, or what is to come."""
    results = view.results
    if (
        results.without_value()
        or results.days_after(view.today)
        or (isinstance(results, Ordered) and may_derive(results.analytes, view.catalogue))
    ):
        return None
    open_ones = {it.rule.id for it in verdicts if not it.is_settled}
    return Memory(
        start=view.life.first_dose_on,
        indication=view.case.enrolment.indication,
        of=_remembered(results),
        open=frozenset(open_ones),
        baselines={
            it.rule.id: it.baseline
            for it in verdicts
            if it.rule.id not in open_ones and it.baseline is not None
        },
        asked=frozenset(results.asked).intersection(results.analytes),
    )


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
            not meant_for(rule, indication)
            or rule.analyte not in kept
            or ((known := kept[rule.analyte]) is not None and is_quiet(rule, *known))
            for rule in self.rules
        )


def rule_edit(old: Protocol, new: Protocol) -> RuleEdit | None:
    """What differs between two texts of one protocol; None where it is more than rules on
    analytes, and what is never said of a patient."""
    if _without_rules(old) != _without_rules(new) or _combined(old) != _combined(new):
        return None
    before, after = ({rule.id: rule for rule in it.rules} for it in (old, new))
    differing = [key for key in before | after if before.get(key) != after.get(key)]
    both = (it.get(key) for it in (before, after) for key in differing)
    return RuleEdit(tuple(rule for rule in both if rule is not None))


def _combined(protocol: Protocol) -> dict[str, tuple[object, ...]]:
    """Whose results the rules of combinations judge, and of which analyte: a combination has
    recovered by a later result of such a rule, one too that is quiet."""
    named = {name for it in protocol.combinations for line in it.lines for name in line}
    return {
        rule.id: (rule.analyte, rule.indications, rule.except_indications, rule.is_trend)
        for rule in protocol.rules
        if rule.id in named
    }


def _without_rules(protocol: Protocol) -> Protocol:
    return replace(protocol, rules=(), digest="", version="", note="", examples=())


def unchanged_rules(old: Protocol, new: Protocol) -> frozenset[str]:
    """The rules of a text that make of a result what they made of it by an older one."""
    if old.baseline.within != new.baseline.within:
        return frozenset()
    before = {rule.id: rule for rule in old.rules}
    return frozenset(rule.id for rule in new.rules if rule == before.get(rule.id))
