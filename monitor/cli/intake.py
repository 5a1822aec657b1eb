"""`monitor enrol`, `events`, `load`: files into the clinic, with an account of every row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    Refused,
    Work,
    complain,
    progress,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json
from monitor.cli.preview import say_reasons, say_recognised

if TYPE_CHECKING:
    from monitor.intake.report import PeopleReport
    from monitor.operations.arrivals import Loaded, PeopleTaken
    from monitor.operations.late import LateReport
    from monitor.review import Tally
    from monitor.store.errors import StoreError

_COUNTS = ("rows", "stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")
_PROBLEMS_SHOWN = 20
_LATE_SHOWN = 10


def enrol(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", readable=False, help="Patients, one a line.")
    ],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Enrol patients on their monitored drug.

    Columns: mrn, drug, started_on are required; family_name, given_name, birth_date, sex,
    indication, dose_mg_per_day, weight_kg, tpmt, nudt15, clinic, protocol, last_tested_on may
    follow, in any order. A row that cannot be taken is refused with its line number, and the
    others go in (exit 3).
    """
    from monitor.operations.arrivals import enrol as take

    with writing(config, at) as work, _naming(file, as_json=as_json):
        taken = take(work.store, work.settings, file, work.now)
    _report_people(taken, as_json=as_json)


def events(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", readable=False, help="Events, one a line.")
    ],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record what happens to patients: start, dose, hold, resume, stop, symptoms ...

    Columns: mrn, on, event are required; value, drug, note, status may follow. The same line
    twice is a duplicate; status "entered-in-error" withdraws the same event.
    """
    from monitor.operations.arrivals import events as take

    with writing(config, at) as work, _naming(file, as_json=as_json):
        taken = take(work.store, work.settings, file, work.now)
    _report_people(taken, as_json=as_json)


@contextmanager
def _naming(file: Path, *, as_json: bool) -> Iterator[None]:
    """Say of which file it is that no row could be read, and give the account of one that was
    taken in before the database gave way."""
    from monitor.intake.survey import UnreadableFile
    from monitor.operations.arrivals import NotReviewed

    try:
        yield
    except NotReviewed as owed:
        if as_json:
            print_json(owed.account)
        raise
    except UnreadableFile as refusal:
        raise Refused(f"{file}: {refusal}") from None


def _report_people(taken: PeopleTaken, *, as_json: bool) -> None:
    from monitor.delivery.words import counted

    report = taken.report
    if as_json:
        _print_account(report)
    else:
        say(
            f"{counted(report.rows, 'row')}: {report.taken} taken, "
            f"{report.duplicate} known already, {len(report.refused)} refused."
        )
        for note in report.notes:
            say(f"  {note}")
        _list_problems([(f"line {line}", reason) for line, reason in report.refused])
        _say_alerts(taken.tally)
    if report.refused:
        raise typer.Exit(Exit.NOT_ALL)


def _print_account(report: PeopleReport) -> None:
    """The JSON document; what there is to note about the file stands in none of its keys."""
    for note in report.notes:
        complain(note)
    print_json(report.account())


def load(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", readable=False, help="Lab files: CSV, Excel, HL7 v2, FHIR."
        ),
    ],
    source: Annotated[
        str,
        typer.Option("--source", metavar="NAME", help="The laboratory: a [sources.NAME] table."),
    ] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would happen, and change nothing.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take in lab files, review the patients they touch, and queue the messages.

    Columns: mrn, collected_at, analyte, value, unit are required; ref_low, ref_high,
    specimen_id, status, reported_at, comment may follow. Every row is accounted for: stored,
    duplicate, superseded, withdrawn, quarantined or ignored. The same file twice does nothing.
    """
    from monitor.store.errors import StoreError

    documents: list[dict[str, Any]] = []
    with writing(config, at, preview=preview) as work:
        for number, file in enumerate(files):
            try:
                documents.append(_taken(work, file, source, preview=preview, quiet=as_json))
            except StoreError as error:
                documents += _given_up(files[number:], error)
                break
    if as_json:
        print_json({"files": documents})
    if any("error" in document for document in documents):
        raise typer.Exit(Exit.USAGE)
    if any(document["quarantined"] for document in documents):
        raise typer.Exit(Exit.NOT_ALL)


