"""What the monitor said against what was worked out apart from it from the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from tools.real_data.clinic import Clinic
from tools.real_data.judge import Expected, Person, Value, expected_alerts, with_counts
from tools.real_data.prepared import Prepared
from tools.real_data.rows import (
    DUPLICATE,
    IGNORED,
    QUARANTINED,
    STORED,
    SUPERSEDED,
    Row,
    rows_of,
    truths,
)
from tools.real_data.schedule import due_on, last_completed
from tools.real_data.together import expected_combinations

FATES = (STORED, DUPLICATE, SUPERSEDED, "withdrawn", QUARANTINED, IGNORED)
_STATES = ["seriously_overdue", "overdue", "due", "up_to_date", "ended"]
_SHOWN = 12


@dataclass
class Comparison:
    """Figures of one set, and every difference in words."""

    name: str
    patients: int = 0
    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    values: int = 0
    """Stored values that were compared exactly."""
    panels: int = 0
    """Panels whose last completion and due day were compared."""
    matched: Counter[str] = field(default_factory=Counter)
    """Alerts of a rule that are owed and that the monitor opened alike."""
    states: Counter[str] = field(default_factory=Counter)
    buried: int = 0
    """Alerts of the dead, all of which closed once the deaths were told."""
    facts: list[str] = field(default_factory=list)
    """Facts that came with the set and hold."""
    apart: list[str] = field(default_factory=list)
    """Facts that count otherwise; the manual's page on real data says why."""
    differences: list[str] = field(default_factory=list)

    def differ(self, what: str, missing: Sequence[object], extra: Sequence[object]) -> None:
        for label, found in (("missing", missing), ("too many", extra)):
            if found:
                shown = "; ".join(map(str, found[:_SHOWN]))
                self.differences.append(f"{what}, {label} ({len(found)}): {shown}")


def compare(name: str, prepared: Prepared, clinic: Clinic, *, at_once: bool = True) -> Comparison:
    """All comparisons of one set with its own rows, which came at once or in pieces."""
    found = Comparison(name)
    enrolled = people_of(prepared)
    rows = [row for load in prepared.loads for row in rows_of(load, enrolled)]
    _people(found, prepared, clinic)
    _accounting(found, rows, clinic)
    if at_once:
        _quarantine(found, rows, clinic)
    _stored(found, rows, clinic)
    _alerts(found, rows, prepared, clinic, at_once=at_once)
    if clinic.reports["verify"]:
        found.differences.append(f"verify: {clinic.reports['verify'][:3]}")
    return found


def silent(found: Comparison, deaths: pd.DataFrame, clinic: Clinic) -> None:
    """Once the deaths are told, every alert of the dead is closed, those of the others stand as
    they stood, and the clinic is still verified."""
    dead = set(deaths["mrn"].str.upper())
    report = clinic.reports["deaths"]
    if report["taken"] != len(deaths):
        found.differences.append(f"deaths: {len(deaths)} sent, {report['taken']} taken")
    if clinic.reports["verify"]:
        found.differences.append(f"verify after the deaths: {clinic.reports['verify'][:3]}")
    of_them = [it for it in clinic.reports["alerts"] if str(it["mrn"]).upper() in dead]
    found.buried = len(of_them)
    left = [f"{it['mrn']} {it['rule'] or it['kind']}" for it in of_them if it["state"] != "closed"]
    found.differ("alerts of the dead", [], left)
    others = sum(found.alerts.values()) - len(of_them)
    if len(clinic.reports["alerts"]) - len(of_them) < others:
        found.differences.append("an alert of the living is gone")


def _people(found: Comparison, prepared: Prepared, clinic: Clinic) -> None:
    for what, table in (("enrol", prepared.enrol), ("events", prepared.events)):
        report = clinic.reports[what]
        total = report["taken"] + report["duplicate"] + len(report["refused"])
        if not report["rows"] == len(table) == total:
            found.differences.append(
                f"{what}: {report['rows']} rows, {len(table)} sent, {total} told"
            )
        if report["refused"]:
            found.differences.append(f"{what} refused: {report['refused'][:3]}")
    found.patients = clinic.reports["enrol"]["taken"]
    found.events = clinic.reports["events"]["taken"]


