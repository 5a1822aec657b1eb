"""The tables of the people who sign in, without behaviour, and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import UtcInstant


class UserRow(Table, table=True):
    """Somebody who may sign in. `name_key` is how the name is compared; nobody is deleted."""

    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    name_key: str = Field(unique=True)
    full_name: str
    """As it stands in the history of what they do."""
    full_name_key: str = Field(unique=True)
    role: str
    password_hash: str = ""
    """Argon2id; empty: no password will do (disabled, or signs in elsewhere)."""
    password_set_at: datetime = Field(sa_type=UtcInstant)
    must_change: bool = False
    """The password came from somebody else: it is changed at the first sign-in."""
    second_factor: str = ""
    """The secret of the second factor, encrypted; empty: none."""
    second_factor_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When it was confirmed with a first code; None: it does not count yet."""
    last_step: int = 0
    """The latest code that was taken: none is taken twice."""
    created_at: datetime = Field(sa_type=UtcInstant)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_seen_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    subject: str | None = Field(default=None, unique=True)
    """Who this is to the hospital's provider (issuer and subject), where they sign in there."""


class SessionRow(Table, table=True):
    """One signed-in browser. Only a digest of its token is kept."""

    __tablename__ = "web_sessions"
    id: int | None = Field(default=None, primary_key=True)
    token_digest: str = Field(unique=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    csrf: str
    begun_at: datetime = Field(sa_type=UtcInstant)
    seen_at: datetime = Field(sa_type=UtcInstant)
    ended_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    address: str = ""
    complete: bool = True
    """False while the second factor is still owed: such a session may do nothing else."""
    notices: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """What the next page tells: kind and text."""


class ThrottleRow(Table, table=True):
    """Wrong sign-ins in a row, for a name or an address. `key` is a digest: people type their
    password where their name belongs."""

    __tablename__ = "throttles"
    key: str = Field(primary_key=True)
    failures: int
    last_at: datetime = Field(sa_type=UtcInstant)
    until: datetime | None = Field(default=None, sa_type=UtcInstant)


class AuditRow(Table, table=True):
    """Append-only: who saw or did what on the pages, and from where."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_patient", "patient_id", "at"),
        Index("ix_audit_user", "user_id", "at"),
        Index("ix_audit_at", "at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcInstant)
    user_id: int | None = Field(default=None, foreign_key="users.id")
    who: str
    """The name at that time; `command line` where nobody was signed in."""
    what: str
    patient_id: int | None = Field(default=None, foreign_key="patients.id")
    alert_id: int | None = Field(default=None, foreign_key="alerts.id")
    address: str = ""
    detail: str = ""
    """A few words; never a value of a patient."""
