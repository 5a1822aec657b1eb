"""Why each rule and panel of an enrolment spoke or stayed quiet, in sentences.

A rule that could not be judged says so: it is never told as quiet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from monitor.core.answer import Finding, PanelStatus, Review
from monitor.core.baselines import is_member
from monitor.core.case import Result
from monitor.core.catalogue import Catalogue
from monitor.core.derive import with_derived
from monitor.core.episodes import Episode, episodes
from monitor.core.findings import day_text
from monitor.core.indications import meant_for
from monitor.core.judged import Judged
from monitor.core.ordered import Results
from monitor.core.protocol import Level, Protocol, Rule
from monitor.core.sureness import sureness
from monitor.core.verdicts import Verdict, verdict_of
from monitor.core.vocabulary import LATE, Because, PanelState

_SHOWN = 8


class Outcome(StrEnum):
    SPOKE = "spoke"
    QUIET = "quiet"
    NOT_JUDGED = "could not be judged"


@dataclass(frozen=True, slots=True)
class RuleReason:
    """What one rule made of the results of its analyte; `values` are the last it saw, as
    received and as converted."""

    rule: str
    analyte: str
    source: str
    levels: tuple[str, ...]
    outcome: Outcome
    why: tuple[str, ...]
    values: tuple[str, ...]
    sure: str = ""
    """How sure the source is, by its tags."""


@dataclass(frozen=True, slots=True)
class PanelReason:
    """Why a panel stands where it does."""

    panel: str
    outcome: Outcome
    why: tuple[str, ...]


def rule_reasons(
    review: Review, protocol: Protocol, catalogue: Catalogue
) -> tuple[RuleReason, ...]:
    """One reason for every rule of the protocol, in its order."""
    results = with_derived(review.case.results, catalogue)
    return tuple(_rule(rule, results, review, protocol, catalogue) for rule in protocol.rules)


def panel_reasons(review: Review, protocol: Protocol) -> tuple[PanelReason, ...]:
    """One reason for every panel, in the protocol's order."""
    return tuple(_panel(status, review, protocol) for status in review.panels)


def _rule(
    rule: Rule,
    results: Results,
    review: Review,
    protocol: Protocol,
    catalogue: Catalogue,
) -> RuleReason:
    own = results.of(rule.analyte)
    unit = catalogue.analytes[rule.analyte].unit
    verdict = verdict_of(rule, results, review.case, review.life, protocol, catalogue, review.today)
    spoken = [finding for finding in review.findings if finding.cause == f"rule:{rule.id}"]
    outcome, why = _outcome(verdict, own, spoken, review, protocol, unit)
    held = _held(rule.analyte, review)
    if held and outcome is Outcome.QUIET:
        outcome = Outcome.NOT_JUDGED
    return RuleReason(
        rule=rule.id,
        analyte=rule.analyte,
        source=rule.source,
        levels=tuple(_level(level, unit) for level in rule.levels),
        outcome=outcome,
        why=why + held,
        values=tuple(_value(result, unit) for result in own[-_SHOWN:]),
        sure=sureness(rule.source),
    )


def _outcome(
    verdict: Verdict,
    own: Sequence[Result],
    spoken: Sequence[Finding],
    review: Review,
    protocol: Protocol,
    unit: str,
) -> tuple[Outcome, tuple[str, ...]]:
    rule, indication = verdict.rule, review.case.enrolment.indication
    if not meant_for(rule, indication):
        return Outcome.QUIET, (f"the rule is not meant for the indication {indication or 'none'}",)
    unknown = (f"the latest: {verdict.unknown.why}",) if verdict.unknown is not None else ()
    if spoken:
        lines = (line for it in spoken for line in (it.summary, *it.arithmetic))
        return Outcome.SPOKE, (*lines, *unknown)
    if unknown:
        return Outcome.NOT_JUDGED, unknown
    if not own:
        return Outcome.QUIET, (f"no result of {rule.analyte} is known",)
    if not verdict.series:
        return Outcome.QUIET, (_unwatched(verdict, own, review),)
    found = episodes(verdict.series, protocol.episode_gap, rule.confirm)
    if found:
        enrolled_on = review.case.enrolment.enrolled_on
        return Outcome.QUIET, (_held_back(found[-1], rule, enrolled_on),)
    return Outcome.QUIET, (_within_limits(verdict.series[-1], rule, unit),)


def _held(analyte: str, review: Review) -> tuple[str, ...]:
    return tuple(
        f"held in quarantine and not judged: row {row.id}, {row.received_value} "
        f"{row.received_unit}".rstrip()
        + f" ({row.reason})"
        for row in review.case.held
        if row.analyte == analyte
    )


def _unwatched(verdict: Verdict, own: Sequence[Result], review: Review) -> str:
    if not verdict.judged:
        first = verdict.rule.levels[0]
        of_baseline = (first.rise_from_baseline, first.fall_from_baseline) != (None, None)
        if of_baseline and any(map(is_member, own)):
            return "what is known is the baseline itself; the next value is compared with it"
        return "no result is a number, or only preliminary ones that breach nothing"
    until = review.life.watch_until
    end = f" to {day_text(until)}" if until is not None else " on"
    return f"no result lies in the time watched, from {day_text(review.life.watch_from)}{end}"


