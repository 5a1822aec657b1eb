"""A protocol file's own examples: made-up patients, judged by the very rules of the file.

An example that fails is a fault of the file like any other, so that an admin who changes a
limit learns at once what it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from monitor.core.answer import Finding, PanelStatus, Review
from monitor.core.calendar import start_of_day
from monitor.core.case import Case, Enrolment, Event, Result
from monitor.core.catalogue import Catalogue
from monitor.core.example_patients import Example, ExampleResult, ExpectedAlert, ExpectedFinding
from monitor.core.faults import Fault
from monitor.core.protocol import (
    Protocol,
)
from monitor.core.protocol_file import read_protocol
from monitor.core.review import review
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report
from monitor.core.units import NoResult, Refusal, parse_value, to_canonical
from monitor.core.vocabulary import Kind

_ZONE = ZoneInfo("UTC")
_END_OF_DAY = timedelta(days=1) - timedelta(seconds=1)
_RECEIVED = datetime(1970, 1, 1, tzinfo=UTC)


def load_protocol(text: str, file: str, catalogue: Catalogue) -> Protocol:
    """Read a protocol file strictly and work through its examples.

    Raises Faults with every fault; the examples run only where the rest is sound.
    """
    protocol, report = read_protocol(text, file, catalogue)
    _run(protocol, catalogue, _ZONE, report)
    report.raise_if_faulty()
    return protocol


def check_examples(protocol: Protocol, catalogue: Catalogue, zone: ZoneInfo) -> list[Fault]:
    """What the examples of a protocol expect and the rules do not say; empty: all hold."""
    report = Report(f"{protocol.id}.toml")
    for place, example in enumerate(protocol.examples):
        report.label(("examples", place), f'example "{example.name}"')
    _run(protocol, catalogue, zone, report)
    return report.faults


def _run(protocol: Protocol, catalogue: Catalogue, zone: ZoneInfo, report: Report) -> None:
    for place, example in enumerate(protocol.examples):
        case = _Patient(place, example, protocol, catalogue, zone, report).case()
        if not report.sound("examples", place):
            continue
        now = start_of_day(example.today, zone) + _END_OF_DAY
        answer = review([case], {protocol.id: protocol}, catalogue, now, zone)[0]
        _compare_panels(place, example, answer, report)
        _compare_alerts(place, example, answer, report)
        _compare_findings(place, example, answer, report)


class _Patient:
    """The patient of one example, with results as intake would have stored them."""

    def __init__(
        self,
        place: int,
        example: Example,
        protocol: Protocol,
        catalogue: Catalogue,
        zone: ZoneInfo,
        report: Report,
    ) -> None:
        self._place = place
        self._example = example
        self._protocol = protocol
        self._catalogue = catalogue
        self._zone = zone
        self._report = report

    def case(self) -> Case:
        example = self._example
        rows = [*self._received(), *self._completions()]
        return Case(
            enrolment=Enrolment(
                id=1,
                patient_id=1,
                mrn="example",
                drug=self._protocol.drugs[0],
                protocol_id=self._protocol.id,
                started_on=example.started_on,
                enrolled_on=example.enrolled_on or example.started_on,
                indication=example.indication,
                dose_mg_per_day=example.dose_mg_per_day,
                weight_kg=example.weight_kg,
                tpmt=example.tpmt,
                nudt15=example.nudt15,
                birth_date=example.birth_date,
            ),
            results=tuple(self._result(place, *row) for place, row in enumerate(rows, start=1)),
            events=tuple(
                Event(
                    id=place,
                    on=event.on,
                    event=event.event,
                    value=event.value,
                    drug=event.drug,
                    note=event.note,
                    received_at=_RECEIVED,
                )
                for place, event in enumerate(example.events, start=1)
            ),
        )

    def _received(self) -> Iterator[tuple[date, str, Decimal | None, str, ExampleResult]]:
        for place, row in enumerate(self._example.results):
            unit = row.unit or self._catalogue.analytes[row.analyte].unit
            value = parse_value(row.value, catalogue=self._catalogue)
            if isinstance(value, NoResult):
                yield row.on, row.analyte, None, "", row
                continue
            number = (
                value
                if isinstance(value, Refusal)
                else to_canonical(self._catalogue.analytes[row.analyte], value.value, unit)
            )
            if isinstance(number, Refusal) or isinstance(value, Refusal):
                refusal = number if isinstance(number, Refusal) else value
                assert isinstance(refusal, Refusal)
                path = ("examples", self._place, "results", place)
                shown = f"{row.value} {unit}"
                self._report.add(path, shown, refusal.reason, refusal.hint)
            else:
                yield row.on, row.analyte, number, value.comparator, row

    def _completions(self) -> Iterator[tuple[date, str, Decimal | None, str, ExampleResult]]:
        """Unremarkable values that complete a panel; those the example gives itself stay."""
        given = {(row.on, row.analyte) for row in self._example.results}
        for panel_id, days in self._example.completed:
            panel = self._protocol.panel(panel_id)
            for analyte in (*panel.all_of, *(group[0] for group in panel.any_of)):
                value = _unremarkable(self._protocol, analyte)
                unit = self._catalogue.analytes[analyte].unit
                for day in days:
                    if (day, analyte) not in given:
                        row = ExampleResult(on=day, analyte=analyte, value=f"{value:f}", unit=unit)
                        yield day, analyte, value, "", row

    def _result(
        self,
        result_id: int,
        on: date,
        analyte: str,
        value: Decimal | None,
        comparator: str,
        row: ExampleResult,
    ) -> Result:
        return Result(
            id=result_id,
            analyte=analyte,
            collected_at=start_of_day(on, self._zone),
            collected_on=on,
            value=value,
            comparator=comparator,
            timed=False,
            received_value=row.value,
            received_unit=row.unit,
            ref_high=row.ref_high,
            no_result="" if value is not None else row.value,
            source="example",
            received_at=_RECEIVED,
        )


def _unremarkable(protocol: Protocol, analyte: str) -> Decimal:
    """A value that no rule of the file speaks of: at the strictest lower limit, else at the
    strictest upper one, for a value at a limit has not passed it."""
    levels = [level for rule in protocol.rules if rule.analyte == analyte for level in rule.levels]
    low = [level.below for level in levels if level.below is not None]
    low += [level.only_below for level in levels if level.only_below is not None]
    if low:
        return max(low)
    high = [level.above for level in levels if level.above is not None]
    high += [
        level.above_times_uln * level.default_uln
        for level in levels
        if level.above_times_uln is not None and level.default_uln is not None
    ]
    return min(high, default=Decimal(1))


def _compare_panels(place: int, example: Example, answer: Review, report: Report) -> None:
    statuses = {status.panel: status for status in answer.panels}
    for panel, expectations in example.expect_panels:
        if panel not in statuses:
            path: Path = ("examples", place, "expect", panel)
            problem = "is not asked for here: nothing demands it of this patient"
            report.add(path, panel, problem, "an event that does, or no such expectation")
            continue
        for key, expected in expectations:
            found = _told(statuses[panel], key)
            if found != expected:
                path = ("examples", place, "expect", panel, key)
                report.add(path, expected, f"the schedule of this file says {found}")


def _told(status: PanelStatus, key: str) -> str:
    value = getattr(status, key)
    if value is None:
        return "none"
    return value.isoformat() if isinstance(value, date) else str(value)


def _compare_alerts(place: int, example: Example, answer: Review, report: Report) -> None:
    if example.expect_alerts is None:
        return
    left = [finding for finding in answer.findings if _is_of_rule(finding)]
    silent = []
    for expected in sorted(example.expect_alerts, key=_vagueness):
        match = next((finding for finding in left if _meets(finding, expected)), None)
        if match is None:
            silent.append(expected)
        else:
            left.remove(match)
    if left or silent:
        found = [it for it in answer.findings if _is_of_rule(it)]
        path = ("examples", place, "expect", "alerts")
        expects = _listed(_words(it.rule, it.action, it.urgency) for it in example.expect_alerts)
        says = _listed(_words(it.rule, it.kind, it.urgency) for it in found)
        report.add(path, expects, f"the rules of this file say: {says}")


def _compare_findings(place: int, example: Example, answer: Review, report: Report) -> None:
    """What the judges say, against what the example expects of them."""
    if example.expect_findings is None:
        return
    found = [
        finding
        for finding in answer.findings
        if not _is_of_rule(finding)
        and finding.kind not in _OF_SCHEDULE
        and _is_about(finding, example)
    ]
    left = list(found)
    silent = False
    for expected in example.expect_findings:
        match = next((finding for finding in left if _is_meant(finding, expected)), None)
        if match is None:
            silent = True
        else:
            left.remove(match)
    if left or silent:
        path = ("examples", place, "expect", "findings")
        expects = _listed(_words(it.cause, it.kind, it.urgency) for it in example.expect_findings)
        says = _listed(_words(it.cause, it.kind, it.urgency) for it in found)
        report.add(path, expects, f"this file says: {says}")


def _is_about(finding: Finding, example: Example) -> bool:
    """A fact that the example leaves out is missed only where the example expects that, or
    gives another fact of its kind."""
    facts = {
        "baseline_missing": bool(example.tpmt or example.nudt15),
        "dose_check:dose_unknown": example.weight_kg is not None,
        "dose_check:weight": example.dose_mg_per_day is not None and bool(example.weight_kg),
    }
    expected = any(it.cause == finding.cause for it in example.expect_findings or ())
    return expected or facts.get(finding.cause, True)


def _is_of_rule(finding: Finding) -> bool:
    return finding.cause.startswith("rule:")


_OF_SCHEDULE = (Kind.OVERDUE_TEST, Kind.SAMPLE_UNUSABLE, Kind.QUARANTINED_RESULT)


def _is_meant(finding: Finding, expected: ExpectedFinding) -> bool:
    return (
        finding.cause == expected.cause
        and expected.kind in (None, finding.kind)
        and expected.urgency in (None, finding.urgency)
        and expected.recovered in (None, finding.recovered)
    )


def _vagueness(expected: ExpectedAlert) -> int:
    """Those that say most choose first among the findings of one rule."""
    return sum(part is None for part in (expected.action, expected.urgency, expected.recovered))


def _meets(finding: Finding, expected: ExpectedAlert) -> bool:
    return (
        finding.rule == expected.rule
        and expected.action in (None, finding.kind)
        and expected.urgency in (None, finding.urgency)
        and expected.recovered in (None, finding.recovered)
    )


def _words(rule: str | None, action: str | None, urgency: str | None) -> str:
    details = ", ".join(part.replace("_", " ") for part in (action, urgency) if part)
    return f"{rule} ({details})" if details else str(rule)


def _listed(words: Iterable[str]) -> str:
    return "; ".join(words) or "nothing"
