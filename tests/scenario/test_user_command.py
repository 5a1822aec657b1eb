"""`monitor user`: who may sign in, on the command line."""

from __future__ import annotations

import io

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("sys.stdin", io.StringIO("three blind mice run\n" * 9))
    return monkeypatch


def test_people_are_added_disabled_and_listed(
    clinic: CommandLine, typed: pytest.MonkeyPatch
) -> None:
    added = clinic("user", "add", "n.gray", "--role", "nurse", "--full-name", "Nora Gray")
    assert (added.code, added.out) == (0, "n.gray may sign in as nurse.\n")
    drawn = clinic("user", "add", "a.moore", "--role", "admin", "--draw")
    assert "to be changed at the first sign-in: " in drawn.out
    assert clinic("user", "disable", "N.Gray").code == 0
    listed = {row["name"]: row for row in clinic("user", "list", "--json").json}
    assert listed["n.gray"]["state"] == "disabled"
    assert listed["a.moore"] | {"must_change_password": True} == listed["a.moore"]
    assert clinic("user", "enable", "n.gray").code == 0
    again = clinic("user", "passwd", "n.gray", "--draw", "--reset-second-factor")
    assert "n.gray has a new password." in again.out


def test_who_goes_leaves_nobody_unnoticed(clinic: CommandLine, typed: pytest.MonkeyPatch) -> None:
    """The page said whose alerts were with them, and nobody else would be asked for up to four
    weeks; the command said nothing."""
    clinic("user", "add", "n.gray", "--role", "nurse", "--full-name", "Nora Gray")
    clinic("enrol", clinic.write("a.csv", "mrn,drug,started_on\nA1,azathioprine,2026-01-05\n"))
    clinic("sweep")
    alert = str(clinic("alerts", "--json").json[0]["id"])
    assert clinic("user", "disable", "n.gray").err == ""
    clinic("user", "enable", "n.gray")
    assert clinic("ack", alert, "--by", "Nora Gray").code == 0
    ended = clinic("user", "disable", "n.gray")
    assert ended.code == 0
    assert "1 patient has alerts in the hands of Nora Gray" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "x.y", "--role", "boss"), "viewer, nurse, clinician, admin"),
        (("add", "has space", "--role", "nurse"), "2 to 64 letters"),
        (("passwd", "nobody"), "monitor user list"),
        (("disable", "nobody"), "monitor user list"),
    ],
)
def test_what_cannot_be_says_what_would(
    clinic: CommandLine, typed: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    ended = clinic("user", *arguments)
    assert ended.code == 2
    assert says in ended.err


def test_the_last_admin_stays(clinic: CommandLine, typed: pytest.MonkeyPatch) -> None:
    clinic("user", "add", "a.moore", "--role", "admin")
    assert "the last admin" in clinic("user", "disable", "a.moore").err
    assert clinic("user", "list", "--json").json[0]["state"] == "active"


def test_a_weak_password_is_refused_and_nobody_added(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    ended = clinic("user", "add", "n.gray", "--role", "nurse")
    assert ended.code == 2
    assert "at least 12" in ended.err
    assert clinic("user", "list", "--json").json == []
