"""A column told apart by its bytes says what its cells say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.intake import coded as coding
from monitor.intake.coded import CODING, PADDING, coded

_CELLS = st.text(st.characters(exclude_characters="\0,\n"), max_size=40)


@given(st.lists(st.one_of(_CELLS, st.sampled_from(["", "a", "12345678", "123456789"])), min_size=1))
@example(["x" * 200, "x" * 199, "x" * 200])
@example(["\ud800", "é", "e\u0301", "\ud800"])
@example([""])
def test_a_column_has_the_texts_of_its_cells_in_their_order(cells: list[str]) -> None:
    found = _coded(cells)
    assert [found.texts[code] for code in found.codes] == cells
    assert list(found.texts) == list(dict.fromkeys(cells))


def test_cells_whose_bytes_mix_to_the_same_number_stay_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coding, "_MIXER", 0)  # then only the last eight bytes count
    cells = ["12345678tail", "87654321tail", "12345678tail"]
    assert [_coded(cells).texts[code] for code in _coded(cells).codes] == cells


def _coded(cells: list[str]) -> coding.Coded:
    encoded = [cell.encode(*CODING) for cell in cells]
    size = np.array([len(cell) for cell in encoded], np.int64)
    begin = np.cumsum([0, *(size[:-1] + 1)])
    return coded(b",".join(encoded) + b"\n" + PADDING, begin, size)
