"""The tables of people and their enrolments, without behaviour. Merges are only added to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint, false, text, true
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import ExactDecimal, UtcInstant


class Patient(Table, table=True):
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


class Identifier(Table, table=True):
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


class MergeRow(Table, table=True):
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


class EnrolmentRow(Table, table=True):
    """One patient on one drug from a start day; wakes when `next_review_at` has come."""

    __tablename__ = "enrolments"
    __table_args__ = (
        Index("ix_enrolments_turn", "wake_rank", "next_review_at", "id"),
        Index(
            "ix_enrolments_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
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
    kept_until: datetime | None = Field(default=None, sa_type=UtcInstant)
    """Of what is kept: the `next_review_at` of the review that left it."""
    kept_by: str | None = None
    """Of what is kept: what it was judged by; None: nothing is kept, or not any more."""
    home_id: int | None = Field(default=None, foreign_key="patients.id", index=True)
    """The patient under whose number it came, where that is merged into another; None:
    `patient_id`. So it is with events and results."""
    stands: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    """False where it is not watched: `merged_into` is, or its file was taken back."""
    merged_into: int | None = Field(default=None, foreign_key="enrolments.id")
    """The enrolment of the same patient on the same drug that is kept for both."""
    file_id: int | None = Field(default=None, foreign_key="files.id", index=True)


class KeptAnswer(Table, table=True):
    """What a review left of an enrolment: how far the values of each analyte reach, what is
    remembered of the results, what its schedule counts from (`core/kept_text.py`). Nothing, where
    the enrolment's `kept_by` says so. Apart from the enrolment, which is written far more often."""

    __tablename__ = "kept_answers"
    enrolment_id: int = Field(foreign_key="enrolments.id", primary_key=True)
    reach: str
