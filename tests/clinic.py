"""A small clinic for tests: patients, results and events go straight into the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update

from monitor.config import Settings, read_settings
from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.changes import Alert
from monitor.core.protocol_file import digest_of
from monitor.resources import schedules_folder
from monitor.review import Tally, review_due
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.frames import load_alerts, wake
from monitor.store.readings import Reading, Readings, readings_of, whole_results
from monitor.store.rulebook import put_in_force
from monitor.store.tables import table_of

ZONE = ZoneInfo("Europe/Zurich")
CONFIG = """
[clinic]
timezone = "Europe/Zurich"
email = "operator@clinic.example"

[[routes]]
to = ["nurse@clinic.example"]
"""
CBC = {
    "hemoglobin": "140",
    "white_cells": "6.0",
    "neutrophils": "4.0",
    "lymphocytes": "1.5",
    "platelets": "250",
}
LFT = {"bilirubin": "10", "alt": "20"}


def at(day: str, hour: int = 12) -> datetime:
    """An instant of a clinic day."""
    local = datetime.fromisoformat(day).replace(hour=hour, tzinfo=ZONE)
    return local.astimezone(UTC)


class Clinic:
    """One store with the shipped protocol in force, and one file that everything came from."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        with store.write() as connection:
            for name in ("analytes", "azathioprine"):
                text, now = _text(name), at("2026-01-01")
                put_in_force(connection, name, text, digest_of(text), now, "test", "first")
            self.file_id = _insert(
                connection,
                tables.File,
                kind="results",
                name="all.csv",
                sha256="0",
                source="",
                received_at=at("2026-01-01"),
                rows=0,
                stored=0,
                duplicate=0,
                superseded=0,
                withdrawn=0,
                quarantined=0,
                ignored=0,
            )
        self.last_line = 0

    def enrol(
        self,
        mrn: str,
        started_on: str = "2026-01-05",
        now: datetime | None = None,
        *,
        baseline: bool = True,
        **more: Any,
    ) -> int:
        """A patient and an enrolment, to be reviewed at once; returns the enrolment's id.

        `baseline`: with normal genotypes, dose and weight, and blood tests a week before the start.
        """
        start = date.fromisoformat(started_on)
        now = now or start_of_day(start, ZONE)
        values = {
            "drug": "azathioprine",
            "protocol_id": "azathioprine",
            "started_on": start,
            "enrolled_on": clinic_day(now, ZONE),
            "enrolled_at": now,
            "next_review_at": now,
        }
        if baseline:
            values |= {"tpmt": "normal", "nudt15": "normal"}
            values |= {"dose_mg_per_day": Decimal(100), "weight_kg": Decimal(70)}
        with self.store.write() as connection:
            patient = _insert(
                connection, tables.Patient, mrn=mrn, mrn_key=mrn.casefold(), mrn_loose=mrn
            )
            number = {"number": mrn, "number_key": mrn.casefold()}
            key = {"issuer": "", "issuer_key": ""} | number
            _insert(connection, tables.Identifier, patient_id=patient, **key)
            enrolment = _insert(
                connection, tables.EnrolmentRow, patient_id=patient, **values | more
            )
        if baseline:
            before = start - timedelta(days=7)
            self.results(mrn, before.isoformat(), CBC | LFT, received_at=now)
        return enrolment

    def results(
        self, mrn: str, day: str, values: dict[str, str], *, hour: int = 9, **more: Any
    ) -> tuple[int, ...]:
        """Results of one specimen, stored and their patient woken, as a load would."""
        collected = at(day, hour)
        with self.store.write() as connection:
            patient = self._patient(connection, mrn)
            for analyte, text in values.items():
                self.last_line += 1
                row = {
                    "collected_at": collected,
                    "collected_on": clinic_day(collected, ZONE),
                    "timed": True,
                    "value": Decimal(text) if text else None,
                    "no_result": "" if text else "clotted",
                    "status": "final",
                    "stands": True,
                    "received_value": text,
                    "received_at": collected,
                    "file_id": self.file_id,
                    "line": self.last_line,
                }
                _insert(
                    connection,
                    tables.ResultRow,
                    patient_id=patient,
                    analyte=analyte,
                    **row | more,
                )
            files = table_of(tables.File)
            counts = {"rows": files.c.rows + len(values), "stored": files.c.stored + len(values)}
            connection.execute(update(files).where(files.c.id == self.file_id).values(counts))
            since = more.get("received_at", collected)
            return wake(connection, [patient], since, results=False)

    def event(self, mrn: str, on: str, event: str, value: str = "", **more: Any) -> None:
        """Something that happened, as `events` takes it in."""
        with self.store.write() as connection:
            patient = self._patient(connection, mrn)
            self.last_line += 1
            _insert(
                connection,
                tables.EventRow,
                **{
                    "patient_id": patient,
                    "on": date.fromisoformat(on),
                    "event": event,
                    "value": value,
                    "received_at": at(on),
                    "file_id": self.file_id,
                    "line": self.last_line,
                }
                | more,
            )
            wake(connection, [patient], more.get("received_at", at(on)))

    def hold_row(self, mrn: str, day: str, analyte: str, value: str, **more: Any) -> int:
        """A row of the patient in quarantine, as a load would leave it; the row's id."""
        with self.store.write() as connection:
            patient = self._patient(connection, mrn)
            self.last_line += 1
            row = {
                "raw": {"value": value, "unit": "G/L"},
                "raw_digest": str(self.last_line),
                "reason_code": "value",
                "reason": "not a number",
                "mrn_key": mrn.casefold(),
                "collected_on": date.fromisoformat(day),
                "held_at": at(day),
                "line": self.last_line,
            }
            held = _insert(
                connection,
                tables.HeldRowTable,
                file_id=self.file_id,
                source="",
                patient_id=patient,
                analyte=analyte,
                **row | more,
            )
            files = table_of(tables.File)
            counts = {"rows": files.c.rows + 1, "quarantined": files.c.quarantined + 1}
            connection.execute(update(files).where(files.c.id == self.file_id).values(counts))
            wake(connection, [patient], at(day))
            return held

    def supersede(self, mrn: str, analyte: str, day: str) -> None:
        """Let a result stand no longer, as a correction would."""
        results = table_of(tables.ResultRow)
        with self.store.write() as connection:
            patient = self._patient(connection, mrn)
            connection.execute(
                update(results)
                .where(
                    results.c.patient_id == patient,
                    results.c.analyte == analyte,
                    results.c.collected_on == date.fromisoformat(day),
                )
                .values(stands=False)
            )

    def review(self, now: datetime, **more: Any) -> Tally:
        return review_due(self.store, self.settings, now, **more)

    def alerts(self, enrolment_id: int) -> list[Alert]:
        with self.store.read() as connection:
            return load_alerts(connection, [enrolment_id])[enrolment_id]

    def rows(self, model: type[Any], **equal: Any) -> list[Row[Any]]:
        """All rows of a table, or those with these values, in the order of their ids."""
        table = whole_results() if model is tables.ResultRow else table_of(model)
        query = select(table).order_by(*(table.c[it.name] for it in table_of(model).primary_key))
        for name, value in equal.items():
            query = query.where(table.c[name] == value)
        with self.store.read() as connection:
            return list(connection.execute(query))

    def next_review(self, enrolment_id: int) -> datetime | None:
        (row,) = self.rows(tables.EnrolmentRow, id=enrolment_id)
        found: datetime | None = row.next_review_at
        return found

    def set(self, model: type[Any], row_id: int, **values: Any) -> None:
        """Change a row behind the program's back."""
        table = table_of(model)
        with self.store.write() as connection:
            if model is tables.ResultRow:
                values = _with_reading(connection, values, row_id)
            connection.execute(update(table).where(table.c.id == row_id).values(values))

    def _patient(self, connection: Connection, mrn: str) -> int:
        patients = table_of(tables.Patient)
        return int(connection.scalars(select(patients.c.id).where(patients.c.mrn == mrn)).one())


