"""The mail servers of the config, in order of preference: the first that takes a mail has it.

A server that fails as a whole (no connection, no answer, our password refused) is left alone
for a while, and the next one is asked. What a server says of one recipient or one message is
its answer: no other server is asked to overrule it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.config import Relay, Settings
from monitor.delivery.channels.breaker import Breaker
from monitor.delivery.channels.letter import Letter, NotSent, Turn
from monitor.delivery.channels.smtp import Mailer
from monitor.store.database import Store
from monitor.store.outbox import MAIL


class MailRelays:
    """Mail as a channel, for one run over the outbox."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self._ways = [
            _Way(relay, settings.mail.sender, store, now)
            for relay in (settings.mail, *settings.relays)
        ]

    async def send(self, letter: Letter, turn: Turn) -> str:
        """Through the first server that takes it; its answer. Raises NotSent."""
        assert letter.mail is not None
        failures: list[tuple[_Way, NotSent]] = []
        for way in self._in_order():
            try:
                answer = await way.mailer.send(letter.mail, letter.message.recipient, turn)
            except NotSent as error:
                if not error.whole:
                    raise
                way.breaker.failed(error)
                failures.append((way, error))
            else:
                way.breaker.worked()
                return answer if len(self._ways) == 1 else f"{way.name}: {answer}"
        raise _all_failed(failures)

    async def close(self) -> None:
        """End the connections that are kept."""
        for way in self._ways:
            await way.mailer.close()

    def _in_order(self) -> Sequence[_Way]:
        """Those that may be tried now; where all of them rest, all: a mail is owed."""
        ready = [way for way in self._ways if not way.breaker.is_open]
        return ready or self._ways


class _Way:
    def __init__(self, relay: Relay, sender: str, store: Store, now: datetime) -> None:
        self.name = relay.server
        self.mailer = Mailer(relay, sender)
        self.breaker = Breaker(store, f"{MAIL} {self.name}", now)


def _all_failed(failures: Sequence[tuple[_Way, NotSent]]) -> NotSent:
    """One failure of all servers: what the first said, and how many others there were."""
    _, first = failures[0]
    others = "; ".join(f"{way.name}: {error}" for way, error in failures[1:])
    return NotSent(
        f"{first}; {others}" if others else str(first),
        whole=True,
        setting=any(error.setting for _, error in failures),
        handed_over=any(error.handed_over for _, error in failures),
    )
