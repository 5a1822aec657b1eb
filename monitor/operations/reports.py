"""The reports by name, each as one document, as rows and as a page: commands and pages ask here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitor.config import Settings
from monitor.core.calendar import start_of_day
from monitor.core.permissions import May
from monitor.operations import report_audit, report_compliance, report_overdue
from monitor.operations.burden import burden
from monitor.operations.late import late_report
from monitor.operations.report_burden import page as burden_page
from monitor.operations.report_compliance_page import page as compliance_page
from monitor.operations.report_late import page as late_page
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import Page
from monitor.store.database import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is asked for; what one does not know it leaves alone."""

    which: Which
    first: date | None = None
    last: date | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A report as one JSON document, as rows under names, and as a page; each is made when it is
    asked for, for it may be long."""

    head: Mapping[str, Any]
    """The document, but for its last list where that is the rows."""
    names: Sequence[str]
    make_rows: Callable[[], Iterable[Mapping[str, Any]]]
    make_page: Callable[[], Page]
    listed: str = ""
    """The key of the rows in the document, where they are its last list."""

    @property
    def document(self) -> dict[str, Any]:
        return {**self.head, **({self.listed: list(self.rows)} if self.listed else {})}

    @property
    def rows(self) -> Iterable[Mapping[str, Any]]:
        return self.make_rows()

    @property
    def page(self) -> Page:
        return self.make_page()


@dataclass(frozen=True, slots=True)
class Report:
    """One report of the list."""

    name: str
    title: str
    about: str
    make: Callable[[Store, Settings, Asked, datetime], Made]
    needs: May = May.SEE_REPORTS
    by_days: bool = True
    by_patient: bool = True
    """Whether a clinic and a drug narrow it."""


def _overdue(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    found = report_overdue.overdue(store, settings, asked.which, now)
    return Made(
        found.head(),
        report_overdue.FIELDS,
        lambda: (row.document() for row in found.rows),
        lambda: report_overdue.page(found, asked.which, settings),
        listed="overdue",
    )


def _compliance(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    days = (asked.first, asked.last)
    found = report_compliance.compliance(store, settings, asked.which, days, now)
    document = found.document()
    groups = document["groups"]
    return Made(
        document,
        report_compliance.FIELDS,
        lambda: groups,
        lambda: compliance_page(found, asked.which),
    )


def _audit(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    days = (asked.first, asked.last)
    found = report_audit.audit(store, settings, asked.which, days, now, who=asked.who)
    document = found.document()
    names, entries = ("at", *report_audit.FIELDS), document["entries"]
    return Made(document, names, lambda: entries, lambda: report_audit.page(found, asked.which))


def _burden(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    found = burden(store, settings, asked.first, asked.last, now)
    document = found.document()
    readers = [{"of": "reader", "name": it["to"], **it} for it in document["readers"]]
    rules = [{"of": "rule", "name": it["rule"], **it} for it in document["rules"]]
    names = (
        "of", "name", "messages", "digests", "alerts", "messages_a_day", "per_100_patient_years",
    )  # fmt: skip
    return Made(document, names, lambda: [*readers, *rules], lambda: burden_page(found))


def _late(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    since = start_of_day(asked.first, settings.clinic.zone) if asked.first else None
    found = late_report(store, settings, now, since=since)
    document = found.document()
    names = (
        "mrn", "drug", "rule", "kind", "urgency", "analyte", "would_have_opened_on", "opened_on",
        "days_late", "alert", "summary",
    )  # fmt: skip
    alerts = document["alerts"]
    return Made(document, names, lambda: alerts, lambda: late_page(found, asked.first))


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
