"""From a row of the outbox to a mail: subject, text, HTML, figures; then RFC 5322."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape
from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.model import Urgency
from monitor.delivery.content import alert_views
from monitor.delivery.digest import DigestContent
from monitor.delivery.fields import fields_of
from monitor.delivery.figure import MOST_BYTES, draw
from monitor.delivery.language import language, translated
from monitor.delivery.subject import parts_of
from monitor.delivery.view import AlertView
from monitor.delivery.words import (
    PURPOSE,
    day_words,
    discreet,
    instant_words,
    one_line,
    pretty,
)
from monitor.resources import templates_folder
from monitor.store.outbox import Leased, domain_of

STORM_CARDS = 3
"""In a storm the worst few are laid out in full, and all the others listed."""
CARDS = 12
"""Alerts of one message that are laid out in full; the others follow as a list."""
ROWS = 60
"""The same for patients of an overdue list."""
FIGURES = 6
MOST_LINES = 40
"""Lines a section of a digest; the number of the others is said."""
_ONE_LINE_SUBJECTS = SMTP.clone(max_line_length=200)
"""A folded subject begins with an empty line or shows its fold in some clients."""
_UNTOUCHED = frozenset(
    {"id", "mrn", "name", "initials", "drug", "clinic", "kind", "urgency", "link", "is_new"}
)
"""Fields of a view that are the same in every language."""
SENDER_NAME = "Laboratory monitor"
"""Says neither clinic nor drug: a sender stands on locked screens like a subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure that travels with the mail, named by its content id."""

    cid: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail before it becomes MIME; `alert_ids` are what it threads with."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()
    alert_ids: tuple[int, ...] = ()
    alerts: tuple[dict[str, Any], ...] = ()
    """The alerts by their fields, for other programs."""


def render(connection: Connection, message: Leased, settings: Settings, now: datetime) -> Rendered:
    """Lay out a message by its kind, with what the store knows at `now`."""
    if message.kind in {"operator", "digest"}:
        return render_bare(message, settings, now)
    views = alert_views(connection, message, settings, now)
    return render_alerts(message, views, settings, now)


def render_bare(message: Leased, settings: Settings, now: datetime) -> Rendered:
    """A message whose payload holds all it says: an operator alarm or a digest."""
    return (_operator if message.kind == "operator" else _digest)(message, settings, now)


def render_alerts(
    message: Leased, views: Sequence[AlertView], settings: Settings, now: datetime
) -> Rendered:
    """A message of alerts or of their withdrawal, from views in its order."""
    template = "withdrawal" if message.kind == "withdrawal" else "alert"
    if template == "alert" and all(view.kind == "overdue_test" for view in views):
        template = "overdue"
        views = sorted(views, key=_latest_first)
    parts = parts_of(views, settings.mail.privacy)
    speak = language(settings.locale_of(message.recipient))
    views = [translated(view, speak, _UNTOUCHED) for view in views]
    most = ROWS if template == "overdue" else CARDS
    if message.payload.get("storm"):
        most = STORM_CARDS
    pictures = _pictures(views, message) if template == "alert" else {}
    return _laid_out(
        template,
        settings,
        now,
        message,
        pictures=tuple(pictures.values()),
        alert_ids=tuple(view.id for view in views),
        alerts=tuple(fields_of(view, settings.mail.privacy) for view in views),
        views=views,
        cards=views[:most],
        rest=views[most:],
        cids={alert_id: picture.cid for alert_id, picture in pictures.items()},
        **parts,
    )


def _latest_first(view: AlertView) -> tuple[int, int, int]:
    serious, days = view.lateness
    return (-Urgency(view.urgency).rank, -serious, -days)


def _pictures(views: Sequence[AlertView], message: Leased) -> dict[int, Picture]:
    """The figures of the first alerts that have one."""
    drawn: dict[int, Picture] = {}
    for view in views[:CARDS]:
        png = draw(view.figure) if view.figure and len(drawn) < FIGURES else b""
        if 0 < len(png) <= MOST_BYTES:
            cid = f"trend-{view.id}.{message.message_id.strip('<>')}"
            drawn[view.id] = Picture(cid=cid, png=png)
    return drawn


def _operator(message: Leased, settings: Settings, now: datetime) -> Rendered:
    topic, text = str(message.payload["topic"]), str(message.payload["text"])
    return _laid_out(
        "operator", settings, now, message, topic=discreet(one_line(topic), "notice"), says=text
    )


def _digest(message: Leased, settings: Settings, now: datetime) -> Rendered:
    content = DigestContent.from_payload(message.payload["content"])
    return _laid_out("digest", settings, now, message, digest=content, most=MOST_LINES)


def plain(message: Leased, settings: Settings) -> Rendered:
    """The message in bare words, for when laying it out failed: an alert must go out."""
    numbers = ", ".join(str(alert_id) for alert_id, _, _ in message.lines)
    about = f"alerts {numbers}" if numbers else f"a message of the kind {message.kind}"
    text = (
        f"{message.urgency.upper()}: {about}.\n\nThe monitor could not lay this message out. "
        "Look now:\n  monitor alerts\n  monitor explain ID\n\n"
        f"Telephone: {settings.clinic.telephone or 'not set'}\n\n{PURPOSE}\n"
    )
    return Rendered(
        subject=f"{message.urgency.upper()}: {about}, layout failed, look now",
        text=text,
        html=f"<pre>{escape(text)}</pre>",
        alert_ids=tuple(alert_id for alert_id, _, _ in message.lines),
    )


def to_email(
    rendered: Rendered, message: Leased, settings: Settings, now: datetime
) -> EmailMessage:
    """RFC 5322 with text and HTML, figures inside, and the headers a repeat shares."""
    mail = EmailMessage(policy=_ONE_LINE_SUBJECTS)
    mail["Subject"] = one_line(rendered.subject)
    mail["From"] = Address(SENDER_NAME, addr_spec=settings.mail.sender)
    mail["To"] = message.recipient
    mail["Reply-To"] = settings.clinic.email
    mail["Date"] = now
    mail["Message-ID"] = message.message_id
    if rendered.alert_ids:
        ours = f"{message.installation}@{domain_of(settings.mail.sender)}"
        mail["References"] = " ".join(f"<alert-{key}.{ours}>" for key in rendered.alert_ids[:20])
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.urgency == "critical":
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    html = mail.get_payload(1)
    assert isinstance(html, EmailMessage)
    for picture in rendered.pictures:
        html.add_related(
            picture.png,
            "image",
            "png",
            cid=f"<{picture.cid}>",
            disposition="inline",
            filename=f"{picture.cid.split('.')[0]}.png",
        )
    return mail


def _laid_out(
    template: str,
    settings: Settings,
    now: datetime,
    message: Leased,
    *,
    pictures: tuple[Picture, ...] = (),
    alert_ids: tuple[int, ...] = (),
    alerts: tuple[dict[str, Any], ...] = (),
    **content: Any,
) -> Rendered:
    zone = settings.clinic.zone
    speak = language(settings.locale_of(message.recipient))
    values = {
        "_": speak.say,
        "counted": speak.count,
        "lang": speak.code,
        "urgency": message.urgency,
        "clinic": settings.clinic.name,
        "telephone": settings.clinic.telephone,
        "full": settings.mail.privacy == "full",
        "refused_by": message.payload.get("refused_by", ""),
        "made": instant_words(now, zone),
        "timezone": settings.clinic.timezone,
        "purpose": PURPOSE,
        "cids": {},
        **content,
    }
    environment = _environment()
    values["subject"] = one_line(environment.get_template(f"{template}/subject.txt").render(values))
    return Rendered(
        subject=values["subject"],
        text=_tidy(environment.get_template(f"{template}/body.txt").render(values)),
        html=environment.get_template(f"{template}/body.html").render(values),
        pictures=pictures,
        alert_ids=alert_ids,
        alerts=alerts,
    )


def _tidy(text: str) -> str:
    """No blank line twice, none at the ends, no space at the end of a line."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for place, line in enumerate(lines) if line or lines[place - 1]]
    return "\n".join(kept) + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder() / "email"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["pretty"] = pretty
    environment.filters["day"] = day_words
    environment.filters["fill"] = _fill
    environment.filters["pad"] = lambda text, width: str(text).ljust(width)
    return environment


def _fill(text: str, hanging: str = "", first: str = "") -> str:
    """Wrapped for a plain-text reader; a command or a link is never broken."""
    return textwrap.fill(
        text,
        72,
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
