"""From a row of the outbox to a mail: subject, text, HTML, figures; then RFC 5322."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape
from sqlalchemy import Connection, Row

from monitor.config import Settings, locale_of
from monitor.core.vocabulary import Urgency
from monitor.delivery.content import alert_views, recorded_dead
from monitor.delivery.digest import DigestContent
from monitor.delivery.discretion import discreet_view
from monitor.delivery.fields import bare_fields, fields_of, whole_list
from monitor.delivery.figure import MOST_BYTES, draw
from monitor.delivery.language import ENGLISH, language, translated
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
from monitor.store.leases import Leased

MOST_MAIL_BYTES = 60 * 1024
"""Of a whole mail as it is sent, without the attached list of a storm."""


class Room(NamedTuple):
    """How much of a message is laid out: alerts in full, figures among them, alerts named."""

    cards: int
    figures: int
    listed: int


ROOMS = (
    Room(12, 6, 200), Room(8, 4, 150), Room(5, 3, 120), Room(3, 2, 100), Room(1, 1, 80),
    Room(1, 0, 60), Room(0, 0, 60),
)  # fmt: skip
LIST_ROOMS = (Room(60, 0, 400), Room(30, 0, 300), Room(15, 0, 250), Room(5, 0, 200))
"""Tried in this order until the mail is small enough; overdue lists have the second."""
STORM_CARDS = 3
"""Alerts that a storm's summary shows in full; the others are a line each, the worst first. A
list of overdue tests is lines anyway."""
MOST_LINES = 40
"""Lines a section of a digest; the number of the others is said."""
_UNTOUCHED = frozenset(
    {
        "id",
        "mrn",
        "name",
        "initials",
        "drug",
        "clinic",
        "kind",
        "urgency",
        "state",
        "link",
        "is_new",
    }
)
"""Fields of a view that are the same in every language."""


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
    whole_list: str = ""
    """CSV of all alerts, where the mail has no room to name each; it is attached."""


def render(
    connection: Connection,
    message: Leased,
    settings: Settings,
    now: datetime,
    known: Mapping[int, Row[Any]] | None = None,
) -> Rendered:
    """Lay out a message by its kind, with what the store knows at `now`; of its alerts that may
    be `known` already."""
    if message.kind == "operator":
        return render_bare(message, settings, now)
    if message.kind == "digest":
        return _digest(message, settings, now, recorded_dead(connection, now))
    views = alert_views(connection, message, settings, now, known)
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
    if template != "withdrawal":
        views = sorted(views, key=attrgetter("is_closed"))
    parts = parts_of(views, settings.mail.privacy)
    views = [discreet_view(view, settings.mail.privacy) for view in views]
    speak = language(locale_of(settings, message.recipient))
    if speak.code != ENGLISH:
        views = [translated(view, speak, _UNTOUCHED) for view in views]
    draws = template == "alert"
    rooms: Sequence[Room] = ROOMS if draws or template == "withdrawal" else LIST_ROOMS
    if rooms is ROOMS and message.payload.get("storm"):
        rooms = tuple(room for room in rooms if room.cards <= STORM_CARDS)
    for room in rooms:
        pictures = _pictures(views[: room.cards], message, room.figures if draws else 0)
        laid_out = _laid_out(
            template,
            settings,
            now,
            message,
            pictures=tuple(pictures.values()),
            alert_ids=tuple(view.id for view in views),
            alerts=tuple(fields_of(view, settings.mail.privacy) for view in views),
            whole_list=whole_list(views) if len(views) > room.listed else "",
            views=views,
            cards=views[: room.cards],
            rest=views[room.cards : room.listed],
            unlisted=max(0, len(views) - room.listed),
            cids={alert_id: picture.cid for alert_id, picture in pictures.items()},
            **parts,
        )
        if size_of(laid_out) <= MOST_MAIL_BYTES:
            break
    return laid_out


def size_of(rendered: Rendered) -> int:
    """About the bytes of the mail as it is sent: figures as base64, some for the headers."""
    figures = sum(len(picture.png) for picture in rendered.pictures)
    signs = len(rendered.text.encode()) + len(rendered.html.encode())
    return signs + signs // 8 + figures * 4 // 3 + figures // 57 * 2 + 2048


def _latest_first(view: AlertView) -> tuple[int, int, int]:
    serious, days = view.lateness
    return (-Urgency(view.urgency).rank, -serious, -days)


def _pictures(views: Sequence[AlertView], message: Leased, most: int) -> dict[int, Picture]:
    """The figures of the first alerts that have one."""
    drawn: dict[int, Picture] = {}
    for view in views:
        png = draw(view.figure) if view.figure and len(drawn) < most else b""
        if 0 < len(png) <= MOST_BYTES:
            cid = f"trend-{view.id}.{message.message_id.strip('<>')}"
            drawn[view.id] = Picture(cid=cid, png=png)
    return drawn


def _operator(message: Leased, settings: Settings, now: datetime) -> Rendered:
    topic, text = str(message.payload["topic"]), str(message.payload["text"])
    return _laid_out(
        "operator",
        settings,
        now,
        message,
        topic=discreet(one_line(topic), "notice"),
        says=text,
        test=bool(message.payload.get("test")),
    )


def _digest(
    message: Leased, settings: Settings, now: datetime, dead: Collection[str] = ()
) -> Rendered:
    content = DigestContent.from_payload(message.payload["content"]).without(dead)
    if settings.mail.privacy == "minimal" and message.payload.get("privacy") == "full":
        content = content.discreet  # it goes to another reader than it was composed for
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
        alerts=tuple(bare_fields(it, message.urgency) for it, _, _ in message.lines),
    )


def _laid_out(
    template: str,
    settings: Settings,
    now: datetime,
    message: Leased,
    *,
    pictures: tuple[Picture, ...] = (),
    alert_ids: tuple[int, ...] = (),
    alerts: tuple[dict[str, Any], ...] = (),
    whole_list: str = "",
    **content: Any,
) -> Rendered:
    zone = settings.clinic.zone
    speak = language(locale_of(settings, message.recipient))
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
        whole_list=whole_list,
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
        auto_reload=False,
    )
    environment.filters["pretty"] = pretty
    environment.filters["day"] = day_words
    environment.filters["fill"] = _fill
    environment.filters["pad"] = lambda text, width: str(text).ljust(width)
    return environment


@lru_cache(maxsize=1024)
def _fill(text: str, hanging: str = "", first: str = "") -> str:
    """Wrapped for a plain-text reader; a command or a link is never broken. The sentences of a
    protocol come again from mail to mail."""
    return textwrap.fill(
        text,
        72,
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
