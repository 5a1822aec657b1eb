"""`monitor schedule compare`: two protocols, each in force or from a file, side by side."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from monitor.core.comparing import Comparison, Month, compare
from monitor.core.protocol import Protocol
from monitor.operations.schedule_force import Force, in_force, propose
from monitor.operations.schedule_show import ladder, named, then_of
from monitor.store.database import Store
from monitor.store.rulebook import NoRuleBook


def compare_protocols(store: Store, a: str, b: str, start: date) -> tuple[Comparison, Force]:
    """Each by its id in force or by the path of a file. Raises NoSuchProtocol, Faults."""
    with store.read() as connection:
        force = in_force(connection)
    if force.catalogue is None:
        raise NoRuleBook("no protocol is in force yet: `monitor init` begins with those shipped")
    found = compare(_protocol(a, force), _protocol(b, force), force.catalogue, start)
    return found, force


def _protocol(text: str, force: Force) -> Protocol:
    if text.endswith(".toml"):
        proposal = propose(Path(text), force)
        return proposal.protocols[proposal.id]
    return named(force, text)


def document(found: Comparison, force: Force) -> dict[str, Any]:
    """As `monitor schedule compare --json` prints it; `looser` names the protocol."""
    assert force.catalogue is not None
    ids = [protocol.id for protocol in found.protocols]
    return {
        "a": ids[0],
        "b": ids[1],
        "start": found.start.isoformat(),
        "calendar": {
            panel: {
                "a": [day.isoformat() for day in found.calendars[0].get(panel, ())],
                "b": [day.isoformat() for day in found.calendars[1].get(panel, ())],
            }
            for panel in found.calendars[0]
        },
        "then": {
            side: then_of(protocol, found.span)
            for side, protocol in zip("ab", found.protocols, strict=True)
        },
        "months": [_month(month, ids) for month in found.months],
        "ladder": [
            {
                "analyte": step.analyte,
                "test": step.test,
                "asks": step.asks.value,
                "a": None if step.limits[0] is None else float(step.limits[0]),
                "b": None if step.limits[1] is None else float(step.limits[1]),
                "looser": None if step.looser is None else ids[step.looser],
            }
            for step in found.steps
        ],
        "rules": {
            "a": ladder(found.protocols[0], force.catalogue),
            "b": ladder(found.protocols[1], force.catalogue),
        },
        "looser": [
            {
                "protocol": ids[it.which],
                "panel": it.about if it.months else None,
                "analyte": None if it.months else it.about,
                "months": list(it.months) if it.months else None,
                "text": it.text,
            }
            for it in found.looser
        ],
    }


def _month(month: Month, ids: list[str]) -> dict[str, Any]:
    row = asdict(month)
    for key in ("tests", "longest_wait_days"):
        row[key] = {"a": row[key][0], "b": row[key][1]}
    row["looser"] = None if month.looser is None else ids[month.looser]
    return row
