"""Many rows in one go, past the statement machinery that costs more than the database does.
Values go through the very same column types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Date, Select, Table, null, select, type_coerce

from monitor.store.types import ExactDecimal, UtcInstant

_REMEMBERED = 16384
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
    """Reads columns as tuples, in their order. The same days, instants and numbers come again
    and again: each text of them is read once."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self._columns = columns
        self._by_dialect: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        self.query: Select[*tuple[Any, ...]] = select(*(type_coerce(it, null().type) for it in columns))
        """To be narrowed and ordered by the caller."""

    def rows(self, connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[list[Any]]:
        """The rows of the narrowed query, each a list of its own."""
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
            for row in rows:
                values = list(row)
                for place, read in readers:
                    values[place] = read(values[place])
                yield values


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
