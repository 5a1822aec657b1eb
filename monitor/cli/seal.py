"""`monitor seal`: proof, kept elsewhere, that nobody changed who did what."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    Refused,
    reading,
    say,
)
from monitor.cli.json_answers import print_json


def seal(
    kept: Annotated[
        str, typer.Argument(metavar="[SEAL]", help="A seal of an earlier day, to be tried.")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Seal who saw and did what, or see whether an earlier seal holds; 3 where it does not.

    Of every line of the audit trail and of the history of alerts up to an hour ago. Keep it where
    nobody who can write into the database can write.
    """
    from monitor.store import seal as seals

    try:
        earlier = seals.Seal.read(kept) if kept else None
    except ValueError as error:
        raise Refused(str(error)) from None
    with reading(config, at) as work, work.store.read() as connection:
        made = earlier or seals.seal(connection, work.now)
        holds = earlier is None or seals.holds(connection, earlier)
    lines = f"line {made.trail} of the audit trail and line {made.history} of the alerts' history"
    if as_json:
        print_json({"seal": str(made), "holds": holds})
    elif earlier is None:
        say(str(made))
    elif holds:
        say(f"It holds: nothing up to {lines} was changed.")
    else:
        say(f"It does not hold: up to {lines} something was changed, added or taken away.")
    if not holds:
        raise typer.Exit(Exit.NOT_ALL)
