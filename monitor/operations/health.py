"""Is the monitor itself well? Each part answers for itself and says what to do."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from monitor.config import UNCHANGED_EMAIL, Settings, missing_secrets, route_book
from monitor.core.calendar import instant_text
from monitor.delivery.language import languages
from monitor.intake.inbox import cannot_be_emptied
from monitor.operations import backup, feed_watch, feeds
from monitor.operations.ignored import still_ignored
from monitor.operations.job_runs import JOB_RUNS
from monitor.operations.misnamed import misnamed
from monitor.operations.room import free_mib
from monitor.operations.stuck import stuck
from monitor.operations.time_zone import keep_their_days
from monitor.store import backups, breakers, daemons, listeners, outbox
from monitor.store.claims import OF_ANY_RANK
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.facts import AHEAD, CANARY, brought_to, fact
from monitor.store.tables import Delivery, EnrolmentRow, table_of

DELIVERIES = table_of(Delivery)
ENROLMENTS = table_of(EnrolmentRow)
MAY_BE_SILENT = timedelta(minutes=15)
"""A daemon whose jobs are all quiet for longer is taken for dead."""
NIGHTLY_MAY_BE_SILENT = timedelta(hours=26)
SESSIONS_MAY_BE_SILENT = timedelta(hours=2, minutes=15)
"""Looked at each hour by each daemon, and done by whoever finds that it was not for most of one."""
LISTENER_JOB = "mllp"
"""A part of its own, where there is a listener."""
MAY_WAIT = timedelta(hours=1)
"""How long a message or a review may be owed before that is a fault."""
FAILURES_SHOWN_FOR = timedelta(days=7)
_SLOW_JOBS = {
    "nightly": NIGHTLY_MAY_BE_SILENT,
    "canary": NIGHTLY_MAY_BE_SILENT,
    "sessions": SESSIONS_MAY_BE_SILENT,
}


@dataclass(frozen=True)
class Part:
    """One part of the monitor."""

    name: str
    well: bool
    says: str


@dataclass(frozen=True)
class Health:
    """All parts; well only where each is."""

    parts: tuple[Part, ...]

    @property
    def well(self) -> bool:
        return all(part.well for part in self.parts)

    def document(self) -> dict[str, Any]:
        """As `monitor health --json` prints it."""
        parts = {part.name: {"well": part.well, "says": part.says} for part in self.parts}
        return {"well": self.well, "parts": parts}


def examine(
    store: Store, settings: Settings, now: datetime, *, but_job: str = "", then: bool = False
) -> Health:
    """Look at every part at an instant; `but_job` is a job whose state does not count. `then`
    says that the instant is one to look back at, and no clock's."""
    return Health(
        (
            _database(store, settings, None if then else now),
            _scheduler(store, now, but_job),
            *_daemons(store, settings, now),
            _reviews(store, now),
            _feed(store, settings, now),
            *([_listener(store, settings, now)] if settings.mllp.is_on else []),
            _mail(store, settings, now, looking_back=then),
            _schedules(store, settings),
            _canary(store, settings, now),
            *([_backup(store, settings, now)] if settings.backup.alarm_after else []),
            _settings(store, settings, now),
        )
    )


def without_database(error: StoreError) -> Health:
    """What is known where the database cannot be used: every other part is read from it."""
    return Health((Part("database", False, str(error)),))


def may_be_silent(job: str) -> timedelta:
    """How long ago a job may have ended for the last time."""
    return _SLOW_JOBS.get(job, MAY_BE_SILENT)


def standstill(store: Store, now: datetime) -> str:
    """Why lists may lack what is new: reviews are late, or a daemon that ran has fallen silent;
    "" where neither is so."""
    reviews = _reviews(store, now)
    if not reviews.well:
        return reviews.says
    with store.look() as connection:
        last = connection.scalar(select(func.max(JOB_RUNS.c.finished_at)))
    silent = last is not None and now - last > MAY_BE_SILENT
    return "its daemon has fallen silent" if silent else ""


def _database(store: Store, settings: Settings, clock: datetime | None) -> Part:
    with store.read() as connection:
        latest = brought_to(connection)
        kept = keep_their_days(connection, settings)
    free = free_mib(settings)
    if free is not None:
        room = f"only {free} MiB are free where the database is; make room"
        return Part("database", False, room)
    until = instant_text(latest, settings.clinic.zone) if latest else "nothing yet"
    if latest is not None and clock is not None and latest > clock + AHEAD:
        return Part(
            "database",
            False,
            f"brought to {until}, which has not come yet: until then nobody is reviewed and what "
            "writes is refused. Is the clock of this machine right? If so, a command had an --at "
            "that lies ahead; see: monitor clock",
        )
    others = f"; {kept}" if kept else ""
    return Part("database", True, f"answers; brought to {until}{others}")


