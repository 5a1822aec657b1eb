"""How long the server takes for a page, with so many enrolled.

The clinic of the tests, whose sixty people have the demo's stories (three in ten have an alert
that stands, more than a clinic would bear), is copied until so many are enrolled. Pages are asked
for over http on this machine, with sign-in and audit trail; the CPU time is that of server and
client together and does not grow when the machine is busy with other things.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import Connection, text

from bench.plan import Plan, alone, this
from bench.record import Record
from monitor.core.permissions import Role
from monitor.store.database import Store, open_store
from tests.clinic import settings_in
from tests.web_clinic import CONFIG, WebClinic, make_clinic, token_of, web_clinic

TITLE = "A page"
DATABASES = ("sqlite",)
_TIMES = 9
"""Requests a repeat, after one that is not counted."""
_REACH = 200.0
_NOTE = (
    "Of the copied clinic three in ten have an alert that stands, more than a clinic would bear. "
    "CPU is that of server and client together; what the clock says above it is the neighbours' "
    "on a busy machine."
)
_KEYS = {
    "patients": ("id", "person_id"),
    "identifiers": ("id", "patient_id"),
    "enrolments": ("id", "patient_id", "home_id", "merged_into"),
    "alerts": ("id", "enrolment_id", "home_id"),
    "alert_history": ("id", "alert_id"),
}
"""What is copied, and which columns count rows of it."""
_NAMES = {"mrn", "mrn_key", "mrn_loose", "number", "number_key", "family_name"}
_APART = 10_000
"""Between the numbers of one copy and of the next: every table copied has fewer rows."""


def sizes(scale: str) -> Sequence[int]:
    """Enrolled."""
    return {"quick": (1_000,), "usual": (50_000,)}.get(scale, (50_000, 100_000))


def run(plan: Plan) -> list[Record]:
    """The worklist and its other views, one patient, the search."""
    with tempfile.TemporaryDirectory() as name:
        made, own = Path(name) / "made", Path(name) / "own"
        made.mkdir()
        own.mkdir()
        make_clinic(made)
        store = open_store(settings_in(made, CONFIG).database.url)
        _multiply(store, plan.size)
        store.dispose()
        more = "second_factor = []\nrequests_a_minute = 1000000"
        with web_clinic(made, own, more) as web:
            pages = _pages(web)
            return [it for what, ask in pages.items() for it in _records(what, ask, plan.repeats)]


def _pages(web: WebClinic) -> dict[str, Callable[[], httpx.Response]]:
    client = web.client(Role.CLINICIAN)

    csrf = token_of(client.get("/account").text)

    def opened(path: str) -> Callable[[], httpx.Response]:
        return lambda: client.get(path)

    return {
        "worklist": opened("/"),
        "worklist, all, page 9": opened("/?view=all&page=9"),
        "worklist, mine": opened("/?mine=yes"),
        "whether the worklist has changed": opened("/worklist/seen"),
        "a patient": opened(f"/patients/{web.patient_id('D1063')}"),
        "an alert": opened(f"/alerts/{web.alert_id(urgency='critical')}"),
        "a search on the worklist": lambda: client.post(
            "/worklist/search", data={"csrf": csrf, "q": "peter zeno-7"}
        ),
        "a search of patients": lambda: client.post(
            "/patients", data={"csrf": csrf, "text": "Brunner"}
        ),
    }


def _records(what: str, ask: Callable[[], httpx.Response], repeats: int) -> Iterator[Record]:
    ask()
    took, busy = zip(*(_timed(ask) for _ in range(repeats)), strict=True)
    yield Record(what=what, unit="ms", values=took, more_is_better=False, reach=_REACH)
    yield Record(
        what=f"{what}, CPU", unit="ms of CPU", values=busy, more_is_better=False, reach=_REACH,
        note=_NOTE,
    )  # fmt: skip


def _timed(ask: Callable[[], httpx.Response]) -> tuple[float, float]:
    """Milliseconds a request, by the clock and of the processor: the medians."""
    took, busy = [], []
    for _ in range(_TIMES):
        began, worked = time.perf_counter(), time.process_time()
        answer = ask()
        took.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - worked) * 1000)
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"answered {answer.status_code}")
    return median(took), median(busy)


def _multiply(store: Store, enrolled: int) -> None:
    """Copy everybody, with numbers and names of their own, until so many are enrolled."""
    with store.write() as connection:
        there = connection.scalar(text("SELECT COUNT(*) FROM enrolments"))
        for table, keys in _KEYS.items():
            copy = text(_copy(connection, table, keys))
            most = connection.scalar(text(f"SELECT MAX(id) FROM {table}"))
            for number in range(1, -(-enrolled // there)):
                connection.execute(copy, {"n": number, "most": most})
    with store.engine.connect() as plain:
        plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        plain.exec_driver_sql("ANALYZE")


def _copy(connection: Connection, table: str, keys: Sequence[str]) -> str:
    rows = connection.execute(text(f"SELECT * FROM {table} LIMIT 0"))
    cells = ", ".join(_cell(name, name in keys) for name in list(rows.keys()))
    return f"INSERT INTO {table} SELECT {cells} FROM {table} WHERE id <= :most"


def _cell(name: str, is_key: bool) -> str:
    if is_key:
        return f"{name} + {_APART} * :n"
    return f"{name} || '-' || :n" if name in _NAMES else f'"{name}"'


if __name__ == "__main__":
    alone(this(__name__))
