"""What every command shares: options, opening the work, printing, and the exit codes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor import clock
from monitor.config import Settings, load_settings
from monitor.core.calendar import FIRST_YEAR, LAST_YEAR, parse_instant
from monitor.core.faults import Faults

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from monitor.delivery.send import Sent
    from monitor.store.database import Store

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are (0: not known)."""

CONFIG_NAME = "config.toml"
_UNBOUNDED = 10_000
_PATH_SHOWN = 200
_WHYS_SHOWN = 5
_DEEDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\r(?!\n)")
"""Control characters but for tab and the ends of lines (ISO 6429), and bidirectional overrides."""
_STYLES = {
    "critical": "bold red",
    "urgent": "yellow",
    "seriously_overdue": "bold red",
    "overdue": "yellow",
    "due": "cyan",
}


class Exit(IntEnum):
    """How a command ends."""

    DONE = 0
    FAULT_OF_OURS = 1
    USAGE = 2
    NOT_ALL = 3
    """Done, but rows were refused or quarantined, or something is not well."""


class Refused(Exception):
    """What was asked cannot be done as asked; the text says what would work. Exit 2."""


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        envvar="MONITOR_CONFIG",
        readable=False,  # whoever reads it says what is wrong, here as in all arguments
        help="The clinic's configuration; `monitor init` writes one.",
        show_default=CONFIG_NAME,
    ),
]
AtOption = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="INSTANT",
        help="Stands for now: 2026-03-02T10:00, without an offset in the clinic's time; "
        "a bare date is its start.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of tables.")
]
CONFIG_DEFAULT = Path(CONFIG_NAME)
LARGEST_ID = 2**63 - 1
"""Above it a database has no number for a row."""


@dataclass(frozen=True)
class Work:
    """An opened clinic: its settings, its store, and the instant that stands for now."""

    settings: Settings
    store: Store
    now: datetime


def instant(text: str, settings: Settings) -> datetime:
    """`--at` as an instant in UTC; the clock where it is empty. Raises Refused."""
    if not text:
        return clock.now()
    try:
        found = parse_instant(text, settings.clinic.zone)[0]
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError("no year of ours")
    except (ValueError, OverflowError):
        raise Refused(
            f"--at {text}: not an instant; write 2026-03-02, 2026-03-02T10:00 or "
            f"2026-03-02T10:00+01:00, from {FIRST_YEAR} to {LAST_YEAR}"
        ) from None
    return found


def day(text: str, option: str) -> date:
    """A calendar date of an option. Raises Refused."""
    try:
        found = date.fromisoformat(text)
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError("no year of ours")
    except ValueError:
        raise Refused(
            f"{option} {text}: not a day; write it as 2026-03-02, from {FIRST_YEAR} to {LAST_YEAR}"
        ) from None
    return found


@contextmanager
def reading(config: Path, at: str = "") -> Iterator[Work]:
    """Open the clinic for a command that changes nothing; any `--at` will do."""
    from monitor.store.database import open_store
    from monitor.store.errors import TooEarly

    settings = load_settings(config)
    now = instant(at, settings)
    store = open_store(settings.database.url)
    try:
        yield Work(settings, store, now)
    except TooEarly as early:
        zone = settings.clinic.zone
        right = f"valid: --at {early.latest(zone)} or later" if at else "see: monitor health"
        raise Refused(f"{early.says(zone)}; {right}") from early
    finally:
        store.dispose()


@contextmanager
def writing(config: Path, at: str = "", *, preview: bool = False) -> Iterator[Work]:
    """Open the clinic for a command that writes, and take up the protocol files first; what
    is wrong with one is said here, and to the operator by mail, once a day. A preview of what it
    would write leaves protocols and operator alone.

    An `--at` more than five minutes before the instant that the database has been brought to
    is refused; whoever writes brings it further.
    """
    from monitor.operations.schedules import adopt, tell
    from monitor.operations.time_zone import notice_of_another_zone
    from monitor.store.facts import check_not_earlier

    with reading(config, at) as work:
        with work.store.read() as connection:
            check_not_earlier(connection, work.now)
            if at:
                _refuse_ahead_of_daemons(connection, at, work.now)
        notices = []
        if not preview:
            notices = adopt(work.store, work.settings.schedules.folder, work.now)
            notices += notice_of_another_zone(work.store, work.settings, work.now)
        for notice in notices:
            complain(notice.text)
        tell(work.store, work.settings, notices, work.now)
        yield work


def _refuse_ahead_of_daemons(connection: Connection, at: str, now: datetime) -> None:
    """Whoever works by the clock could do nothing until then."""
    from monitor.operations.fleet import at_work
    from monitor.store.facts import AHEAD

    present = clock.now()
    if now > present + AHEAD and (found := at_work(connection, present)):
        raise Refused(
            f"--at {at} lies ahead of the clock, and daemon {found[0].id} works on this database: "
            "it could do nothing until then. Try it in a copy: monitor backup COPY.db, and "
            "MONITOR__DATABASE__URL=sqlite:///COPY.db"
        )


