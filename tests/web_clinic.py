"""A served clinic with the demo's patients and their stories, and people who may sign in to it.

It is made once a session (a few seconds) and copied for each test. Its time stands still at NOW
until a test moves it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import select

from monitor.config import Settings
from monitor.core.permissions import Role
from monitor.demo.book import CITY, CITY_COLUMNS, Book, Row, write_csv
from monitor.demo.stories import Clinic
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.load import load_file
from monitor.operations import accounts
from monitor.operations.schedules import adopt
from monitor.resources import schedules_folder
from monitor.review import review_due
from monitor.store import tables
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.database import Store, open_store
from monitor.store.tables import table_of
from monitor.web.server import serving
from tests.clinic import at, settings_in

NOW = at("2026-03-10", 10)
PASSWORD = "river copper window"
_PATIENCE = 60
"""Seconds: a stopped server fails a test, a machine busy with other things does not."""
PEOPLE = {
    Role.VIEWER: ("v.stone", "Vera Stone"),
    Role.NURSE: ("n.gray", "Nora Gray"),
    Role.CLINICIAN: ("c.field", "Dr Carl Field"),
    Role.ADMIN: ("a.moore", "Ada Moore"),
}
_CITY = "\n".join(f'{ours} = "{theirs}"' for ours, theirs in CITY_COLUMNS.items())
CONFIG = f"""
[clinic]
name = "North clinic"
timezone = "Europe/Zurich"
email = "operator@clinic.example"
telephone = "+41 00 000 00 00"

[sources.{CITY}]
date_format = "day_first"
decimal_comma = true
delimiter = ";"
[sources.{CITY}.columns]
{_CITY}

[[routes]]
to = ["nurse@clinic.example"]

[web]
port = 0
"""


def make_clinic(folder: Path) -> None:
    """The clinic's database in this folder."""
    settings = settings_in(folder, CONFIG)
    store = open_store(settings.database.url)
    store.migrate()
    clinic = Clinic(NOW.date())
    begun = NOW - timedelta(weeks=8)
    adopt(store, schedules_folder(), begun)
    _hand_over(store, settings, clinic.book, folder, begun)
    for role, (name, full_name) in PEOPLE.items():
        accounts.add(
            store, name=name, full_name=full_name, role=role, password=PASSWORD,
            must_change=False, by=ON_THE_COMMAND_LINE, now=begun,
        )  # fmt: skip
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.dispose()


def _hand_over(store: Store, settings: Settings, book: Book, folder: Path, begun: datetime) -> None:
    """Enrolments on their days; all that happened since, and all results, at once today."""
    for day, rows in sorted(book.enrolments.items()):
        path = folder / f"{day}.csv"
        write_csv(path, tuple(rows[0]), rows)
        enrol_file(store, settings, path, max(begun, at(day.isoformat(), 7)))
    now = NOW - timedelta(hours=2)
    path = folder / "results.csv"
    write_csv(path, _columns(book.results), _rows(book.results))
    load_file(store, settings, path, "", now)
    write_csv(path, _columns(book.city_results), _rows(book.city_results), ";")
    load_file(store, settings, path, CITY, now)
    write_csv(path, ("mrn", "on", "event", "value", "note"), _rows(book.events))
    events_file(store, settings, path, now)
    review_due(store, settings, NOW - timedelta(hours=1), everyone=True)


def _rows(days: Mapping[date, list[Row]]) -> list[Row]:
    return [row for _, rows in sorted(days.items()) for row in rows]


def _columns(days: Mapping[date, list[Row]]) -> tuple[str, ...]:
    return tuple(_rows(days)[0])


@dataclass
class WebClinic:
    """The clinic of one test: its store, its time, and ways in."""

    folder: Path
    settings: Settings
    store: Store
    now: datetime = NOW
    url: str = ""
    _clients: list[httpx.Client] = field(default_factory=list)

    def client(self, role: Role | None = None) -> httpx.Client:
        """A browser without script, in which somebody of this role is signed in."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=_PATIENCE)
        self._clients.append(client)
        if role is not None:
            assert self.sign_in(client, PEOPLE[role][0]).status_code == 303
        return client

    def sign_in(self, client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
        token = token_of(client.get("/sign-in").text)
        fields = {"csrf": token, "name": name, "password": password, "next": "/"}
        return client.post("/sign-in", data=fields)

    def patient_id(self, mrn: str) -> int:
        """The patient of this number, as addresses name it."""
        with self.store.read() as connection:
            patients = table_of(tables.Patient)
            query = select(patients.c.id).where(patients.c.mrn == mrn)
            return int(connection.scalars(query).one())

    def alert_id(self, **equal: str) -> int:
        """The oldest alert with these values."""
        alerts = table_of(tables.AlertRow)
        query = select(alerts.c.id).order_by(alerts.c.id)
        for name, value in equal.items():
            query = query.where(alerts.c[name] == value)
        with self.store.read() as connection:
            return int(connection.scalars(query.limit(1)).one())

    def held_id(self) -> int:
        """The oldest row in quarantine."""
        held = table_of(tables.HeldRowTable)
        query = select(held.c.id).where(held.c.state == "held").order_by(held.c.id)
        with self.store.read() as connection:
            return int(connection.scalars(query.limit(1)).one())

    def audit(self) -> list[str]:
        """The audit trail, a line each: who: what."""
        audit = table_of(tables.AuditRow)
        with self.store.read() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.id))
            return [f"{row.who}: {row.what}" for row in rows]

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.store.dispose()


@contextmanager
def web_clinic(made: Path, folder: Path, more: str = "second_factor = []") -> Iterator[WebClinic]:
    """A test's own copy of the clinic in `made`, served. `more` are lines of its [web]."""
    shutil.copy(made / "monitor.db", folder / "monitor.db")
    settings = settings_in(folder, f"{CONFIG}{more}\n")
    own = WebClinic(folder, settings, open_store(settings.database.url))
    with serving(settings, now=lambda: own.now) as port:
        own.url = f"http://127.0.0.1:{port}"
        try:
            yield own
        finally:
            own.close()


def token_of(page: str) -> str:
    """The token that the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]


def post(client: httpx.Client, path: str, seen: str = "/account", **fields: str) -> httpx.Response:
    """Send a form, with the token of the page `seen`."""
    return client.post(path, data={"csrf": token_of(client.get(seen).text), **fields})
