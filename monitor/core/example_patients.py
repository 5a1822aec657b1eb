"""Made-up patients in a protocol file, with what must be said of them: `[[examples]]` as frozen
values. `protocol_examples.py` reads them, `examples.py` has them judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monitor.core.vocabulary import Kind, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleResult:
    """A result of an example patient, as a laboratory would send it."""

    on: date
    analyte: str
    value: str
    unit: str
    """Empty: the analyte's canonical unit."""
    ref_high: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEvent:
    """An event of an example patient, with the words of the events CSV."""

    on: date
    event: str
    value: str = ""
    drug: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFinding:
    """What a judge must say besides the rules; what the example leaves out (None) may be
    anything."""

    cause: str
    kind: Kind | None = None
    urgency: Urgency | None = None
    recovered: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert:
    """A rule that must speak; what the example leaves out (None) may be anything."""

    rule: str
    action: Kind | None = None
    urgency: Urgency | None = None
    recovered: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A made-up patient in the file itself, with what must be said of them."""

    name: str
    started_on: date
    today: date
    enrolled_on: date | None = None
    """None: on the start day."""
    indication: str = ""
    dose_mg_per_day: Decimal | None = None
    weight_kg: Decimal | None = None
    tpmt: str = ""
    nudt15: str = ""
    birth_date: date | None = None
    completed: tuple[tuple[str, tuple[date, ...]], ...] = ()
    """(panel, days on which it was complete and unremarkable)."""
    results: tuple[ExampleResult, ...] = ()
    events: tuple[ExampleEvent, ...] = ()
    expect_panels: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """(panel, ((key, expected as text), ...)): due_on, state, phase, because, days_overdue."""
    expect_alerts: tuple[ExpectedAlert, ...] | None = None
    """The threshold rules that must speak; None where the example does not say."""
    expect_findings: tuple[ExpectedFinding, ...] | None = None
    """All that judges must say: baseline, dose, genotype, symptoms, interactions, tasks,
    targets, combinations; None where the example does not say."""
