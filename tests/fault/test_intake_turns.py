"""Files that come in at the same time take turns: no row is lost between two transactions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Barrier, Thread

from monitor.intake.enrol import enrol_file
from monitor.intake.load import load_file
from monitor.store import tables
from monitor.store.database import Store, open_store
from tests.desk import LONG, NOW, Desk


def at_once(*works: Callable[[], object]) -> None:
    """Do all of it at the same moment, each in a thread of its own."""
    together = Barrier(len(works))
    faults: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        together.wait()
        try:
            work()
        except Exception as fault:  # noqa: BLE001  # told by the assertion below
            faults.append(fault)

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_row_for_a_patient_who_is_just_being_enrolled_goes_in(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path)
    other = open_store(store_url)
    for number in range(6):
        patient = desk.file("mrn,drug,started_on", f"P{number},azathioprine,2026-01-05")
        results = desk.file(LONG, f"P{number},2026-03-02,neutrophils,0.9,10*9/L,,,,")
        at_once(
            partial(enrol_file, store, desk.settings, patient, NOW),
            partial(load_file, other, desk.settings, results, "", NOW),
        )
    other.dispose()
    assert desk.standing() == ["0.9"] * 6
    assert desk.held() == []


def test_the_same_file_at_the_same_time_is_stored_once(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    others = [open_store(store_url) for _ in range(3)]
    lines = [f"P1,2026-03-02,neutrophils,0.9,10*9/L,S{number},,," for number in range(50)]
    path = desk.file(LONG, *lines, "P1,2026-03-02,neutrophils,0.9,,,,,")
    at_once(*(partial(load_file, one, desk.settings, path, "", NOW) for one in others))
    for one in others:
        one.dispose()
    assert len(desk.clinic.rows(tables.ResultRow)) == 50
    assert len(desk.held()) == 1
    assert [file.rows for file in desk.clinic.rows(tables.File, name=path.name)] == [51]
