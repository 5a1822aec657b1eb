"""Grades of severity (NCI CTCAE) as records: an option that a protocol pins to one version.

A grade is shown beside what the rules say, and changes nothing of it. Decreased terms: below a
number or the lower reference limit; increased terms: above so many times the upper reference
limit where the baseline was normal, the baseline where it was not. A grade whose reference limit
is missing is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitor.core.case import Result
from monitor.core.threshold import Breach, above, below


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What meets one grade; which of these apply depends on the term."""

    grade: int
    below: Decimal | None = None
    """Canonical unit of the analyte."""
    above: Decimal | None = None
    below_lln: bool = False
    above_uln: Decimal | None = None
    """Times the upper reference limit."""
    above_baseline: Decimal | None = None
    """Times the baseline."""
    from_baseline: Decimal | None = None
    """Times the baseline, which itself is met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of one version of the CTCAE, for one analyte."""

    version: str
    analyte: str
    title: str
    grades: tuple[Grade, ...]
    """Mildest first."""
    either: bool = False
    """Multiples of the limit and of the baseline both count, whatever the baseline was."""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grade given, or why none could be."""

    term: Term
    grade: int | None
    """0: none is met; None: it could not be told."""
    why: str = ""

    @property
    def name(self) -> str:
        """`CTCAE v5.0, neutrophil count decreased`."""
        return f"CTCAE v{self.term.version}, {self.term.title}"


def term_for(terms: Sequence[Term], version: str, analyte: str) -> Term | None:
    """The term of a version that grades this analyte."""
    return next((it for it in terms if (it.version, it.analyte) == (version, analyte)), None)


def grade(term: Term, result: Result, baseline: Decimal | None, unit: str) -> Graded:
    """The highest grade that a result meets for certain; the CTCAE compares strictly but for
    `from_baseline`, and never rounds here."""
    assert result.value is not None
    met, missing = 0, ""
    for step in term.grades:
        verdict, why = _meets(step, term, result, baseline, unit)
        if verdict:
            met, missing = step.grade, ""
            reason = why
        elif verdict is None and not met:
            missing = why
    if met:
        return Graded(term=term, grade=met, why=reason)
    if missing:
        return Graded(term=term, grade=None, why=missing)
    return Graded(term=term, grade=0)


def _meets(
    step: Grade, term: Term, result: Result, baseline: Decimal | None, unit: str
) -> tuple[bool | None, str]:
    """Whether it is met, and by what; None where a reference limit is missing."""
    if step.below is not None:
        return _is_below(result, step.below), f"below {step.below:f} {unit}"
    if step.above is not None:
        return _is_above(result, step.above), f"above {step.above:f} {unit}"
    if step.below_lln:
        if result.ref_low is None or result.ref_low <= 0:
            return None, "no lower reference limit came with it"
        return _is_below(result, result.ref_low), f"below the lower limit {result.ref_low:f} {unit}"
    return _meets_multiple(step, term, result, baseline, unit)


def _meets_multiple(
    step: Grade, term: Term, result: Result, baseline: Decimal | None, unit: str
) -> tuple[bool | None, str]:
    uln, multiple = result.usable_uln, step.above_baseline or step.from_baseline
    by_limit, by_baseline = True, term.either
    raised = uln is not None and baseline is not None and baseline > uln
    if raised and multiple is not None and not term.either:
        by_limit, by_baseline = False, True
    found: tuple[bool | None, str] = (None, "no upper reference limit came with it")
    if by_limit and step.above_uln is not None and uln is not None:
        limit = step.above_uln * uln
        words = f"above {step.above_uln:f} x ULN {uln:f} = {limit:f} {unit}"
        found = _is_above(result, limit), words
    if not found[0] and by_baseline and baseline is not None and multiple is not None:
        limit = multiple * baseline
        at_least = step.from_baseline is not None
        met = _is_above(result, limit) or (at_least and _equals(result, limit))
        words = f"{'at least' if at_least else 'above'} {multiple:f} x baseline {baseline:f}"
        found = met, f"{words} = {limit:f} {unit}"
    return found


def _is_below(result: Result, limit: Decimal) -> bool:
    assert result.value is not None
    return below(result.value, result.comparator, limit) is Breach.CERTAIN


def _is_above(result: Result, limit: Decimal) -> bool:
    assert result.value is not None
    return above(result.value, result.comparator, limit) is Breach.CERTAIN


def _equals(result: Result, limit: Decimal) -> bool:
    return result.value == limit and not result.comparator.startswith("<")
