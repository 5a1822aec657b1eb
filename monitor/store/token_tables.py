"""The table of the tokens with which other programs use the API, without behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import UtcInstant


class ApiTokenRow(Table, table=True):
    """A token of another program. Only a digest of it is kept; nothing is deleted."""

    __tablename__ = "api_tokens"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    """As it stands in histories."""
    digest: str = Field(unique=True)
    scopes: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UtcInstant)
    created_by: str
    expires_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    revoked_by: str = ""
