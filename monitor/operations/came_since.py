"""Which files of the inbox came in after a backup was made: what is restored from it has none of
their rows, and nobody else would miss them, for they lie in done/."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from monitor.config import Settings
from monitor.intake import filing
from monitor.intake.inbox import DONE
from monitor.intake.survey import told_name
from monitor.store.database import Store
from monitor.store.tables import File, table_of

FILES = table_of(File)
_AT_ONCE = 500


def came_since(settings: Settings, store: Store) -> list[str]:
    """The files in the inbox's done/, by name, of which the database knows nothing."""
    taken = _taken(settings.intake.inbox / DONE)
    digests = sorted(set(taken.values()))
    known: set[str] = set()
    with store.read() as connection:
        for start in range(0, len(digests), _AT_ONCE):
            part = FILES.c.sha256.in_(digests[start : start + _AT_ONCE])
            known.update(connection.scalars(select(FILES.c.sha256).where(part)))
    return [told_name(path) for path, digest in taken.items() if digest not in known]


def _taken(folder: Path) -> dict[Path, str]:
    """What lies there and its digest, as the report beside it has it; nothing where the folder
    cannot be read."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return {}
    return {path: digest for path in paths if (digest := filing.reported(path).get("sha256"))}