def _scheduler(store: Store, now: datetime, but_job: str) -> Part:
    others = JOB_RUNS.c.name.not_in([but_job, LISTENER_JOB])
    with store.read() as connection:
        rows = connection.execute(select(JOB_RUNS).where(others)).all()
    if not rows:
        return Part("scheduler", False, "the daemon has never run; start `monitor run`")
    failed = sorted(row.name for row in rows if row.error)
    if failed:
        return Part("scheduler", False, f"failed the last time: {', '.join(failed)}; see the log")
    silent = sorted(row.name for row in rows if now - row.finished_at > may_be_silent(row.name))
    if silent:
        return Part("scheduler", False, f"silent: {', '.join(silent)}; is `monitor run` running?")
    return Part("scheduler", True, f"{len(rows)} jobs run")


def _daemons(store: Store, settings: Settings, now: datetime) -> list[Part]:
    """Each daemon that works, and those that fell silent within a day without having ended; none
    where no daemon has said anything yet."""
    with store.read() as connection:
        running, silent = daemons.running(connection, now), daemons.vanished(connection, now)
    if not running and not silent:
        return []
    zone = settings.clinic.zone
    lines = [
        f"{row.id} on {row.host}, version {row.version}, last sign of life "
        f"{instant_text(row.last_tick_at, zone)}"
        + (f", failing: {row.failing}" if row.failing else "")
        for row in running
    ]
    gone = [
        f"{row.id} on {row.host}: silent since {instant_text(row.last_tick_at, zone)}"
        for row in silent
    ]
    return [Part("daemons", bool(running) or not gone, "; ".join([*lines, *gone]))]


def _reviews(store: Store, now: datetime) -> Part:
    late = ENROLMENTS.c.next_review_at < now - MAY_WAIT
    with store.read() as connection:
        count = connection.scalar(select(func.count()).where(OF_ANY_RANK, late))
    if count:
        wait = "1 enrolment waits" if count == 1 else f"{count} enrolments wait"
        return Part("reviews", False, f"{wait} longer than an hour for a review")
    return Part("reviews", True, "none is late")


def _feed(store: Store, settings: Settings, now: datetime) -> Part:
    troubles = [topic for it in feed_watch.feeds(store, settings, now) for topic, _ in it.alarms()]
    found = [
        feeds.silence(store, settings, now),
        f"{'; '.join(troubles)}; see monitor feeds" if troubles else "",
        still_ignored(store, settings),
        feeds.inbox_gone(settings)
        or cannot_be_emptied(settings)
        or feeds.lies_unseen(settings, now),
    ]
    if wrong := [it for it in found if it]:
        return Part("feeds", False, "; ".join(it.removesuffix(".") for it in wrong))
    last, zone = feeds.last_results(store, now), settings.clinic.zone
    says = f"last results taken in {instant_text(last, zone)}" if last else "none yet"
    return Part("feeds", True, says)


def _listener(store: Store, settings: Settings, now: datetime) -> Part:
    """The listener for HL7 messages, as its last look wrote it down."""
    address = settings.mllp.address
    with store.read() as connection:
        figures = listeners.figures(connection, address)
        run = connection.execute(
            select(JOB_RUNS).where(JOB_RUNS.c.name == LISTENER_JOB)
        ).one_or_none()
    if figures is None or run is None:
        return Part("listener", False, f"nobody has listened on {address}; start `monitor run`")
    if run.error:
        return Part("listener", False, f"{address}: a message could not be taken; see the log")
    if now - run.finished_at > MAY_BE_SILENT:
        return Part("listener", False, f"{address}: silent; is `monitor run` running?")
    last = figures.last_message_at
    since = f", the last {instant_text(last, settings.clinic.zone)}" if last else ""
    says = (
        f"listens on {address}: connected {figures.connections}; messages {figures.messages}"
        f"{since}; sent again {figures.repeated}, not taken {figures.failed}, "
        f"rejected {figures.rejected}"
    )
    return Part("listener", True, says)


