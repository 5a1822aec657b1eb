"""Reading the `[[examples]]` of a protocol file; running them is in `examples.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from monitor.core.catalogue import Catalogue
from monitor.core.example_events import event_value
from monitor.core.example_patients import (
    Example,
    ExampleEvent,
    ExampleResult,
    ExpectedAlert,
    ExpectedFinding,
)
from monitor.core.toml_reader import Table, members, suggest
from monitor.core.vocabulary import Because, Kind, Metaboliser, PanelState, Urgency

EXAMPLE_KEYS: Mapping[str, tuple[str, ...]] = {
    "examples[]": (
        "name", "started_on", "enrolled_on", "indication", "dose_mg_per_day", "weight_kg",
        "tpmt", "nudt15", "birth_date",
        "completed", "results", "events", "today", "expect",
    ),
    "examples[].results[]": ("on", "analyte", "value", "unit", "ref_high"),
    "examples[].events[]": ("on", "event", "value", "drug", "note"),
    "examples[].expect.ID": ("due_on", "state", "phase", "because", "days_overdue"),
    "examples[].expect.alerts[]": ("rule", "action", "urgency", "recovered"),
    "examples[].expect.findings[]": ("cause", "kind", "urgency", "recovered"),
}  # fmt: skip

EVENTS = (
    "start", "dose", "hold", "resume", "stop", "weight", "comedication_start",
    "comedication_stop", "intended_combination", "symptom", "relapse", "vaccine", "pregnancy",
    "breastfeeding", "transfusion", "genotype", "genotype_unavailable", "task_done", "supply",
    "inpatient", "away", "declined", "monitored_elsewhere", "back", "transfer_out",
    "accepted_by", "died",
)  # fmt: skip
"""The events that an example may use: those that change a schedule or an alert."""
_NO_PANELS = ("alerts", "findings")
_KINDS = (Kind.REVIEW, Kind.WITHHOLD, Kind.DOSE_REDUCTION, Kind.DISCONTINUE)
_MANY_DAYS = 100_000


def read_examples(
    top: Table, catalogue: Catalogue, panel_ids: Sequence[str]
) -> tuple[Example, ...]:
    """The examples of a file; faults go into the report of `top`."""
    return tuple(
        _example(table, catalogue, panel_ids)
        for table in top.tables("examples", EXAMPLE_KEYS["examples[]"])
    )


def _example(table: Table, catalogue: Catalogue, panel_ids: Sequence[str]) -> Example:
    table.report.label(table.path, f'example "{table.peek("name")}"')
    expect = Table(table.report, table.at("expect"), table.mapping("expect"), None)
    if not expect.data:
        table.report.add(table.at("expect"), "", "is missing", "what must be said of the patient")
    return Example(
        name=table.text("name"),
        started_on=table.day("started_on"),
        today=table.day("today"),
        enrolled_on=table.optional_day("enrolled_on"),
        indication=table.text("indication", ""),
        dose_mg_per_day=table.number("dose_mg_per_day", zero=True),
        weight_kg=table.number("weight_kg"),
        tpmt=table.optional_choice("tpmt", tuple(Metaboliser)) or "",
        nudt15=table.optional_choice("nudt15", tuple(Metaboliser)) or "",
        birth_date=table.optional_day("birth_date"),
        completed=_completed(table, panel_ids),
        results=tuple(
            _result(row, catalogue)
            for row in table.tables("results", EXAMPLE_KEYS["examples[].results[]"])
        ),
        events=tuple(
            _event(row, catalogue)
            for row in table.tables("events", EXAMPLE_KEYS["examples[].events[]"])
        ),
        expect_panels=_expected_panels(expect, panel_ids),
        expect_alerts=_expected_alerts(expect) if "alerts" in expect else None,
        expect_findings=_expected_findings(expect) if "findings" in expect else None,
    )


def _completed(table: Table, panel_ids: Sequence[str]) -> tuple[tuple[str, tuple[date, ...]], ...]:
    done = Table(table.report, table.at("completed"), table.mapping("completed"), panel_ids)
    return tuple((panel, done.days(panel)) for panel in done.data)


def _result(row: Table, catalogue: Catalogue) -> ExampleResult:
    name = row.text("analyte")
    if name and name not in catalogue.analytes:
        row.fault("analyte", "is no analyte of analytes.toml", catalogue.suggest(name))
    return ExampleResult(
        on=row.day("on"),
        analyte=name,
        value=_as_received(row),
        unit=row.text("unit", ""),
        ref_high=row.number("ref_high"),
    )


def _as_received(row: Table) -> str:
    """A value as a laboratory would send it: text such as "<0.5", or a plain number."""
    value = row.data.get("value")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = row.number("value", zero=True)
        return "" if number is None else f"{number:f}"
    return row.text("value")


def _event(row: Table, catalogue: Catalogue) -> ExampleEvent:
    event = row.text("event")
    if event and event not in EVENTS:
        row.fault("event", "is no event that an example may use", suggest(event, EVENTS))
    on = row.day("on")
    return ExampleEvent(
        on=on,
        event=event,
        value=event_value(row, event, on, catalogue),
        drug=row.text("drug", ""),
        note=row.text("note", ""),
    )


def _expected_panels(
    expect: Table, panel_ids: Sequence[str]
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    found = []
    for panel, value in expect.data.items():
        if panel in _NO_PANELS:
            continue
        if panel not in panel_ids:
            expect.fault(
                panel, "is no panel of this file", suggest(panel, [*panel_ids, *_NO_PANELS])
            )
            continue
        keys = EXAMPLE_KEYS["examples[].expect.ID"]
        table = Table(expect.report, expect.at(panel), value, keys)
        found.append((panel, tuple((key, _expected(table, key)) for key in table.data)))
    return tuple(found)


def _expected(table: Table, key: str) -> str:
    if key == "due_on":
        return table.day(key).isoformat()
    if key == "state":
        return table.choice(key, tuple(PanelState)).value
    if key == "because":
        return table.choice(key, tuple(Because)).value
    if key == "days_overdue":
        return str(table.whole(key, 0, _MANY_DAYS))
    return table.text(key)


def _expected_alerts(expect: Table) -> tuple[ExpectedAlert, ...]:
    """`alerts = ["anaemia"]`, or with more to be checked, `[{ rule = "anaemia", ... }]`."""
    found = []
    path = expect.at("alerts")
    for place, value in members(expect.report, path, expect.data["alerts"], "rule names"):
        if isinstance(value, str):
            found.append(ExpectedAlert(rule=value))
            continue
        table = Table(expect.report, place, value, EXAMPLE_KEYS["examples[].expect.alerts[]"])
        found.append(
            ExpectedAlert(
                rule=table.text("rule"),
                action=table.optional_choice("action", _KINDS),
                urgency=table.optional_choice("urgency", tuple(Urgency)),
                recovered=table.flag("recovered") if "recovered" in table else None,
            )
        )
    return tuple(found)


def _expected_findings(expect: Table) -> tuple[ExpectedFinding, ...]:
    """`findings = ["baseline_missing"]`, or with more to be checked, `[{ cause = ... }]`."""
    found = []
    path = expect.at("findings")
    for place, value in members(expect.report, path, expect.data["findings"], "causes"):
        if isinstance(value, str):
            found.append(ExpectedFinding(cause=value))
            continue
        table = Table(expect.report, place, value, EXAMPLE_KEYS["examples[].expect.findings[]"])
        found.append(
            ExpectedFinding(
                cause=table.text("cause"),
                kind=table.optional_choice("kind", tuple(Kind)),
                urgency=table.optional_choice("urgency", tuple(Urgency)),
                recovered=table.flag("recovered") if "recovered" in table else None,
            )
        )
    return tuple(found)
