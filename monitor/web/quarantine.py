"""`/quarantine`: rows that nobody judges until somebody has looked; mended once for all alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.intake.fixes import fixes
from monitor.intake.mending import Mend, needs_somebody, unfix
from monitor.intake.quarantine import (
    HeldRow,
    QuarantineRefused,
    Retry,
    alike,
    alike_ids,
    groups,
    held_row,
)
from monitor.operations import arrivals
from monitor.operations.ignored import ignored
from monitor.review import Tally
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook
from monitor.web.visit import RowId, Visit, needs, whole_number

routes = APIRouter()
Mender = Annotated[Visit, needs(May.MEND_ROWS)]
_ALIKE = 50
_LIKELY = {
    "unknown_code": ("code",),
    "unit_missing": ("unit",),
    "unit_unknown": ("unit",),
    "unit_ambiguous": ("unit",),
    "implausible": ("unit",),
    "code_contradicts_unit": ("unit",),
    "another_issuer": ("issuer", "patient"),
    "identity": ("patient",),
    "mrn_alike": ("patient",),
    "another_number": ("patient",),
    "unknown_patient": ("patient",),
}
"""What most likely frees a row held for a reason, as `remedies.remedy` says for the commands;
the other ways are one step away."""


@routes.get("/quarantine")
def quarantine(visit: Mender) -> Response:
    with visit.site.store.read() as connection:
        remembered = fixes(connection)
        hidden = {it.fix.id: it.analyte.title for it in ignored(connection, visit.site.settings)}
    return visit.page(
        "quarantine.html", groups=groups(visit.site.store), fixes=remembered, hidden=hidden
    )


@routes.post("/quarantine/retry")
def retry(visit: Mender) -> Response:
    """Try everything again, with today's config, analytes and enrolments."""
    deed = visit.deed("quarantine tried again")
    tried, tally = arrivals.retry(deed, visit.site.settings, visit.now, by=visit.who)
    visit.notice(_told(tried, tally))
    return visit.redirect("/quarantine")


@routes.post("/quarantine/fixes/{fix_id}")
def forget(fix_id: RowId, visit: Mender) -> Response:
    try:
        deed = visit.deed("fix removed", detail=f"fix {fix_id}")
        unfix(deed, fix_id, by=visit.who, now=visit.now)
    except QuarantineRefused as refusal:
        visit.notice(refusal.plain, "problem")
    else:
        visit.notice("It is forgotten. What came in by it stays.")
    return visit.redirect("/quarantine")


@routes.get("/quarantine/{row_id}")
def row(row_id: RowId, visit: Mender) -> Response:
    return _page(visit, row_id)


@routes.post("/quarantine/{row_id}/mend")
def mend(row_id: RowId, visit: Mender) -> Response:
    """Say what its code, unit, number or issuer means: for all alike, or for this row alone."""
    said = Mend(
        analyte=visit.text("analyte"),
        unit=visit.text("unit"),
        patient=visit.text("patient"),
        issuer=visit.text("issuer"),
        ignore=bool(visit.text("ignore")),
    )
    once = bool(visit.text("once"))
    settings = visit.site.settings

    def act(store: Store) -> str:
        tried, tally = arrivals.mend(
            store, settings, row_id, said, by=visit.who, now=visit.now, once=once
        )
        return _told(tried, tally)

    return _done(visit, row_id, act, "row mended")


@routes.post("/quarantine/{row_id}/retry")
def again(row_id: RowId, visit: Mender) -> Response:
    settings = visit.site.settings

    def act(store: Store) -> str:
        tried = arrivals.retry(store, settings, visit.now, ids=[row_id], by=visit.who)
        return _told(*tried)

    return _done(visit, row_id, act, "row tried again")


@routes.post("/quarantine/{row_id}/discard")
def discard(row_id: RowId, visit: Mender) -> Response:
    """Let this row go, or all that are held for the same cause; they stay on record."""
    settings, reason = visit.site.settings, visit.text("reason")
    held = _row(visit, row_id)
    last = whole_number(visit.text("last")) or 0
    seen = alike_ids(visit.site.store, held, last=last) if visit.text("all") else []
    ids = seen or [row_id]

    def act(store: Store) -> str:
        if not reason:
            raise QuarantineRefused("say why it may go")
        arrivals.discard(store, settings, ids, by=visit.who, reason=reason, now=visit.now)
        return f"{len(ids)} let go."

    return _done(visit, row_id, act, "rows let go")


@routes.post("/quarantine/{row_id}/hold")
def hold(row_id: RowId, visit: Mender) -> Response:
    """Hold a row again that was let go by mistake."""
    settings, reason = visit.site.settings, visit.text("reason")

    def act(store: Store) -> str:
        if not reason:
            raise QuarantineRefused("say what was mistaken")
        tried, tally = arrivals.hold_again(
            store, settings, [row_id], by=visit.who, reason=reason, now=visit.now
        )
        return _told(tried, tally) if tried.taken else "Held again."

    return _done(visit, row_id, act, "row held again")


def _done(visit: Visit, row_id: int, act: Callable[[Store], str], what: str) -> Response:
    try:
        told = act(visit.deed(what, detail=f"row {row_id}"))
    except QuarantineRefused as refusal:
        return _page(visit, row_id, refusal.plain)
    visit.notice(told)
    return visit.redirect("/quarantine")


def _told(tried: Retry, tally: Tally) -> str:
    still = f", {tried.held} still held" if tried.held else ""
    return (
        f"{tried.tried} tried: {tried.taken} taken{still}. "
        f"Alerts: {tally.opened} opened, {tally.updated} changed, {tally.closed} closed."
    )


def _row(visit: Visit, row_id: int) -> HeldRow:
    try:
        return held_row(visit.site.store, row_id)
    except QuarantineRefused:
        raise HTTPException(404) from None


def _page(visit: Visit, row_id: int, problem: str = "") -> Response:
    held = _row(visit, row_id)
    found = alike(visit.site.store, held, shown=_ALIKE)
    with visit.site.store.read() as connection:
        rulebook = load_rulebook(connection)
    visit.audit("held row seen", detail=f"row {row_id}")
    return visit.page(
        "quarantine_row.html",
        422 if problem else 200,
        row=held,
        alike=found.first,
        count=found.count,
        likely=_LIKELY.get(held.reason_code, ()),
        last=found.last_id,
        analytes=[(id_, it.title) for id_, it in rulebook.catalogue.analytes.items()],
        ignorable=not needs_somebody(held.analyte, rulebook),
        problem=problem,
    )
