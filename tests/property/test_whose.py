"""Files, corrections, merges, unmerges, enrolments and files taken back, in any order: the end
is what the files that are left say by themselves, and everything adds up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.intake.batches import revert
from monitor.intake.dependence import BatchRefused
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.load import load_file
from monitor.operations.status import status_rows
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store, open_store
from tests.clinic import at
from tests.desk import ENROL, EVENTS, LONG, Desk

BEGIN = at("2026-03-10", 8)
END = at("2026-03-20")
MRNS = ("A", "B", "C")
"""A and B are enrolled from the beginning."""
EXAMPLES = int(os.environ.get("MONITOR_WHOSE", "25"))


class Step(NamedTuple):
    """A file, or the number of an earlier step whose file is taken back."""

    what: str
    lines: tuple[str, ...] = ()
    back: int = 0


def _result(drawn: tuple[Any, ...]) -> str:
    mrn, day, value, status, specimen, unit = drawn
    return f"{mrn},2026-03-0{day}T08:00,neutrophils,{value},{unit},{specimen},{status},,"


RESULTS = st.builds(
    _result,
    st.tuples(
        st.sampled_from(MRNS),
        st.integers(1, 3),
        st.sampled_from(["0.4", "0.9", "2.5"]),
        st.sampled_from(["", "", "C", "P", "W"]),
        st.sampled_from(["", "s"]),
        st.sampled_from(["10*9/L", "10*9/L", "10*9/L", ""]),
    ),
)
PAIRS = st.permutations(MRNS).map(lambda order: (order[0], order[1]))
SAYINGS = st.builds(
    lambda pair, what, day: f"{pair[0]},2026-03-0{day},{what},{pair[1]},,,",
    PAIRS,
    st.sampled_from(["merge", "merge", "unmerge"]),
    st.integers(1, 3),
)
EVENT_LINES = st.builds(
    lambda mrn, what, day: f"{mrn},2026-03-0{day},{what},,,,",
    st.sampled_from(MRNS[:2]),
    st.sampled_from(["hold", "resume"]),
    st.integers(1, 3),
)
STEPS = st.lists(
    st.one_of(
        st.builds(lambda it: Step("load", tuple(it)), st.lists(RESULTS, min_size=1, max_size=4)),
        st.builds(
            lambda it: Step("events", tuple(it)),
            st.lists(st.one_of(SAYINGS, EVENT_LINES), min_size=1, max_size=2),
        ),
        st.just(Step("enrol", ("C,azathioprine,2026-01-05,,,",))),
        st.builds(lambda back: Step("revert", back=back), st.integers(0, 11)),
    ),
    min_size=2,
    max_size=12,
)


def carry_out(desk: Desk, steps: Sequence[Step]) -> set[int]:
    """Do the steps, an hour apart; the numbers of those whose files were taken back."""
    batches: dict[int, int] = {}
    gone: set[int] = set()
    for number, step in enumerate(steps):
        now = BEGIN + timedelta(hours=number)
        if step.what == "revert":
            if step.back in batches and _taken_back(desk, batches[step.back], now):
                gone.add(step.back)
                del batches[step.back]
            continue
        _take(desk, step, number, now)
        files = desk.clinic.rows(tables.File)
        if files[-1].received_at == now:
            batches[number] = files[-1].id
        if number % 3 == 2:
            desk.clinic.review(now)
    desk.clinic.review(END)
    return gone


def _taken_back(desk: Desk, batch: int, now: datetime) -> bool:
    try:
        revert(desk.store, desk.settings, batch, by="Ada", reason="wrong", now=now)
    except BatchRefused:
        return False
    return True


def _take(desk: Desk, step: Step, number: int, now: datetime) -> None:
    header = {"load": LONG, "events": EVENTS, "enrol": ENROL}[step.what]
    path = desk.folder / f"{number}.csv"
    # The number makes each file another one, also where it says the same.
    path.write_text("\n".join([f"{header},n", *(f"{it},{number}" for it in step.lines)]) + "\n")
    if step.what == "load":
        load_file(desk.store, desk.settings, path, "", now)
    elif step.what == "events":
        events_file(desk.store, desk.settings, path, now)
    else:
        enrol_file(desk.store, desk.settings, path, now)


def ends_with(desk: Desk) -> Any:
    """What there is in the end of those who are enrolled: their numbers, what stands, what is
    held, what is alerted, where they are."""
    statuses = status_rows(desk.store, desk.settings, END)
    enrolled = {row["mrn"] for row in statuses}
    patients = {row.id: row.mrn for row in desk.clinic.rows(tables.Patient)}
    whose = {mrn: values for mrn, values in desk.whose().items() if mrn in enrolled}
    held = sorted(
        (patients[row.patient_id], row.raw["value"], str(row.collected_on))
        for row in desk.held()
        if row.patient_id is not None and patients[row.patient_id] in enrolled
    )
    live = sorted(
        (row.shown["mrn"], row.cause, row.kind, row.urgency, str(row.worst_value), row.recovered)
        for row in desk.clinic.rows(tables.AlertRow)
        if row.state != "closed"
    )
    where = sorted((it["mrn"], it["panel"], it["state"], it["enrolment_state"]) for it in statuses)
    return {mrn: sorted(it) for mrn, it in whose.items() if it}, held, live, where


def _desk(store: Store, folder: Path) -> Desk:
    desk = Desk(store, folder)
    first = BEGIN - timedelta(hours=1)
    desk.enrol("A,azathioprine,2026-01-05,,,", "B,azathioprine,2026-01-12,,,", now=first)
    return desk


def check(steps: Sequence[Step], stores: Sequence[Store], folder: Path) -> None:
    desk, other = (_desk(store, folder) for store in stores)
    gone = carry_out(desk, steps)
    assert [str(it) for it in verify(desk.store, desk.settings, END)] == []
    left = [
        Step("revert", back=99) if number in gone or step.what == "revert" else step
        for number, step in enumerate(steps)
    ]
    assert carry_out(other, left) == set()
    assert ends_with(desk) == ends_with(other)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_the_end_is_what_the_files_that_are_left_say(
    migrated_sqlite: Path, steps: list[Step]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        stores = []
        for number in (1, 2):
            shutil.copy(migrated_sqlite, folder / f"{number}.db")
            stores.append(open_store(f"sqlite:///{folder / f'{number}.db'}"))
        try:
            check(steps, stores, folder)
        finally:
            for store in stores:
                store.dispose()


STORY = [
    Step("load", ("A,2026-03-01T08:00,neutrophils,0.4,10*9/L,,,,",)),
    Step("load", ("C,2026-03-01T08:00,neutrophils,0.9,10*9/L,,,,",)),
    Step("events", ("A,2026-03-01,merge,B,,,", "C,2026-03-01,merge,B,,,")),
    Step("load", ("A,2026-03-01T08:00,neutrophils,0.4,10*9/L,,,,",) * 2),
    Step("revert", back=0),
    Step("enrol", ("C,azathioprine,2026-01-05,,,",)),
    Step("events", ("B,2026-03-02,unmerge,C,,,", "A,2026-03-02,hold,,,,")),
    Step("revert", back=2),
    Step("load", ("C,2026-03-02T08:00,neutrophils,0.4,,,,,",)),
    Step("events", ("C,2026-03-02,merge,A,,,",)),
    Step("enrol", ("C,azathioprine,2026-01-05,,,",)),
    Step("revert", back=5),
    Step("revert", back=9),
]


@pytest.mark.parametrize("length", [5, 8, 13])
def test_a_story_ends_alike_on_both_databases(
    store: Store, tmp_path: Path, migrated_sqlite: Path, length: int
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "other.db")
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    check(STORY[:length], [store, other], tmp_path)
    other.dispose()
