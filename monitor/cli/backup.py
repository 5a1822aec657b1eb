"""`monitor backup` and `monitor restore`: the whole database in one file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    complain,
    local,
    progress,
    reading,
    say,
)
from monitor.cli.json_answers import print_json
from monitor.config import load_settings

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.operations.backup import Copied


_SHOWN = 10


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="Where the copy goes.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over FILE where it is there already.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Copy the live database, whole and consistent, into one file.

    The daemon goes on meanwhile. FILE is a SQLite file on either database, checked before it
    gets its name, and readable by its owner alone: it holds everything about everybody.
    """
    from monitor.operations.backup import backup as copy

    with reading(config, at) as work, progress("copying", quiet=as_json) as bar:
        made = copy(work.store, file, work.now, replace=replace, progress=bar)
    if as_json:
        print_json(made.document() | {"not_noted": made.not_noted})
    else:
        _say(made, work.settings, "copied")
    if made.not_noted:
        complain(
            f"The copy is whole; but the database could not note when it was made: {made.not_noted}"
        )
        raise typer.Exit(Exit.NOT_ALL)


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="What `monitor backup` wrote.")
    ],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Also where the database holds something: that is lost."),
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of the database of this config, SQLite or PostgreSQL.

    End the daemon first. A backup of an older version is brought up to date; FILE itself is
    only read, and checked before anything is changed.
    """
    from monitor.operations.backup import restore as put_back

    settings = load_settings(config)
    with progress("restoring", quiet=as_json) as bar:
        found = put_back(settings, file, replace=replace, progress=bar)
    if as_json:
        print_json(found.document() | {"came_since": found.came_since})
        return
    _say(found, settings, "restored")
    if found.waiting:
        waited = "1 message was" if found.waiting == 1 else f"{found.waiting} messages were"
        say(
            f"{waited} waiting when the backup was made. What went out since goes out again, with "
            "the Message-ID it had."
        )
    say("What was loaded, recorded and acknowledged after that instant is not in it.")
    if found.came_since:
        _say_what_came_since(settings, found.came_since)
    say("next: monitor verify, then monitor run")


def _say_what_came_since(settings: Settings, files: Sequence[str]) -> None:
    more = f" and {len(files) - _SHOWN} more (--json lists them)" if len(files) > _SHOWN else ""
    them = "it" if len(files) == 1 else "them"
    say(
        f"Taken in since, and still in {settings.intake.inbox / 'done'}: "
        f"{', '.join(files[:_SHOWN])}{more}. Put {them} into the inbox again, or load {them}: "
        "nobody else will miss what stands there."
    )


def _say(copied: Copied, settings: Settings, done: str) -> None:
    for name, rows in copied.rows.items():
        say(f"{rows:>12,}  {name.replace('_', ' ')}")
    latest = local(copied.brought_to, settings.clinic.zone) if copied.brought_to else "nothing yet"
    say(f"{done}: {copied.file}, {copied.bytes:,} bytes, brought to {latest}")
