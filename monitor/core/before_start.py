"""What must be known before the first dose: baseline panels, TPMT and NUDT15.

Source: founding brief ("TPMT and NUDT15 before the start, not negotiable"; "homozygous in
either: absolute contraindication"); what counts, and for how long, says the protocol file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.calendar import start_of_day
from monitor.core.findings import day_text
from monitor.core.genes import Known, known_gene
from monitor.core.model import EnrolmentState, Finding, Kind, Metaboliser, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

BASELINE = "baseline_missing"
CONTRAINDICATED = "contraindicated"
_LASTING = (EnrolmentState.PLANNED, EnrolmentState.ACTIVE, EnrolmentState.HELD)


def findings(view: View) -> Iterator[Finding]:
    """What is missing, as one; and each gene that forbids the drug."""
    if view.life.state in _LASTING and _opens_on(view) <= view.today:
        missing = [*_missing_panels(view), *_missing_genes(view)]
        if missing:
            yield _baseline_missing(view, missing)
    for gene in view.protocol.genes:
        known = known_gene(view.case, gene, view.today)
        if known.phenotype is Metaboliser.POOR:
            yield _contraindicated(view, known)


def wakes(view: View) -> Iterator[date]:
    """The day on which a planned start comes near enough to ask for what is missing."""
    if view.life.state in _LASTING:
        yield _opens_on(view)


def _opens_on(view: View) -> date:
    lead = view.protocol.baseline.lead
    start = view.life.first_dose_on
    return view.case.enrolment.enrolled_on if lead is None else lead.before(start)


def _missing_panels(view: View) -> Iterator[str]:
    baseline = view.protocol.baseline
    since = baseline.within.before(view.life.first_dose_on)
    for panel in baseline.panels:
        if not view.is_done_since(panel, since):
            title = view.protocol.panel(panel).title
            yield f"no {title} since {day_text(since)}"


def _missing_genes(view: View) -> Iterator[str]:
    for gene in view.protocol.baseline.genotypes:
        if known_gene(view.case, gene, view.today).phenotype is None:
            yield f"{gene.upper()} not known"


def _baseline_missing(view: View, missing: list[str]) -> Finding:
    baseline = view.protocol.baseline
    start = view.life.first_dose_on
    begun = start <= view.today
    first_dose = f"first dose {day_text(start)}"
    return Finding(
        enrolment_id=view.case.enrolment.id,
        cause=BASELINE,
        kind=Kind.BASELINE_MISSING,
        urgency=baseline.urgency,
        summary=f"Baseline incomplete ({first_dose}): {'; '.join(missing)}",
        source=baseline.source or view.protocol.source,
        action=(
            "Obtain and enter what is missing. Prescriber to decide on treatment until then."
            if begun
            else "Obtain and enter what is missing before the first dose."
        ),
        arithmetic=(
            f"{first_dose}; baseline panels count from {baseline.within} before it",
            *missing,
        ),
    )


def _contraindicated(view: View, known: Known) -> Finding:
    deciding = known.deciding
    assert deciding is not None
    poor = view.protocol.genotypes.poor
    name = known.gene.upper()
    drug = view.case.enrolment.drug
    return Finding(
        enrolment_id=view.case.enrolment.id,
        cause=f"{CONTRAINDICATED}:{known.gene}",
        kind=Kind.CONTRAINDICATED,
        urgency=Urgency.CRITICAL,
        summary=f"{name} poor metaboliser ({deciding.by}, {day_text(deciding.on)})",
        source=poor.source or view.protocol.source,
        recovered=view.life.state is EnrolmentState.STOPPED,
        breaches=(start_of_day(deciding.on, view.zone),),
        action=f"Protocol: {drug} is contraindicated. Prescriber to decide.",
        say=tuple(text for text in (poor.say, _disagreement(known)) if text),
        arithmetic=tuple(_line(known)),
    )


def _disagreement(known: Known) -> str:
    if not known.disagrees:
        return ""
    said = ", ".join(f"{it.phenotype} ({it.by}, {day_text(it.on)})" for it in known.statements)
    return f"The sources on {known.gene.upper()} disagree: {said}. The most severe stands."


def _line(known: Known) -> Iterator[str]:
    for it in known.statements:
        yield f"{known.gene.upper()} {it.phenotype}: {it.by}, {day_text(it.on)}"
