"""Which drugs are taken beside the monitored one, and from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from monitor.core.answer import Taking
from monitor.core.case import Event
from monitor.core.drugs import DrugNames

_TELLING = ("comedication_start", "comedication_stop")


def takings(past: Iterable[Event], names: DrugNames) -> list[Taking]:
    """Every stretch of every drug that events up to a day tell of (ascending by day and
    receipt), brand names as the drug they are.

    A start of what is taken already goes on; a stop and a start on one day are a change of the
    prescription and no end.
    """
    on: dict[str, Taking] = {}
    ended: list[Taking] = []
    for event in past:
        if event.event not in _TELLING:
            continue
        for drug in names.find(event.value):
            if event.event == "comedication_start" and drug not in on:
                same = [it for it in ended if it.drug == drug and it.stop == event.on]
                for it in same:
                    ended.remove(it)
                begun = same[0].start if same else event.on
                on[drug] = Taking(drug=drug, written=event.value.strip(), start=begun)
            elif event.event == "comedication_stop" and drug in on:
                taken = on.pop(drug)
                if event.on > taken.start:
                    ended.append(replace(taken, stop=event.on))
    return [*ended, *on.values()]
