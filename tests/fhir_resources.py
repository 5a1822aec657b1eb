"""FHIR resources for tests: a patient, Observations, and what holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.config import Source
from monitor.intake.formats import open_rows
from monitor.intake.raw import Item
from monitor.intake.survey import survey
from tests.hl7_messages import catalogue

REAL = Path(__file__).parent / "data" / "real" / "fhir"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
MR = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"type": MR, "system": "urn:clinic", "value": "F1"}],
    "name": [{"family": "Muster", "given": ["Anna", "Maria"]}],
    "birthDate": "1970-03-02",
}


def quantity(value: str, unit: str = "10*9/L", **more: Any) -> dict[str, Any]:
    return {"value": Number(value), "unit": unit, "system": UCUM, "code": unit, **more}


def observation(value: str = "4.2", code: str = "751-8", **more: Any) -> dict[str, Any]:
    """Neutrophils of Patient/p1; a member given as None is left out."""
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-02T08:30:00+01:00",
        "valueQuantity": quantity(value),
    } | more
    return {name: it for name, it in body.items() if it is not None}


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    entries = [{"resource": it} for it in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


class Number(float):
    """A number that `dumped` writes with the digits it was given."""

    def __new__(cls, text: str) -> Number:
        return super().__new__(cls, float(text))

    def __init__(self, text: str) -> None:
        self.text = text


def dumped(value: Any) -> str:
    """A value as JSON text."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}: {dumped(it)}" for name, it in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumped, value)) + "]"
    return json.dumps(value)


def items_in(folder: Path, content: Any, source: Source | None = None) -> list[Item]:
    """What the reader makes of a resource, with the catalogue that is shipped."""
    path = folder / "resource.json"
    path.write_text(dumped(content), encoding="utf-8")
    with open_rows(survey(path), source or Source(), catalogue()) as opened:
        return list(opened.items)
