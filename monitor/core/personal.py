"""What a clinician set for one patient: limits, intervals, an accepted baseline.

Source: specification, section 4 (recheck) and "Notes on meaning" of a protocol file. A limit
moves a level and never removes it. A result is judged by the limits of its own day (limits.py says
what holds on a day on which one is set or ended); whether the latest one still breaches, and asks
for a recheck, is judged by those in force today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from monitor.core import findings as words
from monitor.core.answer import Considered, Finding
from monitor.core.calendar import parse_duration, start_of_day
from monitor.core.episodes import markedly_worse
from monitor.core.judged import Judged
from monitor.core.personal_checks import number_of
from monitor.core.personal_terms import Personal, Terms, in_force
from monitor.core.protocol import Phase, Protocol, Rule
from monitor.core.spans import ONE_DAY
from monitor.core.vocabulary import Kind, Urgency

if TYPE_CHECKING:
    from monitor.core.case import Result
    from monitor.core.judges import View

_SOURCE = "set by a clinician for this patient"


def limits_of(rule_id: str, personal: Sequence[Personal]) -> list[Personal]:
    """The limits that were ever set for a rule."""
    return [it for it in personal if it.what is Terms.LIMIT and it.subject == rule_id]


def with_intervals(protocol: Protocol, personal: Sequence[Personal], today: date) -> Protocol:
    """The protocol with the intervals in force for the patient today."""
    own = [it for it in personal if it.what is Terms.INTERVAL and it.is_on(today)]
    if not own:
        return protocol
    latest = {
        (it.phase, it.subject): parse_duration(it.every)
        for it in sorted(own, key=lambda it: (it.set_at, it.id))
    }

    def personal_phase(phase: Phase) -> Phase:
        return replace(
            phase,
            panels=tuple(
                replace(it, every=latest.get((phase.name, it.panel), it.every))
                for it in phase.panels
            ),
        )

    return replace(protocol, phases=tuple(personal_phase(phase) for phase in protocol.phases))


def last_days_of_intervals(panel: str, personal: Sequence[Personal], today: date) -> Iterator[date]:
    """Of the intervals of a panel that ran out, ended by nobody: when each was last in force."""
    for it in personal:
        ran_out = it.ended_on is None and it.until <= today
        if it.what is Terms.INTERVAL and it.subject == panel and ran_out:
            yield it.until - ONE_DAY


def is_accepted(
    rule_id: str,
    series: Sequence[Judged],
    personal: Sequence[Personal],
    today: date,
    *,
    downward: bool,
) -> bool:
    """Whether the latest result was accepted as baseline, or is no worse than what was: the
    latest that was known when the clinician accepted it, never what came to light after."""
    own = [it for it in personal if it.what is Terms.BASELINE and it.subject == rule_id]
    for it in own:
        then = [judged for judged in series if _was_known(judged.result, it.set_at)]
        if not it.is_on(today) or not then:
            continue
        accepted, latest = then[-1], series[-1]
        worse = latest.level > accepted.level or markedly_worse(
            latest.measured.value, accepted.measured.value, downward=downward
        )
        if not worse:
            return True
    return False


def _was_known(result: Result, at: datetime) -> bool:
    return result.collected_at <= at and result.received_at <= at


def in_words(it: Personal) -> str:
    """`personal limit on neutropenia, level 1: 1.2 until 1 Dec 2026 (Dr A, Dr B): Duffy-null`."""
    who = ", ".join(filter(None, (it.by, it.second)))
    return f"{name(it)} until {words.day_text(it.last)} ({who}): {it.reason}"


def name(it: Personal) -> str:
    """What was set, without its end."""
    match it.what:
        case Terms.LIMIT:
            return f"personal limit on {it.subject}, level {it.level}: {it.value:f}"
        case Terms.INTERVAL:
            return f"personal interval of {it.subject} in phase {it.phase}: every {it.every}"
    return f"{it.subject} accepted as baseline"


# --- The end of a personal limit is told ------------------------------------------------


def findings(view: View) -> Iterator[Finding]:
    """Somebody is told when the protocol's own returns by the passing of time, while the drug is
    taken; a stop takes nothing back."""
    stopped_on = view.life.stopped_on
    last = view.today if stopped_on is None else min(stopped_on, view.today)
    for it in view.case.personal:
        if it.ended_on is None and it.until <= last and not _is_renewed(it, view):
            yield _ended(it, view)


def wakes(view: View) -> Iterator[date]:
    """The days on which something set begins to count, or counts no more."""
    for it in view.case.personal:
        yield from (it.since, it.last)


def _is_renewed(it: Personal, view: View) -> bool:
    """Another of the same kind took over without a gap."""
    return any(
        other.id != it.id
        and (other.what, other.subject, other.level, other.phase)
        == (it.what, it.subject, it.level, it.phase)
        and other.since <= it.until < other.last
        for other in view.case.personal
    )


def _ended(it: Personal, view: View) -> Finding:
    return Finding(
        enrolment_id=view.case.enrolment.id,
        cause=f"personal_ended:{it.id}",
        kind=Kind.REVIEW,
        urgency=Urgency.ROUTINE,
        summary=(
            f"{words.sentence(name(it)).rstrip('.')} ended on {words.day_text(it.until)}: the "
            "protocol's own applies again"
        ),
        source=_SOURCE,
        recovered=view.life.stopped_on is not None,
        breaches=(start_of_day(it.until, view.zone),),
        action=words.action_words(Kind.REVIEW, view.case.enrolment.drug),
        say=(*_latest(it, view), "To be set anew, it needs a reason, an author and an end."),
        arithmetic=(in_words(it),),
    )


def _latest(it: Personal, view: View) -> Iterator[str]:
    """The latest value, beside the protocol's own limit, where the protocol still has one."""
    rule = next((rule for rule in view.protocol.rules if rule.id == it.subject), None)
    series = view.series.get(it.subject, ())
    if it.what is not Terms.LIMIT or rule is None or not series or it.level > len(rule.levels):
        return
    level = rule.levels[it.level - 1]
    own = number_of(level)
    if own is not None:
        analyte, latest = view.catalogue.analytes[rule.analyte], series[-1].measured
        unit = analyte.unit if level.above_times_uln is None else "x ULN"
        yield (
            f"Latest {analyte.amid} {latest.comparator}{latest.value:f} {analyte.unit} on "
            f"{words.day_text(latest.collected_on)}; the protocol's own limit is {own:f} {unit}."
        )


