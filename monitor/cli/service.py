"""`monitor run` and `monitor demo`: the daemon, and the whole thing in one command."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import CONFIG_DEFAULT, ConfigOption, Exit, Refused, complain, progress, say
from monitor.config import Settings

_OFTEN = 700


def run(config: ConfigOption = CONFIG_DEFAULT) -> None:
    """The daemon: watches the inbox, reviews patients as their time comes, sends the mail.

    It runs until it gets SIGTERM (or Ctrl-C) and then ends with nothing half done. Killed, it
    picks up at the next start where it was. Drop lab files into the inbox folder; they move
    to done/ or failed/ beside a report.
    """
    from monitor import logs
    from monitor.config import load_settings, missing_secrets
    from monitor.daemon import Daemon

    logs.configure(verbose=True)
    _stays()
    settings = load_settings(config)
    complain(f"watching {settings.intake.inbox}; SIGTERM or Ctrl-C ends it")
    if missing := "; ".join(missing_secrets(settings, os.environ)):
        text = f"the monitor runs without what its config names: {missing}"
        complain(text)
        _alarm(settings, "settings", text)
    with _web_beside(settings):
        Daemon(settings, config).run()


def web(config: ConfigOption = CONFIG_DEFAULT) -> None:
    """Serve the pages and POST /fhir alone, until SIGTERM or Ctrl-C; `monitor run` serves them too.

    What is done or posted here is committed before it is answered, and its patients are reviewed
    at once; mails need a running daemon. Who may sign in: `monitor user add`.
    """
    from monitor import logs
    from monitor.config import load_settings
    from monitor.web.server import PortTaken, address_of, serve

    logs.configure(verbose=True)
    _stays()
    settings = load_settings(config)

    def ready(port: int) -> None:
        complain(f"{address_of(settings, port)}/ ; SIGTERM or Ctrl-C ends it")

    try:
        serve(settings, ready)
    except PortTaken as taken:
        raise Refused(str(taken)) from None


def _stays() -> None:
    """What was imported stays for as long as this runs: the collector need not look through it.
    From here on it looks for garbage as often as Python has it."""
    gc.freeze()
    gc.set_threshold(_OFTEN)


@contextmanager
def _web_beside(settings: Settings) -> Iterator[None]:
    """The pages beside the daemon. Where their port is taken the daemon watches all the same, and
    says so here and to the operator: patients must not wait for a port."""
    from monitor.web.server import PortTaken, address_of, serving

    with ExitStack() as pages:
        try:
            port = pages.enter_context(serving(settings))
        except PortTaken as taken:
            complain(f"the pages are not served: {taken}")
            text = f"the monitor runs, but its pages are not served: {taken}"
            _alarm(settings, "pages", text)
        else:
            complain(f"the pages: {address_of(settings, port)}/")
        yield


def _alarm(settings: Settings, topic: str, text: str) -> None:
    from monitor import clock
    from monitor.store.database import open_store
    from monitor.store.outbox import operator_alarm

    store, clinic = open_store(settings.database.url), settings.clinic
    try:
        with store.write() as connection:
            operator_alarm(connection, topic, text, clinic.email, clock.now(), clinic.zone)
    finally:
        store.dispose()


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Do all of it without waiting, check it, and end.")
    ] = False,
    folder: Annotated[
        Path,
        typer.Option(
            "--dir", metavar="DIR", readable=False, help="Where the made-up clinic lives."
        ),
    ] = Path("monitor-demo"),
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", readable=False, help="Not read: the made-up clinic has its own in DIR."
        ),
    ] = None,
) -> None:
    """A throw-away clinic: sample patients, labs, a mail catcher, the daemon, in one command.

    Two years of some sixty made-up patients are replayed; the mails that would have been sent
    are really sent, to a mail server on this machine, and stay in DIR/mails. Then the daemon
    runs: drop a CSV into DIR/inbox and watch the alert come.
    """
    from monitor.demo.show import DemoFailed, DemoRefused, run_demo

    if config is not None:
        complain(f"{config} is not read: the made-up clinic has its own, {folder}/config.toml")
    try:
        run_demo(folder, once=once, say=say, progress=lambda: progress("living through the days"))
    except DemoRefused as refusal:
        raise Refused(str(refusal)) from None
    except DemoFailed as failure:
        complain(f"The demo failed its own check: {failure}")
        raise typer.Exit(Exit.FAULT_OF_OURS) from None
