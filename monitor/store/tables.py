"""The tables, without behaviour. Instants are UTC; days are clinic days; quantities are
exact decimals in canonical units. Results and the histories are only ever added to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Column, Index, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.store.types import ExactDecimal, UtcInstant


class Fact(SQLModel, table=True):
    """Small facts about the database itself: `brought_to` (the latest instant acted on),
    `installation` (what tells it from every other)."""

    __tablename__ = "facts"
    name: str = Field(primary_key=True)
    value: str


class ProtocolText(SQLModel, table=True):
    """Every text of a protocol (and of the analyte catalogue, id `analytes`) that was ever
    in force; the newest row of an id is the one in force now."""

    __tablename__ = "protocol_texts"
    id: int | None = Field(default=None, primary_key=True)
    protocol_id: str = Field(index=True)
    digest: str
    text: str
    applied_at: datetime = Field(sa_type=UtcInstant)
    applied_by: str
    reason: str


class File(SQLModel, table=True):
    """One file that was taken in, with the account of its rows."""

    __tablename__ = "files"
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """results, enrol or events."""
    name: str
    """Base name only."""
    sha256: str = Field(index=True)
    source: str
    received_at: datetime = Field(sa_type=UtcInstant)
    rows: int
    stored: int
    duplicate: int
    superseded: int
    withdrawn: int
    quarantined: int
    ignored: int
    other_messages: int = 0


class Patient(SQLModel, table=True):
    """One person. `mrn_key` is how MRNs are compared; `mrn_loose` only raises suspicion."""

    __tablename__ = "patients"
    id: int | None = Field(default=None, primary_key=True)
    mrn: str
    mrn_key: str = Field(unique=True)
    mrn_loose: str = Field(index=True)
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None
    sex: str = ""


class EnrolmentRow(SQLModel, table=True):
    """One patient on one drug from a start day; wakes when `next_review_at` has come."""

    __tablename__ = "enrolments"
    __table_args__ = (Index("ix_enrolments_wake", "next_review_at"),)
    id: int | None = Field(default=None, primary_key=True)
    patient_id: int = Field(foreign_key="patients.id", index=True)
    drug: str
    protocol_id: str = Field(index=True)
    indication: str = ""
    clinic: str = ""
    started_on: date
    enrolled_on: date
    enrolled_at: datetime = Field(sa_type=UtcInstant)
    dose_mg_per_day: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    weight_kg: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    tpmt: str = ""
    nudt15: str = ""
    last_tested_on: date | None = None
    next_review_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class EventRow(SQLModel, table=True):
    """Something that happened to a patient on a day. Entered-in-error keeps the row."""

    __tablename__ = "events"
    id: int | None = Field(default=None, primary_key=True)
    patient_id: int = Field(foreign_key="patients.id", index=True)
    enrolment_id: int | None = Field(default=None, foreign_key="enrolments.id")
    """None where the event means the patient, not one enrolment."""
    on: date
    event: str
    value: str = ""
    drug: str = ""
    note: str = ""
    received_at: datetime = Field(sa_type=UtcInstant)
    file_id: int = Field(foreign_key="files.id")
    line: int
    withdrawn: bool = False


class ResultRow(SQLModel, table=True):
    """One reported value. `stands` is False for what a later report superseded."""

    __tablename__ = "results"
    __table_args__ = (Index("ix_results_key", "patient_id", "analyte", "collected_on"),)
    id: int | None = Field(default=None, primary_key=True)
    patient_id: int = Field(foreign_key="patients.id")
    analyte: str
    collected_at: datetime = Field(sa_type=UtcInstant)
    collected_on: date
    timed: bool
    specimen_id: str = ""
    value: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    comparator: str = ""
    no_result: str = ""
    status: str
    stands: bool
    received_value: str
    received_unit: str = ""
    ref_low: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    ref_high: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    reported_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    received_at: datetime = Field(sa_type=UtcInstant)
    comment: str = ""
    below_plausible: bool = False
    doubtful_comment: str = ""
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int


class HeldRowTable(SQLModel, table=True):
    """A row that cannot be trusted, with its raw fields, the reason and the nearest right
    thing. `state`: held, taken (went in later) or discarded."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("ix_quarantine_mrn", "mrn_key", "state"),)
    id: int | None = Field(default=None, primary_key=True)
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int
    source: str
    raw: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    raw_digest: str = Field(index=True)
    reason_code: str = Field(index=True)
    reason: str
    hint: str = ""
    mrn_key: str = ""
    patient_id: int | None = Field(default=None, foreign_key="patients.id", index=True)
    analyte: str = ""
    collected_on: date | None = None
    possible_values: str = ""
    """Canonical decimals the raw number may mean, separated by spaces."""
    held_at: datetime = Field(sa_type=UtcInstant)
    state: str = "held"
    resolved_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    resolved_by: str = ""
    resolution: str = ""


class AlertRow(SQLModel, table=True):
    """The durable thing a person must deal with; `shown` is the evidence it was judged by."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_enrolment", "enrolment_id", "state"),
        Index("ix_alerts_state", "state"),
    )
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


class AlertHistory(SQLModel, table=True):
    """Append-only: what happened to an alert, when, by whom, why."""

    __tablename__ = "alert_history"
    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alerts.id", index=True)
    at: datetime = Field(sa_type=UtcInstant)
    what: str
    by: str = ""
    note: str = ""


class Delivery(SQLModel, table=True):
    """One message to one recipient in the outbox. `kind`: alert, digest, withdrawal or
    operator. `state`: waiting, sent or failed (failed permanently, and somebody was told)."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_due", "state", "next_attempt_at"),
        Index("ix_deliveries_message", "message_id"),
        UniqueConstraint("once_key"),
    )
    id: int | None = Field(default=None, primary_key=True)
    once_key: str
    """What makes the message this one: a second insert of the same key is refused."""
    kind: str
    recipient: str
    urgency: str
    created_at: datetime = Field(sa_type=UtcInstant)
    for_day: date
    message_id: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: str = "waiting"
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=UtcInstant)
    leased_until: datetime | None = Field(default=None, sa_type=UtcInstant)
    leased_by: str | None = None
    last_error: str = ""
    sent_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    channel: str = "mail"
    """mail, or the address of another channel: webhook:NAME, queue:NAME, syslog:NAME."""
    answer: str = ""
    """What the other side said when it took it."""
    bounced_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When a report came that it did not arrive after all."""


class DeliveryAlert(SQLModel, table=True):
    """Which alerts a message bears, and what is said of each: opened, worse, withdrawn ..."""

    __tablename__ = "delivery_alerts"
    delivery_id: int = Field(foreign_key="deliveries.id", primary_key=True)
    alert_id: int = Field(foreign_key="alerts.id", primary_key=True, index=True)
    what: str
    reason: str = ""


class BreakerRow(SQLModel, table=True):
    """A way out (a mail server) that failed and has not worked since."""

    __tablename__ = "breakers"
    way: str = Field(primary_key=True)
    failures: int
    since: datetime = Field(sa_type=UtcInstant)
    open_until: datetime = Field(sa_type=UtcInstant)
    last_error: str


class JobRun(SQLModel, table=True):
    """The last run of each job of the daemon, for `monitor health`."""

    __tablename__ = "job_runs"
    name: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcInstant)
    finished_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    error: str = ""


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a class above, for statements without objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