def considered(view: View) -> Iterator[Considered]:
    """What is set for the patient today, and what could be."""
    if not any(it.is_on(view.today) for it in view.case.personal):
        why = "no limit or interval of the patient's own stands"
        yield Considered(room="personal", subject="limits", why=(why,), source=_SOURCE)
    for it in view.case.personal:
        if it.is_on(view.today):
            yield Considered(
                room="personal", subject=it.subject, why=(in_words(it),), source=_SOURCE
            )
    for rule in view.protocol.rules:
        for line in offer(rule, view):
            yield Considered(room="personal", subject=rule.id, why=(line,), source=rule.source)


def beside(finding: Finding, rule: Rule, view: View) -> Iterator[str]:
    """The limits that stand for a rule today, where the alert does not show them: its worst result
    is judged by those of its own day."""
    own = limits_of(rule.id, view.case.personal)
    for level in range(1, len(rule.levels) + 1):
        it = in_force(own, level, view.today)
        if it is None:
            continue
        until = words.day_text(it.last)
        if level != finding.level or until not in finding.limit_text:
            yield words.sentence(f"{name(it)} until {until}")


def offer(rule: Rule, view: View) -> Iterator[str]:
    """A personal limit that could be set: where both of the last two results at or before the
    start met the limit already."""
    if rule.floor is None or any(it.subject == rule.id for it in view.case.personal):
        return
    start = view.life.first_dose_on
    before = [it for it in view.series.get(rule.id, ()) if it.collected_on <= start][-2:]
    if len(before) == 2 and all(judged.certain for judged in before):
        yield (
            "Both of the last two results before the start met this limit: a personal limit can "
            f"be set (monitor limit set, rule {rule.id}, floor {rule.floor:f})."
        )
