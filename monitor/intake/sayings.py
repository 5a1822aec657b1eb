"""What has been said of numbers that are one patient's, in the order in which it was said."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from monitor.core.merges import Said
from monitor.intake.context import chunks
from monitor.store import tables
from monitor.store.tables import table_of

MERGES = table_of(tables.MergeRow)
BY_PEOPLE = "events"
"""The origin of what people said on lines of events files; of messages it is their kind."""
_CHUNK = 500


class Turn(NamedTuple):
    """When something was said: by instant, file and line. Ids do not tell: what two files have
    said gets a new one when the first of them is taken back."""

    received_at: datetime
    file_id: int
    line: int


class Heard(NamedTuple):
    """Words of one row, and when they were said."""

    turn: Turn
    said: Said


def sayings(connection: Connection, patient_ids: Collection[int] | None = None) -> list[Heard]:
    """All that was said of these patients and of whoever is connected with them (None: of all)
    and was not taken back, in order."""
    if patient_ids is None:
        return _in_order(_rows(connection, None))
    rows: dict[int, Heard] = {}
    known: set[int] = set()
    frontier = set(patient_ids)
    while frontier:
        known |= frontier
        found: set[int] = set()
        for ids in chunks(sorted(frontier), _CHUNK):
            for row_id, heard in _rows(connection, ids).items():
                rows[row_id] = heard
                found |= {heard.said.old, heard.said.new}
        frontier = found - known
    return _in_order(rows)


def _rows(connection: Connection, patient_ids: Collection[int] | None) -> dict[int, Heard]:
    columns = MERGES.c
    query = select(
        columns.id, columns.received_at, columns.file_id, columns.line,
        columns.what, columns.old_id, columns.new_id,
    ).where(~columns.taken_back)  # fmt: skip
    if patient_ids is not None:
        query = query.where(or_(columns.old_id.in_(patient_ids), columns.new_id.in_(patient_ids)))
    return {
        row.id: Heard(
            Turn(row.received_at, row.file_id, row.line), Said(row.what, row.old_id, row.new_id)
        )
        for row in connection.execute(query)
    }


def _in_order(rows: dict[int, Heard]) -> list[Heard]:
    return [rows[row_id] for row_id in sorted(rows, key=lambda it: (rows[it].turn, it))]
