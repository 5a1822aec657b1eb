"""What another system posts as FHIR: taken in as a file is, answered resource by resource.

The same reader, the same transaction, the same account. What it adds is the receipt: what
became of each resource, by its place, without a word of patient data.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from monitor import logs
from monitor.config import Settings
from monitor.intake.context import source_named
from monitor.intake.fhir import BrokenFile, FhirFile
from monitor.intake.held import HELD
from monitor.intake.load import load_file
from monitor.intake.raw import BadLine
from monitor.intake.report import FileReport
from monitor.intake.survey import UnreadableFile, survey
from monitor.review import review_due
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import File, table_of

_FILES = table_of(File)
_ENTRY = re.compile(r"entry\[(\d+)\]")
_PLAIN = "csv"
"""What is taken for text where nothing tells another format."""
_BUNDLES = ("transaction", "batch")
UNREADABLE = ("json", "xml", "fhir")
"""Codes of held resources that are broken as such, whatever they say."""


class Malformed(Exception):
    """Not a document of its kind: nothing was taken. `places` says where it breaks."""

    def __init__(self, reason: str, places: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.places = places


class NotFhir(Exception):
    """A document that is well-formed and brings no FHIR: nothing was taken."""


@dataclass(frozen=True, slots=True)
class HeldResource:
    """A row of this document that waits in quarantine."""

    line: int
    place: str
    code: str
    reason: str

    @property
    def entry(self) -> int | None:
        """Which entry of its Bundle it belongs to."""
        found = _ENTRY.match(self.place)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a posted document."""

    report: FileReport
    kind: str
    """Of the document: Observation, Bundle ...; empty for lines and lists."""
    bundle: str
    """Type of the Bundle: transaction, batch ...; else empty."""
    entries: int
    held: tuple[HeldResource, ...] = ()

    @property
    def wants_entries(self) -> bool:
        """Whether the sender expects an answer for each entry."""
        return self.bundle in _BUNDLES


@dataclass(slots=True)
class _Look:
    """A first reading, to know what it is before anything is taken."""

    kind: str = ""
    bundle: str = ""
    entries: int = 0
    broken: list[BadLine] = field(default_factory=list)


def take(
    store: Store,
    settings: Settings,
    content: bytes,
    *,
    lines: bool,
    source: str,
    now: datetime,
    kind: str = "",
) -> Receipt:
    """Take a document in and commit, then review whom it touched.

    `lines` says that each line is a resource, `kind` which one it has to be. Raises Malformed,
    NotFhir, StoreError; then nothing was taken. Should the review fail, it is still owed.
    """
    with _as_file(content, lines=lines) as path:
        look = _look(store, settings, path, source)
        if look.broken and not lines:
            places = tuple(it.place for it in look.broken)
            raise Malformed(look.broken[0].reason, places)
        if kind and look.kind != kind:
            raise Malformed(f"this is no {kind}")
        try:
            report = load_file(store, settings, path, source, now)
        except UnreadableFile as refusal:
            raise NotFhir(str(refusal)) from None
    _review(store, settings, report, now)
    held = _held(store, source, report.sha256) if report.rows else ()
    if lines:
        return Receipt(report, "", "", 0, held)
    return Receipt(report, look.kind, look.bundle, look.entries, held)


@contextmanager
def _as_file(content: bytes, *, lines: bool) -> Iterator[Path]:
    """The document as a file that only we can read, gone afterwards."""
    name = f"fhir-{hashlib.sha256(content).hexdigest()[:12]}{'.ndjson' if lines else '.fhir'}"
    with tempfile.TemporaryDirectory(prefix="monitor-fhir-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


def _look(store: Store, settings: Settings, path: Path, source: str) -> _Look:
    try:
        mapping = source_named(settings, source)
        surveyed = survey(path, mapping.encoding)
        if surveyed.format == _PLAIN:
            raise Malformed("this begins as no FHIR resource does, in JSON or XML")
        if surveyed.format not in ("json", "xml"):
            raise Malformed(f"this is {surveyed.format_title}, not FHIR JSON or XML")
        with store.read() as connection:
            catalogue = load_rulebook(connection).catalogue
        file = FhirFile(surveyed, mapping, catalogue)
    except BrokenFile as refusal:
        raise Malformed(str(refusal)) from None
    except UnreadableFile as refusal:
        raise NotFhir(str(refusal)) from None
    look = _Look(kind=file.kind, bundle=file.bundle, entries=file.entries)
    look.broken += [it for it in file.broken if it.code in ("json", "xml")]
    return look


def _review(store: Store, settings: Settings, report: FileReport, now: datetime) -> None:
    try:
        review_due(store, settings, now, only=report.touched)
    except Exception as fault:  # noqa: BLE001  # what was taken is safe, and its review owed
        logs.logger("fhir").error("the review is owed", what=logs.places(fault))


def _held(store: Store, source: str, sha256: str) -> tuple[HeldResource, ...]:
    same = select(_FILES.c.id).where(
        _FILES.c.sha256 == sha256, _FILES.c.source == source, _FILES.c.kind == "results"
    )
    query = (
        select(HELD.c.line, HELD.c.raw, HELD.c.reason_code, HELD.c.reason)
        .where(HELD.c.file_id.in_(same), HELD.c.state == "held")
        .order_by(HELD.c.id)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    return tuple(
        HeldResource(row.line, str(row.raw.get("place", "")), row.reason_code, row.reason)
        for row in rows
    )
