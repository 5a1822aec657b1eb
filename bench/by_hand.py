"""A day's delta as one would write it without this program: the rows into a table that refuses
repeats, of each patient who is touched the history read, the last test and its due day reckoned and
one limit compared with. Once through SQLModel's objects, once by plain rows."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Engine,
    UniqueConstraint,
    bindparam,
    create_engine,
    delete,
    insert,
    text,
    update,
)
from sqlalchemy import select as select_rows
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, SQLModel, select

from bench.plan import Spent
from bench.population import CBC

_COMPLETE = len(CBC)
_EVERY = timedelta(weeks=12)
_LOW = 1.0


class _Own(SQLModel, registry=registry()):
    """Tables that are none of the monitor's."""


class HandResult(_Own, table=True):
    __tablename__ = "by_hand_results"
    __table_args__ = (UniqueConstraint("mrn", "analyte", "collected_at"),)
    id: int | None = Field(default=None, primary_key=True)
    mrn: str
    analyte: str
    collected_at: datetime
    value: float
    unit: str


class HandPatient(_Own, table=True):
    __tablename__ = "by_hand_patients"
    mrn: str = Field(primary_key=True)
    due_on: date | None = None
    low: bool = False


_RESULTS: Any = HandResult.__table__  # type: ignore[attr-defined]
_PATIENTS: Any = HandPatient.__table__  # type: ignore[attr-defined]
_FILL = """
INSERT INTO by_hand_results (mrn, analyte, collected_at, value, unit)
SELECT mrn, analyte, {at}, CAST(value AS FLOAT), received_unit FROM results
JOIN readings ON readings.id = reading_id JOIN patients ON patients.id = patient_id
WHERE file_id = (SELECT min(file_id) FROM results);
INSERT INTO by_hand_patients (mrn, low) SELECT mrn, false FROM patients;
ANALYZE
"""
_AT = {
    # counted in seconds there, as docs/adr/0061 says
    "sqlite": "strftime('%Y-%m-%d %H\\:%M\\:%S.000000', collected_at, 'unixepoch')",
    "postgresql": "collected_at",
}


def fill(url: str) -> None:
    """The results of the first file that was taken in, and whose they are."""
    with _engine(url) as engine:
        _Own.metadata.create_all(engine)
        with engine.begin() as connection:
            for statement in _FILL.format(at=_AT[engine.dialect.name]).split(";"):
                connection.execute(text(statement))


def through_objects(url: str, file: str) -> Spent:
    """What is imported and connected once is not in it."""
    with _engine(url) as engine:
        with Session(engine) as session:
            session.exec(select(HandResult).limit(1)).all()
        began = Spent.now()
        with Session(engine) as session:
            rows = list(_rows(file))
            session.add_all(HandResult(**row) for row in rows)
            for mrn in sorted({row["mrn"] for row in rows}):
                known = session.exec(select(HandResult).where(HandResult.mrn == mrn)).all()
                patient = session.get_one(HandPatient, mrn)
                found = ((it.analyte, it.collected_at, it.value) for it in known)
                patient.due_on, patient.low = _reckoned(found)
            session.commit()
        took = Spent.since(began)
        _take_back(engine, rows)
    return took


def by_rows(url: str, file: str) -> Spent:
    """As above."""
    with _engine(url) as engine:
        with engine.connect() as connection:
            connection.execute(select_rows(_RESULTS).limit(1)).all()
        began = Spent.now()
        with engine.begin() as connection:
            rows = list(_rows(file))
            connection.execute(insert(_RESULTS), rows)
            columns = _RESULTS.c.analyte, _RESULTS.c.collected_at, _RESULTS.c.value
            answers = []
            for mrn in sorted({row["mrn"] for row in rows}):
                known = connection.execute(select_rows(*columns).where(_RESULTS.c.mrn == mrn))
                due_on, low = _reckoned(map(tuple, known))
                answers.append({"whose": mrn, "due_on": due_on, "low": low})
            own = update(_PATIENTS).where(_PATIENTS.c.mrn == bindparam("whose"))
            values = {name: bindparam(name) for name in ("due_on", "low")}
            connection.execute(own.values(values), answers)
        took = Spent.since(began)
        _take_back(engine, rows)
    return took


def _rows(file: str) -> Iterator[dict[str, Any]]:
    with Path(file).open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            at = datetime.fromisoformat(row["collected_at"])
            yield row | {"collected_at": at, "value": float(row["value"])}


def _reckoned(results: Iterable[tuple[str, datetime, float]]) -> tuple[date, bool]:
    """When the next blood count is due, and whether the last neutrophils are low."""
    asked = {name for name, *_ in CBC}
    measured: dict[date, set[str]] = defaultdict(set)
    neutrophils: list[tuple[datetime, float]] = []
    for analyte, at, value in results:
        if analyte in asked:
            measured[at.date()].add(analyte)
        if analyte == "neutrophils":
            neutrophils.append((at, value))
    last = max(day for day, names in measured.items() if len(names) == _COMPLETE)
    return last + _EVERY, max(neutrophils)[1] < _LOW


def _take_back(engine: Engine, rows: list[dict[str, Any]]) -> None:
    at = rows[0]["collected_at"]
    with engine.begin() as connection:
        done = connection.execute(delete(_RESULTS).where(_RESULTS.c.collected_at == at))
    assert done.rowcount == len(rows)


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url, hide_parameters=True)
    try:
        yield engine
    finally:
        engine.dispose()
