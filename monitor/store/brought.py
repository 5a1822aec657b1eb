"""How many rows each file left in the tables that are only added to (`docs/adr/0071`).

What refers to a row that is gone is found by that; to a result, a repeat or a changed cell nothing
refers. So their number is written down with the file, in the transaction that writes them, and
carried on by whoever adds to a file that came in before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Table, bindparam, func, literal, select, union_all, update

from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
RESULTS = table_of(tables.ResultRow)
REPEATS = table_of(tables.Repeat)
CHANGES = table_of(tables.PersonChange)
_COUNTED = (
    RESULTS,
    REPEATS,
    CHANGES,
    table_of(tables.EventRow),
    table_of(tables.EnrolmentRow),
    table_of(tables.MergeRow),
)


class Missing(NamedTuple):
    """A file of which there are fewer rows in a table than it left there."""

    file_id: int
    table: str
    left: int
    found: int


def count_left(connection: Connection, file_ids: Collection[int]) -> None:
    """Write down of files what they left, at the end of the transaction that took them in."""
    for ids in chunks(sorted(file_ids)):
        found = _found(connection, ids)
        rows = [{"file": it, "counts": dict(found[it])} for it in ids]
        _write(connection, rows)


def left_more(connection: Connection, table: Table, more: Mapping[int, int]) -> None:
    """So many rows were added to a table (or fewer than none: taken out) of files that came in
    before. Those that are on their way in are counted at their end."""
    if table not in _COUNTED:
        return
    for ids in chunks(sorted(it for it, number in more.items() if number)):
        query = select(_FILES.c.id, _FILES.c.left_rows).where(
            _FILES.c.id.in_(ids), _FILES.c.left_rows.is_not(None)
        )
        rows = []
        for row in connection.execute(query):
            counts = Counter(row.left_rows)
            counts[table.name] += more[row.id]
            rows.append({"file": row.id, "counts": dict(counts)})
        _write(connection, rows)


def missing(connection: Connection) -> Iterator[Missing]:
    """Rows that are gone, by file and table. More than were written down are no fault: a program
    that did not count them may have added to the file."""
    query = select(_FILES.c.id, _FILES.c.left_rows, _FILES.c.reverted_at)
    files = connection.execute(query.where(_FILES.c.left_rows.is_not(None)).order_by(_FILES.c.id))
    found = _found(connection)
    rows = [
        (file, Missing(file.id, name, left, found.get(file.id, Counter())[name]))
        for file in files
        for name, left in sorted(file.left_rows.items())
    ]
    # Taken back by a program that did not count: it took repeats out, of other files too.
    by_another = any(
        file.reverted_at is not None and it.table == REPEATS.name and it.left > it.found
        for file, it in rows
    )
    for _, it in rows:
        if it.found < it.left and not (by_another and it.table == REPEATS.name):
            yield it


def _found(
    connection: Connection, file_ids: Collection[int] | None = None
) -> dict[int, Counter[str]]:
    """How many rows there are now, by file and table."""
    asked = []
    for table in _COUNTED:
        query = select(literal(table.name), table.c.file_id, func.count())
        query = query.where(table.c.file_id.is_not(None))
        if file_ids is not None:
            query = query.where(table.c.file_id.in_(file_ids))
        asked.append(query.group_by(table.c.file_id))
    counts: dict[int, Counter[str]] = {it: Counter() for it in file_ids or ()}
    for name, file_id, number in connection.execute(union_all(*asked)):
        counts.setdefault(file_id, Counter())[name] = number
    return counts


def _write(connection: Connection, rows: list[dict[str, object]]) -> None:
    if rows:
        statement = update(_FILES).where(_FILES.c.id == bindparam("file"))
        connection.execute(statement.values(left_rows=bindparam("counts")), rows)
