"""Quarantined rows of watched patients: never hidden (specification, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.core.answer import Finding
from monitor.core.calendar import clinic_day
from monitor.core.case import HeldRow
from monitor.core.derive import WHITE_CELLS, counted_from
from monitor.core.findings import QUARANTINED, day_text
from monitor.core.phenotypes import OF_GENES
from monitor.core.protocol import Level, Protocol
from monitor.core.threshold import Breach, above, below
from monitor.core.units import comparator_of
from monitor.core.vocabulary import Kind, Urgency, worst_urgency

if TYPE_CHECKING:
    from monitor.core.judges import View


def of_held_rows(view: View) -> Finding | None:
    """One finding for all held rows of watched analytes, as urgent as the worst they may mean."""
    case, protocol = view.case, view.protocol
    held = [
        row
        for row in case.held
        if (is_watched(row.analyte, protocol) or _hides_a_count(row, view))
        and not _is_after_the_wash_out(row, view)
    ]
    if not held:
        return None
    ids = sorted({row.id for row in held})
    count = "1 result is" if len(ids) == 1 else f"{len(ids)} results are"
    names = ", ".join(sorted({row.analyte.replace("_", " ") for row in held}))
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=QUARANTINED,
        kind=Kind.QUARANTINED_RESULT,
        urgency=worst_urgency(*(_possible_urgency(row, view) for row in held)),
        summary=f"{count} held in quarantine and not judged: {names}",
        source="a held row is never hidden",
        subjects=tuple(ids),
        action="Look at the held rows and correct them: monitor quarantine list.",
        arithmetic=tuple(
            f"held row {row.id}: {row.analyte} {row.received_value} {row.received_unit}".rstrip()
            + f": {row.reason}"
            for row in held
        ),
        news=_news(held, view),
    )


def _news(held: Sequence[HeldRow], view: View) -> str:
    """The newest row that is more than routine: who has the older ones in hand hears of it."""
    grave = [row for row in held if _possible_urgency(row, view) is not Urgency.ROUTINE]
    if not grave:
        return ""
    newest = max(grave, key=lambda row: (row.held_at, row.id))
    day = newest.collected_on or clinic_day(newest.held_at, view.zone)
    return f"another result is held: {newest.analyte.replace('_', ' ')} of {day_text(day)}"


def is_watched(analyte: str, protocol: Protocol) -> bool:
    """Whether a protocol judges an analyte: by a rule, a panel or a gene."""
    if protocol.genes and analyte in OF_GENES:
        return True
    ruled = any(rule.analyte == analyte for rule in protocol.rules)
    return ruled or bool(protocol.panels_with(analyte))


def _hides_a_count(row: HeldRow, view: View) -> bool:
    """Of a percentage: a watched count follows from it, and none of that day is known."""
    count = counted_from(row.analyte, view.catalogue)
    if count is None or not is_watched(count, view.protocol):
        return False
    known = (it for it in view.results.of(count) if it.value is not None)
    return all(it.collected_on != row.collected_on for it in known)


def _is_after_the_wash_out(row: HeldRow, view: View) -> bool:
    """A result of that day would not be watched either: neither in the wash-out nor while an
    episode of its analyte goes on. A gene is read whenever it comes."""
    until = view.life.watch_until
    if until is None or row.analyte in OF_GENES:
        return False
    going_on = {it.analyte for it in view.rule_findings if not it.recovered}
    day = row.collected_on or clinic_day(row.held_at, view.zone)
    about = {row.analyte, counted_from(row.analyte, view.catalogue)}
    return day > until and about.isdisjoint(going_on)


def _possible_urgency(row: HeldRow, view: View) -> Urgency:
    """The urgency of the worst level the raw number would meet in any unit it may be in; of a
    percentage, that its count would meet with the white cells of its day."""
    count = counted_from(row.analyte, view.catalogue)
    analyte = count or row.analyte
    values = row.possible_values
    if count is not None:
        cells = [
            it.value for it in view.results.of(WHITE_CELLS) if it.collected_on == row.collected_on
        ]
        values = tuple(cell * share / 100 for cell in cells if cell is not None for share in values)
    comparator = comparator_of(row.received_value)
    urgencies = [Urgency.URGENT if row.analyte in OF_GENES else Urgency.ROUTINE]
    for rule in view.protocol.rules:
        if rule.analyte != analyte:
            continue
        for level in rule.levels:
            urgencies.extend(_urgency(level, value, comparator) for value in values)
    return worst_urgency(*urgencies)


def _urgency(level: Level, value: Decimal, comparator: str) -> Urgency:
    """As the result would be judged once it is read, `<1.6` too, and never milder than the number
    alone: what only may breach is at most urgent."""
    breach = max(_breach(level, value, sign) for sign in {"", comparator})
    if breach is Breach.NO:
        return Urgency.ROUTINE
    if breach is Breach.MAY:
        return min(level.urgency, Urgency.URGENT, key=lambda urgency: urgency.rank)
    return level.urgency


def _breach(level: Level, value: Decimal, comparator: str) -> Breach:
    if level.below is not None:
        return below(value, comparator, level.below)
    if level.above is not None:
        return above(value, comparator, level.above)
    if level.above_times_uln is not None and level.default_uln is not None:
        return above(value, comparator, level.above_times_uln * level.default_uln)
    return Breach.NO
