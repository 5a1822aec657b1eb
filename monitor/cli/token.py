"""`monitor token`: which other programs use the API, and for what."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor import clock
from monitor.cli.common import (
    CONFIG_DEFAULT,
    ConfigOption,
    JsonOption,
    Refused,
    day,
    local,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json
from monitor.core.calendar import start_of_day
from monitor.core.permissions import Scope

app = typer.Typer(help="Which other programs use the API, and for what.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As it stands in histories.")]


@app.command()
def add(
    name: NameArgument,
    scope: Annotated[
        list[str],
        typer.Option("--scope", metavar="WORD", help=f"{', '.join(Scope)}; may be said again."),
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="DAY", help="The first day on which it ends.")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
) -> None:
    """Issue a token. It is printed once and cannot be shown again."""
    from monitor.operations import api_tokens
    from monitor.store.audit import ON_THE_COMMAND_LINE

    unknown = [word for word in scope if word not in list(Scope)]
    if unknown:
        raise Refused(f"--scope {unknown[0]}: one of {', '.join(Scope)}")
    with reading(config) as work:
        zone = work.settings.clinic.zone
        try:
            text = api_tokens.issue(
                work.store,
                name=name,
                scopes={Scope(word) for word in scope},
                by=ON_THE_COMMAND_LINE,
                now=clock.now(),
                expires_at=start_of_day(day(until, "--until"), zone) if until else None,
            )
        except api_tokens.TokenRefused as refused:
            raise Refused(str(refused)) from None
    say(text)


@app.command("list")
def list_tokens(config: ConfigOption = CONFIG_DEFAULT, as_json: JsonOption = False) -> None:
    """List the tokens, without their secrets."""
    from monitor.operations.api_tokens import tokens

    with reading(config) as work:
        zone, found = work.settings.clinic.zone, tokens(work.store)
    rows = [
        {
            "name": it.name,
            "scopes": list(it.scopes),
            "created_at": local(it.created_at, zone),
            "created_by": it.created_by,
            "expires_at": local(it.expires_at, zone) if it.expires_at else None,
            "last_used_at": local(it.last_used_at, zone) if it.last_used_at else None,
            "revoked_at": local(it.revoked_at, zone) if it.revoked_at else None,
        }
        for it in found
    ]
    if as_json:
        print_json(rows)
        return
    columns = ["name", "scopes", "created", "by", "until", "last used", "revoked"]
    table(
        columns,
        [(it["name"], ", ".join(found[n].scopes), *list(it.values())[2:]) for n, it in
         enumerate(rows)],
        empty="No other program uses the API.",
    )  # fmt: skip


@app.command()
def revoke(name: NameArgument, config: ConfigOption = CONFIG_DEFAULT) -> None:
    """Make a token worth nothing, at once."""
    from monitor.operations import api_tokens
    from monitor.store.audit import ON_THE_COMMAND_LINE

    with reading(config) as work:
        try:
            api_tokens.revoke(work.store, name, by=ON_THE_COMMAND_LINE, now=clock.now())
        except api_tokens.TokenRefused as refused:
            raise Refused(str(refused)) from None
    say(f"{name} is worth nothing any more.")
