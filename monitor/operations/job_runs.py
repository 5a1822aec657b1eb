"""The last run of each job of the daemon, as `health` reads it.

A job that runs each second is not written down each second: only every half minute, and at
once where it failed or works again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from monitor.store.tables import JobRun, table_of

JOB_RUNS: Table = table_of(JobRun)
NOTED_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Noted:
    """What a daemon wrote down last of one of its jobs."""

    finished: datetime
    error: str

    def still_says(self, finished: datetime, error: str) -> bool:
        """Whether it still says what a run that ended now would say: that it failed, or that it
        works. Why it failed may bear the instant."""
        return (
            bool(self.error) == bool(error)
            and timedelta(0) <= finished - self.finished < NOTED_EVERY
        )


def record(
    connection: Connection, name: str, started: datetime, finished: datetime, error: str
) -> None:
    """Note a run; `error` names what is wrong with the database, or types and places in the code,
    never data."""
    values = {"started_at": started, "finished_at": finished, "error": error}
    changed = connection.execute(update(JOB_RUNS).where(JOB_RUNS.c.name == name).values(values))
    if changed.rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(JOB_RUNS).values(name=name, **values))
    except IntegrityError:
        pass  # another daemon was quicker, and its run was as good


def last_success(connection: Connection, name: str) -> datetime | None:
    """When the job last ended well; None where it never did or the last run failed."""
    row = connection.execute(select(JOB_RUNS).where(JOB_RUNS.c.name == name)).one_or_none()
    return None if row is None or row.error else row.finished_at
