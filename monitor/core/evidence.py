"""What an alert shows and is kept with: JSON, numbers as exact text, no patient's name."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from monitor.core.answer import Finding, Measured, PanelStatus, Review
from monitor.core.case import Result
from monitor.core.catalogue import Catalogue
from monitor.core.derive import with_derived
from monitor.core.findings import anticoagulant
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import ENDED_BY_CLOSING, OF_NO_SPECIMEN

_SERIES_LENGTH = 8


def evidence(
    finding: Finding, review: Review, protocol: Protocol, catalogue: Catalogue
) -> dict[str, Any]:
    """The evidence of one finding, as `AlertRow.shown` keeps it."""
    enrolment = review.case.enrolment
    analyte = catalogue.analytes.get(finding.analyte or "")
    return {
        "mrn": enrolment.mrn,
        "drug": enrolment.drug,
        "clinic": enrolment.clinic,
        "protocol": naming(protocol),
        "kind": finding.kind.value,
        "urgency": finding.urgency.value,
        "rule": finding.rule,
        "level": finding.level,
        "summary": finding.summary,
        "action": finding.action,
        "say": list(finding.say),
        "source": finding.source,
        "recovered": finding.recovered,
        "downward": finding.downward,
        "analyte": finding.analyte,
        "analyte_title": analyte.title if analyte else None,
        "unit": analyte.unit if analyte else None,
        "decimals": analyte.decimals if analyte else None,
        **_measured("", finding.worst),
        **_measured("latest_", finding.latest),
        "latest_breaches": finding.latest_breaches,
        "happened_at": _happened_at(finding),
        "ends_when_closed": finding.cause.startswith(ENDED_BY_CLOSING),
        "limit": _number(finding.limit),
        "limit_text": finding.limit_text,
        "limits": [_number(limit) for limit in finding.limits],
        "panels": [_panel(status, protocol) for status in finding.panels],
        "held": _held(finding, review),
        **_beside(finding, review, catalogue),
        "news": finding.news,
        "arithmetic": list(finding.arithmetic),
    }


def stands_beside(finding: Finding, review: Review, catalogue: Catalogue) -> str:
    """A digest of what an alert shows and what its finding does not say: it may change while the
    alert says the same, and whoever is told of it later is told it as it is then."""
    beside = _beside(finding, review, catalogue)
    return hashlib.sha256(repr(beside).encode()).hexdigest()[:16]


def _beside(finding: Finding, review: Review, catalogue: Catalogue) -> dict[str, Any]:
    life = review.life
    return {
        "series": _series(finding, review, catalogue),
        "dose": (
            {"mg_per_day": _number(life.last_dose.mg_per_day), "on": _day(life.last_dose.on)}
            if life.last_dose
            else None
        ),
        "warfarin": bool(anticoagulant(life, catalogue)),
        "start_confirmed": life.start_confirmed,
        "enrolment_state": life.state.value,
    }


def naming(protocol: Protocol) -> dict[str, str]:
    """The text by which an alert is right."""
    return {
        "id": protocol.id,
        "title": protocol.title,
        "version": protocol.version,
        "digest": protocol.digest,
        "status": protocol.status,
    }


def _happened_at(finding: Finding) -> str | None:
    if not finding.breaches or finding.cause.startswith(OF_NO_SPECIMEN):
        return None
    return _instant(finding.since or finding.breaches[-1])


def _measured(prefix: str, measured: Measured | None) -> dict[str, Any]:
    return {
        f"{prefix}value": _number(measured.value) if measured else None,
        f"{prefix}comparator": measured.comparator if measured else None,
        f"{prefix}derived": measured is not None and measured.derived,
        f"{prefix}collected_at": _instant(measured.collected_at) if measured else None,
    }


def _series(finding: Finding, review: Review, catalogue: Catalogue) -> list[dict[str, Any]]:
    """The last results of the finding's analyte, oldest first."""
    if finding.analyte is None:
        return []
    results = with_derived(review.case.results, catalogue)
    return [_point(result) for result in results.of(finding.analyte)[-_SERIES_LENGTH:]]


def _point(result: Result) -> dict[str, Any]:
    return {
        "at": _instant(result.collected_at),
        "on": _day(result.collected_on),
        "timed": result.timed,
        "value": _number(result.value),
        "comparator": result.comparator,
        "derived": bool(result.derived),
        "no_result": result.no_result,
        "status": result.status.value,
        "received": f"{result.received_value} {result.received_unit}".strip(),
    }


def _panel(status: PanelStatus, protocol: Protocol) -> dict[str, Any]:
    return {
        "panel": status.panel,
        "title": protocol.panel(status.panel).title,
        "phase": status.phase,
        "due_on": _day(status.due_on),
        "days_overdue": status.days_overdue,
        "state": status.state.value,
        "because": status.because.value,
        "last_completed_on": _day(status.last_completed_on),
        "declared": status.declared,
        "partial": [{"on": _day(day), "missing": list(names)} for day, names in status.partial],
    }


def _held(finding: Finding, review: Review) -> list[dict[str, Any]]:
    if finding.cause != "quarantined_result":
        return []
    return [
        {
            "id": row.id,
            "analyte": row.analyte,
            "received": f"{row.received_value} {row.received_unit}".strip(),
            "on": _day(row.collected_on),
            "reason": row.reason,
        }
        for row in review.case.held
        if row.id in finding.subjects
    ]


def _number(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _instant(instant: datetime) -> str:
    return instant.isoformat()
