"""The tables of what files brought, and what was not taken from them, without behaviour."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import UtcInstant


class File(Table, table=True):
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
    left_rows: dict[str, int] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True), nullable=True)
    )
    """How many rows it left in which table, of those that are only added to; None where it came in
    by a program that did not count them."""


class MergedRow(Table, table=True):
    """A row that went in under a number that nobody is enrolled under, for it was merged with a
    patient's: whole, so that it waits in quarantine once the numbers come apart."""

    __tablename__ = "merged_rows"
    id: int | None = Field(default=None, primary_key=True)
    home_id: int = Field(foreign_key="patients.id", index=True)
    """The patient under whose number it came."""
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int
    source: str
    analyte: str
    raw: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    raw_digest: str
    mrn_key: str
    came_at: datetime = Field(sa_type=UtcInstant)
    outcome: str
    """How the row was counted."""


class Repeat(Table, table=True):
    """A row that said nothing new, and the row that had said it: so that what a file was the
    first to say is not lost with that file. `what`: result, held, event or enrolment."""

    __tablename__ = "repeats"
    __table_args__ = (Index("ix_repeats_row", "what", "row_id"),)
    id: int | None = Field(default=None, primary_key=True)
    what: str
    row_id: int
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int


class PersonChange(Table, table=True):
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


class FixRow(Table, table=True):
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


class HeldRowTable(Table, table=True):
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
    """Canonical decimals the raw number may mean, separated by spaces: of its analyte, and of
    others that it may be of instead, `0.42 neutrophils:0.42`."""
    held_at: datetime = Field(sa_type=UtcInstant)
    state: str = "held"
    resolved_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    resolved_by: str = ""
    resolution: str = ""
