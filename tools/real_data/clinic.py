"""A fresh clinic in a folder, worked by the `monitor` commands alone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tools.real_data.judge import protocol_of
from tools.real_data.prepared import Prepared
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

    def take(self, prepared: Prepared) -> None:
        """From nothing to the alerts of a whole set."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sources = (HERE / "sources.toml").read_text(encoding="utf-8")
        (self.folder / "config.toml").write_text(_CONFIG + "\n" + sources, encoding="utf-8")
        self._run("init")
        waves = []
        for number, (day, people) in enumerate(prepared.waves(), start=1):
            enrol = self.folder / f"enrol-{number}.csv"
            people.to_csv(enrol, index=False)
            waves.append(self._ask("enrol", str(enrol), at=day))
        self.reports["enrol"] = _added(waves)
        events = self.folder / "events.csv"
        prepared.events.to_csv(events, index=False)
        self._ask("events", str(events), at=prepared.now)
        for load in prepared.loads:
            named = ["--source", load.source] if load.source else []
            self._ask("load", str(load.path), *named, at=prepared.now)
        self._ask("sweep", "--all", at=prepared.now)
        self._ask("verify", at=prepared.now, key="verify")
        self._ask("status", at=prepared.now)
        self._ask("alerts", "--state", "all", at=prepared.now)

    def again(self, prepared: Prepared) -> list[dict[str, Any]]:
        """The same files a second time: must change nothing."""
        files = []
        for load in prepared.loads:
            named = ["--source", load.source] if load.source else []
            report = self._ask("load", str(load.path), *named, at=prepared.now, key="again")
            files.extend(report["files"])
        return files

    def stored(self) -> list[Row]:
        """The results that stand, as they lie in the database, read without the product."""
        query = (
            "SELECT r.line, p.mrn, r.analyte, r.collected_at, r.timed, r.value, r.comparator"
            " FROM results r JOIN patients p ON p.id = r.patient_id WHERE r.stands"
        )
        return [
            Row(
                line=line,
                words=(),
                mrn=mrn.upper(),
                at=pd.Timestamp(collected_at).tz_localize("UTC"),
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

    def _ask(self, *words: str, at: str, key: str = "") -> Any:
        document = json.loads(self._run(*words, "--at", at, "--json").out)
        self.reports[key or words[0]] = document
        return document

    def _run(self, *words: str) -> Ran:
        ran = self.command([*words, "--config", str(self.folder / "config.toml")])
        if ran.exit not in (_DONE, _NOT_ALL) or "Traceback" in ran.err:
            raise CommandFailed(f"monitor {' '.join(words)}: exit {ran.exit}\n{ran.err}{ran.out}")
        return ran
