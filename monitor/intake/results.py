"""Writing results: append-only, with `stands` derived anew for every key that is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from monitor.core.standing import (
    Key,
    Meaning,
    Report,
    Standing,
    key_of,
    repeats,
    standing,
)
from monitor.core.vocabulary import Status
from monitor.intake.context import chunks
from monitor.intake.counting import is_unflagged_change, outcome_of
from monitor.intake.empty_rows import Said, became_remark, is_remark_on
from monitor.intake.outcomes import Taken
from monitor.intake.repeats import note_repeats
from monitor.store import tables
from monitor.store.brought import left_more
from monitor.store.bulk import BulkInsert
from monitor.store.readings import Reading, Readings, came_with, readings_of
from monitor.store.tables import table_of
from monitor.store.types import CountedDay

_RESULTS = table_of(tables.ResultRow)
_READINGS = table_of(tables.ReadingRow)
_BUCKETS = Table(
    "intake_buckets",
    MetaData(),
    Column("patient_id", Integer, nullable=False),
    Column("analyte", String, nullable=False),
    Column("collected_on", CountedDay, nullable=False),
    prefixes=["TEMPORARY"],
)
_BUCKET_COLUMNS = ("patient_id", "analyte", "collected_on")
_RESULT_VALUES = (
    "patient_id", "analyte", "collected_at", "collected_on", "timed", "specimen_id", "reported_at",
    "received_at", "comment", "doubtful_comment", "file_id", "line", "home_id", "issuer",
    "reading_id", "stands",
)  # fmt: skip
_WRITTEN = (
    *(_RESULTS.c[name] for name in (
        "id", "patient_id", "analyte", "specimen_id", "collected_on", "collected_at", "timed",
        "reading_id", "reported_at", "received_at", "stands", "taken_back", "file_id", "line",
        "comment", "doubtful_comment", "issuer",
    )),
    func.coalesce(_RESULTS.c.home_id, _RESULTS.c.patient_id).label("home"),
)  # fmt: skip
_CHUNK = 500
_NEW = 1 << 62
"""Above every id: rows not yet written come after those that are."""
_NOTHING = Standing(frozenset(), Meaning.WITHDRAWN)


class Bucket(NamedTuple):
    """Where results that may be of one key are looked for."""

    patient_id: int
    analyte: str
    collected_on: date


class _Words(NamedTuple):
    """All that a row says of its result, but for whose it is and of what."""

    reading: Reading
    collected_at: datetime
    timed: bool
    specimen_id: str
    reported_at: datetime | None
    comment: str
    doubtful_comment: str
    issuer: str


@dataclass(slots=True)
class _Row:
    report: Report
    stood: bool
    home: int
    """The patient under whose number it came."""
    file_id: int
    words: _Words
    id: int | None = None
    taken: Taken | None = None
    """What it says, of one that is not yet written."""
    count: int = 0
    """The order of those not yet written."""


@dataclass(slots=True)
class _Group:
    """All reports of one key, known and new."""

    untimed: bool
    rows: list[_Row] = field(default_factory=list)
    found: Standing | None = None

    def standing(self) -> Standing:
        if self.found is None:
            reports = [row.report for row in self.rows]
            self.found = standing(reports, untimed=self.untimed) if reports else _NOTHING
        return self.found

    def add(self, row: _Row) -> None:
        self.rows.append(row)
        self.found = None


class ResultWriter:
    """Writes batches of results in one transaction."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._count = 0
        self.unflagged = 0
        """Values that changed without being flagged as corrected, and were taken."""
        connection.execute(CreateTable(_BUCKETS, if_not_exists=True))
        self._repeats: list[tuple[int, int, int]] = []
        self._wanted = BulkInsert(connection, _BUCKETS, _BUCKET_COLUMNS)
        self._new = BulkInsert(connection, _RESULTS, _RESULT_VALUES)
        self.readings = Readings(connection)

    def write(self, batch: Sequence[Taken], file_ids: Sequence[int]) -> list[str]:
        """Write a batch; returns for each row: stored, duplicate, superseded or withdrawn, or
        ignored where it is but a remark on a number of its file."""
        keys = [taken.key for taken in batch]
        groups = self._groups(keys)
        outcomes = [
            self._take(groups[key], taken, file_id)
            for key, taken, file_id in zip(keys, batch, file_ids, strict=True)
        ]
        self._store(groups.values())
        note_repeats(self._connection, "result", self._repeats)
        self._repeats.clear()
        return outcomes

    def _take(self, group: _Group, taken: Taken, file_id: int) -> str:
        received_at = taken.received_at or self._now
        self._count += 1
        new = taken.report((received_at, file_id, taken.line, _NEW + self._count))
        home = taken.home_id or taken.patient_id
        row = _Row(new, False, home, file_id, _words_of(taken), taken=taken, count=self._count)
        if not group.rows:
            group.add(row)
            return "withdrawn" if new.status is Status.WITHDRAWN else "stored"
        untimed = group.untimed
        said = [
            it
            for it in group.rows
            if it.home == home and repeats(new, [it.report], untimed=untimed)
        ]
        if said and any(it.file_id == file_id for it in said):
            return "duplicate"
        written = (it.id for it in said if it.id is not None and it.words == row.words)
        if (same := next(written, None)) is not None:
            self._repeats.append((same, file_id, taken.line))
            return "duplicate"
        known = [it.report for it in group.rows]
        if repeats(new, known, untimed=untimed):
            # of another file, with a comment or a range of its own, or under a merged number:
            # kept, for it counts once what it repeats is taken back
            group.add(row)
            return "duplicate"
        if self._is_remark(group, row, taken):
            return "ignored"
        before = group.standing()
        group.add(row)
        after = group.standing()
        if is_unflagged_change(known, new, before, after) and not untimed:
            self.unflagged += 1
        return outcome_of(known, new, before, after, untimed=untimed)

    def _is_remark(self, group: _Group, row: _Row, taken: Taken) -> bool:
        """Whether a row brings nothing beside a number of its file, which then has its comment."""
        if group.untimed:
            return False
        told = (
            Said(it.report, it.file_id, it.id, it.taken) for it in group.rows if it.home == row.home
        )
        numbers = [it for it in told if is_remark_on(row.report, taken, it.report)]
        noted = {row_id for row_id, file_id, _ in self._repeats if file_id == row.file_id}
        return became_remark(self._connection, taken, row.file_id, numbers, noted)

    def _groups(self, keys: Sequence[Key]) -> dict[Key, _Group]:
        groups = {key: _Group(key.untimed) for key in keys}
        for key, row in self._known(
            {Bucket(key.patient_id, key.analyte, key.day) for key in groups}
        ):
            if key in groups:
                groups[key].add(row)
        return groups

    def filled(self, buckets: Iterable[Bucket]) -> set[Bucket]:
        """Which patients have results of which analytes on which days, of those asked for."""
        self._connection.execute(delete(_BUCKETS))
        self._wanted.insert(sorted(buckets))
        asked, columns = _BUCKETS.c, _RESULTS.c
        # a value and not EXISTS, which PostgreSQL answers by reading all results where these are
        # not a great many
        known = (
            select(columns.id)
            .where(
                columns.patient_id == asked.patient_id,
                columns.analyte == asked.analyte,
                columns.collected_on == asked.collected_on,
            )
            .limit(1)
            .scalar_subquery()
        )
        return {
            Bucket._make(row)
            for row in self._connection.execute(select(_BUCKETS).where(known.is_not(None)))
        }

    def _known(self, buckets: Iterable[Bucket]) -> Iterable[tuple[Key, _Row]]:
        """The rows already written for these patients, analytes and days."""
        self._connection.execute(delete(_BUCKETS))
        self._wanted.insert(sorted(buckets))
        columns = _RESULTS.c
        query = select(*_WRITTEN).join_from(
            _BUCKETS,
            _RESULTS,
            (columns.patient_id == _BUCKETS.c.patient_id)
            & (columns.analyte == _BUCKETS.c.analyte)
            & (columns.collected_on == _BUCKETS.c.collected_on)
            & ~columns.taken_back,
        )  # fmt: skip
        # put in order here: asked for it, SQLite would read all results to save the sorting
        rows = sorted(self._connection.execute(query), key=itemgetter(0))
        return _written(self._connection, rows)

    def _store(self, groups: Iterable[_Group]) -> None:
        new: list[tuple[_Row, Taken, bool]] = []
        changed: list[dict[str, Any]] = []
        for group in groups:
            if not any(row.id is None for row in group.rows):
                continue
            stands = group.standing().stands
            for index, row in enumerate(group.rows):
                if row.taken is not None:
                    new.append((row, row.taken, index in stands))
                elif row.stood != (index in stands):
                    changed.append({"row_id": row.id, "now_stands": index in stands})
        new.sort(key=lambda it: it[0].count)
        numbers = self.readings.numbers(reading_of(taken) for _, taken, _ in new)
        self._new.insert(
            (*_values_of(taken, row.file_id), number, stands)
            for (row, taken, stands), number in zip(new, numbers, strict=True)
        )
        left_more(self._connection, _RESULTS, Counter(row.file_id for row, _, _ in new))
        if changed:
            statement = update(_RESULTS).where(_RESULTS.c.id == bindparam("row_id"))
            self._connection.execute(statement.values(stands=bindparam("now_stands")), changed)


