"""An alert as the store keeps it, and what a review changes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from monitor.core.answer import Finding
from monitor.core.calendar import earliest
from monitor.core.vocabulary import AlertState, Kind, PanelState, Urgency


@dataclass(frozen=True, slots=True)
class Heard:
    """Who had a message about an alert since it was put to people, in small letters, and when the
    last; when it last climbed its ladder."""

    messages: tuple[tuple[str, datetime], ...] = ()
    climbed_at: datetime | None = None

    def by(self, address: str, since: datetime) -> bool:
        return any(it == address.lower() and at >= since for it, at in self.messages)


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
    done: tuple[tuple[str, date | None], ...] = ()
    """Of each panel it is about the latest completion it knew of."""
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
    merged_into: int | None = None
    """The alert it became one with, where it was closed for that."""
    came_apart: bool = False
    """It stands again: that alert is of another patient's number."""
    protocol_digest: str = ""
    news: str = ""
    limit_text: str = ""
    """The limit it shows, with its meaning."""
    content: str = ""
    """Digest of what the alert shows, so that an unchanged finding changes nothing."""
    asked_at: datetime | None = None
    """When it was last put to people: its ladder begins then. None: nobody was told."""
    rungs_told: int = 0
    """Rungs of that ladder that were told: what counts where nobody knows who `heard`."""
    heard: Heard | None = None
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
    """Counts what people did with it, and what became of it that they have to see first."""
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
    RESTATED = "says the same by a newer text"
    """Or beside other facts, such as a dose; no line of history says so."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    APART = "stands again"
    """It was merged into an alert of a number that is another patient's after all."""


_TO_BE_SEEN = frozenset({
    ChangeWhat.WORSE, ChangeWhat.RELAPSED, ChangeWhat.REOPENED, ChangeWhat.ACK_EXPIRED,
    ChangeWhat.SNOOZE_EXPIRED, ChangeWhat.APART,
})  # fmt: skip


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
    unasked: bool = False
    """It would be put to people and is muted: its ladder begins once it is told."""
    void: tuple[int, ...] = ()
    """Of one that is opened: alerts of the same breaches that the monitor had ended."""
    counts_anew: bool = False
    """An edit gave the level another number: what people know of it counts by that."""

    @property
    def is_to_be_seen(self) -> bool:
        """Whether whoever looked before it has not seen what they would answer: it is worse, it is
        open again, or what it said was corrected."""
        return self.what in _TO_BE_SEEN or (self.what is ChangeWhat.UPDATED and self.tell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to write for one enrolment: changes, and when to look again."""

    changes: tuple[Change, ...] = field(default=())
    findings_change_at: datetime | None = None
    alerts_change_at: datetime | None = None
    """When an alert is to be looked at although its finding is the same: a reminder, an
    acknowledgement that runs out, the next rung."""

    @property
    def next_review_at(self) -> datetime | None:
        return earliest(self.findings_change_at, self.alerts_change_at)
