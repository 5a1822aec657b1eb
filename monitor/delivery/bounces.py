"""Delivery reports (RFC 3464): which of our mails did not arrive after all.

A server that took a mail may still give it back. Its report names the recipient, what became
of it, and in most cases our Message-ID; that is all that is read of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

FAILED, DELAYED = "failed", "delayed"
_OURS = re.compile(r"<[0-9a-f]{32}@[^<>\s]+>")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail system says of one recipient of one mail."""

    recipient: str
    action: str
    """failed, delayed, or another word of RFC 3464 that needs nobody."""
    said: str
    """Status and diagnosis, on one line."""
    message_id: str
    """Of the mail it is about; empty where the report does not name it."""


def reports_of(raw: bytes) -> list[Report]:
    """The reports in one mail of the bounce box; empty where it is no delivery report."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    blocks = [block for part in mail.walk() for block in _blocks(part)]
    about = _clean(_message_id(mail))
    return [
        Report(
            recipient=_address(block.get("final-recipient") or block.get("original-recipient")),
            action=str(block["action"]).strip().lower(),
            said=_said(block),
            message_id=about,
        )
        for block in blocks
        if block.get("action")
    ]


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a message/delivery-status part: one a recipient."""
    if part.get_content_type() == "message/delivery-status":
        inner = part.get_payload()
        if isinstance(inner, list):
            yield from (it for it in inner if isinstance(it, Message))


def _message_id(mail: EmailMessage) -> str:
    """The Message-ID of the mail it is about: of the returned mail or headers, else of one of
    ours that it answers or quotes."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                return str(inner[0].get("message-id", "")).strip()
        if kind in {"text/rfc822-headers", "message/rfc822-headers"}:
            body = part.get_payload(decode=True)
            headers = message_from_bytes(body if isinstance(body, bytes) else b"")
            return str(headers.get("message-id", "")).strip()
    known = " ".join(str(mail.get(name, "")) for name in ("in-reply-to", "references"))
    text = mail.get_body(("plain",))
    quoted = text.get_content() if text is not None else ""
    found = _OURS.search(f"{known} {quoted}")
    return found[0] if found else ""


def _address(field: str | None) -> str:
    """`rfc822; nurse@hill.example` as an address."""
    return _clean(str(field or "").rpartition(";")[2]).strip("<>")


def _said(block: Message) -> str:
    diagnosis = str(block.get("diagnostic-code", "")).rpartition(";")[2]
    return _clean(f"{block.get('status', '')} {diagnosis}")[:_SHOWN]


def _clean(text: str) -> str:
    """On one line, and without the signs that PostgreSQL keeps in no text."""
    return " ".join(text.replace("\0", " ").split())
