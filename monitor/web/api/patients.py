"""Where everybody stands, and one patient: status, alerts, results, why, events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.intake.event_kinds import is_merge
from monitor.operations import record_event
from monitor.operations.alert_list import number
from monitor.operations.calendar_file import calendar_file
from monitor.operations.explain import explain_patient
from monitor.operations.patient_file import (
    PatientFile,
    Who,
    find,
    patient_file,
    person_of,
)
from monitor.operations.status import ledger, status_rows
from monitor.store.audit import EVENT_RECORDED
from monitor.web.api import shapes
from monitor.web.api.callers import Body, Caller, Day, Needed, Number, Text, for_
from monitor.web.api.paging import part_of, plain
from monitor.web.api.problems import Refused
from monitor.web.api.shapes import shown

routes = APIRouter(tags=["patients"])
Reader = Annotated[Caller, for_(May.SEE_PATIENTS)]
Recorder = Annotated[Caller, for_(May.RECORD_EVENTS)]


class CalendarFile(Response):
    media_type = "text/calendar"


class Wanted(Body):
    """Whom to look for; in a body, since names stand in no address."""

    text: Needed
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Event(Body):
    """A line of an events file."""

    on: Day
    event: Needed
    value: Text = ""
    drug: Text = ""
    note: Text = ""
    entered_in_error: bool = False


@routes.get("/status", **shown(list[shapes.StatusRow]))
def status(caller: Reader) -> list[dict[str, Any]]:
    """Where each enrolment and panel stands: as `monitor status --json`."""
    caller.audit("status read")
    return status_rows(caller.store, caller.settings, caller.now)


@routes.get("/ledger", **shown(shapes.Ledger))
def everybody(caller: Reader) -> dict[str, int]:
    """How many enrolments are in each state; they add up."""
    return ledger(caller.store, caller.settings, caller.now)


@routes.post("/patients/search", **shown(shapes.Found))
def search(caller: Reader, wanted: Wanted) -> dict[str, Any]:
    """Patients one of whose numbers, or whose name, begins with a text, by name. Where there
    are `more` than `limit`, ask with a longer text."""
    found, more = part_of(find(caller.store, wanted.text, most=wanted.limit + 1), wanted.limit)
    caller.audit("patients looked for", detail=f"{len(found)} found")
    return {"patients": [plain(it) for it in found], "more": more}


@routes.get("/patients/{patient_id}", **shown(shapes.Patient))
def patient(caller: Reader, patient_id: Number) -> dict[str, Any]:
    """Who it is, where each panel stands, the alerts, the schedule to come."""
    file = _file(caller, patient_id)
    caller.audit("patient read", patient_id=file.who.id)
    rows = status_rows(caller.store, caller.settings, caller.now, file.who.mrn)
    return {
        **plain(file.who),
        "status": rows,
        "alerts": list(file.live),
        "closed": list(file.closed),
        "to_come": [
            {"drug": it.case.enrolment.drug, "panel": test.panel, "due_on": test.due_on.isoformat()}
            for it in file.treatments
            for test in it.coming
        ],
    }


@routes.get("/patients/{patient_id}/results", **shown(list[shapes.Result]))
def results(caller: Reader, patient_id: Number) -> list[dict[str, Any]]:
    """Every result that stands, derived counts too; latest first."""
    file = _file(caller, patient_id)
    caller.audit("results read", patient_id=file.who.id)
    units = {course.analyte: course.unit for course in file.courses}
    return [
        {
            "analyte": it.analyte,
            "collected_at": it.collected_at.isoformat(),
            "value": None if it.value is None else number(str(it.value)),
            "comparator": it.comparator or None,
            "unit": units[it.analyte],
            "status": it.status.value,
            "specimen_id": it.specimen_id or None,
            "received_value": it.received_value,
            "received_unit": it.received_unit or None,
            "derived": it.derived or None,
            "no_result": it.no_result or None,
        }
        for it in file.results
    ]


@routes.get("/patients/{patient_id}/explanation")
def why(
    caller: Reader, patient_id: Number, on: Annotated[Day | None, Query()] = None
) -> dict[str, Any]:
    """Every rule on a day, and why it spoke or stayed quiet: as `monitor explain --json`."""
    who = _person(caller, patient_id)
    caller.audit("explanation read", patient_id=who.id)
    return explain_patient(caller.store, caller.settings, who.mrn, on, caller.now)


@routes.get("/patients/{patient_id}/tests.ics", response_class=CalendarFile)
def tests(caller: Reader, patient_id: Number) -> Response:
    """The tests to come as a calendar: days and tests, no name and no number."""
    file = _file(caller, patient_id)
    caller.audit("calendar taken", patient_id=file.who.id)
    return CalendarFile(calendar_file(file, caller.settings.clinic.name, caller.now))


@routes.post("/patients/{patient_id}/events/preview", **shown(shapes.Foreseen))
def foresee(caller: Recorder, patient_id: Number, event: Event) -> dict[str, Any]:
    """What an event would change; nothing is recorded."""
    said = _said(caller, patient_id, event)
    coming = record_event.foresee(caller.store, caller.settings, said, caller.now)
    if coming.refused:
        raise Refused(422, coming.refused)
    return {
        "known": coming.known,
        "notes": list(coming.notes),
        "opened": list(coming.opened),
        "closed": list(coming.closed),
        "due": [
            {
                "drug": it.drug,
                "panel": it.panel,
                "before": _day(it.before),
                "after": _day(it.after),
            }
            for it in coming.moved
        ],
    }


@routes.post("/patients/{patient_id}/events", status_code=201, **shown(shapes.Recorded, 201))
def record(caller: Recorder, patient_id: Number, event: Event) -> dict[str, str]:
    """Record an event and review whom it touches."""
    said = _said(caller, patient_id, event)
    deed = caller.deed(EVENT_RECORDED, patient_id=patient_id, detail=said.event)
    refused = record_event.record(deed, caller.settings, said, caller.now)
    if refused:
        raise Refused(422, refused)
    return {"recorded": said.event}


def _day(panel: Any) -> str | None:
    return None if panel is None or panel.due_on is None else panel.due_on.isoformat()


def _said(caller: Caller, patient_id: int, event: Event) -> record_event.Said:
    if is_merge(event.event):
        raise Refused(422, "numbers are merged with an events file")
    return record_event.Said(
        mrn=_person(caller, patient_id).mrn,
        on=event.on.isoformat(),
        event=event.event,
        value=event.value,
        drug=event.drug,
        note=event.note,
        status="entered-in-error" if event.entered_in_error else "",
    )


def _file(caller: Caller, patient_id: int) -> PatientFile:
    return patient_file(caller.store, caller.settings, patient_id, caller.now)


def _person(caller: Caller, patient_id: int) -> Who:
    with caller.store.read() as connection:
        return person_of(connection, patient_id)
