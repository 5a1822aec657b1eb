"""A config that is edited while a daemon runs by what it said before."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config import load_settings
from monitor.daemon.in_force import InForce
from monitor.daemon.own_config import OwnConfig
from monitor.demo.catcher import Catcher
from monitor.operations.fleet import Member
from monitor.operations.health import examine
from monitor.store.database import Store
from tests.processes import ClinicFolder, met

BEFORE = """
[clinic]
name = "North clinic"
email = "operator@clinic.example"

[[routes]]
to = ["left-us@clinic.example"]
"""
NOW = datetime.now(UTC)


def own(folder: Path, after: str, minutes_ago: int = 0) -> OwnConfig:
    path = folder / "config.toml"
    path.write_text(BEFORE)
    config = OwnConfig(load_settings(path), path)
    path.write_text(after)
    written = (NOW - timedelta(minutes=minutes_ago)).timestamp()
    os.utime(path, (written, written))
    return config


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (BEFORE, ""),
        (f"# looked through in March\n{BEFORE}", ""),
        (BEFORE.replace("left-us", "on-call"), "config.toml was edited ([routes]), and what it"),
        (BEFORE.partition("[[")[0], "was edited ([routes])"),
        (BEFORE.replace('"North clinic"', '"North"'), "was edited ([clinic])"),
        (BEFORE.replace("to =", "too ="), "it is no config any more, so the next start would"),
        (BEFORE.replace("to =", "to ="[:1]), "not TOML"),
    ],
)
def test_what_is_not_in_force_is_said(tmp_path: Path, after: str, says: str) -> None:
    told = own(tmp_path, after, minutes_ago=11).forgotten(NOW)
    assert says in told and bool(told) == bool(says)


def test_who_is_at_it_is_left_in_peace(tmp_path: Path) -> None:
    after = BEFORE.replace("left-us", "on-call")
    assert own(tmp_path, after, minutes_ago=2).forgotten(NOW) == ""
    assert "start `monitor run` anew" in own(tmp_path, after, minutes_ago=11).forgotten(NOW)
    gone = own(tmp_path, after, minutes_ago=11)
    (tmp_path / "config.toml").unlink()
    assert "there is no such file" in gone.forgotten(NOW)


ROTA = "week,name,addresses\n2026-W49,Ann,duty@clinic.example\n"
ON_DUTY = """
[clinic]
email = "operator@clinic.example"

[recipients.duty]
addresses = ["office@clinic.example"]
rota = "rota.csv"

[[routes]]
to = ["duty"]
"""


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "rota rota.csv: there is no such file"),
        (lambda path: path.write_bytes(ROTA.encode() + b"# Z\xfcrich"), "line 3 is not UTF-8 text"),
        (lambda path: path.write_text(ROTA + "soon,Bob,x@clinic.example"), "rota rota.csv: line 3"),
    ],
)
def test_a_rota_that_is_spoilt_while_the_daemon_runs_is_told(
    store: Store, tmp_path: Path, spoil: Callable[[Path], object], says: str
) -> None:
    """Whoever was on duty heard of nothing from then on, and all was said to be well. One that is
    being saved is whole again at the next look."""
    path, rota = tmp_path / "config.toml", tmp_path / "rota.csv"
    path.write_text(ON_DUTY)
    rota.write_text(ROTA)
    settings = load_settings(path)
    told: list[str] = []
    member = Member(store)
    member.join(NOW)
    in_force = InForce(
        store, settings, OwnConfig(settings, path), lambda _topic, it, _now: told.append(it), member
    )

    def health() -> str:
        (part,) = (it for it in examine(store, settings, NOW).parts if it.name == "settings")
        return "" if part.well else part.says

    in_force.look(NOW)
    assert (told, health()) == ([], "")
    spoil(rota)
    in_force.look(NOW)
    assert told == []
    in_force.look(NOW)
    assert says in told[0]
    assert says in health()
    rota.write_text(ROTA)
    in_force.look(NOW)
    assert (len(told), health()) == (1, "")


def test_the_operator_hears_that_an_edit_is_not_in_force(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    """A route was corrected and `monitor routes check` was content, while the daemon went on
    writing to the one who had left."""
    path = clinic.folder / "config.toml"
    path.write_text(BEFORE)
    clinic.start()
    path.write_text(BEFORE.replace("left-us", "on-call"))
    written = time.time() - 3600
    os.utime(path, (written, written))
    told = "config.toml was edited ([routes]), and what it said at the start is in force"
    assert met(lambda: any(told in it.page.read_text() for it in mailbox.caught), 60)
    edited = "config.toml was edited ([routes])"  # noted with the daemon's next sign of life
    assert met(lambda: edited in clinic.run("health").stdout, 60, pause=2)
    assert clinic.run("health").returncode == 3
