"""Messages that came over a connection, into the database: a group is one transaction, and
each message a file of its own in the account.

The group is read, judged and written together, which is what makes it quick; where that fails
by a fault of ours, each is tried alone, so that one message never holds up the others.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import OperationalError

from monitor import logs
from monitor.config import Settings
from monitor.core.catalogue import Catalogue
from monitor.intake.context import normaliser_of, source_named, take_turn
from monitor.intake.fixes import reading
from monitor.intake.held import HeldRows
from monitor.intake.hl7 import MERGES, RESULTS, items_of
from monitor.intake.hl7_text import Message, read_messages
from monitor.intake.load import load_within
from monitor.intake.merged_rows import keep_merged
from monitor.intake.outcomes import Held, Ignored, Taken
from monitor.intake.people import People
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.report import OUTCOMES
from monitor.intake.results import ResultWriter
from monitor.intake.survey import survey_message
from monitor.store import tables
from monitor.store.brought import count_left
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.facts import bring_to
from monitor.store.frames import wake
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

NAME = "HL7 message"
"""What the account calls a message; what its sender calls it may identify somebody."""
_FILES = table_of(tables.File)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The content of a frame, and the source that its sender is."""

    content: bytes
    source: str = ""


@dataclass(slots=True)
class Took:
    """What became of a message that was taken."""

    kind: str
    """results, merge or other."""
    counts: Counter[str] = field(default_factory=Counter)
    touched: set[int] = field(default_factory=set)
    """Patients whose results changed; empty where their enrolments were woken already."""
    again: bool = False
    """It came before, to the letter."""
    fault: str = ""
    """Why it could not be taken by a fault of ours: a type and places in the code."""


After = Callable[[Connection, Sequence[Took]], None]
"""Writes something more in the transaction of a group."""


def take_messages(
    store: Store,
    settings: Settings,
    arrived: Sequence[Arrived],
    now: datetime,
    after: After | None = None,
) -> list[Took]:
    """Take in a group of messages in one transaction, and wake whom they touched.

    Raises StoreError where nothing could be written; then nothing was taken.
    """
    with store.write() as connection:
        take_turn(connection, now)
        took = _guarded(connection, settings, arrived, now)
        if took is None:
            took = [_alone(connection, settings, it, now) for it in arrived]
        wake(connection, set().union(*(it.touched for it in took)), now, results=False)
        if after is not None:
            after(connection, took)
        bring_to(connection, now)
    return took


def _alone(connection: Connection, settings: Settings, arrived: Arrived, now: datetime) -> Took:
    faults: list[str] = []
    took = _guarded(connection, settings, [arrived], now, faults)
    return took[0] if took else Took("results", fault=faults[0])


def _guarded(
    connection: Connection,
    settings: Settings,
    arrived: Sequence[Arrived],
    now: datetime,
    faults: list[str] | None = None,
) -> list[Took] | None:
    """Take a group, or nothing of it where a fault of ours comes between."""
    try:
        with connection.begin_nested():
            return list(_taken(connection, settings, arrived, now))
    except (OperationalError, StoreError):
        raise
    except Exception as fault:  # noqa: BLE001  # one bad message never stops the others
        if faults is not None:
            faults.append(logs.places(fault))
        return None


def _taken(
    connection: Connection, settings: Settings, arrived: Sequence[Arrived], now: datetime
) -> Iterator[Took]:
    """Consecutive messages of one source and kind together, in the order in which they came."""
    catalogue = load_rulebook(connection).catalogue
    for (source, kind), run in groupby(arrived, lambda it: (it.source, kind_of(it.content))):
        messages = list(run)
        if kind == "other":
            yield from (Took("other") for _ in messages)
        elif kind == "merge":
            yield from (_merge(connection, settings, it, now) for it in messages)
        else:
            group = _Group(connection, settings, catalogue, source, now)
            yield from group.take([it.content for it in messages])


def kind_of(content: bytes) -> str:
    """results, merge or other, by the kinds of the messages in a frame."""
    kinds = [it.kind for it in read_messages(io.BytesIO(content)) if isinstance(it, Message)]
    parts = [kind.partition("^") for kind in kinds]
    if any(code == "ADT" and event in MERGES for code, _, event in parts):
        return "merge"
    wanted = any(code in RESULTS or not code for code, _, _ in parts)
    return "results" if wanted or not parts else "other"


def _merge(connection: Connection, settings: Settings, arrived: Arrived, now: datetime) -> Took:
    """A merge goes the way that it goes in a file."""
    surveyed = survey_message(arrived.content, NAME)
    report = load_within(connection, settings, surveyed, arrived.source, now)
    return Took("merge", Counter({name: getattr(report, name) for name in OUTCOMES}))


