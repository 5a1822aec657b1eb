"""`monitor replay`: the days of history lived through once more, in a copy."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    ConfigOption,
    JsonOption,
    day,
    progress,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json


def replay(
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day.")],
    as_it_came: Annotated[
        bool,
        typer.Option(
            "--as-it-came",
            help="Everything is known from when it was taken in, however late that was.",
        ),
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Live through days of history again, and show what would have been sent.

    The very same code with a moving now, in a copy of the database: nothing is sent and nothing
    is changed. Acknowledgements and the like are done again when they were done. A result that
    was taken in long after its day counts from when it was reported, else collected.
    """
    from monitor.operations.replay import replay as live_again

    days = day(first, "--from"), day(last, "--to")
    with reading(config) as work, progress("living through the days", quiet=as_json) as bar:
        found = live_again(work.store, work.settings, *days, as_it_came=as_it_came, progress=bar)
    if as_json:
        print_json(found.document())
        return
    columns = ["at", "to", "subject"]
    rows = [(it["at"][:16].replace("T", " "), it["to"], it["subject"]) for it in found.messages]
    table(columns, rows, empty="Nothing would have been sent.")
    digests = sum(it["kind"] == "digest" for it in found.messages)
    opened = sum(it["opened"] for it in found.days())
    say(
        f"{days[0]} to {days[1]}: {len(found.messages) - digests} messages and {digests} digests; "
        f"{opened} alerts opened."
    )
    if found.acts_left_out:
        say(f"{found.acts_left_out} things that people did could not be done again.")
