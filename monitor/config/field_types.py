"""The types of single keys, each with its check and an error that shows a right value."""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_network
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.core.calendar import Duration, parse_duration
from monitor.core.vocabulary import Kind, Urgency
from monitor.core.waits import Wait, parse_wait
from monitor.core.worktime import WEEKDAYS, parse_clock, parse_hours

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DateFormat = Literal[
    "", "iso", "day_first", "month_first", "year_first", "excel", "days", "hours", "minutes"
]
Security = Literal["starttls", "tls", "none"]
Privacy = Literal["minimal", "full"]
Facility = Literal[
    "user", "daemon", "auth", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7",
]  # fmt: skip
CHANNELS = {"webhook": "webhooks", "queue": "queues", "syslog": "syslogs"}
"""How an address names a channel other than mail, and the table of the config it is in."""
UNCHANGED_EMAIL = "clinic@localhost"
"""What `init` writes as the clinic's address; `health` is not well until it is changed."""


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError("not an address or a network; one looks like 10.1.2.0/24") from None
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        known = False
    else:  # the others are there twice, or are none
        known = not name.startswith(("posix", "right/")) and name != "localtime"
    if not known:
        raise ValueError("not a time zone; a zone is named like Europe/Zurich")
    return name


def _email(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if not local or not domain or any(sign.isspace() or sign in "<>,;" for sign in address):
        raise ValueError("not an e-mail address; one looks like nurse@clinic.example")
    return address


def _locale(code: str) -> str:
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", code):
        raise ValueError("not a language; one is written like en, de or de-CH")
    return code


def _clock_time(text: str) -> str:
    parse_clock(text)
    return text


def _weekly(text: str) -> str:
    weekday, _, clock = text.partition(" ")
    if weekday not in get_args(Weekday):
        raise ValueError('not a weekday and time; one is written like "mon 12:00"')
    return f"{weekday} {_clock_time(clock)}"


def _hours(text: str) -> str:
    parse_hours(text)
    return text


def _wait(value: object) -> object:
    return parse_wait(value) if isinstance(value, str) and value else (value or None)


def _handover(text: str) -> str:
    day, _, clock = text.partition(" ")
    try:
        parse_clock(clock)
    except ValueError:
        clock = ""
    if day not in WEEKDAYS or not clock:
        raise ValueError('not a hand-over; one is written like "mon 08:00"')
    return text


def _http(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("not an address; one begins with https:// or http://")
    return url


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) and value else (value or None)


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("not a day; one is written like 2026-12-25") from None


def _unset(value: object) -> object:
    return None if value == "" else value


def _choice(kinds: type[Kind | Urgency]) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, str) and value not in list(kinds):
            raise ValueError(f"must be one of {', '.join(kinds)}")
        return kinds(value) if isinstance(value, str) else value

    return BeforeValidator(read)


def read_address(text: str) -> str:
    """A mail address, or a channel of the config by its name. Raises ValueError."""
    channel, colon, name = text.partition(":")
    if not colon:
        return _email(text)
    if channel not in CHANNELS or not name:
        raise ValueError(
            f"not an address: a mail address, or {', '.join(f'{it}:NAME' for it in CHANNELS)}"
        )
    return text


def _told(text: str) -> str:
    """An address, or the name of a role: a table of `[recipients]`."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text):
        return text
    return read_address(text)


Zone = Annotated[str, AfterValidator(_zone)]
OptionalZone = Annotated[str, AfterValidator(lambda name: name and _zone(name))]
Locale = Annotated[str, AfterValidator(_locale)]
OptionalLocale = Annotated[str, AfterValidator(lambda code: code and _locale(code))]
ClockTime = Annotated[str, AfterValidator(_clock_time)]
OptionalClockTime = Annotated[str, AfterValidator(lambda text: text and _clock_time(text))]
Weekly = Annotated[str, AfterValidator(_weekly)]
"""A weekday and a time: `mon 12:00`."""
Handover = Annotated[str, AfterValidator(_handover)]
Network = Annotated[str, AfterValidator(_network)]
Url = Annotated[str, AfterValidator(_http)]
Email = Annotated[str, AfterValidator(_email)]
Address = Annotated[str, AfterValidator(read_address)]
"""A mail address, or a channel by its name: `webhook:pager`."""
RoleOrAddress = Annotated[str, AfterValidator(_told)]
"""An address, or a role of `[recipients]`."""
OptionalDay = Annotated[date | None, BeforeValidator(lambda day: _day(day) if day else None)]
OptionalWait = Annotated[Wait | None, BeforeValidator(_wait)]
RequiredWait = Annotated[Wait, BeforeValidator(_wait)]
Waits = list[RequiredWait]
Holidays = list[Annotated[date, BeforeValidator(_day)]]
HoursText = Annotated[str, AfterValidator(_hours)]
OptionalDuration = Annotated[Duration | None, BeforeValidator(_duration)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
"""At most a day: what waits for ever is as good as switched off, and nobody said so."""
Minutes = Annotated[int, Field(gt=0, le=527_040)]
"""At most a year."""
OptionalBool = Annotated[bool | None, BeforeValidator(_unset)]
"""None, in the file "", where something else decides."""
KindName = Annotated[Kind, _choice(Kind)]
UrgencyName = Annotated[Urgency, _choice(Urgency)]
