"""A throw-away clinic that takes spoilt files, alone or many in one transaction, and takes all
back again."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from sqlalchemy import Connection, func, select

from monitor.config import Settings, read_settings
from monitor.core.catalogue import Catalogue
from monitor.intake.context import source_named
from monitor.intake.enrol import enrol_file
from monitor.intake.formats import open_rows
from monitor.intake.load import load_file
from monitor.intake.raw import BadLine, PatientMerge, RawRow
from monitor.intake.report import OUTCOMES, FileReport
from monitor.intake.survey import UnreadableFile, survey
from monitor.operations.schedules import adopt
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of
from tools.fuzz.group import Group, Wrong

PATIENTS = ("F1", "F2", "F3")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECONDS_ALLOWED = 20
"""An input of LARGEST bytes that takes longer hangs."""
_CONFIG = '[clinic]\ntimezone = "Europe/Zurich"\nemail = "operator@clinic.example"\n'
_ENROLMENT = "mrn,drug,started_on\n" + "".join(
    f"{mrn},azathioprine,2026-01-05\n" for mrn in PATIENTS
)
_RESULTS = table_of(tables.ResultRow)
_HELD = table_of(tables.HeldRowTable)
_FILES = table_of(tables.File)


class _Back(Exception):
    """Ends a transaction of which nothing is to remain."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one input."""

    rows: int
    """0 also where no row could be read."""
    unreadable: str
    seconds: float


class Clinic:
    """Loads inputs into one database that never changes."""

    def __init__(self, folder: Path, store: Store, settings: Settings) -> None:
        self._folder, self._store, self._settings = folder, store, settings
        self._heard: set[PatientMerge] = set()
        with store.read() as connection:
            self._catalogue: Catalogue = load_rulebook(connection).catalogue

    def take(self, data: bytes, suffix: str, source: str = "") -> Taken:
        """Load one input and take it back. Raises whatever the load raises but UnreadableFile,
        Wrong where the account does not add up, TimeoutError where it takes too long."""
        path = self._folder / f"input{suffix}"
        path.write_bytes(data)
        began = time.perf_counter()
        rows, unreadable = 0, ""
        with _time_limit(SECONDS_ALLOWED):
            try:
                rows = self._load(path, source)
            except UnreadableFile as refusal:
                unreadable = str(refusal)
        return Taken(rows, unreadable, time.perf_counter() - began)

    def take_together(self, inputs: Sequence[bytes], suffix: str) -> list[Taken | Exception]:
        """Read each input by itself, write all of them in one transaction and take them back:
        what becomes of each, or what it raised. Where writing fails, all have failed by it."""
        with suppress(_Back), self._store.write() as connection:
            group = Group(connection, self._settings, self._catalogue, NOW, self._heard)
            found = [self._read(group, data, suffix) for data in inputs]
            try:
                wrongs = group.write()
            except Exception as fault:  # noqa: BLE001  # every one is what is looked for
                wrongs = dict.fromkeys(range(len(inputs)), fault)
            raise _Back
        return [wrongs.get(number, it) for number, it in enumerate(found)]

    def _read(self, group: Group, data: bytes, suffix: str) -> Taken | Exception:
        path = self._folder / f"input{suffix}"
        path.write_bytes(data)
        began = time.perf_counter()
        rows, unreadable = 0, ""
        try:
            with _time_limit(SECONDS_ALLOWED):
                rows = group.read(path)
        except UnreadableFile as refusal:
            unreadable = str(refusal)
            group.pass_over()
        except Exception as fault:  # noqa: BLE001  # every one is what is looked for
            group.pass_over()
            return fault
        return Taken(rows, unreadable, time.perf_counter() - began)

    def _load(self, path: Path, source: str) -> int:
        written: list[tuple[int, int]] = []

        def look(connection: Connection, _touched: Sequence[int]) -> None:
            written.append(_written(connection))

        report = load_file(self._store, self._settings, path, source, NOW, preview=look)
        self._check(report, path, source, *written[0])
        return report.rows

    def _check(self, report: FileReport, path: Path, source: str, results: int, held: int) -> None:
        """The account against what the reader gives and what the tables hold."""
        counts = {name: getattr(report, name) for name in OUTCOMES}
        if report.rows != sum(counts.values()):
            raise Wrong(f"rows are {report.rows}, outcomes {counts}")
        read = self._rows_read(path, source)
        if report.rows != read:
            raise Wrong(f"rows are {report.rows}, the reader gives {read}")
        new = report.stored + report.superseded + report.withdrawn
        if not new <= results <= new + report.duplicate:
            raise Wrong(f"{results} results written for {counts}")
        if held != report.quarantined:
            raise Wrong(f"{held} held rows written for {counts}")

    def _rows_read(self, path: Path, source: str) -> int:
        mapping = source_named(self._settings, source)
        surveyed = survey(path, mapping.encoding)
        with open_rows(surveyed, mapping, self._catalogue) as opened:
            return sum(isinstance(item, RawRow | BadLine) for item in opened.items)


def _written(connection: Connection) -> tuple[int, int]:
    """Results and held rows of the file being loaded."""
    file_id = select(func.max(_FILES.c.id)).scalar_subquery()
    return (
        connection.scalar(select(func.count()).where(_RESULTS.c.file_id == file_id)) or 0,
        connection.scalar(select(func.count()).where(_HELD.c.file_id == file_id)) or 0,
    )


@contextmanager
def throw_away_clinic() -> Iterator[Clinic]:
    """A clinic with the shipped schedules and PATIENTS, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="monitor-fuzz-") as name:
        folder = Path(name)
        settings = read_settings(_CONFIG, folder / "config.toml", {})
        store = open_store(settings.database.url)
        try:
            store.migrate()
            adopt(store, schedules_folder(), NOW)
            people = folder / "people.csv"
            people.write_text(_ENROLMENT, encoding="utf-8")
            enrol_file(store, settings, people, NOW)
            yield Clinic(folder, store, settings)
        finally:
            store.dispose()


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def expired(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
