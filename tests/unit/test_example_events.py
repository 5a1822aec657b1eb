"""An example's events take the values that the events file takes, and refuse what it refuses."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.core.example_events import event_value
from monitor.core.protocol_examples import EVENTS
from monitor.core.toml_reader import Report, Table
from monitor.intake import event_kinds
from monitor.intake.people_file import Refused
from tests.protocol_texts import catalogue

ON = date(2026, 3, 2)
VALUES = (
    "", "0", "-5", "1.5", "150", "1e3", "0,5", "fever", "Sore throat", "2026-03-02", "2026-03-01",
    "2026-04-01", "2 weeks", "tpmt:poor", "TPMT: Poor", "tmpt:poor", "nudt15:fast",
    "tpmt:2026-09-01", "tpmt:2026-03-02", "nudt15:soon",
)  # fmt: skip


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


@pytest.mark.parametrize("event", EVENTS)
def test_an_example_takes_what_the_events_file_takes(event: str) -> None:
    for value in VALUES:
        if event == "weight" and value == "1.5":
            continue  # intake asks the catalogue elsewhere
        example, file = of_an_example(event, value), of_the_events_file(event, value)
        assert (example is None) == (file is None), (value, example, file)
        assert example == file, value


def test_a_day_may_stand_without_quotes() -> None:
    report = Report("x.toml")
    data = {"value": date(2026, 3, 9)}
    row = Table(report, ("events", 0), data, tuple(data))
    assert event_value(row, "hold", ON, catalogue()) == "2026-03-09"
    assert report.faults == []
