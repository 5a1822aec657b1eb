"""A seal kept elsewhere shows whether somebody changed who did what."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Executable, delete, insert, update

from monitor.operations.backup import backup
from monitor.operations.people import acknowledge
from monitor.store import tables
from monitor.store.audit import ON_THE_COMMAND_LINE, note
from monitor.store.database import open_store
from monitor.store.seal import Seal, holds, seal
from monitor.store.tables import table_of
from tests.clinic import Clinic, at
from tests.command_line import CommandLine

TRAIL, HISTORY = table_of(tables.AuditRow), table_of(tables.AlertHistory)
NOW = at("2026-01-20", 8)


@pytest.fixture
def sealed(ward: Clinic) -> tuple[Clinic, Seal]:
    """Somebody who is overdue, whose alert was acknowledged; two pages that were seen."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.review(at("2026-01-19", 8))
    alert = ward.rows(tables.AlertRow)[0].id
    acknowledge(ward.store, ward.settings, alert, by="Jo", now=at("2026-01-19", 9))
    with ward.store.write() as connection:
        for page in ("patient seen", "worklist seen"):
            note(connection, ON_THE_COMMAND_LINE, page, at("2026-01-19", 10), detail="æ")
    with ward.store.read() as connection:
        return ward, seal(connection, NOW)


def still(ward: Clinic, kept: Seal) -> bool:
    with ward.store.read() as connection:
        return holds(connection, kept)


def test_it_holds_whatever_is_added_later(sealed: tuple[Clinic, Seal]) -> None:
    ward, kept = sealed
    assert kept.trail == 2 and kept.history > 1
    with ward.store.write() as connection:
        note(connection, ON_THE_COMMAND_LINE, "patient seen", NOW)
    assert still(ward, kept)


@pytest.mark.parametrize(
    "tampering",
    [
        update(TRAIL).where(TRAIL.c.id == 1).values(who="somebody else"),
        update(TRAIL).where(TRAIL.c.id == 1).values(at=at("2026-01-19", 11)),
        delete(TRAIL).where(TRAIL.c.id == 2),
        update(HISTORY).where(HISTORY.c.what == "acknowledged").values(by="Alex"),
        delete(HISTORY).where(HISTORY.c.what == "acknowledged"),
    ],
    ids=["who", "when", "a line taken away", "who acknowledged", "never acknowledged"],
)
def test_it_does_not_hold_where_a_line_was_changed(
    sealed: tuple[Clinic, Seal], tampering: Executable
) -> None:
    ward, kept = sealed
    with ward.store.write() as connection:
        connection.execute(tampering)
    assert not still(ward, kept)


def test_a_line_that_is_slipped_in_shows(sealed: tuple[Clinic, Seal]) -> None:
    ward, kept = sealed
    line = {"who": "Jo", "what": "patient seen", "at": NOW, "address": "", "detail": ""}
    with ward.store.write() as connection:
        connection.execute(insert(TRAIL).values(id=-1, **line))
    assert not still(ward, kept)


def test_what_is_not_settled_is_left_to_the_next_seal(sealed: tuple[Clinic, Seal]) -> None:
    """On PostgreSQL a transaction under way has taken its number already."""
    ward, kept = sealed
    with ward.store.write() as connection:
        note(connection, ON_THE_COMMAND_LINE, "patient seen", NOW)
    with ward.store.read() as connection:
        assert seal(connection, NOW) == kept


def test_it_holds_in_a_backup(sealed: tuple[Clinic, Seal], tmp_path: Path) -> None:
    ward, kept = sealed
    backup(ward.store, tmp_path / "copy.db", NOW, replace=False)
    copy = open_store(f"sqlite:///{tmp_path / 'copy.db'}")
    with copy.read() as connection:
        assert holds(connection, kept)
    copy.dispose()


def test_the_command_makes_one_and_tries_it(clinic: CommandLine) -> None:
    made = clinic("seal", "--at", "2026-01-20")
    kept = made.out.strip()
    assert made.code == 0 and str(Seal.read(kept)) == kept
    assert clinic("seal", kept).out.startswith("It holds: ")
    assert clinic("seal", kept, "--json").json == {"seal": kept, "holds": True}
    other = kept[:-1] + ("0" if kept[-1] != "0" else "1")
    tried = clinic("seal", other)
    assert tried.code == 3 and tried.out.startswith("It does not hold: ")
    wrong = clinic("seal", "1204")
    assert wrong.code == 2 and "one looks like" in wrong.err
