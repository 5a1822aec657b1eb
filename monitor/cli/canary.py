"""`monitor canary`: made-up patients go the road of the real ones."""

from __future__ import annotations

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    say,
    writing,
)
from monitor.cli.json_answers import print_json


def canary(
    config: ConfigOption = CONFIG_DEFAULT, at: AtOption = "", as_json: JsonOption = False
) -> None:
    """Have made-up patients go the whole road; 3 where one does not arrive.

    For each protocol that is followed, one never tested, and one beyond each limit: enrolled,
    loaded, reviewed, told and acknowledged by this clinic's settings, in a database that is thrown
    away. Nothing is sent. The daemon does it each night.
    """
    from monitor.operations.canary import fly, tell

    with writing(config, at) as work:
        flight = fly(work.store, work.settings, work.now)
        tell(work.store, work.settings, flight)
    if as_json:
        print_json(flight.document())
    else:
        for line in flight.died:
            say(line)
        arrived = "Not all arrived" if flight.died else "All arrived"
        say(
            f"{arrived}: {flight.patients} made-up patients on {', '.join(flight.protocols)}; "
            f"{flight.alerts} alerts, {flight.messages} messages, none of them sent."
        )
    if flight.died:
        raise typer.Exit(Exit.NOT_ALL)
