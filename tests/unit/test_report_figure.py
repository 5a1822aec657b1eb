"""The figure of a report: round numbers beside it, and no wider than what it holds."""

from __future__ import annotations

import re

import pytest

from monitor.operations.report_page import Columns, Page, Part, drawn


def figure(*heights: int) -> str:
    bars = [(str(place), (height,), "") for place, height in enumerate(heights)]
    columns = Columns(title="t", parts=[Part(name="p", tone="one")], bars=bars, unit="u")
    return drawn(Page(title="t", span="s", about="a", facts=(), figure=columns, tables=()))


@pytest.mark.parametrize(
    ("highest", "lines"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (5, [0, 2, 4, 6]),
        (83, [0, 50, 100]),
        (140, [0, 50, 100, 150]),
        (1001, [0, 500, 1000, 1500]),
    ],
)
def test_lines_are_round_and_no_column_is_higher_than_the_last(
    highest: int, lines: list[int]
) -> None:
    found = re.findall(r'class="axis"[^>]*text-anchor="end">(\d+)<', figure(highest, 0))
    assert list(map(int, found)) == lines
    tops = [float(it) for it in re.findall(r'<rect[^>]* y="([\d.]+)"', figure(highest, 0))]
    assert all(top >= 18 for top in tops)


def test_a_few_columns_fit_a_telephone_and_many_may_be_scrolled() -> None:
    """Five columns as wide as a desk were cut off on a telephone: the longest waits were behind
    its edge."""
    few, many = figure(*range(1, 6)), figure(*range(1, 13))
    (width,) = re.findall(r'<svg width="(\d+)"', few)
    assert int(width) <= 420
    assert 'class="many"' in many
