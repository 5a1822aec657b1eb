"""The nightly sweep: a night that was cut short is made up for at the next start."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.daemon.daemon import NIGHTLY, SWEEP_HOUR
from monitor.operations import job_runs
from monitor.store.database import open_store
from tests.processes import ClinicFolder, met


@pytest.mark.parametrize(("before_the_hour", "is_swept"), [(10, True), (0, False)])
def test_who_starts_after_the_hour_sweeps_where_this_night_was_not(
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
    before_the_hour: int,
    is_swept: bool,
) -> None:
    now = datetime.now(UTC)
    ahead = (SWEEP_HOUR - now.hour + 12) % 24 - 12
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC")
    shutil.copy(migrated_sqlite, tmp_path / "monitor.db")
    clinic = ClinicFolder(tmp_path, port=1)
    assert clinic.run("init").returncode == 0
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    last = now.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=before_the_hour)
    with store.write() as connection:
        job_runs.record(connection, NIGHTLY, last, last, "")

    def done() -> datetime | None:
        with store.read() as connection:
            return job_runs.last_success(connection, NIGHTLY)

    daemon = clinic.start()
    clinic.drop("patients.csv", "mrn,drug,started_on\nA1,azathioprine,2026-01-05\n")
    assert met(lambda: clinic.done("patients.csv"))
    assert met(lambda: done() != last, 30 if is_swept else 1) is is_swept
    assert daemon.end() == 0
    seals = re.findall(r"seal='?(\d+-\d+-[0-9a-f]{64})", daemon.log.read_text())
    assert len(seals) == is_swept
    assert all(clinic.run("seal", it).returncode == 0 for it in seals)
    store.dispose()
