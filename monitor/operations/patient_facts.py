"""What is known of one patient beside the tests: genotypes, doses, weight, absences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from monitor.config import Settings
from monitor.core import ages
from monitor.core.absences import sentences
from monitor.core.answer import Review
from monitor.core.doses import history, weight_of, weights
from monitor.core.findings import day_text
from monitor.core.genes import known_gene, unavailable
from monitor.core.indications import indication_key
from monitor.core.judges import View
from monitor.core.personal import in_words
from monitor.core.review import view_of
from monitor.operations.answers import answers, enrolments_of
from monitor.store.database import Store
from monitor.store.rulebook import RuleBook


def facts(store: Store, settings: Settings, now: datetime, mrn: str) -> list[str]:
    """Lines for `monitor status MRN`, an enrolment after the other."""
    with store.read() as connection:
        ids = enrolments_of(connection, mrn)
        batches = list(answers(connection, settings, now, ids=ids, until=now))
    return [
        line
        for batch in batches
        for review in batch.reviews
        for line in facts_of(review, _view(review, batch.rulebook, settings, now))
    ]


def _view(review: Review, book: RuleBook, settings: Settings, now: datetime) -> View:
    return view_of(review.case, book.protocols, book.catalogue, now, settings.clinic.zone)


def facts_of(review: Review, view: View) -> Iterator[str]:
    """What is known of one enrolment, a line a fact."""
    case, life, today = review.case, review.life, view.today
    yield f"{case.enrolment.drug}, {case.enrolment.indication or 'indication not known'}"
    if not life.start_confirmed and life.stopped_on is None:
        yield f"  start not confirmed, planned for {day_text(case.enrolment.started_on)}"
    yield from (f"  {line}" for line in ages.facts(view))
    for gene in view.protocol.genes:
        yield from (f"  {line}" for line in _gene(view, gene))
    doses = history(case, life, today)
    yield from (f"  {given}" for given in doses)
    if not doses:
        yield "  dose not known"
    weight = weight_of(weights(case, today), today)
    yield "  weight not known" if weight is None else f"  weight {weight}"
    dosing = view.protocol.dosing
    regime = dosing.regime(indication_key(case.enrolment.indication)) if dosing else None
    if regime is not None and regime.note:
        yield f"  {regime.note}"
    yield from (f"  {in_words(it)}" for it in case.personal if it.is_on(today))
    done = [panel.last_completed_on for panel in review.panels]
    last = min((day for day in done if day is not None), default=None)
    yield from (f"  {sentence}" for sentence in sentences(case, life, today, last))


def _gene(view: View, gene: str) -> list[str]:
    lines = known_gene(view, gene).lines() or [f"{gene.upper()} not known"]
    told = unavailable(view, gene)
    if told is not None:
        lines.append(f"{gene.upper()} not available here until {day_text(told[0])} ({told[1]})")
    return lines
