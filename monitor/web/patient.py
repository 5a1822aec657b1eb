"""`/patients`: finding one, and everything about one. Names stand in no address: who looks for
one sends a form, and a patient's address holds the database's own number."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from monitor.core.actions import ActionRefused
from monitor.core.ages import age_text
from monitor.core.calendar import clinic_day
from monitor.core.findings import day_text
from monitor.core.permissions import May
from monitor.intake.dates import read_day
from monitor.operations import explain
from monitor.operations.calendar_file import calendar_file
from monitor.operations.patient_courses import Course
from monitor.operations.patient_deeds import deeds
from monitor.operations.patient_file import (
    PatientFile,
    Who,
    find,
    patient_file,
    person_of,
)
from monitor.web import course_figure, time_line
from monitor.web.course_figure import Drawn, Span
from monitor.web.visit import RowId, Visit, needs

routes = APIRouter()
Reader = Annotated[Visit, needs(May.SEE_PATIENTS)]
_MOST = 50
LENGTHS = ((6, "6 months"), (24, "2 years"), (0, "All"))
_SHOWN_FIRST = 6


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure with its heading."""

    title: str
    unit: str
    latest: str
    figure: Drawn
    breach: str
    """What is wrong with the latest value, in words; "" where nothing is."""


@routes.get("/patients")
def patients(visit: Reader) -> Response:
    return visit.page("patients.html", text="", found=[], most=_MOST)


@routes.post("/patients")
def search(visit: Reader) -> Response:
    text = visit.text("text")
    found = find(visit.site.store, text, most=_MOST)
    if len(found) == 1:
        return visit.redirect(f"/patients/{found[0].id}")
    visit.audit("patients looked for", detail=f"{len(found)} found")
    return visit.page("patients.html", text=text, found=found, most=_MOST)


@routes.get("/patients/{patient_id}")
def patient(
    patient_id: RowId, visit: Reader, months: Annotated[int, Query()] = _SHOWN_FIRST
) -> Response:
    file = file_of(visit, patient_id)
    if file.who.id != patient_id:
        return visit.redirect(f"/patients/{file.who.id}")
    visit.audit("patient seen", patient_id=file.who.id)
    months = months if months in dict(LENGTHS) else _SHOWN_FIRST
    span = course_figure.span_of(file.treatments, file.results, months)
    alerts = [*file.live, *file.closed]
    born, today = file.who.birth_date, clinic_day(visit.now, visit.site.settings.clinic.zone)
    return visit.page(
        "patient.html",
        file=file,
        deeds=deeds(visit.site.store, file.who.id, [it["id"] for it in alerts], visit.now),
        age=None if born is None else age_text(born, today),
        drawn=[] if span is None else list(_drawn(file, span)),
        lines=[]
        if span is None
        else [(it, time_line.of_treatment(it, span, alerts)) for it in file.treatments],
        months=months,
        lengths=LENGTHS,
        of={course.analyte: course for course in file.courses},
    )


@routes.get("/patients/{patient_id}/why")
def why(patient_id: RowId, visit: Reader, on: Annotated[str, Query()] = "") -> Response:
    """Every rule on a day, and why it spoke or stayed quiet."""
    who = who_of(visit, patient_id)
    wanted = read_day(on) if on else None
    visit.audit("explanation seen", patient_id=who.id)
    told, problem = None, "" if wanted or not on else "Write the day as 2026-03-02."
    try:
        told = explain.explain_patient(
            visit.site.store, visit.site.settings, who.mrn, wanted, visit.now
        )
    except ActionRefused as refused:
        problem = refused.plain
    return visit.page("patient_why.html", who=who, told=told, on=on, problem=problem)


@routes.get("/alerts/{alert_id}/why")
def why_alert(alert_id: RowId, visit: Reader) -> Response:
    try:
        told = explain.explain_alert(visit.site.store, visit.site.settings, alert_id, visit.now)
    except ActionRefused:
        raise HTTPException(404) from None
    visit.audit("explanation seen", alert_id=alert_id)
    return visit.page("alert_why.html", told=told)


@routes.get("/patients/{patient_id}/tests.ics")
def tests(patient_id: RowId, visit: Reader) -> Response:
    """The tests to come as a calendar: days and tests, no name and no number."""
    file = file_of(visit, patient_id)
    visit.audit("calendar taken", patient_id=file.who.id)
    return Response(
        calendar_file(file, visit.site.settings.clinic.name, visit.now),
        media_type="text/calendar",
        headers={"Content-Disposition": 'attachment; filename="tests.ics"'},
    )


def file_of(visit: Visit, patient_id: int) -> PatientFile:
    return patient_file(visit.site.store, visit.site.settings, patient_id, visit.now)


def who_of(visit: Visit, patient_id: int) -> Who:
    """Who a patient's address means."""
    with visit.site.store.read() as connection:
        return person_of(connection, patient_id)


def _drawn(file: PatientFile, span: Span) -> Iterator[Panel]:
    """Doses first, then every analyte with a course; all on the same days."""
    for treatment in file.treatments:
        doses = course_figure.of_doses(treatment, span)
        if doses is not None:
            title = f"{treatment.case.enrolment.drug.capitalize()} dose"
            now = f"{treatment.doses[-1].mg.normalize():f}"
            yield Panel(title, "mg/day", now, doses, "")
    alerted = {it["analyte"] for it in file.live if not it["recovered"]}
    for course in file.courses:
        if course.is_coded:
            continue
        latest = course.latest
        yield Panel(
            course.title,
            f"{course.unit}, {day_text(latest.collected_on)}",
            course.shown(latest) or "none",
            course_figure.of_course(course, span, file.treatments),
            _breach(course, alerted),
        )


def _breach(course: Course, alerted: Collection[str]) -> str:
    """A limit that a line of the figure shows, or one that it cannot show: a rise, a course."""
    if course_figure.breaches(course.latest, course.limits):
        return "beyond a limit"
    return "an alert stands" if course.analyte in alerted else ""
