"""Recurring tasks without a laboratory: due like a panel, done by the event `task_done`.

All tasks of a patient are one finding, so that they are one line of a digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Finding
from monitor.core.findings import day_text, sentence
from monitor.core.indications import meant_for
from monitor.core.protocol_care import Task
from monitor.core.vocabulary import EnrolmentState, Kind, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

CAUSE = "tasks"
DONE = "task_done"
_LASTING = (EnrolmentState.ACTIVE, EnrolmentState.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    task: Task
    last_done_on: date | None
    due_on: date


def task_key(text: str) -> str:
    """A task's id as people may write it: `Skin check` is `skin_check`."""
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())


def findings(view: View) -> Iterator[Finding]:
    """One finding for all tasks that are due."""
    due = [it for it in _standings(view) if it.due_on <= view.today]
    if not due:
        return
    enrolment = view.case.enrolment
    due.sort(key=lambda it: (it.due_on, it.task.id))
    newest = due[-1]
    yield Finding(
        enrolment_id=enrolment.id,
        cause=CAUSE,
        kind=Kind.TASK_DUE,
        urgency=Urgency.ROUTINE,
        summary="Due: " + "; ".join(_due_text(it) for it in due),
        source="; ".join(dict.fromkeys(it.task.source for it in due)),
        subjects=tuple(sorted({it.due_on.toordinal() for it in due})),
        action="At the next visit; record each as done: event task_done with "
        + ", ".join(it.task.id for it in due)
        + ".",
        say=tuple(sentence(it.task.say) for it in due),
        arithmetic=tuple(f"{it.task.id}: {_step(it)}" for it in due),
        news=f"{newest.task.title} is due since {day_text(newest.due_on)}",
        repeat_days=min((it.task.repeat.after(it.due_on) - it.due_on).days for it in due),
    )


def wakes(view: View) -> Iterator[date]:
    """The days on which a task becomes due."""
    return (it.due_on for it in _standings(view))


def considered(view: View) -> Iterator[Considered]:
    """The tasks that are not due, and those not meant for the patient."""
    standings = {it.task.id: it for it in _standings(view)}
    for task in view.protocol.tasks:
        it = standings.get(task.id)
        if it is not None and it.due_on <= view.today:
            continue
        if it is not None:
            why = _step(it)
        elif not meant_for(task, view.case.enrolment.indication):
            why = f"not meant for the indication {view.case.enrolment.indication or 'none'}"
        elif view.life.state not in _LASTING:
            why = f"the enrolment is {view.life.state}"
        elif not view.life.start_confirmed:
            why = "the start is not confirmed"
        else:
            why = "asked for with another drug of the patient"
        yield Considered(room="task", subject=task.id, why=(why,), source=task.source)


def _standings(view: View) -> list[_Standing]:
    """Every task that concerns the patient, with the day it is due. Of what was done before the
    enrolment nothing is known, so the first time is counted from it."""
    if view.life.state not in _LASTING or not view.life.start_confirmed:
        return []
    indication = view.case.enrolment.indication
    begun = max(view.life.first_dose_on, view.case.enrolment.enrolled_on)
    found = []
    for task in view.protocol.tasks:
        if not meant_for(task, indication) or task.id in view.shared.tasks:
            continue
        done = [
            event.on
            for event in view.case.events
            if event.event == DONE
            and task_key(event.value) == task_key(task.id)
            and event.on <= view.today
        ]
        last = max(done, default=None)
        base = begun if last is None else last
        found.append(_Standing(task=task, last_done_on=last, due_on=task.every.after(base)))
    return found


def _due_text(it: _Standing) -> str:
    last = "never recorded" if it.last_done_on is None else f"last {day_text(it.last_done_on)}"
    return f"{it.task.title} since {day_text(it.due_on)} ({last})"


def _step(it: _Standing) -> str:
    last = "never recorded" if it.last_done_on is None else f"done on {day_text(it.last_done_on)}"
    return f"{last}, every {it.task.every}, due {day_text(it.due_on)}"
