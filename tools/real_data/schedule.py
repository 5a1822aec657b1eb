"""When a panel was last complete and is due again, worked out apart from the monitor.

Only for patients with one anchor: a start, and neither dose changes nor holds after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from tools.real_data.judge import Value, duration

Days = Mapping[tuple[str, str], pd.Timestamp]
_NEVER = pd.DateOffset(years=300)


def last_completed(values: Iterable[Value], protocol: Mapping[str, Any]) -> Days:
    """By MRN and panel: the last day with all that the panel asks for."""
    seen: dict[tuple[str, pd.Timestamp], set[str]] = defaultdict(set)
    for value in values:
        seen[value.mrn, value.on].add(value.analyte)
    last: dict[tuple[str, str], pd.Timestamp] = {}
    for (mrn, day), analytes in seen.items():
        for name, panel in protocol["panels"].items():
            groups = [{it} for it in panel.get("all_of", [])]
            groups += [set(it) for it in panel.get("any_of", [])]
            if all(group & analytes for group in groups):
                last[mrn, name] = max(day, last.get((mrn, name), day))
    return last


def due_on(
    panel: str, last: pd.Timestamp | None, start: pd.Timestamp, protocol: Mapping[str, Any]
) -> pd.Timestamp:
    """The due day by the one anchor `start`: phase by phase, a phase owes its last test."""
    base = start if last is None else max(last, start)
    begins = start
    on_the_way = False
    for phase in protocol["phases"]:
        ends = start + (duration(phase["until"]) if "until" in phase else _NEVER)
        entry = phase["panels"].get(panel)
        if base < ends and entry is not None:
            due = base + duration(entry["every"])
            if on_the_way:
                return max(due, begins)
            if due <= ends:
                return due
            if (ends - base) * 2 > due - base:
                return ends
        on_the_way = on_the_way or base < ends
        begins = ends
    raise ValueError(f"no phase has {panel} after {base.date()}")
