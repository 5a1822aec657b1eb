"""Alerts: read, explained, and worked on. The ETag of an alert is its version: who sends it back
in If-Match changes nothing where somebody else was there meanwhile, and is answered 412."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from monitor.core.actions import ActionRefused
from monitor.core.permissions import May
from monitor.operations import people
from monitor.operations.alert_list import alert_rows
from monitor.operations.alert_story import Story, story
from monitor.operations.explain import explain_alert
from monitor.operations.patient_file import enrolments_of_patient
from monitor.store.database import Store
from monitor.web.api import shapes
from monitor.web.api.callers import Body, Caller, Day, Needed, Number, Text, for_
from monitor.web.api.paging import Limit, more_at
from monitor.web.api.problems import Refused
from monitor.web.api.shapes import shown

routes = APIRouter(prefix="/alerts", tags=["alerts"])
Reader = Annotated[Caller, for_(May.SEE_PATIENTS)]
Worker = Annotated[Caller, for_(May.WORK_ALERTS)]
Closer = Annotated[Caller, for_(May.CLOSE_ALERTS)]
Read = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=r'^(\*|"[0-9]{1,9}")$',
        description="The ETag of the alert as it was read, or * for whatever it is now.",
    ),
]
State = Literal["live", "open", "acknowledged", "closed", "all"]
_STATES = {
    "live": ("open", "acknowledged"),
    "all": ("open", "acknowledged", "closed"),
}


class Act(Body):
    """On whose behalf."""

    by: Text = ""


class Acknowledgement(Act):
    until: Day | None = None
    note: Text = ""


class Snooze(Act):
    until: Day
    reason: Needed


class Closing(Act):
    outcome: Needed
    review_by: Day | None = None


class Assignment(Act):
    to: Needed
    note: Text = ""


class Comment(Act):
    text: Needed


class Contact(Act):
    outcome: Needed
    to: Text = ""
    note: Text = ""


_Done = dict[str, Any] | Response
_DONE: dict[str, Any] = {
    "response_model": None,
    "responses": {
        200: {"model": shapes.AlertStory},
        204: {"description": "Done; the token is not issued to read alerts"},
    },
}


@routes.get("", **shown(shapes.Alerts))
def alerts(
    caller: Reader,
    request: Request,
    response: Response,
    state: State = "live",
    patient_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Limit = 100,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> dict[str, Any]:
    """Worst first: as `monitor alerts --json`, page by page; of everybody or of one patient."""
    enrolments = None if patient_id is None else enrolments_of_patient(caller.store, patient_id)
    states = _STATES.get(state, (state,))
    rows = alert_rows(caller.store, caller.settings, states, caller.now, enrolments=enrolments)
    caller.audit("alerts read", patient_id=patient_id, detail=f"{len(rows)} found")
    if len(rows) > offset + limit:
        more_at(request, response, offset=offset + limit)
    return {"total": len(rows), "alerts": rows[offset : offset + limit]}


@routes.get("/{alert_id}", **shown(shapes.AlertStory))
def alert(caller: Reader, alert_id: Number, response: Response) -> dict[str, Any]:
    """One alert with its history, and who will be told next: as `monitor alert show --json`."""
    found = _story(caller, alert_id)
    caller.audit("alert read", alert_id=alert_id)
    return _told(caller, found, response)


@routes.get("/{alert_id}/explanation")
def why(caller: Reader, alert_id: Number) -> dict[str, Any]:
    """The rule, the values as received and converted, the arithmetic, what else was considered."""
    _story(caller, alert_id)
    caller.audit("explanation read", alert_id=alert_id)
    return explain_alert(caller.store, caller.settings, alert_id, caller.now)


@routes.post("/{alert_id}/acknowledge", **_DONE)
def acknowledge(
    caller: Worker, alert_id: Number, said: Acknowledgement, read: Read, response: Response
) -> _Done:
    return _act(caller, alert_id, response, "acknowledged", lambda store: people.acknowledge(
        store, caller.settings, alert_id, by=caller.by(said.by), until=said.until,
        note=said.note, version=_version(read), now=caller.now,
    ))  # fmt: skip


@routes.post("/{alert_id}/snooze", **_DONE)
def snooze(caller: Worker, alert_id: Number, said: Snooze, read: Read, response: Response) -> _Done:
    return _act(caller, alert_id, response, "snoozed", lambda store: people.snooze(
        store, caller.settings, alert_id, by=caller.by(said.by), until=said.until,
        reason=said.reason, version=_version(read), now=caller.now,
    ))  # fmt: skip


@routes.post("/{alert_id}/close", **_DONE)
def close(caller: Closer, alert_id: Number, said: Closing, read: Read, response: Response) -> _Done:
    return _act(caller, alert_id, response, "closed", lambda store: people.close(
        store, caller.settings, alert_id, by=caller.by(said.by), outcome=said.outcome,
        review_by=said.review_by, version=_version(read), now=caller.now,
    ))  # fmt: skip


@routes.post("/{alert_id}/assign", **_DONE)
def assign(
    caller: Worker, alert_id: Number, said: Assignment, read: Read, response: Response
) -> _Done:
    return _act(caller, alert_id, response, "assigned", lambda store: people.assign(
        store, caller.settings, alert_id, to=said.to, by=caller.by(said.by),
        note=said.note, version=_version(read), now=caller.now,
    ))  # fmt: skip


@routes.post("/{alert_id}/comment", **_DONE)
def comment(caller: Worker, alert_id: Number, said: Comment, response: Response) -> _Done:
    return _act(caller, alert_id, response, "commented", lambda store: people.comment(
        store, caller.settings, alert_id, by=caller.by(said.by), text=said.text,
        now=caller.now,
    ))  # fmt: skip


@routes.post("/{alert_id}/contact", **_DONE)
def contact(
    caller: Worker, alert_id: Number, said: Contact, read: Read, response: Response
) -> _Done:
    return _act(caller, alert_id, response, "contact recorded", lambda store: people.contact(
        store, caller.settings, alert_id, outcome=said.outcome, by=caller.by(said.by),
        to=said.to, note=said.note, version=_version(read), now=caller.now,
    ))  # fmt: skip


def _act(
    caller: Caller, alert_id: int, response: Response, what: str, act: Callable[[Store], object]
) -> _Done:
    """Who may work on alerts and not read them hears that it is done, and the new version."""
    _story(caller, alert_id)
    act(caller.deed(f"alert {what}", alert_id=alert_id))
    found = _story(caller, alert_id)
    if caller.token.may(May.SEE_PATIENTS):
        return _told(caller, found, response)
    return Response(status_code=204, headers={"ETag": _tag(found)})


def _told(caller: Caller, found: Story, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = _tag(found)
    return found.document(caller.settings)


def _tag(found: Story) -> str:
    return f'"{found.standing["version"]}"'


def _version(read: str) -> int | None:
    return None if read == "*" else int(read.strip('"'))


def _story(caller: Caller, alert_id: int) -> Story:
    try:
        return story(caller.store, caller.settings, alert_id, caller.now)
    except ActionRefused:
        raise Refused(404) from None
