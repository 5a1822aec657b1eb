"""The command `monitor`: every group of commands under one roof."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from monitor import logs
from monitor.cli import (
    alert_work,
    alerts,
    backup,
    batch,
    clinic,
    feeds,
    intake,
    limit,
    mllp,
    quarantine,
    replay,
    report,
    reviews,
    routes,
    schedule_study,
    service,
    source,
    token,
    user,
)

_HELP = """
Watches patients on azathioprine over time: who is overdue for a test, whose counts are
dangerous, and who must hear of it by mail.

A clinic begins with **monitor init** in an empty folder, then enrols patients (**enrol**),
records what happens to them (**events**), takes in lab files (**load**) and leaves the daemon
running (**run**). To see it all at work: **monitor demo**.

It is a safety net beside the laboratory's own call and the prescriber's duty. It advises a
clinician, never a patient; no message from it means nothing.
"""

app = typer.Typer(
    name="monitor",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"monitor {version('azathioprine-monitor')}")
        except PackageNotFoundError:
            typer.echo("monitor, from a folder where it is not installed")
        raise typer.Exit


@app.callback()
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


_COMMANDS = {
    "Set up": (clinic.init, service.demo),
    "Take in": (intake.enrol, intake.events, intake.load),
    "Do what is owed": (service.run, service.web, reviews.sweep, reviews.deliver),
    "Look": (reviews.status, alerts.alerts, reviews.explain, replay.replay),
    "Deal with alerts": (
        alerts.ack,
        alert_work.contact,
        alert_work.assign,
        alert_work.comment,
        alerts.snooze,
        alerts.close,
    ),
    "Look after it": (
        clinic.health,
        feeds.feeds,
        reviews.verify,
        backup.backup,
        backup.restore,
    ),
}

for _panel, _functions in _COMMANDS.items():
    for _function in _functions:
        app.command(rich_help_panel=_panel)(_function)
app.add_typer(alert_work.app, name="alert", rich_help_panel="Deal with alerts")
app.add_typer(batch.app, name="batch", rich_help_panel="Take in")
app.add_typer(quarantine.app, name="quarantine", rich_help_panel="Take in")
app.add_typer(limit.app, name="limit", rich_help_panel="Deal with alerts")
app.add_typer(report.app, name="report", rich_help_panel="Look")
app.add_typer(routes.app, name="routes", rich_help_panel="Look after it")
app.add_typer(source.app, name="source", rich_help_panel="Take in")
app.add_typer(user.app, name="user", rich_help_panel="Look after it")
app.add_typer(token.app, name="token", rich_help_panel="Look after it")
app.add_typer(mllp.app, name="mllp", rich_help_panel="Take in")
app.add_typer(schedule_study.app, name="schedule", rich_help_panel="Look after it")