def settings_in(folder: Path, text: str = CONFIG) -> Settings:
    """Settings as if `text` were the config file of this folder."""
    return read_settings(text, folder / "config.toml", {})


def whats(rows: Sequence[Row[Any]]) -> list[str]:
    """What happened, of rows of a history."""
    return [row.what for row in rows]


@cache
def _text(name: str) -> str:
    return (schedules_folder() / f"{name}.toml").read_text(encoding="utf-8")


def _with_reading(
    connection: Connection, values: dict[str, Any], row_id: int | None = None
) -> dict[str, Any]:
    """The values of a result with the number of what it reads instead of that."""
    results = table_of(tables.ResultRow)
    before = select(results.c.reading_id).where(results.c.id == row_id)
    number = None if row_id is None else connection.scalar(before)
    said = Reading() if number is None else readings_of(connection, [number])[number]
    own = {name: it for name, it in values.items() if name in Reading._fields}
    if isinstance(own.get("value"), int):
        own["value"] = Decimal(own["value"])
    (number,) = Readings(connection).numbers([said._replace(**own)])
    rest = {name: it for name, it in values.items() if name not in own}
    return {**rest, "reading_id": number}


def _insert(connection: Connection, model: type[Any], **values: Any) -> int:
    """Insert a row with the defaults of its class; its id."""
    if model is tables.ResultRow:
        values = _with_reading(connection, values)
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if name != "id" and not field.is_required()
    }
    done = connection.execute(insert(table_of(model)).values(defaults | values))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])
