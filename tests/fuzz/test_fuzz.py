"""Spoilt files through the real load: a few each time, MONITOR_FUZZ of each format on demand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.fuzz.clinic import throw_away_clinic
from tools.fuzz.formats import FORMATS
from tools.fuzz.running import run

COUNT = int(os.environ.get("MONITOR_FUZZ", "120"))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_spoilt_file_is_mistreated(name: str, tmp_path: Path) -> None:
    found = run(FORMATS[name], seed=1, numbers=range(COUNT), keep=tmp_path)
    kept = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.txt")]
    assert not found["failed"], kept[0]
    assert found["inputs"] == COUNT


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_true_files_of_the_corpus_are_read(name: str) -> None:
    kind = FORMATS[name]
    with throw_away_clinic() as clinic:
        for data in kind.corpus():
            assert clinic.take(data, kind.suffix).rows
