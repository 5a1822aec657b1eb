"""The tables of the installation at work, without behaviour: its daemons, their jobs and feeds."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from monitor.store.base import Table
from monitor.store.types import UtcInstant


class Fact(Table, table=True):
    """Small facts about the database itself: `brought_to` (the latest instant acted on),
    `installation` (what tells it from every other), `lacks ID` (what a daemon runs without)."""

    __tablename__ = "facts"
    name: str = Field(primary_key=True)
    value: str


class JobRun(Table, table=True):
    """The last run of each job of the daemon, for `monitor health`."""

    __tablename__ = "job_runs"
    name: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcInstant)
    finished_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    error: str = ""


class DaemonRow(Table, table=True):
    """One start of `monitor run`, and when it last said that it works."""

    __tablename__ = "daemons"
    id: str = Field(primary_key=True)
    """Drawn at the start: a number of a process is given again."""
    host: str
    pid: int
    version: str
    revision: str
    """The newest migration that its program knows."""
    started_at: datetime = Field(sa_type=UtcInstant)
    last_tick_at: datetime = Field(sa_type=UtcInstant)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When it ended in good order."""
    failing: str = ""
    """Its jobs whose last run failed, separated by spaces."""


class JobTurn(Table, table=True):
    """A job that one daemon does for all that share a database."""

    __tablename__ = "job_turns"
    name: str = Field(primary_key=True)
    holder: str | None = None
    """The daemon that is at it."""
    until: datetime | None = Field(default=None, sa_type=UtcInstant)
    """When its turn ends if it does not say that it goes on."""
    done_at: datetime | None = Field(default=None, sa_type=UtcInstant)


class Listener(Table, table=True):
    """What came to a listener for HL7 messages since it was first started, for `health`."""

    __tablename__ = "listeners"
    address: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcInstant)
    last_message_at: datetime | None = Field(default=None, sa_type=UtcInstant)
    connections: int = 0
    """Open at the last look."""
    messages: int = 0
    """Taken and acknowledged."""
    repeated: int = 0
    """Of these, those that had come before, to the letter."""
    other_messages: int = 0
    """Of these, those that bring no results."""
    failed: int = 0
    """Answered with an error: their senders try again."""
    rejected: int = 0


class SilentFeed(Table, table=True):
    """A source of whose results nothing came when it should have; gone once something comes.
    Messages about patients who look overdue meanwhile say so."""

    __tablename__ = "silent_feeds"
    source: str = Field(primary_key=True)
    since: datetime = Field(sa_type=UtcInstant)
    """When its last file came."""
    noted_at: datetime = Field(sa_type=UtcInstant)
