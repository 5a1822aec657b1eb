"""Somebody at a desk who writes files and takes them in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.load import load_file
from monitor.intake.report import OUTCOMES, FileReport, PeopleReport
from monitor.store import tables
from monitor.store.database import Store, open_store
from tests.clinic import CONFIG, Clinic, at, settings_in

NOW = at("2026-03-10")
LONG = "mrn,collected_at,analyte,value,unit,specimen_id,status,reported_at,comment"
ENROL = "mrn,drug,started_on,family_name,given_name,birth_date"
EVENTS = "mrn,on,event,value,drug,note,status"


class Desk:
    """Somebody who writes files and takes them in."""

    def __init__(self, store: Store, folder: Path, config: str = CONFIG) -> None:
        self.clinic = Clinic(store, settings_in(folder, config))
        self.store, self.settings, self.folder = store, self.clinic.settings, folder
        self.number = 0

    def file(self, header: str, *lines: str) -> Path:
        self.number += 1
        path = self.folder / f"file{self.number}.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    def enrol(self, *lines: str, header: str = ENROL, now: datetime = NOW) -> PeopleReport:
        return enrol_file(self.store, self.settings, self.file(header, *lines), now)

    def events(self, *lines: str, now: datetime = NOW, header: str = EVENTS) -> PeopleReport:
        return events_file(self.store, self.settings, self.file(header, *lines), now)

    def load(
        self, *lines: str, header: str = LONG, now: datetime = NOW, source: str = ""
    ) -> FileReport:
        report = load_file(self.store, self.settings, self.file(header, *lines), source, now)
        assert report.rows == sum(getattr(report, name) for name in OUTCOMES)
        return report

    def whose(self) -> dict[str, list[str]]:
        """What stands of neutrophils, by the number of the patient it belongs to."""
        mrns = {row.id: row.mrn for row in self.clinic.rows(tables.Patient)}
        found: dict[str, list[str]] = {}
        for row in self.clinic.rows(tables.ResultRow, analyte="neutrophils", stands=True):
            found.setdefault(mrns[row.patient_id], []).append(f"{row.value.normalize():f}")
        return {mrn: sorted(values) for mrn, values in found.items()}

    def standing(self, analyte: str = "neutrophils") -> list[str]:
        """What stands of an analyte: values with comparator, or the words of no result."""
        rows = self.clinic.rows(tables.ResultRow, analyte=analyte, stands=True)
        return sorted(
            row.no_result if row.value is None else f"{row.comparator}{row.value.normalize():f}"
            for row in rows
        )

    def held(self, state: str = "held") -> list[Any]:
        return self.clinic.rows(tables.HeldRowTable, state=state)


@contextmanager
def sqlite_desk(migrated: Path, folder: Path, config: str = CONFIG) -> Iterator[Desk]:
    """A desk on a copy of a migrated SQLite file, for long tables of cases in which the
    database makes no difference."""
    path = folder / "monitor.db"
    shutil.copy(migrated, path)
    store = open_store(f"sqlite:///{path}")
    yield Desk(store, folder, config)
    store.dispose()
