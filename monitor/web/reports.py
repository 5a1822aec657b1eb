"""`/reports`: lists and figures, on the screen, as CSV and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from monitor.core.permissions import May
from monitor.intake.dates import read_day
from monitor.operations import report_audit, report_compliance, report_overdue
from monitor.operations.burden import burden
from monitor.operations.late import late_report
from monitor.operations.report_burden import page as burden_page
from monitor.operations.report_compliance_page import page as compliance_page
from monitor.operations.report_csv import as_csv
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import Page, Table, drawn
from monitor.web.visit import Forbidden, Visit, needs

routes = APIRouter()
Reader = Annotated[Visit, needs(May.SEE_REPORTS)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for."""

    which: Which
    days: tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class Made:
    """A report as a page and as rows."""

    page: Page
    names: Sequence[str]
    rows: Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """One report of the list."""

    name: str
    title: str
    about: str
    make: Callable[[Visit, Asked], Made]
    needs: May = May.SEE_REPORTS
    by_days: bool = True
    by_patient: bool = True
    """Whether a clinic and a drug narrow it."""


def _overdue(visit: Visit, asked: Asked) -> Made:
    site = visit.site
    found = report_overdue.overdue(site.store, site.settings, asked.which, visit.now)
    page = report_overdue.page(found, asked.which, site.settings)
    return Made(page, report_overdue.FIELDS, [it.document() for it in found.rows])


def _compliance(visit: Visit, asked: Asked) -> Made:
    site = visit.site
    found = report_compliance.compliance(
        site.store, site.settings, asked.which, asked.days, visit.now
    )
    return Made(compliance_page(found, asked.which), report_compliance.FIELDS, found.rows())


def _audit(visit: Visit, asked: Asked) -> Made:
    site = visit.site
    found = report_audit.audit(site.store, site.settings, asked.which, asked.days, visit.now)
    page = report_audit.page(found, asked.which)
    return Made(page, ("at", *report_audit.FIELDS), found.document()["entries"])


def _burden(visit: Visit, asked: Asked) -> Made:
    found = burden(visit.site.store, visit.site.settings, *asked.days, visit.now)
    rules = found.document()["rules"]
    return Made(burden_page(found), ("rule", "alerts", "messages", "per_100_patient_years"), rules)


def _late(visit: Visit, _: Asked) -> Made:
    found = late_report(visit.site.store, visit.site.settings, visit.now)
    rows = [it.document() for it in found.alerts]
    names = ("mrn", "drug", "would_have_opened_on", "opened_on", "days_late", "urgency", "summary")
    table = Table(
        title="Alerts that would have opened earlier",
        columns=[name.replace("_", " ") for name in names],
        rows=[[row[name] for name in names] for row in rows],
        empty="No alert would have opened on an earlier day.",
    )
    page = Page(
        title="Results that came late",
        span="ever",
        about="What results would have said, had they come on the day they were collected.",
        facts=(
            (f"{found.results}", "results came late", ""),
            (f"{found.patients}", "patients", ""),
        ),
        figure=None,
        tables=(table,),
    )
    return Made(page, names, rows)


REPORTS = {
    it.name: it
    for it in (
        Report(
            "overdue", "Overdue", "Who is overdue, since when, what was tried, and who has it.",
            _overdue, by_days=False,
        ),
        Report(
            "compliance", "Tests done", "Were the tests done that were due: in time, late, missed.",
            _compliance,
        ),
        Report(
            "burden", "Burden", "How much each reader was told, and what each rule costs.",
            _burden, by_patient=False,
        ),
        Report(
            "late", "Late results", "Results that came late, and what they would have said.",
            _late, by_days=False, by_patient=False,
        ),
        Report(
            "audit", "Audit", "Who did what, when: alerts, files, schedules, merges, quarantine.",
            _audit, needs=May.SEE_AUDIT,
        ),
    )
}  # fmt: skip


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
    days = (read_day(first) if first else None, read_day(last) if last else None)
    visit.audit("report seen", detail=name)
    fields: dict[str, Any] = {"of_clinic": clinic, "drug": drug, "first": first, "last": last}
    try:
        made = wanted.make(visit, Asked(Which(clinic.strip(), drug.strip()), days))
    except report_compliance.NoPeriod:
        problem = "The first day lies after the last."
        return visit.page(
            "report.html", status=422, report=wanted, page=None, problem=problem, **fields
        )
    if form == "csv":
        return Response(
            as_csv(made.names, made.rows),
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )
    return visit.page(
        "report.html",
        report=wanted,
        page=made.page,
        figure=drawn(made.page),
        problem="",
        query=visit.request.url.query,
        **fields,
    )
