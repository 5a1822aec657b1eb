"""`/reports`: lists and figures, on the screen, as CSV and on paper."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.intake.dates import read_day
from monitor.operations.period import NoPeriod
from monitor.operations.report_csv import as_csv
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import drawn
from monitor.operations.reports import REPORTS, Asked
from monitor.web.visit import Forbidden, Visit, needs

routes = APIRouter()
Reader = Annotated[Visit, needs(May.SEE_REPORTS)]


@routes.get("/reports")
def reports(visit: Reader) -> Response:
    shown = [it for it in REPORTS.values() if visit.may(it.needs)]
    return visit.page("reports.html", reports=shown)


@routes.get("/reports/{name}")
def report(
    name: str,
    visit: Reader,
    clinic: Annotated[str, Query()] = "",
    drug: Annotated[str, Query()] = "",
    first: Annotated[str, Query(alias="from")] = "",
    last: Annotated[str, Query(alias="to")] = "",
    form: Annotated[str, Query()] = "",
) -> Response:
    """As a page; as CSV where the form says so."""
    wanted = REPORTS.get(name)
    if wanted is None:
        raise HTTPException(404)
    if not visit.may(wanted.needs):
        raise Forbidden
    fields: dict[str, Any] = {"of_clinic": clinic, "drug": drug, "first": first, "last": last}

    def refused(problem: str) -> Response:
        return visit.page(
            "report.html", status=422, report=wanted, page=None, problem=problem, **fields
        )

    days = [read_day(it) if it else None for it in (first, last)]
    if any(it and day is None for it, day in zip((first, last), days, strict=True)):
        return refused("Write a day as 2026-03-02.")
    asked = Asked(which=Which(clinic.strip(), drug.strip()), first=days[0], last=days[1])
    visit.audit("report seen", detail=name)
    try:
        made = wanted.make(visit.site.store, visit.site.settings, asked, visit.now)
    except NoPeriod:
        return refused("The first day lies after the last.")
    if form == "csv":
        return Response(
            as_csv(made.names, made.rows()),
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )
    page = made.page()
    return visit.page(
        "report.html",
        report=wanted,
        page=page,
        figure=drawn(page),
        problem="",
        query=visit.request.url.query,
        **fields,
    )
