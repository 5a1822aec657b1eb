"""What happens at which instant on the ladder: `test_ladders.py` lives through these stories."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.operations import people
from monitor.store import tables
from tests.clinic import Clinic

ZONE = ZoneInfo("Europe/London")
CONFIG = """
[clinic]
timezone = "Europe/London"
email = "clinic@hill.example"
hours = "08:00-18:00"
holidays = ["2026-04-03", "2026-04-06"]

[recipients.nurses]
addresses = ["nurse@hill.example"]

[recipients.on_call]
rota = "rota.csv"
hours = "always"
handover = "mon 08:00"

[recipients.lead]
addresses = ["lead@hill.example"]

[[routes]]
to = ["nurses"]
then = [["on_call"], ["lead"]]

[escalation]
snooze_urgent_at_most = "7 days"
"""
ROTA = "week,name,addresses,telephone\n" + "".join(
    f"2026-W{week:02},Dr {name},{name.lower()}@hill.example,+44 7700 9000{week:02}\n"
    for week, name in ((10, "Gray"), (11, "Blue"), (13, "Rose"), (14, "Hale"), (15, "Gray"))
)
CALM = {"hemoglobin": "140", "white_cells": "6.0", "neutrophils": "4.0", "lymphocytes": "1.5",
        "platelets": "250"}  # fmt: skip
Act = Callable[[Clinic, int, datetime], object]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def day(text: str) -> date:
    return date.fromisoformat(text)


def result(**values: str) -> Act:
    def act(clinic: Clinic, alert: int, now: datetime) -> None:
        local = now.astimezone(ZONE)
        results = CALM | values
        clinic.results("A1", f"{local:%Y-%m-%d}", results, received_at=now, collected_at=now)

    return act


def person(name: str, **how: Any) -> Act:
    def act(clinic: Clinic, alert: int, now: datetime) -> object:
        do = getattr(people, name)
        return do(clinic.store, clinic.settings, alert, now=now, **how)

    return act


def correction(analyte: str, value: str) -> Act:
    """The laboratory corrects what came last: the earlier report no longer stands."""

    def act(clinic: Clinic, alert: int, now: datetime) -> None:
        last = max(
            (it for it in clinic.rows(tables.ResultRow, analyte=analyte)), key=lambda it: it.id
        )
        with clinic.store.write() as connection:
            columns = tables.table_of(tables.ResultRow)
            lost = columns.update().where(columns.c.id == last.id).values(stands=False)
            connection.execute(lost)
        clinic.results(
            "A1",
            f"{last.collected_on}",
            {analyte: value},
            collected_at=last.collected_at,
            received_at=now,
            status="corrected",
        )

    return act


STORIES: dict[str, tuple[str, list[tuple[str, str, Act]]]] = {
    "critical": (
        "2026-03-03T12:00",
        [
            ("2026-03-02T10:00", "neutrophils 0.4", result(neutrophils="0.4")),
            ("2026-03-02T16:00", "Jo acknowledges", person("acknowledge", by="Jo")),
            ("2026-03-02T20:45", "Jo calls", person("contact", by="Jo", outcome="no_answer")),
            ("2026-03-02T21:00", "Jo hands over", person("assign", by="Jo", to="Dr Gray")),
            (
                "2026-03-02T21:10",
                "Dr Gray reaches the patient",
                person("contact", by="Dr Gray", outcome="reached", note="comes in tonight"),
            ),
        ],
    ),
    "good_friday": (
        "2026-04-07T18:00",
        [("2026-04-03T18:30", "neutrophils 0.4", result(neutrophils="0.4", white_cells="2.6"))],
    ),
    "long_weekend_urgent": (
        "2026-04-08T12:00",
        [("2026-04-03T18:30", "lymphocytes 0.4", result(lymphocytes="0.4"))],
    ),
    "spring_night": (
        "2026-03-29T04:00",
        [("2026-03-29T00:45", "neutrophils 0.4", result(neutrophils="0.4"))],
    ),
    "autumn_night": (
        "2026-10-25T03:30",
        [("2026-10-25T00:45", "neutrophils 0.4", result(neutrophils="0.4"))],
    ),
    "urgent": (
        "2026-03-05T18:00",
        [("2026-03-02T16:00", "lymphocytes 0.4", result(lymphocytes="0.4"))],
    ),
    "routine": (
        "2026-03-25T18:00",
        [("2026-03-02T16:00", "hemoglobin 95", result(hemoglobin="95"))],
    ),
    "no_answer": (
        "2026-03-02T15:00",
        [
            ("2026-03-02T09:00", "lymphocytes 0.4", result(lymphocytes="0.4")),
            ("2026-03-02T09:10", "Jo calls", person("contact", by="Jo", outcome="no_answer")),
            ("2026-03-02T09:20", "Jo calls", person("contact", by="Jo", outcome="no_answer")),
            ("2026-03-02T09:30", "Jo calls", person("contact", by="Jo", outcome="no_answer")),
            ("2026-03-02T11:00", "Dr Gray has it", person("acknowledge", by="Dr Gray")),
        ],
    ),
    "declined": (
        "2026-03-18T12:00",
        [
            ("2026-03-09T09:00", "Jo has it", person("acknowledge", by="Jo")),
            (
                "2026-03-09T10:00",
                "the patient declines the test",
                person("contact", by="Jo", outcome="declined"),
            ),
        ],
    ),
    "snoozed": (
        "2026-03-11T12:00",
        [
            ("2026-03-02T09:00", "lymphocytes 0.4", result(lymphocytes="0.4")),
            (
                "2026-03-02T10:00",
                "Jo snoozes for too long",
                person("snooze", by="Jo", until=datetime(2026, 3, 10).date(), reason="on leave"),
            ),
            (
                "2026-03-02T10:05",
                "Jo snoozes",
                person("snooze", by="Jo", until=datetime(2026, 3, 9).date(), reason="on leave"),
            ),
        ],
    ),
    "snooze_ended_by_worse": (
        "2026-03-04T18:00",
        [
            ("2026-03-02T09:00", "lymphocytes 0.4", result(lymphocytes="0.4")),
            (
                "2026-03-02T10:05",
                "Jo snoozes",
                person("snooze", by="Jo", until=datetime(2026, 3, 9).date(), reason="on leave"),
            ),
            ("2026-03-04T09:00", "lymphocytes 0.19", result(lymphocytes="0.19")),
            (
                "2026-03-04T09:05",
                "Jo snoozes a critical alert",
                person("snooze", by="Jo", until=datetime(2026, 3, 5).date(), reason="on leave"),
            ),
        ],
    ),
    "acknowledgement_expired": (
        "2026-03-06T12:00",
        [
            ("2026-03-02T09:00", "lymphocytes 0.4", result(lymphocytes="0.4")),
            (
                "2026-03-02T10:00",
                "Jo acknowledges",
                person("acknowledge", by="Jo", until=datetime(2026, 3, 5).date()),
            ),
            ("2026-03-02T10:01", "Ann, too", person("acknowledge", by="Ann")),
        ],
    ),
    "recovered": (
        "2026-03-04T18:00",
        [
            ("2026-03-02T10:00", "neutrophils 0.4", result(neutrophils="0.4")),
            ("2026-03-02T10:20", "neutrophils 2.5", result(neutrophils="2.5")),
        ],
    ),
    "muted": (
        "2026-03-06T12:00",
        [
            (
                "2026-03-02T10:00",
                "neutrophils 0.8, white cells 2.6",
                result(neutrophils="0.8", white_cells="2.6"),
            ),
            (
                "2026-03-02T10:20",
                "Jo closes the graver one",
                person(
                    "close",
                    by="Jo",
                    outcome="drug_held: Dr Gray, until Friday",
                    review_by=datetime(2026, 3, 6).date(),
                ),
            ),
        ],
    ),
}
STORIES |= {
    "snoozed_routine": (
        "2026-03-06T12:00",
        [
            ("2026-03-02T09:00", "hemoglobin 95", result(hemoglobin="95")),
            (
                "2026-03-02T10:00",
                "Jo snoozes for too long",
                person("snooze", by="Jo", until=day("2026-06-01"), reason="iron given"),
            ),
            (
                "2026-03-02T10:01",
                "Jo snoozes without a reason",
                person("snooze", by="Jo", until=day("2026-03-05"), reason=" "),
            ),
            (
                "2026-03-02T10:02",
                "Jo snoozes",
                person("snooze", by="Jo", until=day("2026-03-05"), reason="iron given"),
            ),
        ],
    ),
    "acknowledgement_cap": (
        "2026-03-02T12:00",
        [
            ("2026-03-02T09:00", "lymphocytes 0.4", result(lymphocytes="0.4")),
            (
                "2026-03-02T10:00",
                "Jo acknowledges for too long",
                person("acknowledge", by="Jo", until=day("2026-03-31")),
            ),
            (
                "2026-03-02T10:01",
                "Jo acknowledges for as long as may be",
                person("acknowledge", by="Jo", until=day("2026-03-30")),
            ),
        ],
    ),
    "closed_until_review": (
        "2026-03-05T18:00",
        [
            ("2026-03-02T09:00", "lymphocytes 0.4", result(lymphocytes="0.4")),
            (
                "2026-03-02T10:00",
                "Jo closes it while it goes on",
                person("close", by="Jo", outcome="drug_held: Dr Gray"),
            ),
            (
                "2026-03-02T10:01",
                "Jo closes it for too long",
                person("close", by="Jo", outcome="drug_held", review_by=day("2026-03-31")),
            ),
            (
                "2026-03-02T10:02",
                "Jo closes it until Thursday",
                person("close", by="Jo", outcome="drug_held", review_by=day("2026-03-05")),
            ),
        ],
    ),
    "closed_critical": (
        "2026-03-05T01:00",
        [
            ("2026-03-02T09:00", "neutrophils 0.4", result(neutrophils="0.4")),
            (
                "2026-03-02T09:10",
                "Jo closes it for too long",
                person("close", by="Jo", outcome="drug_stopped", review_by=day("2026-03-10")),
            ),
            (
                "2026-03-02T09:11",
                "Jo closes it knowing, not acting",
                person("close", by="Jo", outcome="lab phoned", review_by=day("2026-03-05")),
            ),
            (
                "2026-03-02T09:12",
                "Jo closes it until Thursday",
                person(
                    "close",
                    by="Jo",
                    outcome="laboratory_phoned_and_acted: stopped, Dr Gray, 09:10",
                    review_by=day("2026-03-05"),
                ),
            ),
        ],
    ),
    "corrected_milder": (
        "2026-03-02T12:00",
        [
            ("2026-03-02T10:00", "neutrophils 0.4", result(neutrophils="0.4")),
            ("2026-03-02T10:45", "corrected to 0.9", correction("neutrophils", "0.9")),
        ],
    ),
    "corrected_within_the_level": (
        "2026-03-02T10:50",
        [
            ("2026-03-02T10:00", "neutrophils 0.30", result(neutrophils="0.30")),
            ("2026-03-02T10:45", "corrected to 0.45", correction("neutrophils", "0.45")),
        ],
    ),
}
FIRST_LOOK = {"declined": "2026-03-09T08:00", "autumn_night": "2026-10-24T20:00"}
