"""What is told of a specimen's state in HL7 and FHIR, and which numbers it makes doubtful."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.intake.raw import RawRow
from tests.fhir_resources import PATIENT, bundle, items_in, observation
from tests.hl7_messages import catalogue, obx, oru, rows

WBC = obx("6690-2^WBC^LN", "5.4")


@pytest.mark.parametrize(
    ("reason", "state", "comment"),
    [
        ("RC", "", "specimen rejected: clotted"),
        ("RH^^HL70490", "", "specimen rejected: haemolysed"),
        ("RI^Wrong name on tube^HL70490", "", "specimen rejected: Wrong name on tube"),
        ("X1", "", "specimen rejected: X1"),
        ("RC~RM", "", "specimen rejected: clotted\nspecimen rejected: labelling error"),
        ("", "HEM", "haemolysed"),
        ("", "CLOT^Clot seen^L~ROOM", "Clot seen\nroom temperature"),
        ("", "", ""),
    ],
)
def test_the_codes_of_hl7_for_the_state_of_a_specimen_are_words(
    reason: str, state: str, comment: str
) -> None:
    """SPM-21 and SPM-24, tables 0490 and 0493."""
    (found,) = rows(oru(WBC, f"SPM|1|T1||BLD{'|' * 17}{reason}|||{state}"))
    assert found.comment == comment


def test_a_number_of_a_rejected_specimen_is_doubtful_whatever_the_reason() -> None:
    for reason in ("RI", "RM", "RS", "X1"):
        (found,) = rows(oru(WBC, f"SPM|1|T1||BLD{'|' * 17}{reason}"))
        for analyte in ("platelets", "alt", "creatinine"):
            assert catalogue().doubt(found.comment, analyte)


@pytest.mark.parametrize(
    ("specimen", "comment", "doubts"),
    [
        ({"status": "unsatisfactory"}, "specimen unsatisfactory", True),
        ({"status": "entered-in-error"}, "specimen entered in error", True),
        ({"condition": [{"coding": [{"code": "CLOT"}]}]}, "clotted", True),
        ({"condition": [{"coding": [{"code": "ROOM"}]}]}, "room temperature", False),
        ({"status": "available"}, "", False),
    ],
)
def test_the_state_of_a_specimen_of_fhir_doubts_its_numbers(
    specimen: dict[str, object], comment: str, doubts: bool, tmp_path: Path
) -> None:
    sample = {"resourceType": "Specimen", "id": "s1"} | specimen
    measured = observation(specimen={"reference": "Specimen/s1"})
    items = items_in(tmp_path, bundle(PATIENT, sample, measured))
    (found,) = [it for it in items if isinstance(it, RawRow)]
    assert found.comment == comment
    assert bool(catalogue().doubt(found.comment, "neutrophils")) is doubts
