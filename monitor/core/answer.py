"""What the core answers about one enrolment at an instant: its life, where its panels stand, and
what the rules say. Derived, never stored as truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.core.case import Case
from monitor.core.ordered import Reaches
from monitor.core.recalled import Memory
from monitor.core.vocabulary import DIED, Because, EnrolmentState, Kind, PanelState, Urgency

if TYPE_CHECKING:
    from monitor.core.basis import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelStatus:
    """Where one panel of one enrolment stands on one day (specification, section 4)."""

    panel: str
    phase: str
    last_completed_on: date | None
    declared: bool
    due_on: date | None
    because: Because
    state: PanelState
    days_overdue: int
    urgency: Urgency
    repeat_days: int | None
    """Days between reminders while overdue."""
    under_recheck: bool = False
    """The latest result of one of its analytes asks for another, whatever gave the due day."""
    partial: tuple[tuple[date, tuple[str, ...]], ...] = ()
    """Days since the last completion with some results of the panel, and what they lacked."""
    in_time_until: date | None = None
    """The last day of grace: done by then, it was never late."""
    demanded_by: tuple[str, ...] = ()
    """What besides the schedule asks for it now, in words."""
    next_change_on: date | None = None
    """The first later day on which this status would differ without any new input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value as a rule saw it: canonical number, comparator and instant of collection."""

    value: Decimal
    comparator: str
    collected_at: datetime
    collected_on: date
    result_id: int
    derived: bool = field(default=False, repr=False)
    """Whether it follows from others and the laboratory reported no such number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the rules say of one enrolment at one instant: derived, never stored as truth.

    `cause` names what the alert is about: `overdue`, `rule:<id>`, `sample_unusable:<panel>`,
    `quarantined_result`. Of one `rule:` cause there is one finding an episode; `breaches`
    (instants of collection of the episode's breaching results) tell episodes apart.
    """

    enrolment_id: int
    cause: str
    kind: Kind
    urgency: Urgency
    summary: str
    source: str
    recovered: bool = False
    rule: str | None = None
    level: int = 0
    """1 is the rule's mildest level; 0 where nothing of the episode breaches for certain."""
    downward: bool = True
    """Lower is worse (`below`); False where higher is worse (`above`)."""
    analyte: str | None = None
    worst: Measured | None = None
    latest: Measured | None = None
    latest_breaches: bool = False
    """Of a recovered episode: the latest result is beyond a limit again, in an episode after it."""
    limit: Decimal | None = None
    limit_text: str = ""
    """The limit with its meaning: `0.5 10*9/L` or `5 x ULN 40 = 200 U/L (default ULN)`."""
    limits: tuple[Decimal, ...] = ()
    """Of every level of the rule, as far as known: a value is shown on the right side of each."""
    breaches: tuple[datetime, ...] = ()
    since: datetime | None = None
    """From when on what it tells is so, where that is not the instant of its last breach."""
    panels: tuple[PanelStatus, ...] = ()
    subjects: tuple[int, ...] = ()
    """Ids of the held rows or unusable results it lists; of tasks the due days, as ordinals."""
    action: str = ""
    say: tuple[str, ...] = ()
    """Further sentences: what the protocol adds, doubts, age of the result."""
    arithmetic: tuple[str, ...] = ()
    """How the answer was reached, line by line, for `explain`."""
    news: str = ""
    """What people are to hear of although an alert stands or was closed: a dose change under
    warfarin. Told again whenever it differs from what was told last."""
    repeat_days: int | None = None
    """Days between reminders while it stands, of what has no panels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A panel that something besides the schedule asks for by a day, without grace: an event,
    a drug. A judge names only what no completion has met yet."""

    panel: str
    due_on: date
    why: str
    """Why, for `explain` and the overdue alert: `fever on 3 May 2026`."""
    urgency: Urgency = Urgency.URGENT
    """Of its lateness, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """Something a judge looked at and kept quiet about, with the reason in words."""

    room: str
    """`interaction`, `task`, `target` ..."""
    subject: str
    why: tuple[str, ...]
    source: str = ""
    judged: bool = True
    """False where something was missing, so that quiet does not mean well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """A rule that lacked its limit or baseline for a result: said, never read as normal."""

    rule: str
    analyte: str
    collected_at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """A dose of the monitored drug in force from a day on."""

    on: date
    mg_per_day: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """A drug beside the monitored one, from a day on and until the day it was stopped."""

    drug: str
    """By the name protocols use, where the catalogue knows it."""
    written: str
    """As it was recorded."""
    start: date
    stop: date | None = None
    """The first day without it; None while it is taken."""
    enrolment_id: int | None = None
    """Of another monitored drug of the same patient its enrolment."""

    @property
    def enrolled(self) -> bool:
        return self.enrolment_id is not None

    def is_on(self, day: date) -> bool:
        return self.start <= day and (self.stop is None or day < self.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What the events make of an enrolment on one day."""

    state: EnrolmentState
    anchors: tuple[date, ...]
    """Start day, first dose and restarts up to today, ascending; never empty."""
    begun_on: tuple[date, ...]
    """First doses, dose increases and resumptions after a hold up to today, ascending, whatever
    of them starts the schedule again."""
    first_dose_on: date
    start_confirmed: bool
    """False while a planned start waits for its `start` event."""
    elsewhere_until: date | None = None
    """Until then another clinic monitors the patient, of whom a treatment that was stopped may
    still be watched."""
    watch_from: date
    stopped_on: date | None = None
    watch_until: date | None = None
    """End of the wash-out after a stop; None while the enrolment lasts."""
    ended_for_good: bool = False
    """Died or accepted elsewhere: nothing is due any more, not even a recheck."""
    ended_by: str = ""
    last_dose: Dose | None = None
    doses: tuple[Dose, ...] = ()
    next_change_on: date | None = None
    """Day of the next event to come, planned start, or end of a time elsewhere."""
    takings: tuple[Taking, ...] = ()
    """Every drug beside the monitored one, now or before, in the order they were begun."""
    comedication: tuple[str, ...] = ()
    """Those taken on this day, by the names protocols use."""

    @property
    def elsewhere(self) -> bool:
        return self.elsewhere_until is not None

    @property
    def died(self) -> bool:
        """Nobody is told of anything any more; undone by taking the event back."""
        return self.ended_by == DIED


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPanel:
    """A panel that several enrolments of one patient ask for."""

    panel: str
    due_on: date
    """The patient's: the stricter day."""
    set_by: str
    """The drug whose protocol set it."""
    told_by: str
    """The drug whose overdue alert tells of it; empty: this enrolment's own."""
    urgencies: tuple[Urgency, ...] = ()
    """Of those that are silent because this one tells."""
    serious: bool = False
    """One of them is seriously overdue."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the other enrolments of the patient mean for one."""

    panels: tuple[SharedPanel, ...] = ()
    tasks: frozenset[str] = frozenset()
    """Tasks that another enrolment asks for."""
    pairs: frozenset[int] = frozenset()
    """The patient's other enrolments that tell of their drug and this one together."""

    def panel(self, panel_id: str) -> SharedPanel | None:
        return next((it for it in self.panels if it.panel == panel_id), None)


NOTHING_SHARED = Shared()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The answer for one enrolment at one instant."""

    case: Case
    today: date
    life: Life
    panels: tuple[PanelStatus, ...]
    findings: tuple[Finding, ...]
    unjudged: tuple[Unjudged, ...]
    next_change_at: datetime | None
    """The earliest instant at which this answer can change by the passing of time alone."""
    shared: Shared = NOTHING_SHARED
    reaches: Reaches | None = None
    """What may be kept for an edit of the rules (`kept.py`); None: it is judged anew then."""
    memory: Memory | None = None
    """What may be kept instead of the results (`recalled.py`); None: they are read again."""
    basis: Basis | None = None
    """What may be kept for an edit of the schedule; None: it is judged anew then."""
    rest_changes_at: datetime | None = None
    """As `next_change_at`, of all that does not follow from the basis."""
