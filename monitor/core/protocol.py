"""What a protocol file in `schedules/` may say, as frozen values.

A protocol is data: panels, phases and ladders of rules with their sources. Reading the
text, and every complaint about it, is in `protocol_file.py`; nothing here has behaviour
beyond looking things up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from monitor.core.answer import PanelStatus
from monitor.core.calendar import Duration
from monitor.core.dosing_rules import Dosing
from monitor.core.example_patients import Example
from monitor.core.indications import ForSome
from monitor.core.protocol_care import Missed, Target, Task
from monitor.core.protocol_interactions import Interaction
from monitor.core.toxicity_rules import Combination, SymptomRule
from monitor.core.vocabulary import Kind, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How the lateness of a panel is told."""

    repeat: Duration
    escalate_after: Duration
    lead: Duration
    urgency: Urgency
    serious_urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Analytes that together count as one test."""

    id: str
    title: str
    on_demand: Lateness | None = None
    """Of a panel that no phase need ask for: due only when an event or a drug demands it."""
    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    no_rule: tuple[tuple[str, str], ...] = ()
    """Analytes of the panel that deliberately have no rule, each with the reason."""

    @property
    def analytes(self) -> tuple[str, ...]:
        return self.all_of + tuple(name for group in self.any_of for name in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelSchedule(Lateness):
    """How often a panel is due in one phase, and how its lateness is told."""

    panel: str
    every: Duration
    grace: Duration
    every_at_most: Duration | None = None
    """The longest interval that may be set for one patient; None: only a shorter one."""
    ask: str = ""
    """What is asked of the patient on the occasion of this test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of the schedule; `until` is the offset of its end from the anchor."""

    name: str
    until: Duration | None
    panels: tuple[PanelSchedule, ...]

    def schedule(self, panel: str) -> PanelSchedule | None:
        for entry in self.panels:
            if entry.panel == panel:
                return entry
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The last phase, where it asks for the panel and never ends: most tests are counted by it.
    Compared by identity, so that what follows from it can be remembered."""

    phase: Phase
    schedule: PanelSchedule
    begins: Duration
    """How long after the anchor."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What the phases ask of one panel, one after the other. Compared by identity, too."""

    steps: tuple[tuple[Phase, PanelSchedule | None], ...]
    settled: Settled | None
    early: int
    """Days at least from one due day to the next: half an interval, for a phase owes its last
    test."""
    late: int
    """The same where both lie in the settled phase."""


_AT_ONCE = Duration()


def _courses(panels: Sequence[Panel], phases: Sequence[Phase]) -> Iterator[tuple[str, Course]]:
    for panel in panels:
        steps = tuple((phase, phase.schedule(panel.id)) for phase in phases)
        intervals = [schedule.every.least_days for _, schedule in steps if schedule is not None]
        if intervals:
            settled, early = _settled(steps), min(intervals) // 2 + 1
            late = early if settled is None else max(early, settled.schedule.every.least_days)
            yield panel.id, Course(steps, settled, early, late)


