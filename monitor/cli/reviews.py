"""`monitor sweep`, `deliver`, `status`, `explain`, `verify`: what the monitor makes of it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    LARGEST_ID,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    Refused,
    Work,
    complain,
    complain_unsent,
    day,
    progress,
    reading,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json, print_json_list

_STATUS = (
    "mrn", "drug", "panel", "state", "due on", "days late", "last done", "phase", "enrolment",
)  # fmt: skip


def status(
    mrn: Annotated[
        str, typer.Argument(metavar="[MRN]", help="Only this patient.", show_default=False)
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Where each enrolment and each of its panels stands: up to date, due, overdue.

    With --at it answers for that instant: it sees no result, event or alert later than it.
    """
    with reading(config, at) as work:
        if mrn.strip():
            _status_of(work, mrn.strip(), as_json=as_json)
        else:
            _status_of_everybody(work, as_json=as_json)


def _status_of(work: Work, mrn: str, *, as_json: bool) -> None:
    from monitor.operations.status import status_rows

    rows = status_rows(work.store, work.settings, work.now, mrn)
    if not rows:
        complain(f"nobody is enrolled under {mrn}")
    if as_json:
        print_json(rows)
    elif rows:
        table(_STATUS, map(_line, rows))
        for line in _facts(work, mrn):
            say(line)


def _status_of_everybody(work: Work, *, as_json: bool) -> None:
    from monitor.operations.status import Everybody

    everybody = Everybody(work.store, work.settings, work.now)
    if as_json:
        print_json_list(everybody)
        return
    table(_STATUS, map(_line, everybody), empty="Nobody is enrolled yet.")
    counts = everybody.ledger()
    if counts["enrolled"]:
        say(_in_one_line(counts))


def _facts(work: Work, mrn: str) -> Sequence[str]:
    from monitor.operations.patient_facts import facts  # of one patient only

    return facts(work.store, work.settings, work.now, mrn)


def _line(row: Mapping[str, Any]) -> tuple[object, ...]:
    late = row["days_overdue"] or ""
    why = "" if row["because"] == "schedule" else f" ({row['because']})"
    return (
        row["mrn"],
        row["drug"],
        row["panel"],
        f"{row['state']}, feed suspected" if row.get("feed_suspected") else row["state"],
        f"{row['due_on']}{why}" if row["due_on"] else "",
        late,
        row["last_completed_on"],
        row["phase"],
        row["enrolment_state"],
    )


def _in_one_line(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())


def explain(
    alert: Annotated[
        int | None,
        typer.Argument(
            max=LARGEST_ID, metavar="[ID]", help="The alert's number.", show_default=False
        ),
    ] = None,
    mrn: Annotated[str, typer.Option("--mrn", help="A patient, instead of an alert.")] = "",
    on: Annotated[
        str, typer.Option("--on", metavar="DAY", help="The day to explain (with --mrn).")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Why this alert, or why none: rule, source, values as received, the arithmetic."""
    from monitor.operations import explain as room

    if (alert is None) == (not mrn) or (on and not mrn):
        raise Refused("name an alert (monitor explain 12) or a patient (--mrn MRN --on DAY)")
    with reading(config, at) as work:
        if alert is not None:
            told = room.explain_alert(work.store, work.settings, alert, work.now)
        else:
            wanted = day(on, "--on") if on else None
            told = room.explain_patient(work.store, work.settings, mrn, wanted, work.now)
    if as_json:
        print_json(told)
    else:
        for line in room.in_words(told):
            say(line)


def sweep(
    everyone: Annotated[
        bool, typer.Option("--all", help="Review everyone, not only those whose time has come.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Review everyone whose state can have changed by now; open, update and close alerts."""
    from monitor.review import review_due, wake_for_other_routes, wake_judged_otherwise

    with writing(config, at) as work, progress("reviewing", quiet=as_json) as bar:
        wake_judged_otherwise(work.store, work.settings.clinic.zone, work.now)
        wake_for_other_routes(work.store, work.settings, work.now)
        tally = review_due(work.store, work.settings, work.now, everyone=everyone, progress=bar)
    if as_json:
        print_json(tally.review)
        return
    say(
        f"Reviewed {tally.reviewed}: alerts opened {tally.opened}, updated {tally.updated}, "
        f"closed {tally.closed}; messages queued {tally.messages}."
    )


def deliver(
    config: ConfigOption = CONFIG_DEFAULT, at: AtOption = "", as_json: JsonOption = False
) -> None:
    """Compose the digests and repeats due by now, send what is owed once, and stop.

    Ends with 3 when a message that was due could not be sent; it stays owed.
    """
    from monitor.operations.owed import send_what_is_owed

    with writing(config, at) as work:
        sent = send_what_is_owed(
            work.store, work.settings, work.now, who="deliver", despite_back_off=True
        )
    if as_json:
        print_json({"sent": sent.sent, "failed": sent.failed, "waiting": sent.waiting})
    else:
        say(f"Sent {sent.sent}, failed {sent.failed}, waiting {sent.waiting}.")
    complain_unsent(sent)
    if sent.failed or sent.waiting:
        raise typer.Exit(Exit.NOT_ALL)


def verify(
    config: ConfigOption = CONFIG_DEFAULT, at: AtOption = "", as_json: JsonOption = False
) -> None:
    """Derive every alert from scratch and compare with what stands; 3 where they differ."""
    from monitor.operations.verify import verify as derive

    with reading(config, at) as work:
        differences = derive(work.store, work.settings, work.now)
    if as_json:
        print_json([asdict(found) for found in differences])
    else:
        for found in differences:
            say(str(found))
        say("Nothing differs." if not differences else f"{len(differences)} differ.")
    if differences:
        raise typer.Exit(Exit.NOT_ALL)
