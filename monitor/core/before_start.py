"""What must be known before the first dose: baseline panels, TPMT and NUDT15.

Source: founding brief ("TPMT and NUDT15 before the start, not negotiable"; "homozygous in
either: absolute contraindication"); what counts, and for how long, says the protocol file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Finding
from monitor.core.calendar import start_of_day
from monitor.core.findings import action_words, check_inr, day_text, sentence, sentences
from monitor.core.genes import Known, known_gene, unavailable
from monitor.core.vocabulary import EnrolmentState, Kind, Metaboliser, Urgency

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
        known = known_gene(view, gene)
        if known.phenotype is Metaboliser.POOR:
            yield _contraindicated(view, known)
        if known.phenotype is Metaboliser.INDETERMINATE:
            yield from _indeterminate(view, known)


def wakes(view: View) -> Iterator[date]:
    """The day on which a start comes near enough to ask for what is missing, and its own."""
    if view.life.state in _LASTING:
        yield from (_opens_on(view), view.life.first_dose_on)
    for gene in view.protocol.genes:
        told = unavailable(view, gene)
        if told is not None:
            yield told[0]
    genes = [known_gene(view, gene) for gene in view.protocol.genes]
    if any(it.phenotype is Metaboliser.INDETERMINATE for it in genes):
        yield from _start_phase_ends(view)


def considered(view: View) -> Iterator[Considered]:
    """What is known of the baseline and of each gene, where neither spoke."""
    baseline = view.protocol.baseline
    source = baseline.source or view.protocol.source
    if view.life.state not in _LASTING:
        lines = [f"the enrolment is {view.life.state}"]
    elif _opens_on(view) > view.today:
        lines = [f"asked for from {day_text(_opens_on(view))}", *_missing_panels(view)]
        lines += _missing_genes(view)
    elif any((*_missing_panels(view), *_missing_genes(view))):
        lines = []
    else:
        lines = ["complete: nothing that the protocol asks for is missing"]
    if lines:
        yield Considered(
            room="before the start", subject="baseline", why=tuple(lines), source=source
        )
    for gene in view.protocol.genes:
        known, told = known_gene(view, gene), unavailable(view, gene)
        if known.phenotype is Metaboliser.POOR:
            continue
        lines = known.lines() or ["not known"]
        if known.phenotype is None and told is not None:
            lines.append(f"not available here until {day_text(told[0])} ({told[1]})")
        yield Considered(
            room="genotype",
            subject=gene.upper(),
            why=tuple(lines),
            source=view.protocol.genotypes.poor.source or view.protocol.source,
            judged=known.phenotype is not None,
        )


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
            yield f"{title}: none from {day_text(since)} on"


def _missing_genes(view: View) -> Iterator[str]:
    for gene in view.protocol.baseline.genotypes:
        known = known_gene(view, gene)
        if known.phenotype is None and unavailable(view, gene) is None:
            void = f" ({known.statements[-1]})" if known.statements else ""
            yield f"{gene.upper()} not known{void}"


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
        say=sentences(
            Kind.DISCONTINUE if view.life.first_dose_on <= view.today else Kind.REVIEW,
            view.case,
            (poor.say, _disagreement(known)),
            certain=True,
            early=False,
            inr=check_inr(view.life, view.catalogue),
        ),
        arithmetic=tuple(known.lines()),
    )


def _indeterminate(view: View, known: Known) -> Iterator[Finding]:
    """What CPIC says of it, until the start phase, with its close watch, is over."""
    terms = view.protocol.genotypes.indeterminate
    say: str = getattr(terms, known.gene)
    deciding = known.deciding
    if not say or deciding is None:
        return
    over = any(day <= view.today for day in _start_phase_ends(view))
    name = known.gene.upper()
    yield Finding(
        enrolment_id=view.case.enrolment.id,
        cause=f"indeterminate:{known.gene}",
        kind=Kind.REVIEW,
        urgency=terms.urgency,
        summary=f"{name} indeterminate ({deciding.by}, {day_text(deciding.on)}): not normal",
        source=terms.source,
        recovered=over or view.life.state is EnrolmentState.STOPPED,
        breaches=(start_of_day(deciding.on, view.zone),),
        action=action_words(Kind.REVIEW, view.case.enrolment.drug),
        say=(sentence(say),),
        arithmetic=tuple(known.lines()),
    )


def _start_phase_ends(view: View) -> Iterator[date]:
    """The day on which the start phase is over, where it ends."""
    until = view.phases[0].until
    if until is not None:
        yield until.after(view.life.first_dose_on)


def with_what_is_unavailable(finding: Finding, view: View) -> Finding:
    """Every alert says which gene could not be tested here, who said so and until when."""
    said = tuple(
        f"{gene.upper()} not available here until {day_text(told[0])} ({told[1]})."
        for gene in view.protocol.genes
        if known_gene(view, gene).phenotype is None
        if (told := unavailable(view, gene)) is not None
    )
    return replace(finding, say=(*finding.say, *said)) if said else finding


def _disagreement(known: Known) -> str:
    if not known.disagrees:
        return ""
    said = ", ".join(f"{it.phenotype} ({it.by}, {day_text(it.on)})" for it in known.statements)
    return f"The sources on {known.gene.upper()} disagree: {said}. The most severe stands."
