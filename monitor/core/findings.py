"""Findings in words: what a rule, a late panel or an unusable sample says of an enrolment.

The sentences advise a clinician; they never tell a patient or a nurse to stop a drug.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from monitor.core import absences, repeats
from monitor.core.answer import Finding, Life, PanelStatus, Shared
from monitor.core.case import Case, HeldRow, Result
from monitor.core.catalogue import Catalogue
from monitor.core.derive import counted_from
from monitor.core.episodes import Episode
from monitor.core.indications import indication_key
from monitor.core.judged import Judged
from monitor.core.ordered import Results
from monitor.core.protocol import Panel, Protocol, Rule
from monitor.core.units import show
from monitor.core.vocabulary import LATE, Kind, PanelState, Urgency, worst_urgency

OVERDUE = "overdue"
QUARANTINED = "quarantined_result"
REDUCING = (Kind.DISCONTINUE, Kind.WITHHOLD, Kind.DOSE_REDUCTION)

_ACTIONS = {
    Kind.DISCONTINUE: "Protocol: discontinue {drug}. Prescriber to decide.",
    Kind.WITHHOLD: "Protocol: withhold {drug}. Prescriber to decide.",
    Kind.DOSE_REDUCTION: "Protocol: reduce the dose of {drug}. Prescriber to decide.",
    Kind.REVIEW: "Protocol: clinical review. Prescriber to decide.",
}
_STEROIDS = "Does not apply to steroids: never stop prednisolone suddenly."
_TRANSPLANT = "Transplant: call the transplant team the same day."
_TRANSPLANTED = "transplant"
"""In an indication, as protocol files name it: `Kidney Transplant` is kidney_transplant."""
_ANTICOAGULANT = "vitamin_k_antagonist"
"""The class of drugs, in the catalogue, of which a change of the monitored drug moves the INR."""
_ASK_LABORATORY = "The laboratory gave only a bound: ask the laboratory for the number."
_BEFORE_FIRST_DOSE = "Collected before the first dose: resolve before the first dose."
_BELOW_PLAUSIBLE = "The value lies below the plausible range: check the unit with the laboratory."
_NOT_IN_DATE = "Tests are not in date: prescriber to decide on further supply."
_WAS_IT_STARTED = "Start not confirmed: was it started? If so, test today."
_STARTED_OR_NOT = "Start not confirmed: was it started? The test is to be repeated either way."


def day_text(day: date) -> str:
    """A day that no reader takes for another: 2 Jun 2026."""
    return f"{day.day} {day:%b %Y}"


def titled(title: str, *, derived: bool) -> str:
    """The name of an analyte; that of a count which the laboratory did not report is marked."""
    return f"{title} (derived)" if derived else title


def action_words(kind: Kind, drug: str) -> str:
    """What the protocol says, as a sentence that leaves the decision to the prescriber."""
    return _ACTIONS[kind].format(drug=drug)


def capped(action: Kind, urgency: Urgency, *, certain: bool, early: bool) -> tuple[Kind, Urgency]:
    """A level that is only perhaps met is an urgent review at most; before the first dose there
    is nothing to withhold (specification, sections 3 and 4)."""
    kind = action if certain and not early else Kind.REVIEW
    if not certain:
        urgency = min(urgency, Urgency.URGENT, key=lambda it: it.rank)
    return kind, urgency


def sentences(
    kind: Kind,
    case: Case,
    said: Sequence[str],
    *,
    certain: bool,
    early: bool,
    doubts: Sequence[str] = (),
    inr: str = "",
) -> tuple[str, ...]:
    """What the level says, and what goes with every alert that asks for such an action."""
    reducing = kind in REDUCING
    candidates = (
        *((sentence(text), True) for text in said if text),
        (_ASK_LABORATORY, not certain),
        (_BEFORE_FIRST_DOSE, early),
        *((text, True) for text in doubts),
        (inr, reducing and bool(inr)),
        (_STEROIDS, reducing),
        (_TRANSPLANT, _TRANSPLANTED in indication_key(case.enrolment.indication)),
    )
    return tuple(text for text, applies in candidates if applies)


def of_episode(
    episode: Episode,
    rule: Rule,
    case: Case,
    life: Life,
    catalogue: Catalogue,
    latest: Judged,
    *,
    going_on: bool,
    repeat_by: date | None,
) -> Finding:
    """What one episode of a rule says: its worst result decides, and never becomes milder."""
    worst = episode.worst(downward=rule.downward)
    certain = worst.certain > 0
    level = rule.levels[worst.level - 1]
    limit = worst.limit
    early = episode.is_before(life.first_dose_on)
    kind, urgency = capped(level.action, level.urgency, certain=certain, early=early)
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=f"rule:{rule.id}",
        kind=kind,
        urgency=urgency,
        summary=_rule_summary(rule, worst, catalogue),
        source=rule.source,
        recovered=not going_on,
        rule=rule.id,
        level=worst.certain,
        downward=rule.downward,
        analyte=rule.analyte,
        worst=worst.measured,
        latest=latest.measured,
        latest_breaches=latest.breaches,
        limit=limit.value,
        limit_text=limit.text,
        limits=worst.known_limits,
        breaches=tuple(it.measured.collected_at for it in episode.breaches),
        action=action_words(kind, case.enrolment.drug),
        say=sentences(
            kind,
            case,
            [level.say, "" if repeat_by is None else repeats.repeat_by(repeat_by)],
            certain=certain,
            early=early,
            doubts=_doubts(worst.result),
            inr=check_inr(life, catalogue),
        ),
        arithmetic=tuple(_step(it, rule, catalogue) for it in episode.breaches),
    )


def _rule_summary(rule: Rule, worst: Judged, catalogue: Catalogue) -> str:
    analyte = catalogue.analytes[rule.analyte]
    limit = worst.limit
    shown = show(worst.measured.value, analyte.decimals, worst.known_limits)
    when = day_text(worst.measured.collected_on)
    title = titled(analyte.title, derived=worst.measured.derived)
    value = f"{title} {worst.measured.comparator}{shown} {analyte.unit} on {when}"
    if rule.is_trend:
        return f"{value}: {limit.text}"
    beyond = "below" if rule.downward else "above"
    beyond = beyond if worst.certain else f"may be {beyond}"
    return f"{value}: {beyond} {limit.text}"


def _doubts(result: Result) -> tuple[str, ...]:
    """What speaks against the value itself, and where it comes from."""
    candidates = (
        (
            f"Sample doubtful: repeat today before acting ({result.doubtful_comment}).",
            bool(result.doubtful_comment),
        ),
        (_BELOW_PLAUSIBLE, result.below_plausible),
        (f"Derived, not reported: {result.derived}.", bool(result.derived)),
    )
    return tuple(text for text, applies in candidates if applies)


def anticoagulant(life: Life, catalogue: Catalogue) -> str:
    """The drug on the list of which the INR must be checked; empty where there is none."""
    known = catalogue.drugs.classes_of
    return next((it for it in life.comedication if _ANTICOAGULANT in known(it)), "")


def check_inr(life: Life, catalogue: Catalogue) -> str:
    drug = anticoagulant(life, catalogue)
    return f"{drug.capitalize()} is on the list: check INR." if drug else ""


def with_inr(finding: Finding, life: Life, catalogue: Catalogue) -> Finding:
    """A finding that suggests reducing or stopping says that the INR must be checked."""
    inr = check_inr(life, catalogue)
    if finding.kind not in REDUCING or not inr or inr in finding.say:
        return finding
    return replace(finding, say=(*finding.say, inr))


def sentence(text: str) -> str:
    """A phrase of a protocol file as a sentence."""
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def protocol_says(say: str) -> str:
    """What an alert advises, in the words of a protocol file; they may end with a question."""
    return f"Protocol: {say if say.endswith(('.', '?', '!')) else f'{say}.'} Prescriber to decide."


def _step(judged: Judged, rule: Rule, catalogue: Catalogue) -> str:
    """One line of the arithmetic: received, converted, compared."""
    analyte = catalogue.analytes[rule.analyte]
    result, value = judged.result, judged.measured
    limit = judged.limit
    received = f"{result.received_value} {result.received_unit}".strip()
    origin = f"derived: {result.derived}" if result.derived else f"received {received}"
    beyond = "below" if rule.downward else "above"
    verdict = "is" if judged.certain else "may be"
    comparison = limit.text if rule.is_trend else f"{verdict} {beyond} {limit.text}"
    return (
        f"{day_text(value.collected_on)}: {origin} = {value.comparator}{value.value:f} "
        f"{analyte.unit}: {comparison} (level {judged.level} of {len(rule.levels)}, "
        f"{result.status})"
    )


def of_late_panels(
    case: Case,
    life: Life,
    panels: Sequence[PanelStatus],
    protocol: Protocol,
    catalogue: Catalogue,
    today: date,
    shared: Shared,
) -> Finding | None:
    """One finding for all panels that are late, with the worst urgency; of a panel that another
    drug of the patient needs too, with the drug that set the date."""
    late = sorted(
        (panel for panel in panels if panel.state in LATE and panel.due_on is not None),
        key=lambda it: (it.state is not PanelState.SERIOUSLY_OVERDUE, it.due_on),
    )
    if not late:
        return None
    serious = any(panel.state is PanelState.SERIOUSLY_OVERDUE for panel in late)
    rechecked = any(panel.under_recheck for panel in late)
    candidates = [
        (_NOT_IN_DATE, serious),
        (_STARTED_OR_NOT if rechecked else _WAS_IT_STARTED, not life.start_confirmed),
        *((_partial_sentence(panel, protocol, catalogue), bool(panel.partial)) for panel in late),
        *((it.text, True) for panel in late if (it := shared.panel(panel.panel))),
        *((f"Ask with it: {ask}", True) for ask in dict.fromkeys(_asked(late, protocol))),
        *((text, True) for text in _held_sentences(late, case, protocol, catalogue)),
        *((text, True) for text in absences.sentences(case, life, today, _done_before(late))),
    ]
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=OVERDUE,
        kind=Kind.OVERDUE_TEST,
        urgency=worst_urgency(*(panel.urgency for panel in late)),
        summary="; ".join(_late_text(panel, protocol.panel(panel.panel)) for panel in late),
        source=protocol.source,
        panels=tuple(late),
        action="Test now: " + " and ".join(protocol.panel(it.panel).title for it in late) + ".",
        say=tuple(text for text, applies in candidates if applies),
        arithmetic=tuple(_late_step(panel) for panel in late),
    )


def _asked(late: Sequence[PanelStatus], protocol: Protocol) -> Iterator[str]:
    for panel in late:
        ask = protocol.asked_with(panel)
        if ask:
            yield ask


def _done_before(late: Sequence[PanelStatus]) -> date | None:
    done = [it.last_completed_on for it in late]
    return min((day for day in done if day is not None), default=None)


def _late_text(panel: PanelStatus, definition: Panel) -> str:
    assert panel.due_on is not None
    how = "seriously overdue" if panel.state is PanelState.SERIOUSLY_OVERDUE else "overdue"
    last = "none on record"
    if panel.last_completed_on is not None:
        declared = ", declared" if panel.declared else ""
        last = f"last {day_text(panel.last_completed_on)}{declared}"
    return f"{definition.title} {how}: was due {day_text(panel.due_on)} ({last})"


def _late_step(panel: PanelStatus) -> str:
    assert panel.due_on is not None
    last, state = panel.last_completed_on, panel.state.replace("_", " ")
    return (
        f"{panel.panel}: last completed {'never' if last is None else day_text(last)}, due "
        f"{day_text(panel.due_on)} by {panel.because} (phase {panel.phase}): {state}"
    )


def _partial_sentence(panel: PanelStatus, protocol: Protocol, catalogue: Catalogue) -> str:
    days = (
        f"{day_text(day)}: no {', '.join(named(name, catalogue) for name in missing)}"
        for day, missing in panel.partial
    )
    return f"{protocol.panel(panel.panel).title} was incomplete on {'; '.join(days)}."


def named(missing: str, catalogue: Catalogue) -> str:
    """What a day lacked of a panel, one analyte or one of several, as people call it."""
    names = missing.split(" or ")
    return " or ".join(catalogue.analytes[name].amid for name in names)


def _held_sentences(
    late: Sequence[PanelStatus], case: Case, protocol: Protocol, catalogue: Catalogue
) -> list[str]:
    sentences = []
    for panel in late:
        wanted = protocol.panel(panel.panel).analytes
        count = len({row.id for row in case.held if _is_of(row, wanted, catalogue)})
        if count:
            rows = "1 row" if count == 1 else f"{count} rows"
            sentences.append(f"{rows} of {protocol.panel(panel.panel).title} held in quarantine.")
    return sentences


def _is_of(row: HeldRow, wanted: Sequence[str], catalogue: Catalogue) -> bool:
    return row.analyte in wanted or counted_from(row.analyte, catalogue) in wanted


def of_unusable_samples(
    case: Case,
    results: Results,
    panels: Sequence[PanelStatus],
    life: Life,
    protocol: Protocol,
) -> list[Finding]:
    """A recall for each panel whose latest sample gave no result; ends with a completion."""
    without = results.without_value()
    if not without:
        return []
    findings = []
    for status in panels:
        if status.due_on is None:
            continue
        wanted = protocol.panel(status.panel).analytes
        lost = [it for it in without if _is_lost(it, wanted, status, life)]
        if lost:
            findings.append(_recall(case, status, lost, protocol))
    return findings


def _is_lost(result: Result, wanted: Sequence[str], status: PanelStatus, life: Life) -> bool:
    last = status.last_completed_on
    return (
        result.value is None
        and result.analyte in wanted
        and result.collected_on >= life.watch_from
        and (last is None or result.collected_on > last)
    )


def _recall(case: Case, status: PanelStatus, lost: Sequence[Result], protocol: Protocol) -> Finding:
    title = protocol.panel(status.panel).title
    lost = sorted(lost, key=lambda it: (it.collected_at, it.analyte, it.no_result))
    newest = lost[-1]
    words = newest.no_result or "no value"
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=f"sample_unusable:{status.panel}",
        kind=Kind.SAMPLE_UNUSABLE,
        urgency=_recall_urgency(status, protocol),
        summary=f"{title} of {day_text(newest.collected_on)} gave no result ({words})",
        source=protocol.source,
        analyte=newest.analyte,
        panels=(status,),
        subjects=tuple(sorted(it.id for it in lost)),
        action=f"Recall the patient for a new sample: {title}. The test stays due.",
        arithmetic=tuple(
            f"{day_text(it.collected_on)}: {it.analyte}: {it.no_result or 'empty value'}"
            for it in lost
        ),
    )


def _recall_urgency(status: PanelStatus, protocol: Protocol) -> Urgency:
    """As urgent as the phase holds the panel, and urgent under a recheck; how late the test
    is already says the overdue alert."""
    schedule = protocol.lateness(status.panel, status.phase)
    assert schedule is not None
    if status.under_recheck:
        return worst_urgency(schedule.urgency, Urgency.URGENT)
    return schedule.urgency
