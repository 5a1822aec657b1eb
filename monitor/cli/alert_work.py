"""`monitor assign`, `comment`, `contact`, `alert show`: work on one alert, and its story."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from monitor.cli.alerts import IdArgument, VersionOption, WhoOption
from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    reading,
    say,
    writing,
)
from monitor.cli.json_answers import print_json

app = typer.Typer(help="One alert: its whole story.", no_args_is_help=True)
NoteOption = Annotated[str, typer.Option("--note", help="What, who, when, in words.")]


def assign(
    alert: IdArgument,
    to: Annotated[str, typer.Option("--to", metavar="WHOM", help="Who shall deal with it.")],
    by: WhoOption,
    note: NoteOption = "",
    version: VersionOption = None,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Give an alert to somebody, or hand over one that is acknowledged.

    An open alert stays open until they acknowledge it. One that is acknowledged is theirs from
    now on; the time for an outcome goes on running.
    """
    from monitor.operations.people import assign as act

    with writing(config, at) as work:
        handed = act(
            work.store,
            work.settings,
            alert,
            to=to,
            by=by,
            note=note,
            version=version,
            now=work.now,
        )
    state = "is with" if handed else "is assigned to"
    more = "" if handed else ", and stays open until they acknowledge it"
    say(f"Alert {alert} {state} {to}{more}.")


def comment(
    alert: IdArgument,
    by: WhoOption,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="The comment.")],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Leave a word for the next reader; it changes nothing else."""
    from monitor.operations.people import comment as act

    with writing(config, at) as work:
        act(work.store, work.settings, alert, text=text, by=by, now=work.now)
    say(f"Noted on alert {alert}.")


def contact(
    alert: IdArgument,
    by: WhoOption,
    outcome: Annotated[
        str,
        typer.Option(
            "--outcome",
            metavar="CODE",
            help="reached, no_answer, message_left, appointment_made, test_done_elsewhere, "
            "moved_away, stopped_by_itself, declined, welfare_check_asked, handed_to_clinician.",
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", help="The clinician it is handed to.")
    ] = "",
    note: NoteOption = "",
    version: VersionOption = None,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Record an attempt to reach the patient, and what came of it.

    A critical alert is settled by reached, welfare_check_asked or handed_to_clinician. Three
    calls without an answer tell the next tier at once. Declined is an outcome, never a snooze:
    the prescriber is told each time, and the patient stays listed.
    """
    from monitor.core.outcomes import CONTACT, NEXT_STEP
    from monitor.operations.people import contact as act

    with writing(config, at) as work:
        done = act(
            work.store,
            work.settings,
            alert,
            outcome=outcome,
            by=by,
            to=to,
            note=note,
            version=version,
            now=work.now,
        )
    state = "An outcome is on record." if done.settled else "It goes on asking."
    say(f"Alert {alert}: {CONTACT[done.code]}. {state}")
    if done.told:
        say(f"Told now: {', '.join(done.told)}.")
    elif done.unanswered:
        say(f"Calls without an answer in a row: {done.unanswered}.")
    if done.code in NEXT_STEP:
        say(f"Next: {NEXT_STEP[done.code]}.")


@app.command()
def show(
    alert: IdArgument,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """The whole story of an alert: what was seen, who was told, what people did, what comes."""
    from monitor.operations.alert_story import story

    with reading(config, at) as work:
        told = story(work.store, work.settings, alert, work.now)
        settings = work.settings
    if as_json:
        print_json(told.document(settings))
        return
    for line in in_words(told, settings):
        say(line)


def in_words(told: Any, settings: Any) -> list[str]:
    """The story as a page for a terminal."""
    zone, alert = settings.clinic.zone, told.alert
    state = f"{alert['state']}, recovered" if alert["recovered"] else alert["state"]
    lines = [
        f"Alert {alert['id']}  {alert['urgency'].upper()}  {alert['kind'].replace('_', ' ')}",
        f"MRN {alert['mrn']}, {alert['drug']}",
        str(alert["summary"]),
        f"{state}{_who_has_it(told.standing)}",
    ]
    day = ""
    for entry in told.entries:
        local = entry.at.astimezone(zone)
        heading = f"{local:%a} {local.day} {local:%b %Y}"
        if heading != day:
            lines += ["", heading]
            day = heading
        lines.append(f"  {local:%H:%M}  {_entry(entry)}")
    if told.coming:
        lines += ["", "Next, while nothing else happens"]
        lines += [_next(step) for step in told.coming]
    lines += ["", f"Version {told.standing['version']}: give it as --version to act on just this."]
    return lines


def _who_has_it(standing: dict[str, Any]) -> str:
    parts = []
    if standing["acknowledged_by"]:
        parts.append(
            f"with {standing['acknowledged_by']} until {standing['acknowledged_until']}"
            + (", and an outcome is owed" if standing["outcome_missed"] else "")
        )
    elif standing["assigned_to"]:
        parts.append(f"assigned to {standing['assigned_to']}")
    if standing["snoozed_until"]:
        parts.append(
            f"snoozed by {standing['snoozed_by']} until {standing['snoozed_until']}: "
            f"{standing['snooze_reason']}"
        )
    if standing["outcome"]:
        parts.append(f"outcome: {standing['outcome']}")
    if standing["review_by"]:
        parts.append(f"comes back on {standing['review_by']}")
    return "".join(f"; {part}" for part in parts)


def _entry(entry: Any) -> str:
    if entry.to:
        state = "" if entry.state == "sent" else f" ({entry.state})"
        return f"-> {entry.to}: {entry.text}{state}"
    who = "" if entry.by == "monitor" else f"{entry.by}: "
    text = f": {entry.text}" if entry.text else ""
    return f"{who}{entry.what}{text}"


def _next(step: dict[str, Any]) -> str:
    at = f"{step['at'][:10]} {step['at'][11:16]}"
    whom = ", ".join(step["to"])
    tier = step["tier"]
    where = "" if tier is None else f"tier {tier}, " if isinstance(tier, int) else f"{tier}, "
    return f"  {at}  {where}{whom + ': ' if whom else ''}{step['why']}"
