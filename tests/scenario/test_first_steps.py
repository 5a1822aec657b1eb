"""A clinic's first steps at the command line: what is printed, and how commands end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli.app import command_line
from monitor.demo.catcher import Catcher
from tests.command_line import CommandLine, Ended

ROOT = Path(__file__).parents[2]
PATIENTS = """mrn,drug,started_on,family_name,given_name,birth_date
A1,azathioprine,2026-01-05,Keller,Anna,1970-05-01
A2,azathioprine,2026-01-05,Frei,Bruno,1981-02-11
"""
LOW = """mrn,collected_at,analyte,value,unit,specimen_id
A1,2026-01-12T08:00,lymphocytes,400,/uL,S1
"""


def at_work(clinic: CommandLine) -> None:
    patients = clinic.write("patients.csv", PATIENTS)
    assert clinic("enrol", patients, "--at", "2026-01-05T09:00").code == 0


def test_init_makes_a_clinic_and_may_be_repeated(monitor: CommandLine) -> None:
    assert monitor("init").code == 0
    made = {path.name for path in monitor.folder.iterdir()}
    assert {"config.toml", "schedules", "inbox", "monitor.db"} <= made
    config = monitor.folder / "config.toml"
    config.write_text(config.read_text().replace("clinic@localhost", "n@clinic.example"))
    assert monitor("init").code == 0
    assert "n@clinic.example" in config.read_text()


def test_what_init_writes_is_for_its_owner_alone_where_secrets_may_come_to_stand(
    monitor: CommandLine,
) -> None:
    assert monitor("init").code == 0
    for name in ("config.toml", "monitor.db"):
        assert (monitor.folder / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize("name", ["schedules", "inbox"])
def test_init_is_refused_where_a_file_has_the_name_of_a_folder(
    monitor: CommandLine, name: str
) -> None:
    monitor.write(name, "")
    ended = monitor("init")
    assert ended.code == 2
    assert f"{name} is a file, where a folder has to be" in ended.err
    assert "ready" not in ended.out


def test_init_without_protocols_is_not_ready(monitor: CommandLine) -> None:
    (monitor.folder / "schedules").mkdir()
    ended = monitor("init")
    assert ended.code == 3
    assert "analytes.toml is missing" in ended.err
    assert "not ready: no protocol is in force" in ended.err
    assert "ready" not in ended.out


def test_without_a_clinic_every_command_says_how_to_make_one(monitor: CommandLine) -> None:
    ended = monitor("status")
    assert ended.code == 2
    assert "monitor init" in ended.err


def test_a_faulty_config_ends_with_every_fault(monitor: CommandLine) -> None:
    monitor("init")
    monitor.write("config.toml", '[clinik]\n[mail]\nport = "x"\n')
    ended = monitor("status")
    assert ended.code == 2
    assert "clinik" in ended.err
    assert "mail.port" in ended.err


def test_a_dangerous_count_becomes_an_alert_and_a_mail(
    clinic: CommandLine, mailbox: Catcher
) -> None:
    at_work(clinic)
    loaded = clinic("load", clinic.write("low.csv", LOW), "--json", "--at", "2026-01-12T10:00")
    assert loaded.code == 0
    (file,) = loaded.json["files"]
    assert (file["rows"], file["stored"], file["alerts"]["opened"]) == (1, 1, 1)
    (alert,) = [
        alert
        for alert in clinic("alerts", "--json", "--at", "2026-01-12T10:01").json
        if alert["rule"] == "lymphopenia"
    ]
    assert (alert["kind"], alert["urgency"], alert["value"]) == ("dose_reduction", "urgent", 0.4)
    sent = clinic("deliver", "--json", "--at", "2026-01-12T10:02")
    assert sent.code == 0
    assert sent.json["sent"] == len(mailbox.caught) > 0
    assert any("A1" in mail.subject for mail in mailbox.caught)


def test_a_message_that_cannot_be_sent_stays_owed(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR__MAIL__PORT", "1")
    at_work(clinic)
    clinic("load", clinic.write("low.csv", LOW), "--at", "2026-01-12T10:00")
    ended = clinic("deliver", "--json", "--at", "2026-01-12T10:02")
    assert ended.code == 3
    assert ended.json["sent"] == 0
    assert ended.json["waiting"] > 0


def test_refused_rows_end_with_three_and_the_others_go_in(clinic: CommandLine) -> None:
    rows = "mrn,drug,started_on\nA1,azathioprine,2026-01-05\nA2,aspirin,2026-01-05\n"
    ended = clinic("enrol", clinic.write("p.csv", rows), "--json", "--at", "2026-01-05")
    assert ended.code == 3
    assert ended.json["taken"] == 1
    assert [refused["line"] for refused in ended.json["refused"]] == [3]


def test_a_file_that_cannot_be_read_does_not_hold_up_the_others(clinic: CommandLine) -> None:
    at_work(clinic)
    good = clinic.write("low.csv", LOW)
    ended = clinic("load", "absent.csv", good, "--json", "--at", "2026-01-12T10:00")
    assert ended.code == 2
    absent, taken = ended.json["files"]
    assert "error" in absent
    assert taken["stored"] == 1


def test_quarantined_rows_end_with_three(clinic: CommandLine) -> None:
    at_work(clinic)
    row = "mrn,collected_at,analyte,value,unit\nA1,2026-01-12,lymphocytes,0.4,furlong\n"
    ended = clinic("load", clinic.write("odd.csv", row), "--json", "--at", "2026-01-12T10:00")
    assert ended.code == 3
    assert ended.json["files"][0]["quarantined"] == 1


def test_a_preview_changes_nothing(clinic: CommandLine) -> None:
    at_work(clinic)
    low = clinic.write("low.csv", LOW)
    ended = clinic("load", low, "--preview", "--json", "--at", "2026-01-12T10:00")
    assert ended.json["files"][0]["stored"] == 1
    again = clinic("load", low, "--json", "--at", "2026-01-12T10:00")
    assert again.json["files"][0]["stored"] == 1


def test_alerts_name_the_drug_where_there_are_several(clinic: CommandLine) -> None:
    """One clotted sample is asked for again for each drug: two lines were the very same."""
    at_work(clinic)
    listed = clinic("alerts", "--at", "2026-01-06").out
    assert "drug" not in listed.splitlines()[0].split()
    rows = "mrn,drug,started_on\nZ1,azathioprine,2026-01-05\nZ1,methotrexate,2026-01-05\n"
    assert clinic("enrol", clinic.write("z.csv", rows), "--at", "2026-01-06").code == 0
    listed = clinic("alerts", "--at", "2026-01-06").out
    assert "drug" in listed.splitlines()[0].split()
    assert {"azathioprine", "methotrexate"} <= set(listed.split())


def test_how_far_the_database_was_brought_is_told_in_the_clinic_s_time(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Europe/Zurich")
    at_work(clinic)
    clinic("sweep", "--at", "2026-02-01T08:30")
    late = clinic("sweep", "--at", "2026-02-01T08:00")
    assert late.code == 2
    assert "brought to 2026-02-01T08:30:00+01:00, which is more than five minutes" in late.err
    assert "; valid: --at 2026-02-01T08:30:00+01:00 or later\n" in late.err
    assert "after 2026-02-01T08:00:00+01:00:" in late.err


def test_writing_never_goes_back_in_time_and_reading_may(clinic: CommandLine) -> None:
    at_work(clinic)
    clinic("sweep", "--at", "2026-02-01")
    late = clinic("sweep", "--at", "2026-01-31T23:50")
    assert late.code == 2
    assert "brought to 2026-02-01T00:00:00+" in late.err
    assert clinic("sweep", "--at", "2026-01-31T23:56").code == 0
    assert clinic("status", "--json", "--at", "2026-01-06").json[0]["state"] == "up_to_date"


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--at", "yesterday"),
        ("alerts", "--state", "sleeping"),
        ("explain",),
        ("explain", "99"),
        ("ack", "99", "--by", "me"),
        ("ack", "1", "--by", "me", "--until", "soon"),
        ("load",),
        ("no-such-command",),
    ],
)
def test_what_cannot_be_done_as_asked_ends_with_two(
    clinic: CommandLine, arguments: tuple[str, ...]
) -> None:
    ended = clinic(*arguments)
    assert ended.code == 2
    assert ended.err
    assert "Traceback" not in ended.err


def test_health_is_not_well_until_somebody_reads_the_mail(clinic: CommandLine) -> None:
    ended = clinic("health", "--json")
    assert ended.code == 3
    assert ended.json["well"] is False
    assert "clinic@localhost" in ended.json["parts"]["settings"]["says"]


def test_a_name_in_the_config_that_no_analyte_has_is_told_before_a_file_comes(
    clinic: CommandLine,
) -> None:
    with (clinic.folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write(
            '[sources.lab]\ncodes = { WBC = "white_cels", P9 = "platelets" }\n'
            'units = { neutrophyls = "10*9/L", P9 = "10*9/L" }\n'
        )
    said = clinic("health", "--json").json["parts"]["settings"]["says"]
    assert (
        'sources.lab.codes, WBC: no analyte is called "white_cels"; did you mean "white_cells"?; '
        'sources.lab.units: no analyte is called "neutrophyls"; did you mean "neutrophils"?'
    ) in said
    assert "P9" not in said


def database_part(ended: Ended) -> str:
    """What health says of a database that is not well; nothing else was looked at."""
    assert (ended.code, ended.json["well"]) == (3, False)
    parts = ended.json["parts"]
    assert (list(parts), parts["database"]["well"]) == (["database"], False)
    return str(parts["database"]["says"])


def test_health_of_a_database_that_is_not_there_says_which_part_is_not_well(
    monitor: CommandLine,
) -> None:
    monitor("init")
    database = monitor.folder / "monitor.db"
    database.unlink()
    assert "`monitor init` creates it" in database_part(monitor("health", "--json"))
    database.write_text("no database", encoding="utf-8")
    assert "is no database" in database_part(monitor("health", "--json"))
    ended = monitor("health")
    assert ended.code == 3
    assert "NOT WELL" in ended.out
    assert "database" in ended.out


def test_health_of_a_server_that_does_not_answer_says_which_part_is_not_well(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR__DATABASE__URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert "127.0.0.1" in database_part(clinic("health", "--json"))
    assert clinic("status").code == 2


def test_a_fault_of_ours_has_a_name_and_no_traceback(
    monitor: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor("init")
    (monitor.folder / "monitor.db").write_bytes(b"SQLite format 3\0 and no more")
    ended = monitor("status")
    assert ended.code in {1, 2}
    assert "Traceback" not in ended.err


def test_every_command_teaches(monitor: CommandLine) -> None:
    top = monitor("--help")
    assert top.code == 0
    app = command_line()
    commands = [
        command.name or str(command.callback.__name__)
        for command in app.registered_commands
        if command.callback
    ]
    groups = [group.name or "" for group in app.registered_groups]
    assert len(commands) > 12
    for name in (*commands, *groups):
        helped = monitor(name, "--help")
        assert helped.code == 0
        assert len(helped.out.split()) > 25, f"{name} --help says too little"


def test_a_terminal_of_another_encoding_shows_what_it_can(clinic: CommandLine) -> None:
    at_work(clinic)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    for arguments in (["status"], ["status", "--json"]):
        ended = subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            capture_output=True,
            cwd=clinic.folder,
            env=environment,
        )
        assert ended.returncode == 0, ended.stderr
        assert b"A1" in ended.stdout


def test_of_all_commands_only_the_one_asked_for_is_read() -> None:
    script = (
        "import sys; from monitor.cli.app import command_line; command_line('status'); "
        "print(sorted(m for m in sys.modules if m.startswith('monitor.cli.')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    read = ["app", "common", "grammar", "json_answers", "reviews"]
    assert ended.stdout.strip() == str([f"monitor.cli.{name}" for name in read])


def test_the_command_line_starts_without_what_is_heavy() -> None:
    heavy = ("pandas", "numpy", "matplotlib", "sqlalchemy", "sqlmodel", "apscheduler", "PIL")
    script = (
        "import sys; from monitor.cli.app import command_line; command_line(); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ended.stdout.strip() == "[]"
