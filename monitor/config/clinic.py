"""The clinic itself, and where the monitor lives: `[clinic]`, `[database]` ..."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationInfo, model_validator

from monitor.config.field_types import (
    UNCHANGED_EMAIL,
    Email,
    Holidays,
    HoursText,
    Locale,
    Url,
    Weekday,
    Zone,
)
from monitor.config.section import Folder, OptionalPath, Section


class Clinic(Section):
    name: str = "Azathioprine clinic"
    timezone: Zone = "UTC"
    email: Email = UNCHANGED_EMAIL
    """The last resort of every route, and where operator alarms go."""
    telephone: str = ""
    locale: Locale = "en"
    open_days: list[Weekday] = ["mon", "tue", "wed", "thu", "fri"]
    hours: HoursText = "08:00-18:00"
    holidays: Holidays = []

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Database(Section):
    url: str = "sqlite:///monitor.db"

    @model_validator(mode="before")
    @classmethod
    def _beside_the_file(cls, values: Any, info: ValidationInfo) -> Any:
        """Take a relative SQLite path as relative to the config file."""
        prefix = "sqlite:///"
        url = values.get("url", "sqlite:///monitor.db") if isinstance(values, dict) else None
        if not isinstance(url, str) or not url.startswith(prefix):
            return values
        folder = (info.context or {}).get("folder", Path())
        return {**values, "url": f"{prefix}{folder / url.removeprefix(prefix)}"}

    @property
    def sqlite_file(self) -> Path | None:
        """The database file, where it is one."""
        prefix = "sqlite:///"
        return Path(self.url.removeprefix(prefix)) if self.url.startswith(prefix) else None


class Schedules(Section):
    folder: Folder = Path("schedules")


class Heartbeat(Section):
    file: OptionalPath = None
    url: Url = ""


class Retention(Section):
    """No key yet: nothing is ever deleted by the monitor."""
