"""Symptom events and what a protocol says of them (founding brief; specification, section 7).

A window is the time between events, never until now: what has happened stays, and each day on
which symptoms complete a combination is an episode of its own that only a person ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from monitor.core import findings as words
from monitor.core.answer import Considered, Demand, Finding
from monitor.core.calendar import start_of_day
from monitor.core.case import Event, Result, in_turn
from monitor.core.threshold import Breach, below
from monitor.core.toxicity_rules import AfterEvent, LastValue, NoValue, SymptomLevel, SymptomRule

if TYPE_CHECKING:
    from monitor.core.judges import View

SYMPTOM = "symptom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A day on which the symptoms of a rule came together, and all that belong to it."""

    rule: SymptomRule
    on: date
    events: tuple[Event, ...]


def findings(view: View) -> Iterator[Finding]:
    """One finding for each day on which a rule speaks."""
    for occurrence in occurrences(view):
        met = _level(occurrence, view)
        if met is not None:
            yield _finding(occurrence, *met, view)


def demands(view: View) -> Iterator[Demand]:
    """The panels that are due on the day of a symptom, until they are done."""
    if view.life.ended_for_good:
        return
    for occurrence in occurrences(view):
        if _level(occurrence, view) is None:
            continue
        for panel in occurrence.rule.test_today:
            if not view.is_done_since(panel, occurrence.on):
                yield Demand(panel=panel, due_on=occurrence.on, why=_told(occurrence.events))


def occurrences(view: View) -> list[Occurrence]:
    """Every day on which a rule of the protocol speaks, by rule and day."""
    rules = view.protocol.symptoms
    events = _watched(view) if rules else []
    if not events:
        return []
    found = {rule.id: list(_of_rule(rule, events)) for rule in rules}
    spoken = []
    for rule in rules:
        taken = {event.id for other in rule.unless for it in found[other] for event in it.events}
        spoken += [it for it in found[rule.id] if taken.isdisjoint(event.id for event in it.events)]
    return spoken


def _watched(view: View) -> list[Event]:
    """Symptoms from before the start to the end of the wash-out, as results are watched."""
    life = view.life
    until = view.today if life.watch_until is None else min(life.watch_until, view.today)
    events = [
        event
        for event in view.case.events
        if event.event == SYMPTOM and life.watch_from <= event.on <= until
    ]
    return in_turn(events)


def _of_rule(rule: SymptomRule, events: Sequence[Event]) -> Iterator[Occurrence]:
    known = {word for group in rule.groups for word in group}
    own = [event for event in events if event.value in known]
    for day in sorted({event.on for event in own}):
        since = day if rule.together is None else rule.together.before(day)
        near = [event for event in own if since <= event.on <= day]
        if all(any(event.value in group for event in near) for group in rule.groups):
            yield Occurrence(rule=rule, on=day, events=tuple(near))


# --- Which level speaks -----------------------------------------------------------------


def _level(occurrence: Occurrence, view: View) -> tuple[int, SymptomLevel, list[str]] | None:
    """The last level whose conditions all hold, its number and why they hold."""
    for place, level in reversed(list(enumerate(occurrence.rule.levels, start=1))):
        reasons = _conditions(level, occurrence, view)
        if reasons is not None:
            return place, level, reasons
    return None


def _conditions(level: SymptomLevel, occurrence: Occurrence, view: View) -> list[str] | None:
    """Why each condition of a level holds; None where one does not."""
    reasons = []
    if level.soon_after_start is not None:
        reasons.append(_soon_after_start(level, occurrence, view))
    if level.last is not None:
        reasons.append(_last_below(level.last, occurrence.on, view))
    if level.none_since is not None:
        reasons.append(_none_since(level.none_since, occurrence.on, view))
    if level.after is not None:
        reasons.append(_after(level.after, occurrence.on, view))
    known = [reason for reason in reasons if reason]
    return known if len(known) == len(reasons) else None


def _soon_after_start(level: SymptomLevel, occurrence: Occurrence, view: View) -> str:
    assert level.soon_after_start is not None
    for begun in reversed(view.life.begun_on):
        end = level.soon_after_start.after(begun)
        if any(begun <= event.on < end for event in occurrence.events):
            return (
                f"in the first {level.soon_after_start} after {words.day_text(begun)} (start, "
                "resumption or increase)"
            )
    return ""


def _last_below(last: LastValue, on: date, view: View) -> str:
    """The worst of the latest instant; a bound that only may be below counts as below."""
    values = _values(last.analyte, on, view)
    latest = [it for it in values if it.collected_at == values[-1].collected_at]
    for result in latest:
        assert result.value is not None
        if below(result.value, result.comparator, last.below) is not Breach.NO:
            analyte = view.catalogue.analytes[last.analyte]
            title = words.titled(analyte.amid, derived=bool(result.derived))
            return (
                f"last {title} {result.comparator}{result.value:f} {analyte.unit} "
                f"on {words.day_text(result.collected_on)}: below {last.below:f} {analyte.unit}"
            )
    return ""


def _none_since(terms: NoValue, on: date, view: View) -> str:
    if _phase_on(on, view) != terms.phase:
        return ""
    since = terms.within.before(on)
    if any(result.collected_on >= since for result in _values(terms.analyte, on, view)):
        return ""
    title = view.catalogue.analytes[terms.analyte].amid
    return f"no {title} in the {terms.within} before it, in the {terms.phase} phase"


