"""The nouns of `docs/glossary.md` as plain values.

Everything that enters or leaves the core is one of these. Instants are aware datetimes in
UTC, days are calendar dates in the clinic's time zone, quantities are exact decimals in the
analyte's canonical unit (`schedules/analytes.toml`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from monitor.core.personal_terms import Personal


class Status(StrEnum):
    """What the laboratory says of a result; HL7 and FHIR words are mapped onto these."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Urgency(StrEnum):
    ROUTINE = "routine"
    URGENT = "urgent"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _URGENCIES.index(self)


_URGENCIES = (Urgency.ROUTINE, Urgency.URGENT, Urgency.CRITICAL)


def worst_urgency(*urgencies: Urgency) -> Urgency:
    return max(urgencies, key=lambda urgency: urgency.rank)


class Kind(StrEnum):
    """What an alert asks for."""

    OVERDUE_TEST = "overdue_test"
    REVIEW = "review"
    WITHHOLD = "withhold"
    DOSE_REDUCTION = "dose_reduction"
    DISCONTINUE = "discontinue"
    QUARANTINED_RESULT = "quarantined_result"
    SAMPLE_UNUSABLE = "sample_unusable"
    BASELINE_MISSING = "baseline_missing"
    CONTRAINDICATED = "contraindicated"
    INTERACTION = "interaction"
    DOSE_CHECK = "dose_check"
    TARGET = "target"
    TASK_DUE = "task_due"


class Metaboliser(StrEnum):
    """The phenotype of TPMT or NUDT15, as the enrolment file and events name it."""

    NORMAL = "normal"
    INTERMEDIATE = "intermediate"
    POOR = "poor"
    INDETERMINATE = "indeterminate"


SELF_CLOSING = frozenset({
    Kind.OVERDUE_TEST, Kind.QUARANTINED_RESULT, Kind.SAMPLE_UNUSABLE, Kind.BASELINE_MISSING,
    Kind.DOSE_CHECK, Kind.TARGET, Kind.TASK_DUE,
})  # fmt: skip
"""Alerts that close themselves when their cause ends, and that no person closes before. All
others never close by themselves: a person does, with the outcome (specification, section 7)."""


ENDED_BY_CLOSING = (
    "symptom:", "vaccine:", "pregnancy:", "breastfeeding:", "personal_ended:",
)  # fmt: skip
"""How the causes of alerts about an event begin: an event does not go on and does not recover,
so a person who closes its alert has ended it (specification, section 7)."""


DIED = "died"
"""The event, and how an enrolment and its alerts ended by it."""


