"""What tests of delivery share: a real mail server with moods, and alerts in a store."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from sqlalchemy import Connection, insert

from monitor.config import Settings, read_settings
from monitor.core.routing import Line, Planned
from monitor.core.vocabulary import Urgency
from monitor.intake.context import new_id
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.outbox import enqueue
from monitor.store.tables import table_of
from tests.golden.mail_samples import neutropenia, overdue, raised_alt

EVIDENCE = {
    "critical": neutropenia,
    "urgent": raised_alt,
    "routine": lambda: overdue("A1", serious=False),
}


@dataclass
class Mood:
    """How the server answers: a reply for a recipient or for the data, once or always."""

    to: dict[str, str] = field(default_factory=dict)
    sender: str = ""
    data: list[str] = field(default_factory=list)
    """Replies to the data of the next messages; `drop` hangs up after taking the message."""
    slow: float = 0.0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802  # named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: Any
    ) -> Any:
        if not session.host_name:
            self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        await asyncio.sleep(self.slow)
        if self.sender:
            return self.sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.to:
            return self.to[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        reply = self.data.pop(0) if self.data else "250 OK"
        if reply in {"250 OK", "drop"}:
            assert isinstance(envelope.content, bytes)
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.taken.append(parsed)
            self.recipients += envelope.rcpt_tos
        if reply == "drop":
            assert server.transport is not None
            server.transport.close()
        return reply


class _AnyPort(Controller):
    """A controller on whatever port is free."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        trigger: Callable[[], None] = super()._trigger_server
        trigger()


@contextmanager
def mail_server(
    mood: Mood, *, tls: ssl.SSLContext | None = None, starttls: bool = False, users: Any = None
) -> Iterator[int]:
    """A server on a free port of this machine; yields the port."""

    def authenticator(server: Any, session: Any, envelope: Any, way: str, data: Any) -> AuthResult:
        known = users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=known, handled=known)

    extra: dict[str, Any] = {}
    if starttls:
        extra = {"tls_context": tls, "require_starttls": True}
    if users is not None:
        extra |= {"authenticator": authenticator, "auth_required": True}
        extra["auth_require_tls"] = starttls
    controller = _AnyPort(
        mood,
        hostname="127.0.0.1",
        port=0,
        ssl_context=None if starttls else tls,
        **extra,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def settings_for(port: int, more: str = "", *, routes: str = "", clinic: str = "") -> Settings:
    """A config that mails to a port of this machine."""
    text = f"""
    [clinic]
    name = "Rheumatology"
    timezone = "Europe/Zurich"
    email = "clinic@hill.example"
    telephone = "+41 44 555 01 20"
    {clinic}
    [mail]
    host = "127.0.0.1"
    port = {port}
    sender = "monitor@hill.example"
    timeout_seconds = 5
    {more}
    {routes}
    """
    return read_settings(text, Path("config.toml"), {})


def add_alert(
    connection: Connection, now: datetime, urgency: str = "urgent", **changed: Any
) -> int:
    """An enrolled patient with one open alert; the alert's id."""
    number = len(connection.exec_driver_sql("SELECT id FROM patients").all()) + 1
    patient = changed.pop("patient", {}) | {"mrn": f"A{number}", "mrn_key": f"a{number}"}
    row = connection.execute(
        insert(table_of(tables.Patient)).values(
            {"mrn_loose": f"a{number}", "family_name": "", "given_name": "", "sex": ""} | patient
        )
    )
    patient_id = new_id(row)
    place = changed.pop("enrolment", {})
    row = connection.execute(
        insert(table_of(tables.EnrolmentRow)).values(
            {
                "patient_id": patient_id,
                "drug": "azathioprine",
                "protocol_id": "azathioprine",
                "indication": "",
                "clinic": "",
                "started_on": date(2026, 3, 2),
                "enrolled_on": date(2026, 3, 2),
                "enrolled_at": now,
                "tpmt": "",
                "nudt15": "",
            }
            | place
        )
    )
    shown = EVIDENCE[urgency]()
    alert = {
        "enrolment_id": new_id(row),
        "cause": f"rule:{shown['rule']}",
        "kind": shown["kind"],
        "rule": shown["rule"],
        "urgency": urgency,
        "state": "open",
        "recovered": False,
        "opened_at": now,
        "summary": shown["summary"],
        "level": 1,
        "downward": True,
        "breaches": [],
        "subjects": [],
        "shown": shown,
        "content": "",
        "first_seen_recovered": False,
        "closed_recovered": False,
        "protocol_digest": "8c1f",
    } | changed
    row = connection.execute(insert(table_of(tables.AlertRow)).values(alert))
    return new_id(row)


def queue_alert(
    store: Store, settings: Settings, to: str, now: datetime, urgency: str = "urgent"
) -> int:
    """One message of one alert in the outbox; the alert's id."""
    with store.write() as connection:
        alert_id = add_alert(connection, now, urgency)
        line = Line(alert_id=alert_id, what="opened", reason="", urgency=Urgency(urgency))
        planned = Planned(kind="alert", recipient=to, urgency=Urgency(urgency), lines=(line,))
        zone, sender = settings.clinic.zone, settings.mail.sender
        assert enqueue(connection, [planned], now, zone=zone, sender=sender) == 1
    return alert_id
