"""The tables, without behaviour. Instants are UTC; days are clinic days; quantities are
exact decimals in canonical units. Results and the histories are only ever added to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Column, Index, Table, UniqueConstraint, false, text, true
from sqlmodel import Field, SQLModel

from monitor.store.account_tables import AuditRow as AuditRow
from monitor.store.account_tables import SessionRow as SessionRow
from monitor.store.account_tables import ThrottleRow as ThrottleRow
from monitor.store.account_tables import UserRow as UserRow
from monitor.store.proposal_tables import ProposalRow as ProposalRow
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
    reverted_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When it was taken back as a whole; what it brought stays on record and counts for
    nothing."""
    reverted_by: str | None = None
    reverted_because: str | None = None


class Patient(SQLModel, table=True):
    """One person, as known under one number. `mrn` is that number as people write it, with its
    issuer where it has one; `mrn_key` is how it is compared; `mrn_loose` (of the number alone)
    only raises suspicion."""

    __tablename__ = "patients"
    id: int | None = Field(default=None, primary_key=True)
    mrn: str
    mrn_key: str = Field(unique=True)
    mrn_loose: str = Field(index=True)
    family_name: str = ""
    given_name: str = ""
    birth_date: date | None = None
    sex: str = ""
    person_id: int | None = Field(default=None, foreign_key="patients.id", index=True)
    """Whose number survives, where this one was merged into another; None: this one."""


class Identifier(SQLModel, table=True):
    """A number of a patient with who gave it out; an issuer of "" is the clinic itself. The
    keys are how both are compared."""

    __tablename__ = "identifiers"
    __table_args__ = (
        UniqueConstraint("issuer_key", "number_key"),
        Index("ix_identifiers_number", "number_key"),
    )
    id: int | None = Field(default=None, primary_key=True)
    patient_id: int = Field(foreign_key="patients.id", index=True)
    issuer: str
    number: str
    issuer_key: str
    number_key: str
    seen_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """Where only a laboratory's rows named this issuer of a plain number; None: people did."""


class MergeRow(SQLModel, table=True):
    """Append-only: somebody said that two numbers are one patient's (`merge`: what is known of
    `old_id` belongs to `new_id`), or took it back (`unmerge`). Ordered by receipt."""

    __tablename__ = "merges"
    id: int | None = Field(default=None, primary_key=True)
    what: str
    old_id: int = Field(foreign_key="patients.id", index=True)
    new_id: int = Field(foreign_key="patients.id", index=True)
    on: date | None = None
    note: str = ""
    origin: str
    """events, or the kind of the message: ADT^A40."""
    received_at: datetime = Field(sa_type=UtcInstant)
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class EnrolmentRow(SQLModel, table=True):
    """One patient on one drug from a start day; wakes when `next_review_at` has come."""

    __tablename__ = "enrolments"
    __table_args__ = (
        Index("ix_enrolments_wake", "next_review_at"),
        Index("ix_enrolments_turn", "wake_rank", "next_review_at", "id"),
    )
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
    wake_rank: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Whose turn it is among those that are due: 0 before 1, which was woken together with
    everybody else by an edit of the rules."""
    home_id: int | None = Field(default=None, foreign_key="patients.id", index=True)
    """The patient under whose number it came, where that is merged into another; None:
    `patient_id`. So it is with events and results."""
    stands: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    """False where it is not watched: `merged_into` is, or its file was taken back."""
    merged_into: int | None = Field(default=None, foreign_key="enrolments.id")
    """The enrolment of the same patient on the same drug that is kept for both."""
    file_id: int | None = Field(default=None, foreign_key="files.id", index=True)


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
    withdrawn_in: int | None = Field(default=None, foreign_key="files.id")
    """The file that said it was entered in error."""
    home_id: int | None = Field(default=None, foreign_key="patients.id", index=True)
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class ResultRow(SQLModel, table=True):
    """One reported value. `stands` is False for what a later report superseded."""

    __tablename__ = "results"
    __table_args__ = (
        Index("ix_results_key", "patient_id", "analyte", "collected_on"),
        Index(
            "ix_results_home_id",
            "home_id",
            sqlite_where=text("home_id IS NOT NULL"),
            postgresql_where=text("home_id IS NOT NULL"),
        ),
    )
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
    method: str = ""
    """How it was measured, without case: trends and baselines do not cross a change of it."""
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int
    home_id: int | None = Field(default=None, foreign_key="patients.id")
    issuer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Who gave out the number, as the row said."""
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Repeat(SQLModel, table=True):
    """A row that said nothing new, and the row that had said it: so that what a file was the
    first to say is not lost with that file. `what`: result, held, event or enrolment."""

    __tablename__ = "repeats"
    __table_args__ = (Index("ix_repeats_row", "what", "row_id"),)
    id: int | None = Field(default=None, primary_key=True)
    what: str
    row_id: int
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int


