"""Days of a clinic, lived with a moving now through the functions that the commands call.

Nothing is judged here: files go in by `arrivals`, time is looked at by `review_due`, a person
answers by `operations.people`. Messages are put into the outbox and counted there; no mail leaves.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select

from monitor import resources
from monitor.config import Settings, load_settings
from monitor.core.actions import REVIEW_DAYS_AT_MOST
from monitor.core.vocabulary import SELF_CLOSING, AlertState, Kind, Urgency
from monitor.operations import arrivals, people
from monitor.operations.answers import answers
from monitor.operations.schedules import adopt
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.tables import table_of
from tools.burden.papers import Asked, Due, Papers, People, Row, write

_DESK, _MORNING, _LABORATORY, _ROUND, _NIGHT = time(8), time(9), time(15), time(16), time(20)
_SATURDAY = 5
_DOCTOR = "Dr Example"
_CONFIG = """\
[clinic]
name = "Burden"
timezone = "UTC"
email = "clinic@example.org"

[[routes]]
to = ["nurse@example.org"]
then = [["doctor@example.org"]]
"""
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)

Progress = Callable[[date], None]


def found_clinic(
    folder: Path, sources: str, first: date, protocol: Path | None
) -> tuple[Store, Settings]:
    """A fresh clinic in a folder, with the shipped protocols in force, or one of them edited."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(resources.schedules_folder(), folder / "schedules")
    if protocol is not None:
        shutil.copy(protocol, folder / "schedules" / "azathioprine.toml")
    (folder / "config.toml").write_text(_CONFIG + sources, encoding="utf-8")
    settings = load_settings(folder / "config.toml")
    store = open_store(settings.database.url)
    store.migrate()
    adopt(store, settings.schedules.folder, _at(first, time(0)))
    return store, settings


class Life:
    """A clinic and its patients, day after day."""

    def __init__(self, store: Store, settings: Settings, folder: Path, patients: People) -> None:
        self._store, self._settings, self._folder = store, settings, folder
        self._patients = patients
        self._ids: dict[str, int] = {}

    def live(self, first: date, last: date, progress: Progress | None = None) -> None:
        """Every day from `first` to `last`."""
        day = first
        while day <= last:
            works = day.weekday() < _SATURDAY
            papers = self._patients.papers(day)
            touched = self._desk(day, papers)
            review_due(self._store, self._settings, _at(day, _DESK, minutes=30))
            asked = self._round(_at(day, _MORNING)) if works else []
            touched |= self._laboratory(day, papers)
            if works:
                self._patients.asked(day, asked + self._round(_at(day, _ROUND)))
            self._patients.hear(day, self._due(touched, _at(day, _NIGHT)))
            review_due(self._store, self._settings, _at(day, _NIGHT))
            if progress is not None:
                progress(day)
            day += timedelta(days=1)

    def _desk(self, day: date, papers: Papers) -> set[str]:
        """The morning's files; whom they touched."""
        store, settings, source = self._store, self._settings, self._patients.source
        if papers.older:
            path = write(self._folder, "older", papers.older)
            arrivals.load(store, settings, path, source, _at(day, _DESK))
        if papers.enrolments:
            path = write(self._folder, "enrolments", papers.enrolments)
            taken = arrivals.enrol(store, settings, path, _at(day, _DESK, minutes=1))
            _all_taken(path, [it.reason for it in taken.report.refused])
        if papers.events:
            path = write(self._folder, "events", papers.events)
            taken = arrivals.events(store, settings, path, _at(day, _DESK, minutes=2))
            _all_taken(path, [it.reason for it in taken.report.refused])
        return _named(papers.enrolments, papers.events)

    def _laboratory(self, day: date, papers: Papers) -> set[str]:
        """The day's results; whom they touched."""
        store, settings, source = self._store, self._settings, self._patients.source
        if papers.results:
            path = write(self._folder, "results", papers.results)
            loaded = arrivals.load(store, settings, path, source, _at(day, _LABORATORY))
            if loaded.report.quarantined:
                raise RuntimeError(f"{path}: {loaded.report.quarantined} rows are held")
        return _named(papers.results)

    def _round(self, now: datetime) -> list[Asked]:
        """A doctor looks at every alert: what is over is closed, what goes on is taken in hand,
        and closed with a day to look again when it comes back. Routine lists are only read."""
        query = (
            select(_ALERTS, _PATIENTS.c.mrn)
            .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
            .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
            .where(_ALERTS.c.state != AlertState.CLOSED.value)
            .order_by(_ALERTS.c.id)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        new: list[Asked] = []
        for row in rows:
            is_open = row.state == AlertState.OPEN.value
            seen = row.version > 0
            if is_open and not seen:
                new.append(Asked(row.mrn, row.kind, row.urgency))
            closes = Kind(row.kind) not in SELF_CLOSING
            if closes and row.recovered:
                self._close(row.id, None, now)
            elif closes and is_open and seen:
                days = REVIEW_DAYS_AT_MOST[Urgency(row.urgency)]
                self._close(row.id, now.date() + timedelta(days=days), now)
            elif is_open and (closes or row.urgency != Urgency.ROUTINE.value):
                self._take_in_hand(row.id, row.urgency, now)
        return new

    def _take_in_hand(self, alert_id: int, urgency: str, now: datetime) -> None:
        people.acknowledge(self._store, self._settings, alert_id, by=_DOCTOR, now=now)
        if urgency == Urgency.CRITICAL.value:
            people.contact(
                self._store, self._settings, alert_id, outcome="reached", by=_DOCTOR, now=now
            )

    def _close(self, alert_id: int, review_by: date | None, now: datetime) -> None:
        people.close(
            self._store,
            self._settings,
            alert_id,
            by=_DOCTOR,
            outcome="reviewed_no_change",
            review_by=review_by,
            now=now,
        )

    def _due(self, mrns: Iterable[str], now: datetime) -> dict[str, list[Due]]:
        """What is due of these patients, as `monitor status` says it."""
        with self._store.read() as connection:
            if not set(mrns) <= set(self._ids):
                query = select(_PATIENTS.c.mrn, _ENROLMENTS.c.id).join(
                    _ENROLMENTS, _ENROLMENTS.c.patient_id == _PATIENTS.c.id
                )
                self._ids = {row.mrn: row.id for row in connection.execute(query)}
            ids = [self._ids[mrn] for mrn in mrns]
            return {
                review.case.enrolment.mrn: [
                    Due(it.panel, it.due_on, it.phase or "", it.because.value)
                    for it in review.panels
                    if it.due_on is not None
                ]
                for batch in answers(connection, self._settings, now, ids=ids, until=now)
                for review in batch.reviews
            }


def _named(*rows: Iterable[Row]) -> set[str]:
    """The MRNs of rows, ours or a source's."""
    return {str(row["mrn"] if "mrn" in row else row["USUBJID"]) for it in rows for row in it}


def _all_taken(path: Path, refused: list[str]) -> None:
    if refused:
        raise RuntimeError(f"{path}: refused: {refused[0]}")


def _at(day: date, clock_time: time, *, minutes: int = 0) -> datetime:
    return datetime.combine(day, clock_time, tzinfo=UTC) + timedelta(minutes=minutes)
