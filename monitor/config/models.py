"""What `config.toml` may say, as frozen settings with exact types and no unknown keys.

Paths are relative to the folder of the file (the validation context's `folder`). Secrets
come from the environment or from files, never from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import model_validator

from monitor.config.channels import Alarm, Bounces, Mail, Queue, Relay, Syslog, Webhook
from monitor.config.clinic import Clinic, Database, Heartbeat, Retention, Schedules
from monitor.config.field_types import CHANNELS
from monitor.config.mllp import Mllp
from monitor.config.section import Section
from monitor.config.sources import Feeds, Intake, Source
from monitor.config.telling import Budget, Escalation, Quiet, Recipient, Route
from monitor.config.upkeep import Backup, Metrics
from monitor.config.web import Web
from monitor.core.faults import nearest
from monitor.core.toml_lines import Path as Keys


class Misplaced(ValueError):
    """What is wrong of one key beside others, which the whole file shows; `keys` lead to it."""

    def __init__(self, keys: Keys, problem: str) -> None:
        super().__init__(problem)
        self.keys = keys


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
    metrics: Metrics
    backup: Backup
    retention: Retention

    @model_validator(mode="after")
    def _known_channels(self) -> Settings:
        for keys, addresses in self._addresses():
            for address in addresses:
                self._check_known(keys, address)
        return self

    def _addresses(self) -> Iterator[tuple[Keys, Sequence[str]]]:
        """Whoever is named, with the keys that name them."""
        for number, route in enumerate(self.routes):
            yield ("routes", number, "to"), route.to
            for tier in route.then:
                yield ("routes", number, "then"), tier
        for name, role in self.recipients.items():
            yield ("recipients", name, "addresses"), role.addresses
        yield ("alarm", "to"), self.alarm.to

    def _check_known(self, keys: Keys, address: str) -> None:
        if problem := self.lacks(address):
            raise Misplaced(keys, problem)

    def lacks(self, address: str) -> str:
        """What an address or the name of a role names and the file has not; empty where it has
        everything."""
        channel, colon, name = address.partition(":")
        if colon and name not in getattr(self, CHANNELS[channel]):
            return f"{address}: there is no [{CHANNELS[channel]}.{name}]"
        if not colon and "@" not in address and address not in self.recipients:
            near = nearest(address, list(self.recipients))
            return f"{address}: there is no [recipients.{address}] {near}".rstrip()
        return ""

    @model_validator(mode="after")
    def _known_sources(self) -> Settings:
        named = [
            ("source", self.mllp.source),
            *(("senders", it) for it in self.mllp.senders.values()),
        ]
        for key, name in named:
            if name and name not in self.sources:
                raise Misplaced(("mllp", key), f"there is no [sources.{name}]")
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
