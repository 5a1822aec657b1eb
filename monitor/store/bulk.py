"""Many rows in one go, past the statement machinery that costs more than the database does.
Values go through the very same column types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from typing import Any

from sqlalchemy import Column, Connection, Date, Select, Table, null, select, type_coerce

from monitor.store.types import ExactDecimal, UtcInstant

_REMEMBERED = 16384
_ROWS_A_STATEMENT = 200
"""SQLite takes at most 32,766 parameters."""
_AT_ONCE = 1000


class BulkInsert:
    """Inserts tuples into the named columns of a table, in that order; every column that may
    not be null and has no default of the database's own has to be among them."""

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        dialect = connection.dialect
        quoted = dialect.identifier_preparer
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        names = ", ".join(quoted.format_column(table.c[name]) for name in columns)
        marks = ", ".join(mark for _ in columns)
        self._connection = connection
        self._sql = f"INSERT INTO {quoted.format_table(table)} ({names}) VALUES ({marks})"  # noqa: S608  # names of our own tables
        self._converters = [_converter(connection, table, name) for name in columns]

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Insert the rows, in order."""
        converters = self._converters
        ready: list[tuple[Any, ...]] = [
            tuple(
                [
                    value if convert is None else convert(value)
                    for convert, value in zip(converters, row, strict=True)
                ]
            )
            for row in rows
        ]
        if ready:
            self._connection.exec_driver_sql(self._sql, ready)


class BulkSelect:
    """Reads rows column by column. The same days, instants and numbers come again and again:
    each text of them is read once."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self._columns = columns
        self._by_dialect: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        raw: list[Any] = [type_coerce(it, null().type) for it in columns]
        self.query: Select[Any] = select(*raw)
        """To be narrowed and ordered by the caller."""

    def batches(
        self, connection: Connection, query: Select[*tuple[Any, ...]]
    ) -> Iterator[list[Iterable[Any]]]:
        """The rows of the narrowed query, some at a time, as columns; each to be gone through
        once."""
        dialect = connection.dialect
        if dialect.name not in self._by_dialect:
            self._by_dialect[dialect.name] = [
                (place, reader)
                for place, column in enumerate(self._columns)
                if (reader := _reader(connection, column)) is not None
            ]
        readers = self._by_dialect[dialect.name]
        result = connection.execute(query)
        while rows := result.fetchmany(_AT_ONCE):
            columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
            for place, read in readers:
                columns[place] = map(read, columns[place])
            yield columns


def _reader(connection: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """What a column's type does to a value on its way from this database; None: nothing."""
    kind = column.type
    read: Callable[[Any], Any] | None = kind.dialect_impl(connection.dialect).result_processor(
        connection.dialect, None
    )
    if read is not None and isinstance(kind, UtcInstant | ExactDecimal | Date):
        return lru_cache(_REMEMBERED)(read)
    return read


def _converter(connection: Connection, table: Table, name: str) -> Callable[[Any], Any] | None:
    """What a column's type does to a value on its way to this database; None: nothing."""
    kind = table.c[name].type
    convert: Callable[[Any], Any] | None = kind.dialect_impl(connection.dialect).bind_processor(
        connection.dialect
    )
    if convert is not None and isinstance(kind, UtcInstant | Date):
        return lru_cache(_REMEMBERED)(convert)
    return convert


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one column for many rows: the distinct ones, and which each row has."""

    distinct: Sequence[Any]
    codes: Any
    """A NumPy array; None: `distinct` has a value for each row."""

    @classmethod
    def given(cls, values: Sequence[Any]) -> Values:
        """A value for each row."""
        return cls(values, None)


class ColumnInsert:
    """Inserts many rows into a table from columns: each distinct value goes once through its
    column's type. On PostgreSQL through COPY."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self._is_sqlite = connection.dialect.name == "sqlite"

    def insert(self, columns: Mapping[str, Values], constants: Mapping[str, Any]) -> None:
        """Insert rows in their order; `constants` are the same in all of them."""
        ready: dict[str, Sequence[Any]] = {}
        same: dict[str, Any] = {}
        for name, values in columns.items():
            convert = _converter(self._connection, self._table, name)
            distinct = _converted(convert, values.distinct)
            if values.codes is None:
                ready[name] = distinct
            elif all(value == distinct[0] for value in distinct):
                same[name] = distinct[0]
            else:
                ready[name] = _taken(distinct, values.codes)
        for name, value in constants.items():
            convert = _converter(self._connection, self._table, name)
            (same[name],) = _converted(convert, [value])
        if self._is_sqlite:
            self._insert(ready, same)
        else:
            self._copy(ready, same)

    def _insert(self, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> None:
        given = tuple(same.values())
        rows = list(zip(*columns.values(), strict=True))
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            part = rows[start : start + _ROWS_A_STATEMENT]
            sql = self._statement(tuple(columns), tuple(same), len(part))
            self._connection.exec_driver_sql(sql, (*given, *chain.from_iterable(part)))

    @lru_cache(maxsize=8)  # noqa: B019  # lives as long as the load does
    def _statement(self, columns: Sequence[str], same: Sequence[str], rows: int) -> str:
        """Constants are bound once for all rows of a statement."""
        quoted = self._connection.dialect.identifier_preparer
        names = ", ".join(quoted.format_column(self._table.c[it]) for it in (*columns, *same))
        constants = [f"?{number}" for number in range(1, len(same) + 1)]
        numbers = count(len(same) + 1)
        values = ", ".join(
            f"({', '.join([*(f'?{next(numbers)}' for _ in columns), *constants])})"
            for _ in range(rows)
        )
        return f"INSERT INTO {quoted.format_table(self._table)} ({names}) VALUES {values}"  # noqa: S608  # names of our own tables

    def _copy(self, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> None:
        quoted = self._connection.dialect.identifier_preparer
        names = ", ".join(quoted.format_column(self._table.c[it]) for it in (*columns, *same))
        tail = "".join(f"\t{_copied(value)}" for value in same.values()) + "\n"
        texts = [list(map(_copied, column)) for column in columns.values()]
        driver: Any = self._connection.connection.driver_connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {quoted.format_table(self._table)} ({names}) FROM STDIN") as copy,
        ):
            copy.write(tail.join(map("\t".join, zip(*texts, strict=True))) + tail)


def _converted(convert: Callable[[Any], Any] | None, values: Sequence[Any]) -> Sequence[Any]:
    return values if convert is None else [convert(value) for value in values]


def _taken(distinct: Sequence[Any], codes: Any) -> Sequence[Any]:
    import numpy as np  # slow to import, and only needed for many rows

    values = np.empty(len(distinct), object)
    values[:] = distinct
    taken: list[Any] = values[codes].tolist()
    return taken


def _copied(value: Any) -> str:
    """A value in the text format of COPY."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPED)


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
