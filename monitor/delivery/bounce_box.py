"""Where bounced mails lie: a folder of .eml files, or a mailbox over IMAP.

A mail is taken out of the box only after what it says was written down; one that comes twice
changes nothing the second time.
"""

from __future__ import annotations

import imaplib
import os
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from monitor.config import Bounces

T = TypeVar("T")
Take = Callable[[bytes], None]
_MOST_BYTES = 5 * 1024 * 1024
_AT_ONCE = 200


class BoxFailed(Exception):
    """The box cannot be read; the text says why, and holds no patient data."""


def empty_folder(folder: Path, take: Take) -> int:
    """Take each .eml file once and move it to `done/`; how many. Raises BoxFailed, where there
    is no such folder too: nobody would hear of what comes back."""
    try:
        mails = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".eml")
        paths = [path for path in mails if path.is_file()][:_AT_ONCE]
        done = folder / "done"
        if paths:
            done.mkdir(exist_ok=True)
        for path in paths:
            with path.open("rb") as stream:
                take(stream.read(_MOST_BYTES))
            path.replace(_free_name(done, path))
    except OSError as error:
        raise BoxFailed(f"the folder of bounces: {error.strerror}") from None
    return len(paths)


def _free_name(done: Path, path: Path) -> Path:
    """A name in `done/` that nothing has: what lies there is never overwritten."""
    taken, number = done / path.name, 1
    while taken.exists():
        number += 1
        taken = done / f"{path.stem}-{number}{path.suffix}"
    return taken


def empty_mailbox(bounces: Bounces, take: Take) -> int:
    """Take each unseen mail of the mailbox once and mark it seen; how many. Raises BoxFailed."""
    try:
        with _connected(bounces) as box:
            box.login(bounces.imap_username, _password(bounces))
            _expect(box.select(_quoted(bounces.imap_mailbox)), "there is no such mailbox")
            found = _expect(box.search(None, "UNSEEN"), "it cannot be searched")
            numbers = (found[0] or b"").split()
            for number in numbers[:_AT_ONCE]:
                name = number.decode()
                parts = _expect(box.fetch(name, "(BODY.PEEK[])"), "a mail cannot be read")
                raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
                take(raw[:_MOST_BYTES])
                box.store(name, "+FLAGS", r"(\Seen)")
            return len(numbers[:_AT_ONCE])
    except (OSError, imaplib.IMAP4.error) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise BoxFailed(f"the mailbox of bounces, {bounces.imap_host}: {said}") from None


def _connected(bounces: Bounces) -> imaplib.IMAP4:
    host, port, wait = bounces.imap_host, bounces.imap_port, bounces.timeout_seconds
    if bounces.imap_security == "tls":
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=wait)
    box = imaplib.IMAP4(host, port, timeout=wait)
    if bounces.imap_security == "starttls":
        box.starttls(ssl.create_default_context())
    return box


def _expect(answer: tuple[str, Sequence[T]], otherwise: str) -> Sequence[T]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(otherwise)
    return data


def _quoted(mailbox: str) -> str:
    escaped = mailbox.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _password(bounces: Bounces) -> str:
    if bounces.imap_password_env:
        if bounces.imap_password_env not in os.environ:
            raise BoxFailed(f"[bounces] imap_password_env: {bounces.imap_password_env} is not set")
        return os.environ[bounces.imap_password_env]
    assert bounces.imap_password_file is not None
    try:
        return bounces.imap_password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BoxFailed("[bounces] imap_password_file cannot be read") from None
