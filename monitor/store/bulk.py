"""Many rows of one table in one go, past the statement machinery that costs more than the
database does. Values go through the very same column types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Date, Table

from monitor.store.types import UtcInstant

_REMEMBERED = 4096


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


def _converter(connection: Connection, table: Table, name: str) -> Callable[[Any], Any] | None:
    """What a column's type does to a value on its way to this database; None: nothing."""
    kind = table.c[name].type
    convert: Callable[[Any], Any] | None = kind.dialect_impl(connection.dialect).bind_processor(
        connection.dialect
    )
    if convert is not None and isinstance(kind, UtcInstant | Date):
        return lru_cache(_REMEMBERED)(convert)
    return convert
