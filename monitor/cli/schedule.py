"""`monitor schedule`: protocol files; checking, showing and putting them in force."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from monitor import clock, resources
from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    Refused,
    complain,
    day,
    progress,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json
from monitor.core.calendar import clinic_day

if TYPE_CHECKING:
    from monitor.core.answer import PanelStatus
    from monitor.core.changes import Change
    from monitor.core.vocabulary import Kind, Urgency
    from monitor.operations.schedule_check import Checked
    from monitor.operations.schedule_preview import PatientChange, Preview
    from monitor.operations.schedule_show import Shown

app = typer.Typer(
    no_args_is_help=True,
    help="Protocol files: check, show, and put in force.\n\n"
    "What patients are judged by is the text in the database. A file in schedules/ is a "
    "proposal: where patients are enrolled on it, an edit goes live only by `apply`.",
)
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", readable=False, help="A protocol file.")
]
_COUNTS = {
    "due": "become due",
    "overdue": "become overdue",
    "seriously_overdue": "become seriously overdue",
    "alerted": "are alerted",
    "changed": "have an alert that asks for something else",
    "quiet": "become quiet",
    "moved": "have another due day only",
    "unchanged": "stay as they are",
}
_RESTARTS = {
    "dose_increase": "a dose increase",
    "resume": "taking it again after a hold",
    "interaction": "an interacting drug",
}


@app.command("list")
def list_protocols(config: ConfigOption = CONFIG_DEFAULT, as_json: JsonOption = False) -> None:
    """List the protocols in force, and where the files differ from them."""
    from monitor.operations.schedule_show import list_in_force
    from monitor.operations.schedules import differences

    with reading(config) as work:
        rows, zone = list_in_force(work.store), work.settings.clinic.zone
        notices = differences(work.store, work.settings.schedules.folder)
    if as_json:
        print_json({"protocols": rows, "notices": [notice.text for notice in notices]})
        return
    columns = ["id", "version", "drugs", "enrolled", "in force since", "by", "status", "title"]
    table(columns, [_listed(row, zone) for row in rows], empty="No protocol is in force.")
    for notice in notices:
        say(notice.text)


def _listed(row: dict[str, Any], zone: ZoneInfo) -> tuple[object, ...]:
    drugs = ", ".join(row["drugs"]) + (" (default)" if row["default"] else "")
    since = clinic_day(datetime.fromisoformat(row["in_force_since"]), zone)
    return (
        row["id"], row["version"], drugs, row["enrolled"], since, row["applied_by"],
        row["status"], row["title"],
    )  # fmt: skip


@app.command("check")
def check_file(
    file: FileArgument, config: ConfigOption = CONFIG_DEFAULT, as_json: JsonOption = False
) -> None:
    """Check a file: every fault with its line, key, value and what would be valid.

    Works through the file's examples, too. Ends with 3 where there are faults. It is read with
    the analytes.toml beside it; without one with that in force, or that of the program. A drug
    that patients are enrolled for must stay.
    """
    shipped = (resources.schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    checked = _checked(file, config, shipped)
    if as_json:
        print_json(checked.document())
    else:
        _say_checked(checked)
    if checked.faults:
        raise typer.Exit(Exit.NOT_ALL)


def _checked(file: Path, config: Path, shipped: str) -> Checked:
    from monitor.operations.schedule_check import check
    from monitor.store.errors import StoreError

    if config.exists():
        try:
            with reading(config) as work:
                today = clinic_day(work.now, work.settings.clinic.zone)
                return check(file, work.store, shipped, today)
        except StoreError as error:
            complain(f"{error}; checked with the analytes that came with the program")
    return check(file, None, shipped, clock.now().date())


def _say_checked(checked: Checked) -> None:
    for fault in checked.faults:
        say(str(fault))
    count = len(checked.faults)
    if count:
        say(f"\n{'1 fault' if count == 1 else f'{count} faults'}: nothing of this file goes live.")
        return
    assert checked.proposal is not None
    worked = f", {checked.examples} examples hold" if checked.examples else ""
    version = f" {checked.proposal.version}" if checked.proposal.version else ""
    say(f"{checked.path}: {checked.proposal.id}{version} is sound{worked}; {checked.stands}.")
    if checked.waits_for:
        say(f"It needs the {checked.waits_for} beside it, which is not in force: apply that first.")


@app.command("show")
def show_protocol(
    protocol: Annotated[str, typer.Argument(metavar="ID", help="As `schedule list` names it.")],
    start: Annotated[
        str, typer.Option("--start", metavar="DAY", help="Start day of the patient; else today.")
    ] = "",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Print a protocol in force: the calendar of a patient, the ladder of its rules, and what it
    says of genes, doses, symptoms, other drugs, targets and tasks."""
    from monitor.operations.schedule_show import show

    with reading(config, at) as work:
        zone = work.settings.clinic.zone
        first = day(start, "--start") if start else clinic_day(work.now, zone)
        shown = show(work.store, protocol, first)
    if as_json:
        print_json(shown.document())
    else:
        _say_shown(shown, zone)


