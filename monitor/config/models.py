"""What `config.toml` may say, as frozen settings with exact types and no unknown keys.

Paths are relative to the folder of the file (the validation context's `folder`). Secrets
come from the environment or from files, never from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    model_validator,
)

from monitor.config.mllp import Mllp
from monitor.config.section import Folder, OptionalPath, Section
from monitor.core.calendar import Duration, parse_duration
from monitor.core.faults import nearest
from monitor.core.model import Kind, Urgency
from monitor.core.waits import Wait, parse_wait
from monitor.core.worktime import WEEKDAYS, parse_hours

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
    try:
        time.fromisoformat(text)
    except ValueError:
        raise ValueError('not a time of day; one is written like "07:30"') from None
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
        time.fromisoformat(clock)
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
    return date.fromisoformat(value) if isinstance(value, str) else value


def _optional_day(value: object) -> object:
    return _day(value) if value else None


def _unset(value: object) -> object:
    return None if value == "" else value


def _plain_code(code: str) -> str:
    """A laboratory's code as it is compared: without case, space, hyphen, underscore, dot."""
    return "".join(sign for sign in code.casefold() if sign not in " -_.\t")


def _choice(kinds: type[Kind | Urgency]) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, str) and value not in list(kinds):
            raise ValueError(f"must be one of {', '.join(kinds)}")
        return kinds(value) if isinstance(value, str) else value

    return BeforeValidator(read)


def _address(text: str) -> str:
    """A mail address, or a channel of the config by its name."""
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
    return _address(text)


