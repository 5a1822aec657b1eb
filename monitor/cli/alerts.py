"""`monitor alerts`, `ack`, `close`, `snooze`: the alerts, and what people do with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    LARGEST_ID,
    AtOption,
    ConfigOption,
    JsonOption,
    Refused,
    day,
    reading,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json_sorted

_STATES = {
    "live": ("open", "acknowledged"),
    "open": ("open",),
    "acknowledged": ("acknowledged",),
    "closed": ("closed",),
    "all": ("open", "acknowledged", "closed"),
}
IdArgument = Annotated[
    int,
    typer.Argument(
        max=LARGEST_ID, metavar="ID", help="The alert's number, as `monitor alerts` shows it."
    ),
]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version",
        metavar="N",
        help="Act only if nobody has since you looked: the number `monitor alert show` ends with.",
        show_default=False,
    ),
]
WhoOption = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does this.")]


def alerts(
    state: Annotated[
        str,
        typer.Option(
            "--state",
            metavar="STATES",
            help="live (not closed), open, acknowledged, closed, all; several with commas.",
        ),
    ] = "live",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """List alerts, worst first.

    Each is one thing a person must deal with: a test not done, a count below its limit, a
    sample that cannot be used, rows that wait in quarantine.
    """
    from monitor.operations.alert_list import alert_rows, in_hand, placed_rows
    from monitor.operations.muted import muted_alerts

    states = _states(state)
    with reading(config, at) as work:
        if as_json:
            print_json_sorted(placed_rows(work.store, work.settings, states, work.now))
            return
        rows = alert_rows(work.store, work.settings, states, work.now)
        with work.store.read() as connection:
            muted = muted_alerts(connection)
            hands = in_hand(connection, work.now, work.settings.clinic.zone)
    several = len({row["drug"] for row in rows}) > 1
    columns = ["id", "urgency", "kind", "mrn", *(["drug"] if several else []), "what"]
    lines = [_line(row, muted, hands, named=several) for row in rows]
    table([*columns, "state", "since"], lines, empty="No alert.")


def _line(
    row: dict[str, Any], muted: Mapping[int, int], hands: Mapping[int, str], *, named: bool
) -> tuple[object, ...]:
    """One alert; its drug is `named` where there are several: one clotted sample is asked for
    again for each of a patient's drugs."""
    state = f"{row['state']}, recovered" if row["recovered"] else row["state"]
    if row["state"] != "closed":
        state += f", {hands[row['id']]}" if row["id"] in hands else ""
        state += f", muted by {muted[row['id']]}" if row["id"] in muted else ""
    since = str(row["opened_at"])[:10]
    summary = f"{row['summary']} (feed suspected)" if row.get("feed_suspected") else row["summary"]
    drug = [row["drug"]] if named else []
    return row["id"], row["urgency"], row["kind"], row["mrn"], *drug, summary, state, since


def _states(text: str) -> frozenset[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in _STATES]
    if unknown or not words:
        known = ", ".join(_STATES)
        raise Refused(f"--state {text}: not a state of alerts; one or more of {known}")
    return frozenset(state for word in words for state in _STATES[word])


def ack(
    alert: IdArgument,
    by: WhoOption,
    until: Annotated[
        str,
        typer.Option("--until", metavar="DAY", help="Until when: 7 days if not said, at most 28."),
    ] = "",
    note: Annotated[str, typer.Option("--note", help="A word for the next reader.")] = "",
    version: VersionOption = None,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Take an alert in hand: it stops repeating until the day said, then comes back.

    It comes back earlier if things get worse.
    """
    from monitor.operations.people import acknowledge as act
    from monitor.operations.people import outcome_owed, says_now

    with writing(config, at) as work:
        last = day(until, "--until") if until else None
        agreed = act(
            work.store,
            work.settings,
            alert,
            by=by,
            until=last,
            note=note,
            version=version,
            now=work.now,
        )
        owed, says = outcome_owed(work.store, work.settings, alert), says_now(work.store, alert)
    say(f"Alert {alert} is with {by} until {agreed}.")
    say(says)
    if owed:
        say(owed)


def close(
    alert: IdArgument,
    by: WhoOption,
    outcome: Annotated[
        str, typer.Option("--outcome", metavar="TEXT", help="What was done about it.")
    ],
    review_by: Annotated[
        str,
        typer.Option(
            "--review-by",
            metavar="DAY",
            help="While the episode goes on: look again on this day (critical 7 days at most, "
            "urgent 28, routine 90).",
        ),
    ] = "",
    version: VersionOption = None,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Close an alert with its outcome, in words or with a code before them.

    Codes: laboratory_phoned_and_acted, drug_stopped, drug_held, dose_reduced,
    reviewed_no_change, test_repeated, admitted, sample_artefact, known_condition,
    entered_in_error. That the laboratory phoned is no outcome: say what was done.

    Overdue tests and the like close by themselves and cannot be closed by hand. Closing does
    not end an episode: it comes back on the review day, or when things get worse.
    """
    from monitor.operations.people import close as act
    from monitor.operations.people import says_now

    with writing(config, at) as work:
        wanted = day(review_by, "--review-by") if review_by else None
        agreed = act(
            work.store,
            work.settings,
            alert,
            by=by,
            outcome=outcome,
            review_by=wanted,
            version=version,
            now=work.now,
        )
        says = says_now(work.store, alert)
    say(f"Alert {alert} is closed." + (f" It comes back on {agreed}." if agreed else ""))
    say(says)


def snooze(
    alert: IdArgument,
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="The day it comes back.")],
    by: WhoOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it can wait.")],
    version: VersionOption = None,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Let an alert rest until a day, with a reason; a critical one cannot be snoozed."""
    from monitor.operations.people import snooze as act

    with writing(config, at) as work:
        last = day(until, "--until")
        act(
            work.store,
            work.settings,
            alert,
            by=by,
            until=last,
            reason=reason,
            version=version,
            now=work.now,
        )
    say(f"Alert {alert} rests until {last}.")
