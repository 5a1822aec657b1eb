"""The watched folder: files are taken once they have settled, and moved away with a report.

Each step can be repeated: a file that was loaded and not yet moved when the power failed is
loaded again, which changes nothing, and moved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.config import Settings
from monitor.intake import enrol, events
from monitor.intake.columns import PERSON_SYNONYMS, fold, match
from monitor.intake.csv import open_table
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.load import load_file
from monitor.intake.report import FileReport, PeopleReport
from monitor.intake.survey import FileMissing, UnreadableFile, survey
from monitor.store.database import Store, StoreError

DONE, FAILED = "done", "failed"
_ORDER = ("enrol", "events", "results")
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", ".lock")
_REPORTS = (".report.txt", ".report.json")
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
    report: Report | None = None
    error: str = ""

    @property
    def touched(self) -> tuple[int, ...]:
        return () if self.report is None else self.report.touched


def take_inbox(store: Store, settings: Settings, now: datetime) -> list[InboxOutcome]:
    """Take in every settled file: enrolments first, then events, then results.

    Which it is, its header says. A file in a subfolder named after a source of the config is
    read with that source's mapping. Reports hold counts, lines and reasons, no patient data.

    A fault of ours in one file leaves it where it is and does not stop the others; it is
    raised at the end.
    """
    inbox = settings.intake.inbox
    found = [
        (_kind_of(path), source, path)
        for source, path in _candidates(inbox, settings)
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


def _candidates(inbox: Path, settings: Settings) -> list[tuple[str, Path]]:
    folders = [("", inbox), *((name, inbox / name) for name in settings.sources)]
    return [
        (source, path)
        for source, folder in folders
        if folder.is_dir() and folder.name not in (DONE, FAILED)
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.is_symlink() and not _is_unfinished(path.name)
    ]


def _is_unfinished(name: str) -> bool:
    return name.startswith((".", "~")) or name.casefold().endswith((*_UNFINISHED, "~"))


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
        with open_table(survey(path), lambda name: fold(name) in _KNOWN) as table:
            header = table.header
    except UnreadableFile:
        return next((kind for kind in _COLUMNS if path.name.casefold().startswith(kind)), "results")
    for kind, (ours, required) in _COLUMNS.items():
        try:
            if set(required) <= set(match(header, ours, PERSON_SYNONYMS).positions):
                return kind
        except UnreadableFile:
            continue
    return "results"


_KNOWN = {fold(name) for ours, _ in _COLUMNS.values() for name in ours} | {
    fold(word) for words in PERSON_SYNONYMS.values() for word in words
}


def _take(
    store: Store, settings: Settings, found: tuple[str, str, Path], now: datetime
) -> InboxOutcome | None:
    kind, source, path = found
    report: Report | None = None
    error = ""
    try:
        report = _load(store, settings, kind, source, path, now)
    except FileMissing as refusal:
        if not path.exists():  # another daemon was quicker
            return None
        error = str(refusal)
    except UnreadableFile as refusal:
        error = str(refusal)
    if error.startswith("the file changed"):
        return None
    return _moved(settings.intake.inbox, path, kind, report, error)


def _load(
    store: Store, settings: Settings, kind: str, source: str, path: Path, now: datetime
) -> Report:
    if kind == "enrol":
        return enrol_file(store, settings, path, now)
    if kind == "events":
        return events_file(store, settings, path, now)
    return load_file(store, settings, path, source, now)


def _moved(
    inbox: Path, path: Path, kind: str, report: Report | None, error: str
) -> InboxOutcome | None:
    folder = inbox / (FAILED if error else DONE)
    document = _document(path.name, kind, report, error)
    try:
        folder.mkdir(exist_ok=True)
        target = _reserve(folder, path.name, document)
        path.replace(target)
    except FileNotFoundError:  # another daemon was quicker, and has written its own report
        for ending in _REPORTS:
            (folder / f"{target.name}{ending}").unlink(missing_ok=True)
        return None
    except OSError as problem:
        reason = f"it cannot be moved to {folder.name}/: {problem.strerror}"
        return InboxOutcome(path.name, kind, "", report, error or reason)
    return InboxOutcome(path.name, kind, f"{folder.name}/{target.name}", report, error)


def _reserve(folder: Path, name: str, document: dict[str, Any]) -> Path:
    """A name that nothing in the folder has, with its reports written beside it; the first
    report taken with O_EXCL makes the name ours."""
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        text, data = (folder / f"{target.name}{ending}" for ending in _REPORTS)
        if not target.exists():
            if _is_left_over(data, document):
                return target
            try:
                with data.open("x", encoding="utf-8") as stream:
                    json.dump(document, stream, ensure_ascii=False, indent=2)
            except FileExistsError:
                pass
            else:
                text.write_text(_as_text(document), encoding="utf-8")
                return target
        number += 1


def _is_left_over(data: Path, document: dict[str, Any]) -> bool:
    """Whether the report was written by a run that ended before it could move the file."""
    try:
        known = json.loads(data.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    sha256 = document.get("sha256")
    return isinstance(known, dict) and bool(sha256) and known.get("sha256") == sha256


def _document(name: str, kind: str, report: Report | None, error: str) -> dict[str, Any]:
    document: dict[str, Any] = {"file": name, "kind": kind}
    if error:
        document["error"] = error
    if report is None:
        return document
    document |= {"sha256": report.sha256, **report.account(), "notes": list(report.notes)}
    if isinstance(report, FileReport):
        document["reasons"] = report.reasons
        document["problems"] = [problem._asdict() for problem in report.problems]
    return document


def _as_text(document: dict[str, Any]) -> str:
    lines = [f"{document['file']} ({document['kind']})", ""]
    if "error" in document:
        lines += [f"Not taken: {document['error']}", ""]
    counts = {name: it for name, it in document.items() if isinstance(it, int)}
    lines += [f"{name:>12}: {count}" for name, count in counts.items()]
    lines += ["", *document.get("notes", ())]
    reasons = document.get("reasons", {})
    if reasons:
        lines += ["", "Held in quarantine (monitor quarantine list):"]
        lines += [f"{count:>12} x {reason}" for reason, count in reasons.items()]
    listed = document.get("problems") or document.get("refused") or ()
    if listed:
        lines += ["", "The first of them:" if reasons else "Refused:"]
        lines += [f"line {it['line']}: {it['reason']}" for it in listed]
    return "\n".join(lines) + "\n"
