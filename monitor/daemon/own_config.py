"""The daemon's config, and its file as it stands now.

A daemon runs for months and reads its config once. Who edits the file, asks `monitor routes check`
and is told that all is well has changed nothing yet: messages go where they went before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from monitor.config import Settings, load_settings
from monitor.core.faults import Faults

_EDITING = timedelta(minutes=10)
"""So long may somebody be at the file before they are taken to have forgotten the daemon."""


class OwnConfig:
    """The settings in force, and the file they were read from; without one nothing is said."""

    def __init__(self, settings: Settings, path: Path | None) -> None:
        self._settings = settings
        self._path = None if path is None else path.absolute()

    def forgotten(self, now: datetime) -> str:
        """What to say where the file says something else than what is in force, or is no config any
        more, and nobody has written it for a while; "" otherwise."""
        if self._path is None or not _rests(self._path, now):
            return ""
        return _differs(self._settings, self._path)


def _differs(settings: Settings, path: Path) -> str:
    try:
        now = load_settings(path)
    except Faults as faults:
        return (
            f"what {path.name} said at the start is in force, and it is no config any more, so the "
            f"next start would end at once: {faults.faults[0]}"
        )
    changed = [it for it in Settings.model_fields if getattr(now, it) != getattr(settings, it)]
    if not changed:
        return ""
    parts = ", ".join(f"[{name}]" for name in changed)
    return (
        f"{path.name} was edited ({parts}), and what it said at the start is in force: start "
        "`monitor run` anew"
    )


def _rests(path: Path, now: datetime) -> bool:
    try:
        return now.timestamp() - path.stat().st_mtime >= _EDITING.total_seconds()
    except OSError:
        return True
