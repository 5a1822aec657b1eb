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
