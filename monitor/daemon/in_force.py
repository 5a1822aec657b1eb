"""What a daemon goes by: protocols, routes and rotas, its config, the time zone, the program. Each
may be edited while it runs, or be another one at its next start."""

from __future__ import annotations

from datetime import datetime

from monitor import logs
from monitor.config import Settings
from monitor.daemon.machine_clock import Alarm
from monitor.daemon.own_config import OwnConfig
from monitor.operations.schedules import adopt, tell
from monitor.operations.time_zone import notice_of_another_zone
from monitor.review import RoutesRead, wake_judged_otherwise
from monitor.store.database import Store


class InForce:
    """Looked at at the start and again and again; the operator is told through `alarm`."""

    def __init__(self, store: Store, settings: Settings, own: OwnConfig, alarm: Alarm) -> None:
        self._store = store
        self._settings = settings
        self._own = own
        self._alarm = alarm
        self._routes = RoutesRead()
        self._log = logs.logger("daemon")

    def begin(self, now: datetime) -> None:
        """Of a start: whoever was judged or told by something else is woken."""
        for notice in notice_of_another_zone(self._store, self._settings, now):
            self._alarm(notice.topic, notice.text, now)
        woken = wake_judged_otherwise(self._store, self._settings.clinic.zone, now)
        woken += self._routes.read_anew(self._store, self._settings, now)
        if woken:
            self._log.info("to be judged anew", enrolments=woken)

    def look(self, now: datetime) -> bool:
        """Take up what was edited; whether messages may have come of it."""
        notices = adopt(self._store, self._settings.schedules.folder, now)
        tell(self._store, self._settings, notices, now)
        edited = self._own.forgotten(now)
        if edited:
            self._alarm("the config was edited", edited, now)
        woken = self._routes.read_anew(self._store, self._settings, now)
        return bool(notices or edited or woken)
