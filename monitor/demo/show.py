"""`monitor demo`: a throw-away clinic, its history replayed, its mails caught, its daemon."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from monitor import clock, resources
from monitor.config import Settings, read_settings
from monitor.config.environment import PREFIX
from monitor.core.calendar import clinic_day
from monitor.core.permissions import Role
from monitor.daemon import Daemon
from monitor.demo.book import CITY, CITY_COLUMNS, write_csv
from monitor.demo.catcher import Catcher, Caught
from monitor.demo.replay import Replay
from monitor.demo.stories import Clinic
from monitor.operations import accounts
from monitor.operations.alert_list import alert_rows
from monitor.operations.passwords import drawn
from monitor.operations.schedules import adopt
from monitor.operations.status import ledger
from monitor.operations.verify import verify
from monitor.store.audit import Actor
from monitor.store.database import Store, open_store
from monitor.web.server import address_of, serving

Say = Callable[[str], None]
Progress = Callable[[int, int], None]
_MARK = ".monitor-demo"
_HARMLESS = (f"{PREFIX}CLINIC__", f"{PREFIX}MAIL__PRIVACY")
"""Variables of the environment that say how the demo speaks, not where it writes."""
_PEOPLE = (
    ("nurse", "Nora Example", Role.NURSE),
    ("doctor", "Dr Example", Role.CLINICIAN),
    ("admin", "Ada Example", Role.ADMIN),
)
_LIVE_WAIT = 60.0


class DemoRefused(Exception):
    """The demo cannot run as asked; the text says why."""


class DemoFailed(Exception):
    """The demo's own check found something wrong."""


def run_demo(
    folder: Path,
    *,
    once: bool,
    say: Say,
    progress: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
) -> None:
    """Make the clinic in `folder`, live through its history, then run the daemon.

    `progress` shows how far the history is. With `once`, the daemon takes in two more files,
    everything is checked, and it ends. Raises DemoRefused where the folder holds something
    else, DemoFailed where a check fails.
    """
    _make_room(folder)
    with Catcher(folder / "mails") as catcher:
        settings = _make_clinic(folder, catcher.port, 0 if once else _free_port())
        today = clinic_day(clock.now(), settings.clinic.zone)
        clinic = Clinic(today)
        say(f"A throw-away clinic in {folder}/")
        if left_out := _left_out(os.environ):
            say(f"  it is a clinic of its own, without {', '.join(left_out)} of the environment;")
            say("  unset what is named where you try commands on it")
        say(f"  data/    {_write_papers(clinic, folder)} files of made-up patients and results")
        say(f"  replays  the {len(clinic.book.days())} days since {clinic.book.live_since} ...")
        with progress() as bar:
            store = _live_through(clinic, settings, folder, bar)
        catcher.write_index()
        _tell_what_happened(clinic, store, settings, catcher, folder, say)
        if once:
            _once(folder, settings, catcher, store, say)
        else:
            _stay(folder, settings, catcher, store, say)
        catcher.write_index()


def _make_room(folder: Path) -> None:
    """An empty folder; an earlier demo's is cleared, anything else is left alone."""
    if folder.exists() and not folder.is_dir():
        raise DemoRefused(f"{folder} is a file: name a folder with --dir")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise DemoRefused(
                f"{folder} is not empty and not of an earlier demo: name another with --dir"
            )
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).touch()
    except OSError as error:
        raise DemoRefused(
            f"{folder} cannot be made: {error.strerror}; name another with --dir"
        ) from None