def _values(analyte: str, on: date, view: View) -> list[Result]:
    """Numbers collected up to a day, in order; preliminary and doubtful ones too."""
    return [
        result
        for result in view.results.of(analyte)
        if result.value is not None and result.collected_on <= on
    ]


def _phase_on(on: date, view: View) -> str:
    """The phase counted from the last anchor on or before the day; empty before the start."""
    anchors = [anchor for anchor in view.life.anchors if anchor <= on]
    if not anchors:
        return ""
    for phase in view.phases:
        if phase.until is None or on < phase.until.after(anchors[-1]):
            return phase.name
    return ""


def _after(terms: AfterEvent, on: date, view: View) -> str:
    for event in view.case.events:
        if event.event == terms.event and event.on <= on <= terms.within.after(event.on):
            return f"{terms.event} on record since {words.day_text(event.on)}"
    return ""


# --- In words ---------------------------------------------------------------------------


def _finding(
    occurrence: Occurrence, place: int, level: SymptomLevel, reasons: Sequence[str], view: View
) -> Finding:
    rule, case, life = occurrence.rule, view.case, view.life
    early = occurrence.on < life.first_dose_on
    kind, urgency = words.capped(level.action, level.urgency, certain=True, early=early)
    together = [f"within {rule.together} of each other"] if rule.together else []
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=f"symptom:{rule.id}",
        kind=kind,
        urgency=urgency,
        summary=f"{rule.title}: {_told(occurrence.events)}",
        source=rule.source,
        rule=rule.id,
        level=place,
        breaches=(start_of_day(occurrence.on, view.zone),),
        action=words.action_words(kind, case.enrolment.drug),
        say=words.sentences(kind, case, level.say, certain=True, early=early),
        arithmetic=(
            *(f"{words.day_text(it.on)}: {_name(it)}{_note(it)}" for it in occurrence.events),
            *together,
            *reasons,
            f"level {place} of {len(rule.levels)}",
            *_unmet(occurrence, place, view),
        ),
    )


def _unmet(occurrence: Occurrence, place: int, view: View) -> Iterator[str]:
    """Why each graver level did not speak: its conditions, and what is known of them."""
    for level in occurrence.rule.levels[place:]:
        why = [text for text, holds in _looked_at(level, occurrence, view) if not holds]
        yield f"not {level.action}, {level.urgency}: {' and '.join(why)}"


def _looked_at(
    level: SymptomLevel, occurrence: Occurrence, view: View
) -> Iterator[tuple[str, bool]]:
    """Each condition of a level in words, where it does not hold, and whether it does."""
    on = occurrence.on
    if level.soon_after_start is not None:
        text = f"not in the first {level.soon_after_start} after a start, resumption or increase"
        yield text, bool(_soon_after_start(level, occurrence, view))
    if level.last is not None:
        text = f"{_latest(level.last.analyte, on, view)}, not below {level.last.below:f}"
        yield text, bool(_last_below(level.last, on, view))
    if level.none_since is not None:
        terms = level.none_since
        text = f"{_latest(terms.analyte, on, view)}, phase {_phase_on(on, view) or 'none'}"
        yield text, bool(_none_since(terms, on, view))
    if level.after is not None:
        text = f"no {level.after.event} on record in the {level.after.within} before it"
        yield text, bool(_after(level.after, on, view))


def _latest(name: str, on: date, view: View) -> str:
    analyte, values = view.catalogue.analytes[name], _values(name, on, view)
    if not values:
        return f"no {analyte.amid} known"
    last = values[-1]
    title = words.titled(analyte.amid, derived=bool(last.derived))
    return (
        f"last {title} {last.comparator}{last.value:f} {analyte.unit} on "
        f"{words.day_text(last.collected_on)}"
    )


def _told(events: Iterable[Event]) -> str:
    """`fever on 3 May 2026, nausea on 5 May 2026`, each symptom of a day once."""
    named = dict.fromkeys(f"{_name(it)} on {words.day_text(it.on)}" for it in events)
    return ", ".join(named)


def _name(event: Event) -> str:
    return event.value.replace("_", " ")


def _note(event: Event) -> str:
    return f" ({event.note})" if event.note else ""


# --- Why it kept quiet ------------------------------------------------------------------


def considered(view: View) -> Iterator[Considered]:
    """Each rule that said nothing, with the symptoms of its own that were recorded; and what no
    rule of the protocol names."""
    events = _watched(view)
    spoken = {it.rule.id for it in occurrences(view) if _level(it, view) is not None}
    for rule in view.protocol.symptoms:
        if rule.id in spoken:
            continue
        known = {word for group in rule.groups for word in group}
        own = [event for event in events if event.value in known]
        why = f"recorded: {_told(own)}; not enough for it" if own else "none of its symptoms"
        yield Considered(room=SYMPTOM, subject=rule.id, why=(why,), source=rule.source)
    for event in events:
        if event.value not in view.protocol.symptom_words:
            why = f"{_told([event])}: no rule of this protocol names it"
            yield Considered(room=SYMPTOM, subject=event.value, why=(why,), judged=False)
