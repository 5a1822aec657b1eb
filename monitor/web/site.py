"""What every page has at hand: the store, the settings, the templates, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment

from monitor.config import Settings
from monitor.store.database import Store
from monitor.web.render import environment


@dataclass(frozen=True)
class Site:
    """One application's things."""

    store: Store
    settings: Settings
    templates: Environment
    now: Callable[[], datetime]
    """The time of what people do."""

    @property
    def is_https(self) -> bool:
        """Whether people reach it by https, so that cookies are to be kept from http."""
        return self.settings.web.public_url.startswith("https://")


def site_of(store: Store, settings: Settings, now: Callable[[], datetime]) -> Site:
    return Site(store, settings, environment(settings), now)
