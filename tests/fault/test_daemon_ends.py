"""The daemon as a process: it works, ends when told, and is the only one on its file."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from zoneinfo import ZoneInfo

from monitor.demo.catcher import Catcher
from monitor.store.database import open_store
from monitor.store.outbox import operator_alarm
from tests.mail_world import Mood, mail_server
from tests.processes import ClinicFolder, met

PATIENTS = "mrn,drug,started_on\nA1,azathioprine,{started_on}\n"
RESULTS = "mrn,collected_at,analyte,value,unit\nA1,{on},neutrophils,0.4,10*9/L\n"


def test_a_dropped_file_becomes_a_mail_and_sigterm_ends_it(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    daemon = clinic.start()
    clinic.drop("patients.csv", PATIENTS.format(started_on="2026-01-05"))
    clinic.drop("results.csv", RESULTS.format(on="2026-01-12T08:00"))
    assert met(lambda: clinic.done("results.csv"))
    assert met(lambda: any("CRITICAL" in mail.subject for mail in mailbox.caught))
    assert daemon.end() == 0
    assert clinic.run("verify").returncode == 0


def test_a_second_daemon_on_the_same_file_is_refused(clinic: ClinicFolder) -> None:
    clinic.start()
    second = clinic.run("run")
    assert second.returncode == 2
    assert "already" in second.stderr
    assert "Traceback" not in second.stderr


def test_killed_it_goes_on_at_the_next_start(clinic: ClinicFolder, mailbox: Catcher) -> None:
    first = clinic.start()
    clinic.drop("patients.csv", PATIENTS.format(started_on="2026-01-05"))
    clinic.drop("results.csv", RESULTS.format(on="2026-01-12T08:00"))
    first.kill()
    clinic.start()
    assert met(lambda: clinic.done("results.csv"))
    assert met(lambda: any("CRITICAL" in mail.subject for mail in mailbox.caught))


def test_an_invalid_config_is_an_error_at_the_start(clinic: ClinicFolder) -> None:
    (clinic.folder / "config.toml").write_text("[clinik]\n")
    ended = clinic.run("run")
    assert ended.returncode == 2
    assert 'did you mean "clinic"?' in ended.stderr


def test_a_password_that_is_not_there_is_said_at_the_start(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    named = '[webhooks.ehr]\nurl = "http://localhost/"\nsecret_env = "NOT_THERE"\n'
    with (clinic.folder / "config.toml").open("a") as config:
        config.write(named)
    daemon = clinic.start()
    said = "without what its config names: [webhooks.ehr] secret_env: NOT_THERE is not set"
    assert said in daemon.log.read_text()
    assert met(lambda: any("settings" in mail.subject for mail in mailbox.caught))


def test_without_an_inbox_patients_are_watched_all_the_same(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    clinic.inbox.rmdir()
    clinic.inbox.write_text("a file where the folder has to be")
    clinic.start()
    assert met(lambda: any("inbox cannot be read" in mail.subject for mail in mailbox.caught))


def test_a_hangup_ends_it_as_any_asking_does(clinic: ClinicFolder) -> None:
    """A terminal that is closed, a rotation of logs: it died on the spot, a mail half sent."""
    ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the daemon would inherit it
    try:
        daemon = clinic.start()
    finally:
        signal.signal(signal.SIGHUP, ours)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.process.wait(15) == 0
    assert "event='stopped'" in daemon.log.read_text()


def test_an_inbox_that_vanishes_is_told_once_in_words_and_taken_up_again(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    """As a share that is not there for a while. It was told as a fault of the program before."""
    daemon = clinic.start()
    away = clinic.folder / "away"
    sleep(2)
    clinic.inbox.rename(away)
    assert met(lambda: any("inbox cannot be read" in mail.subject for mail in mailbox.caught))
    sleep(4)
    away.rename(clinic.inbox)
    clinic.drop("back.csv", RESULTS.format(on="2026-01-12T08:00"))
    assert met(lambda: clinic.done("back.csv"))
    told = [mail.subject for mail in mailbox.caught if "inbox" in mail.subject]
    assert len(told) == 1, told
    log = daemon.log.read_text()
    assert "job failed" not in log
    assert "Error" not in log


def test_files_that_cannot_be_moved_away_are_tried_ever_more_rarely_and_told_once(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    """Each was read anew each second, with a line in the log, for ever, and told by itself."""
    done = clinic.inbox / "done"
    done.symlink_to(clinic.folder / "config.toml")  # no folder, nor a file to be taken in
    for name in ("a.csv", "b.csv"):
        clinic.drop(name, RESULTS.format(on="2026-01-12T08:00"))
    daemon = clinic.start()

    def tries() -> int:
        return daemon.log.read_text().count("no file can be moved out of the inbox")

    assert met(lambda: tries() >= 2)
    assert met(lambda: any("cannot be emptied" in mail.subject for mail in mailbox.caught))
    before = tries()
    clinic.drop("c.csv", RESULTS.format(on="2026-01-13T08:00"))
    assert met(lambda: tries() > before)
    assert not any("file a.csv" in mail.subject for mail in mailbox.caught)
    done.unlink()
    clinic.drop("d.csv", RESULTS.format(on="2026-01-14T08:00"))
    assert met(lambda: clinic.done("a.csv") and clinic.done("d.csv"))


def test_a_clock_that_is_set_back_stops_no_job(clinic: ClinicFolder, mailbox: Catcher) -> None:
    """It was three hours ahead; the scheduler would wait for three hours."""
    wrong = clinic.folder / "wrong-by"
    wrong.write_text("10800")
    daemon = clinic.spawn("-m", "tests.fault.set_clock", str(wrong))
    assert met(lambda: daemon.has_started)
    assert met(lambda: beats(clinic) > datetime.now(UTC) + timedelta(hours=2))
    half = clinic.folder / "half"
    half.write_text("0")
    half.replace(wrong)
    assert met(lambda: beats(clinic) < datetime.now(UTC) + timedelta(minutes=1))
    assert met(lambda: any("clock" in mail.subject for mail in mailbox.caught))


def test_a_clock_that_is_set_ahead_by_years_stops_no_job(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    """A machine without a battery begins in the past, until the time server tells it otherwise;
    and nobody was watched for as long as one was suspended."""
    wrong = clinic.folder / "wrong-by"
    wrong.write_text(str(-20 * 365 * 24 * 3600))
    daemon = clinic.spawn("-m", "tests.fault.set_clock", str(wrong))
    assert met(lambda: daemon.has_started)
    assert met(lambda: beats(clinic).year > datetime.min.year)
    half = clinic.folder / "half"
    half.write_text("0")
    half.replace(wrong)
    assert met(lambda: beats(clinic) > datetime.now(UTC) - timedelta(minutes=1))
    assert met(lambda: any("downtime" in mail.subject for mail in mailbox.caught))


def test_a_message_queued_by_a_clock_that_was_set_back_goes_all_the_same(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    """It was to be tried again at an instant of the wrong clock, and waited for three hours."""
    wrong = clinic.folder / "wrong-by"
    wrong.write_text("10800")
    daemon = clinic.spawn("-m", "tests.fault.set_clock", str(wrong))
    assert met(lambda: daemon.has_started)
    store = open_store(f"sqlite:///{clinic.folder / 'monitor.db'}")
    later = datetime.now(UTC) + timedelta(hours=3, minutes=10)
    with store.write() as connection:
        zone = ZoneInfo("UTC")
        operator_alarm(connection, "three hours ahead", "Nothing.", "a@b.example", later, zone)
    store.dispose()
    half = clinic.folder / "half"
    half.write_text("0")
    half.replace(wrong)
    assert met(lambda: any("three hours ahead" in mail.subject for mail in mailbox.caught))


def beats(clinic: ClinicFolder) -> datetime:
    """The daemon's last sign of life; long ago where there is none."""
    with sqlite3.connect(clinic.folder / "monitor.db") as connection:
        row = connection.execute("SELECT max(last_tick_at) FROM daemons").fetchone()
    return (
        datetime.fromisoformat(row[0]).replace(tzinfo=UTC)
        if row[0]
        else datetime.min.replace(tzinfo=UTC)
    )


