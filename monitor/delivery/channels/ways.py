"""The channel of each address, opened when first needed and closed at the end of a run."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Self

from monitor.config import Settings
from monitor.delivery.channels.letter import Channel, NotSent
from monitor.delivery.channels.queue import QueueChannel
from monitor.delivery.channels.relays import MailRelays
from monitor.delivery.channels.syslog import SyslogChannel
from monitor.store.database import Store
from monitor.store.outbox import MAIL


class Ways:
    """Every channel of the config, for one run over the outbox."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._open: dict[str, Channel] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for channel in self._open.values():
            await channel.close()

    def channel(self, name: str) -> Channel:
        """The channel of this name. Raises NotSent where the config has none such."""
        if name not in self._open:
            self._open[name] = self._opened(name)
        return self._open[name]

    def _opened(self, name: str) -> Channel:
        kind, _, own = name.partition(":")
        settings = self._settings
        if name == MAIL:
            return MailRelays(self._store, settings, self._now)
        if kind == "webhook" and own in settings.webhooks:
            from monitor.delivery.channels.webhook import WebhookChannel  # httpx is slow to load

            return WebhookChannel(own, settings.webhooks[own])
        if kind == "queue" and own in settings.queues:
            return QueueChannel(own, settings.queues[own])
        if kind == "syslog" and own in settings.syslogs:
            return SyslogChannel(own, settings.syslogs[own])
        raise NotSent(f"{name}: the config has no such channel", permanent=True, setting=True)
