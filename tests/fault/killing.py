"""One clinic through many lives of its daemon, each ended by SIGKILL at a random instant."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import date

from tests.fault.kill_mail import Postbox
from tests.fault.kill_story import Made, files_of_round
from tests.fault.settled import files_in, nothing_is_owed
from tests.processes import ClinicFolder, DaemonProcess, met

_STARTING_UP = 0.1
"""The share of kills that fall while the daemon starts."""
_LIFE, _LONGER_A_FILE = 0.8, 0.25
"""Seconds within which a kill falls after the start, and how much more for each file that
waits: so the daemon keeps up, and is nearly always at work."""
_SETTLED = 120.0


@dataclass
class Tally:
    """What the kills hit."""

    kills: int = 0
    starting: int = 0
    with_files: int = 0
    """Files lay in the inbox."""
    delivering: int = 0
    """A connection to the mail server was open."""
    unanswered: int = 0
    """The mail server had taken a message and not yet answered."""

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.starting} while it started, {self.with_files} with files "
            f"in the inbox, {self.delivering} with mail going out, {self.unanswered} between "
            "the server's acceptance and its answer"
        )


@dataclass
class Killing:
    """Lets files arrive at a clinic whose daemon is killed again and again."""

    clinic: ClinicFolder
    url: str
    """Of the clinic's database."""
    postbox: Postbox
    chance: random.Random
    today: date
    tally: Tally = field(default_factory=Tally)
    dropped: list[Made] = field(default_factory=list)
    starts_in: float = 2.0
    """Seconds that the last start took."""

    def one_life(self, number: int) -> None:
        """A round's files arrive at random instants of a daemon's life, which is cut short."""
        arriving = files_of_round(number, self.today)
        before = self.chance.randint(0, len(arriving))
        self._arrive(arriving[:before])
        spawned = time.monotonic()
        daemon = self.clinic.spawn()
        if self.chance.random() < _STARTING_UP:
            self.tally.starting += 1
            _sleep_until(spawned + self.chance.uniform(0, self.starts_in))
        else:
            assert met(lambda: daemon.has_started, pause=0.01), daemon.log.read_text()
            self.starts_in = time.monotonic() - spawned
            self._live(arriving[before:])
            arriving = []
        self._kill(daemon)
        self._arrive(arriving[before:])

    def settle(self) -> int:
        """A last life in which all that is owed is done; the exit code after SIGTERM."""
        daemon = self.clinic.start()
        assert met(self._is_quiet, _SETTLED), "work is still owed"
        return daemon.end()

    def _live(self, arriving: list[Made]) -> None:
        born = time.monotonic()
        most = _LIFE + _LONGER_A_FILE * (self._waiting_files() + len(arriving))
        life = self.chance.uniform(0, most)
        for made, when in zip(
            arriving, sorted(self.chance.uniform(0, life) for _ in arriving), strict=True
        ):
            _sleep_until(born + when)
            self._arrive([made])
        _sleep_until(born + life)

    def _kill(self, daemon: DaemonProcess) -> None:
        assert daemon.process.poll() is None, f"it died by itself: {daemon.log.read_text()}"
        daemon.process.kill()
        self.tally.kills += 1
        self.tally.unanswered += self.postbox.unanswered > 0
        self.tally.delivering += self.postbox.connected
        self.tally.with_files += self._waiting_files() > 0
        daemon.process.wait()
        self.postbox.kills += 1

    def _arrive(self, files: list[Made]) -> None:
        for made in files:
            self.clinic.drop(made.name, made.text)
            self.dropped.append(made)

    def _waiting_files(self) -> int:
        return files_in(self.clinic.inbox)

    def _is_quiet(self) -> bool:
        return nothing_is_owed(self.clinic.inbox, self.url)


def _sleep_until(instant: float) -> None:
    time.sleep(max(0.0, instant - time.monotonic()))
