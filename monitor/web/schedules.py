"""`/schedules`: what is in force, and changes that wait for a second person."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from monitor.core.calendar import clinic_day
from monitor.core.catalogue import Analyte
from monitor.core.faults import Fault, Faults
from monitor.core.permissions import May
from monitor.core.protocol_file import digest_of
from monitor.intake.dates import read_day
from monitor.operations.schedule_beside import COLUMNS, beside
from monitor.operations.schedule_compare import compare_protocols, document
from monitor.operations.schedule_preview import Edit, Preview, preview
from monitor.operations.schedule_proposals import (
    ProposalRefused,
    Proposed,
    approve,
    foresee,
    proposal_of,
    proposals,
    propose_edit,
    refuse,
)
from monitor.operations.schedule_show import (
    NoSuchProtocol,
    Shown,
    ladder,
    list_in_force,
    show,
    then_of,
)
from monitor.operations.schedules import differences
from monitor.store.errors import TooEarly
from monitor.web.visit import Forbidden, RowId, Visit, needs

routes = APIRouter()
Reader = Annotated[Visit, needs(May.SEE_SCHEDULES)]
Editor = Annotated[Visit, needs(May.EDIT_SCHEDULES)]
_AROUND = 3
"""Lines of context of a change."""
_MOST_PATIENTS = 200
_TESTS = {"above_times_uln": "above, times the upper reference limit"}
"""What a level compares with, where the words of its key do not say so."""


@routes.get("/schedules")
def schedules(visit: Reader) -> Response:
    store = visit.site.store
    return visit.page(
        "schedules.html",
        protocols=list_in_force(store),
        waiting=[it for it in proposals(store) if it.is_open],
        notices_of_files=differences(store, visit.site.settings.schedules.folder),
    )


@routes.get("/schedules/compare")
def compare(
    visit: Reader, a: Annotated[str, Query()] = "", b: Annotated[str, Query()] = ""
) -> Response:
    """Two in force side by side, and where one is looser."""
    store = visit.site.store
    known = [row["id"] for row in list_in_force(store)]
    found: dict[str, Any] | None = None
    analytes: Mapping[str, Analyte] = {}
    if a in known and b in known:
        today = clinic_day(visit.now, visit.site.settings.clinic.zone)
        comparison, force = compare_protocols(store, a, b, today)
        found = document(comparison, force)
        assert force.catalogue is not None
        analytes = force.catalogue.analytes
    return visit.page(
        "schedule_compare.html",
        pairs=[(it, it) for it in known],
        a=a,
        b=b,
        found=found,
        analytes=analytes,
        tests=_TESTS,
    )


@routes.get("/schedules/proposals/{proposal_id}")
def proposal(proposal_id: RowId, visit: Reader) -> Response:
    return _proposal(visit, _proposed(visit, proposal_id))


@routes.post("/schedules/proposals/{proposal_id}")
def decide(proposal_id: RowId, visit: Editor) -> Response:
    """Approve, which takes the right to approve; refuse, or withdraw one's own."""
    proposed = _proposed(visit, proposal_id)
    note = visit.text("note")
    own = proposed.is_of(visit.who)
    if not own and not visit.may(May.APPROVE_SCHEDULES):
        raise Forbidden
    try:
        if visit.text("decision") == "approve":
            deed = visit.deed("schedule approved", detail=proposed.protocol_id)
            approve(deed, visit.site.settings, proposal_id, by=visit.who, note=note, now=visit.now)
            state = "approved"
        else:
            what = "schedule withdrawn" if own else "schedule refused"
            deed = visit.deed(what, detail=proposed.protocol_id)
            state = refuse(deed, proposal_id, by=visit.who, note=note, now=visit.now)
    except ProposalRefused as refused:
        return _proposal(visit, _proposed(visit, proposal_id), str(refused), 422)
    except TooEarly as early:
        says = early.says(visit.site.settings.clinic.zone)
        return _proposal(visit, _proposed(visit, proposal_id), says, 422)
    except Faults as faults:
        text = "; ".join(str(fault) for fault in faults.faults)
        return _proposal(visit, _proposed(visit, proposal_id), text, 422)
    visit.notice(
        "It is in force, and everyone on it was reviewed."
        if state == "approved"
        else f"The proposal is {state}."
    )
    return visit.redirect(f"/schedules/{proposed.protocol_id}")


