"""`/patients/ID/events`: what happened, with its consequence shown before it is recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from monitor.core.calendar import clinic_day
from monitor.core.permissions import May
from monitor.intake.event_kinds import is_merge
from monitor.operations.record_event import Said, foresee, record
from monitor.store.audit import EVENT_RECORDED
from monitor.web.patient import who_of
from monitor.web.visit import RowId, Visit, needs

routes = APIRouter()
Recorder = Annotated[Visit, needs(May.RECORD_EVENTS)]
EVENTS = (
    ("Treatment", (
        ("start", "First dose taken", ""),
        ("dose", "Dose changed", "mg a day on average"),
        ("hold", "Held", "the day of the next decision, if one is set"),
        ("resume", "Resumed after a hold", ""),
        ("stop", "Stopped for good", ""),
        ("weight", "Weighed", "kg"),
    )),
    ("What the patient tells", (
        ("symptom", "Symptom", "fever, sore_throat, bruising, rash, jaundice ..."),
        ("relapse", "Relapse of the disease", ""),
        ("pregnancy", "Pregnancy", ""),
        ("breastfeeding", "Breastfeeding", ""),
    )),
    ("Other treatment", (
        ("comedication_start", "Another drug begun", "the drug"),
        ("comedication_stop", "Another drug stopped", "the drug"),
        ("intended_combination", "Combination intended", "the drug"),
        ("vaccine", "Vaccine given", "the vaccine"),
        ("transfusion", "Transfusion", ""),
    )),
    ("Findings and tasks", (
        ("genotype", "Genotype", "tpmt:poor, nudt15:intermediate ..."),
        ("genotype_unavailable", "Genotype not available here", "tpmt:2026-09-01, until when"),
        ("task_done", "Task done", "the task's name, such as skin_check"),
        ("supply", "Tablets collected", "for how many days"),
    )),
    ("Where the patient is", (
        ("inpatient", "In hospital", "until which day"),
        ("away", "Away", "until which day"),
        ("declined", "Declines tests", ""),
        ("monitored_elsewhere", "Monitored elsewhere", "until which day"),
        ("back", "Back here", ""),
        ("transfer_out", "Handed over", "to whom"),
        ("accepted_by", "Accepted by the other side", "by whom"),
        ("died", "Died", ""),
    )),
)  # fmt: skip
"""In groups: event, how people call it, what its value is. Merging numbers is no matter of one
patient's page."""


@routes.get("/patients/{patient_id}/events")
def ask(patient_id: RowId, visit: Recorder) -> Response:
    today = clinic_day(visit.now, visit.site.settings.clinic.zone)
    visit.audit("patient seen", patient_id=who_of(visit, patient_id).id, detail="event form")
    return _form(visit, patient_id, Said(mrn="", on=today.isoformat(), event=""))


@routes.post("/patients/{patient_id}/events")
def say(patient_id: RowId, visit: Recorder) -> Response:
    """Shown first; recorded when the form says that it was seen."""
    said = _said(visit, patient_id)
    store, settings = visit.site.store, visit.site.settings
    if is_merge(said.event):
        problem = "Numbers are merged with an events file, by who looks after the enrolments."
        return _form(visit, patient_id, said, problem=problem, status=422)
    coming = foresee(store, settings, said, visit.now)
    if coming.refused:
        return _form(visit, patient_id, said, problem=coming.refused, status=422)
    if not visit.text("agreed"):
        who = who_of(visit, patient_id)
        visit.audit("patient seen", patient_id=who.id, detail="what comes of an event")
        return visit.page("patient_event_seen.html", who=who, said=said, coming=coming)
    deed = visit.deed(EVENT_RECORDED, patient_id=patient_id, detail=said.event)
    refused = record(deed, settings, said, visit.now)
    if refused:
        return _form(visit, patient_id, said, problem=refused, status=422)
    visit.notice("It is recorded.")
    return visit.redirect(f"/patients/{patient_id}")


def _said(visit: Visit, patient_id: int) -> Said:
    return Said(
        mrn=who_of(visit, patient_id).mrn,
        on=visit.text("on"),
        event=visit.text("event"),
        value=visit.text("value"),
        drug=visit.text("drug"),
        note=visit.text("note"),
        status="entered-in-error" if visit.text("withdraw") else "",
    )


def _form(
    visit: Visit, patient_id: int, said: Said, *, problem: str = "", status: int = 200
) -> Response:
    who = who_of(visit, patient_id)
    return visit.page(
        "patient_event.html", status, who=who, said=said, groups=EVENTS, problem=problem
    )
