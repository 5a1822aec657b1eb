"""Where leased messages are laid out, a little before their turn: one ahead in a thread, or in a
storm many ahead by a helper."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from monitor import logs
from monitor.config import Settings
from monitor.delivery.channels.letter import Letter
from monitor.delivery.helper import Helper, Made
from monitor.delivery.layout import in_bare_words, lay_out, seen_by
from monitor.store import outbox
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.leases import Leased

_STORM = 300
"""Messages owed at once for which a helper is worth the second that it takes to start."""
_GROUP = 8
"""Messages that a helper is given together."""


class Desk:
    """Lays out the messages of one run, of which so many are owed at its beginning."""

    def __init__(self, store: Store, settings: Settings, now: datetime, owed: int) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._helper = self._helped() if owed >= _STORM else None
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._helper is not None:
            await asyncio.to_thread(self._helper.close)

    @property
    def has_help(self) -> bool:
        """Whether a helper is at work, and messages may be laid out far ahead."""
        return self._helper is not None and self._helper.is_ready

    def batch(self, messages: Sequence[Leased]) -> Batch:
        """Begin to lay out messages that were leased together."""
        return Batch(self, messages)

    async def letters(self, messages: Sequence[Leased]) -> list[Letter]:
        """The messages laid out, by the helper where there is one."""
        async with self._one_at_a_time:
            made: Sequence[Made | None] = [None] * len(messages)
            if self._helper is not None and self._helper.is_ready:
                made = await asyncio.to_thread(self._helper.lay_out, messages)
            pairs = zip(messages, made, strict=True)
            return [await self._letter(leased, it) for leased, it in pairs]

    async def _letter(self, leased: Leased, made: Made | None) -> Letter:
        if made is None:
            return await asyncio.to_thread(self._laid_out, leased)
        rendered, mail = made
        ours = seen_by(self._settings, leased.recipient)
        return Letter(message=leased, rendered=rendered, settings=ours, now=self._now, mail=mail)

    def _laid_out(self, leased: Leased) -> Letter:
        """The message laid out here; in bare words where that fails, and the operator is told."""
        try:
            with self._store.read() as connection:
                return lay_out(connection, leased, self._settings, self._now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it was, the alert must go out
            _log().error("layout failed", delivery=leased.id, where=logs.places(error))
            text = f"Message {leased.id} went out in bare words. The fault: {logs.places(error)}"
            self._alarm("a mail could not be laid out", text)
            return in_bare_words(leased, self._settings, self._now)

    def _alarm(self, topic: str, text: str) -> None:
        clinic = self._settings.clinic
        with self._store.write() as connection:
            outbox.operator_alarm(connection, topic, text, clinic.email, self._now, clinic.zone)

    def _helped(self) -> Helper | None:
        try:
            return Helper(self._store, self._settings, self._now)
        except OSError as error:
            _log().warning("no helper for the layout of mails", why=type(error).__name__)
            return None


class Batch:
    """Messages that were leased together, each to be taken in its turn."""

    def __init__(self, desk: Desk, messages: Sequence[Leased]) -> None:
        self.began = time.monotonic()
        self.left = deque(messages)
        """Those not taken yet."""
        self.size = len(messages)
        self._desk = desk
        size, self._ahead = (_GROUP, self.size) if desk.has_help else (1, 1)
        self._groups = deque(messages[at : at + size] for at in range(0, self.size, size))
        self._begun: deque[asyncio.Task[list[Letter]]] = deque()
        self._made: deque[Letter] = deque()
        if desk.has_help:
            self._begin(self._ahead)

    @property
    def is_ready(self) -> bool:
        """Whether the next one is laid out."""
        return bool(self._made) or bool(self._begun and self._begun[0].done())

    async def take(self) -> Letter:
        """The next one, laid out; what follows is begun."""
        if not self._made:
            self._begin(1)
            self._made.extend(await self._begun.popleft())
        self._begin(self._ahead)
        self.left.popleft()
        return self._made.popleft()

    async def close(self) -> list[int]:
        """Let what is begun come to its end; the ids of the messages that were not taken."""
        self._groups.clear()
        await asyncio.gather(*self._begun, return_exceptions=True)
        return [leased.id for leased in self.left]

    def _begin(self, many: int) -> None:
        while self._groups and len(self._begun) < many:
            group = self._groups.popleft()
            self._begun.append(asyncio.create_task(self._desk.letters(group)))


def _log() -> Any:
    return logs.logger("delivery")