def _settled(steps: Sequence[tuple[Phase, PanelSchedule | None]]) -> Settled | None:
    phase, schedule = steps[-1]
    if schedule is None or phase.until is not None:
        return None
    begins = steps[-2][0].until if len(steps) > 1 else None
    return Settled(phase, schedule, begins or _AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What must be known before the start, and how far back it may lie."""

    panels: tuple[str, ...]
    within: Duration
    genotypes: tuple[str, ...] = ()
    lead: Duration | None = None
    """How long before the first dose what is missing is asked for; None: from the enrolment."""
    urgency: Urgency = Urgency.URGENT
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a protocol says of a phenotype, and on whose word."""

    say: str = ""
    source: str = ""
    at_most: Decimal | None = None
    """The dose, in hundredths of the indication's usual start, above which it is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneAdvice:
    """What a protocol says of a phenotype that differs from gene to gene."""

    tpmt: str = ""
    nudt15: str = ""
    urgency: Urgency = Urgency.ROUTINE
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityTerms:
    """What a TPMT activity says in place of the genotype; limits in the analyte's unit."""

    counts: bool = False
    """A normal one before the start is as good as the genotype."""
    deficient_below: Decimal | None = None
    low_below: Decimal | None = None
    """Where the laboratory sent no lower reference limit."""
    after_transfusion: Duration | None = None
    """So long after a transfusion a normal activity proves nothing."""
    say: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genotypes:
    """What the phenotypes of TPMT and NUDT15 mean for the drug."""

    poor: Advice = Advice()
    intermediate: Advice = Advice()
    both_intermediate: Advice = Advice()
    indeterminate: GeneAdvice = GeneAdvice()
    activity: ActivityTerms = ActivityTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One step of a rule's ladder. Exactly one of the tests below is set; numbers are in
    the analyte's canonical unit, percentages as numbers (`30` for `"30 %"`)."""

    action: Kind
    urgency: Urgency
    below: Decimal | None = None
    above: Decimal | None = None
    above_times_uln: Decimal | None = None
    default_uln: Decimal | None = None
    rise_from_baseline: Decimal | None = None
    fall_from_baseline: Decimal | None = None
    within: Duration | None = None
    falls_in_a_row: int | None = None
    each: Decimal | None = None
    only_below: Decimal | None = None
    rise_from_lowest: Decimal | None = None
    """Beside `above`: only so many percent above the lowest since the start."""
    not_fallen_by: Decimal | None = None
    """Beside `above_times_uln`: only while not so many percent below the baseline, `after` a
    time since the start and `until` another."""
    after: Duration | None = None
    until: Duration | None = None
    recheck: Duration | None = None
    say: str = ""

    @property
    def looks_at_course(self) -> bool:
        return self.rise_from_lowest is not None or self.not_fallen_by is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A ladder of levels on one analyte, mildest first."""

    id: str
    analyte: str
    source: str
    levels: tuple[Level, ...]
    opportunistic: bool = False
    confirm: int = 1
    again_after: Duration | None = None
    indications: tuple[str, ...] = ()
    """Only for these indications; empty: for all."""
    except_indications: tuple[str, ...] = ()
    floor: Decimal | None = None
    """How far a personal limit may go, in the terms of the levels' own test; None: a personal
    limit may only be stricter."""
    note: str = ""
    muted_by: tuple[str, ...] = ()
    """Rules that speak for this one while they ask to stop or hold the drug."""

    is_trend: bool = field(init=False, repr=False, compare=False)
    asks_to_recheck: bool = field(init=False, repr=False, compare=False)
    asks_for_uln: bool = field(init=False, repr=False, compare=False)
    asks_for_baseline: bool = field(init=False, repr=False, compare=False)
    downward: bool = field(init=False, repr=False, compare=False)
    """Lower is worse."""

    def __post_init__(self) -> None:
        levels = self.levels
        follows = {
            "asks_to_recheck": any(it.recheck is not None for it in levels),
            "is_trend": any(it.falls_in_a_row is not None for it in levels),
            "asks_for_uln": any(it.above_times_uln is not None for it in levels),
            "asks_for_baseline": any(
                (it.rise_from_baseline, it.fall_from_baseline) != (None, None) for it in levels
            ),
            "downward": any(
                (it.below, it.falls_in_a_row, it.fall_from_baseline) != (None,) * 3
                for it in levels[:1]
            ),
        }
        for name, value in follows.items():  # asked of each patient
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Whom a protocol is for, in completed years."""

    first: int | None = None
    below: int | None = None
    risk_from: int | None = None
    """From this age on side effects are commoner: shown, and never an alert."""

    def __str__(self) -> str:
        if self.first is None:
            return f"those below {self.below} years"
        if self.below is None:
            return f"those of {self.first} years and over"
        return f"those of {self.first} to {self.below - 1} years"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One validated file, with the digest of its text."""

    id: str
    title: str
    drugs: tuple[str, ...]
    default: bool
    version: str
    source: str
    status: str
    restart_on: tuple[str, ...]
    wash_out: Duration
    watch_from: Duration
    episode_gap: Duration
    panels: tuple[Panel, ...]
    baseline: Baseline
    phases: tuple[Phase, ...]
    rules: tuple[Rule, ...]
    digest: str
    examples: tuple[Example, ...] = ()
    allow_ending: str = ""
    note: str = ""
    symptoms: tuple[SymptomRule, ...] = ()
    ages: Ages | None = None
    ctcae_version: str = ""
    """The version of the CTCAE whose grades are shown; empty: none are."""
    combinations: tuple[Combination, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    genotypes: Genotypes = Genotypes()
    dosing: Dosing | None = None
    tasks: tuple[Task, ...] = ()
    targets: tuple[Target, ...] = ()
    missed: Missed | None = None

    scheduled: Mapping[str, Course] = field(init=False, repr=False, compare=False)
    """The panels that a phase asks for; others are due on demand alone."""

    def __post_init__(self) -> None:
        courses = dict(_courses(self.panels, self.phases))
        object.__setattr__(self, "scheduled", courses)  # asked of each patient

    @property
    def genes(self) -> tuple[str, ...]:
        """The genes whose phenotype decides on the drug."""
        return self.baseline.genotypes

    def asked_with(self, status: PanelStatus) -> str:
        """What is asked of the patient on the occasion of a panel in its phase."""
        entries = (it.schedule(status.panel) for it in self.phases if it.name == status.phase)
        return next((entry.ask for entry in entries if entry is not None), "")

    def panel(self, panel_id: str) -> Panel:
        return next(panel for panel in self.panels if panel.id == panel_id)

    @property
    def symptom_words(self) -> frozenset[str]:
        """Every symptom that a rule of this file, or its dosing, names."""
        words = {word for rule in self.symptoms for group in rule.groups for word in group}
        if self.dosing is not None and self.dosing.renal is not None:
            words.add(self.dosing.renal.symptom)
        return frozenset(words)

    @property
    def indications(self) -> frozenset[str]:
        """Every indication that some part of the file names."""
        parts: tuple[ForSome, ...] = (*self.rules, *self.interactions, *self.tasks, *self.targets)
        named = {name for it in parts for name in (*it.indications, *it.except_indications)}
        doses = () if self.dosing is None else self.dosing.indications
        return frozenset(named | {name for name, _ in doses})

    def panels_with(self, analyte: str) -> tuple[Panel, ...]:
        return tuple(panel for panel in self.panels if analyte in panel.analytes)

    def lateness(self, panel_id: str, phase: str) -> Lateness | None:
        """How the lateness of a panel is told in a phase, else on demand."""
        for it in self.phases:
            schedule = it.schedule(panel_id)
            if it.name == phase and schedule is not None:
                return schedule
        return self.panel(panel_id).on_demand
