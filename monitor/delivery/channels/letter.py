"""What every channel carries, and what a failure to carry it means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from monitor.config import Settings
from monitor.delivery.message import Rendered
from monitor.store.leases import Leased


class NotSent(Exception):
    """Why a message did not go out.

    `permanent`: it will never be taken for this recipient. `whole`: no other message of the
    channel would fare better now. `setting`: an operator must put something right. `lost`:
    the other side hung up on us. `wait`: how long the other side asked us to. `handed_over`:
    we did not hear whether it was taken. The text holds what it said, and goes to the database
    and the operator, not to logs.
    """

    def __init__(
        self,
        text: str,
        *,
        permanent: bool = False,
        whole: bool = False,
        setting: bool = False,
        lost: bool = False,
        wait: timedelta | None = None,
        handed_over: bool = False,
    ) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.whole = whole
        self.setting = setting
        self.lost = lost
        self.wait = wait
        self.handed_over = handed_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message of the outbox, laid out, on its way through a channel."""

    message: Leased
    rendered: Rendered
    settings: Settings
    now: datetime
    mail: bytes | None = None
    """As RFC 5322, where it goes by mail."""

    def document(self) -> dict[str, Any]:
        """The message for another program: what a mail says, and the alerts by their fields.

        Names and values are in it as far as the privacy level of mails allows.
        """
        message, zone = self.message, self.settings.clinic.zone
        return {
            "schema": "azathioprine-monitor/message/1",
            "message_id": message.message_id.strip("<>"),
            "kind": message.kind,
            "urgency": message.urgency,
            "recipient": message.recipient,
            "created_at": message.created_at.astimezone(zone).isoformat(),
            "attempt": message.attempts + 1,
            "clinic": self.settings.clinic.name,
            "subject": self.rendered.subject,
            "text": self.rendered.text,
            "alerts": list(self.rendered.alerts),
        }


Turn = Callable[[], Awaitable[None]]
"""Returns once a message may be handed over: when the one before it is recorded as sent, so that
a crash repeats one message at most."""


class Channel(Protocol):
    """A way out. Raises NotSent."""

    async def send(self, letter: Letter, turn: Turn) -> str:
        """Until the other side took it; what it said to that. Awaits `turn` before the other
        side can have taken it, however often it tries."""
        ...

    async def close(self) -> None:
        """Let go of what is kept open."""
        ...
