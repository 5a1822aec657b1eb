"""Tables into a pipe: drawn by ourselves, to the letter as rich would."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.cli.common import _plain_table, _rich_table

CELL = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
TABLES = st.integers(1, 5).flatmap(
    lambda many: st.tuples(
        st.lists(CELL.filter(bool), min_size=many, max_size=many),
        st.lists(st.lists(CELL, min_size=many, max_size=many), min_size=1, max_size=4),
    )
)


@given(TABLES)
@example((["\\["], [["[b]"]]))
def test_a_piped_table_reads_as_rich_would_print_it(
    table: tuple[list[str], list[list[str]]],
) -> None:
    columns, rows = table
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("monitor.cli.common._write", said.append)
        _rich_table(columns, rows, "")
    assert _plain_table(columns, rows) == said[0]


@pytest.mark.parametrize("cell", ["two\nlines", "a\ttab", "宽", "é", "x" * 10_000])
def test_what_is_no_plain_line_is_left_to_rich(cell: str) -> None:
    assert _plain_table(["name"], [[cell]]) is None
