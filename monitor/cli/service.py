"""`monitor run` and `monitor demo`: the daemon, and the whole thing in one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import CONFIG_DEFAULT, ConfigOption, Exit, Refused, complain, progress, say
from monitor.config import Settings


def run(config: ConfigOption = CONFIG_DEFAULT) -> None:
    """The daemon: watches the inbox, reviews patients as their time comes, sends the mail.

    It runs until it gets SIGTERM (or Ctrl-C) and then ends with nothing half done. Killed, it
    picks up at the next start where it was. Drop lab files into the inbox folder; they move
    to done/ or failed/ beside a report.
    """
    from monitor import logs
    from monitor.config import load_settings
    from monitor.daemon import Daemon

    logs.configure(verbose=True)
    settings = load_settings(config)
    complain(f"watching {settings.intake.inbox}; SIGTERM or Ctrl-C ends it")
    with _web_beside(settings):
        Daemon(settings).run()


def web(config: ConfigOption = CONFIG_DEFAULT) -> None:
    """Serve POST /fhir alone, until SIGTERM or Ctrl-C; `monitor run` serves it too.

    What is posted is committed before it is answered, and its patients are reviewed at once;
    mails need a running daemon.
    """
    from monitor import logs
    from monitor.config import load_settings
    from monitor.web.server import PortTaken, serve

    logs.configure(verbose=True)
    settings = load_settings(config)
    if not settings.web.takes_fhir:
        raise Refused("nothing to serve: name fhir_token_env or fhir_token_file in [web]")
    where = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host

    def ready(port: int) -> None:
        complain(f"http://{where}:{port}/fhir; SIGTERM or Ctrl-C ends it")

    try:
        serve(settings, ready)
    except PortTaken as taken:
        raise Refused(str(taken)) from None


@contextmanager
def _web_beside(settings: Settings) -> Iterator[None]:
    """The web beside the daemon, where the config has a token for it."""
    if not settings.web.takes_fhir:
        yield
        return
    from monitor.web.server import PortTaken, serving

    try:
        with serving(settings):
            yield
    except PortTaken as taken:
        raise Refused(str(taken)) from None


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Do all of it without waiting, check it, and end.")
    ] = False,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where the made-up clinic lives.")
    ] = Path("monitor-demo"),
) -> None:
    """A throw-away clinic: sample patients, labs, a mail catcher, the daemon, in one command.

    Two years of some sixty made-up patients are replayed; the mails that would have been sent
    are really sent, to a mail server on this machine, and stay in DIR/mails. Then the daemon
    runs: drop a CSV into DIR/inbox and watch the alert come.
    """
    from monitor.demo.show import DemoFailed, DemoRefused, run_demo

    try:
        run_demo(folder, once=once, say=say, progress=lambda: progress("living through the days"))
    except DemoRefused as refusal:
        raise Refused(str(refusal)) from None
    except DemoFailed as failure:
        complain(f"The demo failed its own check: {failure}")
        raise typer.Exit(Exit.FAULT_OF_OURS) from None
