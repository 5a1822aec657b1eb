"""The watched folder: files are taken once they have settled, and moved away with a report.

Each step can be repeated: a file that was loaded and not yet moved when the power failed is
loaded again, which changes nothing, and moved, with the account of the first time where that
was already written.
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.config import Settings
from monitor.intake import enrol, events, filing
from monitor.intake.columns import match
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.load import load_file
from monitor.intake.people_file import open_people_table
from monitor.intake.report import FileReport, PeopleReport
from monitor.intake.survey import FileMissing, UnreadableFile, survey, told_name
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.outbox import operator_alarm

DONE, FAILED = "done", "failed"
UNREADABLE, STUCK = "the inbox cannot be read", "the inbox cannot be emptied"
"""What the operator is told of, once a day for all files."""
_LEAST_ROOM = 1 << 16
_ORDER = ("enrol", "events", "results")
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", ".lock")
_COLUMNS = {
    "enrol": (enrol.COLUMNS, enrol.REQUIRED),
    "events": (events.COLUMNS, events.REQUIRED),
}

Report = FileReport | PeopleReport


@dataclass(frozen=True, slots=True)
class InboxOutcome:
    """What became of one file of the inbox."""

    name: str
    kind: str
    """enrol, events or results."""
    moved_to: str
    """Path below the inbox; empty where it could not be moved, and `error` says why."""
    source: str
    """Whose folder it lay in; empty for the inbox itself."""
    state: tuple[int, int] | None = None
    """Its size and time of change before it was read."""
    report: Report | None = None
    error: str = ""

    @property
    def touched(self) -> tuple[int, ...]:
        return () if self.report is None else self.report.touched


class InboxGone(Exception):
    """Nobody can look into the inbox; the text is what to tell the operator."""


def take_inbox(store: Store, settings: Settings, now: datetime) -> list[InboxOutcome]:
    """Take in every settled file: enrolments first, then events, then results.

    Which it is, its header says. A file in a subfolder named after a source of the config is
    read with that source's mapping. Reports hold counts, lines and reasons, no patient data.

    A fault of ours in one file leaves it where it is and does not stop the others; it is
    raised at the end. Raises InboxGone.
    """
    found = [
        (_kind_of(path), source, path)
        for source, path in _candidates(settings)
        if _has_settled(path, settings.intake.settle_seconds, now)
    ]
    found.sort(key=lambda it: (_ORDER.index(it[0]), it[2].name))
    outcomes: list[InboxOutcome] = []
    faults: list[Exception] = []
    for it in found:
        try:
            outcome = _take(store, settings, it, now)
        except StoreError:
            raise
        except Exception as fault:  # noqa: BLE001  # the other files still go in
            faults.append(fault)
        else:
            outcomes += [outcome] if outcome is not None else []
    if faults:
        raise faults[0]
    return outcomes


def folders(settings: Settings) -> list[tuple[str, Path]]:
    """The inbox, and the folders in it that bear the name of a source, with that name."""
    inbox = settings.intake.inbox
    named = [(name, inbox / name) for name in settings.sources if name not in (DONE, FAILED)]
    return [("", inbox), *(it for it in named if is_folder(it[1]))]


def is_folder(path: Path) -> bool:
    """Whether it is a folder, as far as one can see."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _candidates(settings: Settings) -> list[tuple[str, Path]]:
    """The files to be taken in. One source's folder that cannot be read keeps no other out; it is
    told by whoever watches the feeds. Raises InboxGone where the inbox itself cannot be read."""
    found: list[tuple[str, Path]] = []
    for source, folder in folders(settings):
        try:
            found += [
                (source, path)
                for path in sorted(folder.iterdir())
                if path.is_file() and not path.is_symlink() and not is_unfinished(path.name)
            ]
        except OSError as error:
            if not source:
                raise InboxGone(cannot_be_read(folder, error)) from error
    return found


def cannot_be_read(folder: Path, error: OSError) -> str:
    """What to tell the operator of a folder that nobody can look into."""
    return (
        f"The inbox {folder} cannot be read ({error.strerror}): what the laboratory puts "
        "there is not taken in"
    )


def cannot_be_emptied(settings: Settings) -> str:
    """What to tell the operator where files that were taken in cannot be moved away; empty where
    they can. Only as far as this process may write."""
    inbox = settings.intake.inbox
    for folder in (*(it for _, it in folders(settings)), inbox / DONE, inbox / FAILED):
        if not folder.exists():
            continue
        if not folder.is_dir():
            return _why_stuck(folder, os.strerror(errno.ENOTDIR))
        if not os.access(folder, os.W_OK | os.X_OK):
            return _why_stuck(folder, os.strerror(errno.EACCES))
        if _is_full(folder):
            return _why_stuck(folder, os.strerror(errno.ENOSPC))
    return ""


