"""Results that come as the parameters of an operation of FHIR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monitor.config import Source
from monitor.intake.formats import open_rows
from monitor.intake.raw import OtherMessage, RawRow
from monitor.intake.survey import survey
from tests.fhir_resources import PATIENT, bundle, items_in, observation
from tests.hl7_messages import catalogue


def parameters(*resources: dict[str, Any]) -> dict[str, Any]:
    carried = [{"name": "resource", "resource": it} for it in resources]
    return {"resourceType": "Parameters", "parameter": [{"name": "n", "valueInteger": 1}, *carried]}


def test_a_result_among_parameters_is_one_of_the_file(tmp_path: Path) -> None:
    items = items_in(tmp_path, parameters(PATIENT, observation("0.4")))
    (found,) = [it for it in items if isinstance(it, RawRow)]
    assert (found.mrn, found.value, found.place) == ("F1", "0.4", "parameter[2]")
    assert [it.kind for it in items if isinstance(it, OtherMessage)] == ["Parameters", "Patient"]


def test_bundles_and_parts_among_parameters_are_taken_apart(tmp_path: Path) -> None:
    whole = parameters(bundle(PATIENT, observation("0.4")))
    part = {"name": "result", "part": [{"name": "of", "resource": observation("0.5")}]}
    whole["parameter"].append(part)
    items = items_in(tmp_path, bundle(parameters(whole)))
    found = [(it.mrn, it.value, it.place) for it in items if isinstance(it, RawRow)]
    inner = "entry[0].resource.parameter[1].resource"
    assert found == [
        ("F1", "0.4", f"{inner}.parameter[1].resource.entry[1]"),
        ("F1", "0.5", f"{inner}.parameter[2].part[0]"),
    ]


def test_parameters_within_parameters_end_somewhere(tmp_path: Path) -> None:
    whole = observation()
    for _ in range(100):
        whole = parameters(whole)
    items = items_in(tmp_path, whole)
    assert [it.kind for it in items if isinstance(it, OtherMessage)] == ["Parameters"] * 4


def test_the_same_as_xml(tmp_path: Path) -> None:
    path = tmp_path / "parameters.xml"
    path.write_text(
        '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="r"/><resource>'
        '<Observation><status value="final"/><code><text value="Platelets"/></code>'
        '<valueQuantity><value value="12"/><unit value="G/L"/></valueQuantity>'
        "</Observation></resource></parameter></Parameters>",
        encoding="utf-8",
    )
    with open_rows(survey(path), Source(), catalogue()) as found:
        (row,) = [it for it in found.items if isinstance(it, RawRow)]
    assert (row.analyte, row.value) == ("Platelets", "12")