def local(moment: datetime, zone: Any) -> str:
    """An instant as a person of the clinic reads it."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def harmless(text: str) -> str:
    """A text that does nothing to a terminal: what a file brought may hold escape sequences, which
    clear what stands above them, or marks that turn the order of reading round."""
    return _DEEDS.sub("\ufffd", text)


def say(text: str = "") -> None:
    """One line for the reader, on stdout, without markup."""
    _write(harmless(text))


def complain(text: str) -> None:
    """One line about what is wrong, on stderr."""
    sys.stderr.write(harmless(text) + "\n")


def complain_unsent(sent: Sent) -> None:
    """Why messages were not taken, and what becomes of them: the log holds only their numbers."""
    for why in sent.why[:_WHYS_SHOWN]:
        complain(f"not sent: {why}")
    if len(sent.why) > _WHYS_SHOWN:
        complain(f"and {len(sent.why) - _WHYS_SHOWN} more; see: monitor health")
    if sent.why and sent.waiting:
        complain(
            "Messages that were not sent stay owed; the mail server stands in [mail] of the config."
        )


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", empty: str = ""
) -> None:
    """Print rows under their headings, a row a line when piped; `empty` is said where there
    are none."""
    cells = [[_cell(value) for value in row] for row in rows]
    if empty and not cells:
        say(empty)
        return
    plain = None if sys.stdout.isatty() or title else _plain_table(columns, cells)
    if plain is None:
        _rich_table(columns, cells, title)
    else:
        say(plain)


def _plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """What rich would print into a pipe, which takes it longer than all the rest; None where a
    cell is not a plain line."""
    lines = [list(columns), *rows]
    if not all(cell.isascii() and cell.isprintable() for line in lines for cell in line):
        return None
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    whole = sum(widths) + 3 * (len(widths) - 1)
    if whole + 2 > _UNBOUNDED:
        return None
    drawn = [" " + "   ".join(map(str.ljust, line, widths)) for line in lines]
    drawn.insert(1, " " + "─" * whole)
    return "\n".join(line.rstrip() for line in drawn).strip("\n")


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    named = Text(harmless(title)) if title else None  # as it stands: no markup, as in the cells
    drawn = Table(title=named, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        drawn.add_column(Text(harmless(column)), overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    if sys.stdout.isatty():
        Console(highlight=False).print(drawn)
        return
    plain = Console(highlight=False, width=_UNBOUNDED, no_color=True)
    with plain.capture() as captured:
        plain.print(drawn)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    _write("\n".join(lines).strip("\n"))


def _cell(value: object) -> str:
    return "" if value is None else harmless(str(value))


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Progress | None]:
    """A progress bar on stderr while a terminal watches; None when piped or quiet."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


def guarded(run: Callable[[], object]) -> int:
    """Run the command line and turn whatever happens into its exit code; never a traceback."""
    try:
        run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        complain("stopped")
        return 130
    except Faults as faults:
        for fault in faults.faults:
            complain(str(fault))
        return Exit.USAGE
    except UnicodeEncodeError as error:
        if not any("\ud800" <= sign <= "\udfff" for sign in error.object):
            return _last_resort(error)
        complain("what was asked for holds bytes that are no text here: type it anew")
        return Exit.USAGE
    except Exception as error:  # noqa: BLE001  # the last resort: nobody sees a traceback
        if isinstance(error, _refusals()):
            complain(str(error))
            return Exit.USAGE
        if isinstance(error, OSError) and error.filename:
            complain(f"{str(error.filename)[:_PATH_SHOWN]}: {error.strerror}")
            return Exit.USAGE
        return _last_resort(error)
    return Exit.DONE


def answered(code: int, lost: str) -> int:
    """How a command ends whose answer may not have been written whole; why, says `lost`."""
    if not lost or code not in {Exit.DONE, Exit.NOT_ALL}:
        return code
    complain(
        f"standard output cannot be written ({lost}): what was asked was done all the same, and "
        "only its answer is not whole. Ask again where there is room."
    )
    return Exit.USAGE


def _refusals() -> tuple[type[Exception], ...]:
    """What rooms below raise when a person can mend it; imported only once it happened."""
    from monitor.core.actions import ActionRefused
    from monitor.store.errors import StoreError

    return Refused, ActionRefused, StoreError, *_of_accounts()


def _of_accounts() -> tuple[type[Exception], ...]:
    """Those of `monitor user`, whose libraries no other command needs."""
    if "monitor.operations.accounts" not in sys.modules:
        return ()
    from monitor.operations.accounts import AccountRefused
    from monitor.operations.passwords import WeakPassword

    return AccountRefused, WeakPassword


def _last_resort(error: Exception) -> int:
    """Say that something went wrong on our side; the log has where, and no patient data."""
    from monitor import logs

    name = logs.fault_id()
    logs.logger("cli").error("fault", id=name, what=logs.places(error))
    complain(
        f"A fault of ours ({name}): what was asked is not done, and what was taken in before is "
        "safe. Please report it with the line above."
    )
    return Exit.FAULT_OF_OURS
