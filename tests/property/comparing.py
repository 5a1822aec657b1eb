"""What the product and the oracle say of one patient, in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.answer import Finding, Review
from monitor.core.vocabulary import Kind, Urgency
from tests.property.oracle import Answer

LATE = ("overdue", "seriously_overdue")
OF_CARE = (
    "interaction", "vaccine", "pregnancy", "breastfeeding", "tasks", "target", "missed",
)  # fmt: skip
ONE_OF_A_KIND = ("dose_check", "indeterminate", "withdrawal", "ages", "personal_ended")
"""Told apart by their cause alone."""


def differences(review: Review, said: Answer, zone: ZoneInfo) -> list[str]:
    """One line for each point on which the two differ."""
    mine, theirs = of_review(review, zone), of_oracle(said, zone)
    lines = []
    for key in sorted({*mine, *theirs}):
        left, right = mine.get(key, "nothing"), theirs.get(key, "nothing")
        if left != right:
            lines.append(f"{key}\n   core   {left}\n   oracle {right}")
    for status in review.panels:
        phases = said.panels[status.panel].phases
        if phases and status.phase not in phases:
            lines.append(f"{status.panel}: phase {status.phase}, oracle {sorted(phases)}")
    return lines


def of_review(review: Review, zone: ZoneInfo) -> dict[str, Any]:
    told = _panels_of(review)
    told |= dict(_of_finding(finding, zone) for finding in review.findings)
    told["could not be judged"] = {(it.rule, it.collected_at) for it in review.unjudged}
    return told


def _of_finding(finding: Finding, zone: ZoneInfo) -> tuple[str, Any]:
    family = finding.cause.partition(":")[0]
    ended = {"urgency": finding.urgency, "recovered": finding.recovered}
    if family in OF_CARE:
        day = f" from {finding.breaches[0].astimezone(zone).date()}" if finding.breaches else ""
        return finding.cause + day, ended | {"kind": finding.kind.value}
    if family in ONE_OF_A_KIND:
        return finding.cause, ended | {"kind": finding.kind.value}
    if family in ("rule", "symptom", "combination"):
        return _of_level(finding, family)
    if finding.kind is Kind.OVERDUE_TEST:
        panels = sorted(panel.panel for panel in finding.panels)
        return "overdue", {"panels": panels, "urgency": finding.urgency}
    if finding.kind is Kind.BASELINE_MISSING:
        return "baseline", finding.urgency
    if finding.kind is Kind.CONTRAINDICATED:
        return finding.cause, ended
    return finding.cause, {"ids": frozenset(finding.subjects), "urgency": finding.urgency}


def _of_level(finding: Finding, family: str) -> tuple[str, Any]:
    """What a level of a rule, of a symptom or of a combination says."""
    said = {"level": finding.level, "kind": finding.kind, "urgency": finding.urgency}
    if family == "symptom":
        return f"{finding.cause} {finding.breaches}", said
    said |= {"breaches": tuple(sorted(finding.breaches)), "recovered": finding.recovered}
    if family == "combination":
        return f"{finding.cause} {min(finding.breaches)}", said
    assert finding.worst is not None and finding.limit is not None
    return f"episode {finding.rule} from {min(finding.breaches)}", said | {
        "value": Fraction(finding.worst.value),
        "comparator": finding.worst.comparator,
        "collected_at": finding.worst.collected_at,
        "limit": Fraction(finding.limit),
    }


def _panels_of(review: Review) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status in review.panels:
        told[f"panel {status.panel}"] = {
            "due_on": status.due_on,
            "because": status.because.value,
            "state": status.state.value,
            "days_overdue": status.days_overdue,
            "last_completed_on": status.last_completed_on,
            "declared": status.declared,
            "partial": {
                day: frozenset(name for names in missing for name in names.split(" or "))
                for day, missing in status.partial
            },
        }
    return told


def of_oracle(said: Answer, zone: ZoneInfo) -> dict[str, Any]:
    told: dict[str, Any] = {}
    late = {}
    for name, panel in said.panels.items():
        told[f"panel {name}"] = {
            "due_on": panel.due_on,
            "because": panel.because,
            "state": panel.state,
            "days_overdue": panel.days_overdue,
            "last_completed_on": panel.last_completed_on,
            "declared": panel.declared,
            "partial": dict(panel.partial),
        }
        if panel.state in LATE and panel.urgency is not None and name not in said.silent:
            late[name] = said.raised.get(name, panel.urgency)
    for episode in said.alerting:
        told[f"episode {episode.rule} from {min(episode.breaches)}"] = {
            "breaches": episode.breaches,
            "value": episode.worst.value,
            "comparator": episode.worst.comparator,
            "collected_at": episode.worst.at,
            "level": episode.level,
            "kind": episode.kind,
            "urgency": episode.urgency,
            "limit": episode.limit,
            "recovered": episode.recovered,
        }
    told |= _of_toxicity(said, zone)
    if late and not said.course.elsewhere:
        told["overdue"] = {"panels": sorted(late), "urgency": _worst(late)}
    for name, (ids, urgency) in said.unusable.items():
        told[f"sample_unusable:{name}"] = {"ids": ids, "urgency": urgency}
    if said.held is not None:
        told["quarantined_result"] = {"ids": said.held[0], "urgency": said.held[1]}
    told |= said.care
    told["could not be judged"] = said.unjudged
    return told | _of_start(said)


def _of_start(said: Answer) -> dict[str, Any]:
    """What has to be known before the first dose."""
    missing = {} if said.baseline.missing is None else {"baseline": said.baseline.missing}
    return missing | {
        f"contraindicated:{gene}": {"urgency": Urgency.CRITICAL, "recovered": ended}
        for gene, ended in said.baseline.poor.items()
    }


def _worst(late: Mapping[str, Urgency]) -> Urgency:
    return max(late.values(), key=lambda urgency: urgency.rank)


def _of_toxicity(said: Answer, zone: ZoneInfo) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for symptom in said.symptoms:
        at = datetime.combine(symptom.on, time(0), zone).astimezone(UTC)
        told[f"symptom:{symptom.rule} {(at,)}"] = {
            "level": symptom.level,
            "kind": symptom.kind,
            "urgency": symptom.urgency,
        }
    for it in said.combinations:
        told[f"combination:{it.combination} {min(it.breaches)}"] = {
            "breaches": it.breaches,
            "level": it.level,
            "kind": it.kind,
            "urgency": it.urgency,
            "recovered": it.recovered,
        }
    return told
