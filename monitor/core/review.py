"""One review for one enrolment or a million: what stands, what the rules say, until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitor.core import due, findings, judges
from monitor.core.answer import Demand, Finding, Life, PanelStatus, Review, Unjudged
from monitor.core.baselines import BaselineTerms
from monitor.core.before_start import with_what_is_unavailable
from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.derive import with_derived
from monitor.core.episodes import Episode, episodes, speaking, watched
from monitor.core.held_rows import of_held_rows
from monitor.core.judged import Judged, Unknown
from monitor.core.judges import View
from monitor.core.levels import judge
from monitor.core.life import life_of
from monitor.core.ordered import Ordered
from monitor.core.panels import Completions, completions
from monitor.core.personal import is_accepted, limits_of, with_intervals
from monitor.core.protocol import Protocol, Rule
from monitor.core.remarks import with_remarks
from monitor.core.shared import shared, told_here
from monitor.core.vocabulary import EnrolmentState


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
    return Review(
        case=case,
        today=view.today,
        life=view.life,
        panels=tuple(view.panels),
        findings=() if view.life.died else _findings(view),
        unjudged=() if view.life.died else _unjudged(verdicts),
        next_change_at=_next_change(view, siblings),
        shared=view.shared,
    )


def _findings(view: View) -> tuple[Finding, ...]:
    found = (*view.rule_findings, *_other_findings(view), *judges.findings(view))
    return tuple(with_what_is_unavailable(finding, view) for finding in found)


def _unjudged(verdicts: Sequence[Verdict]) -> tuple[Unjudged, ...]:
    return tuple(it for verdict in verdicts if (it := verdict.unjudged()) is not None)


def view_of(
    case: Case,
    protocols: Mapping[str, Protocol],
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> View:
    """What the judges see of an enrolment at an instant, for who asks them why."""
    return _together(case, protocols, catalogue, now, zone)[0]


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
    found = [finding for verdict in verdicts for finding in _threshold_findings(verdict, view)]
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
    protocol = with_intervals(protocols[case.enrolment.protocol_id], case.personal, today)
    names = catalogue.drugs
    life = life_of(case.enrolment, case.events, protocol, today, names, case.siblings)
    results = with_derived(case.results, catalogue)
    verdicts = [
        verdict_of(rule, results, case, life, protocol, catalogue, today)
        for rule in protocol.rules
        if applies(rule, case.enrolment.indication)
    ]
    rechecks = [] if life.ended_for_good else [it for v in verdicts for it in v.rechecks(protocol)]
    view = View(
        case=case,
        life=life,
        results=results,
        done={
            it.id: completions(it, results.of(*it.analytes), case.enrolment, today)
            for it in protocol.panels
        },
        protocol=protocol,
        catalogue=catalogue,
        today=today,
        zone=zone,
        series={it.rule.id: it.series for it in verdicts},
    )
    return replace(view, panels=_panels(view, rechecks)), verdicts


def applies(rule: Rule, indication: str) -> bool:
    """Whether a rule is meant for patients with this indication."""
    if indication in rule.except_indications:
        return False
    return not rule.indications or indication in rule.indications


class Verdict:
    """What one rule makes of the results of one enrolment."""

    def __init__(
        self,
        rule: Rule,
        judged: Sequence[Judged | Unknown],
        life: Life,
        today: Judged | None = None,
        *,
        accepted: bool = False,
    ) -> None:
        self.rule = rule
        self._today = today
        self._accepted = accepted
        self.judged = judged
        seen = watched(judged, life)
        self.series = [it for it in seen if isinstance(it, Judged)]
        self.unknown = seen[-1] if seen and isinstance(seen[-1], Unknown) else None
        """The latest watched result, where it could not be judged."""

    @property
    def latest(self) -> Judged | None:
        """The latest watched result by the limits of today."""
        if not self.series:
            return None
        return self._today if self._today is not None else self.series[-1]

    def is_going_on(self, episode: Episode) -> bool:
        """Not where the limits of today no longer mind the latest result."""
        latest = self.latest
        return episode.going_on and latest is not None and latest.breaches

    def rechecks(self, protocol: Protocol) -> list[tuple[str, due.Recheck]]:
        """(panel, recheck) while the latest result meets a level that asks for one."""
        latest = self.latest
        if latest is None or not latest.breaches or self._accepted:
            return []
        met = self.rule.levels[: latest.level]
        days = [it.recheck.after(latest.collected_on) for it in met if it.recheck]
        if not days:
            return []
        recheck = due.Recheck(due_on=min(days), rule=self.rule.id)
        return [(panel.id, recheck) for panel in protocol.panels_with(self.rule.analyte)]

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
    results: Ordered,
    case: Case,
    life: Life,
    protocol: Protocol,
    catalogue: Catalogue,
    today: date,
) -> Verdict:
    """Judge the results of the rule's analyte; `results` are those of `with_derived`."""
    own = results.of(rule.analyte)
    unit = catalogue.analytes[rule.analyte].unit
    terms = BaselineTerms(start=life.first_dose_on, within=protocol.baseline.within)
    if not case.personal:
        return Verdict(rule, judge(rule, own, terms, unit), life)
    terms = replace(terms, personal=limits_of(rule.id, case.personal))
    verdict = Verdict(rule, judge(rule, own, terms, unit), life)
    if not verdict.series:
        return verdict
    latest = verdict.series[-1].collected_at
    now = judge(rule, own, replace(terms, as_of=today), unit)
    by_today = (it for it in now if isinstance(it, Judged) and it.collected_at == latest)
    accepted = is_accepted(rule.id, verdict.series, case.personal, today, downward=rule.downward)
    return Verdict(rule, verdict.judged, life, next(by_today, None), accepted=accepted)


