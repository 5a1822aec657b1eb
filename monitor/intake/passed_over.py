"""What lies in the inbox and is never taken in: it is told, for it looks as if it had been."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from monitor.config import Settings
from monitor.intake.inbox import DONE, FAILED, UNFINISHED, folders, is_folder, is_unfinished
from monitor.intake.survey import told_name

_BROKEN_OFF = timedelta(days=1)
"""No copy takes so long."""


def passed_over(settings: Settings, now: datetime) -> list[str]:
    """Links, pipes and the like, folders with files in them that are no source's, and copies that
    broke off: what bears the name of an unfinished one since yesterday. Each by its path below the
    inbox; what cannot be read is left to others to tell."""
    known = {*settings.sources, DONE, FAILED}
    return [
        f"{source}/{told_name(path)}" if source else told_name(path)
        for source, folder in folders(settings)
        for path in _entries(folder)
        if not (not source and path.name in known and is_folder(path))
        if _is_passed_over(path, now)
    ]


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except OSError:
        return


def _is_passed_over(path: Path, now: datetime) -> bool:
    try:
        if is_unfinished(path.name):
            return _broke_off(path, now)
        if path.is_symlink() or not path.exists():
            return path.is_symlink()
        return _holds_files(path) if path.is_dir() else not path.is_file()
    except OSError:
        return False


def _broke_off(path: Path, now: datetime) -> bool:
    if not path.name.casefold().endswith(UNFINISHED) or not path.is_file():
        return False
    return now.timestamp() - path.stat().st_mtime > _BROKEN_OFF.total_seconds()


def _holds_files(folder: Path) -> bool:
    """At any depth; one that cannot be looked into may."""
    closed: list[OSError] = []
    for _, _, names in os.walk(folder, onerror=closed.append):
        if closed or any(not is_unfinished(name) for name in names):
            return True
    return bool(closed)
