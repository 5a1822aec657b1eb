"""`/alerts/ID`: one alert, where links in mails lead. Opening it changes nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from monitor.core.actions import ActionRefused
from monitor.core.permissions import May
from monitor.operations.alert_story import story
from monitor.web.visit import Visit, needs

routes = APIRouter()


@routes.get("/alerts/{alert_id}")
def alert(alert_id: int, visit: Annotated[Visit, needs(May.SEE_PATIENTS)]) -> Response:
    try:
        told = story(visit.site.store, visit.site.settings, alert_id, visit.now)
    except ActionRefused:
        raise HTTPException(404) from None
    visit.audit("alert seen", alert_id=alert_id)
    return visit.page("alert.html", story=told)
