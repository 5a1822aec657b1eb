"""From a mail that is laid out to RFC 5322: text and HTML, figures inside, headers that a
repeat shares.

Put together here, since the library's message objects take most of the time of a mail; the
library folds and encodes whatever header is not plain, and reads every mail back in the tests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from monitor.config import Settings
from monitor.delivery.message import Rendered
from monitor.delivery.words import one_line
from monitor.store.leases import Leased
from monitor.store.outbox import domain_of

SENDER_NAME = "Laboratory monitor"
"""Says neither clinic nor drug: a sender stands on locked screens like a subject."""
_LONGEST = 200
"""Signs of a header's line."""
_LONGEST_ROW = 900
"""Signs of a line of a text that goes as it is: less than a server may refuse (RFC 5321, 4.5.3.1.6)
or break (990 is usual)."""
_ONE_LINE_SUBJECTS = SMTP.clone(max_line_length=_LONGEST)
"""A folded subject begins with an empty line or shows its fold in some clients."""
_MARK = "=_"
"""Begins every boundary, and stands in nothing that is encoded (RFC 2045, 6.7)."""
_ROW = 76
"""Signs of base64 in a line (RFC 2045, 6.8)."""
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""A dot-atom (RFC 5322, 3.2.3) of signs that need no thought."""
_MIME = b"MIME-Version: 1.0\r\n"


def to_bytes(rendered: Rendered, message: Leased, settings: Settings, now: datetime) -> bytes:
    """RFC 5322 with text and HTML, figures inside, and the headers a repeat shares."""
    own = hashlib.sha256(message.message_id.encode()).hexdigest()[:24]
    html = _text(_in_ascii(rendered.html), "html")
    if rendered.pictures:
        pictures = [_picture(picture.cid, picture.png) for picture in rendered.pictures]
        html = _MIME + _multipart("related", f"{_MARK}3{own}", [html, *pictures])
    body = _multipart("alternative", f"{_MARK}2{own}", [_text(rendered.text, "plain"), html])
    if rendered.whole_list:
        listed = _text(rendered.whole_list, "csv", 'attachment; filename="alerts.csv"')
        body = _multipart("mixed", f"{_MARK}1{own}", [body, _MIME + listed])
    return _headers(rendered, message, settings, now) + _MIME + body


def _headers(rendered: Rendered, message: Leased, settings: Settings, now: datetime) -> bytes:
    headers = [
        _header("Subject", one_line(rendered.subject)),
        _sender(settings.mail.sender),
        _address("To", message.recipient),
        _address("Reply-To", settings.clinic.email),
        _header("Date", format_datetime(now)),
        _header("Message-ID", message.message_id),
    ]
    if rendered.alert_ids:
        ours = f"{message.installation}@{domain_of(settings.mail.sender)}"
        thread = " ".join(f"<alert-{key}.{ours}>" for key in rendered.alert_ids[:20])
        headers.append(_header("References", thread))
    headers.append(b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n")
    if message.urgency == "critical":
        headers.append(b"Importance: high\r\nX-Priority: 1\r\n")
    return b"".join(headers)


def _header(name: str, value: str) -> bytes:
    """A header of words; the library takes what is long, or not plain ASCII."""
    line = f"{name}: {value}"
    if len(line) <= _LONGEST and line.isascii() and line.isprintable() and "=?" not in value:
        return f"{line}\r\n".encode("ascii")
    return _folded(name, value)


def _address(name: str, value: str) -> bytes:
    """A header of one address; the library takes what is more than dots and letters."""
    if len(value) <= _LONGEST and _PLAIN.fullmatch(value):
        return f"{name}: {value}\r\n".encode("ascii")
    return _folded(name, value)


@lru_cache(maxsize=1024)
def _folded(name: str, value: str) -> bytes:
    policy = _ONE_LINE_SUBJECTS
    return policy.fold_binary(*policy.header_store_parse(name, value))


@lru_cache(maxsize=16)
def _sender(address: str) -> bytes:
    policy = _ONE_LINE_SUBJECTS
    sender = Address(SENDER_NAME, addr_spec=address)
    return policy.fold_binary(*policy.header_store_parse("From", sender))


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """Headers and body of several parts, each with its own headers."""
    mark = f"\r\n--{boundary}".encode("ascii")
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n'.encode("ascii")
    return b"".join([head, *(mark + b"\r\n" + part for part in parts), mark, b"--\r\n"])


def _text(text: str, kind: str, disposition: str = "") -> bytes:
    """A part of text: as it is where that is plain, else in the shorter encoding."""
    lines = text.encode().splitlines()
    body = b"\n".join(lines) + b"\n"
    way = "7bit"
    if not body.isascii() or max(map(len, lines), default=0) > _LONGEST_ROW or b"--=_" in body:
        way, body = _encoded(body)
    place = f"Content-Disposition: {disposition}\r\n" if disposition else ""
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {way}\r\n{place}\r\n"
    )
    return head.encode("ascii") + body.replace(b"\n", b"\r\n")


def _in_ascii(html: str) -> str:
    """HTML that says by references what ASCII lacks, and so goes as it is; not where it is mostly
    of other letters, and they would make it much longer."""
    plain = html.encode("ascii", "xmlcharrefreplace").decode("ascii")
    return plain if len(plain) <= len(html) * 3 // 2 else html


def _encoded(body: bytes) -> tuple[str, bytes]:
    printable = binascii.b2a_qp(body, istext=True)
    if len(printable) <= len(body) * 3 // 2:
        return "quoted-printable", printable
    return "base64", base64.encodebytes(body.replace(b"\n", b"\r\n"))


def _picture(cid: str, png: bytes) -> bytes:
    name = f"{cid.split('.')[0]}.png"
    head = (
        f"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: inline; filename="{name}"\r\n'
        f"Content-ID: <{cid}>\r\nMIME-Version: 1.0\r\n\r\n"
    )
    coded = binascii.b2a_base64(png, newline=False)
    return head.encode("ascii") + b"".join(
        coded[at : at + _ROW] + b"\r\n" for at in range(0, len(coded), _ROW)
    )
