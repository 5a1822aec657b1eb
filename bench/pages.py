"""How long the server takes for a page, with so many enrolled.

    python bench/pages.py [ENROLLED] [TIMES]

The clinic of the tests, whose sixty people have the demo's stories (three in ten have an alert
that stands, more than a clinic would bear), is copied until so many are enrolled. A folder of its
own is made and removed. Told are the median and the slowest of so many times, over http on this
machine, with sign-in and audit trail, and the CPU time of server and client together, which does
not grow when the machine is busy with other things.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from sqlalchemy import Connection, text

from monitor.core.permissions import Role
from monitor.store.database import open_store
from tests.clinic import settings_in
from tests.web_clinic import CONFIG, make_clinic, post, web_clinic

KEYS = {
    "patients": ("id", "person_id"),
    "identifiers": ("id", "patient_id"),
    "enrolments": ("id", "patient_id", "home_id", "merged_into"),
    "alerts": ("id", "enrolment_id", "home_id"),
    "alert_history": ("id", "alert_id"),
}
"""What is copied, and which columns count rows of it."""
NAMES = {"mrn", "mrn_key", "mrn_loose", "number", "number_key", "family_name"}


def main(enrolled: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        made, own = Path(name) / "made", Path(name) / "own"
        made.mkdir()
        own.mkdir()
        make_clinic(made)
        store = open_store(settings_in(made, CONFIG).database.url)
        with store.write() as connection:
            _multiply(connection, enrolled)
        with store.engine.connect() as plain:
            plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            plain.exec_driver_sql("ANALYZE")
        with store.read() as connection:
            for table in ("enrolments", "alerts"):
                print(f"{table}: {connection.scalar(text(f'SELECT COUNT(*) FROM {table}'))}")
        store.dispose()
        with web_clinic(made, own, "second_factor = []\nrequests_a_minute = 100000") as web:
            client = web.client(Role.CLINICIAN)
            for path in ("/", "/?view=all&page=9", "/?mine=yes", "/worklist/seen", "/alerts/1"):
                _time(path, times, lambda path=path: client.get(path))
            _time("search", times, lambda: post(client, "/worklist/search", q="peter zeno-7"))


def _time(what: str, times: int, ask: Callable[[], httpx.Response]) -> None:
    took, busy = [], []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        answer = ask()
        took.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - worked) * 1000)
        assert answer.status_code == 200, answer.status_code
    middle, slowest, cpu = statistics.median(took), max(took), statistics.median(busy)
    print(f"{what:20} {middle:6.0f} ms, at most {slowest:.0f} ms; {cpu:.0f} ms of CPU")


def _multiply(connection: Connection, enrolled: int) -> None:
    """Copy everybody, with numbers and names of their own, until so many are enrolled."""
    there = connection.scalar(text("SELECT COUNT(*) FROM enrolments"))
    for table, keys in KEYS.items():
        rows = connection.execute(text(f"SELECT * FROM {table} LIMIT 0"))
        most = connection.scalar(text(f"SELECT MAX(id) FROM {table}"))
        cells = ", ".join(_cell(name, name in keys) for name in rows.keys())  # noqa: SIM118
        copy = text(f"INSERT INTO {table} SELECT {cells} FROM {table} WHERE id <= :most")
        for number in range(1, -(-enrolled // there)):
            connection.execute(copy, {"n": number, "most": most})


def _cell(name: str, is_key: bool) -> str:
    """Every kind of row has fewer than ten thousand in the clinic that is copied."""
    if is_key:
        return f"{name} + 10000 * :n"
    return f"{name} || '-' || :n" if name in NAMES else f'"{name}"'


if __name__ == "__main__":
    given = [int(it) for it in sys.argv[1:]]
    main(*(given + [50_000, 15][len(given) :]))
