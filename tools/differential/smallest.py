"""A patient on whom core and oracle differ, without what does not matter to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from monitor.core.case import Case
from tools.differential.patients import Looked


def smallest(looked: Looked, matters: Callable[[Looked], bool]) -> Looked:
    """Leave out results, events, held rows, personal terms and other drugs one by one, as long
    as what matters is left."""
    while True:
        fewer = (replace(looked, case=case) for case in _with_one_less(looked.case))
        smaller = next((it for it in fewer if matters(it)), None)
        if smaller is None:
            return looked
        looked = smaller


def differs(looked: Looked) -> bool:
    try:
        return bool(looked.differences())
    except Exception:  # noqa: BLE001  # a crash is a difference too
        return True


def _with_one_less(case: Case) -> Iterator[Case]:
    if case.siblings:
        yield replace(case, siblings=())
    for name in ("results", "events", "held", "personal"):
        parts = getattr(case, name)
        for place in range(len(parts)):
            fewer: dict[str, Any] = {name: (*parts[:place], *parts[place + 1 :])}
            yield _shared(replace(case, **fewer), name)
    for place, sibling in enumerate(case.siblings):
        for at in range(len(sibling.events)):
            less = replace(sibling, events=(*sibling.events[:at], *sibling.events[at + 1 :]))
            siblings = (*case.siblings[:place], less, *case.siblings[place + 1 :])
            yield replace(case, siblings=siblings)


def _shared(case: Case, name: str) -> Case:
    """Results are the patient's, whichever drug."""
    if name != "results":
        return case
    siblings = tuple(replace(it, results=case.results) for it in case.siblings)
    return replace(case, siblings=siblings)