def _accounting(found: Comparison, rows: Sequence[Row], clinic: Clinic) -> None:
    """Every line is told once, and with the fate it must have."""
    for file in clinic.reports["load"]:
        found.counts.update({key: file[key] for key in ("rows", *FATES)})
    if found.counts["rows"] != sum(found.counts[fate] for fate in FATES):
        found.differences.append(f"the rows do not add up: {dict(found.counts)}")
    if found.counts["rows"] != len(rows):
        found.differences.append(f"{found.counts['rows']} rows told, {len(rows)} lines")
    owed = Counter(row.fate for row in rows)
    for fate in FATES:
        if owed[fate] != found.counts[fate]:
            found.differences.append(f"{fate}: {owed[fate]} owed, {found.counts[fate]} told")
    found.held.update(it.reason_code for it in clinic.held())


def _quarantine(found: Comparison, rows: Sequence[Row], clinic: Clinic) -> None:
    """The very lines that must be held are."""
    told = {it.line: it.reason for it in clinic.held()}
    lines = {row.line: row for row in rows if row.fate == QUARANTINED}
    found.differ(
        "rows in quarantine",
        [f"line {it}: {lines[it].words}" for it in sorted(lines.keys() - told.keys())],
        [f"line {it}: {told[it]}" for it in sorted(told.keys() - lines.keys())],
    )


def _stored(found: Comparison, rows: Sequence[Row], clinic: Clinic) -> None:
    """Every standing value is there, digit for digit in its canonical unit."""
    known = truths()["analytes"]
    owed = Counter(_identity(row) for row in rows if row.stands and row.analyte in known)
    stored = Counter(_identity(it) for it in clinic.stored() if it.analyte in known)
    found.values = sum(stored.values())
    found.differ("values", sorted((owed - stored).elements()), sorted((stored - owed).elements()))


def _identity(row: Row) -> tuple[str, ...]:
    number = "" if row.number is None else f"{row.number.normalize():f}"
    return row.mrn, row.analyte, str(row.at), number, row.comparator


def _alerts(
    found: Comparison, rows: Sequence[Row], prepared: Prepared, clinic: Clinic, *, at_once: bool
) -> None:
    """The alerts of the rules, one by one. Bit by bit, an alert may have been told while it
    went on, and kept the urgency of then; what was merged or withdrawn since is closed."""
    values = with_counts(values_of(rows))
    people, protocol = people_of(prepared), clinic.protocol()
    owed = expected_alerts(values, people, protocol)
    owed += expected_combinations(values, people, protocol)
    told = clinic.reports["alerts"]
    if not at_once:
        told = [alert for alert in told if alert["state"] != "closed"]
    found.alerts.update(str(alert["rule"] or alert["kind"]) for alert in told)
    found.states.update(_worst_states(clinic.reports["status"]))
    read_twice = {it["id"] for it in (*protocol["rules"], *protocol.get("combinations", ()))}
    told = [it for it in told if it["rule"] in read_twice]
    missing, extra = match(owed, told, at_once=at_once)
    found.matched.update(it.rule for it in owed if it not in missing)
    found.differ("alerts", missing, extra)
    _panels(found, values, prepared, clinic)


