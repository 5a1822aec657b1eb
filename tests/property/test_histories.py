"""Weeks of a small clinic whose numbers resemble each other: files, corrections, merges, rows that
people let go, hold again or give to somebody, stops, new treatments and files taken back, at random.

A slow model of its own says after each step whose each row is and which rows are held.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from monitor.intake.batches import revert
from monitor.intake.dependence import BatchRefused
from monitor.intake.mending import Mend, fix
from monitor.intake.quarantine import discard, hold_again
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store, open_store
from tests.clinic import at
from tests.desk import LONG, Desk

BEGIN = at("2026-03-10", 8)
HISTORIES = int(os.environ.get("MONITOR_HISTORIES", "10"))
FIRST = int(os.environ.get("MONITOR_HISTORIES_FROM", "0"))
NUMBERS = ("A1", "A12", "7", "007", "south:7")
"""Clashing: one begins another, one is another but for its zeros, two have different issuers."""
RANKS = {"P": 0, "": 1, "C": 2, "W": 2}
_SAME = ("A1", "a1 ")


class Row(NamedTuple):
    """A row of results as a laboratory writes it."""

    mrn: str
    day: int
    value: str
    status: str = ""
    specimen: str = ""
    comment: str = ""
    issuer: str = ""
    unit: str = "10*9/L"

    @property
    def text(self) -> str:
        cells = (
            self.mrn, f"2026-03-0{self.day}T08:00", "neutrophils", self.value, self.unit,
            self.specimen, self.status, "", self.comment, self.issuer,
        )  # fmt: skip
        return ",".join(cells)

    @property
    def number(self) -> tuple[str, str]:
        """Issuer and number."""
        issuer, _, number = self.mrn.strip().casefold().rpartition(":")
        return (issuer or self.issuer.casefold(), number)


@dataclass(eq=False)
class Instance:
    """One row in one file."""

    row: Row
    file: int
    line: int
    repeats: Instance | None = None
    """What was held or let go with the same words when it came."""
    let_go: bool = False
    given_to: str = ""


@dataclass
class Truth:
    """What follows from the files that are left."""

    rows: list[Instance] = field(default_factory=list)
    said: list[tuple[int, str, str, str]] = field(default_factory=list)
    """File, what, old and new."""
    enrolled: list[tuple[int, str]] = field(default_factory=list)

    def persons(self) -> tuple[dict[str, str], set[str]]:
        """The number that survives for each, and the survivors who are enrolled."""
        lasting: list[tuple[str, str]] = []
        for _, what, old, new in self.said:
            if what == "merge":
                lasting.append((old, new))
            else:
                lasting = [it for it in lasting if set(it) != {old, new}]
        of = {number: number for number in NUMBERS}
        for old, new in lasting:
            survivor = new if of[old] == of[new] else of[new]
            gone = {of[old], of[new]}
            of = {number: survivor if it in gone else it for number, it in of.items()}
        return of, {of[number] for _, number in self.enrolled}

    def whose(self) -> tuple[dict[str, list[tuple[str, str]]], set[Row]]:
        """What stands of each who is enrolled (value and comment), and what is held."""
        of, patients = self.persons()
        known = {_key(number): number for number in NUMBERS if of[number] in patients}
        seen: dict[str, str] = {}
        reports: dict[tuple[str, int, str], list[Row]] = {}
        held: set[Row] = set()
        let_go = {it.row for it in self.rows if it.let_go}
        for it in sorted(self.rows, key=lambda it: (it.file, it.line)):
            if it.given_to and of[it.given_to] not in patients:
                it.given_to = ""
            if it.repeats is not None or it.let_go:
                continue
            number = it.given_to or self._found(it.row, known, seen)
            if not number or (not it.row.unit and it.row.status != "W"):
                if it.row not in let_go:  # what comes again of it waits no more than it
                    held.add(it.row)
            else:
                key = (of[number], it.row.day, it.row.specimen)
                reports.setdefault(key, []).append(it.row)
        stands: dict[str, list[tuple[str, str]]] = {}
        for (person, _, _), rows in reports.items():
            top = _standing(rows)
            if top is not None:
                stands.setdefault(person, []).append((top.value, top.comment))
        return {person: sorted(it) for person, it in stands.items()}, held

    @staticmethod
    def _found(row: Row, known: dict[tuple[str, str], str], seen: dict[str, str]) -> str:
        if row.number in known:
            return known[row.number]
        plain = known.get(("", row.number[1]))
        if plain is None or ":" in row.mrn:
            return ""
        return plain if seen.setdefault(plain, row.number[0]) == row.number[0] else ""

    def held(self, row: Row) -> Instance | None:
        """The row that is held or let go with these words."""
        _, held = self.whose()
        for it in self.rows:
            waits = row in held and not it.given_to
            if it.row == row and it.repeats is None and (it.let_go or waits):
                return it
        return None

    def take_back(self, file: int) -> None:
        gone = [it for it in self.rows if it.file == file]
        self.rows = [it for it in self.rows if it.file != file]
        self.said = [it for it in self.said if it[0] != file]
        self.enrolled = [it for it in self.enrolled if it[0] != file]
        for one in gone:
            heirs = [it for it in self.rows if it.repeats is one]
            for heir in heirs[:1]:
                heir.repeats, heir.let_go = None, one.let_go
            for other in heirs[1:]:
                other.repeats = heirs[0]


def _key(number: str) -> tuple[str, str]:
    issuer, _, plain = number.casefold().rpartition(":")
    return issuer, plain


def _standing(rows: Sequence[Row]) -> Row | None:
    """Of reports of one result, in order of receipt: the one that counts."""
    news: list[Row] = []
    for row in rows:
        same = [it for it in news if it.value == row.value]
        same = [it for it in same if (it.status == "W") == (row.status == "W")]
        if not any(RANKS[it.status] >= RANKS[row.status] for it in same):
            news.append(row)
    top = max(enumerate(news), key=lambda it: (RANKS[it[1].status], it[0]))[1]
    return None if top.status == "W" else top


class Week:
    """One history: what is done at the desk, and what the truth is."""

    def __init__(self, desk: Desk, luck: random.Random) -> None:
        self.desk, self.luck, self.truth = desk, luck, Truth()
        self.steps: list[str] = []
        self.batches: dict[int, int] = {}
        self.stopped: dict[str, int] = {}

    @property
    def now(self) -> datetime:
        return BEGIN + timedelta(hours=len(self.steps))

    def step(self) -> None:
        does = (
            (self.load, 8), (self.say, 5), (self.enrol, 3), (self.back, 5), (self.stop, 1),
            (self.let_go, 2), (self.again, 1), (self.give, 1),
        )  # fmt: skip
        self.luck.choices([it for it, _ in does], [weight for _, weight in does])[0]()
        if self.luck.random() < 0.3:
            self.desk.clinic.review(self.now)

    def load(self) -> None:
        luck = self.luck
        rows = []
        for _ in range(luck.randint(1, 3)):
            if self.truth.rows and luck.random() < 0.35:
                row = luck.choice(self.truth.rows).row
                if luck.random() < 0.3:
                    row = row._replace(comment=luck.choice(["", "seen", "again"]))
                rows.append(row)
                continue
            mrn = luck.choice(NUMBERS)
            mrn = luck.choice(_SAME) if mrn == "A1" else mrn
            issuer = "" if ":" in mrn else luck.choice(["", "", "CITY"])
            rows.append(
                Row(
                    mrn, luck.randint(1, 2), luck.choice(["0.4", "0.9", "2.5"]),
                    luck.choice(["", "", "", "C", "P", "W"]), luck.choice(["", "", "s"]),
                    luck.choice(["", "", "seen"]), issuer, luck.choice(["10*9/L"] * 5 + [""]),
                )
            )  # fmt: skip
        self.steps.append(f"load {[row.text for row in rows]}")
        file = len(self.steps)
        self._file(f"{LONG},issuer", [row.text for row in rows], self.desk.load)
        known = {row: self.truth.held(row) for row in rows}
        for line, row in enumerate(rows):
            one = Instance(row, file, line)
            before = known[row] or next(
                (it for it in self.truth.rows if it.row == row and it.file == file), None
            )
            self.truth.rows.append(one)
            if before is not None and before is not one and self._would_wait(one, before):
                one.repeats = before

    def _would_wait(self, one: Instance, before: Instance) -> bool:
        """Whether it says again what is held or let go: it is held itself."""
        truth = self.truth
        alone = Truth([it for it in truth.rows if not it.let_go], truth.said, truth.enrolled)
        return one.row in alone.whose()[1] and before.repeats is None

    def say(self) -> None:
        old, new = self.luck.sample(NUMBERS, 2)
        what = self.luck.choice(["merge", "merge", "unmerge"])
        merged = [it[2:] for it in self.truth.said if it[1] == "merge"]
        if what == "unmerge" and merged:
            old, new = self.luck.choice(merged)
        line = f"{old},2026-03-0{self.luck.randint(1, 3)},{what},{new},,s{len(self.steps)},"
        self.steps.append(f"say {line}")
        file = len(self.steps)
        if self._file("mrn,on,event,value,drug,note,status", [line], self.desk.events).taken:
            self.truth.said.append((file, what, old, new))

    def enrol(self, number: str = "") -> None:
        number = number or self.luck.choice(NUMBERS)
        start = self.luck.choice(["2026-01-05", "2026-01-05", "2026-03-06"])
        self.steps.append(f"enrol {number} {start}")
        file = len(self.steps)
        line = f"{number},azathioprine,{start},,,"
        report = self._file(
            "mrn,drug,started_on,family_name,given_name,birth_date", [line], self.desk.enrol
        )
        if not report.refused:
            self.truth.enrolled.append((file, number))

    def stop(self) -> None:
        number = self.luck.choice(NUMBERS)
        self.steps.append(f"stop {number}")
        line = f"{number},2026-03-04,stop,,,,"
        self._file("mrn,on,event,value,drug,note,status", [line], self.desk.events)

    def back(self) -> None:
        if not self.batches:
            return
        file = self.luck.choice(sorted(self.batches))
        self.steps.append(f"back {file}")
        batch = self.batches[file]
        try:
            revert(self.desk.store, self.desk.settings, batch, by="A", reason="w", now=self.now)
        except BatchRefused:
            self.steps[-1] += " refused"
            return
        del self.batches[file]
        self.truth.take_back(file)

    def let_go(self) -> None:
        held = self.desk.held()
        if not held:
            return
        one = self.luck.choice(held)
        row = _row_of(one)
        self.steps.append(f"let go {row.text}")
        discard(self.desk.store, [one.id], by="A", reason="w", now=self.now)
        for it in self.truth.rows:
            waits = it.row == row and it.repeats is None and not it.given_to
            if waits and row in self.truth.whose()[1]:
                it.let_go = True

    def again(self) -> None:
        gone = self.desk.held("discarded")
        if not gone:
            return
        one = self.luck.choice(gone)
        self.steps.append(f"again {_row_of(one).text}")
        hold_again(self.desk.store, self.desk.settings, [one.id], by="A", reason="w", now=self.now)
        row = _row_of(one)
        for it in self.truth.rows:
            if it.row == row:
                it.let_go = False

    def give(self) -> None:
        _, patients = self.truth.persons()
        held = [it for it in self.desk.held() if it.raw.get("unit")]
        if not held or not patients:
            return
        one, number = self.luck.choice(held), self.luck.choice(sorted(patients))
        self.steps.append(f"give {_row_of(one).text} to {number}")
        fix(
            self.desk.store, self.desk.settings, one.id, Mend(patient=number),
            by="A", now=self.now, once=True,
        )  # fmt: skip
        self._of(one.file_id, one.line).given_to = number

    def _of(self, batch: int, line: int) -> Instance:
        file = next(it for it, known in self.batches.items() if known == batch)
        return next(it for it in self.truth.rows if (it.file, it.line) == (file, line - 2))

    def _file(self, header: str, lines: Sequence[str], take: Any) -> Any:
        number = len(self.steps)
        lines = [f"{it},{number}" for it in lines]
        report = take(*lines, header=f"{header},n", now=self.now)
        files = self.desk.clinic.rows(tables.File)
        if files[-1].received_at == self.now:
            self.batches[number] = files[-1].id
        return report

    def check(self) -> None:
        stands, held = self.truth.whose()
        _, patients = self.truth.persons()
        mrns = {row.id: row.mrn for row in self.desk.clinic.rows(tables.Patient)}
        found: dict[str, list[tuple[str, str]]] = {}
        for row in self.desk.clinic.rows(tables.ResultRow, stands=True):
            mrn = mrns[row.patient_id]
            if mrn in patients:
                found.setdefault(mrn, []).append((f"{row.value:f}", row.comment))
        left = {mrn: sorted(it) for mrn, it in found.items()}
        assert left == stands, f"stands {left}, should {stands}"
        waits = sorted(_row_of(it) for it in self.desk.held())
        assert waits == sorted(held), f"held {waits}, should {sorted(held)}"
        differs = [str(it) for it in verify(self.desk.store, self.desk.settings, self.now)]
        assert not differs, differs


def _row_of(held: Any) -> Row:
    received = held.raw["received"]
    return Row(
        received["mrn"], int(received["collected_at"][8:10]), received["value"],
        received["status"], received["specimen_id"], received["comment"], received["issuer"],
        received["unit"],
    )  # fmt: skip


def live(seed: int, store: Store, folder: Path) -> None:
    luck = random.Random(seed)
    week = Week(Desk(store, folder), luck)
    week.enrol("A1")
    week.enrol("7")
    try:
        for _ in range(luck.randint(6, 18)):
            week.step()
            week.check()
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), f"seed {seed}", *week.steps])) from error


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_each_row_is_where_what_is_left_says(
    migrated_sqlite: Path, tmp_path: Path, seed: int
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "monitor.db")
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    try:
        live(seed, store, tmp_path)
    finally:
        store.dispose()
