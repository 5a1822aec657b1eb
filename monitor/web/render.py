"""The templates of pages, and how days, instants and words stand in them."""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.life import parse_day
from monitor.core.permissions import May
from monitor.delivery.words import counted, headline, pretty
from monitor.operations.report_page import is_amount, is_day, shown
from monitor.resources import templates_folder

_ITS_DAY = re.compile(r"(?:^until|; review by|snoozed until) (\d{4}-\d\d-\d\d)(?=;|$)")
_UNTIL = ("inpatient", "away", "monitored_elsewhere")
_UNITS = {"dose": " mg/day", "weight": " kg", "supply": " days"}
STATIC = templates_folder() / "web" / "static"


class Told(Protocol):
    """Something that happened, as it is on record or about to be."""

    @property
    def event(self) -> str: ...

    @property
    def value(self) -> str: ...


def environment(settings: Settings) -> Environment:
    """Templates that escape everything and know no undefined name."""
    made = Environment(
        loader=FileSystemLoader(templates_folder() / "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    zone = settings.clinic.zone
    made.filters["day"] = day
    made.filters["date"] = lambda it: day(it).partition(" ")[2]
    made.filters["readable"] = lambda it: pretty(it or "")
    made.filters["told"] = told
    made.filters["instant"] = lambda it: instant(it, zone)
    made.filters["clock"] = lambda it: _aware(it).astimezone(zone).strftime("%H:%M")
    made.filters["iso"] = lambda it: _aware(it).astimezone(zone).isoformat(timespec="seconds")
    made.filters["words"] = words
    made.filters["number"] = number
    made.filters["happened"] = happened
    made.filters["headline"] = headline
    made.filters["days_from"] = days_from
    made.tests["amount"] = is_amount
    made.tests["day"] = is_day
    made.filters["shown"] = shown
    made.globals["clinic"] = settings.clinic
    made.globals["static"] = static
    made.globals["May"] = May
    made.globals["counted"] = counted
    return made


def day(value: date | datetime | str | None) -> str:
    """`Mon 2 Mar 2026`; a text is read as ISO 8601; nothing for None."""
    if value is None or value == "":
        return ""
    on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{on:%a} {on.day} {on:%b %Y}"


def instant(value: datetime | str | None, zone: ZoneInfo) -> str:
    """`Mon 2 Mar 2026, 14:05` on the clinic's clock."""
    if value is None or value == "":
        return ""
    local = _aware(value).astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"


def words(value: object) -> str:
    """A name of ours as people read it: dose_reduction -> dose reduction."""
    return str(value).replace("_", " ")


def happened(event: Told) -> str:
    """An event with its value, which means something else of each: the day of a hold is that of
    its review, and not that of its end."""
    said = words(event.event)
    if not event.value:
        return said
    ends = parse_day(event.value)
    if event.event == "hold" and ends:
        return f"{said}, to be reviewed on {day(ends)}"
    if event.event in _UNTIL and ends:
        return f"{said} until {day(ends)}"
    return f"{said}: {words(event.value)}{_UNITS.get(event.event, '')}"


def told(history: str) -> str:
    """What a history tells, its days (`until 2026-11-28; rang`) written as on every page."""
    return _ITS_DAY.sub(lambda it: it[0].replace(it[1], day(it[1])), pretty(history or ""))


def number(value: Decimal) -> str:
    """A decimal as it is: never rounded, never with an exponent."""
    return f"{value:f}"


def days_from(value: date | datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """How long ago or ahead in days: `today`, `yesterday`, `3 days ago`, `in 2 days`."""
    if value is None:
        return ""
    on = clinic_day(value, zone) if isinstance(value, datetime) else value
    away = (on - clinic_day(now, zone)).days
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}
    return near.get(away) or (f"in {away} days" if away > 0 else f"{-away} days ago")


@cache
def static(name: str) -> str:
    """The address of a static file, with what it holds in it: browsers keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _aware(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
