"""`/load`: a laboratory's file is shown before it is taken; what came may be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.delivery.words import counted
from monitor.intake.dependence import BatchRefused
from monitor.intake.report import FileReport
from monitor.intake.survey import UnreadableFile
from monitor.operations import arrivals, batches
from monitor.operations.sources import SourceRefused, learn
from monitor.review import Tally
from monitor.web import uploads
from monitor.web.visit import LARGEST, RowId, Visit, needs

routes = APIRouter()
UPLOADS = ("/load",)
Loader = Annotated[Visit, needs(May.LOAD_FILES)]
_OPENED = 50
"""Alerts shown of those that opened with a file: a first history opens thousands."""
_SHOWN = 30
_GONE = (
    "The file is not here any more: it was taken or left already, or an hour has passed. "
    "Where it does not stand among what came, bring it again."
)


@routes.get("/load")
def load(visit: Loader, before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None) -> Response:
    return _start(visit, before=before)


@routes.post("/load")
def bring(visit: Loader) -> Response:
    """Show a file: what would be stored, held and alerted. Nothing is taken."""
    upload = visit.upload("file")
    if upload is None:
        return _start(visit, "Choose a file first.", 422)
    kept = uploads.keep(visit.site.settings, upload, visit.account.id, visit.now)
    return _show(visit, kept, visit.text("source"))


@routes.post("/load/again")
def again(visit: Loader) -> Response:
    """Show the same file read as another source."""
    kept = _kept(visit)
    return _start(visit, _GONE, 422) if kept is None else _show(visit, kept, visit.text("source"))


@routes.post("/load/take")
def take(visit: Loader) -> Response:
    kept = _kept(visit)
    if kept is None:
        return _start(visit, _GONE, 422)
    with uploads.claimed(kept) as mine:
        return _start(visit, _GONE, 422) if mine is None else _taken(visit, mine)


def _taken(visit: Visit, kept: uploads.Kept) -> Response:
    store, settings, source = visit.site.store, visit.site.settings, visit.text("source")
    deed = visit.deed("file loaded", detail=f"sha256 {uploads.digest(kept.path)[:12]}")
    try:
        loaded = arrivals.load(deed, settings, kept.path, source, visit.now)
    except UnreadableFile as refusal:
        return _start(visit, str(refusal), 422)
    report, tally = loaded.report, loaded.tally
    visit.notice(*_became(report, tally))
    batch_id = batches.batch_of(store, report.sha256, visit.now)
    return visit.redirect("/load" if batch_id is None else f"/load/{batch_id}")


@routes.post("/load/leave")
def leave(visit: Loader) -> Response:
    kept = _kept(visit)
    if kept is not None:
        uploads.let_go(kept)
    visit.notice("The file was left. Nothing of it was taken.", "info")
    return visit.redirect("/load")


@routes.post("/load/learn")
def learned(visit: Loader) -> Response:
    """How this laboratory writes, as the table of the config that would say so for good."""
    kept = _kept(visit)
    if kept is None:
        return _start(visit, _GONE, 422)
    try:
        found = learn(
            visit.site.store,
            visit.site.settings,
            Path(),
            kept.path,
            visit.text("name"),
            visit.now,
            date_format=visit.text("date_format"),
            write=False,
        )
    except (SourceRefused, UnreadableFile) as refusal:
        return _show(visit, kept, visit.text("source"), problem=str(refusal))
    visit.audit("layout learned")
    return visit.page("load_learned.html", learned=found, kept=kept)


@routes.get("/load/{batch_id}")
def batch(batch_id: RowId, visit: Loader) -> Response:
    return _batch(visit, batch_id)


@routes.post("/load/{batch_id}")
def revert(batch_id: RowId, visit: Loader) -> Response:
    """Take a file back: shown first, done when the form says that it was seen."""
    agreed, reason = bool(visit.text("agreed")), visit.text("reason")
    deed = visit.deed("file taken back", detail=f"file {batch_id}")
    if not reason:
        return _batch(visit, batch_id, problem="Say what was wrong with it.")
    try:
        done, tally = batches.revert(
            deed if agreed else visit.site.store,
            visit.site.settings,
            batch_id,
            by=visit.who,
            reason=reason,
            now=visit.now,
            preview=not agreed,
        )
    except BatchRefused as refusal:
        return _batch(visit, batch_id, problem=str(refusal))
    if not agreed:
        return _batch(visit, batch_id, coming=(done, tally), reason=reason)
    told = "The file is taken back, and everybody it touched was reviewed."
    visit.notice(" ".join([told, *(f"{note}." for note in done.notes)]))
    return visit.redirect(f"/load/{batch_id}")


def _became(report: FileReport, tally: Tally) -> tuple[str, str]:
    """What to say of a file that was taken, and in which tone: what is held is judged by nobody,
    and a file of which nothing else came has told the monitor nothing."""
    held = report.quarantined
    waits = f" {held} held in quarantine, judged by nobody." if held else ""
    if held and not report.stored + report.superseded + report.withdrawn:
        return f"Nothing of its {counted(report.rows, 'row')} was stored.{waits}", "problem"
    alerts = f"{tally.opened} opened, {tally.updated} changed, {tally.closed} closed"
    known = f", {report.duplicate} known before" if report.duplicate else ""
    of = counted(report.rows, "row")
    told = f"Taken: {report.stored} of {of} stored{known}.{waits} Alerts: {alerts}."
    return told, "caution" if held else "done"


def _kept(visit: Visit) -> uploads.Kept | None:
    return uploads.find(visit.site.settings, visit.text("token"), visit.account.id, visit.now)


def _start(
    visit: Visit, problem: str = "", status: int = 200, *, before: int | None = None
) -> Response:
    uploads.sweep(visit.site.settings, visit.now)
    files = batches.batch_list(visit.site.store, limit=_SHOWN + 1, before=before)
    return visit.page(
        "load.html",
        status,
        problem=problem,
        sources=bool(visit.site.settings.sources),
        pairs=_pairs(visit),
        files=files[:_SHOWN],
        older=files[_SHOWN - 1].id if len(files) > _SHOWN else None,
        before=before,
        largest=visit.site.settings.web.upload_largest_mib,
    )


def _show(visit: Visit, kept: uploads.Kept, source: str, problem: str = "") -> Response:
    store, settings = visit.site.store, visit.site.settings
    try:
        loaded = arrivals.load(store, settings, kept.path, source, visit.now, preview=True)
    except UnreadableFile as refusal:
        uploads.let_go(kept)
        return _start(visit, f"It cannot be read: {refusal}", 422)
    visit.audit("file looked at", detail=f"sha256 {uploads.digest(kept.path)[:12]}")
    return visit.page(
        "load_shown.html",
        422 if problem else 200,
        kept=kept,
        report=loaded.report,
        tally=loaded.tally,
        late=loaded.late,
        source=source,
        sources=bool(settings.sources),
        pairs=_pairs(visit),
        problem=problem,
    )


def _batch(
    visit: Visit,
    batch_id: int,
    *,
    problem: str = "",
    reason: str = "",
    coming: object = None,
) -> Response:
    try:
        found, brought = batches.batch(visit.site.store, batch_id)
    except BatchRefused:
        raise HTTPException(404) from None
    count, opened = batches.opened_by(visit.site.store, batch_id, most=_OPENED)
    visit.audit("file seen", detail=f"file {batch_id}")
    return visit.page(
        "load_batch.html",
        422 if problem else 200,
        batch=found,
        brought=brought,
        opened_count=count,
        opened=opened,
        problem=problem,
        reason=reason,
        coming=coming,
    )


def _pairs(visit: Visit) -> list[tuple[str, str]]:
    return [(it, it) for it in sorted(visit.site.settings.sources)]