def _panels(view: View, rechecks: Sequence[tuple[str, due.Recheck]]) -> tuple[PanelStatus, ...]:
    """Every panel of the protocol, those on demand only where they concern the patient."""
    demands, concerned = judges.demands(view), judges.panels(view)
    found = []
    for panel in view.protocol.panels:
        done = view.done[panel.id]
        status = _panel_status(
            panel.id, done, view.life, view.protocol, rechecks, demands, view.today
        )
        if panel.on_demand is not None and status.due_on is None:
            if panel.id not in concerned:
                continue
            lasting = view.life.state is not EnrolmentState.STOPPED
            status = due.nothing_due(panel.id, done, lasting=lasting)
        found.append(status)
    return tuple(found)


def _panel_status(
    panel_id: str,
    done: Completions,
    life: Life,
    protocol: Protocol,
    rechecks: Sequence[tuple[str, due.Recheck]],
    demands: Sequence[Demand],
    today: date,
) -> PanelStatus:
    obligation = None
    if life.state is not EnrolmentState.STOPPED:
        obligation = due.scheduled(protocol, panel_id, done.last, life.anchors, today)
    own = [recheck for panel, recheck in rechecks if panel == panel_id]
    asked = [demand for demand in demands if demand.panel == panel_id]
    return due.status(protocol, panel_id, done, obligation, own, asked, today)


def _other_findings(view: View) -> list[Finding]:
    """What is late, what was unusable, what is held."""
    case, life, protocol = view.case, view.life, view.protocol
    found: list[Finding | None] = []
    if life.state is not EnrolmentState.ELSEWHERE:
        late = told_here(view.panels, view.shared)
        found.append(
            findings.of_late_panels(
                case, life, late, protocol, view.catalogue, view.today, view.shared
            )
        )
        found.extend(findings.of_unusable_samples(case, view.panels, life, protocol))
    if not life.ended_for_good:
        found.append(of_held_rows(case, protocol))
    return [finding for finding in found if finding is not None]


def _threshold_findings(verdict: Verdict, view: View) -> list[Finding]:
    """What each episode says that is no history; history has not spoken before either."""
    rule, case = verdict.rule, view.case
    found = episodes(verdict.series, view.protocol.episode_gap, rule.confirm)
    current = [episode for episode in found if episode.concerns(case.enrolment.enrolled_on)]
    said = [
        findings.of_episode(
            episode,
            rule,
            case,
            view.life,
            view.catalogue,
            verdict.series[-1],
            going_on=verdict.is_going_on(episode),
        )
        for episode in speaking(current, rule)
    ]
    return [with_remarks(finding, rule, view) for finding in said]


def _next_change(view: View, siblings: Sequence[View]) -> datetime | None:
    """The earliest later day on which an answer changes; those of the patient's other drugs
    change what this one tells."""
    days = []
    for it in (view, *siblings):
        days += [panel.next_change_on for panel in it.panels]
        days.append(it.life.next_change_on)
    days.extend(judges.wakes(view))
    case, today = view.case, view.today
    tested = (case.enrolment.last_tested_on, *(it.collected_on for it in case.results))
    days.extend(day for day in tested if day is not None and day > today)
    return min((start_of_day(day, view.zone) for day in days if day is not None), default=None)
