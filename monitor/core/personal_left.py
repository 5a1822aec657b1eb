"""What a clinician set for a treatment that was stopped, and that does not count for the next one.

To stop a treatment and enrol anew is the way to another protocol; the limits of the patient's own
are of the old treatment. Somebody is told, and may keep them: a person says so each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from monitor.core import findings as words
from monitor.core.answer import Finding
from monitor.core.calendar import start_of_day
from monitor.core.case import Case, in_turn
from monitor.core.life import end_of
from monitor.core.personal import in_words, name
from monitor.core.personal_terms import Personal, Terms
from monitor.core.vocabulary import Kind, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

_SOURCE = "set by a clinician for the treatment before"


def left_behind(case: Case, today: date) -> list[Personal]:
    """The limits and intervals that stood for an ended treatment with the same drug on the day on
    which this one was enrolled; of several for one thing the one set last."""
    mine = case.enrolment
    stood: dict[tuple[str, ...], Personal] = {}
    for other in case.siblings:
        before = other.enrolment
        if before.drug == mine.drug and before.id < mine.id and _has_ended(other, today):
            for it in sorted(other.personal, key=lambda it: (it.set_at, it.id)):
                if it.what is not Terms.BASELINE and it.is_on(mine.enrolled_on):
                    stood[_about(it)] = it
    return list(stood.values())


def kept(it: Personal, case: Case) -> Personal | None:
    """What was set instead of it for this treatment."""
    return next((own for own in case.personal if _about(own) == _about(it)), None)


def findings(view: View) -> Iterator[Finding]:
    """Each of them, unless it was kept on the day of the enrolment."""
    if view.life.stopped_on is not None:
        return
    for it in left_behind(view.case, view.today):
        own = kept(it, view.case)
        if own is None or own.since > view.case.enrolment.enrolled_on:
            yield _left(it, view, is_kept=own is not None)


def _left(it: Personal, view: View, *, is_kept: bool) -> Finding:
    enrolment = view.case.enrolment
    return Finding(
        enrolment_id=enrolment.id,
        cause=f"personal_left:{it.id}",
        kind=Kind.REVIEW,
        urgency=Urgency.ROUTINE,
        summary=(
            f"{words.sentence(name(it)).rstrip('.')} was set for the treatment before: for this "
            "one the protocol's own applies"
        ),
        source=_SOURCE,
        breaches=(start_of_day(enrolment.enrolled_on, view.zone),),
        recovered=is_kept,
        action=words.action_words(Kind.REVIEW, enrolment.drug),
        say=("To keep it, a clinician says so, with a reason: monitor limit keep.",),
        arithmetic=(in_words(it),),
    )


def _has_ended(case: Case, today: date) -> bool:
    past = in_turn(it for it in case.events if it.on <= today)
    end, _ = end_of(past, case.enrolment.started_on)
    return end is not None


def _about(it: Personal) -> tuple[str, ...]:
    return it.what.value, it.subject, str(it.level), it.phase
