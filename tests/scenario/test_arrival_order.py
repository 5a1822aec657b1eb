"""Files of three formats in any order: originals, corrections, withdrawals, a merge, replays.
What stands in the end, and whose it is, is the same."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from monitor.core.vocabulary import AlertState
from monitor.intake.dependence import BatchRefused
from monitor.intake.load import load_file
from monitor.intake.report import OUTCOMES
from monitor.operations.batches import revert
from monitor.operations.verify import verify
from monitor.review import review_due
from monitor.store import tables
from tests.clinic import at
from tests.desk import LONG, NOW, Desk, sqlite_desk
from tests.hl7_messages import obx, oru

LATER = at("2026-03-11")
Ended = tuple[str, str, str, str]


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


WRONG = {
    "wrong-unit.csv": _csv(
        "A1,2026-01-12T08:00,neutrophils,0.25,10*9/L,S0,C,2026-03-06T11:00,",
        "A1,2026-03-02T08:30,neutrophils,0.19,10*9/L,S1,C,2026-03-06T11:00,",
        "A1,2026-03-05T08:30,neutrophils,0.4,10*9/L,S9,F,2026-03-05T11:00,",
    ),
    "wrong-withdrawal.csv": _csv(
        "A1,2026-01-12T08:00,alt,40,U/L,S0,W,2026-03-06T11:00,",
        "A1,2026-02-02T08:00,platelets,80,10*9/L,S4,F,2026-03-06T11:00,",
    ),
}
"""Files that are taken back, whenever they came and whatever came after them."""


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
            _load(desk, name, FILES[name])
        assert _ends(desk) == ENDS, order
        assert [row.reason for row in desk.held()] == [], order


@pytest.fixture(scope="module")
def in_order(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> set[Ended]:
    """The alerts that are left where every file came once and in order, and none was wrong."""
    with sqlite_desk(migrated_sqlite, tmp_path_factory.mktemp("in_order")) as desk:
        desk.enrol("A1,azathioprine,2026-01-05,,,", "OLD7,azathioprine,2026-01-05,,,")
        for name in FILES:
            _load(desk, name, FILES[name])
        review_due(desk.store, desk.settings, LATER, everyone=True)
        found = _alerts(desk)
        assert found
        return found


@pytest.mark.parametrize("seed", range(16))
def test_what_is_taken_back_in_any_order_leaves_nothing(
    seed: int, migrated_sqlite: Path, tmp_path: Path, in_order: set[Ended]
) -> None:
    """Right files are taken back too, and come again."""
    luck = random.Random(seed)
    waiting = [*FILES, *WRONG]
    luck.shuffle(waiting)
    loaded: dict[str, int] = {}
    told: list[str] = []
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("A1,azathioprine,2026-01-05,,,", "OLD7,azathioprine,2026-01-05,,,")
        while waiting or set(loaded) & set(WRONG):
            if waiting and luck.random() < 0.65:
                name = waiting.pop(0)
                told.append(name)
                loaded[name] = _load(desk, name, FILES.get(name) or WRONG[name])
            elif loaded:
                name = luck.choice(sorted(loaded))
                told.append(f"back {name}")
                if _back(desk, loaded[name]):
                    del loaded[name]
                    if name in FILES:
                        waiting.append(name)
            if luck.random() < 0.3:
                review_due(desk.store, desk.settings, LATER, everyone=True)
        review_due(desk.store, desk.settings, LATER, everyone=True)
        assert _ends(desk) == ENDS, told
        assert [row.reason for row in desk.held()] == [], told
        assert _alerts(desk) == in_order, told
        assert [str(it) for it in verify(desk.store, desk.settings, LATER)] == [], told


def _load(desk: Desk, name: str, content: bytes) -> int:
    """Take in a file; its number."""
    path = desk.folder / name
    path.write_bytes(content)
    report = load_file(desk.store, desk.settings, path, "", NOW)
    assert report.rows == sum(getattr(report, outcome) for outcome in OUTCOMES)
    return int(desk.clinic.rows(tables.File)[-1].id)


def _back(desk: Desk, number: int) -> bool:
    """Take a file back; False where later ones build on it."""
    try:
        revert(desk.store, desk.settings, number, by="Ada", reason="wrong file", now=LATER)
    except BatchRefused:
        return False
    return True


def _alerts(desk: Desk) -> set[Ended]:
    """What the live alerts are about."""
    people = {row.id: row for row in desk.clinic.rows(tables.Patient)}
    enrolled = {row.id: people[row.patient_id] for row in desk.clinic.rows(tables.EnrolmentRow)}
    return {
        (enrolled[it.enrolment_id].mrn, it.kind, it.rule or "", it.urgency)
        for it in desk.clinic.rows(tables.AlertRow)
        if it.state != AlertState.CLOSED
    }


def _ends(desk: Desk) -> set[Ended]:
    """The values that stand in the end, by the number of the person."""
    people = {row.id: row for row in desk.clinic.rows(tables.Patient)}
    return {
        (
            people[people[it.patient_id].person_id or it.patient_id].mrn,
            it.analyte,
            it.specimen_id,
            f"{it.value.normalize():f}",
        )
        for it in desk.clinic.rows(tables.ResultRow, stands=True)
        if it.value is not None and it.status in ("final", "corrected")
    }
