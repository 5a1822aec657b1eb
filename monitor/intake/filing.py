"""Files that were taken: their reports, and their move to where they stay.

A kill at any instant leaves nothing behind that the next attempt would not find: the report in
JSON appears whole or not at all and thereby reserves the name, the one in words is written
again, the move comes last.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

_WORDS, _JSON = ".report.txt", ".report.json"
_LONGEST_NAME, _LONGEST_ENDING = 230, 20
"""Bytes: a folder takes 255, and the endings and a number come behind."""


def reserve(folder: Path, document: dict[str, Any]) -> Path:
    """A path in `folder` under the document's `file`, or under that and a number where the name
    is taken, with the document beside it in JSON and in words.

    What an attempt that was killed has reserved for the same content is taken over, with its
    document. Raises OSError where nothing can be written.
    """
    folder.mkdir(exist_ok=True)
    name = _with_room(document["file"])
    part = folder / f".{document['sha256'][:16] or name}.part"
    report = json.dumps(document, ensure_ascii=False, indent=2).encode()
    part.unlink(missing_ok=True)  # another daemon may have given this one a name just now
    part.write_bytes(report)
    for number in count(1):
        target = folder / (name if number == 1 else f"{name.stem}-{number}{name.suffix}")
        if target.exists():
            continue
        if _publish(part, report, _beside(target, _JSON)):
            break
        known = reported(target)
        if known == document or (document["sha256"] and known.get("sha256") == document["sha256"]):
            document = known
            break
    part.unlink(missing_ok=True)
    _beside(target, _WORDS).write_text(in_words(document), encoding="utf-8")
    return target


def _with_room(name: str) -> Path:
    """The name, cut where the endings of its reports would make it too long for a folder; without
    signs that the system's locale has no bytes for."""
    code = sys.getfilesystemencoding()
    name = name.encode(code, "replace").decode(code).replace("?", "_")
    if len(name.encode()) <= _LONGEST_NAME:
        return Path(name)
    ending = Path(name).suffix
    ending = ending if len(ending.encode()) <= _LONGEST_ENDING else ""
    room = _LONGEST_NAME - len(ending.encode())
    return Path(name.encode()[:room].decode("utf-8", "ignore") + ending)


def move(path: Path, target: Path) -> bool:
    """Move a file to its reserved place; False where somebody else has moved it already."""
    try:
        try:
            path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _carry_over(path, target)
    except FileNotFoundError:
        if not target.exists():  # it went elsewhere, with reports of its own
            for ending in (_WORDS, _JSON):
                _beside(target, ending).unlink(missing_ok=True)
        return False
    return True


def _carry_over(path: Path, target: Path) -> None:
    """To another file system: what stays is there, whole and on the disk, before the file goes."""
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(path, part)
        with part.open("rb+") as copied:
            os.fsync(copied.fileno())
        shutil.copystat(path, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    path.unlink()


def digest(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def state(path: Path) -> tuple[int, int] | None:
    """Size and time of change (ns) of a file; None where it is not there or cannot be seen."""
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_size, known.st_mtime_ns


def report_of(path: Path) -> Path:
    """Where the report of a file that was put away lies."""
    return _beside(path, _JSON)


def reported(path: Path) -> dict[str, Any]:
    """The report beside a file, or of an attempt that ended before the file was moved there;
    empty where there is none that can be read."""
    try:
        known = json.loads(report_of(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def in_words(document: dict[str, Any]) -> str:
    """A document as a person reads it."""
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


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _publish(part: Path, report: bytes, data: Path) -> bool:
    """Give a whole report its name; False where that is taken."""
    try:
        os.link(part, data)
    except FileExistsError:
        return False
    except OSError:  # a share without hard links, or another daemon that files the same is done
        with suppress(FileExistsError), data.open("xb") as stream:
            stream.write(report)
            return True
        return False
    return True
