"""What may be set for one patient, and what is refused (protocol files, "Notes on meaning").

It moves a level, never removes it, and never past the rule's floor; it has a reason, an author
and an end within 12 months; what touches a critical level, or makes tests rarer, needs a second
person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from monitor.core.actions import ActionRefused
from monitor.core.calendar import Duration, parse_duration
from monitor.core.catalogue import Catalogue
from monitor.core.faults import nearest
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Level, PanelSchedule, Protocol, Rule
from monitor.core.vocabulary import Urgency

LONGEST = Duration(months=12)
"""Source: specification, notes on different limits for one patient."""


def check(
    term: Personal, protocol: Protocol, known: Sequence[Personal], catalogue: Catalogue
) -> None:
    """Raises ActionRefused, saying what would be taken. `known` is what was set before."""
    _check_people(term)
    _check_end(term)
    if term.what is Terms.LIMIT:
        rule = _rule(term, protocol)
        _check_limit(term, rule, known)
        _check_plausible(term, rule, catalogue)
    elif term.what is Terms.INTERVAL:
        _check_interval(term, protocol)
    else:
        _rule(term, protocol)


def _check_people(term: Personal) -> None:
    if not term.by.strip():
        raise ActionRefused("say who sets it: --by WHO")
    if not term.reason.strip():
        raise ActionRefused('it needs a reason, such as --reason "Duffy-null"')
    if term.second and _same(term.second, term.by):
        raise ActionRefused(f"the second person is the first, {term.by}: another has to agree")


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _check_end(term: Personal) -> None:
    last = LONGEST.after(term.since)
    if not term.since < term.until <= last:
        raise ActionRefused(
            f"it ends between tomorrow and {last.isoformat()} (12 months), not on "
            f"{term.until.isoformat()}"
        )


def _rule(term: Personal, protocol: Protocol) -> Rule:
    names = [rule.id for rule in protocol.rules]
    if term.subject not in names:
        guess = nearest(term.subject, names)
        raise ActionRefused(f"{protocol.id} has no rule {term.subject}; {guess}")
    return next(rule for rule in protocol.rules if rule.id == term.subject)


# --- A limit ----------------------------------------------------------------------------


def _check_limit(term: Personal, rule: Rule, known: Sequence[Personal]) -> None:
    if not 1 <= term.level <= len(rule.levels):
        raise ActionRefused(f"{rule.id} has levels 1 to {len(rule.levels)}, not {term.level}")
    level = rule.levels[term.level - 1]
    own = number_of(level)
    if own is None or term.value is None:
        raise ActionRefused(f"level {term.level} of {rule.id} has no number that could be moved")
    if term.value == own:
        raise ActionRefused(f"{own:f} is the protocol's own limit")
    if _is_looser(term.value, own, rule):
        _check_floor(term.value, rule)
    if level.urgency is Urgency.CRITICAL and not term.second:
        raise ActionRefused(
            f"level {term.level} of {rule.id} is critical: a second person has to agree, "
            "--second WHO"
        )
    _check_order(term, rule, known)


def _check_plausible(term: Personal, rule: Rule, catalogue: Catalogue) -> None:
    """A limit above anything plausible is one in another unit: every value would breach it, or
    none."""
    analyte = catalogue.analytes.get(rule.analyte)
    level = rule.levels[term.level - 1]
    if analyte is None or term.value is None or level.above_times_uln is not None:
        return
    if term.value > analyte.plausible_high:
        raise ActionRefused(
            f"{term.value:f} is above anything plausible for {analyte.name} "
            f"({analyte.plausible_high:f} {analyte.unit}); a limit is in {analyte.unit}"
        )


def number_of(level: Level) -> Decimal | None:
    """The number of a level that may be moved for one patient."""
    numbers = (level.below, level.above, level.above_times_uln)
    return next((number for number in numbers if number is not None), None)


def _is_looser(value: Decimal, own: Decimal, rule: Rule) -> bool:
    return value < own if rule.downward else value > own


def _check_floor(value: Decimal, rule: Rule) -> None:
    if rule.floor is None:
        raise ActionRefused(
            f"{rule.id} names no floor in its protocol file: its limits may only be made stricter"
        )
    if _is_looser(value, rule.floor, rule):
        raise ActionRefused(f"{value:f} lies past the floor of {rule.id}, {rule.floor:f}")


def _check_order(term: Personal, rule: Rule, known: Sequence[Personal]) -> None:
    """A level moved past its neighbour would never speak, or silence the other."""
    numbers = [
        term.value if place == term.level else in_force(rule, place, known, term.since)
        for place in range(1, len(rule.levels) + 1)
    ]
    tests = [level.above_times_uln is not None for level in rule.levels]
    for place, (milder, severer) in enumerate(pairwise(numbers), start=1):
        if milder is None or severer is None or tests[place - 1] is not tests[place]:
            continue
        if milder <= severer if rule.downward else milder >= severer:
            raise ActionRefused(
                f"level {place} of {rule.id} would be {milder:f} and level {place + 1} "
                f"{severer:f}: of two levels the second must be the more severe; set the other "
                "first"
            )


def in_force(rule: Rule, level: int, known: Sequence[Personal], day: date) -> Decimal | None:
    """The number of a level for the patient on a day."""
    own = [
        it
        for it in known
        if it.what is Terms.LIMIT and (it.subject, it.level) == (rule.id, level) and it.is_on(day)
    ]
    latest = max(own, key=lambda it: (it.set_at, it.id), default=None)
    return number_of(rule.levels[level - 1]) if latest is None else latest.value


def misplaced(term: Personal, old: Protocol, new: Protocol) -> str:
    """Why what was set by one text of a protocol would not be what was agreed by another; empty
    where it would. A level that is gone takes its limit with it, a panel its interval."""
    if term.what is Terms.INTERVAL:
        problem = "" if _refusal(term, old) else _refusal(term, new)
        return problem and f"personal interval {term.id} (every {term.every}): {problem}"
    before, after = _level(term, old), _level(term, new)
    if term.what is not Terms.LIMIT or before is None or after is None:
        return ""
    (_, was), (rule, will_be) = before, after
    if _asks(was) != _asks(will_be):
        return (
            f"personal limit {term.id} ({term.value:f}) was set for the level that asks for "
            f"{_in_words(was)}, and would stand in for the one that asks for {_in_words(will_be)}"
        )
    assert term.value is not None
    own = number_of(will_be)
    past = rule.floor is None or _is_looser(term.value, rule.floor, rule)
    if own is not None and _is_looser(term.value, own, rule) and past:
        return f"personal limit {term.id} ({term.value:f}) would lie past the floor"
    return ""


def _level(term: Personal, protocol: Protocol) -> tuple[Rule, Level] | None:
    rule = next((it for it in protocol.rules if it.id == term.subject), None)
    if rule is None or not 1 <= term.level <= len(rule.levels):
        return None
    return rule, rule.levels[term.level - 1]


def _asks(level: Level) -> tuple[object, ...]:
    test = [it is not None for it in (level.below, level.above, level.above_times_uln)]
    return level.action, level.urgency, test


def _in_words(level: Level) -> str:
    number = number_of(level)
    at = "" if number is None else f" at {number:f}"
    return f"{level.action.replace('_', ' ')}, {level.urgency}{at}"


# --- An interval ------------------------------------------------------------------------


def _refusal(term: Personal, protocol: Protocol) -> str:
    """Why an interval could not be set so by a text; empty too where it asks for no such panel."""
    phase = next((it for it in protocol.phases if it.name == term.phase), None)
    if phase is None or phase.schedule(term.subject) is None:
        return ""
    try:
        _check_interval(term, protocol)
    except ActionRefused as refused:
        return str(refused)
    return ""


def _check_interval(term: Personal, protocol: Protocol) -> None:
    phase = next((it for it in protocol.phases if it.name == term.phase), None)
    if phase is None:
        names = [it.name for it in protocol.phases]
        raise ActionRefused(
            f"{protocol.id} has no phase {term.phase}; {nearest(term.phase, names)}"
        )
    schedule = phase.schedule(term.subject)
    if schedule is None:
        names = [it.panel for it in phase.panels]
        raise ActionRefused(
            f"phase {phase.name} has no panel {term.subject}; {nearest(term.subject, names)}"
        )
    try:
        every = parse_duration(term.every)
    except ValueError as error:
        raise ActionRefused(f"--every {term.every}: {error}") from None
    if not _is_longer(every, schedule.grace, term.since):
        raise ActionRefused(f"an interval is longer than its grace, {schedule.grace}")
    if _is_longer(every, schedule.every, term.since):
        _check_longer(every, schedule, term)


def _check_longer(every: Duration, schedule: PanelSchedule, term: Personal) -> None:
    longest = schedule.every_at_most
    if longest is None:
        raise ActionRefused(
            f"the protocol names no every_at_most for {schedule.panel} in phase {term.phase}: its "
            "interval may only be made shorter"
        )
    if _is_longer(every, longest, term.since):
        raise ActionRefused(f"every {every} is longer than the protocol allows, {longest}")
    if not term.second:
        raise ActionRefused("rarer tests need a second person to agree, --second WHO")


def _is_longer(one: Duration, than: Duration, day: date) -> bool:
    return one.after(day) > than.after(day)
