"""The oracle's reading of doses, unclear genotypes, the kidney and an early stop.

From the founding brief (docs/manual/dose-and-genotype.md says it row by row), the meaning of the
keys of `[dosing]` in docs/protocol-files.md, and docs/choices/dosing.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

from monitor.core.case import Case, Event, Result
from monitor.core.dosing_rules import Amount, Dosing, Regime
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import Kind, Urgency
from tests.property.oracle_care import doses, ordered, weights
from tests.property.oracle_course import Course
from tests.property.oracle_episodes import Episode, Point
from tests.property.oracle_rules import concerns_indication
from tests.property.oracle_values import add, below, take, valid

ASKING_FOR_LESS = (Kind.WITHHOLD, Kind.DOSE_REDUCTION, Kind.DISCONTINUE)
GENES = ("tpmt", "nudt15")


@dataclass
class DoseAnswer:
    """What is said, by cause."""

    said: dict[str, Any] = field(default_factory=dict)
    kidney: list[tuple[str, date]] = field(default_factory=list)
    """The kidney panel and a day on which it is due, if anything is."""

    def check(self, what: str, urgency: Urgency = Urgency.URGENT) -> None:
        self.said[f"dose_check:{what}"] = _said("dose_check", urgency)


def _said(kind: str, urgency: Urgency, recovered: bool = False) -> dict[str, Any]:
    return {"kind": kind, "urgency": urgency, "recovered": recovered}


@dataclass(frozen=True)
class Scales:
    """What a dose is compared with: the weight of today, and the nearest tablet."""

    dosing: Dosing
    kg: Fraction | None

    def nearest(self, mg: Fraction) -> Fraction:
        step = Fraction(self.dosing.nearest_mg)
        return floor(mg / step + Fraction(1, 2)) * step

    def limit(self, amount: Amount | None, percent: Fraction = Fraction(100)) -> Fraction | None:
        if amount is None or (amount.per_kg and self.kg is None):
            return None
        mg = Fraction(amount.number)
        if amount.per_kg and self.kg is not None:
            mg = mg * self.kg
        return self.nearest(mg * percent / 100)

    def over(self, mg: Fraction, limit: Fraction | None) -> bool:
        return limit is not None and self.nearest(mg) > limit


def by_weight(regime: Regime) -> bool:
    """Whether anything that the regime says is for each kg of a patient."""
    return "per_kg=True" in repr(regime)


def dose_answer(
    case: Case,
    protocol: Protocol,
    life: Course,
    state: str,
    episodes: list[Episode],
    points: dict[str, list[Point]],
    results: list[Result],
    genes: dict[str, str],
    today: date,
) -> DoseAnswer:
    answer = DoseAnswer()
    unclear_genes(answer, genes, protocol, life, today)
    dosing = protocol.dosing
    if dosing is None:
        return answer
    regime = dict(dosing.indications).get(case.enrolment.indication, dosing.general)
    standing = [it for it in episodes if it.alerting and not it.recovered]
    early_stop(answer, case, regime, life, today)
    unanswered = kidney_unanswered(case, protocol, life, results, today)
    if dosing.renal is not None:
        answer.kidney = [(dosing.renal.panel, event.on) for event in unanswered]
    if state not in ("planned", "active") or is_held(case, today, state):
        return answer
    weighed = weights(case, today)
    scales = Scales(dosing, weighed[-1][1] if weighed else None)
    given = changes(case, life, today)
    stood = [it for it in standing if given and stood_on(it, points[it.rule], given[-1][0])]
    the_dose(answer, protocol, genes, regime, scales, given, life, stood, today)
    if given and by_weight(regime):
        assert dosing.weight_valid is not None
        if not weighed or today > add(weighed[-1][0], dosing.weight_valid):
            answer.check("weight", Urgency.ROUTINE)
    if regime.before_dose is not None:
        terms = regime.before_dose
        since = take(life.first_dose, terms.within)
        known = [it for it in latest(results, (terms.analyte,), today) if it.collected_on >= since]
        enough = known and all(
            below(Fraction(it.value or 0), it.comparator, Fraction(terms.below)) == "certain"
            for it in known
        )
        if today >= since and not enough:
            answer.check("before_dose")
    unjudged = kidney_unjudged(case, protocol, life, points, results, today)
    kidney(answer, dosing, regime, scales, given, unjudged, standing, protocol, results, today)
    return answer


def is_held(case: Case, today: date, state: str) -> bool:
    """A hold, and no resumption since; a plan that is held is a plan."""
    words = [it.event for it in ordered(case, today) if it.event in ("hold", "resume")]
    return state != "planned" and words[-1:] == ["hold"]


def changes(case: Case, life: Course, today: date) -> list[tuple[date, Fraction]]:
    """Every dose another than the one before it; of those up to the first dose, the last."""
    known = doses(case, today)
    begun = [it for it in known if it[0] <= life.first_dose]
    row = begun[-1:] + [it for it in known if it[0] > life.first_dose]
    return [it for place, it in enumerate(row) if place == 0 or row[place - 1][1] != it[1]]


def the_dose(
    answer: DoseAnswer,
    protocol: Protocol,
    genes: dict[str, str],
    regime: Regime,
    scales: Scales,
    given: list[tuple[date, Fraction]],
    life: Course,
    standing: list[Episode],
    today: date,
) -> None:
    if not given:
        if today >= life.first_dose:
            answer.check("dose_unknown", Urgency.ROUTINE)
        return
    mg = given[-1][1]
    too_high(answer, regime, scales, mg, life, today)
    too_soon(answer, regime, scales, given, life, standing, today)
    words = list(genes.values())
    slow = words.count("intermediate")
    if slow and "poor" not in words:
        advices = protocol.genotypes
        advice = advices.both_intermediate if slow > 1 else advices.intermediate
        if advice.at_most is not None:
            part = scales.limit(regime.usual_start, Fraction(advice.at_most))
            if scales.over(mg, part):
                answer.check("genotype")


def too_high(
    answer: DoseAnswer, regime: Regime, scales: Scales, mg: Fraction, life: Course, today: date
) -> None:
    most = regime.maximum
    if regime.later_after is not None and today >= add(life.first_dose, regime.later_after):
        most = regime.later_maximum or most
    if scales.over(mg, scales.limit(most)):
        answer.check("maximum")
    for rung in regime.ladder:
        if today < add(life.first_dose, rung.until):
            if scales.over(mg, scales.limit(rung.at_most)):
                answer.check("ladder")
            break


def too_soon(
    answer: DoseAnswer,
    regime: Regime,
    scales: Scales,
    given: list[tuple[date, Fraction]],
    life: Course,
    standing: list[Episode],
    today: date,
) -> None:
    """An increase before the protocol allows it, or while less was asked for."""
    mg = given[-1][1]
    before = scales.nearest(given[-2][1]) if len(given) > 1 else scales.limit(regime.start_at_most)
    more = None if before is None else scales.nearest(mg) - before
    if more is not None and more > 0:
        steps_from = given[-2][0] if len(given) > 1 else None
        if steps_needed(more, scales.limit(regime.step)) > steps_allowed(
            regime, life.first_dose, steps_from, today
        ):
            answer.check("step")
        on_the_way = [it for it in standing if it.kind in ASKING_FOR_LESS]
        if len(given) > 1 and on_the_way:
            answer.check("toxicity")


def stood_on(episode: Episode, points: list[Point], day: date) -> bool:
    """The last result up to a day was a breach of the episode: it had not recovered."""
    until = [point for point in points if point.day <= day]
    return bool(until) and until[-1].at in episode.breaches


def steps_needed(more: Fraction, step: Fraction | None) -> int:
    if not step:
        return 1
    count = 0
    while count * step < more:
        count += 1
    return count


def steps_allowed(regime: Regime, first_dose: date, before: date | None, today: date) -> float:
    """How many steps the protocol allows by today; where it has a ladder, or no interval, as
    many as one likes once the first is allowed."""
    if regime.ladder or regime.increase_after is None:
        return float("inf")
    day = add(first_dose, regime.increase_after)
    if regime.step_interval is not None and before is not None and before > first_dose:
        day = max(day, add(before, regime.step_interval))
    count = 0
    while day <= today:
        if regime.step_interval is None:
            return float("inf")
        count += 1
        day = add(day, regime.step_interval)
    return count


def latest(results: list[Result], analytes: tuple[str, ...], today: date) -> list[Result]:
    """All valid values of the latest instant: they are judged as one, by the worst."""
    known = [
        it for it in results if it.analyte in analytes and valid(it) and it.collected_on <= today
    ]
    last = max((it.collected_at for it in known), default=None)
    return [it for it in known if it.collected_at == last]


def kidney_unanswered(
    case: Case, protocol: Protocol, life: Course, results: list[Result], today: date
) -> list[Event]:
    if protocol.dosing is None or protocol.dosing.renal is None:
        return []
    renal = protocol.dosing.renal
    since = take(min(case.enrolment.started_on, life.first_dose), protocol.watch_from)
    values = [it for it in results if it.analyte in renal.answered_by and valid(it)]
    days = [it.collected_on for it in values if it.collected_on <= today]
    return [
        event
        for event in ordered(case, today)
        if event.event == "symptom" and event.value == renal.symptom and event.on >= since
        if not any(day >= event.on for day in days)
    ]


def kidney_unjudged(
    case: Case,
    protocol: Protocol,
    life: Course,
    points: dict[str, list[Point]],
    results: list[Result],
    today: date,
) -> list[Event]:
    """Symptoms since which no value has come that anything judged."""
    if protocol.dosing is None or protocol.dosing.renal is None:
        return []
    renal = protocol.dosing.renal
    rules = [
        rule
        for rule in protocol.rules
        if rule.analyte in renal.answered_by and not rule.is_trend
        if concerns_indication(rule, case.enrolment.indication)
    ]
    judged = {(rule.analyte, point.at) for rule in rules for point in points.get(rule.id, [])}
    told = [
        it
        for it in results
        if it.analyte == renal.analyte
        or it.analyte not in {rule.analyte for rule in rules}
        or (it.analyte, it.collected_at) in judged
    ]
    return kidney_unanswered(case, protocol, life, told, today)


def kidney(
    answer: DoseAnswer,
    dosing: Dosing,
    regime: Regime,
    scales: Scales,
    given: list[tuple[date, Fraction]],
    unanswered: list[Event],
    standing: list[Episode],
    protocol: Protocol,
    results: list[Result],
    today: date,
) -> None:
    renal = dosing.renal
    if renal is None:
        return
    analytes = {rule.id: rule.analyte for rule in protocol.rules}
    speaks = bool(unanswered)
    speaks = speaks or any(analytes[it.rule] in renal.answered_by for it in standing)
    percents = [
        Fraction(level.percent)
        for level in renal.levels
        for it in latest(results, (renal.analyte,), today)
        if below(Fraction(it.value or 0), it.comparator, Fraction(level.below)) != "no"
    ]
    if percents:
        most = scales.limit(regime.usual_start, min(percents))
        speaks = speaks or not given or most is None or scales.over(given[-1][1], most)
    if speaks:
        answer.check("renal")


def unclear_genes(
    answer: DoseAnswer, genes: dict[str, str], protocol: Protocol, life: Course, today: date
) -> None:
    """Never taken for normal; recovered after the first phase, with its close watch."""
    terms = protocol.genotypes.indeterminate
    for gene in protocol.baseline.genotypes:
        if genes[gene] == "indeterminate" and getattr(terms, gene):
            until = protocol.phases[0].until
            over = until is not None and today >= add(life.first_dose, until)
            recovered = over or life.ended_on is not None
            answer.said[f"indeterminate:{gene}"] = _said("review", terms.urgency, recovered)


def early_stop(answer: DoseAnswer, case: Case, regime: Regime, life: Course, today: date) -> None:
    """Stopped before the indication's least time, or after a relapse on record."""
    stopped = life.ended_on
    if stopped is None or life.for_good or regime.withdraw_after is None:
        return
    if stopped < case.enrolment.enrolled_on:
        return
    relapsed = any(it.event == "relapse" and it.on <= stopped for it in ordered(case, today))
    if relapsed or stopped < add(life.first_dose, regime.withdraw_after):
        answer.said["withdrawal"] = _said("review", regime.withdraw_urgency)
