"""Held rows: read, mended once for all alike, tried again, let go."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.intake.fixes import Fix, fixes
from monitor.intake.mending import Mend, unfix
from monitor.intake.quarantine import HeldRow, QuarantineRefused, held_row, held_rows
from monitor.operations import arrivals
from monitor.web.api import shapes
from monitor.web.api.callers import Body, Caller, Needed, Number, Text, for_
from monitor.web.api.paging import Cursor, Limit, more_at, part_of, plain
from monitor.web.api.problems import Refused
from monitor.web.api.shapes import shown

routes = APIRouter(tags=["quarantine"])
Mender = Annotated[Caller, for_(May.MEND_ROWS)]


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


@routes.get("/quarantine", **shown(list[HeldRow]))
def quarantine(
    caller: Mender,
    request: Request,
    response: Response,
    reason: Annotated[Text, Query()] = "",
    source: Annotated[Text, Query()] = "",
    limit: Limit = 100,
    after: Cursor = None,
) -> list[dict[str, Any]]:
    """Held rows, oldest first: as `monitor quarantine list --json`."""
    found = held_rows(
        caller.store, reason=reason, source=source or None, limit=limit + 1, after=after
    )
    rows, more = part_of(found, limit)
    if more:
        more_at(request, response, after=rows[-1].id)
    caller.audit("held rows read", detail=f"{len(rows)} rows")
    return [plain(it) for it in rows]


@routes.get("/fixes", **shown(list[Fix]))
def remembered(caller: Mender) -> list[dict[str, Any]]:
    """What was said of held rows and holds for rows to come, oldest first."""
    caller.audit("fixes read")
    with caller.store.read() as connection:
        return [plain(it) for it in fixes(connection)]


@routes.delete("/fixes/{fix_id}", status_code=204)
def forget(caller: Mender, fix_id: Number) -> None:
    """Remember it no more; what came in by it stays."""
    with caller.store.read() as connection:
        if fix_id not in {it.id for it in fixes(connection)}:
            raise Refused(404)
    deed = caller.deed("fix removed", detail=f"fix {fix_id}")
    unfix(deed, fix_id, by=caller.by(), now=caller.now)


@routes.get("/quarantine/{row_id}", **shown(HeldRow))
def held(caller: Mender, row_id: Number) -> dict[str, Any]:
    """One row whole."""
    caller.audit("held row read", detail=f"row {row_id}")
    return _row(caller, row_id)


@routes.post("/quarantine/{row_id}/mend", **shown(shapes.Tried))
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


@routes.post("/quarantine/{row_id}/retry", **shown(shapes.Tried))
def retry(caller: Mender, row_id: Number, said: Attempt) -> dict[str, Any]:
    """Try a row again, with today's config, analytes and enrolments."""
    _row(caller, row_id)
    deed = caller.deed("row tried again", detail=f"row {row_id}")
    tried, _ = arrivals.retry(
        deed, caller.settings, caller.now, ids=[row_id], by=caller.by(said.by)
    )
    return {"tried": tried.tried, "taken": tried.taken, "held": tried.held}


@routes.post("/quarantine/{row_id}/discard", **shown(shapes.Discarded))
def discard(caller: Mender, row_id: Number, said: Discard) -> dict[str, int]:
    """Let a row go for good; it stays on record."""
    _row(caller, row_id)
    deed = caller.deed("rows let go", detail=f"row {row_id}")
    arrivals.discard(
        deed, caller.settings, [row_id], by=caller.by(said.by), reason=said.reason,
        now=caller.now,
    )  # fmt: skip
    return {"discarded": 1}


def _row(caller: Caller, row_id: int) -> dict[str, Any]:
    try:
        return plain(held_row(caller.store, row_id))
    except QuarantineRefused:
        raise Refused(404) from None
