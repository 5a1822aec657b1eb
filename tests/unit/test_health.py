"""Health: every part is well, or says what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from monitor import resources
from monitor.config import Settings, read_settings
from monitor.daemon import Daemon
from monitor.operations import feeds, heartbeat, job_runs
from monitor.operations.figures import figures
from monitor.operations.fleet import Member
from monitor.operations.health import Health, examine, may_be_silent
from monitor.operations.schedules import adopt
from monitor.store.breakers import note_failure
from monitor.store.daemons import lacking
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.outbox import DELIVERIES
from monitor.store.tables import EnrolmentRow, File, Patient, table_of

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
JOBS = ("inbox", "review", "delivery", "digests", "schedules", "nightly", "heartbeat", "feeds")


def settings(folder: Path, **environment: str) -> Settings:
    values = {"MONITOR__CLINIC__EMAIL": "nurse@clinic.example"}
    folder_of_schedules = {"MONITOR__SCHEDULES__FOLDER": str(resources.schedules_folder())}
    return read_settings("", folder / "config.toml", values | folder_of_schedules | environment)


def working(store: Store, chosen: Settings) -> None:
    """A daemon that runs, on the shipped protocols."""
    chosen.intake.inbox.mkdir()
    adopt(store, chosen.schedules.folder, NOW)
    for job in JOBS:
        ran(store, job, NOW)


def ran(store: Store, job: str, at: datetime, error: str = "") -> None:
    with store.write() as connection:
        job_runs.record(connection, job, at, at, error)


def ill(health: Health) -> dict[str, str]:
    return {part.name: part.says for part in health.parts if not part.well}


def test_all_is_well(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    assert ill(examine(store, chosen, NOW)) == {}


def test_every_job_may_rest_until_its_next_look(store: Store, tmp_path: Path) -> None:
    """The heartbeat is given while all is well: whatever watches it would be called each hour."""
    chosen = settings(tmp_path, MONITOR__MLLP__PORT="2575")
    for job in Daemon(chosen)._jobs():
        assert may_be_silent(job.name) >= timedelta(seconds=2 * job.every), job.name
        ran(store, job.name, NOW - timedelta(seconds=1.9 * job.every))
    assert examine(store, chosen, NOW).document()["parts"]["scheduler"]["well"]


def test_nobody_reads_the_address_that_init_wrote(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path, MONITOR__CLINIC__EMAIL="clinic@localhost")
    working(store, chosen)
    assert set(ill(examine(store, chosen, NOW))) == {"settings"}


def test_a_language_that_mails_do_not_have_is_told(store: Store, tmp_path: Path) -> None:
    """They came in English, and nothing said so; they do come, so that is no alarm."""
    chosen = settings(tmp_path, MONITOR__CLINIC__LOCALE="fr-CH")
    working(store, chosen)
    swiss = settings(tmp_path, MONITOR__CLINIC__LOCALE="de-CH")
    for it, more in (
        (chosen, "; no mail can be in fr-CH, they are in English (there are: en, de)"),
        (swiss, ""),
    ):
        health = examine(store, it, NOW)
        [told] = [part.says for part in health.parts if part.name == "settings"]
        assert ill(health) == {}
        assert told == f"alarms go to nurse@clinic.example{more}"


def test_an_inbox_into_which_nobody_can_look_is_told(store: Store, tmp_path: Path) -> None:
    """A network folder that is not there looks like a quiet week."""
    chosen = settings(tmp_path)
    working(store, chosen)
    inbox = chosen.intake.inbox
    inbox.rmdir()
    assert f"{inbox} cannot be read (No such file" in ill(examine(store, chosen, NOW))["feeds"]
    assert feeds.watch(store, chosen, NOW)
    inbox.write_text("a file")
    assert f"{inbox} cannot be read (Not a directory" in ill(examine(store, chosen, NOW))["feeds"]
    inbox.unlink()
    inbox.mkdir()
    assert ill(examine(store, chosen, NOW)) == {}


def test_an_inbox_that_cannot_be_emptied_is_told(store: Store, tmp_path: Path) -> None:
    """What was taken in stays and is read anew, each time the inbox is looked at."""
    chosen = settings(tmp_path)
    working(store, chosen)
    done = chosen.intake.inbox / "done"
    done.write_text("a file where the folder has to be")
    assert f"{done} cannot be written" in ill(examine(store, chosen, NOW))["feeds"]
    assert feeds.watch(store, chosen, NOW)
    done.unlink()
    done.mkdir()
    assert ill(examine(store, chosen, NOW)) == {}


SIGNED_IN = {"MONITOR__MAIL__USERNAME": "monitor", "MONITOR__MAIL__PASSWORD_ENV": "RELAY"}


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (SIGNED_IN, "[mail] password_env: RELAY is not set"),
        (
            {"MONITOR__MAIL__USERNAME": "monitor", "MONITOR__MAIL__PASSWORD_FILE": "relay.txt"},
            "[mail] password_file: relay.txt cannot be read, or is empty",
        ),
        ({"MONITOR__METRICS__TOKEN_ENV": "ASKS"}, "[metrics] token_env: ASKS is not set"),
        ({"MONITOR__WEB__FHIR_TOKEN_FILE": "t"}, "[web] fhir_token_file: t cannot be read"),
    ],
)
def test_a_password_that_is_named_and_not_there_is_told_before_the_first_message(
    store: Store, tmp_path: Path, named: dict[str, str], says: str
) -> None:
    chosen = settings(tmp_path, **named)
    working(store, chosen)
    told = ill(examine(store, chosen, NOW))
    assert set(told) == {"settings"}
    assert says in told["settings"]


def test_a_password_that_is_there_is_no_trouble(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY", "secret")
    chosen = settings(tmp_path, **SIGNED_IN)
    working(store, chosen)
    assert ill(examine(store, chosen, NOW)) == {}


def test_the_environment_of_the_daemon_counts_not_that_of_whoever_asks(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings(tmp_path, **SIGNED_IN)
    working(store, chosen)
    member = Member(store)
    member.join(NOW)
    member.tick(NOW, (), "")
    assert ill(examine(store, chosen, NOW)) == {}, "the daemon has it"
    monkeypatch.setenv("RELAY", "secret")
    member.tick(NOW, (), "[mail] password_env: RELAY is not set")
    told = ill(examine(store, chosen, NOW))["settings"]
    assert told.startswith(f"daemon {member.me.id} on {member.me.host}: [mail] password_env: RELAY")
    member.leave(NOW)
    assert ill(examine(store, chosen, NOW)) == {}, "no daemon runs, and whoever asks has it"
    Member(store).join(NOW + timedelta(days=8))
    with store.read() as connection:
        assert lacking(connection, [member.me.id]) == {}, "forgotten with the daemon"


def test_a_daemon_that_never_ran_or_fell_silent(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert "never run" in ill(examine(store, chosen, NOW))["scheduler"]
    working(store, chosen)
    later = NOW + timedelta(minutes=20)
    assert "silent" in ill(examine(store, chosen, later))["scheduler"]


def test_a_database_that_was_brought_to_a_day_to_come_is_told(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    with store.write() as connection:
        bring_to(connection, NOW + timedelta(minutes=4))
    assert ill(examine(store, chosen, NOW)) == {}, "clocks differ a little"
    with store.write() as connection:
        bring_to(connection, NOW + timedelta(days=300))
    assert "has not come yet" in ill(examine(store, chosen, NOW))["database"]


def test_messages_that_wait_for_an_instant_to_come_are_told(store: Store, tmp_path: Path) -> None:
    """The clock was set back: what was queued before it waits until it has come there again."""
    chosen = settings(tmp_path)
    working(store, chosen)
    message(store, NOW + timedelta(minutes=4))
    assert ill(examine(store, chosen, NOW)) == {}, "clocks differ a little"
    message(store, NOW + timedelta(hours=3))
    assert "waiting for it: 1, of them critical: 0" in ill(examine(store, chosen, NOW))["mail"]
    assert ill(examine(store, chosen, NOW, then=True)) == {}


def test_a_job_that_failed_is_named(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    ran(store, "inbox", NOW, "OSError at intake/inbox.py:1")
    assert "inbox" in ill(examine(store, chosen, NOW))["scheduler"]


def test_a_message_owed_for_hours(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    message(store, NOW - timedelta(hours=2))
    assert (
        "1 message to mail waits longer than its urgency allows, the oldest since"
        in ill(examine(store, chosen, NOW))["mail"]
    )


def test_a_mail_server_that_the_config_no_longer_names_is_no_trouble(
    store: Store, tmp_path: Path
) -> None:
    """A name misspelt once was told for ever."""
    chosen = settings(tmp_path, MONITOR__MAIL__HOST="m.clinic.example")
    working(store, chosen)
    for host in ("m.clinc.example", "m.clinic.example"):
        with store.write() as connection:
            note_failure(connection, f"mail {host}:25", 1, NOW, NOW, "no such host")
    [mail] = [it.says for it in examine(store, chosen, NOW).parts if it.name == "mail"]
    assert mail == "nothing waits; mail m.clinic.example:25 does not work since 2 Mar 2026, 12:00"


def test_one_review_that_is_late_is_one(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    enrolled(store, NOW - timedelta(hours=2), due=NOW - timedelta(hours=2))
    told = ill(examine(store, chosen, NOW))["reviews"]
    assert told == "1 enrolment waits longer than an hour for a review"


def test_what_is_wrong_with_feeds_reads_as_one_line(store: Store, tmp_path: Path) -> None:
    """There stood "nobody's counts are watched.; In the inbox lies ..."."""
    chosen = settings(tmp_path)
    working(store, chosen)
    enrolled(store, NOW - timedelta(days=9))
    chosen.intake.inbox.rmdir()
    told = ill(examine(store, chosen, NOW))["feeds"]
    assert "nobody's counts are watched; The inbox" in told and ".;" not in told


def test_a_message_refused_for_good(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    message(store, NOW - timedelta(days=1), state="failed")
    assert "refused" in ill(examine(store, chosen, NOW))["mail"]
    assert ill(examine(store, chosen, NOW + timedelta(minutes=10))).keys() == {"mail"}


def message(store: Store, at: datetime, state: str = "waiting") -> None:
    with store.write() as connection:
        connection.execute(
            insert(DELIVERIES).values(
                once_key=f"test:{at}",
                kind="operator",
                recipient="nurse@clinic.example",
                urgency="urgent",
                created_at=at,
                for_day=at.date(),
                message_id="<1@clinic.example>",
                payload={},
                state=state,
                attempts=0,
                next_attempt_at=at,
                last_error="",
            )
        )


def test_a_protocol_that_differs_is_named(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    working(store, chosen)
    empty = tmp_path / "empty"
    empty.mkdir()
    moved = settings(tmp_path, MONITOR__SCHEDULES__FOLDER=str(empty))
    assert "azathioprine" in ill(examine(store, moved, NOW))["schedules"]


def test_a_feed_is_silent_after_the_days_that_are_allowed(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert feeds.silence(store, chosen, NOW) == ""
    enrolled(store, NOW)
    assert feeds.silence(store, chosen, NOW + timedelta(days=3)) == ""
    assert "since 2 Mar 2026," in feeds.silence(store, chosen, NOW + timedelta(days=4))
    results_file(store, NOW + timedelta(days=3))
    assert feeds.silence(store, chosen, NOW + timedelta(days=6)) == ""
    assert "since 5 Mar 2026," in feeds.silence(store, chosen, NOW + timedelta(days=7))
    never = settings(tmp_path, MONITOR__INTAKE__FEED_SILENCE_ALARM="")
    assert feeds.silence(store, never, NOW + timedelta(days=7)) == ""


def test_a_file_that_was_taken_back_ends_no_silence(store: Store, tmp_path: Path) -> None:
    """Another clinic's file, loaded and taken back, put the alarm off by days; in the list of
    feeds beside it that file had never come."""
    chosen = settings(tmp_path)
    enrolled(store, NOW)
    results_file(store, NOW + timedelta(days=3))
    later = NOW + timedelta(days=6)
    assert feeds.silence(store, chosen, later) == ""
    files = table_of(File)
    with store.write() as connection:
        connection.execute(update(files).values(reverted_at=NOW + timedelta(days=3)))
    assert "since 2 Mar 2026," in feeds.silence(store, chosen, later)
    assert not [it for it in figures(store, chosen, later) if it.name == "results_last_seconds"]


def enrolled(store: Store, at: datetime, due: datetime | None = None) -> None:
    with store.write() as connection:
        connection.execute(
            insert(table_of(Patient)).values(id=1, mrn="A1", mrn_key="a1", mrn_loose="a1")
        )
        connection.execute(
            insert(table_of(EnrolmentRow)).values(
                patient_id=1,
                drug="azathioprine",
                protocol_id="azathioprine",
                started_on=at.date(),
                enrolled_on=at.date(),
                enrolled_at=at,
                next_review_at=due,
            )
        )


def results_file(store: Store, at: datetime) -> None:
    counts = dict.fromkeys(
        ("rows", "stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored"), 0
    )
    with store.write() as connection:
        connection.execute(
            insert(table_of(File)).values(
                kind="results", name="f.csv", sha256="0", source="", received_at=at, **counts
            )
        )


def test_the_silence_is_told_once_a_day(store: Store, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    enrolled(store, NOW)
    later = NOW + timedelta(days=5)
    assert feeds.watch(store, chosen, later)
    assert not feeds.watch(store, chosen, later + timedelta(hours=1))
    assert feeds.watch(store, chosen, later + timedelta(days=1))


def test_the_heart_beats_only_while_all_is_well(store: Store, tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    chosen = settings(tmp_path, MONITOR__HEARTBEAT__FILE=str(beat))
    assert not heartbeat.beat_if_well(store, chosen, NOW)
    assert not beat.exists()
    working(store, chosen)
    ran(store, "heartbeat", NOW, "OSError at operations/heartbeat.py:1")
    assert heartbeat.beat_if_well(store, chosen, NOW)
    assert beat.read_text().startswith("2026-03-02T12:00")
