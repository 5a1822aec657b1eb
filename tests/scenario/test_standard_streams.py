"""Commands whose standard streams are closed, full, or no longer read: real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.processes import ClinicFolder, met

_PATIENTS = "mrn,drug,started_on\nS1,azathioprine,2026-01-05\n"
_RESULTS = (
    "mrn,collected_at,analyte,value,unit\n"
    "S1,2026-01-12T08:00,neutrophils,2.9,10*9/L\n"
    "S1,2026-01-12T08:00,platelets,231,furlong\n"
)


@pytest.fixture
def clinic(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> ClinicFolder:
    made = ClinicFolder(tmp_path, 1, bytecode=tmp_path_factory.getbasetemp() / "bytecode")
    assert made.run("init").returncode == 0
    (tmp_path / "patients.csv").write_text(_PATIENTS)
    (tmp_path / "labs.csv").write_text(_RESULTS)
    assert made.run("enrol", "patients.csv", "--at", "2026-01-05").returncode == 0
    return made


def _shell(clinic: ClinicFolder, rest: str) -> subprocess.CompletedProcess[str]:
    """`monitor` by bash, with what it does to the streams."""
    script = f'set -o pipefail; "{sys.executable}" -m monitor {rest}'
    call = "import subprocess, sys; sys.exit(subprocess.call(['bash', '-c', sys.argv[1]]))"
    return clinic.python("-c", call, script)


def test_a_reader_that_had_enough_changes_no_exit_code(clinic: ClinicFolder) -> None:
    """`head` goes away while we write: no fault of ours, and 3 stays 3."""
    for command in ("status --at 2026-02-20", "schedule show azathioprine"):
        ended = _shell(clinic, f"{command} | true")
        assert (ended.returncode, ended.stderr) == (0, "")
    assert _shell(clinic, "load labs.csv --json --at 2026-01-12T10:00 | true").returncode == 3


def test_what_was_asked_is_done_without_standard_output(clinic: ClinicFolder) -> None:
    ended = _shell(clinic, "load labs.csv --json --at 2026-01-12T10:00 >&-")
    assert (ended.returncode, ended.stderr) == (3, "")
    listed = _shell(clinic, "quarantine list --rows --json --at 2026-01-12T11:00 2>&-")
    assert listed.returncode == 0
    assert len(json.loads(listed.stdout)) == 1
    assert _shell(clinic, "load missing.csv --at 2026-01-12T11:00 <&- >&- 2>&-").returncode == 2


def test_what_a_file_brings_does_nothing_to_the_terminal(monitor: CommandLine) -> None:
    """A laboratory's cell may hold escape sequences: one clears the screen, and with it the rows
    above; an override turns what follows round."""
    assert monitor("init").code == 0
    rows = (
        "\x1b[2J\x1b[31mS2,2026-01-12T08:00,platelets,2.9,10*9/L\n"
        "S3\u202e,2026-01-12T08:00,pl\x07atelets\x9b2J,2.9,10*9/L\n"
    )
    name = monitor.write("labs.csv", _RESULTS.partition("\n")[0] + "\n" + rows)
    assert monitor("load", name, "--at", "2026-01-12T10:00").code == 3
    for command in (("list", "--rows"), ("list",), ("show", "1"), ("show", "2")):
        ended = monitor("quarantine", *command)
        assert ended.code == 0
        assert not any(sign in ended.out for sign in "\x1b\x07\x9b\u202e")
    assert "\ufffd[2J\ufffd[31mS2" in monitor("quarantine", "show", "1").out
    assert "\x1b" not in monitor("explain", "--mrn", "\x1b[2J", "--on", "2026-01-12").err
    raw = monitor("quarantine", "show", "1", "--json").json["raw"]["mrn"]
    assert raw == "\x1b[2J\x1b[31mS2"


def test_an_answer_that_was_not_written_is_told(clinic: ClinicFolder, full_disk: Path) -> None:
    """Whoever reads it must not take half of it for all; and the rows are in."""
    ended = _shell(clinic, f"load labs.csv --json --at 2026-01-12T10:00 >{full_disk}")
    assert ended.returncode == 2
    assert "No space left on device" in ended.stderr
    assert "fault of ours" not in ended.stderr
    again = _shell(clinic, f"load labs.csv --json --at 2026-01-12T11:00 2>{full_disk}")
    assert again.returncode == 0
    assert json.loads(again.stdout)["files"][0]["duplicate"] == 2
    assert _shell(clinic, f"load missing.csv 2>{full_disk}").returncode == 2


def test_the_daemon_works_on_where_its_log_cannot_be_written(
    clinic: ClinicFolder, full_disk: Path
) -> None:
    """A disk that the log filled is no reason that nobody watches."""
    daemon = clinic.spawn("-m", "monitor", "--verbose", log_to=full_disk)
    try:
        clinic.drop("labs.csv", _RESULTS)
        assert met(lambda: clinic.done("labs.csv"))
    finally:
        assert daemon.end() == 0
