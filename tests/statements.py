"""What a store asks of its database, looked at before it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from monitor.store.database import Store

_ASKS = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


@contextmanager
def planned(store: Store, look: Callable[[Any, str, Any], None]) -> Iterator[None]:
    """Have every statement that has a plan looked at, with a cursor of its connection and what it
    is asked with (of many, the first)."""

    def before(
        connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        del connection, context
        if statement.lstrip().startswith(_ASKS):
            first = parameters[0] if many and parameters else parameters
            look(cursor.connection.cursor(), statement, first)

    event.listen(store.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(store.engine, "before_cursor_execute", before)


@contextmanager
def asked(store: Store) -> Iterator[list[str]]:
    """Every statement that has a plan."""
    found: list[str] = []
    with planned(store, lambda _cursor, statement, _parameters: found.append(statement)):
        yield found