def _free_port() -> int:
    """A port for the pages, known before the mails that link to them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _make_clinic(folder: Path, port: int, pages: int) -> Settings:
    """Configuration, protocols and database, as `monitor init` would make them. `pages` is the
    port of the pages; 0 where none are served."""
    columns = "\n".join(f'{ours} = "{theirs}"' for ours, theirs in CITY_COLUMNS.items())
    path = folder / "config.toml"
    public = f"http://127.0.0.1:{pages}" if pages else ""
    text = _CONFIG.format(port=port, city=CITY, columns=columns, pages=pages, public=public)
    path.write_text(text, encoding="utf-8")
    shutil.copytree(resources.schedules_folder(), folder / "schedules")
    for name in ("inbox", "data", "try-me"):
        (folder / name).mkdir()
    return read_settings(text, path, _harmless(os.environ))


def _harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """What the demo takes of the environment. A variable that names the clinic's own database,
    mail server or folders would put made-up patients among the real ones, and send their mails."""
    return {
        name: text
        for name, text in environment.items()
        if not name.startswith(PREFIX) or name.startswith(_HARMLESS)
    }


def _left_out(environment: Mapping[str, str]) -> list[str]:
    kept = _harmless(environment)
    return sorted(name for name in environment if name not in kept)


def _write_papers(clinic: Clinic, folder: Path) -> int:
    clinic.book.write(folder / "data")
    clinic.book.write_backlog(folder / "try-me" / "1-the-feed-comes-back.csv")
    yesterday = clinic.ago(1)
    row = {
        "mrn": clinic.stories[6].mrn,
        "collected_at": f"{yesterday.isoformat()}T17:10",
        "analyte": "lymphocytes",
        "value": "180",
        "unit": "/uL",
        "specimen_id": "TRY-ME",
    }
    write_csv(folder / "try-me" / "2-a-dangerous-count.csv", tuple(row), [row])
    return len(list((folder / "data").iterdir()))


def _live_through(
    clinic: Clinic,
    settings: Settings,
    folder: Path,
    progress: Progress | None,
) -> Store:
    store = open_store(settings.database.url)
    store.migrate()
    replay = Replay(store, settings, folder / "data")
    days = clinic.book.days()
    adopt(store, settings.schedules.folder, replay.beginning(days[0]))
    replay.live(days, progress)
    return store


def _tell_what_happened(
    clinic: Clinic, store: Store, settings: Settings, catcher: Catcher, folder: Path, say: Say
) -> None:
    now = clock.now()
    counts = ledger(store, settings, now)
    alerts = alert_rows(store, settings, frozenset({"open", "acknowledged", "closed"}), now)
    of_whom: dict[str, list[str]] = {}
    for alert in alerts:
        closed = " (closed)" if alert["state"] == "closed" else ""
        words = f"{alert['urgency']} {alert['kind'].replace('_', ' ')}{closed}"
        of_whom.setdefault(alert["mrn"], []).append(words)
    to = Counter(mail.to for mail in catcher.caught)
    say(f"  mails/   {len(catcher.caught)} messages: open {folder}/mails/index.html in a browser")
    for address, count in sorted(to.items()):
        say(f"             {count:4d} to {address}")
    say("")
    shown = (f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    say("Patients: " + ", ".join(shown))
    say(f"Alerts that stand: {sum(alert['state'] != 'closed' for alert in alerts)}")
    say("")
    say("Their stories:")
    for story in clinic.stories:
        say(f"  {story.mrn}  {story.title}")
        say(f"         -> {', '.join(of_whom.get(story.mrn, ['no alert']))}")
    say("")


def _once(folder: Path, settings: Settings, catcher: Catcher, store: Store, say: Say) -> None:
    """What a visitor would try, without the visitor: both files dropped, the mail awaited."""
    before = len(catcher.caught)
    daemon = Daemon(settings)
    ready = threading.Event()
    thread = threading.Thread(target=daemon.run, args=(ready.set,), name="daemon")
    thread.start()
    try:
        ready.wait(_LIVE_WAIT)
        say("The daemon runs. Two files are dropped into the inbox ...")
        for path in sorted((folder / "try-me").glob("*.csv")):
            shutil.copyfile(path, settings.intake.inbox / path.name)
        arrived = _wait_for(lambda: any(mail.is_pressing for mail in catcher.caught[before:]))
    finally:
        daemon.stop()
        thread.join(_LIVE_WAIT)
    for mail in catcher.caught[before:]:
        say(f"  mail to {mail.to}: {mail.subject}")
    if not arrived:
        raise DemoFailed("the alert of the dropped file did not arrive")
    differences = verify(store, settings, clock.now())
    if differences:
        raise DemoFailed("; ".join(str(found) for found in differences))
    say("Verified: everything derived from scratch is what stands.")


def _stay(folder: Path, settings: Settings, catcher: Catcher, store: Store, say: Say) -> None:
    """Run the daemon and the pages until the daemon is told to end."""

    def tell(mail: Caught) -> None:
        say(f"  mail to {mail.to}: {mail.subject}\n    {mail.page}")
        catcher.write_index()

    catcher.on_mail = tell
    say("The daemon runs. In another terminal, try:")
    say(f"  cp {folder}/try-me/1-the-feed-comes-back.csv {folder}/inbox/")
    say(f"  cp {folder}/try-me/2-a-dangerous-count.csv {folder}/inbox/")
    say(f"  monitor status --config {folder}/config.toml")
    say(f"  monitor alerts --config {folder}/config.toml")
    say("Ctrl-C ends it; the clinic and its mails stay until the next demo.")
    say("")
    with _pages(settings, store, say):
        Daemon(settings).run()


@contextmanager
def _pages(settings: Settings, store: Store, say: Say) -> Iterator[None]:
    """The pages, and people who may sign in to them, with a password of this demo's own."""
    with serving(settings) as port:
        password = drawn()
        for name, full_name, role in _PEOPLE:
            accounts.add(
                store,
                name=name,
                full_name=full_name,
                role=role,
                password=password,
                must_change=False,
                by=Actor("demo"),
                now=clock.now(),
            )
        say(f"The pages: {address_of(settings, port)}/")
        names = ", ".join(f"{name} ({role})" for name, _, role in _PEOPLE)
        say(f"  sign in as {names}")
        say(f"  with the password {password}")
        say("")
        yield


def _wait_for(met: Callable[[], bool]) -> bool:
    for _ in range(int(_LIVE_WAIT * 10)):
        if met():
            return True
        time.sleep(0.1)
    return met()


_CONFIG = """# The demo's throw-away clinic. See config.example.toml for every key.
[clinic]
name = "Demo clinic"
timezone = "Europe/Zurich"
email = "operator@demo.example"
telephone = "+41 00 000 00 00"

[intake]
settle_seconds = 1

# The other laboratory writes semicolons, commas and its own words.
[sources.{city}]
date_format = "day_first"
decimal_comma = true
delimiter = ";"
[sources.{city}.columns]
{columns}

# The demo's own mail server, on this machine, while it runs.
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "monitor@demo.example"

# The pages, without second factors: nobody but you is here.
[web]
port = {pages}
public_url = "{public}"
second_factor = []

[[routes]]
name = "nurses"
to = ["nurse@demo.example"]

[[routes]]
name = "doctors: at once what cannot wait, and no digest"
to = ["doctor@demo.example"]
urgencies = ["urgent", "critical"]
digest = false
"""
