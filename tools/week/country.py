"""A country's patients with their past, reviewed once, in a database that two runs begin with."""

from __future__ import annotations

import logging
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text, update

from bench.filling import fill
from bench.population import NOW, Population
from monitor.config import Settings, read_settings
from monitor.daemon.daemon import NIGHTLY
from monitor.delivery.send import deliver_due
from monitor.operations import job_runs
from monitor.review import review_due
from monitor.store import tables
from monitor.store.claims import wake_all
from monitor.store.database import Store, open_store
from monitor.store.outbox import waiting
from monitor.store.tables import table_of
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server
from tools.week.days import DIGEST_AT, ZONE
from tools.week.server import Server

DATABASE = "week"
YEARS = 1
"""Over which those who are enrolled have begun."""
_CLINICS = 25
_ENROLMENTS = table_of(tables.EnrolmentRow)
_FILES = table_of(tables.File)
_CONFIG = """
[clinic]
name = "The clinics of a country"
timezone = "{zone}"
email = "desk@country.example"
telephone = "+44 20 5550 0120"

[database]
url = "{url}"

[intake]
settle_seconds = 0

[web]
port = 0

[mail]
host = "127.0.0.1"
port = {port}
sender = "monitor@country.example"
"""
_ROUTES = """
[[routes]]
to = ["nurse@{clinic}.example"]
then = [["doctor@{clinic}.example"]]
clinics = ["{clinic}"]
digest_at = "{digest_at}"

[[routes]]
to = ["doctor@{clinic}.example"]
clinics = ["{clinic}"]
urgencies = ["critical"]
digest = false
"""


def clinics(enrolled: int) -> list[str]:
    """The names of the clinics among which so many are shared out."""
    return [f"clinic-{number:02d}" for number in range(min(_CLINICS, 1 + enrolled // 40))]


def config(enrolled: int, url: str, port: int) -> str:
    """One monitor for all of them: a nurse and a doctor each."""
    routes = (_ROUTES.format(clinic=it, digest_at=DIGEST_AT) for it in clinics(enrolled))
    return _CONFIG.format(zone=ZONE.key, url=url, port=port) + "".join(routes)


def populate(server: Server, people: Population) -> str:
    """Fill a database, review everyone once, and send what that owes; what was done."""
    with server_database(server) as store:
        store.migrate()
        fill(store, people)
        _settle_in(store, people.size)
        with mail_server(Postbox(chance=random.Random(1), waits=(0.0,))) as port:  # noqa: S311
            text_of = config(people.size, server.url(DATABASE), port)
            _review(text_of)
            sent = _send(store, _settings(text_of))
        with store.write() as connection:
            alerts = connection.scalar(text("SELECT count(*) FROM alerts WHERE state != 'closed'"))
            job_runs.record(connection, NIGHTLY, NOW, NOW, "")  # everyone was reviewed
    return f"{people.rows:,} results, {alerts:,} alerts stand, {sent:,} mails sent"


@contextmanager
def server_database(server: Server) -> Iterator[Store]:
    """The week's database, made anew."""
    bare = open_store(server.url())
    with bare.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text(f"CREATE DATABASE {DATABASE}")
        )
    bare.dispose()
    store = open_store(server.url(DATABASE))
    try:
        yield store
    finally:
        store.dispose()


def _settle_in(store: Store, enrolled: int) -> None:
    """Everybody belongs to a clinic; the past came long ago, so that it is no laboratory's habit
    that a feed is measured by; and everybody is to be reviewed."""
    names = clinics(enrolled)
    which = _ENROLMENTS.c.id % len(names)
    with store.write() as connection:
        for number, name in enumerate(names):
            connection.execute(update(_ENROLMENTS).where(which == number).values(clinic=name))
        connection.execute(update(_FILES).values(received_at=NOW - timedelta(days=400)))
        wake_all(connection, NOW, None)
    with store.engine.connect() as connection:
        vacuum = connection.execution_options(isolation_level="AUTOCOMMIT")
        vacuum.execute(text("VACUUM ANALYZE enrolments"))


def _settings(config_text: str) -> Settings:
    return read_settings(config_text, Path("config.toml"), {})


def _review(config_text: str) -> None:
    """By two processes, as two daemons share it."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_review_due, [config_text] * 2)


def _review_due(config_text: str) -> None:
    settings = _settings(config_text)
    store = open_store(settings.database.url)
    review_due(store, settings, NOW)
    store.dispose()


def _send(store: Store, settings: Settings) -> int:
    """What the first review owes; a storm's message once it has waited."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    sent = 0
    for minutes in (1, 30):
        at = NOW + timedelta(minutes=minutes)
        sent += deliver_due(store, settings, at, who="the first review").sent
    with store.read() as connection:
        if left := waiting(connection):
            raise RuntimeError(f"{left} mails of the first review were not sent")
    return sent
