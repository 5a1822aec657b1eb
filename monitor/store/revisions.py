"""Which databases this program gets along with.

A migration that only adds (a table, a column that may be empty or has a default of the
database's own, an index) says `additive = True`: a program that does not know it works on, and
so daemons of two versions can share a database while they are replaced one by one. Any other
migration ends that. The database keeps the oldest revision whose programs may use it, as the
fact `compatible_from`; a program that meets a revision it does not know asks for that.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from monitor.store.errors import StoreError, StoreOutdated
from monitor.store.facts import fact, put_fact
from monitor.store.processes import is_alive

COMPATIBLE_FROM = "compatible_from"
_FOLDER = Path(__file__).parent / "migrations"
_LINE = re.compile(r'^(revision|down_revision|additive) = "?(\w+)"?', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema."""

    name: str
    additive: bool


def newest() -> str:
    """The revision that this program makes and needs."""
    return chain()[-1].name


@cache
def chain() -> tuple[Revision, ...]:
    """All revisions this program knows, the oldest first: the order is that of the chain, for
    numbers are given out before it is known what lands first."""
    after: dict[str | None, Revision] = {}
    for path in (_FOLDER / "versions").glob("[0-9]*.py"):
        names = dict(_LINE.findall(path.read_text(encoding="utf-8")))
        step = Revision(names["revision"], names.get("additive") == "True")
        before = names.get("down_revision")
        after[None if before == "None" else before] = step
    steps: list[Revision] = []
    name: str | None = None
    while (step_after := after.get(name)) is not None:
        steps.append(step_after)
        name = step_after.name
    return tuple(steps)


def compatible_from(steps: Sequence[Revision]) -> str:
    """The oldest revision whose programs may use a database that has gone all these steps."""
    for place in range(len(steps) - 1, 0, -1):
        if not steps[place].additive:
            return steps[place].name
    return steps[0].name


def alembic_config() -> Any:
    """Alembic's own settings, for our folder of migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def note_compatible(connection: Connection) -> None:
    """Write down who may use the database that was just brought up to date."""
    put_fact(connection, COMPATIBLE_FROM, compatible_from(chain()))


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None where it has no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def refuse_newer(connection: Connection) -> None:
    """Raises StoreOutdated where a newer program must be installed to bring it up to date."""
    revision = revision_of(connection)
    if revision is not None and not _is_known(revision):
        raise _outdated(revision)


def changes_tables(connection: Connection) -> bool:
    """Whether a step to come does more than add: daemons that work on the database would fail in
    the middle of their work."""
    names = [step.name for step in chain()]
    revision = revision_of(connection)
    to_come = chain()[names.index(revision) + 1 :] if revision in names else ()
    return not all(step.additive for step in to_come)


def refuse_in_use(connection: Connection) -> None:
    """Raises StoreError where daemons work on a PostgreSQL. One of this machine that was killed a
    moment ago works no more."""
    if not inspect(connection).has_table("daemons"):
        return
    query = text(
        "SELECT host, pid FROM daemons WHERE stopped_at IS NULL "
        "AND last_tick_at > now() - interval '2 minutes' ORDER BY started_at"
    )
    here = socket.gethostname()
    found = [
        f"process {row.pid} on {row.host}"
        for row in connection.execute(query)
        if row.host != here or is_alive(row.pid)
    ]
    if found:
        raise in_use(", ".join(found))


def in_use(by: str) -> StoreError:
    """What keeps the tables from being changed."""
    return StoreError(
        f"this version changes tables that running daemons work on ({by}): "
        "end them, bring the database up to date, and start the new version"
    )


def refuse_other(connection: Connection) -> None:
    """Raises StoreError where this program cannot work on the database as it is."""
    revision = revision_of(connection)
    if revision is None:
        raise StoreError("the database is empty: `monitor init` creates its tables")
    if revision == newest():
        return
    if _is_known(revision):
        raise StoreError(
            f"the database has revision {revision}, this program needs {newest()}: "
            "`monitor init` brings it up to date (make a backup before)"
        )
    since = fact(connection, COMPATIBLE_FROM)
    if since is None or not _is_known(since):
        raise _outdated(revision)


def _is_known(revision: str) -> bool:
    return any(step.name == revision for step in chain())


def _outdated(revision: str) -> StoreOutdated:
    return StoreOutdated(
        f"the database has revision {revision}, which this program does not know: "
        "it was written by a newer version of the monitor; install that one"
    )
