"""The canaries of a daemon, and of an installation that lost a template."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from monitor.daemon import daemon as daemon_module
from monitor.daemon.daemon import Daemon
from monitor.store.facts import CANARY, fact
from tests.clinic import Clinic
from tests.processes import ROOT, ClinicFolder, met

NOBODY_LISTENS = 9


def test_a_lost_template_is_told_the_same_night_and_not_by_the_first_real_alert(
    tmp_path: Path,
) -> None:
    program, folder = tmp_path / "program", tmp_path / "clinic"
    folder.mkdir()
    clinic = ClinicFolder(folder, NOBODY_LISTENS, bytecode=tmp_path / "bytecode")
    made = clinic.run("init")
    assert made.returncode == 0, made.stderr
    well = clinic.run("canary")
    assert well.returncode == 0, well.stdout + well.stderr
    assert "All arrived: " in well.stdout and "none of them sent" in well.stdout
    shutil.copytree(ROOT / "monitor", program / "monitor")
    shutil.copytree(ROOT / "templates", program / "templates")
    for name in ("schedules", "locale", "fonts", "config.example.toml"):
        (program / name).symlink_to(ROOT / name)
    (program / "templates" / "email" / "alert" / "body.txt").unlink()
    ill = clinic.with_program(program).run("canary")
    assert ill.returncode == 3, ill.stdout + ill.stderr
    assert "a message of the kind alert cannot be laid out (TemplateNotFound" in ill.stdout
    assert "Not all arrived" in ill.stdout
    health = clinic.run("health")
    assert health.returncode == 3 and "cannot be laid out" in health.stdout


@pytest.mark.sqlite_only
def test_a_daemon_lets_them_fly_once_a_night(ward: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "_CANARY_EVERY", 0.5)

    def flown() -> str | None:
        with ward.store.read() as connection:
            return fact(connection, CANARY)

    running = Daemon(ward.settings)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        assert met(lambda: flown() is not None, 60)
        first = flown()
        time.sleep(3)
        assert flown() == first
    finally:
        running.stop()
        thread.join()
    assert first is not None and '"died": []' in first
