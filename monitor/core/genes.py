"""What is known of a patient's TPMT and NUDT15, from whichever source said it.

Source: specification, section 3 ("TPMT and NUDT15 results are read for every enrolled patient
whenever they come"); what each phenotype asks for says the protocol file (`[genotypes]`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from monitor.core.model import Case, Metaboliser

GENES = ("tpmt", "nudt15")
_SEVERITY = (
    Metaboliser.INDETERMINATE,
    Metaboliser.NORMAL,
    Metaboliser.INTERMEDIATE,
    Metaboliser.POOR,
)
"""Of several that disagree the later of these stands, until a correction settles it: what is
indeterminate says less than any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One source's word on one gene."""

    gene: str
    phenotype: Metaboliser
    on: date
    by: str
    """Where it stands, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stands of one gene, and everything that was said of it, oldest first."""

    gene: str
    phenotype: Metaboliser | None
    statements: tuple[Statement, ...]

    @property
    def deciding(self) -> Statement | None:
        """The earliest statement of what stands."""
        return next((it for it in self.statements if it.phenotype is self.phenotype), None)

    @property
    def disagrees(self) -> bool:
        return len({it.phenotype for it in self.statements}) > 1


def known_gene(case: Case, gene: str, today: date) -> Known:
    """What stands of a gene on a day. The last `genotype` event replaces the enrolment's own
    word; of sources that still disagree the most severe stands."""
    statements = tuple(_statements(case, gene, today))
    phenotype = max((it.phenotype for it in statements), key=_SEVERITY.index, default=None)
    return Known(gene=gene, phenotype=phenotype, statements=statements)


def _statements(case: Case, gene: str, today: date) -> Iterator[Statement]:
    enrolment = case.enrolment
    told = [
        Statement(gene=gene, phenotype=Metaboliser(word), on=event.on, by="event genotype")
        for event in sorted(case.events, key=lambda it: (it.on, it.id))
        if event.event == "genotype" and event.on <= today
        for name, _, word in [event.value.partition(":")]
        if name == gene
    ]
    column: str = getattr(enrolment, gene)
    if told:
        yield told[-1]
    elif column:
        yield Statement(
            gene=gene,
            phenotype=Metaboliser(column),
            on=enrolment.enrolled_on,
            by="enrolment",
        )