def _say_shown(shown: Shown, zone: ZoneInfo) -> None:
    from monitor.operations.schedule_beside import COLUMNS, beside
    from monitor.operations.schedule_show import about, ladder, then_of

    protocol = shown.protocol
    say(f"{protocol.title}")
    say(f"  id {protocol.id}, version {protocol.version}, digest {protocol.digest[:12]}")
    say(f"  status: {protocol.status}")
    say(f"  source: {protocol.source}")
    say(
        f"  in force since {clinic_day(shown.text.applied_at, zone)} by {shown.text.applied_by} "
        f"({shown.text.reason}); {shown.enrolled} enrolled"
    )
    baseline = protocol.baseline
    needed = [protocol.panel(panel).title for panel in baseline.panels]
    needed += [genotype.upper() for genotype in baseline.genotypes]
    say(f"  before the start, within {baseline.within}: {', '.join(needed)}")
    if protocol.ages is not None:
        say(f"  for {protocol.ages}")
    if protocol.ctcae_version:
        say(f"  grades shown: CTCAE v{protocol.ctcae_version}")
    for line in about(protocol):
        say(f"  {line}")
    say(f"\nA patient who starts on {shown.start:%a %d %b %Y} and is tested on every due day:\n")
    rows = [
        (
            f"{test.due_on:%a %d %b %Y}",
            _since(shown.start, test.due_on),
            protocol.panel(test.panel).title,
            test.phase,
            f"{test.overdue_after:%d %b %Y}",
            f"{test.seriously_overdue_after:%d %b %Y}",
        )
        for test in shown.tests
    ]
    columns = ["due", "day", "test", "phase", "overdue after", "seriously overdue after"]
    table(columns, rows, empty="Nothing is due in the first 6 months.")
    say(f"Then: {then_of(protocol)}.")
    if protocol.restart_on:
        words = " or ".join(_RESTARTS.get(word, word) for word in protocol.restart_on)
        say(f"{words.capitalize()} starts it again from that day.")
    say("\nRules, each from mild to severe (of the levels met, the last one speaks):\n")
    columns = ["rule", "analyte", "level", "action", "urgency", "recheck", "only", "source"]
    table(columns, _rule_rows(ladder(protocol, shown.catalogue)))
    for section in beside(protocol, shown.catalogue):
        say(f"\n{section.title}:\n")
        table(COLUMNS, [row.cells for row in section.rows])


def _since(start: date, due_on: date) -> str:
    days = (due_on - start).days
    return f"{days} (week {days // 7})" if days % 7 == 0 else str(days)


