"""Vaccines, pregnancy, breastfeeding: events of which only a person ends the alert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.answer import Finding
from monitor.core.calendar import start_of_day
from monitor.core.case import Event, in_turn
from monitor.core.findings import day_text, protocol_says, sentence
from monitor.core.protocol_interactions import Interaction
from monitor.core.vocabulary import Kind

if TYPE_CHECKING:
    from monitor.core.judges import View


def of_events(it: Interaction, view: View) -> Iterator[Finding]:
    """One finding a day with such events; only a person ends it."""
    by_day: dict[date, list[Event]] = {}
    for event in _events(it, view):
        by_day.setdefault(event.on, []).append(event)
    enrolment = view.case.enrolment
    for day, events in sorted(by_day.items()):
        named = ", ".join(dict.fromkeys(event.value for event in events if event.value))
        what = f"{it.title}: {named}" if named else it.title
        yield Finding(
            enrolment_id=enrolment.id,
            cause=f"{it.event}:{it.id}",
            kind=it.action,
            urgency=it.urgency,
            summary=f"{what}, recorded for {day_text(day)}, with {enrolment.drug}",
            source=it.source,
            breaches=(start_of_day(day, view.zone),),
            action=protocol_says(it.say),
            say=(sentence(it.note),) if it.note and it.action is Kind.REVIEW else (),
            arithmetic=tuple(
                f"{day_text(event.on)}: event {event.event} {event.value}".rstrip()
                for event in events
            ),
        )


def _events(it: Interaction, view: View) -> list[Event]:
    """The events it is about that are no history: neither long before the enrolment nor after
    the end of the wash-out."""
    life = view.life
    since = it.counts_before.before(view.case.enrolment.enrolled_on)
    found = []
    for event in in_turn(view.case.events):
        if event.event != it.event or not since <= event.on <= view.today:
            continue
        if life.watch_until is not None and event.on > life.watch_until:
            continue
        if _is_meant(it, event, view):
            found.append(event)
    return found


def _is_meant(it: Interaction, event: Event, view: View) -> bool:
    names = view.catalogue.drugs
    found = names.find(event.value)
    if it.not_classes and any(
        name in it.not_classes or set(names.classes_of(name)) & set(it.not_classes)
        for name in found
    ):
        return False
    return any(it.is_about(name, names) for name in found)
