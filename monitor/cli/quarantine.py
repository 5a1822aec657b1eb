"""`monitor quarantine`: rows of lab files that need a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

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
    local,
    reading,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json

if TYPE_CHECKING:
    from monitor.intake.quarantine import Retry
    from monitor.review import Tally

app = typer.Typer(
    no_args_is_help=True,
    help="Rows that cannot be trusted: seen, mended, taken in or discarded.\n\n"
    "A row waits here with the reason and what would be right. `fix` mends it and all alike, and "
    "remembers how: this code, this unit, this patient. Or mend the cause (the config, the "
    "enrolment), then `retry`; or `discard` it, with a reason.",
)
_SHOWN = 50
_MEANS_NOTHING = {"ignore": "(ignored)", "issuer": "(the clinic itself)"}
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="WORD", help="Only rows held for this reason.")
]
SourceOption = Annotated[
    str, typer.Option("--source", metavar="NAME", help="Only rows of this laboratory.")
]
RowsArgument = Annotated[
    list[int], typer.Argument(max=LARGEST_ID, metavar="ID...", help="Rows, all or none.")
]
DoneByOption = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does this.")]


@app.command("list")
def list_held(
    reason: ReasonOption = "",
    source: SourceOption = "",
    everything: Annotated[
        bool, typer.Option("--rows", help="Row by row, not only in groups of one cause.")
    ] = False,
    at: AtOption = "",
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """List what is held, in groups that one cause holds: of the enrolled first, then the largest.

    An unknown code that stands in a thousand rows is one line here, to be mapped or ignored
    once in the laboratory's [sources] table. The JSON is always row by row.
    """
    from monitor.intake.quarantine import groups, held_rows

    with reading(config, at) as work:
        zone = work.settings.clinic.zone
        moment = work.now if at else None
        if as_json:
            rows = held_rows(work.store, reason=reason, source=source or None, at=moment)
            print_json([_document(asdict(row), zone) for row in rows])
            _say_if_none(work, len(rows), reason, source, moment)
            return
        grouped = groups(work.store, reason=reason, source=source or None, at=moment)
        rows = held_rows(work.store, reason=reason, source=source or None, limit=_SHOWN, at=moment)
        _say_if_none(work, len(rows), reason, source, moment)
    table(
        ["rows", "patients", "source", "analyte", "held because", "--reason", "first", "since"],
        [
            (it.rows, it.patients, it.source, it.analyte or f"{it.analytes} analytes", it.reason,
             it.reason_code, it.first_id, local(it.oldest, zone))
            for it in grouped
        ],
        empty="Nothing is held.",
    )  # fmt: skip
    if everything:
        table(
            ["id", "file", "line", "mrn", "analyte", "collected", "value", "unit", "held because"],
            [
                (it.id, it.file, it.line, it.mrn, it.analyte, it.collected_at, it.value, it.unit,
                 it.reason)
                for it in rows
            ],
        )  # fmt: skip
    elif grouped:
        say(
            "`monitor quarantine show ID` shows a row whole and what frees all alike; --rows lists."
        )


def _say_if_none(
    work: Work, found: int, reason: str, source: str, moment: datetime | None = None
) -> None:
    """That nothing is held for a reason or a laboratory may be a slip in its name."""
    from monitor.intake.quarantine import groups

    if found or not (reason or source):
        return
    held = groups(work.store, at=moment)
    reasons = ", ".join(sorted({it.reason_code for it in held}))
    sources = ", ".join(sorted({it.source or '""' for it in held}))
    rest = f"; held are rows for {reasons}, of the sources {sources}" if held else ""
    asked = " ".join(
        f"{name} {it}" for name, it in (("--reason", reason), ("--source", source)) if it
    )
    complain(f"nothing is held with {asked}{rest}")


@app.command()
def show(
    row: Annotated[int, typer.Argument(max=LARGEST_ID, metavar="ID", help="The row's number.")],
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Show one row whole: as received, why it is held, and what would be right."""
    from monitor.intake.quarantine import held_row

    with _readably(), reading(config) as work:
        zone = work.settings.clinic.zone
        found = _document(asdict(held_row(work.store, row)), zone)
    if as_json:
        print_json(found)
        return
    received = found.pop("raw")
    table(["", ""], [(name.replace("_", " "), value) for name, value in found.items() if value])
    say("As received:")
    table(["column", "cell"], list(received.items()))


