"""Patients of the tests, put together by hand: results, events, an enrolment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.case import Case, Enrolment, Event, HeldRow, Result

UTC_ZONE = ZoneInfo("UTC")
LONDON = ZoneInfo("Europe/London")
CBC_OF_A_HEALTHY_DAY = {
    "hemoglobin": "140",
    "white_cells": "6.0",
    "neutrophils": "4.0",
    "lymphocytes": "1.5",
    "platelets": "250",
}
LFT_OF_A_HEALTHY_DAY = {"bilirubin": "10", "alt": "20"}


def instant(day: date, hour: int = 9, minute: int = 0, zone: ZoneInfo = UTC_ZONE) -> datetime:
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def enrolment(started_on: date, protocol_id: str = "worked", **more: Any) -> Enrolment:
    plain = Enrolment(
        id=1,
        patient_id=1,
        mrn="A1",
        drug="azathioprine",
        protocol_id=protocol_id,
        started_on=started_on,
        enrolled_on=started_on,
    )
    return replace(plain, **more)


def result(
    number: int,
    analyte: str,
    value: str | None,
    at: datetime,
    on: date | None = None,
    **more: Any,
) -> Result:
    plain = Result(
        id=number,
        analyte=analyte,
        collected_at=at,
        collected_on=on or at.date(),
        value=None if value is None else Decimal(value),
        received_value=value or "",
        received_at=at + timedelta(hours=2),
    )
    return plain._replace(**more)


def panel_results(days: list[date], values: dict[str, str], first_id: int = 1) -> list[Result]:
    made: list[Result] = []
    for day in days:
        for analyte, value in values.items():
            made.append(
                result(first_id + len(made), analyte, value, instant(day), specimen_id=f"S{day}")
            )
    return made


def event(number: int, on: date, what: str, value: str = "", **more: Any) -> Event:
    plain = Event(id=number, on=on, event=what, value=value, received_at=instant(on))
    return replace(plain, **more)


def case(enrolled: Enrolment, results: list[Result], events: list[Event] | None = None) -> Case:
    return Case(enrolment=enrolled, results=tuple(results), events=tuple(events or ()))


def held_row(number: int, analyte: str, on: date, *readings: str) -> HeldRow:
    """A quarantined row; `readings` are what its number may mean."""
    return HeldRow(
        id=number,
        analyte=analyte,
        collected_on=on,
        received_value="?",
        received_unit="?",
        reason="unknown unit",
        held_at=instant(on),
        possible_values=tuple(Decimal(text) for text in readings),
    )
