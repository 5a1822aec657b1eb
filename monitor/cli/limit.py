"""`monitor limit`: other limits and intervals for one patient, each with reason, author and end."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    LARGEST_ID,
    AtOption,
    ConfigOption,
    JsonOption,
    Refused,
    Work,
    day,
    reading,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json
from monitor.core.toml_reader import is_unwieldy
from monitor.core.units import plain

if TYPE_CHECKING:
    from monitor.core.personal_terms import Personal, Terms

app = typer.Typer(
    help="Limits and intervals of one patient: Duffy-null, a large spleen, cirrhosis, lupus ...",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
MrnArgument = Annotated[str, typer.Argument(metavar="MRN", help="The patient's number.")]
RuleOption = Annotated[
    str, typer.Option("--rule", metavar="RULE", help="The rule, as its alerts name it.")
]
UntilOption = Annotated[
    str, typer.Option("--until", metavar="DAY", help="When the protocol's own returns.")
]
ByOption = Annotated[str, typer.Option("--by", metavar="WHO", help="The clinician who sets it.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
SecondOption = Annotated[
    str, typer.Option("--second", metavar="WHO", help="Who agrees: needed for a critical level.")
]
DrugOption = Annotated[
    str, typer.Option("--drug", metavar="DRUG", help="Which enrolment, where there are several.")
]


@app.command("set")
def set_limit(
    mrn: MrnArgument,
    rule: RuleOption,
    level: Annotated[int, typer.Option("--level", help="Which level of the rule, from 1.")],
    value: Annotated[
        str,
        typer.Option(
            "--value",
            metavar="NUMBER",
            help="In the unit of the analyte, whatever unit the file writes its levels in.",
        ),
    ],
    until: UntilOption,
    by: ByOption,
    reason: ReasonOption,
    second: SecondOption = "",
    drug: DrugOption = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Move a level of a rule for one patient, until a day within 12 months.

    It is shown wherever the limit is shown. The rule's floor in the protocol file says how far
    it may go; a critical level needs a second person.
    """
    with writing(config, at) as work:
        term = _term(
            work, "limit", rule, until, by, reason, second, level=level, value=_number(value)
        )
        _set(work, mrn, drug, term)


@app.command("interval")
def set_interval(
    mrn: MrnArgument,
    panel: Annotated[str, typer.Option("--panel", help="The panel, such as cbc.")],
    phase: Annotated[str, typer.Option("--phase", help="The phase of the protocol.")],
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help='The interval, such as "1 month".')
    ],
    until: UntilOption,
    by: ByOption,
    reason: ReasonOption,
    second: SecondOption = "",
    drug: DrugOption = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Test one patient more often in a phase, or more rarely where the protocol allows it."""
    with writing(config, at) as work:
        term = _term(work, "interval", panel, until, by, reason, second, phase=phase, every=every)
        _set(work, mrn, drug, term)


@app.command("accept")
def accept(
    mrn: MrnArgument,
    rule: RuleOption,
    until: UntilOption,
    by: ByOption,
    reason: ReasonOption,
    second: SecondOption = "",
    drug: DrugOption = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Accept the latest result of a rule as baseline: it asks for no recheck until a day.

    The alert stays. A worse level, or a value 10 % worse, asks for a recheck again.
    """
    with writing(config, at) as work:
        _set(work, mrn, drug, _term(work, "baseline", rule, until, by, reason, second))


@app.command("keep")
def keep(
    mrn: MrnArgument,
    by: ByOption,
    reason: ReasonOption,
    second: SecondOption = "",
    drug: DrugOption = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Keep what was set for a treatment that was stopped for the one begun anew, to the same day.

    Stopped and enrolled again, a patient is watched by the protocol's own limits until then.
    """
    from monitor.core.actions import ActionRefused
    from monitor.core.personal import name
    from monitor.operations.personal import keep_terms

    with writing(config, at) as work:
        people = {"by": by.strip(), "second": second.strip(), "reason": reason.strip()}
        try:
            done = keep_terms(work.store, work.settings, mrn, drug, now=work.now, **people)
        except ActionRefused as refused:
            raise Refused(str(refused)) from refused
    for term in done:
        say(f"{term.id}: {name(term)}, until {term.until.isoformat()}.")


@app.command("end")
def end(
    number: Annotated[
        int, typer.Argument(max=LARGEST_ID, metavar="ID", help="As `monitor limit list` shows it.")
    ],
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """End one before its time: the protocol's own returns today."""
    from monitor.core.actions import ActionRefused
    from monitor.operations.personal import end_term

    with writing(config, at) as work:
        try:
            what = end_term(work.store, work.settings, number, by=by, reason=reason, now=work.now)
        except ActionRefused as refused:
            raise Refused(str(refused)) from refused
    say(f"Ended: {what}. The protocol's own applies from today.")


@app.command("list")
def list_terms(
    mrn: Annotated[
        str, typer.Argument(metavar="[MRN]", help="One patient; without it, everybody.")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """List what was ever set, the newest first, beside the protocol's own."""
    from monitor.operations.personal import terms

    with reading(config, at) as work:
        rows = terms(work.store, work.settings, mrn, work.now)
    if as_json:
        print_json(rows)
        return
    columns = ["id", "mrn", "what", "is", "protocol", "state", "until", "by", "reason"]
    table(columns, [_line(row) for row in rows], empty="Nothing was set for a single patient.")


def _line(row: Any) -> tuple[object, ...]:
    subject = f"{row['subject']}" + (f", level {row['level']}" if row["level"] else "")
    where = f" in {row['phase']}" if row["phase"] else ""
    own = row["every"] and f"every {row['every']}"
    value = own or ("accepted" if row["value"] is None else plain(Decimal(str(row["value"]))))
    who = ", ".join(filter(None, (row["by"], row["second"])))
    return (
        row["id"], row["mrn"], f"{row['what']}: {subject}{where}", value, row["protocol"] or "",
        row["state"], row["until"], who, row["reason"],
    )  # fmt: skip


def _set(work: Work, mrn: str, drug: str, term: Personal) -> None:
    from monitor.core.actions import ActionRefused
    from monitor.core.personal import name
    from monitor.operations.personal import set_term

    try:
        number = set_term(work.store, work.settings, mrn, drug, term, work.now)
    except ActionRefused as refused:
        raise Refused(str(refused)) from refused
    say(f"{number}: {name(term)}, until {term.until.isoformat()}.")


def _term(
    work: Work,
    what: str,
    subject: str,
    until: str,
    by: str,
    reason: str,
    second: str,
    **more: Any,
) -> Personal:
    from monitor.core.calendar import clinic_day
    from monitor.core.personal_terms import Personal, Terms

    last: date = day(until, "--until")
    now: datetime = work.now
    kind: Terms = Terms(what)
    return Personal(
        id=0,
        what=kind,
        subject=subject.strip(),
        since=clinic_day(now, work.settings.clinic.zone),
        until=last,
        by=by.strip(),
        second=second.strip(),
        reason=reason.strip(),
        set_at=now,
        **more,
    )


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise Refused(f"--value {text}: not a number above 0")
    if is_unwieldy(number):
        raise Refused(f"--value {text}: has more digits than a limit has")
    return number
