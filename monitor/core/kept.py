"""Kept answers: what a review leaves behind so that an edit of some rules, or of the schedule, need
not have everybody judged anew (docs/adr/0054).

Kept is, only of an enrolment that stands alone, how far the values of each analyte reach. An
edit of rules on analytes leaves such an enrolment as it was where certainly no value breaches any
of these rules, neither as they were nor as they are: no finding and no recheck is theirs, before
or after, and what others find is unchanged. That is the very question a review begins with
(`levels.is_quiet`); here it is asked without the results.

Kept is further what due days are counted from, where the schedule alone asks for panels. After an
edit of it they are counted anew; where alerts tell the same, the rest of the answer stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.core.answer import Review
from monitor.core.basis import Basis
from monitor.core.by_schedule import NOTHING_TOLD, BySchedule, by_schedule, panels_by_schedule
from monitor.core.calendar import earliest
from monitor.core.derive import may_derive
from monitor.core.enrolment_status import EnrolmentStatus
from monitor.core.findings import OVERDUE
from monitor.core.indications import meant_for
from monitor.core.levels import is_quiet
from monitor.core.missed import MISSED
from monitor.core.ordered import Ordered, Reaches, Remembered, Results
from monitor.core.protocol import Protocol, Rule
from monitor.core.recalled import Memory
from monitor.core.verdicts import Verdict
from monitor.core.vocabulary import EnrolmentState

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


def basis(view: View) -> Basis | None:
    """What due days may be counted from anew; None where something beside the schedule asks for
    a panel, or a judge made something of the phases."""
    beside = any(it.under_recheck or it.demanded_by for it in view.panels)
    return None if beside or view.asked_for_phases or view.life.died else view.basis


class KeptSchedule(NamedTuple):
    """What is kept of an answer for an edit of the schedule."""

    basis: Basis
    speaks: bool
    """Alerts tell of something late or of missed tests."""
    rest_until: datetime | None
    """When anything else is to be looked at."""
    state: EnrolmentState | None
    """Of the enrolment, where it and the basis are all there is to say of where it stands."""
    last_result_on: date | None
    """The clinic day of the latest of all results."""


def kept_schedule(found: Review, alerts_change_at: datetime | None) -> KeptSchedule | None:
    """What to keep of an answer, of which the alerts are to be looked at by some instant."""
    if found.basis is None:
        return None
    of = {} if found.memory is None else found.memory.of
    return KeptSchedule(
        basis=found.basis,
        speaks=any(it.cause == OVERDUE or it.cause.startswith(MISSED) for it in found.findings),
        rest_until=earliest(found.rest_changes_at, alerts_change_at),
        state=found.life.state if _is_all_by_schedule(found, found.basis) else None,
        last_result_on=max((it.last for it in of.values()), default=None),
    )


def _is_all_by_schedule(found: Review, basis: Basis) -> bool:
    """Whether no panel shows more than its schedule and when it was last done, and no rule lacked
    anything."""
    more = any(it.panel not in basis.done or it.partial or it.declared for it in found.panels)
    return not (more or found.unjudged)


def kept_status(kept: KeptSchedule, protocol: Protocol, today: date) -> EnrolmentStatus | None:
    """Where an enrolment stands on a day, by what is kept of it; None: that takes a review. What
    was collected today may be of a later hour, and is not to be seen yet."""
    had_come = kept.last_result_on is None or kept.last_result_on < today
    if kept.state is None or not had_come or kept.basis.enrolled_on > today:
        return None
    return EnrolmentStatus(
        state=kept.state,
        elsewhere=kept.basis.elsewhere,
        panels=panels_by_schedule(protocol, kept.basis, today),
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that changed nothing but rules on analytes, and the schedule."""

    rules: tuple[Rule, ...]
    """Those that differ, as they were and as they are."""
    schedules: tuple[Protocol, Protocol] | None = None
    """The text as it was and as it is, where the schedule differs."""

    @property
    def analytes(self) -> frozenset[str]:
        return frozenset(rule.analyte for rule in self.rules)

    def leaves_alone(self, kept: Reaches, indication: str) -> bool:
        """Whether the rules certainly leave the answer for an enrolment as it is: its findings,
        its panels and until when."""
        return all(
            not meant_for(rule, indication)
            or rule.analyte not in kept
            or ((known := kept[rule.analyte]) is not None and is_quiet(rule, *known))
            for rule in self.rules
        )

    def rescheduled(self, kept: KeptSchedule, today: date) -> BySchedule | None:
        """What the new schedule says; None where alerts tell something else by it."""
        assert self.schedules is not None
        old, new = self.schedules
        told = by_schedule(old, kept.basis, today).told if kept.speaks else NOTHING_TOLD
        found = by_schedule(new, kept.basis, today)
        return found if found.told == told else None

    def moves_nothing(self, kept: KeptSchedule, today: date) -> bool:
        """Whether no due day and no state of a panel is another either."""
        assert self.schedules is not None
        found = self.rescheduled(kept, today)
        before = by_schedule(self.schedules[0], kept.basis, today)
        return found is not None and found.panels == before.panels


def edit_between(old: Protocol, new: Protocol) -> Edit | None:
    """What differs between two texts of one protocol; None where it is more than rules on
    analytes, the schedule, and what is never said of a patient."""
    same = _the_rest(old) == _the_rest(new) and old.scheduled.keys() == new.scheduled.keys()
    if not same or _combined(old) != _combined(new):
        return None
    before, after = ({rule.id: rule for rule in it.rules} for it in (old, new))
    differing = [key for key in before | after if before.get(key) != after.get(key)]
    both = (it.get(key) for it in (before, after) for key in differing)
    rescheduled = (old.phases, old.missed) != (new.phases, new.missed)
    return Edit(
        tuple(rule for rule in both if rule is not None), (old, new) if rescheduled else None
    )


def _combined(protocol: Protocol) -> dict[str, tuple[object, ...]]:
    """Whose results the rules of combinations judge, and of which analyte: a combination has
    recovered by a later result of such a rule, one too that is quiet."""
    named = {name for it in protocol.combinations for line in it.lines for name in line}
    return {
        rule.id: (rule.analyte, rule.indications, rule.except_indications, rule.is_trend)
        for rule in protocol.rules
        if rule.id in named
    }


def _the_rest(protocol: Protocol) -> Protocol:
    said = replace(protocol, digest="", version="", note="", examples=())
    return replace(said, rules=(), phases=(), missed=None)


def unchanged_rules(old: Protocol, new: Protocol) -> frozenset[str]:
    """The rules of a text that make of a result what they made of it by an older one."""
    if old.baseline.within != new.baseline.within:
        return frozenset()
    before = {rule.id: rule for rule in old.rules}
    return frozenset(rule.id for rule in new.rules if rule == before.get(rule.id))
