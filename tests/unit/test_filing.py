"""Where a file that was taken is put, when several daemons take it from one shared folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from monitor.intake import filing

FIRST = {"file": "lab.csv", "kind": "results", "sha256": "ab" * 32, "stored": 5}
SECOND = FIRST | {"stored": 0, "duplicate": 5}


def test_who_finds_a_file_put_away_by_another_daemon_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, done = tmp_path / "lab.csv", tmp_path / "done"
    path.write_text("")
    exists = Path.exists

    def exists_after_the_other(asked: Path) -> bool:
        monkeypatch.undo()
        assert filing.move(path, filing.reserve(done, FIRST))
        return exists(asked)

    monkeypatch.setattr(Path, "exists", exists_after_the_other)
    assert not filing.move(path, filing.reserve(done, SECOND))
    assert filing.reported(done / "lab.csv") == FIRST
    assert sorted(it.name for it in done.iterdir()) == [
        "lab.csv",
        "lab.csv.report.json",
        "lab.csv.report.txt",
    ]


def test_a_report_is_not_written_over_by_another_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_before_the_other(source: Path, target: Path, **how: Any) -> None:
        link(source, target, **how)
        monkeypatch.undo()
        filing.reserve(tmp_path, SECOND)

    monkeypatch.setattr(os, "link", link_before_the_other)
    assert filing.reserve(tmp_path, FIRST) == tmp_path / "lab.csv"
    assert filing.reported(tmp_path / "lab.csv") == FIRST
