"""The hazard log names tests that exist, and no hazard is without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
HAZARDS = dict(re.findall(r"^## (H\d\d) .*?\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))
PROOF = re.compile(r"^- `(tests/\S+\.py)`: (.+)$", re.MULTILINE)


def test_the_hazards_are_numbered_without_a_gap() -> None:
    assert list(HAZARDS) == [f"H{number:02}" for number in range(1, len(HAZARDS) + 1)]


@pytest.mark.parametrize("hazard", HAZARDS.values(), ids=HAZARDS)
def test_what_stands_against_it_is_held_by_tests(hazard: str) -> None:
    proofs = PROOF.findall(hazard)
    assert proofs
    for file, names in proofs:
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in names.split("; "):
            assert f"def test_{name.replace(' ', '_')}(" in text, f"{file}: {name}"


@pytest.mark.parametrize("hazard", HAZARDS.values(), ids=HAZARDS)
def test_its_risk_is_said_and_acceptable(hazard: str) -> None:
    found = re.search(r"risk (\d), then (\d)", hazard)
    assert found is not None
    assert int(found[2]) <= min(int(found[1]), 3)