@app.command()
def retry(
    rows: Annotated[
        list[int] | None,
        typer.Argument(
            max=LARGEST_ID, metavar="[ID...]", help="Rows; all that are held, if none is named."
        ),
    ] = None,
    reason: ReasonOption = "",
    source: SourceOption = "",
    by: DoneByOption = "retry",
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try rows again, with today's config, analytes and enrolments; then review whom it touches.

    What still cannot be trusted stays held (exit 3).
    """
    from monitor.operations.arrivals import retry as again

    with _readably(), writing(config, at) as work:
        tried, tally = again(
            work.store,
            work.settings,
            work.now,
            ids=rows or None,
            reason=reason,
            source=source or None,
            by=by,
        )
        _say_if_none(work, tried.tried, reason, source)
    _say_tried(tried, tally, as_json=as_json)


def _say_tried(tried: Retry, tally: Tally, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"tried": tried.tried, "taken": tried.taken, "held": tried.held, "alerts": tally.alerts}
        )
    else:
        say(f"{tried.tried} tried: {tried.taken} taken, {tried.held} still held.")
    if tried.held:
        raise typer.Exit(Exit.NOT_ALL)


@app.command()
def fix(
    row: Annotated[
        int,
        typer.Argument(max=LARGEST_ID, metavar="ID", help="A row; all alike are mended with it."),
    ],
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who says so.")],
    analyte: Annotated[
        str, typer.Option("--analyte", metavar="NAME", help="What the code of the row measures.")
    ] = "",
    unit: Annotated[
        str, typer.Option("--unit", metavar="UNIT", help="What its unit, or none, means.")
    ] = "",
    patient: Annotated[
        str, typer.Option("--patient", metavar="MRN", help="Whom its number and name mean.")
    ] = "",
    issuer: Annotated[
        str,
        typer.Option(
            "--issuer", metavar="NAME", help='Who gave out its number; "own": the clinic itself.'
        ),
    ] = "",
    ignore: Annotated[
        bool, typer.Option("--ignore", help="Its code needs nobody, now and in future.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="This row alone; nothing is remembered.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Mend a row and all alike: say what its code, unit, number or issuer means.

    It is remembered for the laboratory (`fixes` lists, `unfix` removes), and the rows are tried
    again at once. What still cannot be trusted stays held (exit 3).
    """
    from monitor.intake.mending import Mend
    from monitor.operations.arrivals import mend

    said = Mend(analyte=analyte, unit=unit, patient=patient, issuer=issuer, ignore=ignore)
    with _readably(), writing(config, at) as work:
        done, tally = mend(work.store, work.settings, row, said, by=by, now=work.now, once=once)
    _say_tried(done, tally, as_json=as_json)


@app.command("fixes")
def list_fixes(
    source: SourceOption = "",
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """List what is remembered: what a laboratory's words mean, who said so and when.

    What is ignored although patients are watched by it now is said below the list.
    """
    from monitor.intake.fixes import fixes
    from monitor.operations.ignored import ignored

    with reading(config) as work:
        zone = work.settings.clinic.zone
        with work.store.read() as connection:
            found = fixes(connection, source=source or None)
            hidden = {it.fix.id: it for it in ignored(connection, work.settings)}
    if as_json:
        print_json(
            [
                asdict(it)
                | {
                    "made_at": it.made_at.astimezone(zone).isoformat(),
                    "hides": hidden[it.id].analyte.name if it.id in hidden else None,
                }
                for it in found
            ]
        )
        return
    table(
        ["id", "source", "what", "theirs", "means", "said by", "on"],
        [
            (it.id, it.source, it.kind.value, it.written, it.ours or _MEANS_NOTHING[it.kind.value],
             it.made_by, local(it.made_at, zone))
            for it in found
        ],
        empty="No fix is remembered.",
    )  # fmt: skip
    for fix in found:
        if fix.id in hidden:
            say(f"WARNING: {hidden[fix.id].says}")


@app.command()
def unfix(
    number: Annotated[
        int, typer.Argument(max=LARGEST_ID, metavar="ID", help="A fix, as `fixes` lists it.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who says so.")],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
) -> None:
    """Remove a remembered fix. What came in by it stays; a file that was wrong is taken back
    with `monitor batch revert`."""
    from monitor.intake.mending import unfix as remove

    with _readably(), writing(config, at) as work:
        remove(work.store, number, by=by, now=work.now)
    say(f"Fix {number} is removed.")


@app.command()
def discard(
    rows: RowsArgument,
    by: DoneByOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it may go.")],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let rows go: nobody judges them then. They stay on record, with who did it and why; what
    was let go by mistake is held again by `monitor quarantine hold`."""
    from monitor.operations.arrivals import discard as let_go

    with _readably(), writing(config, at) as work:
        let_go(work.store, work.settings, rows, by=by, reason=reason, now=work.now)
    if as_json:
        print_json({"discarded": len(set(rows))})
    else:
        say(f"{len(set(rows))} discarded.")


@app.command()
def hold(
    rows: RowsArgument,
    by: DoneByOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was mistaken.")],
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hold rows again that were let go by mistake."""
    from monitor.operations.arrivals import hold_again

    with _readably(), writing(config, at) as work:
        tried, _ = hold_again(work.store, work.settings, rows, by=by, reason=reason, now=work.now)
    if as_json:
        print_json({"held": tried.held, "taken": tried.taken})
    else:
        went_in = f" {tried.taken} taken, for they can be read now." if tried.taken else ""
        say(f"{tried.held} held again.{went_in}")


@contextmanager
def _readably() -> Iterator[None]:
    """What cannot be done with held rows is said as such."""
    from monitor.intake.quarantine import QuarantineRefused

    try:
        yield
    except QuarantineRefused as refusal:
        raise Refused(str(refusal)) from None


def _document(row: dict[str, Any], zone: Any) -> dict[str, Any]:
    instants = ("held_at", "resolved_at")
    return row | {
        name: row[name].astimezone(zone).isoformat() for name in instants if row[name] is not None
    }
