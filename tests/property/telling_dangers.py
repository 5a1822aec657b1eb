"""What anybody sees who reads the results beside the protocol's text: whose count is dangerous now,
who is dead, which rule speaks for which."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from monitor.store import tables
from tests.clinic import Clinic

ENDING = ("stop", "died", "transfer_accepted")
COUNTS = {"neutrophils": "neutropenia", "white_cells": "leucopenia",
          "platelets": "thrombocytopenia", "hemoglobin": "anaemia"}  # fmt: skip


@cache
def rules_of(text: str) -> dict[str, Any]:
    """The rules of a protocol's text, by their names."""
    return {it["id"]: it for it in tomllib.loads(text)["rules"]}


def muted_by(text: str) -> dict[str, list[str]]:
    """Which causes speak for which."""
    return {f"rule:{name}": it.get("muted_by", []) for name, it in rules_of(text).items()}


def dead(clinic: Clinic) -> set[int]:
    """Enrolments of patients recorded as died."""
    gone = {it.patient_id for it in _events(clinic) if it.event == "died"}
    return {it.id for it in clinic.rows(tables.EnrolmentRow) if it.patient_id in gone}


@dataclass(frozen=True)
class Danger:
    """The latest count of somebody lies below a limit."""

    enrolment: int
    rule: str
    level: int
    urgency: str
    value: str


def dangers(clinic: Clinic, text: str, today: date) -> Iterator[Danger]:
    """Of everybody who takes the drug."""
    ended = {it.patient_id for it in _events(clinic) if it.event in ENDING}
    latest: dict[tuple[int, str], Any] = {}
    for row in clinic.rows(tables.ResultRow, stands=True):
        if row.analyte not in COUNTS or row.value is None or row.collected_on > today:
            continue
        known = latest.get((row.patient_id, row.analyte))
        if known is None or (known.collected_at, -known.value) < (row.collected_at, -row.value):
            latest[row.patient_id, row.analyte] = row
    taking = defaultdict(list)
    for enrolment in clinic.rows(tables.EnrolmentRow, stands=True):
        taking[enrolment.patient_id].append(enrolment)
    for (patient, analyte), row in latest.items():
        own = taking[patient]
        if patient in ended or len(own) != 1 or row.collected_on < own[0].started_on:
            continue
        levels = rules_of(text)[COUNTS[analyte]]["levels"]
        met = [n for n, it in enumerate(levels, 1) if row.value < Decimal(str(it["below"]))]
        if met:
            urgency = levels[met[-1] - 1]["urgency"]
            yield Danger(own[0].id, COUNTS[analyte], met[-1], urgency, str(row.value))


def _events(clinic: Clinic) -> list[Any]:
    rows = clinic.rows(tables.EventRow)
    return [it for it in rows if not it.withdrawn and not it.taken_back]
