"""Laboratory files: shown, taken, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Request, UploadFile
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.intake.dependence import BatchRefused
from monitor.operations import arrivals, batches
from monitor.web.api import shapes
from monitor.web.api.callers import Body, Caller, Needed, Number, Text, for_
from monitor.web.api.paging import Cursor, Limit, more_at, part_of, plain
from monitor.web.api.problems import Refused
from monitor.web.api.shapes import shown
from monitor.web.uploads import digest, plain_name

routes = APIRouter(tags=["files"])
Loader = Annotated[Caller, for_(May.LOAD_FILES)]
_CHUNK = 1 << 20
_FILE = "file"
_NAME_SHOWN = 60


class Reversal(Body):
    """Why a file is taken back; a preview changes nothing."""

    reason: Needed
    by: Text = ""
    preview: bool = False


async def _alone(request: Request) -> None:
    """The form holds one file and nothing else: of several the others would be lost, and a source
    that stands in the form would not be read by."""
    names = [name for name, _ in (await request.form()).multi_items()]
    if names.count(_FILE) > 1:
        raise Refused(
            422, f"{names.count(_FILE)} files in one request: send each in one of its own"
        )
    if others := sorted({name for name in names if name != _FILE}):
        told = ", ".join(name[:_NAME_SHOWN] for name in others)
        text = (
            f"the form holds {told}: only {_FILE} is read; what is said of it stands in the address"
        )
        raise Refused(422, text)


@routes.post("/files", **shown(shapes.Loaded))
def load(
    caller: Loader,
    _only: Annotated[None, Depends(_alone)],
    file: Annotated[UploadFile, File(description="CSV, a workbook, HL7 or FHIR.")],
    source: Annotated[Text, Query()] = "",
    preview: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """Take a laboratory's file in, or show what would come of it: as `monitor load --json`."""
    with _on_disk(file) as path:
        of_file = f"sha256 {digest(path)[:12]}"
        if preview:
            caller.audit("file looked at", detail=of_file)
        store = caller.store if preview else caller.deed("file loaded", detail=of_file)
        loaded = arrivals.load(store, caller.settings, path, source, caller.now, preview=preview)
    return {
        **loaded.report.account(),
        "alerts": loaded.tally.alerts,
        **(loaded.report.recognised() if preview else {}),
    }


@routes.get("/batches", **shown(list[shapes.Batch]))
def all_batches(
    caller: Loader, request: Request, response: Response, limit: Limit = 100, before: Cursor = None
) -> list[dict[str, Any]]:
    """What came, the latest first."""
    found = batches.batch_list(caller.store, limit=limit + 1, before=before)
    rows, more = part_of(found, limit)
    if more:
        more_at(request, response, before=rows[-1].id)
    return [plain(it) for it in rows]


@routes.get("/batches/{batch_id}", **shown(shapes.BatchToday))
def batch(caller: Loader, batch_id: Number) -> dict[str, Any]:
    """One file: the account of its rows, and what there is of it today."""
    try:
        found, brought = batches.batch(caller.store, batch_id)
    except BatchRefused:
        raise Refused(404) from None
    return {**plain(found), "today": asdict(brought)}


@routes.post("/batches/{batch_id}/revert", **shown(shapes.Reverted))
def revert(caller: Loader, batch_id: Number, said: Reversal) -> dict[str, Any]:
    """Take a file back as one step, and review whom it touches."""
    batch(caller, batch_id)
    deed = caller.deed("file taken back", detail=f"file {batch_id}")
    done, tally = batches.revert(
        caller.store if said.preview else deed,
        caller.settings,
        batch_id,
        by=caller.by(said.by),
        reason=said.reason,
        now=caller.now,
        preview=said.preview,
    )
    counts = asdict(done)
    counts["touched"] = len(counts["touched"])
    return {**counts, "alerts": tally.alerts}


@contextmanager
def _on_disk(upload: UploadFile) -> Iterator[Path]:
    """The file for as long as it is read."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / plain_name(upload.filename or "")
        with path.open("wb") as file:
            while chunk := upload.file.read(_CHUNK):
                file.write(chunk)
        yield path
