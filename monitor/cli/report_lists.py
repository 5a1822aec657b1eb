"""`monitor report overdue`, `compliance` and `audit`: as a table, JSON, CSV or one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    Refused,
    day,
    print_json,
    reading,
    say,
    table,
)
from monitor.cli.report import app

__all__ = ["app"]

if TYPE_CHECKING:
    from datetime import date

    from monitor.operations.report_page import Page

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
    from monitor.operations import report_overdue as room

    _one_form(as_csv, as_html, as_json)
    which = room.Which(clinic, drug)
    with reading(config, at) as work:
        found = room.overdue(work.store, work.settings, which, work.now)
        page = room.page(found, which, work.settings)
        if as_html:
            _say_page(page, work)
            return
    if as_json:
        print_json(found.document())
    elif as_csv:
        _say_csv(room.FIELDS, [it.document() for it in found.rows])
    else:
        _say(page)


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
    from monitor.operations import report_compliance as room
    from monitor.operations.report_compliance_page import page as laid_out
    from monitor.operations.report_overdue import Which

    _one_form(as_csv, as_html, as_json)
    which = Which(clinic, drug)
    with reading(config, at) as work:
        found = room.compliance(work.store, work.settings, which, _days(first, last), work.now)
        page = laid_out(found, which)
        if as_html:
            _say_page(page, work)
            return
    if as_json:
        print_json(found.document())
    elif as_csv:
        _say_csv(room.FIELDS, found.rows())
    else:
        _say(page)


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
    from monitor.operations import report_audit as room
    from monitor.operations.report_overdue import Which

    _one_form(as_csv, as_html, as_json)
    which = Which(clinic, drug)
    with reading(config, at) as work:
        days = _days(first, last)
        found = room.audit(work.store, work.settings, which, days, work.now, who=who)
        page = room.page(found, which)
        if as_html:
            _say_page(page, work)
            return
    if as_json:
        print_json(found.document())
    elif as_csv:
        _say_csv(("at", *room.FIELDS), found.document()["entries"])
    else:
        _say(page)


def _one_form(*forms: bool) -> None:
    if sum(forms) > 1:
        raise Refused("one of --json, --csv and --html at a time")


def _days(first: str, last: str) -> tuple[date | None, date | None]:
    return (
        day(first, "--from") if first else None,
        day(last, "--to") if last else None,
    )


def _say(page: Page) -> None:
    say(f"{page.title}, {page.span}")
    for number, what, below in page.facts:
        say(f"{number:>12}  {what}" + (f" ({below})" if below else ""))
    for it in page.tables:
        rows = [*it.rows, *([it.total] if it.rows and it.total else [])]
        say()
        table(it.columns, rows, title=it.title, empty=it.empty)


def _say_page(page: Page, work: Any) -> None:
    from monitor.operations.report_page import render

    say(render(page, work.settings, work.now).rstrip())


def _say_csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    from monitor.operations.report_csv import as_csv

    say(as_csv(names, rows).rstrip("\n"))
