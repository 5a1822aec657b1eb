"""Random true results, sent in messages of HL7 and FHIR as laboratories write them: each is stored
exactly as it is, of its patient, time, specimen and limits, and nothing besides; and what is sent
again by another way is one result."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.intake.load import load_file
from monitor.store import tables
from tests.desk import Desk, sqlite_desk
from tests.scenario.test_random_results import NOW, PEOPLE, Truth, truths
from tests.scenario.true_messages import HIGH, LOW, MESSAGES, draws, loinc, specimen

SEEDS = range(3)
COLUMNS = "mrn,collected_at,analyte,value,unit,ref_low,ref_high,specimen_id,status"


def expected(told: list[Truth]) -> list[str]:
    return sorted(
        f"{it.shown} {specimen(number)} "
        + " ".join(
            f"{(Decimal(limit) * Decimal(it.spelling[1])).normalize():f}" for limit in (LOW, HIGH)
        )
        for number, of in draws(told)
        for it in of
    )


def stored(desk: Desk) -> list[str]:
    mrns = {row.id: row.mrn for row in desk.clinic.rows(tables.Patient)}
    zone = desk.settings.clinic.zone
    return sorted(
        f"{mrns[row.patient_id]} {row.analyte} {row.comparator}{row.value.normalize():f} "
        f"{row.collected_at.astimezone(zone):%d.%m. %H:%M} {row.specimen_id} "
        + " ".join(f"{limit.normalize():f}" for limit in (row.ref_low, row.ref_high))
        for row in desk.clinic.rows(tables.ResultRow, stands=True)
    )


def load(desk: Desk, name: str, content: bytes) -> int:
    """How many rows are new."""
    path = desk.folder / name
    path.write_bytes(content)
    report = load_file(desk.store, desk.settings, path, "", NOW)
    assert report.rows == report.stored + report.duplicate + report.quarantined
    return report.stored


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MESSAGES)
def test_each_true_result_of_a_message_is_stored_as_it_is(
    migrated_sqlite: Path, tmp_path: Path, name: str, seed: int
) -> None:
    spelling, ending, write = MESSAGES[name]
    told = truths(random.Random(f"{name} {seed}"), spelling)
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol(*(f"{mrn},azathioprine,2026-01-01,,," for mrn in PEOPLE))
        assert load(desk, f"labs.{ending}", write(told)) == len(told)
        assert stored(desk) == expected(told)
        assert desk.held() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_sent_by_several_ways_is_one_result(
    migrated_sqlite: Path, tmp_path: Path, seed: int
) -> None:
    luck = random.Random(f"ways {seed}")
    spelling = luck.randrange(3)
    told = truths(luck, spelling)
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol(*(f"{mrn},azathioprine,2026-01-01,,," for mrn in PEOPLE))
        lines = [
            f"{it.mrn},{it.taken:%Y-%m-%dT%H:%M},{loinc(it)},{it.value()},{it.unit},{LOW},{HIGH},"
            f"{specimen(number)},F"
            for number, of in draws(told)
            for it in of
        ]
        ways = [("labs.csv", "\n".join([COLUMNS, *lines]).encode())]
        ways += [
            (f"{name}.{ending}", write(told))
            for name, (which, ending, write) in MESSAGES.items()
            if which == spelling
        ]
        luck.shuffle(ways)
        assert [load(desk, *way) for way in ways] == [len(told), *(0 for _ in ways[1:])]
        assert stored(desk) == expected(told)
        assert desk.held() == []
