"""What speaks of an enrolment besides the rules on single analytes, each in a room of its own.

A judge looks at a `View` and says what it demands (a panel due by a day), what it finds, and
on which days its answer changes by the passing of time alone. Judges are pure; their numbers
come from the protocol. To add one, write its module and name it in `JUDGES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from monitor.core import (
    absences,
    ages,
    before_start,
    combinations,
    dose_conditions,
    dosing,
    interactions,
    missed,
    personal,
    personal_left,
    symptoms,
    targets,
    tasks,
)
from monitor.core.answer import (
    NOTHING_SHARED,
    Considered,
    Demand,
    Finding,
    Life,
    PanelStatus,
    Shared,
)
from monitor.core.basis import Basis, basis_of
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.findings import with_inr
from monitor.core.ordered import Results
from monitor.core.panels import Completions
from monitor.core.protocol import Phase, Protocol
from monitor.core.verdicts import Verdicts

T = TypeVar("T")
_PHASES = "phases"
"""Noted among what is `known` where a judge asked for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One enrolment on one day, as a judge sees it."""

    case: Case
    life: Life
    results: Results
    """Those that stand, with derived counts."""
    done: Mapping[str, Completions]
    """The completions of each panel."""
    protocol: Protocol
    catalogue: Catalogue
    today: date
    zone: ZoneInfo
    series: Verdicts
    """What each rule on an analyte makes of the watched results, by its id."""
    panels: Sequence[PanelStatus] = ()
    """Empty while demands are asked for: they decide it."""
    shared: Shared = NOTHING_SHARED
    rule_findings: Sequence[Finding] = ()
    """What the rules on analytes say; empty while demands are asked for."""
    known: dict[object, Any] = field(default_factory=dict)
    """What several judges ask of events and results, reckoned once (`once`)."""

    def once(self, what: object, reckon: Callable[[], T]) -> T:
        """What follows from the case alone on this day, and is asked for again and again."""
        if what not in self.known:
            self.known[what] = reckon()
        found: T = self.known[what]
        return found

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Those of the protocol, for a judge. Whatever it makes of them may be another thing
        after an edit of the schedule: nothing is kept of this answer for one. (Due days and missed
        tests are reckoned anew then, from the `basis`.)"""
        self.known[_PHASES] = True
        return self.protocol.phases

    @property
    def asked_for_phases(self) -> bool:
        return _PHASES in self.known

    @property
    def basis(self) -> Basis:
        """What due days and missed tests are counted from."""
        return self.once(
            "basis",
            lambda: basis_of(
                self.case.enrolment,
                self.case.events,
                self.life,
                self.protocol,
                self.done,
                self.today,
            ),
        )

    def is_done_since(self, panel: str, day: date) -> bool:
        """Whether the panel was completed on or after a day."""
        last = self.done[panel].last
        return last is not None and last >= day


def _nothing(view: View) -> Iterable[Finding]:
    return ()


def _no_demand(view: View) -> Iterable[Demand]:
    return ()


def _no_panel(view: View) -> Iterable[str]:
    return ()


def _not_considered(view: View) -> Iterable[Considered]:
    return ()


def _no_day(view: View) -> Iterable[date]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Questions to one room of the core; what it leaves out is answered by nothing."""

    findings: Callable[[View], Iterable[Finding]] = _nothing
    demands: Callable[[View], Iterable[Demand]] = _no_demand
    wakes: Callable[[View], Iterable[date]] = _no_day
    """Later days on which its findings or demands change without any new input."""
    panels: Callable[[View], Iterable[str]] = _no_panel
    """Panels on demand that concern this patient, due or not: each has its status."""
    considered: Callable[[View], Iterable[Considered]] = _not_considered
    """What it looked at that did not speak, and why, for `explain`."""
    by_schedule: bool = False
    """All of it follows from the protocol and the `basis`: it is asked again after an edit of the
    schedule, of which it may say something else (`by_schedule.py`)."""


JUDGES: tuple[Judge, ...] = (
    Judge(wakes=absences.wakes, considered=absences.considered),
    Judge(
        findings=before_start.findings,
        wakes=before_start.wakes,
        considered=before_start.considered,
    ),
    Judge(findings=dosing.findings, wakes=dosing.wakes, considered=dosing.considered),
    Judge(
        findings=dose_conditions.findings,
        demands=dose_conditions.demands,
        wakes=dose_conditions.wakes,
        panels=dose_conditions.panels,
        considered=dose_conditions.considered,
    ),
    Judge(findings=combinations.findings, considered=combinations.considered),
    Judge(findings=symptoms.findings, demands=symptoms.demands, considered=symptoms.considered),
    Judge(findings=personal.findings, wakes=personal.wakes, considered=personal.considered),
    Judge(findings=personal_left.findings),
    Judge(findings=ages.findings, wakes=ages.wakes, considered=ages.considered),
    Judge(
        findings=interactions.findings,
        demands=interactions.demands,
        panels=interactions.panels,
        considered=interactions.considered,
    ),
    Judge(
        findings=missed.findings,
        wakes=missed.wakes,
        considered=missed.considered,
        by_schedule=True,
    ),
    Judge(findings=targets.findings, wakes=targets.wakes, considered=targets.considered),
    Judge(findings=tasks.findings, wakes=tasks.wakes, considered=tasks.considered),
)


def demands(view: View) -> list[Demand]:
    """What every judge demands, in their order."""
    return [demand for judge in JUDGES for demand in judge.demands(view)]


def findings(view: View) -> list[Finding]:
    """What every judge finds, in their order."""
    return [
        with_inr(finding, view.life, view.catalogue)
        for judge in JUDGES
        for finding in judge.findings(view)
    ]


def panels(view: View) -> frozenset[str]:
    """The panels on demand that concern the patient."""
    return frozenset(panel for judge in JUDGES for panel in judge.panels(view))


def considered(view: View) -> list[Considered]:
    """What every judge kept quiet about, in their order."""
    return [it for judge in JUDGES for it in judge.considered(view)]


def demand_wakes(view: View) -> list[date]:
    """The days to come on which what is demanded of a panel changes."""
    return [
        day
        for judge in JUDGES
        if judge.demands is not _no_demand or judge.panels is not _no_panel
        for day in judge.wakes(view)
        if day > view.today
    ]


def wakes(view: View, *, by_schedule: bool) -> list[date]:
    """The days to come on which an answer changes: of those that a schedule alone decides, or of
    the others."""
    return [
        day
        for judge in JUDGES
        if judge.by_schedule is by_schedule
        for day in judge.wakes(view)
        if day > view.today
    ]
