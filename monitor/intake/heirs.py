"""What another file has said too, when the file that said it first is taken back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    case,
    delete,
    insert,
    literal,
    select,
    update,
)

from monitor.intake.held import HELD
from monitor.intake.merged_rows import recount_merged
from monitor.intake.repeats import REPEATS
from monitor.store import brought, tables
from monitor.store.tables import table_of

FILES = table_of(tables.File)


class Heirs:
    """Passes on the rows of one file to the files that have repeated them."""

    def __init__(self, connection: Connection, file_id: int) -> None:
        self._connection = connection
        self._file_id = file_id
        self.passed_on = 0

    def pass_on(
        self,
        what: str,
        table: Table,
        mine: ColumnElement[bool],
        outcome: str,
        instead: dict[str, ColumnElement[Any]],
    ) -> list[int]:
        """Copy each row that another file has repeated, as that file's own."""
        found: list[int] = []
        repeated = select(REPEATS.c.row_id).where(REPEATS.c.what == what)
        query = select(table.c.id).where(mine, table.c.id.in_(repeated)).order_by(table.c.id)
        for row_id in list(self._connection.scalars(query)):
            heir = self.heir(what, row_id)
            if heir is None:
                continue
            came_at = select(FILES.c.received_at).where(FILES.c.id == heir.file_id)
            values = {
                "file_id": literal(heir.file_id),
                "line": literal(heir.line),
                "held_at" if table is HELD else "received_at": came_at.scalar_subquery(),
                **instead,
            }
            if table is HELD:
                discarded = table.c.state == "discarded"
                values["state"] = case((discarded, table.c.state), else_="held")
            names = [column.name for column in table.c if column.name != "id"]
            copied = select(*(values.get(name, table.c[name]) for name in names))
            inserted = self._connection.execute(
                insert(table)
                .from_select(names, copied.where(table.c.id == row_id))
                .returning(table.c.id)
            )
            copy = int(inserted.scalar_one())
            found.append(copy)
            brought.left_more(self._connection, table, {heir.file_id: 1})
            self.recount(heir.file_id, outcome)
            self._inherit(what, row_id, copy, heir.file_id)
            if what == "result":
                recount_merged(self._connection, heir.file_id, heir.line, outcome)
        self.passed_on += len(found)
        return found

    def heir(self, what: str, row_id: int) -> Any:
        """The first other file, not taken back itself, that has said the same."""
        query = (
            select(REPEATS.c.file_id, REPEATS.c.line)
            .join(FILES, FILES.c.id == REPEATS.c.file_id)
            .where(
                REPEATS.c.what == what,
                REPEATS.c.row_id == row_id,
                REPEATS.c.file_id != self._file_id,
                FILES.c.reverted_at.is_(None),
            )
            .order_by(REPEATS.c.file_id, REPEATS.c.id)
        )
        return self._connection.execute(query.limit(1)).one_or_none()

    def _inherit(self, what: str, row_id: int, copy: int, heir: int) -> None:
        same = (REPEATS.c.what == what) & (REPEATS.c.row_id == row_id)
        gone = self._connection.execute(delete(REPEATS).where(same, REPEATS.c.file_id == heir))
        brought.left_more(self._connection, REPEATS, {heir: -gone.rowcount})
        self._connection.execute(update(REPEATS).where(same).values(row_id=copy))

    def recount(self, file_id: int, outcome: str) -> None:
        """In the account of the heir a duplicate is now what it would have been."""
        values = {"duplicate": FILES.c.duplicate - 1, outcome: FILES.c[outcome] + 1}
        self._connection.execute(update(FILES).where(FILES.c.id == file_id).values(values))
