"""The figures of a set as a person reads them, and as the documentation shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tools.real_data.compare import Comparison

_FATES = ("rows", "stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")


def lines_of(found: Comparison) -> Iterator[str]:
    """Everything about one set, a line each."""
    counts = " ".join(f"{fate} {found.counts[fate]}" for fate in _FATES)
    yield f"{found.name}: {found.patients} patients, {found.events} events; {counts}"
    yield f"  quarantine: {_counted(found.held) or 'empty'}"
    yield f"  alerts: {_counted(found.alerts)}"
    yield f"  states: {_counted(found.states)}"
    yield (
        f"  alike: {found.values} values, {sum(found.matched.values())} alerts of rules, "
        f"{found.panels} panels"
    )
    if found.buried:
        yield f"  deaths told last: {found.buried} alerts of the dead, all closed"
    yield from (f"  fact   {fact}" for fact in found.facts)
    yield from (f"  apart  {fact}" for fact in found.apart)
    yield from (f"  DIFFERS {difference}" for difference in found.differences)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
