"""`/operations`: is the monitor itself well; `/audit`: who saw and did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.operations.desk import desk, trail
from monitor.web.visit import LARGEST, Visit, needs

routes = APIRouter()


@routes.get("/operations")
def operations(visit: Annotated[Visit, needs(May.SEE_OPERATIONS)]) -> Response:
    shown = desk(visit.site.store, visit.site.settings, visit.now)
    return visit.page("operations.html", desk=shown)


@routes.get("/audit")
def audit(
    visit: Annotated[Visit, needs(May.SEE_AUDIT)],
    who: Annotated[str, Query()] = "",
    patient: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> Response:
    found = trail(visit.site.store, who=who, patient_id=patient, before=before)
    visit.audit("audit trail seen")
    return visit.page("audit.html", trail=found, who=who, patient=patient)
