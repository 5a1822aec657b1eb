"""The table of proposed texts of schedules, without behaviour."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from monitor.store.types import UtcInstant


class ProposalRow(SQLModel, table=True):
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