def test_a_slow_mail_server_does_not_stop_the_heartbeat(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    """Whatever watches the machine would take it for dead while it delivers."""
    folder = tmp_path / "clinic"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "monitor.db")
    slow = Mood(slow=15)
    with mail_server(slow) as port:
        clinic = ClinicFolder(folder, port)
        clinic.run("init")
        config = folder / "config.toml"
        text = config.read_text().replace("clinic@localhost", "n@clinic.example")
        config.write_text(text.replace('\nfile = ""', '\nfile = "beat"', 1))
        clinic.start()
        assert met(lambda: jobs_done(clinic) > 8)
        clinic.kill_all()
        (folder / "beat").unlink(missing_ok=True)
        (folder / "people.csv").write_text(PATIENTS.format(started_on="2026-01-05"))
        (folder / "low.csv").write_text(RESULTS.format(on="2026-01-12T08:00"))
        clinic.run("enrol", "people.csv")
        clinic.run("load", "low.csv")
        clinic.start()
        try:
            assert met(lambda: (folder / "beat").exists())
            assert slow.taken == []
        finally:
            clinic.kill_all()


def jobs_done(clinic: ClinicFolder) -> int:
    with sqlite3.connect(clinic.folder / "monitor.db") as connection:
        (number,) = connection.execute("SELECT count(*) FROM job_runs").fetchone()
    return int(number)


def test_an_invalid_protocol_leaves_the_last_good_one_and_is_told(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    (clinic.folder / "schedules" / "azathioprine.toml").write_text("id = 3\n")
    clinic.start()
    assert met(lambda: any("azathioprine" in text_of(mail.page) for mail in mailbox.caught))
    clinic.drop("patients.csv", PATIENTS.format(started_on="2026-01-05"))
    assert met(lambda: clinic.done("patients.csv"))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")