def restand(connection: Connection, patient_ids: Collection[int]) -> None:
    """Let stand of the results of these patients what follows from all that was reported, after
    whose they are or what counts of them has changed."""
    for ids in chunks(sorted(set(patient_ids)), _CHUNK):
        changed = [
            {"row_id": row_id, "now_stands": not stood}
            for row_id, stood in misplaced(connection, ids)
        ]
        if changed:
            statement = update(_RESULTS).where(_RESULTS.c.id == bindparam("row_id"))
            connection.execute(statement.values(stands=bindparam("now_stands")), changed)


def misplaced(connection: Connection, patient_ids: Collection[int]) -> list[tuple[int, bool]]:
    """Results of these patients that stand and should not, or the other way round: id, stands."""
    rows = sorted(connection.execute(_in_question(sorted(patient_ids))), key=itemgetter(0))
    found = [(row.id, True) for row in rows if row.taken_back and row.stands]
    groups: dict[Key, _Group] = {}
    for key, written in _written(connection, [row for row in rows if not row.taken_back]):
        groups.setdefault(key, _Group(key.untimed)).add(written)
    for group in groups.values():
        stands = group.standing().stands
        for index, written in enumerate(group.rows):
            if written.id is not None and written.stood != (index in stands):
                found.append((written.id, written.stood))
    return found


