"""The tables of alerts and what people did with them, without behaviour."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import ExactDecimal, UtcInstant


class AlertRow(Table, table=True):
    """The durable thing a person must deal with; `shown` is the evidence it was judged by."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_enrolment", "enrolment_id", "state"),
        Index("ix_alerts_state", "state"),
        Index(
            "ix_alerts_worklist",
            "enrolment_id",
            "urgency",
            "opened_at",
            "kind",
            "state",
            "recovered",
            "snoozed_until",
            "outcome_missed",
            "acknowledged_by",
            "assigned_to",
            sqlite_where=text("state != 'closed'"),
            postgresql_where=text("state != 'closed'"),
        ),
    )
    """The last index holds all that the worklist is ordered by: it is small, and the evidence
    beside it, which is large, stays unread."""
    id: int | None = Field(default=None, primary_key=True)
    enrolment_id: int = Field(foreign_key="enrolments.id")
    cause: str
    kind: str
    rule: str | None = None
    urgency: str
    state: str
    recovered: bool = False
    opened_at: datetime = Field(sa_type=UtcInstant)
    summary: str
    level: int = 0
    downward: bool = True
    worst_value: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    breaches: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    subjects: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    shown: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    content: str = ""
    told_level: int | None = None
    told_value: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    last_told_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    first_seen_recovered: bool = False
    asked_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When it was last put to people: its ladder of tiers begins then."""
    rungs_told: int = 0
    version: int = 0
    """Counts what people did with it, so that nobody overwrites what they have not seen."""
    assigned_to: str = ""
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    outcome_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    outcome_missed: bool = False
    no_answers: int = 0
    contact_outcome: str = ""
    acknowledged_until: date | None = None
    acknowledged_by: str | None = None
    snoozed_until: date | None = None
    snoozed_by: str | None = None
    snooze_reason: str | None = None
    review_by: date | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    closed_by: str | None = None
    closed_recovered: bool = False
    outcome: str | None = None
    protocol_digest: str
    messages_made: int | None = None
    """How many messages were made that bear it, but for digests, copies and those that were passed
    on; None where it was opened by a program that did not count them."""
    home_id: int | None = Field(default=None, foreign_key="enrolments.id")
    """The enrolment it was opened for, where that was merged into another; None:
    `enrolment_id`."""


class AlertHistory(Table, table=True):
    """Append-only: what happened to an alert, when, by whom, why."""

    __tablename__ = "alert_history"
    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alerts.id", index=True)
    at: datetime = Field(sa_type=UtcInstant)
    what: str
    by: str = ""
    note: str = ""
    code: str = ""
    """The coded outcome of a contact attempt or a closing, where there is one."""
    version: int = 0
    """The alert's version that a person's act made; 0 of what nobody did by hand."""
