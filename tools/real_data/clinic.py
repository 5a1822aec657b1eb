"""A fresh clinic in a folder, worked by the `monitor` commands alone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tools.real_data.arrivals import Arrival
from tools.real_data.judge import protocol_of
from tools.real_data.rows import HERE, STORED, Row

_CONFIG = """\
[clinic]
name = "Real data"
timezone = "UTC"
email = "clinic@example.org"
telephone = "+41 44 000 00 00"
"""
_DONE, _NOT_ALL = 0, 3


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    exit: int
    out: str
    err: str


Command = Callable[[Sequence[str]], Ran]


def in_a_process(arguments: Sequence[str]) -> Ran:
    """The command as a user runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments], capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class HeldRow(NamedTuple):
    """Where a row stood, and why it is held."""

    line: int
    reason_code: str
    reason: str


class CommandFailed(Exception):
    """A command ended otherwise than done, or done with rows held."""


def _added(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several reports of the same kind as one."""
    return {
        "rows": sum(report["rows"] for report in reports),
        "taken": sum(report["taken"] for report in reports),
        "duplicate": sum(report["duplicate"] for report in reports),
        "refused": [it for report in reports for it in report["refused"]],
    }


@dataclass
class Clinic:
    """The folder, and what its commands said."""

    folder: Path
    command: Command = in_a_process
    reports: dict[str, Any] = field(default_factory=dict)

    def take(self, coming: Sequence[Arrival], now: str) -> None:
        """From nothing to the alerts of a whole set, every step verified."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sources = (HERE / "sources.toml").read_text(encoding="utf-8")
        (self.folder / "config.toml").write_text(_CONFIG + "\n" + sources, encoding="utf-8")
        self._run("init")
        told: dict[str, list[Any]] = {"enrol": [], "events": [], "load": [], "verify": []}
        for arrival in coming:
            told[arrival.command].append(self._arrive(arrival))
            if arrival.command == "load":
                self._ask("sweep", at=arrival.at)
                told["verify"] += self._ask("verify", at=arrival.at)
        self._ask("sweep", "--all", at=now)
        self.reports = {
            "enrol": _added(told["enrol"]),
            "events": _added(told["events"]),
            "load": [file for report in told["load"] for file in report["files"]],
            "verify": told["verify"] + self._ask("verify", at=now),
            "status": self._ask("status", at=now),
            "alerts": self._ask("alerts", "--state", "all", at=now),
        }

    def again(self, coming: Sequence[Arrival], now: str) -> list[dict[str, Any]]:
        """The same results a second time: must change nothing."""
        return [
            file
            for arrival in coming
            if arrival.command == "load"
            for file in self._arrive(replace(arrival, at=now))["files"]
        ]

    def bury(self, deaths: pd.DataFrame, now: str) -> None:
        """Tell who died, and ask for the alerts again."""
        path = self.folder / "deaths.csv"
        deaths.to_csv(path, index=False)
        told = self._ask("events", str(path), at=now)
        self._ask("sweep", "--all", at=now)
        self.reports |= {
            "deaths": told,
            "verify": self._ask("verify", at=now),
            "alerts": self._ask("alerts", "--state", "all", at=now),
        }

    def _arrive(self, arrival: Arrival) -> Any:
        named = ["--source", arrival.source] if arrival.source else []
        return self._ask(arrival.command, str(arrival.path), *named, at=arrival.at)

    def stored(self) -> list[Row]:
        """The results that stand, as they lie in the database, read without the product."""
        query = (
            "SELECT r.line, p.mrn, r.analyte, r.collected_at, r.timed, said.value, said.comparator"
            " FROM results r JOIN readings said ON said.id = r.reading_id"
            " JOIN patients p ON p.id = r.patient_id WHERE r.stands"
        )
        return [
            Row(
                line=line,
                words=(),
                mrn=mrn.upper(),
                at=pd.Timestamp(collected_at, unit="s", tz="UTC"),
                timed=bool(timed),
                reported_at="",
                fate=STORED,
                analyte=analyte,
                number=None if value is None else Decimal(value),
                comparator=comparator,
                stands=True,
            )
            for line, mrn, analyte, collected_at, timed, value, comparator in self._query(query)
        ]

    def held(self) -> list[HeldRow]:
        """The rows in quarantine."""
        query = "SELECT line, reason_code, reason FROM quarantine WHERE state = 'held'"
        return [HeldRow(*row) for row in self._query(query)]

    def protocol(self) -> Mapping[str, Any]:
        """The protocol as its file in this clinic says it."""
        return protocol_of(self.folder / "schedules" / "azathioprine.toml")

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "monitor.db")) as connection:
            return connection.execute(query).fetchall()

    def _ask(self, *words: str, at: str) -> Any:
        return json.loads(self._run(*words, "--at", at, "--json").out)

    def _run(self, *words: str) -> Ran:
        ran = self.command([*words, "--config", str(self.folder / "config.toml")])
        if ran.exit not in (_DONE, _NOT_ALL) or "Traceback" in ran.err:
            raise CommandFailed(f"monitor {' '.join(words)}: exit {ran.exit}\n{ran.err}{ran.out}")
        return ran
