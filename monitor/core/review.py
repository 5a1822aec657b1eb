"""One review for one enrolment or a million: what stands, what the rules say, until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitor.core import due, findings, judges
from monitor.core.answer import Finding, Life, PanelStatus, Review, Unjudged
from monitor.core.before_start import with_what_is_unavailable
from monitor.core.calendar import clinic_day, earliest, start_of_day
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.derive import with_derived
from monitor.core.episodes import Episode, episodes, speaking
from monitor.core.held_rows import of_held_rows
from monitor.core.indications import meant_for
from monitor.core.judges import View
from monitor.core.kept import basis, memory, reaches
from monitor.core.life import life_of
from monitor.core.panels import completions
from monitor.core.personal import last_days_of_intervals, with_intervals
from monitor.core.protocol import Protocol
from monitor.core.remarks import with_remarks
from monitor.core.shared import shared, told_here
from monitor.core.spans import ONE_DAY
from monitor.core.verdicts import Verdict, Verdicts, verdict_of
from monitor.core.vocabulary import LATE, EnrolmentState


def review(
    cases: Sequence[Case],
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> list[Review]:
    """Judge a batch of enrolments at one instant; the order of the answers is theirs.

    Raises KeyError where an enrolment's protocol is not among `protocols`.
    """
    return [review_one(case, protocols, catalogue, now, zone) for case in cases]


def review_one(
    case: Case,
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> Review:
    """`review` of one enrolment; its siblings are looked at as far as they matter to it."""
    view, verdicts, siblings = _together(case, protocols, catalogue, now, zone)
    alone = not (case.siblings or case.personal or case.held)
    known = memory(view, verdicts) if alone else None
    views = (view, *siblings)
    found = () if view.life.died else _findings(view)
    by_schedule = _earliest(_changes_by_schedule(views), zone)
    rest = _earliest(_changes_of_the_rest(views), zone)
    return Review(
        case=case,
        today=view.today,
        life=view.life,
        panels=tuple(view.panels),
        findings=found,
        unjudged=() if view.life.died else _unjudged(verdicts),
        next_change_at=earliest(by_schedule, rest),
        shared=view.shared,
        reaches=reaches(view.results if known is None else known) if alone else None,
        memory=known,
        basis=basis(view) if known is not None else None,
        rest_changes_at=rest,
    )


def _findings(view: View) -> tuple[Finding, ...]:
    found = (*view.rule_findings, *_other_findings(view), *judges.findings(view))
    return tuple(with_what_is_unavailable(finding, view) for finding in found)


def _unjudged(verdicts: Sequence[Verdict]) -> tuple[Unjudged, ...]:
    loud = (verdict for verdict in verdicts if not verdict.is_quiet)
    return tuple(it for verdict in loud if (it := verdict.unjudged()) is not None)


def view_of(
    case: Case,
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> View:
    """What the judges see of an enrolment at an instant, for who asks them why."""
    return _together(case, protocols, catalogue, now, zone)[0]


def panels_of(
    case: Case,
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> View:
    """An enrolment at an instant with its life and panels alone: not what its rules find, nor what
    the patient's other drugs mean for it."""
    return _alone(case, protocols, catalogue, clinic_day(now, zone), zone)[0]


def lateness_changes_on(view: View) -> date | None:
    """The first later day on which the life is another, or another panel may be late, though
    nothing new comes. One that is late stays so until it is done."""
    in_time = {it.in_time_until for it in view.panels if it.state not in LATE}
    days = {it + ONE_DAY for it in in_time if it is not None} | {view.life.next_change_on}
    days |= {*judges.demand_wakes(view), *_later_inputs(view)}
    return min((day for day in days if day is not None), default=None)


