"""The tables of what is known of a patient, results and events, without behaviour: they are only
ever added to. Quantities are exact decimals in canonical units."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, false, text
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import CountedDay, CountedInstant, ExactDecimal, UtcInstant


class ReadingRow(Table, table=True):
    """What results say: kept once, however many results say it. `digest` is that of all of it."""

    __tablename__ = "readings"
    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(index=True, unique=True)
    value: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    comparator: str = ""
    no_result: str = ""
    status: str
    received_value: str
    received_unit: str = ""
    ref_low: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    ref_high: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    below_plausible: bool = False
    method: str = ""
    """How it was measured, without case: trends and baselines do not cross a change of it."""


class ResultRow(Table, table=True):
    """One reported value, narrow, for there are very many. `stands` is False for what a later
    report superseded.

    The database does not check `patient_id`, `home_id`, `reading_id` and `file_id`: that cost
    more than the rest of a large file. They are read or made in the transaction that writes the
    row, and no patient or reading is ever deleted, nor a file that brought a result."""

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
    patient_id: int
    analyte: str
    collected_at: datetime = Field(sa_type=CountedInstant)
    collected_on: date = Field(sa_type=CountedDay)
    timed: bool
    specimen_id: str = ""
    reading_id: int
    stands: bool
    reported_at: datetime | None = Field(default=None, sa_type=CountedInstant)
    received_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """None: with its file."""
    comment: str = ""
    doubtful_comment: str = ""
    file_id: int = Field(index=True)
    line: int
    home_id: int | None = None
    issuer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Who gave out the number, as the row said."""
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class EventRow(Table, table=True):
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
    file_id: int = Field(foreign_key="files.id", index=True)
    line: int
    withdrawn: bool = False
    withdrawn_in: int | None = Field(default=None, foreign_key="files.id")
    """The file that said it was entered in error."""
    home_id: int | None = Field(default=None, foreign_key="patients.id", index=True)
    taken_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
