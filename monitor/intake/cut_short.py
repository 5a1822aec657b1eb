"""The last row of a file that was taken in before all of it was there: it breaks off, and what it
says is not what was meant.

Once all of the file comes, that the earlier one is its beginning is told by the digest: nothing
else makes two rows the same row. Where the whole file was first, its bytes are not there any more;
then a file is a piece of it whose every other row was one of that file, at the same line. What the
row said where it broke off counts for nothing either way, and comes back if the whole file is taken
back.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, func, select, update

from monitor.intake.held import HELD
from monitor.intake.records import FIELD_LINES
from monitor.intake.repeats import REPEATS, note_repeats
from monitor.intake.results import restand
from monitor.intake.survey import Survey
from monitor.store import audit, brought, tables
from monitor.store.ledger import CUT
from monitor.store.tables import table_of

MONITOR = "the monitor"
_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)
_EVENTS = table_of(tables.EventRow)
_SAME = (
    (_RESULTS, ("patient_id", "analyte", "collected_at")),
    (_EVENTS, ("patient_id", "on", "event", "value")),
)
"""What tells that a row of another file says the same, by table."""
_LOOK_BACK = timedelta(days=7)
_MOST_FILES = 100
_MOST_OF_A_LINE = 500
"""Rows of one line of the wide form, and more than there are; and of the lines of a row in quotes,
each of which is held by itself where the last is not there."""
_QUOTED = re.compile(rb'(?:^|(?<=[,;\t|\0]))[ \0]*"(?:[^"]|"")*"')
_OPENING = re.compile(rb'(?:^|[,;\t|])[ \0]*"')
_LONGEST_LINE = 1 << 16
"""Bytes: no row is longer that somebody could have written."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that has just been taken in, and how many of its rows ended how."""

    id: int
    source: str
    survey: Survey
    counts: Counter[str]

    @property
    def new(self) -> int:
        """Rows that had not been known, and were not let go."""
        return self.counts.total() - self.counts["duplicate"] - self.counts["ignored"]