def _together(
    case: Case,
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[View, list[Verdict], list[View]]:
    """The view of an enrolment, its verdicts, and the views of the patient's other ones."""
    today = clinic_day(now, zone)
    view, verdicts = _alone(case, protocols, catalogue, today, zone)
    group = (case, *case.siblings)
    siblings = [
        _alone(
            replace(it, siblings=tuple(other for other in group if other is not it)),
            protocols,
            catalogue,
            today,
            zone,
        )[0]
        for it in case.siblings
        if it.enrolment.protocol_id in protocols
    ]
    loud = [verdict for verdict in verdicts if not verdict.is_quiet]
    found = [finding for verdict in loud for finding in _threshold_findings(verdict, view)]
    view = replace(view, rule_findings=found, shared=shared(view, siblings))
    return view, verdicts, siblings


def _alone(
    case: Case,
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    today: date,
    zone: ZoneInfo,
) -> tuple[View, list[Verdict]]:
    """An enrolment with its panels, whatever those of the patient's other drugs say."""
    written = protocols[case.enrolment.protocol_id]
    protocol = with_intervals(written, case.personal, today)
    names = catalogue.drugs
    life = life_of(case.enrolment, case.events, protocol, today, names, case.siblings)
    results = with_derived(case.results, catalogue)
    verdicts = [
        verdict_of(rule, results, case, life, protocol, catalogue, today)
        for rule in protocol.rules
        if meant_for(rule, case.enrolment.indication)
    ]
    asked = () if life.ended_for_good else verdicts
    rechecks = [it for verdict in asked for it in verdict.rechecks(protocol)]
    view = View(
        case=case,
        life=life,
        results=results,
        done={it.id: completions(it, results, case.enrolment, today) for it in protocol.panels},
        protocol=protocol,
        catalogue=catalogue,
        today=today,
        zone=zone,
        series=Verdicts(verdicts),
    )
    return replace(view, panels=_panels(view, written, rechecks)), verdicts


def _panels(
    view: View, written: Protocol, rechecks: Sequence[tuple[str, due.Recheck]]
) -> tuple[PanelStatus, ...]:
    """Every panel of the protocol, those on demand only where they concern the patient; `written`
    is the protocol without the patient's own intervals."""
    demands, concerned = judges.demands(view), judges.panels(view)
    found = []
    for panel in view.protocol.panels:
        done = view.done[panel.id]
        own = [recheck for name, recheck in rechecks if name == panel.id]
        asked = [demand for demand in demands if demand.panel == panel.id]
        duty = _obligation(panel.id, view, written)
        status = due.status(view.protocol, panel.id, done, duty, own, asked, view.today)
        if panel.on_demand is not None and status.due_on is None:
            if panel.id not in concerned:
                continue
            lasting = view.life.state is not EnrolmentState.STOPPED
            status = due.nothing_due(panel.id, done, lasting=lasting)
        found.append(status)
    return tuple(found)


def _obligation(panel: str, view: View, written: Protocol) -> due.Obligation | None:
    """By the intervals in force today, and by one of the patient's own that ran out while its test
    was overdue: only a completion ends that."""
    if view.life.state is EnrolmentState.STOPPED:
        return None
    last, anchors, personal = view.done[panel].last, view.life.anchors, view.case.personal
    strictest = due.scheduled(view.protocol, panel, last, anchors, view.today)
    for day in last_days_of_intervals(panel, personal, view.today):
        then = due.scheduled(with_intervals(written, personal, day), panel, last, anchors, day)
        if then is None or day <= then.last_day_in_grace:
            continue
        if strictest is None or then.order < strictest.order:
            strictest = then
    return strictest


def _other_findings(view: View) -> list[Finding]:
    """What is late, what was unusable, what is held."""
    case, life, protocol = view.case, view.life, view.protocol
    found: list[Finding | None] = []
    if not life.elsewhere:
        late = told_here(view.panels, view.shared)
        found.append(
            findings.of_late_panels(
                case, life, late, protocol, view.catalogue, view.today, view.shared
            )
        )
        found.extend(findings.of_unusable_samples(case, view.results, view.panels, life, protocol))
    if not life.ended_for_good:
        found.append(of_held_rows(view))
    return [finding for finding in found if finding is not None]


def _threshold_findings(verdict: Verdict, view: View) -> list[Finding]:
    """What each episode says that is no history; history has not spoken before either."""
    rule, case = verdict.rule, view.case
    if not verdict.ever_breached:
        return []
    found = episodes(verdict.series, view.protocol.episode_gap, rule.confirm)
    current = [episode for episode in found if episode.concerns(case.enrolment.enrolled_on)]
    said = [
        findings.of_episode(
            episode,
            rule,
            case,
            view.life,
            view.catalogue,
            verdict.latest or verdict.series[-1],
            going_on=verdict.is_going_on(episode),
            repeat_by=_repeat_by(verdict, episode, view.life),
        )
        for episode in speaking(current, rule)
    ]
    return [with_remarks(finding, rule, view) for finding in said]


def _repeat_by(verdict: Verdict, episode: Episode, life: Life) -> date | None:
    """Said where the recheck is asked for here, and with the episode that asks for it."""
    is_asked = verdict.is_going_on(episode) and not (life.ended_for_good or life.elsewhere)
    return verdict.repeat_by if is_asked else None


def _changes_by_schedule(views: Iterable[View]) -> Iterator[date | None]:
    """The later days on which a due day or a missed test changes an answer; those of the
    patient's other drugs change what this one tells."""
    for it in views:
        yield from (panel.next_change_on for panel in it.panels)
        yield from judges.wakes(it, by_schedule=True)


def _changes_of_the_rest(views: Sequence[View]) -> Iterator[date | None]:
    """The later days on which anything else does."""
    for it in views:
        yield it.life.next_change_on
        yield from judges.wakes(it, by_schedule=False)
    yield from _later_inputs(views[0])


def _later_inputs(view: View) -> Iterator[date]:
    """The days to come of tests that are said to be done then."""
    yield from view.results.days_after(view.today)
    declared = view.case.enrolment.last_tested_on
    if declared is not None and declared > view.today:
        yield declared


def _earliest(days: Iterable[date | None], zone: ZoneInfo) -> datetime | None:
    first = min((day for day in days if day is not None), default=None)
    return None if first is None else start_of_day(first, zone)