def _rule_rows(levels: list[dict[str, str]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    before = ""
    for level in levels:
        new = level["rule"] != before
        before = level["rule"]
        action = level["action"].replace("_", " ") + (f": {level['say']}" if level["say"] else "")
        rows.append(
            (
                level["rule"] if new else "",
                level["analyte"] if new else "",
                level["test"],
                action,
                level["urgency"],
                level["recheck"],
                level["only"],
                level["source"] if new else "",
            )
        )
    return rows


@app.command("preview")
def preview_file(
    file: FileArgument,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what a file would change for those enrolled; changes nothing.

    Who becomes due, overdue, alerted or quiet, with before and after.
    """
    from monitor.operations.schedule_preview import edit_of, preview

    with reading(config, at) as work:
        shown = preview(work.store, work.settings, edit_of(file), work.now)
    if as_json:
        print_json(shown.document())
        return
    _say_preview(shown)
    if not shown.already_in_force:
        say(f"\nNothing was changed. To put it in force: monitor schedule apply {file} "
            "--by WHO --reason TEXT")  # fmt: skip


def _say_preview(shown: Preview) -> None:
    if shown.already_in_force:
        say(f"{shown.file}: this text of {shown.id} is in force already.")
        return
    before = f"{shown.before} -> " if shown.before else "first text: "
    others = shown.concerned - shown.enrolled
    beside = f", and {others} on the other drugs of the same patients" if others else ""
    say(f"{shown.id}: {before}{shown.after}; {shown.enrolled} enrolled{beside}")
    for word, words in _COUNTS.items():
        if shown.counts[word]:
            say(f"  {shown.counts[word]:>5} {words}")
    if shown.failed:
        complain(f"{shown.failed} enrolments cannot be judged by the new text.")
    rows = [row for patient in shown.patients for row in _preview_rows(patient)]
    if rows:
        say()
        table(["mrn", "drug", "what", "before", "after"], rows)


def _preview_rows(patient: PatientChange) -> list[tuple[str, ...]]:
    rows = [(panel, _panel(before), _panel(after)) for panel, before, after in patient.panels]
    rows += [_alert(change) for change in patient.alerts]
    return [
        (patient.mrn if place == 0 else "", patient.drug if place == 0 else "", *row)
        for place, row in enumerate(rows)
    ]


def _panel(status: PanelStatus | None) -> str:
    if status is None:
        return "not asked for"
    due_on = "" if status.due_on is None else f", due {status.due_on}"
    return f"{status.state.replace('_', ' ')}{due_on}"


def _alert(change: Change) -> tuple[str, str, str]:
    about = change.finding or change.alert
    assert about is not None
    subject = about.cause.removeprefix("rule:").replace("_", " ")
    was, is_now = change.alert, change.finding
    before = "no alert" if was is None else _asks(was.kind, was.urgency)
    after = "" if is_now is None else _asks(is_now.kind, change.urgency)
    return f"alert: {subject}", before, f"{after} ({change.what})" if after else change.what


def _asks(kind: Kind, urgency: Urgency) -> str:
    return f"{kind.replace('_', ' ')}, {urgency}"


@app.command("apply")
def apply_file(
    file: FileArgument,
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who puts it in force.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put a file in force: show what it changes, then review everyone enrolled on it.

    Alerts that it ends close as "protocol edited"; who was told of them is told so.
    """
    from monitor.operations.schedule_edit import apply
    from monitor.operations.schedule_preview import edit_of

    if not by.strip() or not reason.strip():
        raise Refused("--by and --reason: say who puts it in force, and why")
    with reading(config, at) as work, progress("reviewing", quiet=as_json) as bar:
        applied = apply(
            work.store,
            work.settings,
            edit_of(file),
            work.now,
            by=by.strip(),
            reason=reason.strip(),
            show=None if as_json else _say_preview,
            progress=bar,
        )
    counts = applied.tally.review
    if as_json:
        print_json({**applied.preview.document(), "by": by, "reason": reason, "review": counts})
    elif not applied.preview.already_in_force:
        done = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        say(f"\n{applied.preview.id} is in force. Alerts and messages: {done or 'none'}.")
