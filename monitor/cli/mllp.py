"""`monitor mllp send`: HL7 messages over MLLP, to try a listener."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import CONFIG_DEFAULT, ConfigOption, Exit, JsonOption, Refused, say
from monitor.cli.json_answers import print_json

app = typer.Typer(help="HL7 messages over a connection.", no_args_is_help=True)
_SHOWN = 20


@app.callback()
def _group() -> None:
    """HL7 messages over a connection (MLLP)."""


@app.command()
def send(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.hl7", readable=False, help="HL7 v2 messages.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="HOST:PORT", help="Whereto; else [mllp] of the config.")
    ] = "",
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for an answer.")
    ] = 60,
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Send the messages of a file to a listener, one by one, and show what it answers.

    To try a running `monitor run`, or any other MLLP listener. Ends with 3 where a message was
    not taken (AE, AR, CE, CR).
    """
    from monitor.intake.mllp_send import NotSent, send_messages

    host, port = _address(to, config)
    try:
        answers = list(send_messages(file, host, port, timeout))
    except NotSent as refusal:
        raise Refused(str(refusal)) from None
    refused = [it for it in answers if not it.well]
    if as_json:
        names = ("number", "kind", "code", "reason")
        print_json([{name: getattr(it, name) for name in names} for it in answers])
    else:
        say(f"{len(answers)} sent: {len(answers) - len(refused)} taken, {len(refused)} not.")
        for it in refused[:_SHOWN]:
            say(f"  message {it.number} ({it.kind}): {it.code} {it.reason}".rstrip())
    if refused:
        raise typer.Exit(Exit.NOT_ALL)


def _address(to: str, config: Path) -> tuple[str, int]:
    if to:
        host, _, port = to.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise Refused(f'"{to}" is no address: one looks like localhost:2575')
        return host.strip("[]"), int(port)
    from monitor.config import load_settings

    mllp = load_settings(config).mllp
    if not mllp.is_on:
        raise Refused("[mllp] port is 0, so nobody listens: set it, or say --to HOST:PORT")
    return mllp.host, mllp.port
