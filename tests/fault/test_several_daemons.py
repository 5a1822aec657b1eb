"""Three daemons on one PostgreSQL, killed and cut off from it at random instants.

Nothing may be lost and nothing done twice: what stands at the end is what stands in a clinic
that was left in peace; a kill or a lost connection may repeat one mail, with the same
Message-ID. MONITOR_DISTURBANCES says how many there are, MONITOR_KILL_SEED draws other instants.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import make_url

from monitor.store import daemons
from monitor.store.database import open_store
from tests.fault import kill_compare as compare
from tests.fault.kill_clinic import SEED, Clinic, deliver_what_is_left, take_in_peace
from tests.fault.kill_story import Made, files_of_round
from tests.fault.settled import files_in, nothing_is_owed
from tests.processes import DaemonProcess, met

DISTURBANCES = int(os.environ.get("MONITOR_DISTURBANCES", "9"))

DAEMONS = 3
_PAUSE = 0.7
"""Seconds between two disturbances, on average; longer while files wait, so that they keep up."""
_SETTLED = 180.0


def _has_started(daemon: DaemonProcess) -> bool:
    return daemon.has_started


@dataclass
class Trouble:
    """Files arrive, daemons are killed and started again, connections are cut."""

    clinic: Clinic
    chance: random.Random
    today: date
    running: list[DaemonProcess] = field(default_factory=list)
    dropped: list[Made] = field(default_factory=list)
    kills: int = 0
    cuts: int = 0

    def start(self) -> None:
        self.running = [self.clinic.folder.spawn() for _ in range(DAEMONS)]
        self._all_have_started()

    def one(self, number: int) -> None:
        """A round of files, and something that goes wrong while they are worked on."""
        for made in files_of_round(number, self.today):
            self.clinic.folder.drop(made.name, made.text)
            self.dropped.append(made)
        time.sleep(self.chance.uniform(0, 2 * _PAUSE))
        self.chance.choice((self._kill, self._cut, self._cut_all))()
        met(lambda: self.waiting_files() < 12)

    def settle(self) -> None:
        """All that is owed is done; then the daemons end."""
        assert met(self._is_quiet, _SETTLED), "work is still owed"
        self._all_have_started()  # one that is asked to end before it listens is just ended
        for daemon in self.running:
            assert daemon.end() == 0, daemon.log.read_text()

    def _all_have_started(self) -> None:
        for daemon in self.running:
            assert met(partial(_has_started, daemon), _SETTLED), daemon.log.read_text()

    def waiting_files(self) -> int:
        return files_in(self.clinic.folder.inbox)

    def _kill(self) -> None:
        daemon = self.running.pop(self.chance.randrange(len(self.running)))
        assert daemon.process.poll() is None, f"it died by itself: {daemon.log.read_text()}"
        daemon.kill()
        self.kills += 1
        self.clinic.postbox.kills += 1
        self.running.append(self.clinic.folder.spawn())

    def _cut(self) -> None:
        """One connection, as if the network had failed."""
        self._terminate(lambda pids: [self.chance.choice(pids)] if pids else [])

    def _cut_all(self) -> None:
        """All of them, as when the server is restarted or another takes over."""
        self._terminate(lambda pids: pids)

    def _terminate(self, chosen: Callable[[list[int]], list[int]]) -> None:
        url = make_url(self.clinic.url)
        name = url.query["application_name"]
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND pid <> "
                "pg_backend_pid() ORDER BY state = 'idle', pid",
                (name,),
            )
            for pid in chosen([row[0] for row in found]):
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        self.cuts += 1
        self.clinic.postbox.kills += 1

    def _is_quiet(self) -> bool:
        return nothing_is_owed(self.clinic.folder.inbox, self.clinic.url)


@pytest.mark.postgresql_only
def test_three_daemons_disturbed_at_any_instant_end_where_one_in_peace_does(
    killed: Clinic, in_peace: Clinic, timezone: str
) -> None:
    today = datetime.now(ZoneInfo(timezone)).date()
    trouble = Trouble(killed, random.Random(SEED), today)
    trouble.start()
    for number in range(DISTURBANCES):
        trouble.one(number)
    trouble.settle()
    take_in_peace(in_peace, trouble.dropped)
    _say(killed, trouble)

    assert compare.rows(killed.url) == compare.rows(in_peace.url)
    for words, in_common in (
        (("status",), compare.standings),
        (("alerts", "--state", "all"), compare.alerts),
    ):
        assert in_common(killed.json(*words)) == in_common(in_peace.json(*words))
    deliver_what_is_left(killed, in_peace)
    verified = killed("verify")
    assert verified.code == 0, verified.out
    for daemon in killed.folder.started:
        log = daemon.log.read_text()
        assert "level='error'" not in log and "Traceback" not in log, log
    tomorrow = f"{today + timedelta(days=1)}T08:00"
    sent = [clinic.json("deliver", "--at", tomorrow) for clinic in (killed, in_peace)]
    assert sent[0] == sent[1]
    _every_mail_came(killed, in_peace, trouble)
    _everybody_is_known(killed, trouble)


def _say(killed: Clinic, trouble: Trouble) -> None:
    repeats = killed.postbox.repeats_by_kill().total()
    text = (
        f"{trouble.kills} kills, {trouble.cuts} cuts; "
        f"{len(killed.postbox.by_message_id())} messages, {repeats} of them came again"
    )
    if "MONITOR_DISTURBANCES" in os.environ:
        with killed.capture.disabled():
            sys.stdout.write(f"\n{text}\n")


def _every_mail_came(killed: Clinic, in_peace: Clinic, trouble: Trouble) -> None:
    arrivals = killed.postbox.by_message_id()
    assert compare.told(killed.url, arrivals) == compare.told(
        in_peace.url, in_peace.postbox.by_message_id()
    )
    assert compare.deliveries(killed.url) == dict.fromkeys(arrivals, "sent")
    assert set(compare.said_of_each(killed.url).values()) == {1}
    assert killed.postbox.repeats_by_kill().total() <= trouble.kills + trouble.cuts


def _everybody_is_known(killed: Clinic, trouble: Trouble) -> None:
    """Whoever was killed is missed, and whoever ended in good order is not."""
    store = open_store(killed.url)
    later = datetime.now(UTC) + 2 * daemons.SILENT_AFTER
    with store.read() as connection:
        assert len(daemons.vanished(connection, later)) <= trouble.kills
        assert daemons.running(connection, datetime.now(UTC)) == [] or trouble.kills
    store.dispose()
