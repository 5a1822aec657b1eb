"""One of many ids, as one parameter of a statement.

`IN` with a parameter for each is another statement for each number of them: it is rendered anew
each time, and a server cannot keep its plan. Here the statement is one, whatever their number.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Ids(TypeDecorator[Collection[int]]):
    """An array, where the database has arrays, else a text of JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind = ARRAY(BigInteger) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        assert value is not None
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> _Among:
        """As it stands: what is compared with `= 1`, as other functions are where there are no
        booleans, no index is searched for."""
        return self


def among(column: ColumnElement[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a column of whole numbers is one of these."""
    return _Among(column, bindparam(None, ids, _Ids, unique=True))


@compiles(_Among, "postgresql")
def _as_array(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = (compiler.process(it, **how) for it in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(_Among, "sqlite")
def _as_json(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = (compiler.process(it, **how) for it in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608  # of our own
