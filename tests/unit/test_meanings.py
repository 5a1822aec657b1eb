"""What a held row may mean, in one cell and back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from monitor.core.meanings import read_meanings, write_meanings

MEANINGS = [
    ("0.42", {"monocytes": ["0.42"]}),
    ("0.4 4", {"monocytes": ["0.4", "4"]}),
    ("", {"monocytes": []}),
    ("0.42 neutrophils:0.42", {"monocytes": ["0.42"], "neutrophils": ["0.42"]}),
    ("platelets:22 platelets:0.022", {"monocytes": [], "platelets": ["22", "0.022"]}),
    ("1 platelets:", {"monocytes": ["1"], "platelets": []}),
]


@pytest.mark.parametrize(("cell", "texts"), MEANINGS)
def test_a_cell_holds_what_a_row_may_mean(cell: str, texts: dict[str, list[str]]) -> None:
    meanings = {name: tuple(map(Decimal, numbers)) for name, numbers in texts.items()}
    assert read_meanings("monocytes", cell) == meanings
    assert write_meanings(meanings.pop("monocytes"), meanings) == cell
