"""`monitor report`: lists and figures."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    day,
    print_json,
    reading,
    say,
    table,
)

if TYPE_CHECKING:
    from monitor.operations.late import LateReport

app = typer.Typer(no_args_is_help=True, help="Lists and figures.")


@app.callback()
def reports() -> None:
    """Lists and figures."""


@app.command()
def late(
    since: Annotated[
        str,
        typer.Option("--since", metavar="DAY", help="Only what came in on this day or later."),
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the list as CSV.")] = False,
) -> None:
    """Which alerts results that came late would have opened on an earlier day.

    A result is late where it came more than [intake] late_after after its collection. The same
    review that alerts is asked of that earlier day.
    """
    from monitor.core.calendar import start_of_day
    from monitor.operations.late import late_report

    with reading(config, at) as work:
        first = start_of_day(day(since, "--since"), work.settings.clinic.zone) if since else None
        found = late_report(work.store, work.settings, work.now, since=first)
    if as_json:
        print_json(found.document())
    elif as_csv:
        _print_csv(found)
    else:
        _say(found)


def _say(found: LateReport) -> None:
    results = "1 result" if found.results == 1 else f"{found.results} results"
    patients = "1 patient" if found.patients == 1 else f"{found.patients} patients"
    say(f"{results} of {patients} came late.")
    table(
        ("mrn", "would have opened", "opened", "days", "urgency", "alert", "id"),
        [
            (
                it.mrn,
                it.would_have_opened_on,
                it.opened_on or "never: over when it came",
                it.days_late,
                it.urgency,
                it.summary,
                it.alert_id,
            )
            for it in found.alerts
        ],
        empty="No alert would have opened on an earlier day.",
    )


def _print_csv(found: LateReport) -> None:
    names = (
        "mrn", "drug", "rule", "kind", "urgency", "analyte", "would_have_opened_on", "opened_on",
        "days_late", "alert", "summary",
    )  # fmt: skip
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(alert.document() for alert in found.alerts)
