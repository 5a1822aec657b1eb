"""`monitor batch`: files as they came, and a wrong one taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    LARGEST_ID,
    AtOption,
    ConfigOption,
    JsonOption,
    Refused,
    local,
    reading,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json

if TYPE_CHECKING:
    from monitor.operations.batches import Batch

app = typer.Typer(
    no_args_is_help=True,
    help="Files as they came, each a batch; a wrong one is taken back as one step.\n\n"
    "Everything that a batch brought stays on record and counts for nothing from then on: what it "
    "had superseded stands again, alerts are judged anew, and whoever was told is told. The file "
    "may be loaded again.",
)
_SHOWN = 30
_INSTANTS = ("received_at", "reverted_at")
BatchArgument = Annotated[
    int, typer.Argument(max=LARGEST_ID, metavar="ID", help="The batch's number.")
]


@app.command("list")
def list_batches(
    everything: Annotated[bool, typer.Option("--all", help="Also those of long ago.")] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """List the batches, the latest first. The JSON always has all of them."""
    from monitor.operations.batches import batch_list

    with reading(config) as work:
        zone = work.settings.clinic.zone
        limit = None if everything or as_json else _SHOWN
        found = batch_list(work.store, limit=limit)
    if as_json:
        print_json([_document(asdict(it), zone) for it in found])
        return
    table(
        ["id", "kind", "file", "source", "came", "rows", "stored", "not taken", "taken back"],
        [
            (it.id, it.kind, it.file, it.source, local(it.received_at, zone), it.rows,
             it.outcomes["stored"], _not_taken(it),
             "" if it.reverted_at is None else f"{local(it.reverted_at, zone)} {it.reverted_by}")
            for it in found
        ],
        empty="Nothing has come yet.",
    )  # fmt: skip


def _not_taken(batch: Batch) -> str:
    count = batch.outcomes["quarantined"]
    return f"{count} {batch.called('quarantined')}" if count else "0"


@app.command()
def show(
    batch: BatchArgument,
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Show one batch: the account of its rows, and what there is of it today."""
    from monitor.operations.batches import batch as found_batch

    with _readably(), reading(config) as work:
        zone = work.settings.clinic.zone
        found, brought = found_batch(work.store, batch)
    document = _document(asdict(found), zone) | {"today": asdict(brought)}
    if as_json:
        print_json(document)
        return
    today, outcomes = document.pop("today"), document.pop("outcomes")
    table(["", ""], [(name.replace("_", " "), it) for name, it in document.items() if it])
    say("Its rows:")
    table([found.called(name) for name in outcomes], [list(outcomes.values())])
    say("Today there are of it:")
    whole = today.pop("last_row_whole_in")
    table(list(today), [list(today.values())])
    if whole is not None:
        say(f"Its last row was cut short; the whole of it came with batch {whole}.")


@app.command()
def revert(
    batch: BatchArgument,
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who does this.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was wrong.")],
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would happen, and change nothing.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a batch back as one step, and review whom it touches.

    What later files build on is refused, naming them (an enrolment with events and results).
    """
    from monitor.operations.batches import revert as take_back

    with _readably(), writing(config, at, preview=preview) as work:
        done, tally = take_back(
            work.store,
            work.settings,
            batch,
            by=by,
            reason=reason,
            now=work.now,
            preview=preview,
        )
    counts = asdict(done)
    touched = counts.pop("touched")
    if as_json:
        print_json(
            {"batch": batch, **counts, "enrolments_touched": len(touched), "alerts": tally.alerts}
        )
        return
    head = "would be taken back" if preview else "is taken back"
    brought = ", ".join(f"{name} {counts[name]}" for name in _COUNTED if counts[name])
    say(f"Batch {batch} ({done.file}) {head}: {brought or 'nothing was left of it'}.")
    if done.passed_on:
        say(f"  other files have said the same, and keep it: {done.passed_on}")
    for note in done.notes:
        say(f"  {note}")
    say(
        f"  alerts opened {tally.opened}, updated {tally.updated}, closed {tally.closed}; "
        f"messages queued {tally.messages}"
    )


_COUNTED = ("results", "held", "events", "enrolments", "merges")


@contextmanager
def _readably() -> Iterator[None]:
    """What cannot be taken back is said as such."""
    from monitor.intake.dependence import BatchRefused

    try:
        yield
    except BatchRefused as refusal:
        raise Refused(str(refusal)) from None


def _document(found: dict[str, Any], zone: Any) -> dict[str, Any]:
    return found | {
        name: found[name].astimezone(zone).isoformat()
        for name in _INSTANTS
        if found[name] is not None
    }
