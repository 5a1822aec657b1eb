"""The other side of every way out: a server that takes mail, refuses it, is busy or down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from monitor.config import Settings
from monitor.delivery.channels.letter import Channel, Letter, NotSent, Turn
from monitor.delivery.channels.ways import Ways
from monitor.store.database import Store


@dataclass
class Mail:
    """How the other side answers."""

    refuses: set[str] = field(default_factory=set)
    """Addresses that it does not take, for good."""
    busy: set[str] = field(default_factory=set)
    """Addresses that are to be tried again later, `tries` times."""
    tries: int = 4
    down: bool = False
    taken: Callable[[int], None] = lambda _: None
    """Told of each message that is taken."""

    def ways(self, store: Store, settings: Settings, now: datetime) -> Ways:
        return _ByHand(store, settings, now, self)


class _ByHand(Ways):
    def __init__(self, store: Store, settings: Settings, now: datetime, mail: Mail) -> None:
        super().__init__(store, settings, now)
        self._mail = mail

    def _opened(self, _name: str) -> Channel:
        return _Box(self._mail)


@dataclass(frozen=True)
class _Box:
    mail: Mail

    async def send(self, letter: Letter, turn: Turn) -> str:
        to = letter.message.recipient
        if self.mail.down:
            raise NotSent("451 not now", whole=True)
        if to.lower() in self.mail.refuses:
            raise NotSent("550 no such user", permanent=True)
        if to.lower() in self.mail.busy and letter.message.attempts < self.mail.tries:
            raise NotSent("450 busy")
        await turn()
        self.mail.taken(letter.message.id)
        return "250 taken"

    async def close(self) -> None:
        return None
