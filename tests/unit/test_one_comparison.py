"""The threshold comparison stands in `core/threshold.py` and nowhere else: a figure or a page that
compared by itself would one day colour a value otherwise than the alert judged it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "monitor"
TELLING = ("delivery", "operations", "review", "web", "cli", "daemon")
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_LIMITS = {"limit", "uln", "lln"}


def _name(node: ast.expr) -> str:
    """`limit` of both `limit` and `figure.limit`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_a_value(node: ast.expr) -> bool:
    """No plain number, and no count of rows, whose limit is another."""
    return not isinstance(node, ast.Constant | ast.Call)


def compared_with_a_limit(code: str) -> list[int]:
    """The lines on which a value is put in order with a limit."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Compare) and any(isinstance(it, _ORDER) for it in node.ops):
            sides = [it for it in (node.left, *node.comparators) if _is_a_value(it)]
            if len(sides) > 1 and any(_name(it) in _LIMITS for it in sides):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("code", ["value < limit", "0 < it.value <= figure.limit", "x >= it.uln"])
def test_a_comparison_with_a_limit_is_seen(code: str) -> None:
    assert compared_with_a_limit(code) == [1]


def test_rooms_that_tell_compare_no_value_with_a_limit() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for room in TELLING
        for path in sorted(PACKAGE.glob(f"{room}/**/*.py"))
        for line in compared_with_a_limit(path.read_text(encoding="utf-8"))
    ]
    assert not found, "use monitor.core.threshold"
