"""The command `monitor`: every group of commands under one roof.

To read them all takes longer than most of them take: where the first word names one, that one
alone is read.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from monitor import logs
from monitor.cli.grammar import Command, Group

_HELP = """
Watches patients on azathioprine over time: who is overdue for a test, whose counts are
dangerous, and who must hear of it by mail.

A clinic begins with **monitor init** in an empty folder, then enrols patients (**enrol**),
records what happens to them (**events**), takes in lab files (**load**) and leaves the daemon
running (**run**). To see it all at work: **monitor demo**.

It is a safety net beside the laboratory's own call and the prescriber's duty. It advises a
clinician, never a patient; no message from it means nothing.
"""

_COMMANDS = {
    "Set up": "clinic.init service.demo",
    "Take in": "intake.enrol intake.events intake.load",
    "Do what is owed": "service.run service.web reviews.sweep reviews.deliver",
    "Look": "reviews.status alerts.alerts reviews.explain replay.replay",
    "Deal with alerts": (
        "alerts.ack alert_work.contact alert_work.assign alert_work.comment alerts.snooze "
        "alerts.close"
    ),
    "Look after it": (
        "clinic.health feeds.feeds reviews.verify canary.canary seal.seal backup.backup "
        "backup.restore clock_back.clock"
    ),
}
"""By their headings in the help: file and function of each command."""
_GROUPS = {
    "alert": ("alert_work", "Deal with alerts"),
    "batch": ("batch", "Take in"),
    "quarantine": ("quarantine", "Take in"),
    "limit": ("limit", "Deal with alerts"),
    "report": ("report", "Look"),
    "routes": ("routes", "Look after it"),
    "source": ("source", "Take in"),
    "user": ("user", "Look after it"),
    "token": ("token", "Look after it"),
    "mllp": ("mllp", "Take in"),
    "schedule": ("schedule_study", "Look after it"),
}


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"monitor {version('azathioprine-monitor')}")
        except PackageNotFoundError:
            typer.echo("monitor, from a folder where it is not installed")
        raise typer.Exit


def common(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what is done, with ids and counts only.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    logs.configure(verbose=verbose)


def command_line(word: str = "") -> typer.Typer:
    """Everything; or the command of this name alone, where it is the name of one."""
    app = typer.Typer(
        name="monitor",
        help=_HELP,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(common)
    places = [(panel, *it.split(".")) for panel, names in _COMMANDS.items() for it in names.split()]
    known = word in _GROUPS or any(word == name for _, _, name in places)
    for panel, file, name in places:
        if word == name or not known:
            app.command(name, cls=Command, rich_help_panel=panel)(getattr(_read(file), name))
    for name, (file, panel) in _GROUPS.items():
        if word == name or not known:
            group = _read(file).app
            for command in group.registered_commands:
                command.cls = Command
            app.add_typer(group, name=name, cls=Group, rich_help_panel=panel)
    return app


def _read(file: str) -> Any:
    return import_module(f"monitor.cli.{file}")
