"""`monitor report`: lists and figures, as tables, JSON, CSV or one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli import report_gaps
from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    Refused,
    day,
    harmless,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json, print_json_around, print_lines

if TYPE_CHECKING:
    from monitor.operations.report_page import Page

app = typer.Typer(no_args_is_help=True, help="Lists and figures.")
_Clinic = Annotated[str, typer.Option("--clinic", help="Only this clinic.")]
_Drug = Annotated[str, typer.Option("--drug", help="Only this drug.")]
_First = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")]
_Last = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day; today.")]
_Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
_Html = Annotated[
    bool, typer.Option("--html", help="Print one page, to look at and to print on paper.")
]


@app.command()
def overdue(
    clinic: _Clinic = "",
    drug: _Drug = "",
    as_csv: _Csv = False,
    as_html: _Html = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Who is overdue, since when, what was tried, and who has it."""
    form = _form(as_json, as_csv, as_html)
    _report("overdue", form, config, at, clinic=clinic, drug=drug)


@app.command()
def compliance(
    first: _First = "",
    last: _Last = "",
    clinic: _Clinic = "",
    drug: _Drug = "",
    as_csv: _Csv = False,
    as_html: _Html = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Were the tests done that were due: in time, in grace, late, missed; days covered.

    Twelve months up to today where no days are named.
    """
    form = _form(as_json, as_csv, as_html)
    _report("compliance", form, config, at, clinic=clinic, drug=drug, first=first, last=last)


@app.command()
def gaps(
    first: _First = "",
    last: _Last = "",
    clinic: _Clinic = "",
    drug: _Drug = "",
    kept: Annotated[
        Path | None,
        typer.Option(
            "--check",
            metavar="FILE",
            readable=False,
            help="A report kept with --json: is it the same, made anew? 3 where it is not.",
        ),
    ] = None,
    as_csv: _Csv = False,
    as_html: _Html = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """On which days a test covered each patient, on which none did, and what is on record of why.

    Twelve months up to today where no days are named. It ends with a digest of its content and the
    seal of the audit trail. Kept with --json, it can be tried on any later day.
    """
    form = _form(as_json, as_csv, as_html)
    if kept is not None:
        if first or last or clinic or drug or form in ("csv", "html"):
            raise Refused("--check takes days, clinic and drug from the file, and --json alone")
        with reading(config, at) as work:
            report_gaps.check(kept, work, as_json=as_json)
        return
    _report("gaps", form, config, at, clinic=clinic, drug=drug, first=first, last=last)


@app.command()
def burden(
    first: _First = "",
    last: _Last = "",
    as_csv: _Csv = False,
    as_html: _Html = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """How many alerts and messages each reader gets a day, and what each rule costs.

    Rates are per 100 patient-years. What is over the [budget] of the config is said here and
    in the operator's digest. 28 days up to today where no days are named.
    """
    form = _form(as_json, as_csv, as_html)
    _report("burden", form, config, at, first=first, last=last)


@app.command()
def late(
    since: Annotated[
        str,
        typer.Option("--since", metavar="DAY", help="Only what came in on this day or later."),
    ] = "",
    as_csv: _Csv = False,
    as_html: _Html = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Which alerts results that came late would have opened on an earlier day.

    A result is late where it came more than [intake] late_after after its collection. The same
    review that alerts is asked of that earlier day.
    """
    form = _form(as_json, as_csv, as_html)
    _report("late", form, config, at, first=since, option="--since")


@app.command()
def audit(
    first: _First = "",
    last: _Last = "",
    who: Annotated[str, typer.Option("--who", help="Only what this person did.")] = "",
    clinic: _Clinic = "",
    drug: _Drug = "",
    as_csv: _Csv = False,
    as_html: _Html = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Who did what, when: alerts, files, protocols, merges, quarantine, personal limits.

    28 days up to today where no days are named.
    """
    form = _form(as_json, as_csv, as_html)
    _report("audit", form, config, at, clinic=clinic, drug=drug, first=first, last=last, who=who)


def _form(as_json: bool, as_csv: bool, as_html: bool) -> str:
    """Which of the forms is asked for; on the screen where none is."""
    asked = [name for name, it in (("json", as_json), ("csv", as_csv), ("html", as_html)) if it]
    if len(asked) > 1:
        raise Refused("one of --json, --csv and --html at a time")
    return asked[0] if asked else "screen"


def _report(
    name: str,
    form: str,
    config: Path,
    at: str,
    *,
    clinic: str = "",
    drug: str = "",
    first: str = "",
    last: str = "",
    who: str = "",
    option: str = "--from",
) -> None:
    from monitor.operations.report_csv import csv_lines
    from monitor.operations.report_overdue import Which
    from monitor.operations.report_page import render
    from monitor.operations.reports import REPORTS, Asked

    asked = Asked(
        which=Which(clinic, drug),
        first=day(first, option) if first else None,
        last=day(last, "--to") if last else None,
        who=who,
    )
    with reading(config, at) as work:
        made = REPORTS[name].make(work.store, work.settings, asked, work.now)
        match form:
            case "json" if made.long is not None:
                print_json_around(*made.long)
            case "json":
                print_json(made.document())
            case "csv":
                print_lines(map(harmless, csv_lines(made.names, made.rows())))
            case "html":
                say(render(made.page(), work.settings, work.now).rstrip())
            case _:
                _say(made.page())


def _say(page: Page) -> None:
    say(f"{page.title}, {page.span}")
    for number, what, below in page.facts:
        say(f"{number:>12}  {what}" + (f" ({below})" if below else ""))
    for it in page.tables:
        rows = [*it.rows, *([it.total] if it.rows and it.total else [])]
        say()
        table(it.columns, rows, title=it.title, empty=it.empty)
    if page.notes:
        say()
    for note in page.notes:
        say(f"  {note}")
