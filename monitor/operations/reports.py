"""The reports by name, each as one document, as rows and as a page: commands and pages ask here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from monitor.config import Settings
from monitor.core.calendar import start_of_day
from monitor.core.permissions import May
from monitor.operations import report_audit, report_compliance, report_gaps_page, report_overdue
from monitor.operations.burden import burden
from monitor.operations.late import late_report
from monitor.operations.report_burden import page as burden_page
from monitor.operations.report_compliance_page import page as compliance_page
from monitor.operations.report_gaps import Gaps
from monitor.operations.report_late import page as late_page
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import Page
from monitor.store.database import Store

_DAYS = ("from", "to")
_WHOSE = ("clinic", "drug")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is asked for; what one does not know it leaves alone."""

    which: Which
    first: date | None = None
    last: date | None = None
    who: str = ""


class Long(NamedTuple):
    """A document around a list that memory need not hold."""

    head: Mapping[str, Any]
    name: str
    items: Iterable[Any]
    ending: Callable[[], Mapping[str, Any]]

    def document(self) -> dict[str, Any]:
        """All of it at once."""
        return {**self.head, self.name: list(self.items), **self.ending()}


@dataclass(frozen=True, slots=True)
class Made:
    """A report as one JSON document, as rows under names, and as a page, each made once it is asked
    for."""

    document: Callable[[], Mapping[str, Any]]
    names: Sequence[str]
    rows: Callable[[], Iterable[Mapping[str, Any]]]
    page: Callable[[], Page]
    long: Long | None = None
    """Where the document may be long, its parts."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report of the list."""

    name: str
    title: str
    about: str
    make: Callable[[Store, Settings, Asked, datetime], Made]
    needs: May = May.SEE_REPORTS
    narrowed_by: tuple[str, ...] = (*_DAYS, *_WHOSE)
    """What else it can be asked for; anything but this would be left out."""


def _overdue(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    found = report_overdue.overdue(store, settings, asked.which, now)
    rows = (row.document() for row in found.rows)
    long = Long(found.head(), "overdue", rows, dict)
    return Made(
        long.document,
        report_overdue.FIELDS,
        lambda: rows,
        lambda: report_overdue.page(found, asked.which, settings),
        long,
    )


def _compliance(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    days = (asked.first, asked.last)
    found = report_compliance.compliance(store, settings, asked.which, days, now)
    return Made(
        found.document,
        report_compliance.FIELDS,
        found.rows,
        lambda: compliance_page(found, asked.which),
    )


def _gaps(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    found = Gaps(store, settings, asked.which, (asked.first, asked.last), now)
    long = Long({"head": found.head}, "enrolments", found, found.ending)
    return Made(
        long.document,
        report_gaps_page.FIELDS,
        lambda: report_gaps_page.rows(found),
        lambda: report_gaps_page.page(found),
        long,
    )


def _audit(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    days = (asked.first, asked.last)
    found = report_audit.audit(store, settings, asked.which, days, now, who=asked.who)
    return Made(
        found.document,
        ("at", *report_audit.FIELDS),
        lambda: found.document()["entries"],
        lambda: report_audit.page(found, asked.which),
    )


def _burden(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    found = burden(store, settings, asked.first, asked.last, now)

    def rows() -> list[dict[str, Any]]:
        document = found.document()
        readers = [{"of": "reader", "name": it["to"], **it} for it in document["readers"]]
        rules = [{"of": "rule", "name": it["rule"], **it} for it in document["rules"]]
        return [*readers, *rules]

    names = (
        "of", "name", "messages", "digests", "alerts", "messages_a_day", "per_100_patient_years",
    )  # fmt: skip
    return Made(found.document, names, rows, lambda: burden_page(found))


def _late(store: Store, settings: Settings, asked: Asked, now: datetime) -> Made:
    since = start_of_day(asked.first, settings.clinic.zone) if asked.first else None
    found = late_report(store, settings, now, since=since)
    names = (
        "mrn", "drug", "rule", "kind", "urgency", "analyte", "would_have_opened_on", "opened_on",
        "days_late", "alert", "summary",
    )  # fmt: skip
    return Made(
        found.document,
        names,
        lambda: found.document()["alerts"],
        lambda: late_page(found, asked.first),
    )


REPORTS = {
    it.name: it
    for it in (
        Report(
            "overdue", "Overdue", "Who is overdue, since when, what was tried, and who has it.",
            _overdue, narrowed_by=_WHOSE,
        ),
        Report(
            "compliance", "Tests done", "Were the tests done that were due: in time, late, missed.",
            _compliance,
        ),
        Report(
            "gaps", "Gaps", "The days without a test, whose they were and why; sealed.", _gaps,
        ),
        Report(
            "burden", "Burden", "How much each reader was told, and what each rule costs.",
            _burden, narrowed_by=_DAYS,
        ),
        Report(
            "late", "Late results", "Results that came late, and what they would have said.",
            _late, narrowed_by=("from",),
        ),
        Report(
            "audit", "Audit", "Who did what, when: alerts, files, schedules, merges, quarantine.",
            _audit, needs=May.SEE_AUDIT,
        ),
    )
}  # fmt: skip
