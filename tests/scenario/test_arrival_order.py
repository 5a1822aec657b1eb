"""Files of three formats in any order: originals, corrections, withdrawals, a merge, replays.
What stands in the end, and whose it is, is the same."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from monitor.intake.load import load_file
from monitor.intake.report import OUTCOMES
from monitor.store import tables
from tests.desk import LONG, NOW, sqlite_desk
from tests.hl7_messages import obx, oru


def _hl7(value: str, status: str) -> bytes:
    return oru(obx("751-8^Neutrophils^LN", value, status=status)).encode()


def _fhir(value: float, status: str, issued: str, specimen: str) -> bytes:
    observation = {
        "resourceType": "Observation",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        "subject": {"identifier": {"value": "A1"}},
        "specimen": {"identifier": {"value": specimen}},
        "effectiveDateTime": "2026-03-02T08:30:00+01:00",
        "issued": issued,
        "valueQuantity": {"value": value, "unit": "10*9/L"},
    }
    return json.dumps(observation).encode()


def _csv(*lines: str) -> bytes:
    return "\n".join([LONG, *lines, ""]).encode()


MERGE = b"MSH|^~\\&|LAB|NORTH|M|C|20260305110000||ADT^A40|9|P|2.5.1\rPID|1||A1\rMRG|OLD7\r"
FILES = {
    "original.hl7": _hl7("0.9", "F"),
    "correction.hl7": _hl7("1.9", "C"),
    "replay.csv": _csv(
        "A1,2026-03-02T08:30,neutrophils,0.9,10*9/L,S1,F,2026-03-02T11:00,",
        "A1,2026-01-12T08:00,neutrophils,2.5,10*9/L,S0,F,2026-01-12T11:00,",
    ),
    "late.csv": _csv("A1,2026-01-12T08:00,alt,40,U/L,S0,F,2026-03-01T11:00,"),
    "preliminary.json": _fhir(150, "preliminary", "2026-03-02T10:00:00+01:00", "S2"),
    "final.json": _fhir(140, "final", "2026-03-02T12:00:00+01:00", "S2"),
    "withdrawn.json": _fhir(99, "entered-in-error", "2026-03-04T12:00:00+01:00", "S3"),
    "withdrawn-original.json": _fhir(99, "final", "2026-03-02T12:00:00+01:00", "S3"),
    "old-number.csv": _csv("OLD7,2026-02-02T08:00,neutrophils,2.2,10*9/L,S4,F,2026-02-02T11:00,"),
    "merge.hl7": MERGE,
}
ENDS = {
    ("A1", "neutrophils", "S1", "1.9"),
    ("A1", "neutrophils", "S0", "2.5"),
    ("A1", "alt", "S0", "40"),
    ("A1", "platelets", "S2", "140"),
    ("A1", "neutrophils", "S4", "2.2"),
}


@pytest.mark.parametrize("seed", range(8))
def test_any_order_and_any_replay_ends_alike(
    seed: int, migrated_sqlite: Path, tmp_path: Path
) -> None:
    order = list(FILES)
    luck = random.Random(seed)
    luck.shuffle(order)
    again = luck.sample(order, 4)
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("A1,azathioprine,2026-01-05,,,", "OLD7,azathioprine,2026-01-05,,,")
        for name in (*order, *again):
            path = tmp_path / name
            path.write_bytes(FILES[name])
            report = load_file(desk.store, desk.settings, path, "", NOW)
            assert report.rows == sum(getattr(report, outcome) for outcome in OUTCOMES)
        found = desk.clinic.rows(tables.ResultRow, stands=True)
        people = {row.id: row for row in desk.clinic.rows(tables.Patient)}
        ends = {
            (
                people[people[it.patient_id].person_id or it.patient_id].mrn,
                it.analyte,
                it.specimen_id,
                f"{it.value.normalize():f}",
            )
            for it in found
            if it.value is not None and it.status in ("final", "corrected")
        }
        assert ends == ENDS, order
        assert [row.reason for row in desk.held()] == [], order
