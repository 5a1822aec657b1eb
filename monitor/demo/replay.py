"""The made-up clinic's days, lived through quickly: the functions of the commands and the
daemon, with a now that moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

from monitor.config import Settings
from monitor.core.calendar import from_clinic_local
from monitor.demo.book import CITY, HOSPITAL, path_of
from monitor.operations import arrivals, feeds
from monitor.operations.alert_list import alert_rows
from monitor.operations.owed import send_what_is_owed
from monitor.operations.people import acknowledge
from monitor.store.database import Store

_DESK, _DIGEST, _LABORATORY, _ROUND = time(7), time(7, 31), time(16), time(17)


class Replay:
    """One clinic living through its days."""

    def __init__(self, store: Store, settings: Settings, data: Path) -> None:
        self._store = store
        self._settings = settings
        self._data = data

    def beginning(self, day: date) -> datetime:
        """The first instant of a day's work."""
        return _at(day, _DESK, self._settings)

    def live(self, days: list[date], progress: Callable[[int, int], None] | None) -> None:
        """Every day in turn: desk, digest, laboratory, and the doctor's round.

        On the first, the results of all the years before come first: they wait in quarantine
        until their patients are enrolled.
        """
        self._results(days[0], self.beginning(days[0]))
        for number, day in enumerate(days, start=1):
            self._desk(day, _at(day, _DESK, self._settings))
            self._send(_at(day, _DIGEST, self._settings))
            self._laboratory(day, _at(day, _LABORATORY, self._settings))
            self._round(_at(day, _ROUND, self._settings))
            if progress is not None:
                progress(number, len(days))

    def _desk(self, day: date, now: datetime) -> None:
        """Enrolments and events of the day are entered."""
        people = path_of(self._data, "enrolments", day)
        if people.exists():
            arrivals.enrol(self._store, self._settings, people, now)
        events = path_of(self._data, "events", day)
        if events.exists():
            arrivals.events(self._store, self._settings, events, now)

    def _laboratory(self, day: date, now: datetime) -> None:
        """The day's results come, and what cannot wait goes out."""
        self._results(day, now)
        self._send(now)

    def _results(self, day: date, now: datetime) -> None:
        for name, source in ((HOSPITAL, ""), (CITY, CITY)):
            path = path_of(self._data, name, day)
            if path.exists():
                arrivals.load(self._store, self._settings, path, source, now)

    def _round(self, now: datetime) -> None:
        """What is critical is in somebody's hands by the evening."""
        for alert in alert_rows(self._store, self._settings, {"open"}, now):
            if alert["urgency"] == "critical" and not alert["recovered"]:
                acknowledge(
                    self._store,
                    self._settings,
                    alert["id"],
                    by="Dr Example",
                    note="patient called",
                    now=now,
                )

    def _send(self, now: datetime) -> None:
        feeds.watch(self._store, self._settings, now)
        send_what_is_owed(self._store, self._settings, now, who="demo")


def _at(day: date, clock_time: time, settings: Settings) -> datetime:
    return from_clinic_local(datetime.combine(day, clock_time), settings.clinic.zone)
