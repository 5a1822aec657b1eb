"""Quarantined rows of watched patients: never hidden (specification, section 3)."""

from __future__ import annotations

from decimal import Decimal

from monitor.core.answer import Finding
from monitor.core.case import Case, HeldRow
from monitor.core.findings import QUARANTINED
from monitor.core.phenotypes import OF_GENES
from monitor.core.protocol import Level, Protocol
from monitor.core.threshold import Breach, above, below
from monitor.core.vocabulary import Kind, Urgency, worst_urgency


def of_held_rows(case: Case, protocol: Protocol) -> Finding | None:
    """One finding for all held rows of watched analytes, as urgent as the worst they may mean."""
    held = [row for row in case.held if _is_watched(row.analyte, protocol)]
    if not held:
        return None
    count = "1 result is" if len(held) == 1 else f"{len(held)} results are"
    names = ", ".join(sorted({row.analyte.replace("_", " ") for row in held}))
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=QUARANTINED,
        kind=Kind.QUARANTINED_RESULT,
        urgency=worst_urgency(*(_possible_urgency(row, protocol) for row in held)),
        summary=f"{count} held in quarantine and not judged: {names}",
        source="a held row is never hidden",
        subjects=tuple(sorted(row.id for row in held)),
        action="Look at the held rows and correct them: monitor quarantine list.",
        arithmetic=tuple(
            f"held row {row.id}: {row.analyte} {row.received_value} {row.received_unit}".rstrip()
            + f": {row.reason}"
            for row in held
        ),
    )


def _is_watched(analyte: str, protocol: Protocol) -> bool:
    if protocol.genes and analyte in OF_GENES:
        return True
    ruled = any(rule.analyte == analyte for rule in protocol.rules)
    return ruled or bool(protocol.panels_with(analyte))


def _possible_urgency(row: HeldRow, protocol: Protocol) -> Urgency:
    """The urgency of the worst level the raw number would meet in any unit it may be in."""
    urgencies = [Urgency.URGENT if row.analyte in OF_GENES else Urgency.ROUTINE]
    for rule in protocol.rules:
        if rule.analyte != row.analyte:
            continue
        for level in rule.levels:
            urgencies.extend(
                level.urgency for value in row.possible_values if _would_breach(level, value)
            )
    return worst_urgency(*urgencies)


def _would_breach(level: Level, value: Decimal) -> bool:
    if level.below is not None:
        return below(value, "", level.below) is Breach.CERTAIN
    if level.above is not None:
        return above(value, "", level.above) is Breach.CERTAIN
    if level.above_times_uln is not None and level.default_uln is not None:
        return above(value, "", level.above_times_uln * level.default_uln) is Breach.CERTAIN
    return False
