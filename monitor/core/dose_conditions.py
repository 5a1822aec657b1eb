"""What else asks to look at the dose: the liver before the first one, the kidney, a stop that
comes early. Source: founding brief; the numbers are those of `[dosing]` of the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Demand, Finding
from monitor.core.calendar import start_of_day
from monitor.core.case import Event, Result
from monitor.core.dosing import Chart
from monitor.core.dosing_rules import BeforeDose, Renal
from monitor.core.findings import action_words, day_text, sentence
from monitor.core.threshold import Breach, below
from monitor.core.vocabulary import EnrolmentState, Kind, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

_TAKEN = (EnrolmentState.PLANNED, EnrolmentState.ACTIVE)
_SYMPTOM = "symptom"


def findings(view: View) -> Iterator[Finding]:
    dosing = view.protocol.dosing
    if dosing is None:
        return
    chart = Chart(view, dosing)
    if view.life.state in _TAKEN:
        if chart.regime.before_dose is not None:
            yield from _before_dose(chart, chart.regime.before_dose)
        if dosing.renal is not None:
            yield from _kidney(chart, dosing.renal)
    yield from _withdrawal(chart)


def demands(view: View) -> Iterator[Demand]:
    """The kidney test is due on the day of the symptom."""
    dosing = view.protocol.dosing
    if dosing is None or dosing.renal is None or view.life.ended_for_good:
        return
    for event in _unanswered(view, dosing.renal):
        why = f"{event.value.replace('_', ' ')} on {day_text(event.on)}"
        yield Demand(panel=dosing.renal.panel, due_on=event.on, why=why)


def panels(view: View) -> Iterator[str]:
    dosing = view.protocol.dosing
    if dosing is not None and dosing.renal is not None and _unanswered(view, dosing.renal):
        yield dosing.renal.panel


def wakes(view: View) -> Iterator[date]:
    dosing = view.protocol.dosing
    if dosing is None:
        return
    terms = Chart(view, dosing).regime.before_dose
    if terms is not None:
        yield terms.within.before(view.life.first_dose_on)


def considered(view: View) -> Iterator[Considered]:
    """Why what is asked before the first dose, of the kidney and at the stop is quiet."""
    dosing = view.protocol.dosing
    if dosing is None:
        return
    chart = Chart(view, dosing)
    spoken = {finding.cause for finding in findings(view)}
    for what, lines, judged, source in _quiet(chart, dosing.renal):
        if not {what, f"dose_check:{what}"} & spoken:
            yield Considered(room="dose", subject=what, why=lines, source=source, judged=judged)


def _quiet(chart: Chart, renal: Renal | None) -> Iterator[tuple[str, tuple[str, ...], bool, str]]:
    """(what, why it is quiet, whether it could be judged, source) of each condition."""
    view, regime = chart.view, chart.regime
    ended = view.life.state not in _TAKEN
    idle = (f"the drug is not taken: the enrolment is {view.life.state}",)
    if regime.before_dose is not None:
        terms = regime.before_dose
        since = terms.within.before(view.life.first_dose_on)
        known = [it for it in _values(view, terms.analyte) if it.collected_on >= since]
        if ended:
            why = idle
        elif known:
            why = (f"{_in_units(view, known[-1])}: below {terms.shown}",)
        else:
            why = (f"asked for from {day_text(since)}: the drug begins only below {terms.shown}",)
        yield "before_dose", why, True, regime.source
    if renal is not None:
        level = _renal_level(view, renal)
        known = _values(view, renal.analyte)
        title = view.catalogue.analytes[renal.analyte].title
        if ended:
            why = idle
        elif level is not None:
            why = (f"{level[2]}: the dose is within {_plain(level[1])} % of the usual one",)
        elif known:
            why = (f"{_in_units(view, known[-1])}: not below {renal.levels[0].below:f}",)
        else:
            why = (f"no {title} is known",)
        yield "renal", why, bool(known) or ended, renal.source
    if regime.withdraw_after is not None:
        earliest = day_text(regime.withdraw_after.after(view.life.first_dose_on))
        stopped = view.life.stopped_on
        if stopped is None:
            why = (f"not stopped; before {earliest} a stop is early",)
        else:
            why = (f"stopped {day_text(stopped)}, not before {earliest}",)
        yield "withdrawal", why, True, regime.source


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


# --- Before the first dose --------------------------------------------------------------


def _before_dose(chart: Chart, terms: BeforeDose) -> Iterator[Finding]:
    """The latest value since shortly before the first dose has to lie below its limit."""
    view = chart.view
    since = terms.within.before(view.life.first_dose_on)
    if view.today < since:
        return
    analyte = view.catalogue.analytes[terms.analyte]
    known = [it for it in _values(view, terms.analyte) if it.collected_on >= since]
    if not known:
        summary = f"No {analyte.amid} since {day_text(since)}: the drug begins only below "
        yield chart.check("before_dose", summary + terms.shown, Urgency.URGENT, ())
        return
    last = next(
        (it for it in _last_of(known) if _breach(it, terms.below) is not Breach.CERTAIN), None
    )
    if last is None:
        return
    value = _in_units(view, last)
    summary = (
        f"{analyte.title} {value} on {day_text(last.collected_on)}: the drug begins only below "
    )
    yield chart.check(
        "before_dose", summary + terms.shown, Urgency.URGENT, (f"{value}: not below {terms.shown}",)
    )


def _in_units(view: View, result: Result) -> str:
    """A value in its own unit and in mg/dL, where the analyte has that."""
    analyte = view.catalogue.analytes[result.analyte]
    assert result.value is not None
    text = f"{result.comparator}{result.value:f} {analyte.unit}"
    factor = analyte.factor("mg/dL")
    return f"{text} ({result.value / factor:.1f} mg/dL)" if factor else text


# --- The kidney -------------------------------------------------------------------------


def _kidney(chart: Chart, renal: Renal) -> Iterator[Finding]:
    view = chart.view
    reasons = list(_open_symptoms(view, renal))
    values = [
        it for it in view.rule_findings if it.analyte in renal.answered_by and not it.recovered
    ]
    reasons += [it.summary for it in values]
    parts = "; ".join(
        f"below {level.below:f}: {level.percent.normalize():f} % of the usual dose"
        for level in renal.levels
    )
    title = view.catalogue.analytes[renal.analyte].title
    lines = [line for it in values for line in it.arithmetic]
    lines.append(f"{title} {parts}")
    met, number = _renal_level(view, renal), 0
    if met is not None:
        level, percent, text = met
        usual = chart.regime.usual_start
        lines.append(chart.shown(usual, percent))
        if chart.now is None or chart.limit(usual) is None or chart.exceeds(usual, percent):
            number = level
            reasons.append(f"{text}: at most {percent.normalize():f} % of the usual dose, {usual}")
    if reasons:
        found = chart.check(
            "renal", "; ".join(reasons), Urgency.URGENT, tuple(lines), source=renal.source
        )
        yield replace(found, level=number)


def _renal_level(view: View, renal: Renal) -> tuple[int, Decimal, str] | None:
    """The level that the latest value meets, from 1, its part of the dose, and the value."""
    analyte = view.catalogue.analytes[renal.analyte]
    met = [
        (number, level, result)
        for number, level in enumerate(renal.levels, start=1)
        for result in _last_of(_values(view, renal.analyte))
        if _breach(result, level.below) is not Breach.NO
    ]
    if not met:
        return None
    number, level, last = met[-1]
    text = (
        f"{analyte.title} {last.comparator}{last.value:f} {analyte.unit} on "
        f"{day_text(last.collected_on)}"
    )
    return number, level.percent, text


def _open_symptoms(view: View, renal: Renal) -> Iterator[str]:
    """A value that nothing judges tells nobody how the kidney is: it never reads as normal
    (specification, section 6)."""
    for event in _symptoms(view, renal):
        symptom = f"{sentence(event.value.replace('_', ' ')).rstrip('.')} on {day_text(event.on)}"
        values = _since(event, view, renal)
        if not values:
            yield f"{symptom}, and no kidney value since"
        elif not _is_judged(values, view, renal):
            last = values[-1]
            analyte = view.catalogue.analytes[last.analyte]
            value = f"{last.comparator}{last.value:f} {analyte.unit}"
            told = f"{analyte.title} {value} on {day_text(last.collected_on)}"
            yield f"{symptom}; {told} has nothing to be compared with"


def _is_judged(values: Sequence[Result], view: View, renal: Renal) -> bool:
    """By the limits of the dose, or by a rule: what makes a baseline is compared with none."""
    rules = [
        it
        for it in view.protocol.rules
        if it.id in view.series and it.analyte in renal.answered_by and not it.is_trend
    ]
    watched = {it.analyte for it in rules}
    compared = {(it.analyte, one.collected_at) for it in rules for one in view.series[it.id]}
    return any(
        it.analyte == renal.analyte
        or it.analyte not in watched
        or (it.analyte, it.collected_at) in compared
        for it in values
    )


def _unanswered(view: View, renal: Renal) -> list[Event]:
    """Symptoms of the kidney since which no value of it has come."""
    return [it for it in _symptoms(view, renal) if not _since(it, view, renal)]


def _symptoms(view: View, renal: Renal) -> list[Event]:
    return [
        it
        for it in view.case.events
        if it.event == _SYMPTOM
        and it.value == renal.symptom
        and view.life.watch_from <= it.on <= view.today
    ]


def _since(event: Event, view: View, renal: Renal) -> list[Result]:
    """Values of the kidney from the day of a symptom on, in order of collection."""
    values = [it for name in renal.answered_by for it in _values(view, name)]
    since = (it for it in values if it.collected_on >= event.on)
    return sorted(since, key=lambda it: (it.collected_at, it.id))


def _values(view: View, analyte: str) -> list[Result]:
    return sorted(
        (it for it in view.results.of(analyte) if it.is_valid and it.collected_on <= view.today),
        key=lambda it: (it.collected_at, it.id),
    )


def _last_of(known: list[Result]) -> list[Result]:
    """The values of the latest instant, which are judged as one, by the worst."""
    return [it for it in known if it.collected_at == known[-1].collected_at]


def _breach(result: Result, limit: Decimal) -> Breach:
    assert result.value is not None
    return below(result.value, result.comparator, limit)


# --- The stop ---------------------------------------------------------------------------


def _withdrawal(chart: Chart) -> Iterator[Finding]:
    """A stop earlier than the indication's minimum, or after a relapse on record."""
    view, regime = chart.view, chart.regime
    stopped_on, first = view.life.stopped_on, view.life.first_dose_on
    if stopped_on is None or regime.withdraw_after is None or view.life.ended_for_good:
        return
    if stopped_on < view.case.enrolment.enrolled_on:
        return
    relapses = [it.on for it in view.case.events if it.event == "relapse" and it.on <= stopped_on]
    earliest = regime.withdraw_after.after(first)
    reasons = []
    if stopped_on < earliest:
        reasons.append(f"before {regime.withdraw_after} of treatment, {day_text(earliest)}")
    if relapses:
        reasons.append(f"after a relapse on {day_text(max(relapses))}")
    if reasons:
        drug = view.case.enrolment.drug
        yield Finding(
            enrolment_id=view.case.enrolment.id,
            cause="withdrawal",
            kind=Kind.REVIEW,
            urgency=regime.withdraw_urgency,
            summary=f"{drug} stopped on {day_text(stopped_on)}, {' and '.join(reasons)}",
            source=regime.source,
            breaches=(start_of_day(stopped_on, view.zone),),
            action=action_words(Kind.REVIEW, drug),
            say=tuple(sentence(text) for text in (regime.withdraw_say,) if text),
            arithmetic=(
                f"first dose {day_text(first)} + {regime.withdraw_after} = {day_text(earliest)}",
                f"stopped {day_text(stopped_on)}",
            ),
        )
