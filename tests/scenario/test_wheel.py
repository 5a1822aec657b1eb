"""What is installed from a wheel is the whole program: away from the clone it has every file that
it reads, and works."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.processes import ROOT

TRAVELS = ("schedules", "templates", "locale", "fonts", "config.example.toml")
"""What stands beside the package in a clone, and within it in a wheel."""
_PATIENTS = """mrn,family_name,given_name,birth_date,drug,started_on,tpmt,nudt15
W1,Keller,Anna,1970-05-01,azathioprine,2026-01-05,normal,normal
"""
_RESULTS = """mrn,collected_at,analyte,value,unit
W1,2026-01-12T08:00,neutrophils,2.1,10*9/L
W1,2026-01-19T08:00,neutrophils,0.7,10*9/L
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as an installer builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """The folder from which Python imports it, as from site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    return tmp_path / "site"


def test_a_wheel_has_every_file_that_the_program_reads(wheel: Path) -> None:
    read = [path for name in ("monitor", *TRAVELS) for path in _files(ROOT / name)]
    ours = {path.relative_to(ROOT).as_posix() for path in read}
    wanted = {it if it.startswith("monitor/") else f"monitor/shipped/{it}" for it in ours}
    with zipfile.ZipFile(wheel) as archive:
        assert wanted - set(archive.namelist()) == set()


def test_a_clinic_begins_with_what_was_installed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(_PATIENTS, encoding="utf-8")
    (tmp_path / "results.csv").write_text(_RESULTS, encoding="utf-8")

    def monitor(*words: str) -> str:
        command = [sys.executable, "-m", "monitor", *words]
        env = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout

    assert "ready" in monitor("init")
    assert "1 taken" in monitor("enrol", "patients.csv", "--at", "2026-01-05")
    monitor("load", "results.csv", "--at", "2026-01-19T12:00")
    assert "Neutrophils 0.7" in monitor("alerts", "--at", "2026-01-19T12:05")


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    made = ("__pycache__", ".DS_Store")
    return [it for it in path.rglob("*") if it.is_file() and not set(it.parts) & set(made)]
