"""Fixtures for tests of one room."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.resources import schedules_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schedules folder with the shipped analytes and the default protocol alone: what tests
    edit. The whole library is in test_library.py."""
    made = tmp_path / "schedules"
    made.mkdir()
    for name in ("analytes.toml", "azathioprine.toml"):
        shutil.copy(Path(schedules_folder()) / name, made / name)
    return made
