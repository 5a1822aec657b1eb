"""The burden of alerts, laid out as a report."""

from __future__ import annotations

from monitor.operations.burden import Burden
from monitor.operations.report_page import Page, Table, day_words


def page(found: Burden) -> Page:
    """By reader and by rule, with what is over the budget of the config first."""
    rate = found.per_100_patient_years
    return Page(
        title="The burden of alerts",
        span=f"{day_words(found.since)} to {day_words(found.until)}",
        about=(
            "How much each reader was told, and what each rule costs. What nobody has time to "
            "read protects nobody."
        ),
        facts=(
            (f"{found.alerts}", "alerts opened", ""),
            (f"{found.patient_years:g}", "patient-years", f"{found.days} days"),
            ("none" if rate is None else f"{rate:g}", "alerts per 100 patient-years", ""),
        ),
        figure=None,
        tables=(
            Table(
                title="By reader",
                columns=("Reader", "Messages", "Digests", "Alerts", "Messages a day"),
                rows=[
                    (it.to, it.messages, it.digests, it.alerts, it.messages_a_day)
                    for it in found.readers
                ],
                empty="No message.",
            ),
            Table(
                title="By rule",
                columns=("Rule", "Alerts", "Messages", "Per 100 patient-years"),
                rows=[
                    (it.rule.replace("_", " "), it.alerts, it.messages, it.per_100_patient_years)
                    for it in found.rules
                ],
                empty="No alert.",
            ),
        ),
        notes=tuple(f"Over budget: {it}" for it in found.over_budget),
    )