def _held_back(episode: Episode, rule: Rule, enrolled_on: date) -> str:
    last = episode.breaches[-1].measured.collected_on
    if not episode.confirmed:
        return (
            f"breached on {day_text(last)}, but the rule speaks at breach {rule.confirm} in a row"
        )
    if not episode.concerns(enrolled_on):
        return (
            f"last breached on {day_text(last)}, before the enrolment on {day_text(enrolled_on)}, "
            "and has recovered: history"
        )
    return f"spoke before, and speaks again only when worse or after {rule.again_after}"


def _within_limits(latest: Judged, rule: Rule, unit: str) -> str:
    value, limit = latest.measured, latest.limits[0]
    origin = " (derived)" if value.derived else ""
    shown = f"{value.comparator}{value.value:f} {unit}{origin} on {day_text(value.collected_on)}"
    if rule.is_trend:
        return (
            f"the latest exact value, {shown}, does not end {limit.text if limit else 'such a row'}"
        )
    beyond = "below" if rule.downward else "above"
    return f"the latest, {shown}, is not {beyond} {limit.text if limit else 'any limit'}"


def _value(result: Result, unit: str) -> str:
    day = day_text(result.collected_on)
    if result.value is None:
        return f"{day}: no result ({result.no_result or 'empty'}), {result.status}"
    received = f"{result.received_value} {result.received_unit}".strip()
    origin = f"derived, {result.derived}" if result.derived else f"received {received}"
    return f"{day}: {origin} = {result.comparator}{result.value:f} {unit}, {result.status}"


def _level(level: Level, unit: str) -> str:
    return f"{_test(level, unit)}: {level.action.replace('_', ' ')}, {level.urgency}"


def _test(level: Level, unit: str) -> str:
    if level.below is not None:
        return f"below {level.below:f} {unit}"
    if level.above is not None:
        return f"above {level.above:f} {unit}{course_text(level)}"
    if level.above_times_uln is not None:
        return f"above {level.above_times_uln:f} x the upper limit of normal{course_text(level)}"
    if level.rise_from_baseline is not None:
        within = f" within {level.within}" if level.within else ""
        return f"{level.rise_from_baseline:f} % above the baseline{within}"
    if level.fall_from_baseline is not None:
        within = f" within {level.within}" if level.within else ""
        return f"{level.fall_from_baseline:f} % below the baseline{within}"
    ceiling = f", below {level.only_below:f} {unit}" if level.only_below is not None else ""
    return f"{level.falls_in_a_row} falls in a row of more than {level.each:f} %{ceiling}"


def course_text(level: Level) -> str:
    """What a level asks of the course since the start, beside its limit."""
    if level.rise_from_lowest is not None:
        return f" and {level.rise_from_lowest:f} % above the lowest since the start"
    if level.not_fallen_by is None:
        return ""
    after = f", from {level.after}" if level.after else ""
    until = f" until {level.until}" if level.until else ""
    return f" and not {level.not_fallen_by:f} % below the baseline{after}{until} after the start"


def _panel(status: PanelStatus, review: Review, protocol: Protocol) -> PanelReason:
    why = [_last(status)]
    if status.due_on is None and status.state is PanelState.UP_TO_DATE:
        why.append("nothing demands it now")
    elif status.due_on is None:
        why.append(f"nothing is due any more: {review.life.ended_by or 'the schedule has ended'}")
    else:
        state = status.state.replace("_", " ")
        why.append(f"due on {day_text(status.due_on)}{_because(status, protocol)}: {state}")
    why += [f"{day_text(day)}: no {', '.join(names)}" for day, names in status.partial]
    why += [f"asked for: {text}" for text in status.demanded_by]
    shared = review.shared.panel(status.panel)
    if shared is not None:
        why.append(shared.text)
        if shared.told_by:
            why.append(f"told with the alert of {shared.told_by}, so that it is told once")
    silent = shared is not None and bool(shared.told_by)
    return PanelReason(
        panel=status.panel,
        outcome=Outcome.SPOKE if status.state in LATE and not silent else Outcome.QUIET,
        why=tuple(why),
    )


def _last(status: PanelStatus) -> str:
    if status.last_completed_on is None:
        return "no completion is known"
    declared = " (declared at enrolment)" if status.declared else ""
    return f"last completed on {day_text(status.last_completed_on)}{declared}"


def _because(status: PanelStatus, protocol: Protocol) -> str:
    if status.because is Because.RECHECK:
        return ", a recheck that a rule asks for"
    phase = next((it for it in protocol.phases if it.name == status.phase), None)
    schedule = phase.schedule(status.panel) if phase else None
    every = f": every {schedule.every}, {schedule.grace} of grace" if schedule else ""
    return f" (phase {status.phase}{every})"
