"""A config that is edited while a daemon runs by what it said before."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config import load_settings
from monitor.daemon.own_config import OwnConfig
from monitor.demo.catcher import Catcher
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
