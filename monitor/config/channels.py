"""Ways out: mail servers, webhooks, queues, syslog; what comes back; how long to wait."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from monitor.config.field_types import (
    Address,
    Email,
    Facility,
    Minutes,
    Port,
    Privacy,
    Seconds,
    Security,
    Url,
)
from monitor.config.section import Folder, OptionalPath, Section


class Relay(Section):
    """A mail server that takes our messages."""

    host: str = "localhost"
    port: Port = 25
    security: Security = "none"
    username: str = ""
    password_env: str = ""
    password_file: OptionalPath = None
    timeout_seconds: Seconds = 30

    @property
    def server(self) -> str:
        """Which one it is, as it is named where it does not work."""
        return f"{self.host}:{self.port}"

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

    url: Annotated[Url, Field(min_length=1)]
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
    timeout_seconds: Seconds = 30

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
    critical_minutes: Minutes = 10
    urgent_minutes: Minutes = 60
    routine_minutes: Minutes = 720
    downtime_minutes: Minutes = 240
