"""From a leased message to the letter that a channel carries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from monitor.config import Queue, Settings, Webhook, recipient_of
from monitor.delivery.channels.letter import Letter
from monitor.delivery.message import Rendered, plain, render
from monitor.delivery.mime import to_bytes
from monitor.store.leases import Leased
from monitor.store.outbox import MAIL


def lay_out(
    connection: Connection,
    leased: Leased,
    settings: Settings,
    now: datetime,
    known: Mapping[int, Row[Any]] | None = None,
) -> Letter:
    """The message as its reader may see it, with what the store knows at `now`; of its alerts
    that may be `known` already."""
    ours = seen_by(settings, leased.recipient)
    return letter_of(leased, render(connection, leased, ours, now, known), ours, now)


def in_bare_words(leased: Leased, settings: Settings, now: datetime) -> Letter:
    """The message where laying it out failed."""
    ours = seen_by(settings, leased.recipient)
    return letter_of(leased, plain(leased, ours), ours, now)


def letter_of(leased: Leased, rendered: Rendered, settings: Settings, now: datetime) -> Letter:
    """What is laid out, sealed: as RFC 5322 too, where it goes by mail."""
    mail = to_bytes(rendered, leased, settings, now) if leased.channel == MAIL else None
    return Letter(message=leased, rendered=rendered, settings=settings, now=now, mail=mail)


def seen_by(settings: Settings, recipient: str) -> Settings:
    """The settings with the privacy level of the reader's role, else of its channel, in place
    of that of mails."""
    role = recipient_of(settings, recipient)
    if role is not None and role.privacy:
        return _with_privacy(settings, role.privacy)
    kind, _, own = recipient.partition(":")
    tables: dict[str, Mapping[str, Webhook | Queue]] = {
        "webhook": settings.webhooks,
        "queue": settings.queues,
    }
    own_table = tables.get(kind, {}).get(own)
    if own_table is None:
        return settings
    return _with_privacy(settings, own_table.privacy)


def _with_privacy(settings: Settings, privacy: str) -> Settings:
    mail = settings.mail.model_copy(update={"privacy": privacy})
    return settings.model_copy(update={"mail": mail})
