"""What is known of a patient that explains a missed test and excuses none: away, in hospital,
declined, a supply that ran out, a transfer that nobody accepted, a drug that is held.

Source: specification, section 4 and interfaces ("of away, inpatient, declined, supply none moves a
due day"). Each is said beside what is overdue and in the status, until it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Life
from monitor.core.case import Case, Event, in_turn
from monitor.core.life import parse_day, pauses
from monitor.core.vocabulary import EnrolmentState

if TYPE_CHECKING:
    from monitor.core.judges import View


def sentences(case: Case, life: Life, today: date, last_done: date | None) -> tuple[str, ...]:
    """What holds today. `last_done` is the earliest of the last completions of what is late: a
    refusal before it is over."""
    past = [event for event in _ordered(case) if event.on <= today]
    return tuple(_said(past, life, today, last_done))


def wakes(view: View) -> Iterator[date]:
    """The days on which an absence or a supply ends, or a hold is to be reviewed."""
    for event in view.case.events:
        if event.event in ("away", "inpatient", "hold"):
            until = parse_day(event.value)
            if until is not None:
                yield until
        elif event.event == "supply":
            yield _runs_out(event)


def considered(view: View) -> Iterator[Considered]:
    """What explains a missed test, and why nothing at all is said of who died."""
    if view.life.died:
        assert view.life.stopped_on is not None
        why = "recorded as died: nothing is due any more, and nobody is told of any result"
        yield Considered(room="absence", subject="died", why=(why,))
        return
    late = [view.done[it.panel].last for it in view.panels if it.days_overdue > 0]
    last_done = min((day for day in late if day is not None), default=None)
    for sentence in sentences(view.case, view.life, view.today, last_done):
        yield Considered(room="absence", subject="known", why=(sentence,))


def _said(past: list[Event], life: Life, today: date, last_done: date | None) -> Iterator[str]:
    for what, words in _ABSENCES.items():
        event = next((it for it in reversed(past) if it.event == what), None)
        until = None if event is None else parse_day(event.value)
        if until is not None and today < until:
            yield words.format(until=_day(until))
    declined = next((it for it in reversed(past) if it.event == "declined"), None)
    if declined is not None and (last_done is None or declined.on > last_done):
        why = f" ({declined.note})" if declined.note else ""
        yield f"Declined on {_day(declined.on)}{why}: ask again, and tell the prescriber."
    supply = next((it for it in reversed(past) if it.event == "supply"), None)
    if supply is not None and _runs_out(supply) <= today:
        yield f"Supply ran out on {_day(_runs_out(supply))}: still taking it?"
    if life.state is EnrolmentState.HELD:
        yield _held(past, today)
    handed = next((it for it in reversed(past) if it.event in _HANDING_OVER), None)
    if handed is not None and handed.event == "transfer_out" and not life.ended_for_good:
        yield (
            f"Transfer to {handed.value} on {_day(handed.on)} is not accepted yet: the patient "
            "is still ours."
        )


_HANDING_OVER = ("transfer_out", "accepted_by")
_ABSENCES = {
    "away": "Away until {until}: the test can still be done elsewhere.",
    "inpatient": "In hospital until {until}: ask the ward for its results, or for the test.",
}


def _held(past: list[Event], today: date) -> str:
    """Since when, why, and the day of the next decision; a further hold names another."""
    since = pauses(past)[-1].since
    last = next(it for it in reversed(past) if it.event == "hold")
    why = f" ({last.note})" if last.note else ""
    review_on = parse_day(last.value)
    held = f"Held since {_day(since)}{why}"
    if review_on is None:
        return f"{held}."
    if today < review_on:
        return f"{held}, to be reviewed on {_day(review_on)}."
    return f"{held}, to be reviewed by {_day(review_on)}: resume, stop or hold on?"


def _runs_out(supply: Event) -> date:
    return supply.on + timedelta(days=int(supply.value))


def _ordered(case: Case) -> list[Event]:
    return in_turn(case.events)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
