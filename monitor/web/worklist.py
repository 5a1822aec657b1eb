"""`/`: the worklist."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.operations.alert_list import alert_rows
from monitor.web.visit import Visit, needs

routes = APIRouter()


@routes.get("/")
def worklist(visit: Annotated[Visit, needs(May.SEE_PATIENTS)]) -> Response:
    rows = alert_rows(visit.site.store, visit.site.settings, {"open", "acknowledged"}, visit.now)
    visit.audit("worklist seen")
    return visit.page("worklist.html", rows=rows)
