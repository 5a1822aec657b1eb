"""What is said beside a finding of a rule, and changes nothing of it.

Doubts from other results, steroids and their dose, the grade of severity, a personal limit that
stands or could be set, whom the protocol is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.core import ages
from monitor.core.answer import Finding, Measured
from monitor.core.baselines import BaselineTerms, baseline_of
from monitor.core.case import Result, in_turn
from monitor.core.catalogue_extras import DrugNote
from monitor.core.cross_checks import doubts
from monitor.core.findings import day_text
from monitor.core.grading import Graded, grade, term_for
from monitor.core.personal import beside, offer
from monitor.core.protocol import Rule

if TYPE_CHECKING:
    from monitor.core.judges import View

_DOSE = re.compile(r"(\d+(?:[.,]\d+)?)\s*mg\b", re.IGNORECASE)


def with_remarks(finding: Finding, rule: Rule, view: View) -> Finding:
    """The finding with the sentences that belong to its worst result, and doubts of the latest."""
    result, latest = _result(finding.worst, finding, view), _result(finding.latest, finding, view)
    if result is None:
        return finding
    checks = view.catalogue.extras.checks
    analyte = view.catalogue.analytes[rule.analyte]
    said = [
        *doubts(result, view.results, checks, analyte.unit),
        *(doubts(latest, view.results, checks, analyte.unit) if latest else ()),
        *_grade(result, view),
        *_drugs(result, view),
        *beside(finding, rule, view),
        *offer(rule, view),
        *ages.remark(view),
    ]
    said = [line for line in dict.fromkeys(said) if line not in finding.say]
    reckoned = (*finding.arithmetic, *_no_grade(result, view))
    return replace(finding, say=(*finding.say, *said), arithmetic=reckoned)


def _result(measured: Measured | None, finding: Finding, view: View) -> Result | None:
    if measured is None or finding.analyte is None:
        return None
    return next(
        (
            result
            for result in view.results.of(finding.analyte)
            if (result.id, result.collected_at, result.value)
            == (measured.result_id, measured.collected_at, measured.value)
        ),
        None,
    )


# --- The grade of severity --------------------------------------------------------------


def _grade(result: Result, view: View) -> Iterator[str]:
    graded = grade_of(result, view)
    if graded is not None and graded.grade:
        yield f"{graded.name}: grade {graded.grade} ({graded.why})."


def _no_grade(result: Result, view: View) -> Iterator[str]:
    """For `explain` only: a missing reference limit asks nothing of who reads the alert."""
    graded = grade_of(result, view)
    if graded is not None and graded.grade is None:
        yield f"{graded.name}: grade could not be told, {graded.why}"


def grade_of(result: Result, view: View) -> Graded | None:
    """The grade of a result in the version the protocol pins; None where it pins none."""
    version = view.protocol.ctcae_version
    term = term_for(view.catalogue.extras.terms, version, result.analyte) if version else None
    if term is None:
        return None
    own = view.results.of(result.analyte)
    within = view.protocol.baseline.within
    terms = BaselineTerms(start=view.life.first_dose_on, within=within)
    unit = view.catalogue.analytes[result.analyte].unit
    return grade(term, result, baseline_of(own, terms, like=result), unit)


# --- Drugs whose dose belongs beside the value ------------------------------------------


def _drugs(result: Result, view: View) -> Iterator[str]:
    for note in view.catalogue.extras.drug_notes:
        if result.analyte in note.analytes:
            lines = list(_doses(note, result.collected_on, view))
            if lines:
                yield f"{'; '.join(lines)}: {note.say}."


def _doses(note: DrugNote, on: date, view: View) -> Iterator[str]:
    """Each drug of the class taken on the day or at its comparison, with both doses."""
    names = view.catalogue.drugs
    before = note.compare.before(on)
    drugs = {it.drug for it in view.life.takings if note.drug_class in names.classes_of(it.drug)}
    for drug in sorted(drugs):
        now, then = _dose(drug, on, view), _dose(drug, before, view)
        if now or then:
            yield (
                f"{drug.capitalize()} {now or 'none'} on {day_text(on)}, {note.compare} before "
                + ("the same" if now == then else then or "none")
            )


def _dose(drug: str, on: date, view: View) -> str:
    """`20 mg/day`, as recorded last; `dose not known` where no number came with it."""
    dose = ""
    for event in in_turn(view.case.events):
        if event.on > on or drug not in view.catalogue.drugs.find(event.value):
            continue
        if event.event == "comedication_start":
            amount = _DOSE.search(event.value)
            dose = f"{_plain(amount[1])} mg/day" if amount else "dose not known"
        elif event.event == "comedication_stop":
            dose = ""
    return dose


def _plain(text: str) -> str:
    return format(Decimal(text.replace(",", ".")).normalize(), "f")
