"""What a report or panel of FHIR says beside its results is a comment on each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.intake.raw import RawRow
from tests.fhir_resources import PATIENT, bundle, items_in, observation
from tests.hl7_messages import catalogue

CLUMPS = "EDTA sample with platelet clumps"


def panel(name: str, member: str, **more: Any) -> dict[str, Any]:
    members = [{"reference": f"Observation/{member}"}]
    whole = observation(id=name, valueQuantity=None, hasMember=members)
    return whole | {"code": {"text": "FBC"}} | more


def report(result: str, **more: Any) -> dict[str, Any]:
    told = {"status": "final", "code": {"text": "FBC"}}
    results = [{"reference": f"Observation/{result}"}]
    return {"resourceType": "DiagnosticReport", "id": "d", "result": results} | told | more


@pytest.mark.parametrize(
    "above",
    [
        [report("o", conclusion=CLUMPS)],
        [report("o", note=[{"text": CLUMPS}])],
        [panel("p", "o", note=[{"text": CLUMPS}])],
        [panel("p", "o", comment=CLUMPS)],
        [panel("p", "o"), report("p", conclusion=CLUMPS)],
        [panel("p", "o", note=[{"text": CLUMPS}]), report("p", conclusion=CLUMPS)],
    ],
)
def test_the_words_of_those_above_a_result_are_its_comment(
    above: list[dict[str, Any]], tmp_path: Path
) -> None:
    """HL7 has them in NTE below the order. Without them nobody is told that the count is false."""
    content = bundle(PATIENT, observation("45", "777-3", id="o"), *above)
    (found,) = [it for it in items_in(tmp_path, content) if isinstance(it, RawRow)]
    assert found.comment == CLUMPS
    assert catalogue().doubt(found.comment, "platelets") == "platelet clumps"


def test_a_report_speaks_for_what_it_contains_and_for_no_other(tmp_path: Path) -> None:
    inner = observation("45", "777-3", id="o") | {"note": [{"text": "own"}]}
    whole = report("o", conclusion=CLUMPS, contained=[inner])
    whole["result"] = [{"reference": "#o"}]
    content = bundle(PATIENT, whole, observation(id="else"))
    found = [it.comment for it in items_in(tmp_path, content) if isinstance(it, RawRow)]
    assert found == [f"own\n{CLUMPS}", ""]


def _beside(others: list[str], **more: Any) -> dict[str, Any]:
    told = {"status": "final", "code": {"text": "FBC"}}
    results = [{"reference": f"Observation/{it}"} for it in others]
    return {"resourceType": "DiagnosticReport", "id": "d", "result": results} | told | more


def _said(name: str, **value: Any) -> dict[str, Any]:
    return observation(id=name, valueQuantity=None) | {"code": {"text": "Film comment"}} | value


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        ({"valueString": "Platelet clumps seen"}, "Platelet clumps seen"),
        ({"valueCodeableConcept": {"text": "Platelet clumps"}}, "Platelet clumps"),
        ({"code": {"text": "Platelet clumps"}, "valueBoolean": True}, "Platelet clumps"),
        ({"code": {"text": "Platelet clumps"}, "valueBoolean": False}, ""),
        ({"code": {"text": "Platelet clumps"}, "valueString": "Present"}, "Platelet clumps"),
        (
            {"code": {"text": "Platelet clumps"}, "valueCodeableConcept": {"text": "2+"}},
            "Platelet clumps",
        ),
        ({"code": {"text": "Platelet clumps"}, "valueString": "Absent"}, ""),
        ({"valueString": "No platelet clumps"}, ""),
        ({"valueString": "Normal film"}, ""),
        ({"valueString": "Platelet clumps seen", "status": "entered-in-error"}, ""),
    ],
)
def test_what_a_result_of_its_own_says_of_the_sample_doubts_those_beside_it(
    said: dict[str, Any], doubt: str, tmp_path: Path
) -> None:
    """As with a comment in an OBX of its own. It stays a row."""
    content = bundle(
        PATIENT,
        observation("45", "777-3", id="o"),
        _said("c", **said),
        observation("45", "777-3", id="else"),
        _beside(["o", "c"]),
    )
    found = [it for it in items_in(tmp_path, content) if isinstance(it, RawRow)]
    assert [it.comment for it in found] == [doubt, "", ""]


def test_a_doubt_of_a_panel_below_a_report_is_of_its_members(tmp_path: Path) -> None:
    whole = panel("p", "o")
    whole["hasMember"].append({"reference": "Observation/c"})
    content = bundle(
        PATIENT,
        _said("c", valueString="clotted sample"),
        observation("45", "777-3", id="o"),
        whole,
        _beside(["p"]),
    )
    found = [it for it in items_in(tmp_path, content) if isinstance(it, RawRow)]
    assert [it.comment for it in found] == ["", "clotted sample"]
