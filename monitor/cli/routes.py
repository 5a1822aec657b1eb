"""`monitor routes check`, `explain`, `test`: who is told, and whether somebody always is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from monitor.cli.alerts import IdArgument
from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    complain_unsent,
    local,
    reading,
    say,
    writing,
)
from monitor.cli.json_answers import print_json

app = typer.Typer(
    help="Who is told of what: check, explain and try the routes.", no_args_is_help=True
)


@app.command()
def check(
    config: ConfigOption = CONFIG_DEFAULT, at: AtOption = "", as_json: JsonOption = False
) -> None:
    """Does every hour of the coming year, holidays included, have a person for critical alerts?

    Ends with 3 when one has none, when a tier for critical alerts has only mail, when a rota
    is empty or a route meets nobody; it names the first hour and how many there are.
    """
    from monitor.operations.routes_check import check_routes

    with reading(config, at) as work:
        found = check_routes(work.store, work.settings, work.now)
        zone = work.settings.clinic.zone
        document = found.document(work.settings)
    if as_json:
        print_json(document)
    else:
        for fault in found.faults:
            say(f"FAULT    {fault}")
        for gap in found.gaps:
            pieces = f" in {gap.stretches} stretches" if gap.stretches > 1 else ""
            say(
                f"NOBODY   for critical alerts ({gap.what}) from {local(gap.first, zone)} to "
                f"{local(gap.until, zone)}; {gap.hours} hours of the coming year{pieces}"
            )
        for warning in found.warnings:
            say(f"warning  {warning}")
        well = "Every hour of the coming year has a person for critical alerts."
        say(well if found.well else "Not every critical alert would reach a person in time.")
    if not found.well:
        raise typer.Exit(Exit.NOT_ALL)


@app.command()
def explain(
    alert: IdArgument,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Who was told of an alert, who will be told when, and why: tier by tier."""
    from monitor.operations.routes_explain import explain_routes

    with reading(config, at) as work:
        told = explain_routes(work.store, work.settings, alert, work.now)
    if as_json:
        print_json(told)
        return
    for line in _in_words(told):
        say(line)


def _in_words(told: dict[str, Any]) -> list[str]:
    where = f"clinic {told['clinic']}, " if told["clinic"] else ""
    kind = told["kind"].replace("_", " ")
    about = f"{told['urgency']} {kind}, {where}{told['drug']}; {told['state']}"
    lines = [f"Alert {told['alert']}: {about}"]
    for route in told["routes"]:
        hours = "" if route["hours"] == "any" else f" (only when the clinic is {route['hours']})"
        lines.append(f"Route {route['route']}{hours}")
        for place, tier in enumerate(route["tiers"], start=1):
            lines += [f"  tier {place}  {_contact(contact)}" for contact in tier]
    if not told["routes"]:
        lines.append("No route takes it.")
    lines.append(f"Last resort: {told['last_resort']}")
    lines += ["", "Told" if told["told"] else "Nobody has been told by message."]
    for it in told["told"]:
        why = f": {it['why']}" if it["why"] and it["what"] != "opened" else ""
        state = "" if it["delivery"] == "sent" else f" ({it['delivery']})"
        lines.append(f"  {_at(it['at'])}  {it['to']}  {it['what']}{why}{state}")
    lines.append("")
    if told["quiet_because"]:
        lines.append(f"Nobody more will be told: {told['quiet_because']}.")
    elif told["outcome_due_at"]:
        lines.append(
            f"Somebody has it. An outcome is needed by {_at(told['outcome_due_at'])}, or the "
            "tiers are told anew."
        )
    elif told["state"] == "acknowledged":
        lines.append("Somebody has it.")
    elif told["next"]:
        lines.append("Next, while nobody acknowledges")
    else:
        lines.append("Everybody of its ladder has been told.")
    for it in told["next"]:
        tier = f"tier {it['tier']}" if isinstance(it["tier"], int) else it["tier"]
        lines.append(f"  {_at(it['at'])}  {tier}  {', '.join(it['to'])}: {it['why']}")
    return lines


def _contact(contact: dict[str, Any]) -> str:
    how = ", ".join(contact["addresses"]) or "no address"
    telephone = f", {contact['telephone']}" if contact["telephone"] else ""
    duty = "on duty" if contact["on_duty"] else "off duty"
    return f"{contact['who']}: {how}{telephone} ({duty} now)"


def _at(instant: str) -> str:
    return f"{instant[:10]} {instant[11:16]}"


@app.command("test")
def send_test(
    to: Annotated[
        str, typer.Option("--to", metavar="ROLE", help="Only this role or address.")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send a message marked as a test to everybody the routes can tell now.

    Ends with 3 when one could not be sent.
    """
    from monitor.delivery.send import deliver_due
    from monitor.operations.routes_explain import queue_tests

    with writing(config, at) as work:
        addresses = queue_tests(work.store, work.settings, work.now, to.strip())
        sent = deliver_due(
            work.store, work.settings, work.now, who="routes test", despite_back_off=True
        )
    if as_json:
        print_json(
            {"to": addresses, "sent": sent.sent, "failed": sent.failed, "waiting": sent.waiting}
        )
    else:
        for address in addresses:
            say(f"test to  {address}")
        say(f"Sent {sent.sent}, failed {sent.failed}, waiting {sent.waiting}.")
    complain_unsent(sent)
    if sent.failed or sent.waiting:
        raise typer.Exit(Exit.NOT_ALL)