def _panels(found: Comparison, values: Sequence[Value], prepared: Prepared, clinic: Clinic) -> None:
    """The last completion of each panel; and of patients with one anchor, the due day."""
    protocol, people = clinic.protocol(), people_of(prepared)
    last = last_completed(values, protocol)
    changes = prepared.events[prepared.events["event"] != "start"]
    moved = set(changes["mrn"].str.upper())
    for row in clinic.reports["status"]:
        mrn, panel = str(row["mrn"]).upper(), row["panel"]
        completed = last.get((mrn, panel))
        owed = [_day(completed)]
        told = [row["last_completed_on"]]
        if mrn not in moved and row["because"] == "schedule":
            owed.append(_day(due_on(panel, completed, people[mrn].start, protocol)))
            told.append(row["due_on"])
        found.panels += 1
        if owed != told:
            found.differences.append(f"{panel} of {mrn}: completed, due {owed}; told {told}")


def _day(moment: pd.Timestamp | None) -> str | None:
    return None if moment is None else str(moment.date())


def values_of(rows: Iterable[Row]) -> list[Value]:
    """The numbers that stand."""
    known = truths()["analytes"]
    return [
        Value(
            mrn=row.mrn,
            analyte=row.analyte,
            at=row.at,
            number=row.number,
            comparator=row.comparator,
            uln=row.uln,
            lln=row.lln,
        )
        for row in rows
        if row.stands and row.number is not None and row.at is not None and row.analyte in known
    ]


def _worst_states(status: Sequence[Mapping[str, Any]]) -> list[str]:
    worst: dict[str, str] = {}
    for row in status:
        known = worst.get(row["mrn"], "ended")
        worst[row["mrn"]] = min(known, row["state"], key=_STATES.index)
    return list(worst.values())


def match(
    owed: Sequence[Expected], told: Sequence[Mapping[str, Any]], *, at_once: bool
) -> tuple[list[Expected], list[str]]:
    """What of either side has no partner: the same patient, rule, worst value and instant,
    kind, urgency and recovery."""
    left = list(told)
    missing = []
    for expected in owed:
        partner = next((alert for alert in left if _is_partner(expected, alert, at_once)), None)
        if partner is None:
            missing.append(expected)
        else:
            left.remove(partner)
    shown = ("mrn", "rule", "value", "collected_at", "kind", "urgency", "recovered", "state")
    return missing, [str({key: alert[key] for key in shown}) for alert in left]


def _is_partner(expected: Expected, alert: Mapping[str, Any], at_once: bool) -> bool:
    urgencies = {expected.urgency} if at_once else {expected.urgency, expected.urgency_then}
    return (
        str(alert["mrn"]).upper() == expected.mrn
        and alert["rule"] == expected.rule
        and alert["kind"] == expected.kind
        and alert["urgency"] in urgencies
        and alert["recovered"] == expected.recovered
        and _is_of(alert, expected)
    )


def _is_of(alert: Mapping[str, Any], expected: Expected) -> bool:
    """The same worst value at the same instant; cell lines together have none of their own."""
    if expected.value is None:
        return alert["value"] is None
    return (
        alert["value"] is not None
        and Decimal(str(alert["value"])) == Decimal(str(float(expected.value)))
        and pd.Timestamp(alert["collected_at"]) in expected.instants
    )


def people_of(prepared: Prepared) -> dict[str, Person]:
    """Start, first dose, enrolment and end of each patient, by MRN."""
    enrolled = {mrn: day for day, people in prepared.waves() for mrn in people["mrn"]}
    began = _first(prepared.events, ["start"])
    ended = _first(prepared.events, ["stop"])
    people = {}
    for mrn, started_on in zip(prepared.enrol["mrn"], prepared.enrol["started_on"], strict=True):
        start = pd.Timestamp(started_on)
        people[mrn.strip().upper()] = Person(
            start=start,
            first_dose=began.get(mrn, start),
            enrolled=pd.Timestamp(enrolled[mrn]),
            stop=ended.get(mrn),
        )
    return people


def _first(events: pd.DataFrame, kinds: Sequence[str]) -> dict[str, pd.Timestamp]:
    own = events[events["event"].isin(kinds)].sort_values("on", ascending=False)
    return {mrn: pd.Timestamp(day) for mrn, day in zip(own["mrn"], own["on"], strict=True)}
