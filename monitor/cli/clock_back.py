"""`monitor clock`: whether the database lies ahead of the clock, and the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor import clock as machine
from monitor.cli.common import CONFIG_DEFAULT, ConfigOption, Exit, Refused, day, local, reading, say


def clock(
    today: Annotated[
        str,
        typer.Option(
            "--bring-back-to",
            metavar="DAY",
            help="Today's date, by a calendar: the database is brought back to now.",
        ),
    ] = "",
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="How it came.")] = "",
    config: ConfigOption = CONFIG_DEFAULT,
) -> None:
    """See whether the database lies ahead of the clock (ends with 3), and bring it back.

    A command with an `--at` that lies ahead, or a clock that was wrong, brings it there: until
    then nobody is reviewed and what writes is refused. End the daemon and make a backup before.
    Nothing is taken away; everyone is reviewed anew, and who was told what is not so hears of it.
    """
    from monitor.core.calendar import clinic_day
    from monitor.operations.brought_back import NotBroughtBack, ahead, bring_back

    with reading(config) as work:
        now, zone = machine.now(), work.settings.clinic.zone
        found = ahead(work.store, now)
        if found is None:
            say("The database does not lie ahead of the clock.")
            return
        if not today:
            say(
                f"The clock says {local(now, zone)}, and the database has been brought to "
                f"{local(found.brought_to, zone)}. Done for then: files {found.files}, changes of "
                f"alerts {found.changes}, messages {found.messages}, of them sent {found.sent}."
            )
            say("Is the clock right? Then: monitor clock --bring-back-to TODAY --by --reason")
            raise typer.Exit(Exit.NOT_ALL)
        if day(today, "--bring-back-to") != clinic_day(now, zone):
            raise Refused(
                f"--bring-back-to {today}: the clock of this machine says "
                f"{clinic_day(now, zone)}; where it is wrong, set it right first"
            )
        try:
            bring_back(work.store, work.settings, now, by=by, reason=reason)
        except NotBroughtBack as refusal:
            raise Refused(str(refusal)) from None
    say(
        f"Brought back to {local(now, zone)}. Everyone is owed a review: start the daemon, or "
        "run monitor sweep"
    )