class _Group:
    """Messages of one source on their way in."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        catalogue: Catalogue,
        source: str,
        now: datetime,
    ) -> None:
        self._connection, self._source, self._now = connection, source, now
        self._catalogue = catalogue
        source_named(settings, source)
        self._mapping = reading(connection, settings, source).mapping
        self._normaliser = normaliser_of(
            connection, settings, catalogue, People(connection), source, now
        )
        self._held_rows = HeldRows(connection, source, now)
        self._writer = ResultWriter(connection, now)

    def take(self, contents: Sequence[bytes]) -> list[Took]:
        surveys = [survey_message(content, NAME) for content in contents]
        digests = [surveyed.sha256 for surveyed in surveys]
        earlier = self._earlier(set(digests))
        took = [Took("results", again=digest in earlier) for digest in digests]
        fresh: dict[str, int] = {}
        for index, digest in enumerate(digests):
            if digest in earlier and not earlier[digest].ignored:
                took[index].counts["duplicate"] = earlier[digest].rows
            elif digest in fresh:
                took[index].again = True
            else:
                fresh[digest] = index
        self._take_new([(took[index], contents[index], digest) for digest, index in fresh.items()])
        for index, digest in enumerate(digests):
            if digest in fresh and fresh[digest] != index:
                took[index].counts["duplicate"] = took[fresh[digest]].counts.total()
        return took

    def _earlier(self, digests: set[str]) -> dict[str, Any]:
        """The same messages from the same source, as they were taken before."""
        columns = _FILES.c
        same = (
            columns.sha256.in_(sorted(digests))
            & (columns.source == self._source)
            & (columns.kind == "results")
            & columns.reverted_at.is_(None)
        )
        query = select(columns.sha256, columns.rows, columns.ignored).where(same)
        rows = self._connection.execute(query.order_by(columns.id.desc()))
        return {row.sha256: row for row in rows}

    def _take_new(self, new: Sequence[tuple[Took, bytes, str]]) -> None:
        if not new:
            return
        file_ids = self._enter([digest for _, _, digest in new])
        rows: list[RawRow | BadLine] = []
        owners: list[int] = []
        others: Counter[int] = Counter()
        for owner, (_, content, _) in enumerate(new):
            for item in self._items(content):
                if isinstance(item, RawRow | BadLine):
                    rows.append(item)
                    owners.append(owner)
                else:
                    others[owner] += 1
        self._take_rows(rows, owners, [took for took, _, _ in new], file_ids)
        self._account(file_ids, [took for took, _, _ in new], others)

    def _items(self, content: bytes) -> Iterator[Any]:
        for found in read_messages(io.BytesIO(content), self._mapping.encoding):
            if isinstance(found, Message):
                yield from items_of(found, self._mapping, self._catalogue)
            else:
                yield found

    def _enter(self, digests: Sequence[str]) -> list[int]:
        """Enter the messages into the list of files; their ids."""
        counts = dict.fromkeys(("rows", *OUTCOMES, "other_messages"), 0)
        common = {"kind": "results", "name": NAME, "source": self._source}
        values = [
            {**common, "sha256": digest, "received_at": self._now, **counts} for digest in digests
        ]
        statement = insert(_FILES).returning(_FILES.c.id, sort_by_parameter_order=True)
        return list(self._connection.scalars(statement, values))

    def _take_rows(
        self,
        rows: Sequence[RawRow | BadLine],
        owners: Sequence[int],
        took: Sequence[Took],
        file_ids: Sequence[int],
    ) -> None:
        outcomes = list(zip(owners, self._normaliser.normalise(rows), strict=True))
        taken = [(owner, it) for owner, it in outcomes if isinstance(it, Taken)]
        kept, ids = [it for _, it in taken], [file_ids[owner] for owner, _ in taken]
        words = self._writer.write(kept, ids)
        keep_merged(self._connection, self._source, ids, kept, words, self._now)
        for (owner, it), word in zip(taken, words, strict=True):
            took[owner].counts[word] += 1
            if word != "duplicate":
                took[owner].touched.add(it.patient_id)
        if taken:
            took[0].touched |= self._held_rows.settle([it.raw for it in kept], ids)
        self._hold([(owner, it) for owner, it in outcomes if isinstance(it, Held)], took, file_ids)
        for owner, outcome in outcomes:
            if isinstance(outcome, Ignored):
                took[owner].counts["duplicate" if took[owner].again else "ignored"] += 1

    def _hold(
        self, held: Sequence[tuple[int, Held]], took: Sequence[Took], file_ids: Sequence[int]
    ) -> None:
        ids = [file_ids[owner] for owner, _ in held]
        news = self._held_rows.hold([it for _, it in held], ids, self._normaliser)
        for (owner, it), is_new in zip(held, news, strict=True):
            took[owner].counts["quarantined" if is_new else "duplicate"] += 1
            if is_new and it.patient_id is not None and it.analyte:
                took[owner].touched.add(it.patient_id)

    def _account(self, file_ids: Sequence[int], took: Sequence[Took], others: Counter[int]) -> None:
        names = ("rows", *OUTCOMES, "other_messages")
        statement = update(_FILES).where(_FILES.c.id == bindparam("file"))
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        accounts = [
            {
                "file": file_id,
                "new_rows": it.counts.total(),
                "new_other_messages": others[owner],
                **{f"new_{name}": it.counts[name] for name in OUTCOMES},
            }
            for owner, (file_id, it) in enumerate(zip(file_ids, took, strict=True))
        ]
        self._connection.execute(statement.values(values), accounts)
        count_left(self._connection, file_ids)
