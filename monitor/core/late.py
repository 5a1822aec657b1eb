"""What would have been said earlier, had results come on the day they were collected.

Nothing new is judged here: the very same review answers at earlier instants, of what had been
collected by then.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from monitor.core.answer import Finding, Review
from monitor.core.calendar import clinic_day
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.protocol import Protocol
from monitor.core.review import review_one

MOST_INSTANTS = 12
"""Instants looked at for one episode: a rule speaks at its first breaches or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidEarlier:
    """A finding of a rule that would have been there at an earlier instant."""

    finding: Finding
    """As it would have been then."""
    at: datetime
    """The collection of the result that would have made it speak."""
    late_results: int
    """How many late results of its analyte had been collected by then."""


def said_earlier(
    found: Review, late: Collection[int], protocol: Protocol, catalogue: Catalogue, zone: ZoneInfo
) -> list[SaidEarlier]:
    """For each rule's episode that stands on results that came late: when it would have been
    found first, had they come at once. `late` are the ids of such results; what was collected
    before the enrolment day would have told nobody. Reviews at most MOST_INSTANTS an episode."""
    case = found.case
    instants = {it.collected_at for it in case.results if it.id in late}
    first_day = case.enrolment.enrolled_on
    told = []
    for finding in found.findings:
        if finding.rule is None or not instants & set(finding.breaches):
            continue
        told_of = (at for at in sorted(set(finding.breaches)) if clinic_day(at, zone) >= first_day)
        for at in islice(told_of, MOST_INSTANTS):
            then = _finding_then(finding, case, at, protocol, catalogue, zone)
            if then is None:
                continue
            known = sum(
                it.id in late and it.analyte == finding.analyte and it.collected_at <= at
                for it in case.results
            )
            if known:
                told.append(SaidEarlier(finding=then, at=at, late_results=known))
            break
    return told


def _finding_then(
    finding: Finding,
    case: Case,
    at: datetime,
    protocol: Protocol,
    catalogue: Catalogue,
    zone: ZoneInfo,
) -> Finding | None:
    """The same episode as it would have been found at an instant."""
    collected = tuple(it for it in case.results if it.collected_at <= at)
    alone = replace(case, results=collected, held=(), siblings=())
    then = review_one(alone, {case.enrolment.protocol_id: protocol}, catalogue, at, zone)
    return next(
        (
            it
            for it in then.findings
            if it.cause == finding.cause and set(it.breaches) & set(finding.breaches)
        ),
        None,
    )
