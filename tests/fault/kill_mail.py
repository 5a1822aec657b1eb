"""The mail server of the kill test: outside the daemon, it outlives all of its lives."""

from __future__ import annotations

import asyncio
import random
from asyncio import Transport
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.mail_world import Mood


@dataclass(frozen=True)
class Accepted:
    """A message this server took responsibility for."""

    message_id: str
    to: str
    subject: str
    kills_before: int
    """How often the daemon had been killed by then."""


@dataclass
class Postbox(Mood):
    """Takes every message, and often lets the client wait for the answer, so that a kill can
    fall between its acceptance and the client's note of it."""

    chance: random.Random = field(default_factory=random.Random)
    waits: tuple[float, ...] = (0.0, 0.0, 0.05, 0.2)
    """Seconds between taking a message and saying so: one of these."""
    accepted: list[Accepted] = field(default_factory=list)
    kills: int = 0
    unanswered: int = 0
    """Messages taken whose answer is still on its way."""
    lines: list[Transport] = field(default_factory=list)

    @property
    def connected(self) -> bool:
        """Whether somebody is speaking to us."""
        return any(not line.is_closing() for line in self.lines)

    async def handle_EHLO(  # noqa: N802  # named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: Any
    ) -> Any:
        if isinstance(server.transport, Transport):
            self.lines = [*(it for it in self.lines if not it.is_closing()), server.transport]
        return await super().handle_EHLO(server, session, envelope, hostname, responses)

    async def handle_DATA(  # noqa: N802  # named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        to = ", ".join(envelope.rcpt_tos)
        self.accepted.append(Accepted(mail["Message-ID"], to, mail["Subject"], self.kills))
        self.unanswered += 1
        try:
            await asyncio.sleep(self.chance.choice(self.waits))
        finally:
            self.unanswered -= 1
        return "250 taken"

    def by_message_id(self) -> dict[str, list[Accepted]]:
        """Each message with all its arrivals, in order."""
        found: dict[str, list[Accepted]] = {}
        for it in self.accepted:
            found.setdefault(it.message_id, []).append(it)
        return found

    def repeats_by_kill(self) -> Counter[int]:
        """How many messages came again, by the number of kills before."""
        arrivals = self.by_message_id().values()
        return Counter(it.kills_before for each in arrivals for it in each[1:])
