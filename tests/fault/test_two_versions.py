"""A newer version brings the database up to date while daemons of this one work on it.

The newer version is this program with one more migration: that is how versions differ.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from monitor.store.revisions import newest
from tests.processes import ROOT, ClinicFolder, met

MIGRATION = '''"""What a later version needs."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"
additive = {additive}


def upgrade() -> None:
    op.add_column("alerts", sa.Column("seen_by", sa.String(), nullable=False, server_default=""))
    op.create_table("rooms", sa.Column("name", sa.String(), primary_key=True))
'''
PATIENTS = "mrn,drug,started_on\n{mrn},azathioprine,2026-01-05\n"
RESULTS = "mrn,collected_at,analyte,value,unit\n{mrn},2026-01-12T08:00,neutrophils,0.4,10*9/L\n"


@pytest.fixture
def clinic(tmp_path: Path, empty_url: str, mailbox: Catcher) -> Iterator[ClinicFolder]:
    folder = tmp_path / "clinic"
    folder.mkdir()
    made = ClinicFolder(folder, mailbox.port, database=empty_url)
    ended = made.run("init")
    assert ended.returncode == 0, ended.stderr
    yield made
    made.kill_all()


def another(clinic: ClinicFolder, folder: Path) -> tuple[Path, ClinicFolder]:
    """A program of its own, and the same clinic as it works on it."""
    program = folder / "newer"
    shutil.copytree(ROOT / "monitor", program / "monitor")
    for name in ("schedules", "templates", "locale", "fonts", "config.example.toml"):
        (program / name).symlink_to(ROOT / name)
    return program, clinic.with_program(program)


def newer(clinic: ClinicFolder, folder: Path, *, additive: bool) -> ClinicFolder:
    """The same clinic, worked on by the newer version."""
    program, later = another(clinic, folder)
    versions = program / "monitor" / "store" / "migrations" / "versions"
    (versions / "9999_later.py").write_text(MIGRATION.format(newest=newest(), additive=additive))
    return later


def test_what_a_newer_version_says_otherwise_is_said_once_its_daemon_runs(
    clinic: ClinicFolder, tmp_path: Path
) -> None:
    (clinic.folder / "patients.csv").write_text(PATIENTS.format(mrn="A1"))
    (clinic.folder / "results.csv").write_text(RESULTS.format(mrn="A1"))
    assert clinic.run("enrol", "patients.csv").returncode == 0
    assert clinic.run("load", "results.csv").returncode == 0
    assert clinic.run("verify").returncode == 0
    program, later = another(clinic, tmp_path)
    findings = program / "monitor" / "core" / "findings.py"
    said = findings.read_text()
    changed = said.replace("limit_text=limit.text,", 'limit_text=f"{limit.text}, worded anew",')
    assert changed != said
    findings.write_text(changed)
    verified = later.run("verify")
    assert (verified.returncode, "worded anew" in verified.stdout) == (3, True)
    daemon = later.start()
    assert met(lambda: later.run("verify").returncode == 0, 60)
    assert daemon.end() == 0
    assert "nothing had announced" not in daemon.log.read_text()


@pytest.mark.postgresql_only
def test_old_and_new_work_together_after_a_migration_that_adds(
    clinic: ClinicFolder, tmp_path: Path, mailbox: Catcher
) -> None:
    old = clinic.start()
    later = newer(clinic, tmp_path, additive=True)
    migrated = later.run("init")
    assert migrated.returncode == 0, migrated.stderr
    new = later.start()
    for number in range(4):
        clinic.drop(f"{number}-patients.csv", PATIENTS.format(mrn=f"A{number}"))
        clinic.drop(f"{number}-results.csv", RESULTS.format(mrn=f"A{number}"))
    assert met(lambda: clinic.done("3-results.csv"), 60)
    assert met(lambda: sum("CRITICAL" in mail.subject for mail in mailbox.caught) == 4, 60)
    assert (old.end(60), new.end(60)) == (0, 0)  # how soon is asked in test_daemon_signals
    assert clinic.start().end(60) == 0  # an old one can still be started
    for version in (clinic, later):
        verified = version.run("verify")
        assert verified.returncode == 0, verified.stdout
    for daemon in clinic.started:
        assert "level='error'" not in daemon.log.read_text()


def test_a_migration_that_does_more_waits_for_the_daemons_to_end(
    clinic: ClinicFolder, tmp_path: Path
) -> None:
    old = clinic.start()
    later = newer(clinic, tmp_path, additive=False)
    refused = later.run("init")
    assert refused.returncode == 2
    assert f"process {old.process.pid}" in refused.stderr
    assert old.end() == 0
    assert later.run("init").returncode == 0
    outdated = clinic.run("run")
    assert outdated.returncode == 2
    assert "newer version" in outdated.stderr
    assert "Traceback" not in outdated.stderr


def test_a_daemon_that_was_killed_a_moment_ago_is_not_waited_for(
    clinic: ClinicFolder, tmp_path: Path
) -> None:
    """Nobody could end it, and its last sign of life is as fresh as that of one that works."""
    clinic.start().kill()
    migrated = newer(clinic, tmp_path, additive=False).run("init")
    assert migrated.returncode == 0, migrated.stderr


@pytest.mark.postgresql_only
def test_a_daemon_ends_where_the_database_is_no_longer_its_own(
    clinic: ClinicFolder, tmp_path: Path
) -> None:
    """Somebody brought it up to date all the same, a clock being wrong for instance."""
    daemon = clinic.start()
    program = newer(clinic, tmp_path, additive=False)
    script = (
        "from monitor.store import revisions; revisions.refuse_in_use = lambda connection: None; "
        "import os; from monitor.store.database import open_store; "
        "open_store(os.environ['MONITOR__DATABASE__URL']).migrate()"
    )
    done = program.python("-c", script)
    assert done.returncode == 0, done.stderr
    assert daemon.process.wait(60) == 2
    assert "newer version" in daemon.log.read_text()
    assert "Traceback" not in daemon.log.read_text()
