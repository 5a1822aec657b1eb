"""Laboratory files: shown, taken, taken back; and the rows that are held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, UploadFile

from monitor.core.permissions import May
from monitor.intake.dependence import BatchRefused
from monitor.intake.mending import Mend
from monitor.intake.quarantine import QuarantineRefused, held_row, held_rows
from monitor.operations import arrivals, batches
from monitor.web.api.callers import Body, Caller, Needed, Number, Text, for_
from monitor.web.api.problems import Refused
from monitor.web.uploads import digest, plain_name

routes = APIRouter(tags=["files"])
Loader = Annotated[Caller, for_(May.LOAD_FILES)]
Mender = Annotated[Caller, for_(May.MEND_ROWS)]
_CHUNK = 1 << 20
_SHOWN = 200


class Reversal(Body):
    """Why a file is taken back; a preview changes nothing."""

    reason: Needed
    by: Text = ""
    preview: bool = False


class Meaning(Body):
    """What a held row means: exactly one of analyte, unit, patient, issuer and ignore."""

    analyte: Text = ""
    unit: Text = ""
    patient: Text = ""
    issuer: Text = ""
    ignore: bool = False
    once: bool = False
    """This row alone; nothing is remembered."""
    by: Text = ""


class Discard(Body):
    reason: Needed
    by: Text = ""


class Attempt(Body):
    by: Text = ""


@routes.post("/files")
def load(
    caller: Loader,
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


@routes.get("/batches")
def all_batches(caller: Loader) -> list[dict[str, Any]]:
    """What came, the latest first."""
    return [_plain(asdict(it)) for it in batches.batch_list(caller.store, limit=_SHOWN)]


@routes.get("/batches/{batch_id}")
def batch(caller: Loader, batch_id: Number) -> dict[str, Any]:
    """One file: the account of its rows, and what there is of it today."""
    try:
        found, brought = batches.batch(caller.store, batch_id)
    except BatchRefused:
        raise Refused(404) from None
    return {**_plain(asdict(found)), "today": asdict(brought)}


@routes.post("/batches/{batch_id}/revert")
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


@routes.get("/quarantine")
def quarantine(
    caller: Mender, reason: Annotated[Text, Query()] = "", source: Annotated[Text, Query()] = ""
) -> list[dict[str, Any]]:
    """Held rows, oldest first: as `monitor quarantine list --json`."""
    rows = held_rows(caller.store, reason=reason, source=source or None, limit=_SHOWN)
    caller.audit("held rows read", detail=f"{len(rows)} rows")
    return [_plain(asdict(it)) for it in rows]


@routes.get("/quarantine/{row_id}")
def held(caller: Mender, row_id: Number) -> dict[str, Any]:
    """One row whole."""
    caller.audit("held row read", detail=f"row {row_id}")
    return _row(caller, row_id)


@routes.post("/quarantine/{row_id}/mend")
def mend(caller: Mender, row_id: Number, said: Meaning) -> dict[str, Any]:
    """Say what a row means, for all alike or for it alone; they are tried again at once."""
    _row(caller, row_id)
    meaning = Mend(**said.model_dump(exclude={"once", "by"}))
    deed = caller.deed("row mended", detail=f"row {row_id}")
    tried, _ = arrivals.mend(
        deed, caller.settings, row_id, meaning, by=caller.by(said.by), now=caller.now,
        once=said.once,
    )  # fmt: skip
    return {"tried": tried.tried, "taken": tried.taken, "held": tried.held}


@routes.post("/quarantine/{row_id}/retry")
def retry(caller: Mender, row_id: Number, said: Attempt) -> dict[str, Any]:
    """Try a row again, with today's config, analytes and enrolments."""
    _row(caller, row_id)
    deed = caller.deed("row tried again", detail=f"row {row_id}")
    tried, _ = arrivals.retry(
        deed, caller.settings, caller.now, ids=[row_id], by=caller.by(said.by)
    )
    return {"tried": tried.tried, "taken": tried.taken, "held": tried.held}


@routes.post("/quarantine/{row_id}/discard")
def discard(caller: Mender, row_id: Number, said: Discard) -> dict[str, int]:
    """Let a row go for good; it stays on record."""
    _row(caller, row_id)
    deed = caller.deed("rows let go", detail=f"row {row_id}")
    arrivals.discard(
        deed, caller.settings, [row_id], by=caller.by(said.by), reason=said.reason,
        now=caller.now,
    )  # fmt: skip
    return {"discarded": 1}


@contextmanager
def _on_disk(upload: UploadFile) -> Iterator[Path]:
    """The file for as long as it is read."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / plain_name(upload.filename or "")
        with path.open("wb") as file:
            while chunk := upload.file.read(_CHUNK):
                file.write(chunk)
        yield path


def _row(caller: Caller, row_id: int) -> dict[str, Any]:
    try:
        return _plain(asdict(held_row(caller.store, row_id)))
    except QuarantineRefused:
        raise Refused(404) from None


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {
        name: it.isoformat() if isinstance(it, datetime) else it for name, it in document.items()
    }
