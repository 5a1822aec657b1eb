"""A patient who is enrolled while an edit is put in force is judged by the new text."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from monitor.core.vocabulary import Kind
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import edit_of
from monitor.operations.verify import verify
from monitor.resources import schedules_folder
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import CBC
from tests.desk import NOW, Desk
from tests.schedules_folder import edit, text_of, write

LONG_ENOUGH = 3.0
"""Seconds in which somebody is enrolled, if nothing is waited for."""


def counted(mrn: str, platelets: str) -> list[str]:
    counts = CBC | {"platelets": platelets}
    return [f"{mrn},2026-03-02,{name},{value},10*9/L,,,," for name, value in counts.items()]


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """Platelets alert below 150 instead of 140."""
    made = tmp_path / "schedules"
    shutil.copytree(schedules_folder(), made)
    path = write(made, text_of(made).partition("# ==== Examples")[0])
    edit(made, "{ below = 140,", "{ below = 150,")
    return path


@pytest.mark.postgresql_only
def test_who_is_enrolled_meanwhile_is_judged_by_the_edit(
    store: Store, stricter: Path, tmp_path: Path
) -> None:
    """An edit wakes with one statement whoever is enrolled by then. Somebody who was enrolled
    and reviewed after that statement, and before it was committed, was judged by the old text and
    slept on."""
    desk = Desk(store, tmp_path)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(*counted("P1", "120"))
    review_due(store, desk.settings, NOW)
    desk.load(*counted("P2", "145"))  # held: P2 is not enrolled

    def come() -> None:
        desk.enrol("P2,azathioprine,2026-01-05,,,")
        review_due(store, desk.settings, NOW)

    settled = partial(apply, store, desk.settings, edit_of(stricter), NOW, by="Dr A", reason="x")
    edits, comes = Thread(target=settled), Thread(target=come)
    alerts = table_of(tables.AlertRow)
    with store.write() as held_up:  # the alert of P1, which the edit restates
        held_up.execute(select(alerts.c.id).with_for_update()).all()
        edits.start()
        edits.join(LONG_ENOUGH)
        comes.start()
        comes.join(LONG_ENOUGH)
    edits.join()
    comes.join()
    review_due(store, desk.settings, NOW)
    assert verify(store, desk.settings, NOW) == []
    low = desk.clinic.rows(tables.AlertRow, rule="thrombocytopenia", kind=Kind.WITHHOLD.value)
    assert len(low) == 2
