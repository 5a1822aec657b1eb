"""What somebody does, and its line of the audit trail: both stand, or neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from monitor.store.database import Store


class Deed(Store):
    """The store for one deed. Its first transaction that stands is the deed, and begins with its
    line; reviews that follow from it are transactions of their own and owed in any case."""

    def __init__(self, store: Store, tell: Callable[[Connection], None]) -> None:
        super().__init__(store.engine)
        self._tell = tell
        self._told = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            if not self._told:
                self._tell(connection)
            yield connection
        self._told = True