def _mail(store: Store, settings: Settings, now: datetime, *, looking_back: bool) -> Part:
    failed = (DELIVERIES.c.state == "failed") & (DELIVERIES.c.created_at > now - FAILURES_SHOWN_FOR)
    with store.read() as connection:
        count = outbox.waiting(connection)
        late = stuck(connection, settings, now)
        refused = connection.scalar(select(func.count()).select_from(DELIVERIES).where(failed))
        resting = breakers.states(connection)
        ahead, grave = (0, 0) if looking_back else outbox.ahead(connection, now + AHEAD)
    if ahead:
        waits = (
            f"messages queued at an instant that has not come yet, and waiting for it: {ahead}, of "
            f"them critical: {grave}; what they tell of stands in monitor alerts"
        )
        return Part("mail", False, waits)
    if late:
        return Part("mail", False, " ".join(it.says(settings) for it in late))
    if refused:
        return Part("mail", False, f"messages refused for good in the last week: {refused}")
    says = f"messages waiting: {count}" if count else "nothing waits"
    ours = {f"{outbox.MAIL} {it.server}" for it in (settings.mail, *settings.relays)}
    for it in resting:
        if it.way not in ours:
            continue  # one that the config no longer names
        says += f"; {it.way} does not work since {instant_text(it.since, settings.clinic.zone)}"
    return Part("mail", True, says)


def _schedules(store: Store, settings: Settings) -> Part:
    from monitor.operations.schedules import differences

    found = differences(store, settings.schedules.folder)
    if found:
        return Part(
            "schedules", False, "; ".join(notice.text.removesuffix(".") for notice in found)
        )
    return Part("schedules", True, "the files are what is in force")


def _canary(store: Store, settings: Settings, now: datetime) -> Part:
    """The made-up patients that go the road of the real ones each night (`operations.canary`)."""
    with store.read() as connection:
        kept = fact(connection, CANARY)
    if kept is None:
        return Part("canary", True, "none has flown yet; `monitor run` lets them fly each night")
    flight = json.loads(kept)
    at = datetime.fromisoformat(flight["at"])
    when = instant_text(at, settings.clinic.zone)
    if flight["died"]:
        more = len(flight["died"]) - 1
        others = f", and {more} more" if more else ""
        says = f"{flight['died'][0]}{others} ({when}); see monitor canary"
        return Part("canary", False, says)
    if now - at > NIGHTLY_MAY_BE_SILENT:
        return Part("canary", False, f"none has flown since {when}; is `monitor run` running?")
    says = f"{flight['patients']} made-up patients went the whole road, {when}"
    return Part("canary", True, says)


def _backup(store: Store, settings: Settings, now: datetime) -> Part:
    wrong = backup.stale(store, settings, now)
    with store.read() as connection:
        last = backups.last_backup(connection)
    if wrong or last is None:
        return Part("backup", False, wrong)
    return Part("backup", True, f"the latest is of {instant_text(last, settings.clinic.zone)}")


def _settings(store: Store, settings: Settings, now: datetime) -> Part:
    troubles = [
        *_missing(store, settings, now),
        *route_book(settings).faults,
        *misnamed(store, settings),
    ]
    if settings.clinic.email == UNCHANGED_EMAIL:
        unread = f"[clinic] email is still {UNCHANGED_EMAIL}: put in an address that somebody reads"
        troubles = [unread, *troubles]
    if troubles:
        return Part("settings", False, "; ".join(troubles))
    return Part("settings", True, f"alarms go to {settings.clinic.email}{_in_english(settings)}")


def _in_english(settings: Settings) -> str:
    """The languages that were asked for and that mails do not have."""
    asked = {settings.clinic.locale, *(it.locale for it in settings.recipients.values())} - {""}
    none = sorted(it for it in asked if not {it, it.partition("-")[0]} & set(languages()))
    if not none:
        return ""
    there_are = ", ".join(languages())
    return f"; no mail can be in {', '.join(none)}, they are in English (there are: {there_are})"


def _missing(store: Store, settings: Settings, now: datetime) -> list[str]:
    """The passwords and tokens that are not there, for the daemons that run; where none does, for
    whoever asks: the environment of the one is not that of the other."""
    with store.read() as connection:
        hosts = {row.id: row.host for row in daemons.running(connection, now)}
        noted = daemons.lacking(connection, list(hosts))
    if not noted:
        return missing_secrets(settings, os.environ)
    return [f"daemon {it} on {hosts[it]}: {noted[it]}" for it in hosts if noted.get(it)]
