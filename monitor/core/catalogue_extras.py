"""Reading `[[ctcae]]`, `[checks]` and `[[drug_notes]]` of `analytes.toml`.

These tables lean on the analytes and drugs of the same text; their faults are told with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from monitor.core.calendar import Duration
from monitor.core.cross_checks import Checks
from monitor.core.grading import Grade, Term
from monitor.core.toml_reader import Report, Table, suggest

EXTRA_KEYS = ("ctcae", "checks", "drug_notes")
_TERM_KEYS = ("version", "analyte", "title", "either", "source", "grades")
_GRADE_KEYS = (
    "grade", "below", "above", "below_lln", "above_uln", "above_baseline", "from_baseline",
)  # fmt: skip
_CHECK_KEYS = (
    "parts", "whole", "parts_tolerance", "percentages", "percentages_low", "percentages_high",
    "jumps", "jump_tolerance", "source",
)  # fmt: skip
_NOTE_KEYS = ("class", "analytes", "compare", "say", "source")
_WORST_GRADE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugNote:
    """Drugs whose dose is named with every alert on these analytes."""

    drug_class: str
    analytes: tuple[str, ...]
    compare: Duration
    """How far back the dose is compared."""
    say: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What an `analytes.toml` says besides names and units."""

    terms: tuple[Term, ...] = ()
    checks: Checks = field(default_factory=Checks)
    drug_notes: tuple[DrugNote, ...] = ()

    @property
    def versions(self) -> tuple[str, ...]:
        """Of the CTCAE."""
        return tuple(dict.fromkeys(term.version for term in self.terms))


def read_extras(
    document: Mapping[str, Any],
    report: Report,
    analytes: Sequence[str],
    classes: Sequence[str],
) -> Extras:
    """Faults go into the report."""
    top = Table(
        report, (), {key: document[key] for key in EXTRA_KEYS if key in document}, EXTRA_KEYS
    )
    return Extras(
        terms=tuple(_term(it, analytes) for it in top.tables("ctcae", _TERM_KEYS)),
        checks=_checks(top, analytes) if "checks" in top else Checks(),
        drug_notes=tuple(
            _note(it, analytes, classes) for it in top.tables("drug_notes", _NOTE_KEYS)
        ),
    )


def _term(table: Table, analytes: Sequence[str]) -> Term:
    analyte = table.text("analyte")
    if analyte and analyte not in analytes:
        table.fault("analyte", "is no analyte of this file", suggest(analyte, analytes))
    return Term(
        version=table.text("version"),
        analyte=analyte,
        title=table.text("title"),
        either=table.flag("either"),
        source=table.text("source"),
        grades=tuple(_grades(table)),
    )


def _grades(table: Table) -> Iterator[Grade]:
    last = 0
    for it in table.tables("grades", _GRADE_KEYS):
        number = it.whole("grade", 1, _WORST_GRADE)
        if number <= last:
            it.fault("grade", "does not follow the one before it", "mildest first, each once")
        last = number
        if len(it.data) < 2:
            it.fault("grade", "says not what meets it", f"one of {', '.join(_GRADE_KEYS[1:])}")
        yield Grade(
            grade=number,
            below=it.number("below"),
            above=it.number("above", zero=True),
            below_lln=it.flag("below_lln"),
            above_uln=it.number("above_uln"),
            above_baseline=it.number("above_baseline"),
            from_baseline=it.number("from_baseline"),
        )


def _checks(top: Table, analytes: Sequence[str]) -> Checks:
    table = top.table("checks", _CHECK_KEYS)
    table.text("source")
    whole = table.text("whole")
    if whole and whole not in analytes:
        table.fault("whole", "is no analyte of this file", suggest(whole, analytes))
    jumps = [_plain(it) for it in table.data.get("jumps", []) if _is_number(it)]
    if len(jumps) != len(table.data.get("jumps", [])):
        table.fault("jumps", "holds what is no number", "numbers without quotes")
    return Checks(
        parts=table.texts("parts", analytes),
        whole=whole,
        parts_tolerance=table.percent("parts_tolerance") or Decimal(0),
        percentages=table.texts("percentages", analytes),
        percentages_low=table.number("percentages_low") or Decimal(0),
        percentages_high=table.number("percentages_high") or Decimal(0),
        jumps=tuple(jumps),
        jump_tolerance=table.percent("jump_tolerance") or Decimal(0),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _plain(value: Any) -> Decimal:
    return Decimal(value)


def _note(table: Table, analytes: Sequence[str], classes: Sequence[str]) -> DrugNote:
    table.text("source")
    drug_class = table.text("class")
    if drug_class and drug_class not in classes:
        table.fault("class", "is a class of no drug of this file", suggest(drug_class, classes))
    return DrugNote(
        drug_class=drug_class,
        analytes=table.texts("analytes", analytes),
        compare=table.duration("compare"),
        say=table.text("say"),
    )
