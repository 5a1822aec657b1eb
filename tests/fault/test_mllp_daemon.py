"""`monitor run` with a listener: a message becomes a mail, and SIGTERM ends it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from tests.fault.mllp_senders import framed, free_port, sender, verdict
from tests.hl7_messages import obx, oru
from tests.processes import ClinicFolder, met


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def clinic(
    tmp_path: Path,
    migrated_sqlite: Path,
    mailbox: Catcher,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ClinicFolder]:
    monkeypatch.setenv("MONITOR__MLLP__PORT", str(port))
    folder = tmp_path / "clinic"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "monitor.db")
    made = ClinicFolder(folder, mailbox.port)
    assert made.run("init").returncode == 0
    (folder / "people.csv").write_text("mrn,drug,started_on\nA1,azathioprine,2026-01-05\n")
    assert made.run("enrol", "people.csv").returncode == 0
    yield made
    made.kill_all()


def critical(value: str = "0.4", control: str = "1") -> str:
    today = time.strftime("%Y%m%d%H%M", time.gmtime(time.time() - 3600))
    return oru(obx("751-8^N^LN", value), control=control, collected=today, specimen=control)


def test_a_critical_count_is_mailed_at_once(
    clinic: ClinicFolder, mailbox: Catcher, port: int
) -> None:
    daemon = clinic.start()
    time.sleep(1)  # the first looks of the jobs are over
    with sender(port) as laboratory:
        began = time.monotonic()
        assert verdict(laboratory.ask(critical()))[0] == "AA"
        assert met(lambda: any("CRITICAL" in mail.subject for mail in mailbox.caught))
        assert time.monotonic() - began < 8, "it waited for the next look"
        assert "listens on 127.0.0.1" in clinic.run("health").stdout
        assert daemon.end() == 0
        assert laboratory.is_closed()
    assert clinic.run("verify").returncode == 0


def test_a_file_of_messages_is_sent_by_the_command(clinic: ClinicFolder, port: int) -> None:
    clinic.start()
    bad = critical(control="3").replace("|P|2.5.1", "|P|3.0")
    path = clinic.folder / "feed.hl7"
    path.write_text("\n".join([critical(), critical("0.5", "2"), bad]))
    sent = clinic.run("mllp", "send", "feed.hl7")
    assert sent.returncode == 3
    assert "3 sent: 2 taken, 1 not." in sent.stdout
    assert "message 3 (ORU^R01): AR ERR||MSH^1^12|203^" in sent.stdout
    nobody = clinic.run("mllp", "send", "feed.hl7", "--to", f"127.0.0.1:{free_port()}")
    assert nobody.returncode == 2
    assert "Connection refused" in nobody.stderr


def test_a_port_that_is_taken_ends_the_start(clinic: ClinicFolder, port: int) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        ended = clinic.run("run")
    assert ended.returncode == 2
    assert "cannot be listened on" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_was_not_acknowledged_when_it_was_killed_is_sent_again(
    clinic: ClinicFolder, port: int
) -> None:
    first = clinic.start()
    with sender(port) as laboratory:
        laboratory.send(framed(critical()))
        first.kill()
    clinic.start()
    with sender(port) as laboratory:
        assert verdict(laboratory.ask(critical()))[0] == "AA"
    assert clinic.run("verify").returncode == 0