class Cut(NamedTuple):
    """The lines of a file on which a row stands that breaks off."""

    file_id: int
    first: int
    last: int

    def rows_of(self, table: Table) -> ColumnElement[bool]:
        """Those of a table that came of it."""
        lines = table.c.line.between(self.first, self.last)
        return (table.c.file_id == self.file_id) & lines

    @property
    def lines(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def came_whole(self) -> str:
        """What to say where the whole row comes later."""
        return (
            f"line {self.first} came whole: what batch {self.file_id} read of it, which was cut "
            "short there, counts no more"
        )

    def broke_off(self, whole_id: int) -> str:
        """What to say where the whole row had come before."""
        return (
            f"the file breaks off in line {self.first}, which batch {whole_id} had brought whole: "
            "what was read of it counts for nothing"
        )


class CameWhole(Exception):
    """A file brings the whole of rows of which there are results: it is to be read anew once these
    are taken away, for what is a duplicate of one keeps the comment and the limits of it."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        super().__init__()
        self.cuts = tuple(cuts)


def cut_before(connection: Connection, whole: Whole, now: datetime) -> tuple[Cut, ...]:
    """The rows in which earlier files broke off and that came whole in this one."""
    if whole.survey.format != "csv":
        return ()
    lines = _last_lines(connection, whole, now)
    found = []
    for sha256, first, number in broken_off(whole.survey, {line for _, line in lines.values()}):
        for file_id, (digest, last) in lines.items():
            cut = Cut(file_id, first, number)
            if digest == sha256 and first <= last <= number and _counts(connection, cut):
                found.append(cut)
    return tuple(found)


def refuse_results(connection: Connection, cuts: Sequence[Cut]) -> None:
    """Raises CameWhole where a row that broke off left results that count."""
    for cut in cuts:
        results = select(_RESULTS.c.id).where(cut.rows_of(_RESULTS), ~_RESULTS.c.taken_back)
        if connection.scalar(results.limit(1)) is not None:
            raise CameWhole(cuts)


def take_away(connection: Connection, cuts: Collection[Cut]) -> set[int]:
    """Let no result of these rows count any more; the patients, whose others stand again."""
    patients: set[int] = set()
    for cut in cuts:
        gone = update(_RESULTS).where(cut.rows_of(_RESULTS), ~_RESULTS.c.taken_back)
        gone = gone.values(taken_back=True, stands=False)
        patients |= set(connection.scalars(gone.returning(_RESULTS.c.patient_id)))
    restand(connection, frozenset(patients))
    return patients


def let_go(connection: Connection, cut: Cut, whole_id: int, now: datetime) -> set[int]:
    """Discard what is held of a row that breaks off, unless the whole of it is held for the same,
    and note where it came whole. Whose rows they were, 0 for nobody's."""
    rows = cut.rows_of(HELD) & (HELD.c.state == "held")
    said_again = (REPEATS.c.what == "held") & (REPEATS.c.row_id == HELD.c.id)
    gone = update(HELD).where(rows, ~exists().where(said_again, REPEATS.c.file_id == whole_id))
    gone = gone.values(
        state="discarded",
        resolved_at=now,
        resolved_by=MONITOR,
        resolution=f"cut short: the whole row came with batch {whole_id}, line {cut.first}",
    )
    held = gone.returning(func.coalesce(HELD.c.patient_id, 0), HELD.c.line)
    results = select(_RESULTS.c.patient_id, _RESULTS.c.line).distinct()
    results = results.where(cut.rows_of(_RESULTS), _RESULTS.c.taken_back)
    found = [*connection.execute(held).all(), *connection.execute(results).all()]
    patients = {patient for patient, _ in found}
    note_cut(connection, cut, whole_id, {line for _, line in found}, patients, now)
    return patients


def note_cut(
    connection: Connection,
    cut: Cut,
    whole_id: int,
    lines: Iterable[int],
    patients: Collection[int],
    now: datetime,
) -> None:
    """Write down which lines were taken away, whose (0: nobody's), and where they came whole."""
    note_repeats(connection, CUT, [(cut.file_id, whole_id, line) for line in sorted(lines)])
    for patient in sorted(patients):
        audit.note(
            connection,
            audit.Actor(MONITOR),
            "row cut short taken away",
            now,
            patient_id=patient or None,
            detail=f"batch {cut.file_id}, line {cut.first}; whole in batch {whole_id}",
        )


def come_back(connection: Connection, file_id: int) -> tuple[set[int], list[int]]:
    """What this file took away counts again, for it is itself taken back: the patients, and the
    held rows."""
    patients: set[int] = set()
    held: list[int] = []
    for cut in cuts_by(connection, file_id):
        results = cut.rows_of(_RESULTS) & _RESULTS.c.taken_back
        back = update(_RESULTS).where(results).values(taken_back=False)
        patients |= set(connection.scalars(back.returning(_RESULTS.c.patient_id)))
        rows = cut.rows_of(HELD) & (HELD.c.resolved_by == MONITOR)
        again = update(HELD).where(rows, HELD.c.state == "discarded")
        again = again.values(state="held", resolved_at=None, resolved_by="", resolution="")
        held += connection.scalars(again.returning(HELD.c.id))
    return patients, held


def pass_on_cuts(connection: Connection, file_id: int) -> None:
    """Of rows that another file brought whole too, that is the file now: they stay away. To be
    called once results and events that they have said are theirs."""
    for cut in cuts_by(connection, file_id):
        heirs = [_heir(connection, table, names, cut, file_id) for table, names in _SAME]
        heirs.append(_heir_of_held(connection, cut, file_id))
        heir = next((it for it in heirs if it is not None), None)
        if heir is not None:
            mine = (REPEATS.c.what == CUT) & (REPEATS.c.row_id == cut.file_id)
            mine &= (REPEATS.c.file_id == file_id) & (REPEATS.c.line == cut.first)
            moved = connection.execute(update(REPEATS).where(mine).values(file_id=heir)).rowcount
            brought.left_more(connection, REPEATS, {file_id: -moved, heir: moved})


def _heir(
    connection: Connection, table: Table, names: Sequence[str], cut: Cut, file_id: int
) -> int | None:
    """The file that says now what this one said of the row."""
    was = table.alias()
    same = and_(*(was.c[name] == table.c[name] for name in names))
    query = select(table.c.file_id).join(was, same).join(_FILES, _FILES.c.id == table.c.file_id)
    query = query.where(was.c.file_id == file_id, was.c.line == cut.first)
    query = query.where(table.c.line == cut.first, _FILES.c.reverted_at.is_(None))
    query = query.where(~table.c.taken_back)
    others = table.c.file_id.not_in((file_id, cut.file_id))
    found: int | None = connection.scalar(query.where(others).order_by(table.c.id).limit(1))
    return found


def _heir_of_held(connection: Connection, cut: Cut, file_id: int) -> int | None:
    """The file that holds for the same what this one holds of the row."""
    query = select(REPEATS.c.file_id).join(HELD, HELD.c.id == REPEATS.c.row_id)
    query = query.join(_FILES, _FILES.c.id == REPEATS.c.file_id)
    query = query.where(HELD.c.file_id == file_id, HELD.c.line == cut.first)
    query = query.where(REPEATS.c.what == "held", _FILES.c.reverted_at.is_(None))
    others = REPEATS.c.file_id.not_in((file_id, cut.file_id))
    found: int | None = connection.scalar(query.where(others).order_by(REPEATS.c.id).limit(1))
    return found


def cuts_by(connection: Connection, file_id: int) -> list[Cut]:
    """The rows that came whole in this file, of files that have not been taken back."""
    cut = (
        select(REPEATS.c.row_id, REPEATS.c.line)
        .join(_FILES, _FILES.c.id == REPEATS.c.row_id)
        .where(REPEATS.c.what == CUT, REPEATS.c.file_id == file_id, _FILES.c.reverted_at.is_(None))
    )
    return [Cut(earlier, line, line) for earlier, line in connection.execute(cut)]


def whole_in(connection: Connection, file_id: int) -> int | None:
    """In which file the last row of this one came whole; None: in none."""
    query = select(REPEATS.c.file_id).where(REPEATS.c.what == CUT, REPEATS.c.row_id == file_id)
    found: int | None = connection.scalar(query.order_by(REPEATS.c.id.desc()).limit(1))
    return found


def _last_lines(connection: Connection, whole: Whole, now: datetime) -> dict[int, tuple[str, int]]:
    """Files that this one may have begun as, whose rows it brought again but for the last:
    their digest, and the line of their last row."""
    columns = _FILES.c
    query = (
        select(columns.id, columns.sha256)
        .where(
            columns.kind == "results",
            columns.source == whole.source,
            columns.id != whole.id,
            columns.rows - columns.ignored <= whole.counts["duplicate"] + _MOST_OF_A_LINE,
            columns.ignored <= whole.counts["ignored"],
            columns.received_at >= now - _LOOK_BACK,
            columns.reverted_at.is_(None),
        )
        .order_by(columns.id.desc())
        .limit(_MOST_FILES)
    )
    digests = {row.id: row.sha256 for row in connection.execute(query)}
    last: dict[int, int] = {}
    for table in (_RESULTS, HELD):
        most = select(table.c.file_id, func.max(table.c.line))
        which = table.c.file_id.in_(list(digests))
        for file_id, line in connection.execute(most.where(which).group_by(table.c.file_id)):
            last[file_id] = max(line, last.get(file_id, 0))
    return {file_id: (digests[file_id], line) for file_id, line in last.items()}


def broken_off(survey: Survey, lines: Collection[int]) -> Iterator[tuple[str, int, int]]:
    """The digest of all up to each place within the rows of these lines at which something of the
    row is still to come, with the line it begins on and that of the place."""
    before = hashlib.sha256()
    wanted = sorted(lines)
    with survey.open() as stream:
        for first, number, line, goes_on in _with_quotes(stream):
            place = bisect_left(wanted, first)
            if place == len(wanted):
                return
            if wanted[place] <= number:
                yield from ((it, first, number) for it in _within(line, before.copy(), goes_on))
            before.update(line)


def _with_quotes(stream: Iterable[bytes]) -> Iterator[tuple[int, int, bytes, bool]]:
    """The line on which the row of each line begins as far as quotes tell, its number, itself, and
    whether the row goes on behind it. A row that seems to begin too early does no harm: the whole
    file says again all that stands before its place."""
    first, goes_on = 1, False
    for number, line in enumerate(stream, 1):
        if not goes_on or number - first > FIELD_LINES:
            first, goes_on = number, False
        if b'"' in line:
            goes_on ^= bool(line.count(b'"') % 2 if goes_on else _opens(line))
        yield first, number, line, goes_on


def _opens(line: bytes) -> bool:
    """Whether a field in quotes is open at the end of a line."""
    return _OPENING.search(_QUOTED.sub(b"", line)) is not None


def _within(line: bytes, digest: Any, goes_on: bool) -> Iterator[str]:
    until = len(line) if goes_on else len(line.rstrip(b"\r\n\0")) - 1
    for place in range(min(until, _LONGEST_LINE)):
        digest.update(line[place : place + 1])
        yield digest.hexdigest()


def _counts(connection: Connection, cut: Cut) -> bool:
    """Whether anything of a row counts, or waits."""
    results = select(_RESULTS.c.id).where(cut.rows_of(_RESULTS), ~_RESULTS.c.taken_back)
    held = select(HELD.c.id).where(cut.rows_of(HELD), HELD.c.state == "held")
    found = (connection.scalar(it.limit(1)) for it in (results, held))
    return any(it is not None for it in found)
