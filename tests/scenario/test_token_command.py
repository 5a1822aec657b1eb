"""`monitor token`: which other programs use the API, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import CommandLine


def test_a_token_is_shown_once_listed_and_revoked(clinic: CommandLine) -> None:
    added = clinic("token", "add", "portal", "--scope", "read", "--until", "2099-12-31")
    assert added.code == 0
    secret = added.out.strip()
    assert secret.startswith("mon_") and len(secret) > 40
    (row,) = clinic("token", "list", "--json").json
    assert (row["name"], row["scopes"], row["revoked_at"]) == ("portal", ["read"], None)
    assert row["expires_at"].startswith("2099-12-31")
    listed = clinic("token", "list")
    assert "portal" in listed.out and secret not in listed.out
    assert clinic("token", "revoke", "portal").out == "portal is worth nothing any more.\n"
    assert clinic("token", "list", "--json").json[0]["revoked_at"] is not None
    assert clinic("token", "revoke", "portal").code == 2


def test_the_secret_is_kept_nowhere(clinic: CommandLine) -> None:
    secret = clinic("token", "add", "portal", "--scope", "read").out.strip()
    clinic("token", "list")
    files = [it for it in Path(clinic.folder).rglob("*") if it.is_file()]
    assert files
    for file in files:
        assert secret.removeprefix("mon_").encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "portal", "--scope", "write"), "read, alerts, events, load, operations"),
        (("add", "x", "--scope", "read"), "2 to 64 letters"),
        (("add", "portal", "--scope", "read", "--until", "2001-01-01"), "ended already"),
        (("add", "portal", "--scope", "read", "--until", "soon"), "--until"),
        (("revoke", "nobody"), "no token nobody is in use"),
    ],
)
def test_what_cannot_be_says_what_would(
    clinic: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    ended = clinic("token", *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert clinic("token", "list", "--json").json == []


def test_a_name_stands_for_one_token_for_ever(clinic: CommandLine) -> None:
    assert clinic("token", "add", "portal", "--scope", "read").code == 0
    assert clinic("token", "revoke", "portal").code == 0
    assert "name another" in clinic("token", "add", "portal", "--scope", "read").err
