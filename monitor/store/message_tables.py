"""The tables of the messages that go out, and of the ways they take, without behaviour."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import UtcInstant


class Delivery(Table, table=True):
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
    """While it waits: None where it is known that nobody has handed it over, ever; an instant
    that is past where a holder may have, and nobody knows."""
    leased_by: str | None = None
    last_error: str = ""
    sent_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    channel: str = "mail"
    """mail, or the address of another channel: webhook:NAME, queue:NAME, syslog:NAME."""
    answer: str = ""
    """What the other side said when it took it."""
    bounced_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When a report came that it did not arrive after all."""


class DeliveryAlert(Table, table=True):
    """Which alerts a message bears, and what is said of each: opened, worse, withdrawn ..."""

    __tablename__ = "delivery_alerts"
    delivery_id: int = Field(foreign_key="deliveries.id", primary_key=True)
    alert_id: int = Field(foreign_key="alerts.id", primary_key=True, index=True)
    what: str
    reason: str = ""


class BreakerRow(Table, table=True):
    """A way out (a mail server) that failed and has not worked since."""

    __tablename__ = "breakers"
    way: str = Field(primary_key=True)
    failures: int
    since: datetime = Field(sa_type=UtcInstant)
    open_until: datetime = Field(sa_type=UtcInstant)
    last_error: str
