"""OperationOutcome and what else FHIR answers with. Codes of issues: FHIR R4, issue-type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from monitor.operations.fhir_intake import UNREADABLE, HeldResource, Receipt

MOST_ISSUES = 1000
_ENTRY = re.compile(r"^entry(\[\d+\])")
_CODES = {
    "json": "structure", "xml": "structure", "fhir": "structure",
    "unknown_code": "code-invalid", "unit_unknown": "code-invalid", "unit_missing": "required",
    "no_mrn": "required", "no_date": "required", "date": "value", "not_a_number": "value",
    "no_patient": "not-found", "unknown_patient": "not-found",
}  # fmt: skip
Json = dict[str, Any]


def outcome(issues: Iterable[Json]) -> Json:
    """An OperationOutcome of these issues."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def issue(severity: str, code: str, diagnostics: str, places: Iterable[str] = ()) -> Json:
    """One issue; `diagnostics` holds no patient data."""
    found: Json = {"severity": severity, "code": code, "diagnostics": diagnostics}
    expressions = [it for it in places if it]
    return found | ({"expression": expressions} if expressions else {})


def of_receipt(receipt: Receipt) -> Json:
    """What became of a document: its account, and an issue for each row that is held."""
    issues = [issue("information", "informational", _account(receipt))]
    issues += [_held(it, receipt) for it in receipt.held[:MOST_ISSUES]]
    left_out = len(receipt.held) - MOST_ISSUES
    if left_out > 0:
        issues.append(issue("warning", "too-costly", f"{left_out} more rows are held"))
    return outcome(issues)


def bundle_response(receipt: Receipt) -> Json:
    """The answer to a transaction or batch: an entry for each entry."""
    by_entry: dict[int, list[HeldResource]] = {}
    for held in receipt.held:
        if held.entry is not None:
            by_entry.setdefault(held.entry, []).append(held)
    entries = [_response(by_entry.get(number, []), receipt) for number in range(receipt.entries)]
    first = {"resource": of_receipt(receipt)} if not entries else {}
    return {
        "resourceType": "Bundle",
        "type": f"{receipt.bundle}-response",
        "entry": entries or [first],
    }


def _response(held: list[HeldResource], receipt: Receipt) -> Json:
    if not held:
        return {"response": {"status": "200 OK"}}
    broken = any(it.code in UNREADABLE for it in held)
    status = "422 Unprocessable Entity" if broken else "202 Accepted"
    return {"response": {"status": status, "outcome": outcome(_held(it, receipt) for it in held)}}


def _account(receipt: Receipt) -> str:
    report = receipt.report
    counts = {
        name: getattr(report, name)
        for name in ("stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")
    }
    told = ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "none"
    return f"rows {report.rows}: {told}; resources of other kinds {report.other_messages}"


def _held(held: HeldResource, receipt: Receipt) -> Json:
    code = _CODES.get(held.code, "business-rule")
    severity = "error" if held.code in UNREADABLE else "warning"
    place = expression(held.place, receipt.kind)
    if not place:
        place = f"line {held.line}" if not receipt.kind else receipt.kind
    return issue(severity, code, f"held: {held.reason}", [place])


def expression(place: str, kind: str) -> str:
    """A place of ours as FHIRPath: `entry[4].component[1]` of a Bundle is
    `Bundle.entry[4].resource.component[1]`."""
    if not place:
        return ""
    path = _ENTRY.sub(r"Bundle.entry\1.resource", place)
    return path if path != place else f"{kind}.{place}" if kind else place
