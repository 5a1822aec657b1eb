"""What every page has at hand: the store, the settings, the templates, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment

from monitor.config import Settings
from monitor.store.database import Store
from monitor.store.facts import AHEAD, brought_to
from monitor.web.render import environment


@dataclass(frozen=True)
class Site:
    """One application's things."""

    store: Store
    settings: Settings
    templates: Environment
    now: Callable[[], datetime]
    """The time of what people do."""

    def moment(self) -> datetime:
        """When a request is made: now, or what the database has been brought to by a clock that
        is a little ahead of ours. What stands by then is never what is not there yet."""
        now = self.now()
        with self.store.look() as connection:
            latest = brought_to(connection)
        return latest if latest is not None and now < latest <= now + AHEAD else now

    @property
    def is_https(self) -> bool:
        """Whether people reach it by https, so that cookies are to be kept from http."""
        return self.settings.web.public_url.startswith("https://")


def site_of(store: Store, settings: Settings, now: Callable[[], datetime]) -> Site:
    return Site(store, settings, environment(settings), now)
