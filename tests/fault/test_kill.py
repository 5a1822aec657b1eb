"""The daemon killed (SIGKILL) at random instants while files arrive and mails go out.

Nothing may be lost: every row, alert and mail is there at the end as in a clinic that was left
in peace. A kill may repeat one mail, with the same Message-ID. MONITOR_KILLS says how often it
is killed (the specification asks for 200), MONITOR_KILL_SEED draws other instants.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from tests.fault import kill_compare as compare
from tests.fault.kill_clinic import SEED, Clinic, deliver_what_is_left, take_in_peace
from tests.fault.kill_story import OPERATOR, Made
from tests.fault.killing import Killing
from tests.processes import ClinicFolder

KILLS = int(os.environ.get("MONITOR_KILLS", "10"))


def test_killed_at_any_instant_it_loses_nothing(
    killed: Clinic, in_peace: Clinic, timezone: str
) -> None:
    today = datetime.now(ZoneInfo(timezone)).date()
    killing = Killing(killed.folder, killed.url, killed.postbox, random.Random(SEED), today)
    for number in range(KILLS):
        killing.one_life(number)
    assert killing.settle() == 0
    take_in_peace(in_peace, killing.dropped)
    _say_what_was_hit(killed, killing)

    _every_file_was_taken(killed.folder, killing.dropped)
    assert compare.rows(killed.url) == compare.rows(in_peace.url)
    for words, in_common in (
        (("status",), compare.standings),
        (("alerts", "--state", "all"), compare.alerts),
    ):
        assert in_common(killed.json(*words)) == in_common(in_peace.json(*words))
    deliver_what_is_left(killed, in_peace)
    _all_is_sound(killed)
    _operator_was_told_of_what_could_not_be_read_and_of_nothing_else(killed, killing.dropped)
    tomorrow = f"{today + timedelta(days=1)}T08:00"
    # What is routine is told tomorrow, and what nobody has acknowledged climbs its ladder.
    sent = [clinic.json("deliver", "--at", tomorrow) for clinic in (killed, in_peace)]
    assert sent[0] == sent[1]
    assert (sent[0]["failed"], sent[0]["waiting"]) == (0, 0)
    assert sent[0]["sent"] >= 1
    _every_mail_came(killed, in_peace)


def _say_what_was_hit(killed: Clinic, killing: Killing) -> None:
    """For whoever asked for more kills than usual."""
    messages, repeats = killed.postbox.by_message_id(), killed.postbox.repeats_by_kill()
    text = f"{killing.tally}; {len(messages)} messages, {repeats.total()} of them came again"
    if "MONITOR_KILLS" in os.environ:
        with killed.capture.disabled():
            sys.stdout.write(f"\n{text}\n")


def _every_file_was_taken(clinic: ClinicFolder, files: list[Made]) -> None:
    """Each lies in done/ or failed/ beside its two reports, under its own name, and nothing
    else does."""
    assert [path.name for path in clinic.inbox.iterdir() if path.is_file()] == []
    for place in ("done", "failed"):
        own = {made.name: made for made in files if (made.kind == "broken") == (place == "failed")}
        endings = ("", ".report.txt", ".report.json")
        expected = {f"{name}{ending}" for name in own for ending in endings}
        folder = clinic.inbox / place
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
        assert found == expected
        for name, made in own.items():
            assert (folder / name).read_text() == made.text
            assert (folder / f"{name}.report.txt").read_text().startswith(name)
            _adds_up(json.loads((folder / f"{name}.report.json").read_text()), made)


def _adds_up(report: dict[str, Any], made: Made) -> None:
    if made.kind == "broken":
        assert "PDF" in report["error"]
        return
    outcomes = {
        "results": ("stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")
    }.get(made.kind, ("taken", "duplicate"))
    assert report["rows"] == len(made.lines) - 1
    assert report["rows"] == sum(report[outcome] for outcome in outcomes)


def _all_is_sound(killed: Clinic) -> None:
    verified = killed("verify")
    assert verified.code == 0, verified.out
    for daemon in killed.folder.started:
        log = daemon.log.read_text()
        assert "level='error'" not in log and "Traceback" not in log, log
    if killed.url.startswith("sqlite"):
        file = killed.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _operator_was_told_of_what_could_not_be_read_and_of_nothing_else(
    killed: Clinic, files: list[Made]
) -> None:
    told = {it.subject for it in killed.postbox.accepted if it.to == OPERATOR}
    assert told == {f"OPERATOR: file {made.name}" for made in files if made.kind == "broken"}


def _every_mail_came(killed: Clinic, in_peace: Clinic) -> None:
    """Whoever would have been told in peace was told, of each alert and once; a mail came
    again only after a kill, and no more often than there were kills."""
    arrivals = killed.postbox.by_message_id()
    assert compare.told(killed.url, arrivals) == compare.told(
        in_peace.url, in_peace.postbox.by_message_id()
    )
    assert compare.deliveries(killed.url) == dict.fromkeys(arrivals, "sent")
    assert set(compare.said_of_each(killed.url).values()) == {1}
    for messages in arrivals.values():
        assert len({(it.to, it.subject) for it in messages}) == 1
    repeats = killed.postbox.repeats_by_kill()
    for kills, so_far in enumerate(accumulate(repeats[kills] for kills in range(KILLS + 1))):
        assert so_far <= kills, f"{so_far} mails came again after {kills} kills"
