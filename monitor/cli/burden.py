"""`monitor report burden`: lists and figures, on the screen, as JSON, CSV or a page."""

from __future__ import annotations

import csv
import sys
from typing import Annotated, Any

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

_READERS = ["to", "messages", "digests", "alerts", "messages_a_day"]
_RULES = ["rule", "alerts", "messages", "per_100_patient_years"]


def burden(
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="The first day; 28 days if not said.")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day; today.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print a page.")] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """How many alerts and messages each reader gets a day, and what each rule costs.

    Rates are per 100 patient-years. What is over the [budget] of the config is said here and
    in the operator's digest.
    """
    from monitor.operations.burden import burden as counted
    from monitor.operations.report_burden import page
    from monitor.operations.report_page import render

    with reading(config, at) as work:
        found = counted(
            work.store,
            work.settings,
            day(since, "--from") if since else None,
            day(until, "--to") if until else None,
            work.now,
        )
    document = found.document()
    if as_json:
        print_json(document)
    elif as_csv:
        _print_csv(document)
    elif as_html:
        say(render(page(found), work.settings, work.now).rstrip())
    else:
        _print(document)


def _print(found: dict[str, Any]) -> None:
    say(
        f"{found['from']} to {found['to']}: {found['days']} days, "
        f"{found['patient_years']} patient-years, {found['alerts']} alerts opened"
        + _rate_words(found)
    )
    headings = ["reader", "messages", "digests", "alerts", "messages a day"]
    table(headings, [[it[key] for key in _READERS] for it in found["readers"]], empty="No message.")
    headings = ["rule", "alerts", "messages", "per 100 patient-years"]
    table(headings, [[it[key] for key in _RULES] for it in found["rules"]], empty="No alert.")
    for over in found["over_budget"]:
        say(f"OVER BUDGET  {over}")


def _rate_words(found: dict[str, Any]) -> str:
    rate = found["per_100_patient_years"]
    return "" if rate is None else f", {rate:g} per 100 patient-years"


def _print_csv(found: dict[str, Any]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    columns = ["of", "name", *dict.fromkeys([*_READERS[1:], *_RULES[1:]])]
    writer.writerow(columns)
    for of, key, rows in (("reader", "to", "readers"), ("rule", "rule", "rules")):
        for row in found[rows]:
            cells = {"of": of, "name": row[key], **row}
            writer.writerow([cells.get(column, "") for column in columns])
