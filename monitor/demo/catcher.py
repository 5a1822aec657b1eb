"""A mail server on this machine that takes every message and keeps it as files."""

from __future__ import annotations

import asyncio
import base64
import html
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP

_CID = re.compile(r"cid:([^\"'\s>)]+)")
_STARTING = 10.0


@dataclass(frozen=True)
class Caught:
    """A message as it was kept."""

    number: int
    to: str
    subject: str
    at: str
    page: Path
    is_pressing: bool = False
    """Marked as what cannot wait: so is a critical alert, in every language."""


class Catcher:
    """The server; use it as a context manager. `port` is known once it is entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._caught: list[Caught] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="mail catcher", daemon=True)
        self.port: int = self._socket.getsockname()[1]
        self.on_mail: Callable[[Caught], None] = lambda _caught: None

    def __enter__(self) -> Catcher:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._started.wait(_STARTING)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STARTING)

    @property
    def caught(self) -> tuple[Caught, ...]:
        """What came so far, in order."""
        return tuple(self._caught)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep one message; called by the server."""
        raw = bytes(envelope.original_content or envelope.content)
        caught = self._keep(raw, ", ".join(envelope.rcpt_tos))
        self._caught.append(caught)
        self.on_mail(caught)
        return "250 kept"

    def write_index(self) -> Path:
        """A page that lists all messages, the newest first."""
        rows = "\n".join(
            f'<tr><td>{html.escape(mail.at)}</td><td>{html.escape(mail.to)}</td><td><a href="'
            f'{html.escape(mail.page.name)}">{html.escape(mail.subject)}</a></td></tr>'
            for mail in reversed(self._caught)
        )
        path = self._folder / "index.html"
        path.write_text(_INDEX.format(count=len(self._caught), rows=rows), encoding="utf-8")
        return path

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(
                lambda: SMTP(self, hostname="localhost", loop=self._loop, enable_SMTPUTF8=True),
                sock=self._socket,
            )
        )
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._cancel_rest())
        self._loop.close()

    async def _cancel_rest(self) -> None:
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _keep(self, raw: bytes, to: str) -> Caught:
        message = message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        number = len(self._caught) + 1
        subject = str(message["subject"] or "")
        at = parsedate_to_datetime(message["date"]).strftime("%Y-%m-%d %H:%M")
        words = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")[:60].strip("-")
        stem = f"{number:04d}-{at[:10]}-{to.partition('@')[0]}-{words}"
        (self._folder / f"{stem}.eml").write_bytes(raw)
        page = self._folder / f"{stem}.html"
        page.write_text(as_page(message), encoding="utf-8")
        pressing = str(message["importance"] or "").casefold() == "high"
        return Caught(number, to, subject, at, page, pressing)


def as_page(message: EmailMessage) -> str:
    """The HTML of a message with its pictures inside it, so that a browser shows it whole."""
    body = message.get_body(("html", "plain"))
    if body is None:
        return ""
    text = str(body.get_content())
    if body.get_content_type() == "text/plain":
        return f"<!doctype html><meta charset=utf-8><pre>{html.escape(text)}</pre>"
    pictures = {
        str(part["content-id"]).strip("<>"): part
        for part in message.walk()
        if part["content-id"] is not None
    }

    def inline(found: re.Match[str]) -> str:
        part = pictures.get(found[1])
        if part is None:
            return found[0]
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        return f"data:{part.get_content_type()};base64,{base64.b64encode(data).decode()}"

    return _CID.sub(inline, text)


_INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mails of the demo clinic</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222 }}
td {{ padding: .15rem 1rem .15rem 0; vertical-align: top; white-space: nowrap }}
td:last-child {{ white-space: normal }}
</style></head>
<body><h1>Mails of the demo clinic</h1>
<p>{count} messages, the newest first. Each is here as .eml too.</p>
<table>{rows}</table></body></html>
"""
