"""Of which treatment an event is, where a drug was stopped and begun anew.

Who tells of a stop late, and of the new treatment after it, has told of the doses and holds of
the new one while there was only the old one. Told in the order in which they happened they would
be the new one's, and what is found does not depend on that order (specification, section 6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from monitor.core.case import Event, in_turn
from monitor.core.life import end_of

Owned = tuple[int | None, Event]
"""An event with the treatment it was told of; None: it is of the patient."""


class Treatment(NamedTuple):
    """One patient on one drug from a day on."""

    id: int
    drug: str
    started_on: date
    home: int
    """The patient under whose number it was told: what is told under one number is never of a
    treatment that came under another."""


def by_treatment(treatments: Iterable[Treatment], events: Sequence[Owned]) -> list[Owned]:
    """The events of one patient, each with the treatment that it is of: after the end of the one
    it was told of the latest of the drug that had begun by its day."""
    alike: dict[tuple[str, int], list[Treatment]] = defaultdict(list)
    for it in sorted(treatments, key=lambda it: (it.started_on, it.id)):
        alike[it.drug, it.home].append(it)
    later = {
        it.id: [other for other in same if other.started_on > end]
        for same in alike.values()
        if len(same) > 1
        for it in same
        if (end := _end(it, events)) is not None
    }
    return [(_whose(owner, event, later), event) for owner, event in events]


def _end(treatment: Treatment, events: Iterable[Owned]) -> date | None:
    own = in_turn(event for owner, event in events if owner in (None, treatment.id))
    return end_of(own, treatment.started_on)[0]


def _whose(owner: int | None, event: Event, later: dict[int, list[Treatment]]) -> int | None:
    if owner is None:
        return None
    begun = [it for it in later.get(owner, ()) if _is_of(it, event)]
    return begun[-1].id if begun else owner


def _is_of(treatment: Treatment, event: Event) -> bool:
    """A stop of the day on which it was begun is that of the treatment before: the other mistake
    would end the watch."""
    if event.event == "stop":
        return treatment.started_on < event.on
    return treatment.started_on <= event.on
