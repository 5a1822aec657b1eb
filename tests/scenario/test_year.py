"""A whole year in virtual time, on both databases: the exact list of mails, as a diary.

The year is told in `year_story.py`; what the clinic is sent is `tests/golden/year.txt`
(`UPDATE_GOLDEN=1` writes it anew: read the difference as a nurse would). Time is frozen and
moved by freezegun, the mail server is real, and every tick calls what the daemon's jobs call.
"""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from monitor import clock
from monitor.config import Settings, read_settings
from monitor.delivery.send import deliver_due
from monitor.demo.catcher import Catcher
from monitor.operations import alert_list, arrivals, people
from monitor.operations.digests import compose_digests
from monitor.operations.schedules import adopt
from monitor.operations.verify import verify
from monitor.resources import schedules_folder
from monitor.review import review_due
from monitor.store.database import Store
from tests.scenario.year_story import PATIENTS, Step, baseline_csv, events_csv, results_csv, steps

GOLDEN = Path(__file__).parents[1] / "golden" / "year.txt"
ZONE = ZoneInfo("Europe/London")
BEGIN = datetime(2026, 1, 5, 9, 0)
END = datetime(2027, 1, 5)
CONFIG = """
[clinic]
name = "Small clinic"
timezone = "Europe/London"
email = "lead@clinic.example"
telephone = "+44 20 7946 0000"

[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "monitor@clinic.example"

[[routes]]
name = "nurses"
to = ["nurse@clinic.example"]
digest_at = "07:30"

[[routes]]
name = "consultant on call"
to = ["consultant@clinic.example"]
urgencies = ["critical"]
digest = false
"""


class Year:
    """The clinic, its mail server and its diary."""

    def __init__(self, store: Store, folder: Path, catcher: Catcher) -> None:
        self.store, self.folder, self.catcher = store, folder, catcher
        text = CONFIG.format(port=catcher.port)
        self.settings: Settings = read_settings(text, folder / "config.toml", {})
        self.diary: list[str] = []
        self.seen = 0
        self.file_number = 0

    def begin(self) -> None:
        adopt(self.store, schedules_folder(), clock.now())
        arrivals.load(
            self.store, self.settings, self._file("labs", baseline_csv()), "", clock.now()
        )
        arrivals.enrol(self.store, self.settings, self._file("enrol", PATIENTS), clock.now())

    def happens(self, step: Step) -> None:
        now = clock.now()
        if step.what in ("labs", "corrected"):
            path = self._file("labs", results_csv(step))
            arrivals.load(self.store, self.settings, path, "", now)
        elif step.what == "event":
            path = self._file("events", events_csv(step))
            arrivals.events(self.store, self.settings, path, now)
        else:
            self._person(step, now)
        self._note(f"{now.astimezone(ZONE):%H:%M}      {step.what} {' '.join(step.words)}")

    def tick(self) -> None:
        """What the daemon's jobs do when their time comes."""
        now = clock.now()
        review_due(self.store, self.settings, now)
        compose_digests(self.store, self.settings, now)
        deliver_due(self.store, self.settings, now, who="story")
        for caught in self.catcher.caught[self.seen :]:
            self._note(f"{now.astimezone(ZONE):%H:%M} mail {caught.to}: {caught.subject}")
        self.seen = len(self.catcher.caught)

    def differences(self) -> list[object]:
        return list(verify(self.store, self.settings, clock.now()))

    def _person(self, step: Step, now: datetime) -> None:
        mrn, cause, *words = step.words
        rule = cause.removeprefix("rule:")
        rows = alert_list.alert_rows(self.store, self.settings, {"open", "acknowledged"}, now)
        alert = next((row for row in rows if (row["mrn"], row["rule"]) == (mrn, rule)), None)
        assert alert is not None, f"no alert {rule} of {mrn}:\n" + "\n".join(self.diary[-80:])
        who, _, outcome = " ".join(words).partition(": ")
        if step.what == "ack":
            people.acknowledge(self.store, self.settings, alert["id"], by=who, now=now)
        else:
            people.close(self.store, self.settings, alert["id"], by=who, outcome=outcome, now=now)

    def _file(self, kind: str, text: str) -> Path:
        self.file_number += 1
        path = self.folder / f"{kind}-{self.file_number}.csv"
        path.write_text(text, encoding="utf-8")
        return path

    def _note(self, line: str) -> None:
        day = f"{clock.now().astimezone(ZONE):%a %d %b %Y}"
        if f"\n{day}" not in self.diary:
            self.diary.append(f"\n{day}")
        self.diary.append(f"  {line}")


def moments() -> Iterator[tuple[datetime, Step | None]]:
    """Every instant at which something happens or the daemon looks, in order."""
    found: list[tuple[datetime, int, Step | None]] = [(step.at, 0, step) for step in steps()]
    day = BEGIN.replace(hour=7, minute=30)
    while day < END:
        found.append((day, 1, None))
        day += timedelta(days=1)
    for at, _, step in sorted(found, key=lambda item: (item[0], item[1])):
        if BEGIN < at < END:
            yield at.replace(tzinfo=ZONE), step


@pytest.fixture
def _days_of_this_test() -> Iterator[None]:
    """Days reckoned in frozen time are of freezegun's class: no later test is to be given them."""
    yield
    for known in gc.get_objects():
        if isinstance(known, functools._lru_cache_wrapper):
            known.cache_clear()


@pytest.mark.usefixtures("_days_of_this_test")
def test_the_mails_of_a_year(store: Store, tmp_path: Path) -> None:
    with Catcher(tmp_path / "mails") as catcher:
        year = Year(store, tmp_path, catcher)
        with freeze_time(BEGIN.replace(tzinfo=ZONE), real_asyncio=True) as frozen:
            year.begin()
            for at, step in moments():
                frozen.move_to(at)
                if step is not None:
                    year.happens(step)
                year.tick()
            assert review_due(store, year.settings, clock.now(), everyone=True).unexpected == []
            assert year.differences() == []
    told = "\n".join(year.diary).lstrip("\n") + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(told, encoding="utf-8")
    assert told == GOLDEN.read_text(encoding="utf-8")


pytestmark = pytest.mark.filterwarnings("error")