class PersonChange(SQLModel, table=True):
    """A cell of a patient or an enrolment that an enrolment file filled or changed, with what
    stood there before. `what`: patient or enrolment."""

    __tablename__ = "person_changes"
    __table_args__ = (Index("ix_person_changes_cell", "what", "row_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    file_id: int = Field(foreign_key="files.id", index=True)
    what: str
    row_id: int
    name: str
    before: str | None = None
    after: str


class FixRow(SQLModel, table=True):
    """What a person said once for all rows of a source: how to read a code, a unit, a number,
    an issuer. Removed ones stay on record."""

    __tablename__ = "fixes"
    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    kind: str
    theirs: str
    ours: str
    made_at: datetime = Field(sa_type=UtcInstant)
    made_by: str
    removed_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    removed_by: str | None = None


class PersonalRow(SQLModel, table=True):
    """What a clinician set for one enrolment: a limit, an interval, an accepted baseline.
    Append-only, but for the end that a person gives it before its time."""

    __tablename__ = "personal_terms"
    id: int | None = Field(default=None, primary_key=True)
    enrolment_id: int = Field(foreign_key="enrolments.id", index=True)
    what: str
    """limit, interval or baseline."""
    subject: str
    """The id of the rule or panel."""
    level: int = 0
    value: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    phase: str = ""
    every: str = ""
    since: date
    until: date
    by: str
    second: str = ""
    reason: str
    set_at: datetime = Field(sa_type=UtcInstant)
    ended_on: date | None = None
    ended_by: str = ""
    ended_because: str = ""
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class HeldRowTable(SQLModel, table=True):
    """A row that cannot be trusted, with its raw fields, the reason and the nearest right
    thing. `state`: held, taken (went in later), discarded, or reverted with its file."""

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
    home_id: int | None = Field(default=None, foreign_key="enrolments.id")
    """The enrolment it was opened for, where that was merged into another; None:
    `enrolment_id`."""


class AlertHistory(SQLModel, table=True):
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


class DaemonRow(SQLModel, table=True):
    """One start of `monitor run`, and when it last said that it works."""

    __tablename__ = "daemons"
    id: str = Field(primary_key=True)
    """Drawn at the start: a number of a process is given again."""
    host: str
    pid: int
    version: str
    revision: str
    """The newest migration that its program knows."""
    started_at: datetime = Field(sa_type=UtcInstant)
    last_tick_at: datetime = Field(sa_type=UtcInstant)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When it ended in good order."""
    failing: str = ""
    """Its jobs whose last run failed, separated by spaces."""


class JobTurn(SQLModel, table=True):
    """A job that one daemon does for all that share a database."""

    __tablename__ = "job_turns"
    name: str = Field(primary_key=True)
    holder: str | None = None
    """The daemon that is at it."""
    until: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When its turn ends if it does not say that it goes on."""
    done_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class Listener(SQLModel, table=True):
    """What came to a listener for HL7 messages since it was first started, for `health`."""

    __tablename__ = "listeners"
    address: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcInstant)
    last_message_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    connections: int = 0
    """Open at the last look."""
    messages: int = 0
    """Taken and acknowledged."""
    repeated: int = 0
    """Of these, those that had come before, to the letter."""
    other_messages: int = 0
    """Of these, those that bring no results."""
    failed: int = 0
    """Answered with an error: their senders try again."""
    rejected: int = 0


class SilentFeed(SQLModel, table=True):
    """A source of whose results nothing came when it should have; gone once something comes.
    Messages about patients who look overdue meanwhile say so."""

    __tablename__ = "silent_feeds"
    source: str = Field(primary_key=True)
    since: datetime = Field(sa_type=UtcInstant)
    """When its last file came."""
    noted_at: datetime = Field(sa_type=UtcInstant)


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a class above, for statements without objects."""
    return SQLModel.metadata.tables[str(model.__tablename__)]
