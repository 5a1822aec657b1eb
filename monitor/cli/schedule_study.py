"""`monitor schedule compare` and `backtest`: protocols studied before they are put in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    day,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json
from monitor.cli.schedule import app
from monitor.core.calendar import clinic_day

__all__ = ["app"]

if TYPE_CHECKING:
    from monitor.core.comparing import Comparison, Month

_HELP = "The id of a protocol in force, or a file.toml."
_Which = Annotated[str, typer.Argument(metavar="A", help=_HELP)]
_Other = Annotated[str, typer.Argument(metavar="B", help=_HELP)]


@app.command("compare")
def compare_protocols(
    a: _Which,
    b: _Other,
    start: Annotated[
        str, typer.Option("--start", metavar="DAY", help="Start day of the patient; else today.")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Print two protocols side by side, and where one is looser than the other.

    Two calendars of a patient who is tested on every due day, two ladders of limits.
    """
    from monitor.operations import schedule_compare

    with reading(config, at) as work:
        zone = work.settings.clinic.zone
        first = day(start, "--start") if start else clinic_day(work.now, zone)
        found, force = schedule_compare.compare_protocols(work.store, a, b, first)
    if as_json:
        print_json(schedule_compare.document(found, force))
    else:
        _say_comparison(found)


def _say_comparison(found: Comparison) -> None:
    from monitor.operations.schedule_show import then_of

    for sign, protocol in zip("AB", found.protocols, strict=True):
        say(f"{sign}  {protocol.id}: {protocol.title}")
        say(f"   source: {protocol.source}")
        say(f"   In the end: {then_of(protocol, found.span)}.")
    say(f"\nA patient who starts on {found.start:%a %d %b %Y} and is tested on every due day; in")
    say("each month of treatment the tests, and the longest wait for one in days:\n")
    columns = ["test", "month", "A tests", "A wait", "B tests", "B wait", "looser"]
    table(columns, [_month_row(found, month) for month in found.months])
    say("\nLimits: where each first asks for so much, or more:\n")
    rows = [
        (
            step.analyte,
            step.test.replace("_", " "),
            step.asks.replace("_", " "),
            "never" if step.limits[0] is None else f"{step.limits[0]:f}",
            "never" if step.limits[1] is None else f"{step.limits[1]:f}",
            _sign(step.looser),
        )
        for step in found.steps
    ]
    table(["analyte", "test", "asks for", "A", "B", "looser"], rows)
    for which, sign in enumerate("AB"):
        lines = [it.text for it in found.looser if it.which == which]
        here = found.protocols[which].id
        say(f"\n{sign}, {here}, is looser " + ("nowhere." if not lines else "here:"))
        for line in lines:
            say(f"  {line}")


def _month_row(found: Comparison, month: Month) -> tuple[object, ...]:
    title = next(
        it.title for protocol in found.protocols for it in protocol.panels if it.id == month.panel
    )
    cells: list[object] = [title if month.month == 1 else "", month.month]
    for tests, wait in zip(month.tests, month.longest_wait_days, strict=True):
        cells += [tests, "not asked" if wait is None else wait]
    return (*cells, _sign(month.looser))


def _sign(looser: int | None) -> str:
    return "" if looser is None else "AB"[looser]


@app.command("backtest")
def backtest_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A protocol file.")],
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day; else a year before --to.")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day; else today.")] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what a file would have said over the days of history, beside what is in force.

    Runs the very same rules day by day over those enrolled on it; changes nothing. A result
    counts from its collection on, since nobody acts on when it arrived.
    """
    from monitor.cli.common import progress
    from monitor.operations.schedule_backtest import backtest, span

    with reading(config, at) as work, progress("days of history", quiet=as_json) as bar:
        today = clinic_day(work.now, work.settings.clinic.zone)
        days = span(
            day(first, "--from") if first else None, day(last, "--to") if last else None, today
        )
        found = backtest(work.store, work.settings, file, days, progress=bar)
    if as_json:
        print_json(found.document())
        return
    say(f"{found.id}, {found.first} to {found.last}: {found.enrolled} enrolled, "
        f"{found.patient_years} patient-years, {found.looked} days looked at.")  # fmt: skip
    rows = [
        (row.cause, row.kind.replace("_", " "), row.urgency, row.before, row.after, row.per_100)
        for row in found.rows
    ]
    columns = ["cause", "kind", "urgency", "in force", "file", "file, in 100 patient-years"]
    table(columns, rows, empty="Neither would have said anything.")
    for line in found.only:
        say(f"  {line}")
    if found.failed:
        say(f"{found.failed} enrolments could not be judged.")