def _is_full(folder: Path) -> bool:
    """Whether not even a report has room there."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def _why_stuck(folder: Path, error: str) -> str:
    return (
        f"What was taken in cannot be moved out of the inbox: {folder} cannot be written "
        f"({error}). It stays there and is read again and again"
    )


def is_unfinished(name: str) -> bool:
    """Whether a file bears a name under which it is left alone."""
    return name.startswith((".", "~")) or name.casefold().endswith((*UNFINISHED, "~"))


def _has_settled(path: Path, seconds: float, now: datetime) -> bool:
    """Whether the file was left alone for a while. One that seems to come from another time
    (a copy that kept its date, a `now` that is not the clock's) has settled too."""
    try:
        changed = path.stat().st_mtime
    except OSError:
        return False
    return abs(now.timestamp() - changed) >= seconds


def _kind_of(path: Path) -> str:
    """Results, unless header (or, where no header can be read, name) says otherwise."""
    try:
        header = open_people_table(survey(path), _KNOWN).header
    except UnreadableFile:
        return next((kind for kind in _COLUMNS if path.name.casefold().startswith(kind)), "results")
    for kind, (ours, required) in _COLUMNS.items():
        try:
            if set(required) <= set(match(header, ours).positions):
                return kind
        except UnreadableFile:
            continue
    return "results"


_KNOWN = frozenset(name for ours, _ in _COLUMNS.values() for name in ours)


def _take(
    store: Store, settings: Settings, found: tuple[str, str, Path], now: datetime
) -> InboxOutcome | None:
    kind, source, path = found
    report: Report | None = None
    error = ""
    state = filing.state(path)
    try:
        report = _load(store, settings, kind, source, path, now)
    except FileNotFoundError:  # another daemon took it while we waited for our turn
        if path.exists():
            raise
        return None
    except FileMissing as refusal:
        if not path.exists():  # another daemon was quicker
            return None
        error = str(refusal)
    except UnreadableFile as refusal:
        error = str(refusal)
    if error.startswith("the file changed"):
        return None
    outcome = _put_away(store, settings, found, report, error, now)
    return outcome and replace(outcome, state=state)


def _load(
    store: Store, settings: Settings, kind: str, source: str, path: Path, now: datetime
) -> Report:
    if kind == "enrol":
        return enrol_file(store, settings, path, now)
    if kind == "events":
        return events_file(store, settings, path, now)
    return load_file(store, settings, path, source, now)


def _put_away(
    store: Store,
    settings: Settings,
    found: tuple[str, str, Path],
    report: Report | None,
    error: str,
    now: datetime,
) -> InboxOutcome | None:
    """Move a file out of the inbox. Of one that could not be taken the operator is told first:
    what has been moved away is not looked at again."""
    kind, source, path = found
    name = told_name(path)
    folder = settings.intake.inbox / (FAILED if error else DONE)
    try:
        target = filing.reserve(folder, _document(found, report, error))
        if error:
            _tell(store, settings, name, f"{folder.name}/{target.name}", error, now)
        if not filing.move(path, target):  # another daemon was quicker
            return None
    except OSError as problem:
        if error:
            _tell(store, settings, name, name, error, now)
        why = cannot_be_emptied(settings) or _why_stuck(folder, problem.strerror or "")
        _alarm(store, settings, STUCK, why, now)
        error = error or f"it cannot be moved to {folder.name}/: {problem.strerror}"
        return InboxOutcome(name, kind, "", source, None, report, error)
    moved_to = f"{folder.name}/{target.name}"
    return InboxOutcome(name, kind, moved_to, source, None, report, error)


def _tell(
    store: Store, settings: Settings, name: str, where: str, error: str, now: datetime
) -> None:
    _alarm(store, settings, f"file {name}", f"inbox/{where}: {error}", now)


def _alarm(store: Store, settings: Settings, topic: str, text: str, now: datetime) -> None:
    clinic = settings.clinic
    with store.write() as connection:
        operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)


def _document(found: tuple[str, str, Path], report: Report | None, error: str) -> dict[str, Any]:
    kind, source, path = found
    document: dict[str, Any] = {"file": told_name(path), "kind": kind, "source": source}
    if error:
        document["error"] = error
    if report is None:
        return document | {"sha256": filing.digest(path)}
    document |= {"sha256": report.sha256, **report.account(), "notes": list(report.notes)}
    if isinstance(report, FileReport):
        document["reasons"] = report.reasons
        document["problems"] = [problem._asdict() for problem in report.problems]
    return document