def _in_question(patient_ids: Sequence[int]) -> Select[Any]:
    """The rows of these patients but for those, nearly all, that are the only one of their bucket
    and stand: one that takes nothing back does so rightly."""
    columns = _RESULTS.c
    own = (columns.patient_id, columns.analyte, columns.collected_on)
    withdrawals = select(_READINGS.c.id).where(_READINGS.c.status == Status.WITHDRAWN.value)
    plain = columns.stands & ~columns.taken_back & columns.reading_id.not_in(withdrawals)
    asked = (
        select(*own)
        .where(columns.patient_id.in_(patient_ids))
        .group_by(*own)
        .having((func.count() > 1) | (func.max(case((plain, 0), else_=1)) > 0))
        .subquery()
    )
    same = and_(*(asked.c[it.name] == it for it in own))
    return select(*_WRITTEN).join_from(asked, _RESULTS, same)


def _written(connection: Connection, rows: Sequence[Any]) -> Iterator[tuple[Key, _Row]]:
    """Rows of the database, by their keys."""
    said = readings_of(connection, (row.reading_id for row in rows))
    came_at = came_with(connection, (row.file_id for row in rows if row.received_at is None))
    for row in rows:
        received = (row.received_at or came_at[row.file_id], row.file_id, row.line, row.id)
        reading = said[row.reading_id]
        report = Report(
            Status(reading.status), reading.value, reading.comparator, row.reported_at, received
        )
        words = _Words(
            reading, row.collected_at, row.timed, row.specimen_id, row.reported_at,
            row.comment, row.doubtful_comment, row.issuer,
        )  # fmt: skip
        yield key_of(*row[1:7]), _Row(report, row.stands, row.home, row.file_id, words, row.id)


def _words_of(taken: Taken) -> _Words:
    return _Words(
        reading_of(taken),
        taken.collected.at,
        taken.collected.timed,
        taken.specimen_id,
        taken.reported_at,
        taken.comment,
        taken.doubtful_comment,
        taken.issuer,
    )


def reading_of(taken: Taken) -> Reading:
    """What a row reads."""
    return Reading(
        taken.value,
        taken.comparator,
        taken.no_result,
        taken.status.value,
        taken.received_value,
        taken.received_unit,
        taken.ref_low,
        taken.ref_high,
        taken.below_plausible,
        taken.method,
    )


def _values_of(taken: Taken, file_id: int) -> tuple[Any, ...]:
    """The values of `_RESULT_VALUES`, but for the last two."""
    return (
        taken.patient_id,
        taken.analyte,
        taken.collected.at,
        taken.collected.on,
        taken.collected.timed,
        taken.specimen_id,
        taken.reported_at,
        taken.received_at,
        taken.comment,
        taken.doubtful_comment,
        file_id,
        taken.line,
        taken.home_id,
        taken.issuer,
    )
