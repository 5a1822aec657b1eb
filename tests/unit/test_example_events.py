"""An example's events take the values that the events file takes, and refuse what it refuses."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.core.event_values import VALUES
from monitor.core.example_events import event_value
from monitor.core.protocol_examples import EVENTS
from monitor.core.toml_reader import Report, Table
from monitor.intake import event_kinds
from monitor.intake.people_file import Refused
from tests.protocol_texts import catalogue

ON = date(2026, 3, 2)
KEPT = [
    ("start", "", ""),
    ("dose", "150", "150"),
    ("dose", "1.50", "1.5"),
    ("dose", "0", None),
    ("dose", "-5", None),
    ("dose", "1e3", None),
    ("dose", "0,5", None),
    ("dose", "", None),
    ("hold", "", ""),
    ("hold", "2026-03-02", "2026-03-02"),
    ("hold", "2026-03-01", None),
    ("hold", "2 weeks", None),
    ("weight", "70.0", "70"),
    ("comedication_start", "warfarin", "warfarin"),
    ("comedication_start", "", None),
    ("symptom", "Sore throat", "sore_throat"),
    ("symptom", "", None),
    ("genotype", "TPMT: Poor", "tpmt:poor"),
    ("genotype", "tmpt:poor", None),
    ("genotype", "nudt15:fast", None),
    ("genotype", "poor", None),
    ("genotype_unavailable", "tpmt:2026-09-01", "tpmt:2026-09-01"),
    ("genotype_unavailable", "tpmt:2026-03-02", None),
    ("genotype_unavailable", "nudt15:soon", None),
    ("task_done", "Skin-check", "skin_check"),
    ("supply", "28", "28"),
    ("supply", "1.5", None),
    ("away", "2026-04-01", "2026-04-01"),
    ("away", "", None),
    ("accepted_by", "", None),
]
"""An event, its value as written, and what is kept of it; None: it is refused."""


def of_an_example(event: str, value: str) -> str | None:
    """What an example keeps; None: it refuses."""
    report = Report("x.toml")
    data = {"on": ON, "event": event, **({"value": value} if value else {})}
    row = Table(report, ("examples", 0, "events", 0), data, tuple(data))
    kept = event_value(row, event, ON, catalogue())
    return None if report.faults else kept


def of_the_events_file(event: str, value: str) -> str | None:
    try:
        return event_kinds.event_value(event, value, ON)
    except Refused:
        return None


@pytest.mark.parametrize(("event", "value", "kept"), KEPT)
def test_an_example_takes_what_the_events_file_takes(
    event: str, value: str, kept: str | None
) -> None:
    assert of_an_example(event, value) == kept
    assert of_the_events_file(event, value) == kept


def test_an_example_may_use_every_event_but_those_about_numbers() -> None:
    assert set(EVENTS) == VALUES.keys() - set(event_kinds.MERGES)


def test_a_day_may_stand_without_quotes() -> None:
    report = Report("x.toml")
    data = {"value": date(2026, 3, 9)}
    row = Table(report, ("events", 0), data, tuple(data))
    assert event_value(row, "hold", ON, catalogue()) == "2026-03-09"
    assert report.faults == []
