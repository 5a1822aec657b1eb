"""`monitor user`: who may sign in to the pages, in which role."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from monitor import clock
from monitor.cli.common import (
    CONFIG_DEFAULT,
    ConfigOption,
    JsonOption,
    Refused,
    complain,
    local,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json
from monitor.core.permissions import Role

app = typer.Typer(help="Who may sign in to the pages, in which role.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The sign-in name.")]
DrawOption = Annotated[
    bool,
    typer.Option(
        "--draw", help="Draw a password and print it; it is changed at the first sign-in."
    ),
]


@app.command()
def add(
    name: NameArgument,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="viewer, nurse, clinician or admin.")
    ],
    full_name: Annotated[
        str, typer.Option("--full-name", help="As it stands in histories; the name if not said.")
    ] = "",
    draw: DrawOption = False,
    config: ConfigOption = CONFIG_DEFAULT,
) -> None:
    """Add somebody. The password is asked for, or read as a line from a pipe."""
    from monitor.operations import accounts
    from monitor.store.audit import ON_THE_COMMAND_LINE

    wanted = _role(role)
    with reading(config) as work:
        password = _password(draw)
        account = accounts.add(
            work.store,
            name=name,
            full_name=full_name,
            role=wanted,
            password=password,
            must_change=draw,
            by=ON_THE_COMMAND_LINE,
            now=clock.now(),
        )
    say(f"{account.name} may sign in as {account.role}.")
    _tell(password, draw)


@app.command()
def passwd(
    name: NameArgument,
    draw: DrawOption = False,
    reset_second_factor: Annotated[
        bool, typer.Option("--reset-second-factor", help="Let them set up a new one, too.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
) -> None:
    """Set a new password; whoever is signed in with the old one is signed out."""
    from monitor.operations import accounts
    from monitor.store.audit import ON_THE_COMMAND_LINE

    by, now = ON_THE_COMMAND_LINE, clock.now()
    with reading(config) as work:
        accounts.find(work.store, name)
        password = _password(draw)
        accounts.set_password(work.store, name, password, must_change=draw, by=by, now=now)
        if reset_second_factor:
            accounts.reset_second_factor(work.store, name, by=by, now=now)
    say(f"{name} has a new password.")
    _tell(password, draw)


@app.command()
def disable(name: NameArgument, config: ConfigOption = CONFIG_DEFAULT) -> None:
    """Let somebody sign in no more; their name stays in histories."""
    from monitor.operations import accounts
    from monitor.operations.still_in_hand import still_in_hand
    from monitor.store.audit import ON_THE_COMMAND_LINE

    with reading(config) as work:
        account = accounts.disable(work.store, name, by=ON_THE_COMMAND_LINE, now=work.now)
        left = still_in_hand(work.store, work.settings, account, work.now)
    say(f"{name} cannot sign in any more.")
    if left:
        complain(left)


@app.command()
def enable(name: NameArgument, config: ConfigOption = CONFIG_DEFAULT) -> None:
    """Let somebody who was disabled sign in again."""
    from monitor.operations import accounts
    from monitor.store.audit import ON_THE_COMMAND_LINE

    with reading(config) as work:
        accounts.enable(work.store, name, by=ON_THE_COMMAND_LINE, now=clock.now())
    say(f"{name} can sign in again.")


@app.command(name="list")
def list_(config: ConfigOption = CONFIG_DEFAULT, as_json: JsonOption = False) -> None:
    """Who may sign in, and who no more."""
    from monitor.operations import accounts

    with reading(config) as work:
        everybody, zone = accounts.accounts(work.store), work.settings.clinic.zone
    rows = [
        {
            "name": it.name,
            "full_name": it.full_name,
            "role": str(it.role),
            "state": "disabled" if it.is_disabled else "active",
            "second_factor": it.has_second_factor,
            "must_change_password": it.must_change,
            "last_seen_at": None if it.last_seen_at is None else it.last_seen_at.isoformat(),
        }
        for it in everybody
    ]
    if as_json:
        print_json(rows)
        return
    lines = [
        (
            it.name,
            it.full_name,
            it.role,
            "disabled" if it.is_disabled else "",
            "second factor" if it.has_second_factor else "",
            "never" if it.last_seen_at is None else local(it.last_seen_at, zone),
        )
        for it in everybody
    ]
    columns = ["name", "full name", "role", "state", "signs in with", "last seen"]
    table(columns, lines, empty="Nobody may sign in yet: monitor user add NAME --role admin")


def _role(text: str) -> Role:
    if text not in list(Role):
        raise Refused(f"--role {text}: not a role; one of {', '.join(Role)}")
    return Role(text)


def _password(draw: bool) -> str:
    """Drawn, typed twice at a terminal, or the first line of a pipe."""
    from monitor.operations.passwords import drawn

    if draw:
        return drawn()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise Refused("the two passwords differ; nothing was changed")
    return first


def _tell(password: str, draw: bool) -> None:
    if draw:
        say(f"The password, to be changed at the first sign-in: {password}")
