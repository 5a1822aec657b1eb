"""Patients that FHIR says are one: each link is followed, or held where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.intake.load import load_file
from monitor.intake.report import FileReport
from tests.desk import NOW, Desk, sqlite_desk
from tests.fhir_resources import MR, bundle, dumped, observation

CONFIG = """
[clinic]
timezone = "Europe/Berlin"
[database]
url = "sqlite:///monitor.db"
[sources.export]
patient_id_is_mrn = true
"""


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path, CONFIG) as made:
        for mrn in ("100", "200", "300"):
            made.clinic.enrol(mrn, "2026-01-05", baseline=False)
        yield made


def patient(ident: str, mrn: str, *links: tuple[str, Any], system: str = "urn:a") -> dict[str, Any]:
    identifier = [{"type": MR, "system": system, "value": mrn}] if mrn else []
    told = [{"type": kind, "other": other} for kind, other in links]
    return {"resourceType": "Patient", "id": ident, "identifier": identifier, "link": told}


def to(ident: str) -> dict[str, str]:
    return {"reference": f"Patient/{ident}"}


def neutrophils(ident: str, value: str) -> dict[str, Any]:
    return observation(value, id=f"{ident}-{value}", subject=to(ident))


def load(desk: Desk, *resources: dict[str, Any], source: str = "") -> FileReport:
    path = desk.folder / f"bundle{desk.number}.json"
    desk.number += 1
    path.write_text(dumped(bundle(*resources)), encoding="utf-8")
    return load_file(desk.store, desk.settings, path, source, NOW)


def test_a_record_that_replaces_two_has_the_results_of_both(desk: Desk) -> None:
    report = load(
        desk,
        patient("a", "100"),
        patient("b", "200"),
        patient("c", "300", ("replaces", to("a")), ("replaces", to("b"))),
        neutrophils("a", "1.1") | {"effectiveDateTime": "2026-03-01T08:00:00Z"},
        neutrophils("b", "1.2") | {"effectiveDateTime": "2026-03-02T08:00:00Z"},
    )
    assert desk.whose() == {"300": ["1.1", "1.2"]}
    assert report.other_messages == 3, "a resource is counted once, however many it replaces"


def test_a_replaced_record_of_another_issuer_is_not_ours_with_the_same_number(desk: Desk) -> None:
    """Number 100 of the other hospital ended; our patient 100 goes on."""
    load(desk, patient("a", "100"), neutrophils("a", "1.1"), patient("c", "300"))
    report = load(
        desk,
        patient("x", "100", ("replaced-by", to("c")), system="urn:b"),
        patient("c", "300"),
    )
    assert desk.whose() == {"100": ["1.1"]}
    assert any("another issuer" in note for note in report.notes)


@pytest.mark.parametrize("kind", ["replaced-by", "replaces"])
def test_a_merge_of_an_enrolled_patient_with_nobody_of_the_file_is_held(
    desk: Desk, kind: str
) -> None:
    report = load(desk, patient("a", "100", (kind, to("gone"))), neutrophils("a", "1.1"))
    assert (report.rows, report.stored, report.quarantined) == (2, 1, 1)
    (held,) = desk.held()
    assert "number is not told" in held.reason
    assert desk.whose() == {"100": ["1.1"]}


def test_a_merge_of_strangers_that_cannot_be_followed_is_told_and_held_for_nobody(
    desk: Desk,
) -> None:
    report = load(desk, patient("a", "999", ("replaced-by", to("gone"))))
    assert (report.rows, report.other_messages) == (0, 1)
    assert any("not followed" in note for note in report.notes)


def test_the_ids_of_a_server_that_are_the_numbers_merge_too(desk: Desk) -> None:
    merged = patient("100", "", ("replaced-by", to("200")))
    load(desk, merged, neutrophils("100", "1.1"), source="export")
    assert desk.whose() == {"200": ["1.1"]}
