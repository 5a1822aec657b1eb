"""Files that somebody went on writing after they had been taken in: an upload that paused for
longer than a file has to settle. What came behind lies in done/ or failed/, where nobody reads it;
so the file goes back into the inbox, and what was taken in before counts as duplicate.

What this process put away is looked at for an hour; what others did, or this one before it was
killed, at the first look.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.config import Settings
from monitor.intake import filing
from monitor.intake.inbox import DONE, FAILED, InboxOutcome
from monitor.intake.survey import told_name
from monitor.store.database import Store
from monitor.store.outbox import operator_alarm

_LOOKED_AT_FOR = timedelta(hours=1)
"""A server gives up an upload on which nothing comes long before that."""
_EVERY = timedelta(seconds=10)
_FIRST_LOOK_BACK = timedelta(days=1)
_AGAIN = "-again"
"""What the name bears when it comes into the inbox once more: its own may have come anew."""


@dataclass(frozen=True, slots=True)
class _PutAway:
    """A file where it lies, how it was when it was read, and where it goes if that changes."""

    path: Path
    state: tuple[int, int]
    back_to: Path
    at: datetime


class WrittenOn:
    """The files of one inbox that were put away not long ago."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inbox = settings.intake.inbox
        self._put_away: list[_PutAway] = []
        self._looked_at: datetime | None = None

    def note(self, outcomes: Sequence[InboxOutcome], now: datetime) -> None:
        """Remember what was put away just now."""
        self._put_away += [
            _PutAway(self._inbox / it.moved_to, it.state, self._folder_of(it.source), now)
            for it in outcomes
            if it.moved_to and it.state is not None
        ]

    def look(self, store: Store, now: datetime) -> bool:
        """Put those back that are not as they were read, and tell the operator; True where there
        may have been one. Looks every few seconds, however often it is called."""
        if self._looked_at is None:
            self._put_away += self._of_others(now)
        elif abs(now - self._looked_at) < _EVERY:
            return False
        self._looked_at = now
        recent = [it for it in self._put_away if now - it.at < _LOOKED_AT_FOR]
        left = [after for it in recent for after in self._after_look(store, it, now)]
        self._put_away = left
        return len(left) < len(recent)

    def _after_look(self, store: Store, it: _PutAway, now: datetime) -> list[_PutAway]:
        """What is still to be looked at of one: nothing once it was put back, or is gone. Where
        its place is taken or cannot be written, it goes back later."""
        state = filing.state(it.path)
        if state is None:
            return []
        if state == it.state:
            return [it]
        if _is_as_reported(it.path):
            return [replace(it, state=state)]
        target = it.back_to / f"{it.path.stem}{_AGAIN}{it.path.suffix}"
        if target.exists():
            return [it]
        self._tell(store, it.path, target, now)
        try:
            it.path.rename(target)
        except OSError:
            return [it]
        return []

    def _tell(self, store: Store, path: Path, target: Path, now: datetime) -> None:
        clinic, intake = self._settings.clinic, self._settings.intake
        where, name = f"inbox/{path.parent.name}/{told_name(path)}", told_name(target)
        text = (
            f"{where} was still being written after it was taken in: nothing had come for "
            f"{intake.settle_seconds:g} s ([intake] settle_seconds). It is taken in again as "
            f"{name}. The last row that was read before may have been cut short, and gives way to "
            "the whole one. Have its sender write under a name that ends in .part and rename it at "
            "the end, or let files settle for longer"
        )
        with store.write() as connection:
            topic = f"file {told_name(path)} was written on"
            operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)

    def _of_others(self, now: datetime) -> Iterator[_PutAway]:
        """What lies there and was changed since its report was written, within the last day."""
        since = (now - _FIRST_LOOK_BACK).timestamp()
        for name in (DONE, FAILED):
            for path, changed in _files(self._inbox / name):
                reported = filing.state(filing.report_of(path))
                if changed >= since and reported is not None and changed > reported[1] / 1e9:
                    source = str(filing.reported(path).get("source", ""))
                    yield _PutAway(path, (-1, -1), self._folder_of(source), now)

    def _folder_of(self, source: str) -> Path:
        return self._inbox / source if source in self._settings.sources else self._inbox


def _files(folder: Path) -> Iterator[tuple[Path, float]]:
    """The files of a folder, with when each was changed; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat().st_mtime
    except OSError:
        return


def _is_as_reported(path: Path) -> bool:
    """Whether it still holds what its report is about: a date alone may have been set anew."""
    known = filing.reported(path).get("sha256")
    return known is not None and known == filing.digest(path)