def _taken(work: Work, file: Path, source: str, *, preview: bool, quiet: bool) -> dict[str, Any]:
    """Take in one file; its document. What is wrong with one that cannot be read is said."""
    from monitor.intake.survey import UnreadableFile
    from monitor.operations.arrivals import load as take

    with progress(file.name, quiet=quiet) as bar:
        try:
            loaded = take(
                work.store, work.settings, file, source, work.now, preview=preview, progress=bar
            )
        except UnreadableFile as refusal:
            complain(f"{file}: {refusal}")
            return _unread(file, str(refusal))
    if not quiet:
        _say_loaded(loaded, preview=preview)
    document = {
        **loaded.report.account(),
        "file": str(file),
        "alerts": loaded.tally.alerts,
        "late": loaded.late.document(),
    }
    return document | loaded.report.recognised() if preview else document


def _given_up(files: Sequence[Path], error: StoreError) -> list[dict[str, Any]]:
    """The documents of a file at which the database gave way, and of those behind it."""
    from monitor.operations.arrivals import NotReviewed

    account = error.account if isinstance(error, NotReviewed) else {}
    found = [_unread(files[0], str(error)) | account | {"file": str(files[0])}]
    found += [
        _unread(file, f"not tried: the database gave way at {files[0]}") for file in files[1:]
    ]
    for it in found:
        complain(f"{it['file']}: {it['error']}")
    return found


def _unread(file: Path, error: str) -> dict[str, Any]:
    """A file of which no row was read: the same keys, so that sums over files hold."""
    from monitor.review import Tally

    counts = dict.fromkeys((*_COUNTS, "other_messages"), 0)
    return {
        "file": str(file),
        "sha256": None,
        **counts,
        "notes": [],
        "alerts": Tally().alerts,
        "error": error,
    }


def _say_loaded(loaded: Loaded, *, preview: bool) -> None:
    report = loaded.report
    account = report.account()
    say(f"{report.file}{' (preview: nothing was changed)' if preview else ''}")
    if preview:
        say_recognised(report)
    table(_COUNTS, [[account[name] for name in _COUNTS]])
    said = {note for recognised in report.tables for note in recognised.notes()}
    for note in report.notes:
        if not (preview and note in said):
            say(f"  {note}")
    if preview:
        say_reasons(report)
    else:
        _list_problems([(problem.where, problem.reason) for problem in report.problems])
    _say_alerts(loaded.tally)
    _say_late(loaded.late)
    if report.quarantined:
        say("  monitor quarantine list: the rows that need a person")


def _say_late(late: LateReport) -> None:
    if late.results:
        results = "1 result" if late.results == 1 else f"{late.results} results"
        say(f"  {results} came late; alerts that would have opened earlier: {len(late.alerts)}")
    for it in late.alerts[:_LATE_SHOWN]:
        opened = f"opened {it.opened_on}" if it.opened_on else "over when it came"
        say(f"    {it.mrn}: {it.would_have_opened_on} instead of {opened}: {it.summary}")
    if len(late.alerts) > _LATE_SHOWN:
        say(f"    and {len(late.alerts) - _LATE_SHOWN} more: monitor report late")


def _list_problems(problems: Sequence[tuple[str, str]]) -> None:
    for where, reason in problems[:_PROBLEMS_SHOWN]:
        say(f"  {where}: {reason}")
    if len(problems) > _PROBLEMS_SHOWN:
        say(f"  ... and {len(problems) - _PROBLEMS_SHOWN} more")


def _say_alerts(tally: Tally) -> None:
    if tally.opened or tally.updated or tally.closed:
        say(
            f"  alerts opened {tally.opened}, updated {tally.updated}, closed {tally.closed}; "
            f"messages queued {tally.messages}"
        )
