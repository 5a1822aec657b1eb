"""Fixtures for tests of one room."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.resources import schedules_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schedules folder with the shipped files."""
    return Path(shutil.copytree(schedules_folder(), tmp_path / "schedules"))
