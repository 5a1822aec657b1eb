"""`monitor init` and `monitor health`: setting a clinic up, and whether all is well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from monitor import clock, resources
from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    Exit,
    JsonOption,
    Refused,
    complain,
    reading,
    say,
    table,
)
from monitor.cli.json_answers import print_json
from monitor.config import load_settings


def init(config: ConfigOption = CONFIG_DEFAULT) -> None:
    """Make a clinic of this folder; safe to repeat.

    Writes config.toml, schedules/ (the protocols and the catalogue of analytes) and inbox/
    where there are none, and creates the database beside them or brings it up to date.
    Nothing that is there already is changed, except the database's tables. Ends with 3 where
    no protocol could be put in force.
    """
    from monitor.operations.schedule_force import in_force
    from monitor.operations.schedules import adopt
    from monitor.store.database import open_store

    if not config.exists():
        with _whole(config) as part:
            part.touch(mode=0o600)  # the address of a database may hold its password
            part.write_text(resources.example_config(), encoding="utf-8")
        say(f"wrote     {config}: put the clinic's name, time zone and e-mail address into it")
    settings = load_settings(config)
    for folder in (settings.schedules.folder, settings.intake.inbox):
        if folder.exists() and not folder.is_dir():
            raise Refused(f"{folder} is a file, where a folder has to be: move it away")
    _copy_schedules(settings.schedules.folder)
    inbox = settings.intake.inbox
    if not inbox.exists():
        with _whole(inbox) as part:
            part.mkdir()
        say(f"made      {inbox}: lab files dropped here are taken in by `monitor run`")
    store = open_store(settings.database.url)
    try:
        store.migrate()
        for notice in adopt(store, settings.schedules.folder, clock.now()):
            complain(notice.text)
        with store.read() as connection:
            is_ready = bool(in_force(connection).protocols)
    finally:
        store.dispose()
    if not is_ready:
        complain("not ready: no protocol is in force, and nobody can be enrolled")
        raise typer.Exit(Exit.NOT_ALL)
    say("ready     next: monitor enrol PATIENTS.csv, monitor load RESULTS.csv, monitor status")


def _copy_schedules(folder: Path) -> None:
    if folder.exists():
        return
    with _whole(folder) as part:
        part.mkdir()
        for file in sorted(resources.schedules_folder().glob("*.toml")):
            shutil.copyfile(file, part / file.name)
    say(f"made      {folder}: the protocols; a clinician should read and approve them")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Where to make a file or folder that is there whole or not at all: what a full disk left half
    done would be taken for the clinic's own by the next `init`. Raises Refused."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(part)
        yield part
        part.rename(path)
    except OSError as error:
        _remove(part)
        raise Refused(f"{path} cannot be made: {error.strerror}") from None


def _remove(part: Path) -> None:
    """What an `init` that was killed has left."""
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def health(
    config: ConfigOption = CONFIG_DEFAULT, at: AtOption = "", as_json: JsonOption = False
) -> None:
    """Is the monitor itself well: scheduler, feeds, mail, database, protocols, settings?

    Ends with 3 when something is not, and says what and what to do.
    """
    from monitor.operations.health import examine, without_database
    from monitor.store.errors import StoreError

    with reading(config, at) as work:
        try:
            report = examine(work.store, work.settings, work.now, then=bool(at))
        except StoreError as error:
            report = without_database(error)
    if as_json:
        print_json(report.document())
    else:
        rows = [
            ("well" if part.well else "NOT WELL", part.name, part.says) for part in report.parts
        ]
        table(["", "part", "what"], rows)
        say("All is well." if report.well else "Not all is well.")
    if not report.well:
        raise typer.Exit(Exit.NOT_ALL)
