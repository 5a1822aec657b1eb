"""Messages from a real client library to a daemon killed (SIGKILL) at random instants.

Connections are cut amid messages, answers are not waited for, messages are sent again. Nothing
may be lost or doubled, and what is acknowledged must be there at that moment.
MONITOR_MLLP_MESSAGES and MONITOR_MLLP_KILLS say how many (the project asks for 100,000
messages), MONITOR_MLLP_CLIENTS from how many clients at once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from tests.fault.mllp_load import ANALYTES, Load
from tests.fault.mllp_senders import free_port
from tests.processes import ClinicFolder

MESSAGES = int(os.environ.get("MONITOR_MLLP_MESSAGES", "150"))
KILLS = int(os.environ.get("MONITOR_MLLP_KILLS", "2"))
CLIENTS = int(os.environ.get("MONITOR_MLLP_CLIENTS", "6"))
PATIENTS = max(10, MESSAGES // 50)


@pytest.fixture
def load(
    tmp_path: Path,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Load]:
    """A clinic with its patients, whose daemon is about to listen."""
    port = free_port()
    monkeypatch.setenv("MONITOR__MLLP__PORT", str(port))
    monkeypatch.setenv("MONITOR__CLINIC__EMAIL", "operator@clinic.example")
    with Catcher(tmp_path / "mails") as mailbox:
        bytecode = tmp_path_factory.getbasetemp() / "bytecode"
        clinic = ClinicFolder(tmp_path, mailbox.port, database=store_url, bytecode=bytecode)
        assert clinic.run("init").returncode == 0
        lines = [f"M{number},azathioprine,2026-01-05" for number in range(PATIENTS)]
        (tmp_path / "people.csv").write_text("\n".join(["mrn,drug,started_on", *lines]) + "\n")
        enrolled = clinic.run("enrol", "people.csv")
        assert enrolled.returncode == 0, enrolled.stderr
        made = Load(clinic, store_url, port, MESSAGES, PATIENTS)
        yield made
        made.close()
        clinic.kill_all()


def test_none_is_lost_none_is_doubled_and_each_is_there_when_acknowledged(load: Load) -> None:
    began = time.monotonic()
    load.run(CLIENTS, KILLS)
    seconds = time.monotonic() - began
    answers = sum(load.acknowledged.values())
    sys.stdout.write(
        f"{MESSAGES:,} messages from {CLIENTS} clients, {load.kills} kills: {dict(load.seen)}; "
        f"{seconds:,.0f} s, listening for {load.seconds_up:,.0f} s of them, "
        f"{answers / load.seconds_up:,.0f} acknowledged a second\n"
    )
    assert load.missing == []
    assert set(load.acknowledged) == set(range(MESSAGES))
    found = load.results()
    whole = len(ANALYTES)
    assert sorted(found) == sorted((f"T{number}", whole, whole) for number in range(MESSAGES))
    account = load.rows_accounted()
    assert account["rows"] == account["stored"] == whole * MESSAGES
    assert account["files"] == MESSAGES
    assert load.kills == KILLS
    assert load.clinic.run("verify").returncode == 0
