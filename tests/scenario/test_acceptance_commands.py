"""The specification's sentences on commands, tried from outside: how each ends, and what it says
of patients who are not there, files that cannot be read, protocols that were edited."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from monitor.operations import arrivals
from monitor.store.errors import StoreError
from tests.command_line import CommandLine

LONG = "mrn,collected_at,analyte,value,unit,ref_high,specimen_id,status"
PATIENTS = """\
mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg
P1,azathioprine,2026-01-05,normal,normal,100,70
"""
BASELINE = """\
mrn,collected_at,hemoglobin [g/L],white cells [10*9/L],neutrophils [10*9/L],\
lymphocytes [10*9/L],platelets [10*9/L],bilirubin [umol/L],alt [U/L]
P1,2025-12-29,140,6.0,4.0,1.5,250,10,20
"""
NOON = "2026-02-02T12:00"


@pytest.fixture
def desk(monitor: CommandLine, migrated_sqlite: Path) -> CommandLine:
    """A clinic of one patient, P1, on azathioprine since 5 January 2026; on SQLite alone."""
    shutil.copy(migrated_sqlite, monitor.folder / "monitor.db")
    assert monitor("init").code == 0
    config = monitor.folder / "config.toml"
    config.write_text(config.read_text().replace('"UTC"', '"Europe/Zurich"'))
    baseline = monitor.write("baseline.csv", BASELINE)
    assert monitor("load", baseline, "--at", "2025-12-29").code == 3
    patients = monitor.write("patients.csv", PATIENTS)
    assert monitor("enrol", patients, "--at", "2026-01-05").code == 0
    return monitor


def load(desk: CommandLine, *lines: str, at: str = NOON) -> dict[str, object]:
    name = desk.write("results.csv", "\n".join([LONG, *lines]) + "\n")
    document: dict[str, object] = desk("load", name, "--at", at, "--json").json["files"][0]
    return document


def live(desk: CommandLine, at: str = NOON) -> list[str]:
    """`kind urgency value` of the live alerts on results."""
    rows = desk("alerts", "--json", "--at", at).json
    return [f"{it['kind']} {it['urgency']} {it['value']}" for it in rows if it["rule"]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["status", "--nonsense"], 2),
        (["status", "--config", "nowhere.toml"], 2),
        (["sweep", "--at", "soon"], 2),
        (["sweep", "--at", "2026-01-04T23:54"], 2),
        (["sweep", "--at", "2026-01-04T23:55"], 0),
        (["deliver", "--at", "2025-12-31"], 2),
        (["status", "--at", "2020-01-01"], 0),
        (["alerts", "--at", "2020-01-01"], 0),
        (["verify", "--at", "2020-01-01"], 0),
        (["status", "NOBODY"], 0),
        (["status", "\udcff"], 2),
        (["ack", "1", "--by", "\udcff"], 2),
        (["alerts", "--state", "bogus"], 2),
        (["ack", "99", "--by", "Ann"], 2),
        (["explain", "99"], 2),
        (["enrol", "nowhere.csv"], 2),
        (["load", "nowhere.csv"], 2),
        (["schedule", "check", "schedules/azathioprine.toml"], 0),
        (["schedule", "check", "config.toml"], 3),
        (["schedule", "check", "nowhere.toml"], 2),
        (["schedule", "show", "nothing"], 2),
        (["quarantine", "show", "99"], 2),
        (["quarantine", "show", "99999999999999999999"], 2),
        (["ack", "99999999999999999999", "--by", "Ann"], 2),
        (["explain", "99999999999999999999"], 2),
        (["batch", "show", "99999999999999999999"], 2),
        (["sweep", "--at", "9999-12-31"], 2),
        (["status", "--at", "0001-01-01"], 2),
        (["report", "burden", "--at", "1900-01-02"], 0),
        (["report", "audit", "--at", "2211-12-31"], 0),
        (["explain", "--mrn", "P1", "--on", "9999-12-31"], 2),
        (["explain", "1", "--on", "2026-01-12"], 2),
        (["demo", "--once", "--dir", "config.toml"], 2),
        (
            [
                "limit",
                "set",
                "P1",
                "--rule",
                "neutropenia",
                "--level",
                "1",
                "--value",
                "1e999999999",
                "--until",
                "2026-02-01",
                "--by",
                "Ann",
                "--reason",
                "r",
                "--at",
                "2026-01-05",
            ],
            2,
        ),
        (["health"], 3),
    ],
)
def test_how_a_command_ends(desk: CommandLine, arguments: list[str], code: int) -> None:
    ended = desk(*arguments)
    assert ended.code == code, ended
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "--at", ""], "--at"),
        (["status", "--at= "], "--at"),
        (["status", ""], "MRN"),
        (["explain", "--mrn", "P1", "--on", ""], "--on"),
        (["report", "overdue", "--clinic", ""], "--clinic"),
        (["ack", "1", "--by", "Ann", "--until", ""], "--until"),
        (["quarantine", "list", "--reason", ""], "--reason"),
    ],
)
def test_an_empty_value_is_not_taken_for_none(
    desk: CommandLine, arguments: list[str], said: str
) -> None:
    """A variable of a script that was never set asks neither for now nor for everybody."""
    ended = desk(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"{said} is empty: give a value, or leave it out\n"


def test_an_empty_note_says_as_much_as_none(desk: CommandLine) -> None:
    load(desk, "P1,2026-02-01T08:00,neutrophils,0.9,10*9/L,,,")
    alert = str(desk("alerts", "--json", "--at", NOON).json[0]["id"])
    assert desk("ack", alert, "--by", "Ann", "--note", "", "--at", NOON).code == 0


@pytest.mark.parametrize("group", ["quarantine", "schedule", "batch", "limit"])
def test_a_group_that_is_asked_for_nothing_but_options_lists(desk: CommandLine, group: str) -> None:
    assert desk(group, "--json").json == desk(group, "list", "--json").json


def test_a_group_without_a_list_says_what_it_has(desk: CommandLine) -> None:
    ended = desk("report", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert (
        ended.err == "monitor report: say which: overdue, compliance, gaps, burden, late, audit\n"
    )


def test_status_of_nobody_is_an_empty_list_and_says_so(desk: CommandLine) -> None:
    ended = desk("status", "NOBODY", "--json")
    assert (ended.code, ended.json) == (0, [])
    assert "nobody is enrolled under NOBODY" in ended.err


def test_a_file_that_cannot_be_read_is_listed_with_every_count(desk: CommandLine) -> None:
    good = desk.write("good.csv", f"{LONG}\nP1,2026-02-01T08:00,alt,20,U/L,,,\n")
    empty = desk.write("empty.csv", "")
    ended = desk("load", empty, "nowhere.csv", good, "--at", NOON, "--json")
    files = ended.json["files"]
    assert ended.code == 2
    assert [it.get("error") for it in files] == [
        "the file is empty",
        "there is no such file",
        None,
    ]
    assert sum(it["stored"] for it in files) == sum(it["rows"] for it in files) == 1
    # Overdue, and more than two weekly tests missed in a row.
    assert sum(it["alerts"]["opened"] for it in files) == 2


@pytest.mark.parametrize("when", ["at the file", "at its review"])
def test_a_database_that_gives_way_midway_leaves_an_account_of_every_file(
    desk: CommandLine, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """What was taken in is said so, also where only the review of it is still owed."""
    names = [
        desk.write(f"{day}.csv", f"{LONG}\nP1,2026-02-0{day}T08:00,neutrophils,0.9,10*9/L,,,\n")
        for day in (1, 2, 3)
    ]
    step = "load_file" if when == "at the file" else "review_due"
    whole, calls = getattr(arrivals, step), []

    def full(*arguments: object, **more: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise StoreError("the database is full")
        return whole(*arguments, **more)

    monkeypatch.setattr(arrivals, step, full)
    ended = desk("load", *names, "--json", "--at", NOON)
    first, second, third = ended.json["files"]
    assert (ended.code, first["stored"], first.get("error")) == (2, 1, None)
    assert "the database is full" in second["error"]
    assert third["error"] == "not tried: the database gave way at 2.csv"
    stored = 0 if when == "at the file" else 1
    assert (second["rows"], second["stored"], third["rows"]) == (stored, stored, 0)
    assert ("the next sweep reviews" in second["error"]) is bool(stored)
    assert "2.csv: the database is full" in ended.err
    assert desk("load", *names[1:], "--at", NOON).code == 0
    desk("sweep", "--at", NOON)
    assert desk("verify", "--at", NOON, "--json").json == []
    assert live(desk) == ["discontinue critical 0.9"]


@pytest.mark.parametrize(("command", "header", "row"), [
    ("enrol", "mrn,drug,started_on", "P9,azathioprine,2026-01-05"),
    ("events", "mrn,on,event", "P1,2026-01-12,relapse"),
])  # fmt: skip
def test_what_a_file_of_people_brought_is_told_though_its_review_is_owed(
    desk: CommandLine, monkeypatch: pytest.MonkeyPatch, command: str, header: str, row: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("the database is full")

    monkeypatch.setattr(arrivals, "review_due", full)
    ended = desk(command, desk.write("people.csv", f"{header}\n{row}\n"), "--json", "--at", NOON)
    assert (ended.code, ended.json["taken"]) == (2, 1)
    assert "the next sweep reviews" in ended.err


@pytest.mark.parametrize(("command", "header", "row"), [
    ("enrol", "mrn,drug,started_on,dose", "P9,azathioprine,2026-01-05,100"),
    ("events", "mrn,on,event,dose", "P1,2026-01-12,relapse,100"),
])  # fmt: skip
def test_a_column_that_is_not_used_is_noted_beside_the_json(
    desk: CommandLine, command: str, header: str, row: str
) -> None:
    ended = desk(command, desk.write("people.csv", f"{header}\n{row}\n"), "--json", "--at", NOON)
    assert list(ended.json) == ["rows", "taken", "duplicate", "refused"]
    assert "columns not used: dose" in ended.err


def test_that_nothing_is_held_for_a_reason_may_be_a_slip_in_its_name(desk: CommandLine) -> None:
    load(desk, "P1,2026-02-01T08:00,platelets,231,furlong,,,")
    for command in (["list", "--json"], ["list"], ["retry", "--at", NOON]):
        for option, word in (("--reason", "unit_unkown"), ("--source", "noth")):
            ended = desk("quarantine", *command, option, word)
            assert ended.code == 0
            assert f"nothing is held with {option} {word}; held are rows for" in ended.err
            assert "unit_unknown" in ended.err
    assert desk("quarantine", "list", "--reason", "unit_unknown").err == ""


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "spoken"),
    [
        ("lymphocytes", "0.50", "10*9/L", []),
        ("lymphocytes", "500", "/uL", []),
        ("lymphocytes", "0.5", "K/uL", []),
        ("lymphocytes", "499", "/uL", ["dose_reduction urgent 0.499"]),
        ("lymphocytes", "<0.5", "G/L", ["dose_reduction urgent 0.5"]),
        ("lymphocytes", "0.199", "10*9/L", ["discontinue critical 0.199"]),
        ("neutrophils", "1.6", "10*9/L", []),
        ("neutrophils", "<1.7", "10*9/L", ["review urgent 1.7"]),
        ("neutrophils", "<=1.6", "10*9/L", ["review urgent 1.6"]),
        ("neutrophils", ">1.6", "10*9/L", []),
        ("neutrophils", ">=1.59", "10*9/L", ["review urgent 1.59"]),
        ("hemoglobin", "9.9", "g/dL", ["review routine 99"]),
        ("alt", "250", "U/L", ["review urgent 250"]),
        ("alt", "250.1", "U/L", ["withhold urgent 250.1"]),
        ("alt", ">100", "U/L", ["review urgent 100"]),
    ],
)
def test_a_value_at_its_limit(
    desk: CommandLine, analyte: str, value: str, unit: str, spoken: list[str]
) -> None:
    load(desk, f"P1,2026-02-01T08:00,{analyte},{value},{unit},,,")
    assert live(desk) == spoken


def test_a_first_value_is_told_as_the_baseline_of_what_follows(desk: CommandLine) -> None:
    load(desk, "P1,2026-02-01T08:00,creatinine,200,umol/L,,,")
    told = desk("explain", "--mrn", "P1", "--on", "2026-02-01", "--at", NOON).out
    assert "what is known is the baseline itself; the next value is compared with it" in told


def test_a_planned_start_is_told_as_not_confirmed(desk: CommandLine) -> None:
    plan = desk.write("plan.csv", "mrn,drug,started_on\nP2,azathioprine,2026-02-16\n")
    assert desk("enrol", plan, "--at", NOON).code == 0
    told = desk("explain", "--mrn", "P2", "--on", "2026-02-20", "--at", NOON).out
    assert "active, start not confirmed, planned for 16 Feb 2026" in told
    assert "task skin_check: the start is not confirmed" in told
    for day in ("2026-02-10", "2026-02-20"):
        told = desk("status", "P2", "--at", day).out
        assert "start not confirmed, planned for 16 Feb 2026" in told
    start = desk.write("start.csv", "mrn,on,event\nP2,2026-02-17,start\n")
    assert desk("events", start, "--at", NOON).code == 0
    assert "start not confirmed" not in desk("status", "P2", "--at", "2026-02-20").out
    assert "start not confirmed" in desk("status", "P2", "--at", "2026-02-16").out


@pytest.mark.parametrize("how", ["invalid", "missing", "renamed", "differing"])
def test_the_operator_is_told_of_a_protocol_file_that_is_not_in_force(
    desk: CommandLine, mailbox: Catcher, how: str
) -> None:
    file = desk.folder / "schedules" / "azathioprine.toml"
    text = file.read_text(encoding="utf-8")
    if how == "invalid":
        file.write_text(text.replace('"8 weeks"', '"8 wekks"', 1), encoding="utf-8")
    elif how == "missing":
        file.unlink()
    elif how == "renamed":
        file.rename(file.with_name("other.toml"))
    else:
        file.write_text(text.partition("\n[[examples]]")[0], encoding="utf-8")
    assert "azathioprine" in desk("sweep", "--at", "2026-01-06").err
    assert desk("deliver", "--at", "2026-01-06T01:00", "--json").json["sent"] == 1
    (mail,) = (desk.folder / "mails").glob("*.eml")
    assert "Subject: OPERATOR: " in mail.read_text(encoding="utf-8")
    desk("sweep", "--at", "2026-01-06T02:00")
    assert desk("deliver", "--at", "2026-01-06T03:00", "--json").json["sent"] == 0
    assert desk("schedule", "list", "--json").json["protocols"][0]["version"] == "2026-11"


def test_the_day_a_protocol_came_in_force_is_the_clinic_s(desk: CommandLine) -> None:
    file = desk.folder / "schedules" / "azathioprine.toml"
    text = file.read_text(encoding="utf-8").partition("\n[[examples]]")[0]
    file.write_text(text.replace("2026-11", "2026-12", 1), encoding="utf-8")
    path = str(Path("schedules") / file.name)
    at = ("--by", "Dr A", "--reason", "new guideline", "--at", "2026-02-16")
    assert desk("schedule", "apply", path, *at).code == 0
    assert " 2026-02-16 " in desk("schedule", "list").out
    assert "in force since 2026-02-16 by Dr A" in desk("schedule", "show", "azathioprine").out


def test_health_says_truly_how_many_messages_wait(
    desk: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR__MAIL__PORT", "1")
    load(desk, "P1,2026-02-01T08:00,neutrophils,0.9,10*9/L,,,")
    sent = desk("deliver", "--at", NOON)
    assert (sent.code, sent.out) == (3, "Sent 0, failed 0, waiting 3.\n")
    assert "not sent: mail: localhost:1 (none): Error connecting to localhost" in sent.err
    assert "stay owed; the mail server stands in [mail] of the config" in sent.err
    for at, well, says in (
        (NOON, True, "messages waiting: "),
        ("2026-02-02T13:30", False, "wait longer than their urgency allows"),
    ):
        mail = desk("health", "--json", "--at", at).json["parts"]["mail"]
        assert mail["well"] is well
        assert says in mail["says"]


@pytest.mark.parametrize("default", [True, False])
def test_of_several_protocols_of_a_drug_an_enrolment_takes_the_default_or_names_one(
    monitor: CommandLine, default: bool
) -> None:
    assert monitor("init").code == 0
    folder = monitor.folder / "schedules"
    text = (folder / "azathioprine.toml").read_text(encoding="utf-8")
    other = text.partition("\n[[examples]]")[0].replace("default = true", "default = false", 1)
    if not default:
        (folder / "azathioprine.toml").write_text(other, encoding="utf-8")
    other = other.replace('id = "azathioprine"', 'id = "azathioprine-us-label"', 1)
    (folder / "azathioprine-us-label.toml").write_text(other, encoding="utf-8")
    patients = monitor.write(
        "both.csv",
        "mrn,drug,started_on,protocol\n"
        "P1,azathioprine,2026-01-05,\n"
        "P2,azathioprine,2026-01-05,azathioprine-us-label\n",
    )
    ended = monitor("enrol", patients, "--at", "2026-01-05", "--json")
    taken = {it["mrn"]: it["protocol"] for it in monitor("status", "--json").json}
    if default:
        assert ended.code == 0
        assert taken == {"P1": "azathioprine", "P2": "azathioprine-us-label"}
    else:
        assert (ended.code, taken) == (3, {"P2": "azathioprine-us-label"})
        (refused,) = ended.json["refused"]
        assert refused["line"] == 2
        assert "name one of azathioprine, " in refused["reason"]
        assert "azathioprine-us-label" in refused["reason"]
