"""`monitor demo`: the whole thing in one command."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from tests.command_line import CommandLine


def test_the_demo_does_all_of_it_checks_itself_and_leaves_the_mails(monitor: CommandLine) -> None:
    ended = monitor("demo", "--once", "--dir", "show")
    assert ended.code == 0, ended.err
    assert "Verified" in ended.out
    mails = monitor.folder / "show" / "mails"
    messages = sorted(mails.glob("*.eml"))
    pages = [page.read_text(encoding="utf-8") for page in mails.glob("0*.html")]
    assert len(messages) == len(pages) > 20
    subjects = [
        str(message_from_bytes(path.read_bytes(), policy=default)["subject"]) for path in messages
    ]
    assert any("CRITICAL" in subject for subject in subjects)
    assert any("withdrawn" in subject.lower() for subject in subjects)
    assert all("cid:" not in page for page in pages)
    assert any("data:image/png;base64," in page for page in pages)
    assert "index.html" in {path.name for path in mails.iterdir()}
    again = monitor("status", "--config", "show/config.toml", "--json")
    assert len({row["mrn"] for row in again.json}) == 60


def test_the_demo_is_a_clinic_of_its_own_in_the_language_asked_for(
    monitor: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the clinic's own database in the environment sixty made-up patients were enrolled
    there; and a dangerous count was known by an English word of its subject."""
    url = f"sqlite:///{monitor.folder / 'clinic.db'}"
    monkeypatch.setenv("MONITOR__DATABASE__URL", url)
    assert monitor("init").code == 0
    monkeypatch.setenv("MONITOR__MAIL__PORT", "1")
    monkeypatch.setenv("MONITOR__CLINIC__LOCALE", "de")
    ended = monitor("demo", "--once", "--dir", "show")
    assert ended.code == 0, ended.err
    assert "without MONITOR__DATABASE__URL, MONITOR__MAIL__PORT" in ended.out
    assert "KRITISCH" in ended.out
    assert monitor("status", "--json").json == []


def test_the_demo_takes_config_as_every_command_and_reads_its_own(monitor: CommandLine) -> None:
    monitor.write("precious.txt", "mine")
    ended = monitor("demo", "--config", "clinic.toml", "--dir", ".")
    assert ended.code == 2
    assert "clinic.toml is not read" in ended.err
    assert "No such option" not in ended.err


def test_the_demo_leaves_other_folders_alone(monitor: CommandLine) -> None:
    monitor.write("precious.txt", "mine")
    ended = monitor("demo", "--once", "--dir", ".")
    assert ended.code == 2
    assert (monitor.folder / "precious.txt").read_text() == "mine"
