"""What every page has at hand: the store, the settings, the templates, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from jinja2 import Environment

from monitor import clock
from monitor.config import Settings
from monitor.store.database import Store
from monitor.web.navigation import Entry
from monitor.web.render import environment


@dataclass
class Site:
    """One application's things. Requests change nothing of it."""

    store: Store
    settings: Settings
    templates: Environment
    now: Callable[[], datetime] = clock.now
    navigation: tuple[Entry, ...] = field(default=())
    """Entries whose page exists; filled once all routes are known."""
    paths: frozenset[str] = frozenset()
    """Every path that is served, as routes write it."""

    @property
    def is_https(self) -> bool:
        """Whether people reach it by https, so that cookies are to be kept from http."""
        return self.settings.web.public_url.startswith("https://")


def site_of(store: Store, settings: Settings) -> Site:
    return Site(store, settings, environment(settings))
