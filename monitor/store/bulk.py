"""Many rows in one go, past the statement machinery that costs more than the database does.
Values go through the very same column types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from sqlalchemy import Column, Connection, Date, Dialect, Select, Table, null, select, type_coerce
from sqlalchemy.exc import DBAPIError

from monitor.store.types import CountedDay, ExactDecimal, UtcInstant

_REMEMBERED = 16384
_ROWS_A_STATEMENT = 500
"""SQLite takes at most 32,766 parameters."""
_ROWS_A_MATRIX = 32_000
_AT_ONCE = 1000


class BulkInsert:
    """Inserts tuples into the named columns of a table, in that order; every column that may
    not be null and has no default of the database's own has to be among them."""

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        quoted = connection.dialect.identifier_preparer
        names = ", ".join(quoted.format_column(table.c[name]) for name in columns)
        into = f"{quoted.format_table(table)} ({names})"
        marks = ", ".join("?" for _ in columns)
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._insert = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608  # names of our own tables
        self._copy = f"COPY {into} FROM STDIN"
        self._converters = [_converter(connection, table, name) for name in columns]

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Insert the rows, in order; on PostgreSQL through COPY."""
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
        if not ready:
            return
        if self._is_sqlite:
            self._connection.exec_driver_sql(self._insert, ready)
            return
        driver = self._connection.connection.driver_connection
        with _cursor(self._connection.dialect, driver) as cursor, cursor.copy(self._copy) as copy:
            for row in ready:
                copy.write_row(row)


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
    if read is not None and isinstance(kind, UtcInstant | ExactDecimal | Date | CountedDay):
        return lru_cache(_REMEMBERED)(read)
    return read


def _converter(connection: Connection, table: Table, name: str) -> Callable[[Any], Any] | None:
    """What a column's type does to a value on its way to this database; None: nothing."""
    convert = _plain_converter(connection, table, name)
    if convert is not None and isinstance(table.c[name].type, UtcInstant | Date | CountedDay):
        return lru_cache(_REMEMBERED)(convert)
    return convert


def _plain_converter(
    connection: Connection, table: Table, name: str
) -> Callable[[Any], Any] | None:
    dialect = connection.dialect
    convert: Callable[[Any], Any] | None = (
        table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    )
    return convert


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one column for many rows: the distinct ones, and which each row has."""

    distinct: Sequence[Any]
    codes: Any
    """A NumPy array; None: `distinct` is one that has a value for each row."""

    @classmethod
    def given(cls, values: Any) -> Values:
        """A value for each row, in a NumPy array."""
        return cls(values, None)

    @property
    def are_one(self) -> bool:
        """Whether all rows say the same."""
        return self.codes is not None and all(it == self.distinct[0] for it in self.distinct)


@contextmanager
def _cursor(dialect: Dialect, driver: Any) -> Iterator[Any]:
    """A cursor of the driver's own connection; what it raises is what SQLAlchemy makes of it."""
    assert dialect.dbapi is not None
    failure = dialect.dbapi.Error
    try:
        with closing(driver.cursor()) as cursor:
            yield cursor
    except failure as error:
        raise DBAPIError.instance(
            None, None, error, failure, hide_parameters=True, dialect=dialect
        ) from error


class ColumnInsert:
    """Inserts many rows into a table from columns: each distinct value goes once through its
    column's type. On PostgreSQL through COPY. It may do so in another thread than that of the
    connection, of which it uses the driver's alone."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        self._table = table
        self._is_sqlite = connection.dialect.name == "sqlite"

    def insert(
        self, rows: int, columns: Mapping[str, Values], constants: Mapping[str, Any]
    ) -> Iterator[None]:
        """Insert rows in their order, yielding after each statement; `constants` are the same in
        all of them. At least one of the columns is given for each row."""
        same = dict(constants) | {
            name: values.distinct[0] for name, values in columns.items() if values.are_one
        }
        own = {name: values for name, values in columns.items() if not values.are_one}
        given = [self._converter(name)(value) for name, value in same.items()]
        with _cursor(self._connection.dialect, self._driver) as cursor:
            if self._is_sqlite:
                yield from self._insert(cursor, rows, own, list(same), given)
            else:
                yield from self._copy(cursor, rows, own, list(same), given)

    def _converter(self, name: str) -> Callable[[Any], Any]:
        convert = _plain_converter(self._connection, self._table, name)
        return _unchanged if convert is None else convert

    def _insert(
        self,
        cursor: Any,
        rows: int,
        columns: Mapping[str, Values],
        same: Sequence[str],
        given: Sequence[Any],
    ) -> Iterator[None]:
        names = tuple(columns), tuple(same)
        cells = [_Cells(values, self._converter(name)) for name, values in columns.items()]
        for matrix in _matrices(cells, rows):
            for start in range(0, len(matrix), _ROWS_A_STATEMENT):
                part = matrix[start : start + _ROWS_A_STATEMENT]
                sql = self._statement(*names, len(part))
                cursor.execute(sql, (*given, *part.ravel().tolist()))
                yield

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

    def _copy(
        self,
        cursor: Any,
        rows: int,
        columns: Mapping[str, Values],
        same: Sequence[str],
        given: Sequence[Any],
    ) -> Iterator[None]:
        quoted = self._connection.dialect.identifier_preparer
        names = ", ".join(quoted.format_column(self._table.c[it]) for it in (*columns, *same))
        tail = "".join(f"\t{_copied(value)}" for value in given) + "\n"
        ends = ["\t"] * (len(columns) - 1) + [tail]
        cells = [
            _Cells(values, _copied_after(self._converter(name), end))
            for (name, values), end in zip(columns.items(), ends, strict=True)
        ]
        statement = f"COPY {quoted.format_table(self._table)} ({names}) FROM STDIN"
        for matrix in _matrices(cells, rows):
            with cursor.copy(statement) as copy:
                copy.write("".join(matrix.ravel().tolist()))
            yield


class _Cells:
    """One column as the database takes it."""

    def __init__(self, values: Values, convert: Callable[[Any], Any]) -> None:
        self._given: Any = values.distinct
        self._codes = values.codes
        self._convert = convert
        self._distinct = None if values.codes is None else _objects(map(convert, values.distinct))

    def of(self, rows: slice) -> Any:
        """The values of these rows, as an array of objects."""
        if self._distinct is None:
            return _objects(map(self._convert, self._given[rows].tolist()))
        return self._distinct[self._codes[rows]]


def _matrices(columns: Sequence[_Cells], rows: int) -> Iterator[Any]:
    """The rows of columns, so many at once, as arrays of objects: rows that were objects of
    their own would be gone through by the collector of garbage again and again."""
    import numpy as np  # slow to import, and only needed for many rows

    for start in range(0, rows, _ROWS_A_MATRIX):
        part = slice(start, min(start + _ROWS_A_MATRIX, rows))
        matrix = np.empty((part.stop - start, len(columns)), object)
        for place, column in enumerate(columns):
            matrix[:, place] = column.of(part)
        yield matrix


def _objects(values: Iterable[Any]) -> Any:
    import numpy as np

    listed = list(values)
    found = np.empty(len(listed), object)
    found[:] = listed
    return found


def _unchanged(value: Any) -> Any:
    return value


def _copied_after(convert: Callable[[Any], Any], end: str) -> Callable[[Any], str]:
    return lambda value: _copied(convert(value)) + end


def _copied(value: Any) -> str:
    """A value in the text format of COPY."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPED)


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