@routes.get("/schedules/{protocol_id}")
def schedule(protocol_id: str, visit: Reader, start: Annotated[str, Query()] = "") -> Response:
    shown = _shown(visit, protocol_id, start)
    return visit.page(
        "schedule.html",
        shown=shown,
        protocol=shown.protocol,
        rules=ladder(shown.protocol, shown.catalogue),
        sections=beside(shown.protocol, shown.catalogue),
        columns=COLUMNS,
        then=then_of(shown.protocol),
        proposals=proposals(visit.site.store, protocol_id),
    )


@routes.get("/schedules/{protocol_id}/edit")
def edit(protocol_id: str, visit: Editor) -> Response:
    shown = _shown(visit, protocol_id, "")
    return _editor(visit, protocol_id, shown.text.text, "", digest_of(shown.text.text))


@routes.post("/schedules/{protocol_id}/edit")
def propose(protocol_id: str, visit: Editor) -> Response:
    """Checked and shown first; proposed when the form says so."""
    text, reason, based_on = _text(visit), visit.text("reason"), visit.text("based_on")
    changed = Edit(f"{protocol_id}.toml", text)
    try:
        if visit.text("step") != "propose":
            coming = preview(visit.site.store, visit.site.settings, changed, visit.now)
            visit.audit("schedule foreseen", detail=protocol_id)
            if coming.id != protocol_id:
                raise ProposalRefused(f'the text says that it is "{coming.id}"')
            return _editor(visit, protocol_id, text, reason, based_on, coming=coming)
        number = propose_edit(
            visit.deed("schedule proposed", detail=protocol_id),
            changed,
            protocol_id=protocol_id,
            based_on=based_on,
            by=visit.who,
            reason=reason,
            now=visit.now,
        )
    except Faults as found:
        return _editor(visit, protocol_id, text, reason, based_on, faults=found.faults, status=422)
    except ProposalRefused as refused:
        return _editor(visit, protocol_id, text, reason, based_on, problem=str(refused), status=422)
    visit.notice("It is proposed. Nothing changes until a second person approves it.")
    return visit.redirect(f"/schedules/proposals/{number}")


def _text(visit: Visit) -> str:
    """The text as it was typed: browsers end lines their own way, and space at the end counts
    in a digest."""
    given = visit.form.get("text", "")
    return given.replace("\r\n", "\n") if isinstance(given, str) else ""


def _shown(visit: Visit, protocol_id: str, start: str) -> Shown:
    first = read_day(start) if start else None
    today = clinic_day(visit.now, visit.site.settings.clinic.zone)
    try:
        return show(visit.site.store, protocol_id, first or today)
    except NoSuchProtocol:
        raise HTTPException(404) from None


def _proposed(visit: Visit, proposal_id: int) -> Proposed:
    found = proposal_of(visit.site.store, proposal_id)
    if found is None:
        raise HTTPException(404)
    return found


def _editor(
    visit: Visit,
    protocol_id: str,
    text: str,
    reason: str,
    based_on: str,
    *,
    faults: tuple[Fault, ...] = (),
    problem: str = "",
    coming: Preview | None = None,
    status: int = 200,
) -> Response:
    return visit.page(
        "schedule_edit.html",
        status,
        protocol_id=protocol_id,
        text=text,
        reason=reason,
        based_on=based_on,
        faults=faults,
        lines=text.splitlines(),
        problem=problem,
        coming=coming,
        most=_MOST_PATIENTS,
    )


def _proposal(visit: Visit, proposed: Proposed, problem: str = "", status: int = 200) -> Response:
    coming: Preview | str | None = None
    difference: list[tuple[str, str]] = []
    if proposed.is_open:
        coming = foresee(visit.site.store, visit.site.settings, proposed, visit.now)
        visit.audit("schedule foreseen", detail=proposed.protocol_id)
        standing = _shown(visit, proposed.protocol_id, "").text.text
        difference = list(_difference(standing, proposed.text))
    return visit.page(
        "schedule_proposal.html",
        status,
        proposed=proposed,
        coming=coming,
        difference=difference,
        own=proposed.is_of(visit.who),
        problem=problem,
        most=_MOST_PATIENTS,
    )


def _difference(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The changed lines with some around them: (gone, new, same or place, the line)."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_AROUND, lineterm="")
    kinds = {"-": "gone", "+": "new", " ": "same"}
    for line in lines:
        if line.startswith(("---", "+++")):
            continue
        if line.startswith("@@"):
            yield "place", ""
        else:
            yield kinds[line[0]], line[1:]
