"""Many spoilt files in one transaction: each is read and normalised by itself, as a load does it,
and all are written by the same writers. So a file costs its own work and not a transaction."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from monitor.config import Settings, Source
from monitor.core.catalogue import Catalogue
from monitor.intake.context import normaliser_of, take_turn
from monitor.intake.formats import open_rows
from monitor.intake.held import HELD, HeldRows
from monitor.intake.merging import Merging
from monitor.intake.outcomes import Held, Outcome, Taken
from monitor.intake.people import People
from monitor.intake.raw import BadLine, PatientMerge, RawRow, restored
from monitor.intake.raw_blocks import RawBlock
from monitor.intake.report import OUTCOMES
from monitor.intake.results import ResultWriter
from monitor.intake.survey import survey
from monitor.store import tables
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_FILES = table_of(tables.File)


class Wrong(Exception):
    """The account of a file does not add up."""


@dataclass
class _Read:
    """One file as far as it was read."""

    file_id: int
    outcomes: list[Outcome] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Group:
    """The files of one transaction."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        catalogue: Catalogue,
        now: datetime,
        heard: set[PatientMerge],
    ) -> None:
        """`heard` are merges that went well in this same database, which never changes."""
        take_turn(connection, now)
        self._heard = heard
        self._connection, self._settings, self._now = connection, settings, now
        self._catalogue = catalogue
        self._people = People(connection)
        self._normaliser = normaliser_of(connection, settings, catalogue, self._people, "", now)
        self._first = (connection.scalar(select(func.max(_FILES.c.id))) or 0) + 1
        self._files: list[_Read] = []

    def read(self, path: Path) -> int:
        """The rows of a file, normalised, to be written later. Raises UnreadableFile, Wrong and
        whatever a reader raises."""
        rows: list[RawRow | BadLine] = []
        file_id = self._first + len(self._files)
        with open_rows(survey(path), Source(), self._catalogue) as opened:
            for item in opened.items:
                if isinstance(item, RawRow | BadLine):
                    rows.append(item)
                elif isinstance(item, PatientMerge):
                    self._hear(item, file_id)
                elif isinstance(item, RawBlock):
                    raise Wrong("rows in a block, of a file this small")
        outcomes = list(self._normaliser.normalise(rows))
        if len(outcomes) != len(rows):
            raise Wrong(f"{len(rows)} rows, {len(outcomes)} outcomes")
        for row in rows:
            _check_kept(row)
        self._files.append(_Read(file_id, outcomes))
        return len(rows)

    def pass_over(self) -> None:
        """A file of which nothing is taken."""
        self._files.append(_Read(self._first + len(self._files)))

    def write(self) -> dict[int, Exception]:
        """Write all that was read; which files (by their order) do not add up, and why."""
        self._enter()
        taken = [(it, row) for it in self._files for row in it.outcomes if isinstance(row, Taken)]
        held = [(it, row) for it in self._files for row in it.outcomes if isinstance(row, Held)]
        held_rows = HeldRows(self._connection, "", self._now)
        writer = ResultWriter(self._connection, self._now)
        words = writer.write([row for _, row in taken], [it.file_id for it, _ in taken])
        for (it, _), word in zip(taken, words, strict=True):
            it.counts[word] += 1
        news = held_rows.hold(
            [row for _, row in held], [it.file_id for it, _ in held], self._normaliser
        )
        for (it, _), is_new in zip(held, news, strict=True):
            it.counts["quarantined" if is_new else "duplicate"] += 1
        results, quarantined = self._per_file(_RESULTS.c.file_id), self._per_file(HELD.c.file_id)
        found: dict[int, Exception] = {}
        for number, it in enumerate(self._files):
            it.counts["ignored"] = len(it.outcomes) - it.counts.total()
            wrong = _wrong(it.counts, results[it.file_id], quarantined[it.file_id])
            if wrong:
                found[number] = Wrong(wrong)
        return found

    def _hear(self, merge: PatientMerge, file_id: int) -> None:
        """A merge as a load follows it, in a savepoint: the next file finds the patients as
        they were, and what was heard once goes the same way again."""
        if (said := replace(merge, line=0)) in self._heard:
            return
        with self._connection.begin_nested() as savepoint:
            self._connection.execute(insert(_FILES), [self._file(file_id)])
            merging = Merging(
                self._connection, self._settings, self._catalogue, self._people, file_id, self._now
            )
            merging.hear(merge, self._normaliser.issuers)
            savepoint.rollback()
        self._people.forget()
        self._heard.add(said)

    def _file(self, file_id: int) -> dict[str, Any]:
        counts = dict.fromkeys(("rows", *OUTCOMES, "other_messages"), 0)
        about = {"kind": "results", "name": "input", "sha256": f"{file_id:064x}", "source": ""}
        return {"id": file_id, "received_at": self._now, **about, **counts}

    def _enter(self) -> None:
        self._connection.execute(insert(_FILES), [self._file(it.file_id) for it in self._files])

    def _per_file(self, column: Any) -> Counter[int]:
        query = select(column, func.count()).where(column >= self._first).group_by(column)
        return Counter({row[0]: row[1] for row in self._connection.execute(query)})


def _check_kept(row: RawRow | BadLine) -> None:
    """What quarantine keeps is text that a database takes, and gives the same row again."""
    if isinstance(row, BadLine):
        json.dumps([row.text, row.reason, row.place], ensure_ascii=False).encode()
        return
    kept = row.stored()
    text = json.dumps(kept, ensure_ascii=False)
    # Backslashes of the laboratory's own are doubled in JSON, and no escape.
    nul = "\\u0000" in text.replace("\\\\", "")
    if nul or restored(row.line, json.loads(text)).stored() != kept:
        raise Wrong(f"line {row.line} is kept as another row")


def _wrong(counts: Counter[str], results: int, held: int) -> str:
    """What is wrong with an account, against what the tables hold; empty where it adds up."""
    unknown = set(counts) - set(OUTCOMES)
    if unknown or min(counts.values(), default=0) < 0:
        return f"outcomes {dict(counts)}"
    new = counts["stored"] + counts["superseded"] + counts["withdrawn"]
    if not new <= results <= new + counts["duplicate"]:
        return f"{results} results written for {dict(counts)}"
    if held != counts["quarantined"]:
        return f"{held} held rows written for {dict(counts)}"
    return ""
