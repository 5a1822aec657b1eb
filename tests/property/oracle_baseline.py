"""What must be known before the first dose, in the slowest words (brief: "before the start")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from monitor.core.case import Case, Event
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import Urgency
from tests.property.oracle_course import Course, as_told
from tests.property.oracle_values import take


@dataclass(frozen=True)
class BaselineAnswer:
    """How urgently something is missing (None: nothing), and the genes that forbid the drug
    with whether the enrolment has ended."""

    missing: Urgency | None
    poor: dict[str, bool]


def baseline(
    case: Case,
    protocol: Protocol,
    life: Course,
    last: dict[str, date | None],
    known: dict[str, str],
    today: date,
) -> BaselineAnswer:
    """`last` is the latest completion of each panel up to today, `known` the phenotypes."""
    asked = protocol.baseline
    genes = {gene: known[gene] for gene in asked.genotypes}
    since = take(life.first_dose, asked.within)
    lacking = [gene for gene, word in genes.items() if word == ""]
    for panel in asked.panels:
        done = last[panel]
        if done is None or done < since:
            lacking.append(panel)
    lasts = life.ended_on is None and not life.elsewhere
    opens = case.enrolment.enrolled_on
    if asked.lead is not None:
        opens = take(life.first_dose, asked.lead)
    return BaselineAnswer(
        missing=asked.urgency if lacking and lasts and today >= opens else None,
        poor={gene: life.ended_on is not None for gene, word in genes.items() if word == "poor"},
    )


MILDEST_FIRST = ("", "indeterminate", "normal", "intermediate", "poor")


def phenotype(case: Case, gene: str, today: date, zone: ZoneInfo) -> str:
    """The worst that is said: by the last event, and by every enrolment of the patient that is
    younger than that event and its arrival; empty where nobody has said."""
    words = [""]
    last: Event | None = None
    for event in as_told(case.events):
        if event.event == "genotype" and event.on <= today:
            name, said = event.value.split(":")
            if name == gene:
                last, words = event, [said]
    for one in (case, *case.siblings):
        young = last is None or (
            last.on < one.enrolment.enrolled_on
            and last.received_at.astimezone(zone).date() < one.enrolment.enrolled_on
        )
        if young and (one is case or one.enrolment.enrolled_on <= today):
            words.append(getattr(one.enrolment, gene))
    return max(words, key=MILDEST_FIRST.index)
