"""What a daemon goes by: protocols, routes and rotas, its config, the time zone, the program. Each
may be edited while it runs, or be another one at its next start."""

from __future__ import annotations

from datetime import datetime

from monitor import logs
from monitor.config import Settings, route_book
from monitor.daemon.machine_clock import Alarm
from monitor.daemon.own_config import OwnConfig
from monitor.operations.fleet import Member
from monitor.operations.schedules import adopt, tell
from monitor.operations.time_zone import notice_of_another_zone
from monitor.review import RoutesRead, wake_judged_otherwise
from monitor.store.database import Store


class InForce:
    """Looked at at the start and again and again; the operator is told through `alarm`."""

    def __init__(
        self, store: Store, settings: Settings, own: OwnConfig, alarm: Alarm, member: Member
    ) -> None:
        self._store = store
        self._member = member
        self._settings = settings
        self._own = own
        self._alarm = alarm
        self._routes = RoutesRead()
        self._own_texts: dict[str, str] = {}
        """Of the protocol files that were in force: what they said."""
        self._rotas: tuple[str, ...] = ()
        """What was wrong with a rota at the last look: one that is being saved is left in peace."""
        self._log = logs.logger("daemon")

    def begin(self, now: datetime) -> None:
        """Of a start: whoever was judged or told by something else is woken."""
        for notice in notice_of_another_zone(self._store, self._settings, now):
            self._alarm(notice.topic, notice.text, now)
        self._member.outlived(now)  # from here on it is seen who goes
        woken = self._wake_judged_otherwise(now)
        woken += self._routes.read_anew(self._store, self._settings, now)
        if woken:
            self._log.info("to be judged anew", enrolments=woken)

    def look(self, now: datetime) -> bool:
        """Take up what was edited; whether messages may have come of it."""
        notices = adopt(self._store, self._settings.schedules.folder, now, self._own_texts)
        tell(self._store, self._settings, notices, now)
        edited = self._own.forgotten(now)
        if edited:
            self._alarm("the config was edited", edited, now)
        wrong = self._wrong_rotas()
        if wrong:
            self._alarm("rota", f"{wrong}. Until it is mended who it names hears of nothing.", now)
        woken = self._routes.read_anew(self._store, self._settings, now)
        if self._member.outlived(now):  # whom it judged beside this one it judged in its way
            woken += self._wake_judged_otherwise(now, another_was_here=True)
        return bool(notices or edited or wrong or woken)

    def _wrong_rotas(self) -> str:
        before, self._rotas = self._rotas, route_book(self._settings).faults
        return "; ".join(it for it in self._rotas if it in before)

    def _wake_judged_otherwise(self, now: datetime, *, another_was_here: bool = False) -> int:
        zone = self._settings.clinic.zone
        return wake_judged_otherwise(self._store, zone, now, another_was_here=another_was_here)
