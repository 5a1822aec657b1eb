"""Files between being shown and being taken: in a folder of their own, for who brought them, and
gone after an hour."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath

from starlette.datastructures import UploadFile

from monitor.config import Settings

_KEPT = timedelta(hours=1)
_TOKEN = re.compile(r"[0-9]+-[0-9a-f]{32}")
_CLAIMED = ".claimed"
_NAME_LIMIT = 200
"""Bytes: systems bound a name by them, and many letters take several."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that waits for a decision; `token` names it in forms and never in addresses."""

    token: str
    path: Path


def keep(settings: Settings, upload: UploadFile, user_id: int, now: datetime) -> Kept:
    """Keep a file for this person, and let go of what has waited too long."""
    room = _room(settings)
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(settings, now)
    token = f"{user_id}-{secrets.token_hex(16)}"
    folder = room / token
    folder.mkdir(mode=0o700)
    path = folder / plain_name(upload.filename or "")
    with path.open("wb") as file:
        while chunk := upload.file.read(_CHUNK):
            file.write(chunk)
    os.utime(folder, (now.timestamp(), now.timestamp()))
    return Kept(token, path)


def find(settings: Settings, token: str, user_id: int, now: datetime) -> Kept | None:
    """The file of this token, where it still waits and this person brought it."""
    sweep(settings, now)
    if not _TOKEN.fullmatch(token) or not token.startswith(f"{user_id}-"):
        return None
    folder = _room(settings) / token
    files = list(folder.iterdir()) if folder.is_dir() else []
    return Kept(token, files[0]) if files else None


@contextmanager
def claimed(kept: Kept) -> Iterator[Kept | None]:
    """The file for whoever takes it in, and gone after that; None where another request, of a
    button that was pressed twice, was faster. Where it was not taken, it waits as before."""
    folder = kept.path.parent
    own = folder.with_name(f"{folder.name}{_CLAIMED}")
    try:
        folder.rename(own)
    except FileNotFoundError:
        yield None
        return
    try:
        yield Kept(kept.token, own / kept.path.name)
    except BaseException:
        own.rename(folder)
        raise
    shutil.rmtree(own, ignore_errors=True)


def digest(path: Path) -> str:
    """By which the audit trail names a file, as the ledger of files does."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def let_go(kept: Kept) -> None:
    """Remove a file that was taken or left."""
    shutil.rmtree(kept.path.parent, ignore_errors=True)


def sweep(settings: Settings, now: datetime) -> None:
    """Let go of what has waited for more than an hour, whoever brought it."""
    room = _room(settings)
    oldest = (now - _KEPT).timestamp()
    for folder in room.iterdir() if room.is_dir() else ():
        try:
            ours = bool(_TOKEN.fullmatch(folder.name.removesuffix(_CLAIMED)))
            waited = ours and folder.stat().st_mtime < oldest
        except FileNotFoundError:  # somebody else's request was faster
            continue
        if waited:
            shutil.rmtree(folder, ignore_errors=True)


def _room(settings: Settings) -> Path:
    return settings.web.key_file.parent / "uploads"


def plain_name(name: str) -> str:
    """The last part of a name as browsers give it, without signs that a system would mind."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    kept = "".join(sign if sign.isprintable() and sign not in '<>:"|?*' else "_" for sign in last)
    whole = kept.strip(". ").encode()[-_NAME_LIMIT:].decode(errors="ignore")
    return whole or "results.csv"
