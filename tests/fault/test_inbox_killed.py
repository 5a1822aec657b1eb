"""The inbox killed (SIGKILL) at each line of its code; the next look repairs everything.

The kill test draws instants at random and hardly ever meets the half millisecond in which a
file is moved and its report written; here each line of it is met.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import select

from monitor.operations import arrivals
from monitor.store.database import Store, open_store
from monitor.store.outbox import DELIVERIES
from tests.clinic import Clinic, at, settings_in

NOW = at("2026-01-12")
FROM = "_put_away"
"""The function of the inbox from which on it is killed: what comes before is one transaction."""
ROOMS = ("/monitor/intake/inbox", "/monitor/intake/filing", "/monitor/operations/arrivals")
FILES = {
    "results.csv": "mrn,collected_at,analyte,value,unit\nA1,2026-01-12,neutrophils,4,10*9/L\n",
    "scan.csv": "%PDF-1.7\n",
}


@pytest.fixture(scope="module")
def beginning(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a clinic with one patient."""
    folder = tmp_path_factory.mktemp("beginning")
    shutil.copy(migrated_sqlite, folder / "monitor.db")
    with opened(folder) as store:
        Clinic(store, settings_in(folder)).enrol("A1")
    return folder


@pytest.mark.parametrize("name", FILES)
def test_killed_at_each_line_a_file_ends_in_its_place_with_its_reports(
    beginning: Path, tmp_path: Path, name: str
) -> None:
    place = 0
    while True:
        folder = tmp_path / str(place)
        shutil.copytree(beginning, folder)
        (folder / "inbox").mkdir()
        (folder / "inbox" / name).write_text(FILES[name])
        line = look_and_die(folder, place)
        look(folder)
        assert_taken(folder, name, f"killed before {line}")
        if not line:
            break
        place += 1
    assert place > 30, "it was to be killed at many places"


def look_and_die(folder: Path, place: int) -> str:
    """Look into the inbox in a process of its own, which dies before the line that is the
    `place`th it comes to; that line, or nothing where it came to its end before."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside pytest's threads
        child = os.fork()
    if child == 0:
        try:
            _die_at(place, write)
            look(folder)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as told:
        line = told.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return line


def _die_at(place: int, tell: int) -> None:
    seen: set[str] = set()
    met_from = False

    def each_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal met_from
        file = frame.f_code.co_filename
        if not any(room in file for room in ROOMS):
            return None
        met_from = met_from or frame.f_code.co_name == FROM
        line = f"{Path(file).name}:{frame.f_lineno}"
        if event == "line" and met_from and line not in seen:
            seen.add(line)
            if len(seen) > place:
                os.write(tell, line.encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return each_line

    sys.settrace(each_line)


def look(folder: Path) -> None:
    with opened(folder) as store:
        arrivals.inbox(store, settings_in(folder, CONFIG), NOW)


CONFIG = """
[clinic]
email = "desk@clinic.example"
[intake]
settle_seconds = 0
"""


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{folder / 'monitor.db'}")
    try:
        yield store
    finally:
        store.dispose()


def assert_taken(folder: Path, name: str, when: str) -> None:
    place = "failed" if name == "scan.csv" else "done"
    inbox = folder / "inbox"
    found = {str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file()}
    expected = {f"{place}/{name}{ending}" for ending in ("", ".report.txt", ".report.json")}
    assert found == expected, when
    document = json.loads((inbox / place / f"{name}.report.json").read_text())
    assert document["file"] == name, when
    assert (inbox / place / f"{name}.report.txt").read_text().startswith(name), when
    with opened(folder) as store, store.read() as connection:
        topics = connection.scalars(
            select(DELIVERIES.c.payload).where(DELIVERIES.c.kind == "operator")
        )
        told = [payload["topic"] for payload in topics]
    assert told == ([f"file {name}"] if place == "failed" else []), when
