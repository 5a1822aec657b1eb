"""The clinic as a whole: schedules in force, reports, health."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError

from monitor.core.calendar import clinic_day
from monitor.core.permissions import May
from monitor.operations.health import examine
from monitor.operations.period import NoPeriod
from monitor.operations.report_overdue import Which
from monitor.operations.reports import REPORTS, Asked, Report
from monitor.operations.schedule_compare import compare_protocols, document
from monitor.operations.schedule_show import NoSuchProtocol, list_in_force, show
from monitor.web.api import shapes
from monitor.web.api.callers import Caller, Day, Text, for_
from monitor.web.api.problems import Refused
from monitor.web.api.shapes import shown

routes = APIRouter()
Schedules = Annotated[Caller, for_(May.SEE_SCHEDULES)]
Reports = Annotated[Caller, for_(May.SEE_REPORTS)]
Operator = Annotated[Caller, for_(May.SEE_OPERATIONS)]


@routes.get("/schedules", tags=["schedules"], **shown(list[shapes.Schedule]))
def schedules(caller: Schedules) -> list[dict[str, Any]]:
    """What is in force: as `monitor schedule list --json`."""
    return list_in_force(caller.store)


@routes.get("/schedules/compare", tags=["schedules"])
def compare(
    caller: Schedules, a: Annotated[Text, Query()], b: Annotated[Text, Query()]
) -> dict[str, Any]:
    """Two in force side by side, and where one is looser."""
    if any(name.endswith(".toml") for name in (a, b)):
        raise Refused(422, "name two schedules in force")
    try:
        return document(*compare_protocols(caller.store, a, b, _today(caller)))
    except NoSuchProtocol as error:
        raise Refused(404, str(error)) from None


@routes.get("/schedules/{protocol_id}", tags=["schedules"])
def schedule(
    caller: Schedules, protocol_id: Text, start: Annotated[Day | None, Query()] = None
) -> dict[str, Any]:
    """A schedule in force, with the calendar of a patient who starts on a day."""
    try:
        return show(caller.store, protocol_id, start or _today(caller)).document()
    except NoSuchProtocol:
        raise Refused(404) from None


@routes.get("/reports/{name}", tags=["reports"])
def report(
    caller: Reports,
    request: Request,
    name: Literal["overdue", "compliance", "gaps", "burden", "late"],
    clinic: Annotated[Text, Query()] = "",
    drug: Annotated[Text, Query()] = "",
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """As `monitor report NAME --json`; overdue takes no days, burden no clinic and drug, late
    only the day from which results came."""
    _check_narrowed(request, REPORTS[name])
    caller.audit("report read", detail=name)
    asked = Asked(which=Which(clinic, drug), first=first, last=last)
    try:
        made = REPORTS[name].make(caller.store, caller.settings, asked, caller.now)
    except NoPeriod as refused:
        raise Refused(422, str(refused)) from None
    return dict(made.document())


@routes.get("/health", tags=["operations"], **shown(shapes.Health))
def health(caller: Operator) -> dict[str, Any]:
    """Is the monitor itself well: as `monitor health --json`."""
    return examine(caller.store, caller.settings, caller.now).document()


def _check_narrowed(request: Request, wanted: Report) -> None:
    """What does not narrow a report would be left out: everybody's figures under one clinic."""
    words = f"does not narrow {wanted.name}; valid: {', '.join(wanted.narrowed_by)}"
    unused = [it for it in request.query_params if it not in wanted.narrowed_by]
    if unused:
        raise RequestValidationError(
            [{"loc": ("query", it), "msg": words, "type": "value"} for it in unused]
        )


def _today(caller: Caller) -> Any:
    return clinic_day(caller.now, caller.settings.clinic.zone)
