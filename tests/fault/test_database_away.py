"""A database that goes away and comes back: what a daemon says of it, and how often it asks."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep

import psycopg
import pytest
from sqlalchemy import make_url

from monitor.demo.catcher import Catcher
from monitor.store.database import open_store
from tests.processes import ClinicFolder, met
from tools.week.server import Server

_AWAY = 12.0
"""Seconds; some jobs look each second."""
_GOES, _COMES = "event='the database does not answer'", "event='the database answers again'"


@pytest.fixture
def server(postgres_programs: Path) -> Iterator[Server]:
    """One that this test may stop."""
    with tempfile.TemporaryDirectory(prefix="away-") as folder:
        Path(folder).chmod(0o755)  # it runs as another account where we are root
        server = Server(Path(folder) / "server")
        server.create()
        server.start()
        yield server
        server.stop()


@pytest.fixture
def ward(tmp_path: Path, server: Server, mailbox: Catcher) -> Iterator[ClinicFolder]:
    store = open_store(server.url())
    store.migrate()
    store.dispose()
    folder = tmp_path / "clinic"
    folder.mkdir()
    clinic = ClinicFolder(folder, mailbox.port, database=server.url())
    assert clinic.run("init").returncode == 0
    yield clinic
    clinic.kill_all()


def _stopped(server: Server) -> Callable[[], None]:
    server.stop()
    return server.start


def _without_writes(server: Server) -> Callable[[], None]:
    """As a standby that the address leads to: whoever reads is answered."""
    _set(server, "on")
    return lambda: _set(server, "off")


def _frozen(server: Server) -> Callable[[], None]:
    """Its machine goes on, and acknowledges what is sent to it."""
    stopped = server.processes()
    for process in stopped:
        os.kill(process, signal.SIGSTOP)

    def thaw() -> None:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    return thaw


def _set(server: Server, read_only: str) -> None:
    url = make_url(server.url()).set(drivername="postgresql")
    with psycopg.connect(
        url.render_as_string(), autocommit=True, options="-cdefault_transaction_read_only=off"
    ) as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {read_only}")
        connection.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("goes", [_stopped, _without_writes, _frozen])
def test_it_is_said_once_that_it_went_and_once_that_it_came(
    ward: ClinicFolder, server: Server, goes: Callable[[Server], Callable[[], None]]
) -> None:
    daemon = ward.start()
    sleep(3)  # every job has run once
    comes = goes(server)
    try:
        assert met(lambda: _GOES in daemon.log.read_text(), 90), daemon.log.read_text()
        told = ward.run("health")
        assert told.returncode == 3, told
        assert goes is _without_writes or "does not answer" in told.stdout, told
        sleep(_AWAY)
    except BaseException:
        comes()
        raise
    log = daemon.log.read_text()
    assert log.count(_GOES) == 1
    assert _COMES not in log, "it has not"
    comes()
    assert met(lambda: _COMES in daemon.log.read_text(), 60)
    ward.drop("monday.csv", "mrn,collected_at,analyte,value,unit\n")
    assert met(lambda: not (ward.inbox / "monday.csv").exists(), 60)
    assert daemon.end() == 0
    log = daemon.log.read_text()
    assert (log.count(_GOES), log.count(_COMES)) == (1, 1)
    assert "Traceback" not in log
