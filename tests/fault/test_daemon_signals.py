"""SIGTERM while mails go out: the daemon ends within seconds, and the rest is still owed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server
from tests.processes import ClinicFolder, met

SECONDS = 15
"""It gives a running job five, and this machine may be busy."""
MAILS = 6
PATIENTS = "mrn,drug,started_on\n" + "".join(
    f"A{number},azathioprine,2026-01-05\n" for number in range(MAILS)
)
"""Each with a critical result, which stands alone: a mail each."""
RESULTS = "mrn,collected_at,analyte,value,unit\n" + "".join(
    f"A{number},2026-01-12T08:00,neutrophils,0.4,10*9/L\n" for number in range(MAILS)
)


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def monitor(
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    """The command line in the clinic's folder."""
    shutil.copy(migrated_sqlite, tmp_path / "monitor.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONITOR_CONFIG", raising=False)
    return CommandLine(tmp_path, capsys)


@pytest.fixture
def clinic(monitor: CommandLine, postbox: Postbox) -> Iterator[ClinicFolder]:
    """A clinic that owes some mails."""
    assert monitor("init").code == 0
    assert monitor("enrol", monitor.write("patients.csv", PATIENTS)).code == 0
    assert monitor("load", monitor.write("results.csv", RESULTS)).code == 0
    with mail_server(postbox) as port:
        made = ClinicFolder(monitor.folder, port, bytecode=monitor.folder / "bytecode")
        yield made
        made.kill_all()


def test_a_message_on_its_way_is_finished_and_the_rest_goes_out_later(
    clinic: ClinicFolder, monitor: CommandLine, postbox: Postbox
) -> None:
    postbox.waits = (0.4,)
    assert _ends_amid_mail(clinic, postbox) == 0
    sent = len(postbox.accepted)
    assert sent < MAILS
    _send_the_rest(clinic, postbox)
    assert monitor("verify").code == 0
    ids = [it.message_id for it in postbox.accepted]
    assert len(ids) == len(set(ids)), "none came twice"


def test_a_mail_server_that_never_answers_does_not_hold_the_daemon_up(
    clinic: ClinicFolder, monitor: CommandLine, postbox: Postbox
) -> None:
    postbox.waits = (60.0,)
    assert _ends_amid_mail(clinic, postbox) == 0
    _send_the_rest(clinic, postbox)
    assert monitor("verify").code == 0
    first, *others = postbox.by_message_id().values()
    assert len(first) == 2, "what was never answered came again, with the same Message-ID"
    assert all(len(it) == 1 for it in others)


def _ends_amid_mail(clinic: ClinicFolder, postbox: Postbox) -> int:
    daemon = clinic.start()
    assert met(lambda: postbox.unanswered > 0, pause=0.01)
    return daemon.end(SECONDS)


def _send_the_rest(clinic: ClinicFolder, postbox: Postbox) -> None:
    postbox.waits = (0.0,)
    daemon = clinic.start()
    critical = [f"CRITICAL, MRN A{n}: prescriber to decide on discontinuation" for n in range(6)]
    assert met(lambda: set(critical) <= {it.subject for it in postbox.accepted})
    assert daemon.end() == 0


def test_a_signal_that_another_thread_got_ends_it_too(clinic: ClinicFolder) -> None:
    """The system gives it to any thread, and a main thread that only waits is not woken by that."""
    script = """
import signal, threading, time
from pathlib import Path
from monitor.config import load_settings
from monitor.daemon import Daemon

def asks():
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

Daemon(load_settings(Path("config.toml"))).run(lambda: threading.Thread(target=asks).start())
"""
    ended = clinic.python("-c", script)
    assert ended.returncode == 0, ended.stderr
