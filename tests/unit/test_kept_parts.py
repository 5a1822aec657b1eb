"""The parts of a table are read twice and are the same, wherever they were kept in between."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from monitor.intake import records
from monitor.intake.blocks import Block, split
from monitor.intake.raw import BadLine
from monitor.intake.records import Kept, Parts, Record

_HEADER = ["mrn", "value"]


def _parts() -> Parts:
    yield Record(2, ["P1", "4.2"])
    block = split("P1,4.3\nP2,4.4\n" * 50, 3, ",", _HEADER, 1000)
    assert block is not None
    yield block
    yield BadLine(103, "quotes", "a quote that is never closed", '"P1')
    for line in range(104, 2500):
        yield Record(line, [f"P{line}", "5"])


def _shown(parts: Parts) -> list[Any]:
    with closing(parts):
        return [
            (it.first_line, [it.cells(row) for row in range(it.rows)])
            if isinstance(it, Block)
            else it
            for it in parts
        ]


def _in_memory(_: pytest.MonkeyPatch) -> None: ...


def _on_the_disk(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(records, "_KEPT_IN_MEMORY", 10)


def _too_much(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(records, "_KEPT_AT_MOST", 10)


def _no_room(patched: pytest.MonkeyPatch) -> None:
    _on_the_disk(patched)
    patched.setattr(tempfile, "tempdir", str(Path(__file__) / "nowhere"))


@pytest.mark.parametrize("kept", [_in_memory, _on_the_disk, _too_much, _no_room])
def test_the_parts_come_again(
    kept: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch)
    parts = Kept(_parts)
    once = _shown(parts.first())
    assert once == _shown(_parts())
    assert _shown(parts.again()) == once
    assert _shown(parts.again()) == once
