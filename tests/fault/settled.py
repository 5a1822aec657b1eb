"""Whether daemons have done all that is owed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from monitor.operations.verify import owed
from monitor.store.database import open_store
from monitor.store.outbox import waiting


def files_in(inbox: Path) -> int:
    return sum(path.is_file() for path in inbox.iterdir())


def nothing_is_owed(inbox: Path, url: str) -> bool:
    """Read in the order in which work goes on: files make reviews, and reviews make messages.
    The other way round, a message queued between two reads would be overlooked.

    The database is let go at once: a kill must never find it held open by us, for then the
    next start would have nothing to recover.
    """
    if files_in(inbox):
        return False
    store = open_store(url)
    try:
        if owed(store, datetime.now(UTC)):
            return False
        with store.read() as connection:
            return waiting(connection) == 0
    finally:
        store.dispose()