class EnrolmentState(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    HELD = "held"
    ELSEWHERE = "elsewhere"
    STOPPED = "stopped"


class PanelState(StrEnum):
    UP_TO_DATE = "up_to_date"
    DUE = "due"
    OVERDUE = "overdue"
    SERIOUSLY_OVERDUE = "seriously_overdue"
    ENDED = "ended"


class Because(StrEnum):
    """Why a panel is due on its due day."""

    SCHEDULE = "schedule"
    RECHECK = "recheck"
    EVENT = "event"


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One patient on one monitored drug under one protocol, from a start day."""

    id: int
    patient_id: int
    mrn: str
    drug: str
    protocol_id: str
    started_on: date
    enrolled_on: date
    indication: str = ""
    clinic: str = ""
    dose_mg_per_day: Decimal | None = None
    last_tested_on: date | None = None
    weight_kg: Decimal | None = None
    tpmt: str = ""
    nudt15: str = ""
    sex: str = ""
    birth_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on a day: a dose, a hold, a stop. `id` is the order of receipt."""

    id: int
    on: date
    event: str
    value: str = ""
    drug: str = ""
    note: str = ""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One analyte value of one specimen, as it stands after corrections.

    `value` is None where the laboratory gave no result (`no_result` holds its words).
    `timed` is False where only the day of collection is known. `derived` holds the
    arithmetic of a value that no laboratory reported (white cells x percent).
    """

    id: int
    analyte: str
    collected_at: datetime
    collected_on: date
    value: Decimal | None
    comparator: str = ""
    status: Status = Status.FINAL
    specimen_id: str = ""
    timed: bool = True
    received_value: str = ""
    received_unit: str = ""
    ref_low: Decimal | None = None
    ref_high: Decimal | None = None
    comment: str = ""
    no_result: str = ""
    source: str = ""
    received_at: datetime
    derived: str = ""
    below_plausible: bool = False
    doubtful_comment: str = ""
    method: str = ""
    """How it was measured, as the laboratory names it; empty: not known."""

    @property
    def value_is_known(self) -> bool:
        """There is a value, preliminary ones too."""
        return self.value is not None

    @property
    def is_valid(self) -> bool:
        """Counts towards a panel: final or corrected, with a value (numeric or censored)."""
        return self.value is not None and self.status is not Status.PRELIMINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """A quarantined row whose analyte is known and watched for an enrolled patient."""

    id: int
    analyte: str
    collected_on: date | None
    received_value: str
    received_unit: str
    reason: str
    held_at: datetime
    possible_values: tuple[Decimal, ...] = ()
    """The raw number in every unit its source uses, canonical; empty where it is no number."""


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
    limit: Decimal | None = None
    limit_text: str = ""
    """The limit with its meaning: `0.5 10*9/L` or `5 x ULN 40 = 200 U/L (default ULN)`."""
    breaches: tuple[datetime, ...] = ()
    panels: tuple[PanelStatus, ...] = ()
    subjects: tuple[int, ...] = ()
    """Ids of the held rows or unusable results it lists."""
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
    enrolled: bool = False
    """Another monitored drug of the same patient."""

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
    def died(self) -> bool:
        """Nobody is told of anything any more; undone by taking the event back."""
        return self.ended_by == DIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All the core needs to judge one enrolment; results are those that stand, any order."""

    enrolment: Enrolment
    results: tuple[Result, ...] = ()
    events: tuple[Event, ...] = ()
    held: tuple[HeldRow, ...] = ()
    personal: tuple[Personal, ...] = ()
    siblings: tuple[Case, ...] = ()
    """The patient's other enrolments, themselves without siblings."""


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
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the other enrolments of the patient mean for one."""

    panels: tuple[SharedPanel, ...] = ()
    tasks: frozenset[str] = frozenset()
    """Tasks that another enrolment asks for."""
    pairs: frozenset[str] = frozenset()
    """Monitored drugs beside this one whose own enrolment tells of the two together."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The durable thing a person must deal with, as the store keeps it."""

    id: int
    enrolment_id: int
    cause: str
    kind: Kind
    urgency: Urgency
    state: AlertState
    recovered: bool
    opened_at: datetime
    summary: str
    level: int = 0
    breaches: tuple[datetime, ...] = ()
    panels: tuple[tuple[str, PanelState], ...] = ()
    subjects: tuple[int, ...] = ()
    worst_value: Decimal | None = None
    downward: bool = True
    told_level: int | None = None
    told_value: Decimal | None = None
    last_told_at: datetime | None = None
    first_seen_recovered: bool = False
    acknowledged_until: date | None = None
    snoozed_until: date | None = None
    review_by: date | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    """The person who closed it; None where the monitor did (or it is not closed)."""
    closed_recovered: bool = False
    protocol_digest: str = ""
    news: str = ""
    content: str = ""
    """Digest of what the alert shows, so that an unchanged finding changes nothing."""
    asked_at: datetime | None = None
    """When it was last put to people: its ladder begins then. None: nobody was told."""
    rungs_told: int = 0
    """Rungs of that ladder that were told."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    outcome_at: datetime | None = None
    """When an outcome was recorded since it was put to people."""
    outcome_missed: bool = False
    """It was acknowledged, and no outcome came in time."""
    no_answers: int = 0
    """Contact attempts without an answer, in a row."""
    contact_outcome: str = ""
    """The code of the last contact attempt since it was put to people."""
    assigned_to: str = ""
    version: int = 0
    """Counts what people did with it."""
    mrn: str = ""
    """The patient's number as it shows; "" where it shows nothing yet."""


class ChangeWhat(StrEnum):
    OPENED = "opened"
    UPDATED = "updated"
    WORSE = "worse"
    REMINDED = "reminded"
    RECOVERED = "recovered"
    RELAPSED = "relapsed"
    REOPENED = "reopened"
    ACK_EXPIRED = "acknowledgement expired"
    SNOOZE_EXPIRED = "snooze expired"
    ESCALATED = "escalated"
    OUTCOME_MISSING = "outcome missing"
    UNMUTED = "no longer muted"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step from the alerts that stand to what the findings say, with its reason.

    `tell` says whether people hear of it now (urgent and critical as a message, routine in
    the digest anyway). `finding` is None where the cause is gone; `alert` where it is new.
    """

    what: ChangeWhat
    reason: str
    tell: bool
    finding: Finding | None = None
    alert: Alert | None = None
    into: int | None = None
    """For `merged`: the id of the older alert that stands."""
    first_seen_recovered: bool = False
    urgency: Urgency = Urgency.ROUTINE
    to: tuple[str, ...] = ()
    """Whom it is told to, where it is told."""
    asked_at: datetime | None = None
    """The beginning of the alert's ladder from now on; None leaves what is."""
    climbed: int = 0
    """With `asked_at`: rungs of that ladder told by now."""
    outcome_missed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to write for one enrolment: changes, and when to look again."""

    changes: tuple[Change, ...] = field(default=())
    next_review_at: datetime | None = None
