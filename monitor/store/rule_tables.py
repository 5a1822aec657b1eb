"""The tables of the rules, without behaviour: the texts of protocols, those proposed, and what is
set for one patient."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import ExactDecimal, UtcInstant


class ProtocolText(Table, table=True):
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


class ProposalRow(Table, table=True):
    """A text that somebody proposes for a protocol. It goes live when somebody else approves it;
    what was decided stays on record."""

    __tablename__ = "schedule_proposals"
    id: int | None = Field(default=None, primary_key=True)
    protocol_id: str = Field(index=True)
    file: str
    """How faults of the text name it."""
    text: str
    based_on: str
    """Digest of the text that was in force when it was proposed; "" for a first one."""
    proposed_at: datetime = Field(sa_type=UtcInstant)
    proposed_by: str
    reason: str
    state: str
    """open, approved, refused or withdrawn."""
    decided_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    decided_by: str = ""
    decision: str = ""
    """What who decided it said."""


class PersonalRow(Table, table=True):
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
