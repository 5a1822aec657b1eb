"""What is known of a patient's TPMT and NUDT15, from whichever source said it.

Source: specification, section 3 ("TPMT and NUDT15 results are read for every enrolled patient
whenever they come"); what each phenotype asks for says the protocol file (`[genotypes]`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.calendar import clinic_day
from monitor.core.case import Result, in_turn
from monitor.core.findings import day_text
from monitor.core.phenotypes import ACTIVITY, CLASS_OF_ACTIVITY, GENES, phenotype_of_code
from monitor.core.threshold import Breach, below
from monitor.core.vocabulary import Metaboliser

if TYPE_CHECKING:
    from monitor.core.judges import View

_SEVERITY = (
    Metaboliser.INDETERMINATE,
    Metaboliser.NORMAL,
    Metaboliser.INTERMEDIATE,
    Metaboliser.POOR,
)
"""Of several that disagree the later of these stands, until a correction settles it: what is
indeterminate says less than any other."""
UNAVAILABLE = "genotype_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One source's word on one gene."""

    gene: str
    phenotype: Metaboliser
    on: date
    by: str
    """Where it stands, in words."""
    void: str = ""
    """Why it does not count."""

    def __str__(self) -> str:
        void = f"; does not count: {self.void}" if self.void else ""
        return f"{self.gene.upper()} {self.phenotype}: {self.by}, {day_text(self.on)}{void}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stands of one gene, and everything that was said of it."""

    gene: str
    phenotype: Metaboliser | None
    statements: tuple[Statement, ...]

    @property
    def deciding(self) -> Statement | None:
        """The earliest statement of what stands."""
        return next(
            (it for it in self.statements if it.phenotype is self.phenotype and not it.void), None
        )

    @property
    def disagrees(self) -> bool:
        return len({it.phenotype for it in self.statements if not it.void}) > 1

    def lines(self) -> list[str]:
        """Every statement, one a line."""
        return [str(it) for it in self.statements]


def known_gene(view: View, gene: str) -> Known:
    """What stands of a gene today. It is the patient's: the word of each of their enrolments
    counts, unless a `genotype` event came with it or after it; of sources that still disagree
    the most severe stands."""
    return view.once(("gene", gene), lambda: _known(view, gene))


def _known(view: View, gene: str) -> Known:
    statements = tuple(sorted(_statements(view, gene), key=lambda it: it.on))
    counting = [it.phenotype for it in statements if not it.void]
    phenotype = max(counting, key=_SEVERITY.index, default=None)
    return Known(gene=gene, phenotype=phenotype, statements=statements)


def unavailable(view: View, gene: str) -> tuple[date, str] | None:
    """Until when a test of the gene is not available here, and who said so, why."""
    latest = None
    for event in in_turn(view.case.events):
        name, _, until = event.value.partition(":")
        if event.event == UNAVAILABLE and name == gene and event.on <= view.today:
            latest = date.fromisoformat(until), event.note
    return latest if latest is not None and view.today < latest[0] else None


def _statements(view: View, gene: str) -> Iterator[Statement]:
    yield from _told(view, gene)
    names = (gene, ACTIVITY, CLASS_OF_ACTIVITY) if gene == GENES[0] else (gene,)
    for result in view.results.of(*names):
        if result.collected_on > view.today or not result.value_is_known:
            continue
        if result.analyte == gene:
            yield _coded(result, gene, f'laboratory "{result.received_value}"')
        else:
            found = _of_activity(view, result)
            if found is not None:
                yield found


def _told(view: View, gene: str) -> Iterator[Statement]:
    """What people said: the last event, and the word of each enrolment that it does not replace."""
    told = [
        (event, word)
        for event in in_turn(view.case.events)
        if event.event == "genotype" and event.on <= view.today
        for name, _, word in [event.value.partition(":")]
        if name == gene
    ]
    replaced_until = date.min
    if told:
        event, word = told[-1]
        replaced_until = max(event.on, clinic_day(event.received_at, view.zone))
        phenotype = Metaboliser(word)
        yield Statement(gene=gene, phenotype=phenotype, on=event.on, by="event genotype")
    others = (it for it in view.case.siblings if it.enrolment.enrolled_on <= view.today)
    for case in (view.case, *others):
        day, word = case.enrolment.enrolled_on, getattr(case.enrolment, gene)
        if word and replaced_until < day:
            yield Statement(gene=gene, phenotype=Metaboliser(word), on=day, by="enrolment")


def _coded(result: Result, gene: str, by: str, void: str = "") -> Statement:
    assert result.value is not None
    return Statement(
        gene=gene,
        phenotype=phenotype_of_code(result.value),
        on=result.collected_on,
        by=by,
        void=void,
    )


def _of_activity(view: View, result: Result) -> Statement | None:
    """A red-cell activity: the laboratory's word, or its number against limits."""
    by = f"TPMT activity {result.received_value} {result.received_unit}".rstrip()
    if result.analyte == CLASS_OF_ACTIVITY:
        said = _coded(result, GENES[0], by)
    else:
        word = _class_of(view, result)
        if word is None:
            return None
        said = Statement(gene=GENES[0], phenotype=word, on=result.collected_on, by=by)
    if said.phenotype is not Metaboliser.NORMAL:
        return said
    void = _void(view, said.on)
    return Statement(gene=said.gene, phenotype=said.phenotype, on=said.on, by=by, void=void)


def _class_of(view: View, result: Result) -> Metaboliser | None:
    """None where neither the laboratory nor the protocol gives a limit."""
    terms = view.protocol.genotypes.activity
    assert result.value is not None
    deficient, low = terms.deficient_below, result.ref_low or terms.low_below
    if deficient is not None and below(result.value, result.comparator, deficient) is not Breach.NO:
        return Metaboliser.POOR
    if low is None:
        return None
    breach = below(result.value, result.comparator, low)
    return Metaboliser.NORMAL if breach is Breach.NO else Metaboliser.INTERMEDIATE


def _void(view: View, on: date) -> str:
    """Why a normal activity is no proof of a normal gene."""
    terms = view.protocol.genotypes.activity
    if not terms.counts:
        return "the protocol asks for the genotype"
    if on >= view.life.first_dose_on:
        return "taken on the drug"
    within = terms.after_transfusion
    for event in view.case.events:
        recent = within is not None and event.on <= on < within.after(event.on)
        if event.event == "transfusion" and recent:
            return f"within {within} of the transfusion of {day_text(event.on)}"
    return ""