Email = Annotated[str, AfterValidator(_email)]
Address = Annotated[str, AfterValidator(_address)]
"""A mail address, or a channel by its name: `webhook:pager`."""
RoleOrAddress = Annotated[str, AfterValidator(_told)]
"""An address, or a role of `[recipients]`."""
OptionalDay = Annotated[date | None, BeforeValidator(lambda day: _day(day) if day else None)]
OptionalWait = Annotated[Wait | None, BeforeValidator(_wait)]
Waits = list[Annotated[Wait, BeforeValidator(_wait)]]
Holidays = list[Annotated[date, BeforeValidator(_day)]]
HoursText = Annotated[str, AfterValidator(_hours)]
OptionalDuration = Annotated[Duration | None, BeforeValidator(_duration)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Clinic(Section):
    name: str = "Azathioprine clinic"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    email: Email = UNCHANGED_EMAIL
    """The last resort of every route, and where operator alarms go."""
    telephone: str = ""
    locale: Annotated[str, AfterValidator(_locale)] = "en"
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


class Intake(Section):
    inbox: Folder = Path("inbox")
    settle_seconds: Annotated[float, Field(ge=0)] = 2
    feed_silence_alarm: OptionalDuration = parse_duration("3 days")
    held_alarm: OptionalDuration = parse_duration("7 days")
    unknown_patients: Literal["hold", "ignore"] = "hold"
    late_after: OptionalDuration = parse_duration("3 days")
    """Results that come later than this are late: the report says what they hid."""
    issuers: dict[str, str] = {}
    """How laboratories write an issuer of numbers -> the clinic's name for it; "" is its own."""


class Source(Section):
    """How one laboratory's files differ from the long form."""

    columns: dict[str, str] = {}
    """Our column -> theirs."""
    codes: dict[str, str] = {}
    """Their code -> our analyte."""
    ignore: list[str] = []
    units: dict[str, str] = {}
    """Analyte -> the unit meant where the file names none."""
    unit_spellings: dict[str, str] = {}
    """Their spelling -> ours."""
    date_format: DateFormat = ""
    """Order of their dates; "" lets the whole file decide, and holds what it leaves open."""
    day_zero: Annotated[date | None, BeforeValidator(_optional_day)] = None
    """What days, hours or minutes are counted from."""
    decimal_comma: Annotated[bool | None, BeforeValidator(_unset)] = None
    """None, in the file "": the whole file decides."""
    encoding: str = ""
    delimiter: str = ""
    constants: dict[str, str] = {}
    """Our column -> the value every row of this source has."""
    issuer: str = ""
    """Who gave out its plain numbers; "" is the clinic itself."""
    patient_id_is_mrn: bool = False
    """FHIR: the ID of a reference Patient/ID that leads nowhere is the patient's number."""
    whole_numbers: bool = False
    """Their patient numbers end in .0, which is taken away."""
    header: list[str] = []
    """Names of their columns in order, once learned: a file with others is refused."""
    watched: bool = True
    """Whether its silence, and what it no longer brings, is told."""
    expected: list[Annotated[str, AfterValidator(_weekly)]] = []
    """When a file is expected: weekday and time, `mon 12:00`; empty: learned."""

    @model_validator(mode="after")
    def _counted_from_somewhere(self) -> Source:
        if (self.date_format in ("days", "hours", "minutes")) != (self.day_zero is not None):
            raise ValueError(
                'date_format "days", "hours" or "minutes" and day_zero go together: the day that '
                "the numbers are counted from"
            )
        return self

    @model_validator(mode="after")
    def _mapped_or_ignored(self) -> Source:
        """A code that is mapped and ignored would be lost without a word."""
        mapped = {_plain_code(code) for code in self.codes}
        both = [code for code in self.ignore if _plain_code(code) in mapped]
        if both:
            raise ValueError(f"{', '.join(both)}: name a code in codes or in ignore, not in both")
        return self


Share = Annotated[float, Field(gt=0, lt=1)]


class Feeds(Section):
    """When the habits of a source count as broken; see `config.example.toml` for the reasons."""

    weeks: Annotated[int, Field(ge=4, le=52)] = 12
    usual_share: Share = 0.75
    late_hours: Annotated[int, Field(ge=0, le=24)] = 3
    silence_chance: Share = 0.05
    vanished_days: Annotated[int, Field(ge=3)] = 10
    vanished_chance: Share = 0.001
    overdue_at_once: Annotated[int, Field(ge=2)] = 3
    shift_history: Annotated[int, Field(ge=10)] = 40
    shift_values: Annotated[int, Field(ge=4)] = 8
    shift_tolerance: Share = 0.15


class Relay(Section):
    """A mail server that takes our messages."""

    host: str = "localhost"
    port: Port = 25
    security: Security = "none"
    username: str = ""
    password_env: str = ""
    password_file: OptionalPath = None
    timeout_seconds: Annotated[float, Field(gt=0)] = 30

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.password_env and self.password_file:
            raise ValueError("name password_env or password_file, not both")
        if bool(self.username) != bool(self.password_env or self.password_file):
            raise ValueError("username and one of password_env, password_file go together")
        local = self.host in {"localhost", "127.0.0.1", "::1"}
        if self.username and self.security == "none" and not local:
            raise ValueError('security = "none" would send the password in clear; use "starttls"')
        return self


class Mail(Relay):
    """The first mail server, and what all mails share."""

    sender: Email = "azathioprine-monitor@localhost"
    privacy: Privacy = "minimal"


class Webhook(Section):
    """Another program that is told by HTTP, with signed messages."""

    url: Annotated[str, Field(min_length=1), AfterValidator(_http)]
    secret_env: str = ""
    secret_file: OptionalPath = None
    privacy: Privacy = "minimal"
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10

    @model_validator(mode="after")
    def _has_a_secret(self) -> Webhook:
        if bool(self.secret_env) == bool(self.secret_file):
            raise ValueError("a webhook signs with a secret: name secret_env or secret_file")
        return self


class Queue(Section):
    """A folder where messages lie as JSON files until another program takes them."""

    folder: Folder = Path("queue")
    privacy: Privacy = "minimal"


class Syslog(Section):
    """A syslog that is told that there is a message: ids, no patient data."""

    transport: Literal["unix", "udp", "tcp"] = "unix"
    socket: str = "/dev/log"
    host: str = "localhost"
    port: Port = 514
    facility: Facility = "daemon"


class Bounces(Section):
    """Where mails that came back lie: a folder of .eml files, a mailbox over IMAP, or both."""

    folder: OptionalPath = None
    imap_host: str = ""
    imap_port: Port = 993
    imap_security: Security = "tls"
    imap_username: str = ""
    imap_password_env: str = ""
    imap_password_file: OptionalPath = None
    imap_mailbox: str = "INBOX"
    timeout_seconds: Annotated[float, Field(gt=0)] = 30

    @model_validator(mode="after")
    def _can_sign_in(self) -> Bounces:
        named = bool(self.imap_password_env) + bool(self.imap_password_file)
        if self.imap_host and not (self.imap_username and named == 1):
            raise ValueError(
                "imap_host goes with imap_username and one of imap_password_env, imap_password_file"
            )
        local = self.imap_host in {"localhost", "127.0.0.1", "::1"}
        if self.imap_host and self.imap_security == "none" and not local:
            raise ValueError('imap_security = "none" would send the password in clear; use "tls"')
        return self


class Alarm(Section):
    """How long messages may wait, and who hears by which other way when they wait longer."""

    to: list[Address] = []
    critical_minutes: Annotated[int, Field(gt=0)] = 10
    urgent_minutes: Annotated[int, Field(gt=0)] = 60
    routine_minutes: Annotated[int, Field(gt=0)] = 720


class Route(Section):
    """Who hears of what. An empty list means all."""

    name: str = ""
    to: Annotated[list[RoleOrAddress], Field(min_length=1)]
    then: list[Annotated[list[RoleOrAddress], Field(min_length=1)]] = []
    """Who is told next, tier by tier, while nobody acknowledges."""
    next_tier_after: Waits = []
    """In place of those of `[escalation]`."""
    hours: Literal["any", "open", "closed"] = "any"
    clinics: list[str] = []
    drugs: list[str] = []
    kinds: list[Annotated[Kind, _choice(Kind)]] = []
    urgencies: list[Annotated[Urgency, _choice(Urgency)]] = []
    digest_at: Annotated[str, AfterValidator(_clock_time)] = "07:30"
    digest: bool = True


class Recipient(Section):
    """A role: how to reach it, when it works, how it likes its mail."""

    addresses: list[Address] = []
    telephone: str = ""
    hours: HoursText = ""
    """"" for the clinic's, "always" for any hour of any day."""
    open_days: list[Weekday] = []
    """None: the clinic's."""
    holidays: Holidays = []
    """Besides the clinic's."""
    rota: OptionalPath = None
    handover: Annotated[str, AfterValidator(_handover)] = "mon 08:00"
    rota_timezone: Annotated[str, AfterValidator(lambda name: name and _zone(name))] = ""
    digest_at: Annotated[str, AfterValidator(lambda text: text and _clock_time(text))] = ""
    locale: Annotated[str, AfterValidator(lambda code: code and _locale(code))] = ""
    privacy: Literal["", "minimal", "full"] = ""
    confirmed_on: Annotated[
        date | None, BeforeValidator(lambda day: _day(day) if day else None)
    ] = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.addresses and self.rota is None:
            raise ValueError("a role needs addresses, or a rota that has them")
        return self


class Escalation(Section):
    """How long each urgency waits before the next is told. To be signed by the site."""

    critical_next_tier: Waits = [parse_wait("30 minutes"), parse_wait("60 minutes")]
    critical_outcome: OptionalWait = parse_wait("4 hours")
    critical_repeat: OptionalWait = parse_wait("4 hours")
    urgent_next_tier: Waits = [parse_wait("4 working hours")]
    urgent_closed_longer_than: OptionalWait = parse_wait("24 hours")
    routine_next_tier: Waits = [parse_wait("14 days")]
    confirm_every: OptionalDuration = parse_duration("3 months")
    snooze_urgent_at_most: OptionalDuration = parse_duration("28 days")
    snooze_routine_at_most: OptionalDuration = parse_duration("90 days")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("critical", "urgent", "routine"):
            waits: list[Wait] = getattr(self, f"{name}_next_tier")
            spans = [wait.span for wait in waits]
            if not waits or spans != sorted(set(spans)):
                raise ValueError(f"{name}_next_tier: waits from now on, each longer than the last")
        if any(wait.working for wait in self.critical_next_tier):
            raise ValueError("critical_next_tier: a critical alert waits for no working hours")
        return self


class Quiet(Section):
    """When many alerts become one message."""

    storm_from: Annotated[int, Field(ge=2)] = 25
    storm_window: Annotated[Wait, BeforeValidator(_wait)] = parse_wait("1 hour")
    storm_wait: Annotated[Wait, BeforeValidator(_wait)] = parse_wait("10 minutes")

    @model_validator(mode="after")
    def _of_the_clock(self) -> Self:
        if self.storm_window.working or self.storm_wait.working:
            raise ValueError("a storm is of any hour: no working hours here")
        return self


class Budget(Section):
    """How much anybody is to be told, before they stop reading; 0 for no limit."""

    messages_a_day: Annotated[float, Field(ge=0)] = 10
    """For one recipient, digests apart, on average."""
    alerts_per_100_patient_years: Annotated[float, Field(ge=0)] = 0


class Web(Section):
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: Annotated[str, AfterValidator(_http)] = ""
    fhir_token_env: str = ""
    """The bearer token of POST /fhir is named here or below; without one nothing is served."""
    fhir_token_file: OptionalPath = None
    fhir_largest_mib: Annotated[int, Field(ge=1, le=1024)] = 16

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.fhir_token_env and self.fhir_token_file:
            raise ValueError("name fhir_token_env or fhir_token_file, not both")
        return self

    @property
    def takes_fhir(self) -> bool:
        return bool(self.fhir_token_env or self.fhir_token_file)


class Heartbeat(Section):
    file: OptionalPath = None
    url: Annotated[str, AfterValidator(_http)] = ""


class Retention(Section):
    """No key yet: nothing is ever deleted by the monitor."""


class Settings(Section):
    """The whole file. Build it with `load_settings`."""

    clinic: Clinic
    database: Database
    schedules: Schedules
    intake: Intake
    sources: dict[str, Source] = {}
    feeds: Feeds
    mllp: Mllp
    mail: Mail
    relays: list[Relay] = []
    webhooks: dict[str, Webhook] = {}
    queues: dict[str, Queue] = {}
    syslogs: dict[str, Syslog] = {}
    bounces: Bounces
    recipients: dict[str, Recipient] = {}
    alarm: Alarm
    routes: list[Route] = []
    escalation: Escalation
    quiet: Quiet
    budget: Budget
    web: Web
    heartbeat: Heartbeat
    retention: Retention

    def recipient_of(self, address: str) -> Recipient | None:
        """The first role that has this address (case apart)."""
        lower = address.lower()
        return next(
            (
                role
                for role in self.recipients.values()
                if any(own.lower() == lower for own in role.addresses)
            ),
            None,
        )

    def locale_of(self, recipient: str) -> str:
        """The language of a reader's mails."""
        role = self.recipient_of(recipient)
        return (role.locale if role else "") or self.clinic.locale

    @model_validator(mode="after")
    def _known_channels(self) -> Settings:
        listed = [
            address for route in self.routes for tier in (route.to, *route.then) for address in tier
        ]
        listed += [address for role in self.recipients.values() for address in role.addresses]
        for address in (*listed, *self.alarm.to):
            self._check_known(address)
        return self

    def _check_known(self, address: str) -> None:
        channel, colon, name = address.partition(":")
        if colon and name not in getattr(self, CHANNELS[channel]):
            raise ValueError(f"{address}: there is no [{CHANNELS[channel]}.{name}]")
        if not colon and "@" not in address and address not in self.recipients:
            near = nearest(address, list(self.recipients))
            raise ValueError(f"{address}: there is no [recipients.{address}] {near}".rstrip())

    @model_validator(mode="after")
    def _known_sources(self) -> Settings:
        for name in (self.mllp.source, *self.mllp.senders.values()):
            if name and name not in self.sources:
                raise ValueError(f"[mllp]: there is no [sources.{name}]")
        return self

    @model_validator(mode="before")
    @classmethod
    def _absent_sections(cls, values: Any) -> Any:
        """A section that is not there has its defaults, resolved like written ones."""
        if not isinstance(values, Mapping):
            return values
        empty: dict[str, Any] = {
            name: {} for name, field in cls.model_fields.items() if field.is_required()
        }
        return {**empty, **values}


def section_models() -> dict[str, type[Section]]:
    """Every section of the file by name, those of lists and tables too."""
    models: dict[str, type[Section]] = {}
    for name, field in Settings.model_fields.items():
        candidates = (field.annotation, *get_args(field.annotation))
        models[name] = next(
            kind for kind in candidates if isinstance(kind, type) and issubclass(kind, Section)
        )
    return models
