"""What late results would have said earlier, laid out as a report."""

from __future__ import annotations

from datetime import date

from monitor.operations.late import LateReport
from monitor.operations.report_page import Page, Table, day_words


def page(found: LateReport, since: date | None) -> Page:
    """The alerts that would have opened on an earlier day; of what came on `since` or later."""
    return Page(
        title="Results that came late",
        span=f"since {day_words(since)}" if since else "ever",
        about="What results would have said, had they come on the day they were collected.",
        facts=(
            (f"{found.results}", "results came late", ""),
            (f"{found.patients}", "patients", ""),
        ),
        figure=None,
        tables=(
            Table(
                title="Alerts that would have opened earlier",
                columns=(
                    "MRN", "Drug", "Would have opened", "Opened", "Days", "Urgency", "Alert", "Id",
                ),
                rows=[
                    (
                        it.mrn,
                        it.drug,
                        it.would_have_opened_on,
                        it.opened_on or "never: over when it came",
                        it.days_late,
                        it.urgency,
                        it.summary,
                        it.alert_id,
                    )
                    for it in found.alerts
                ],
                empty="No alert would have opened on an earlier day.",
            ),
        ),
    )  # fmt: skip
