"""What due days and missed tests are counted from: of an enrolment all that its schedule asks for.

It is little, and the same for any schedule: a review leaves it behind, and after an edit of the
phases the due days are counted from it anew, without anything else being judged (docs/adr/0054).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import sub
from typing import NamedTuple

from monitor.core.answer import Life
from monitor.core.case import Enrolment, Event
from monitor.core.life import spells_elsewhere
from monitor.core.panels import Completions
from monitor.core.protocol import Protocol


class Basis(NamedTuple):
    """What the schedule of one enrolment is counted from."""

    enrolled_on: date
    anchors: tuple[date, ...]
    stopped_on: date | None
    elsewhere: bool
    """Another clinic monitors now: nothing late is told."""
    away: tuple[tuple[date, date], ...]
    """The stretches (first day, first day after it) in which another clinic monitored."""
    done: Mapping[str, Sequence[int]]
    """Of each panel that a phase asks for, on which days it was done or is said to have been, from
    the last one before the enrolment on: the number of the first, and how many days later each
    was. They are many, and it is the stretches between them that count."""

    def last_done(self, panel: str) -> date | None:
        steps = self.done[panel]
        return date.fromordinal(sum(steps)) if steps else None


def basis_of(
    enrolment: Enrolment,
    events: Iterable[Event],
    life: Life,
    protocol: Protocol,
    done: Mapping[str, Completions],
    today: date,
) -> Basis:
    """What is counted from on a day."""
    return Basis(
        enrolled_on=enrolment.enrolled_on,
        anchors=life.anchors,
        stopped_on=life.stopped_on,
        elsewhere=life.elsewhere,
        away=tuple(spells_elsewhere(events, today)),
        done={it: _steps(done[it], enrolment.enrolled_on) for it in protocol.scheduled},
    )


def _steps(done: Completions, enrolled_on: date) -> list[int]:
    days = done.days
    if done.declared is not None and done.declared not in days:
        days = tuple(sorted((*days, done.declared)))
    known = [*map(date.toordinal, days[max(0, bisect_right(days, enrolled_on) - 1) :])]
    return [*known[:1], *map(sub, known[1:], known)]
