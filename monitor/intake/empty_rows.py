"""Rows without a value beside the number of the same result in the same file: a line for a comment,
or for what a program joins to it. They are remarks on that number, and never take its place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from monitor.core.standing import Report
from monitor.core.vocabulary import Status
from monitor.intake.flags import with_remark
from monitor.intake.measured import EMPTY
from monitor.intake.outcomes import Taken
from monitor.intake.repeats import was_repeated
from monitor.store import tables
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_COMMENT_LIMIT = 4000
_TAKE_AWAY = (Status.WITHDRAWN, Status.CANCELLED)


class Said(NamedTuple):
    """A report of the same result: by its number in the database, or as it is to be written."""

    report: Report
    file_id: int
    id: int | None
    taken: Taken | None


def is_remark_on(new: Report, taken: Taken, number: Report) -> bool:
    """Whether a row brings nothing beside this number: neither a value nor words for none, a higher
    status nor a later report."""
    if taken.no_result != EMPTY or new.status in _TAKE_AWAY or number.status in _TAKE_AWAY:
        return False
    return number.value is not None and new.order[:2] <= number.order[:2]


def became_remark(
    connection: Connection,
    taken: Taken,
    file_id: int,
    numbers: Sequence[Said],
    repeated: Collection[int],
) -> bool:
    """Whether one of these numbers stands in the file of the row too, there first or once more (by
    its id among those repeated just now): then it has the comment of that row."""
    for said in numbers:
        is_here = said.file_id == file_id or said.id in repeated
        if is_here or (said.id and was_repeated(connection, "result", said.id, file_id)):
            _remark(connection, said, taken)
            return True
    return False


def _remark(connection: Connection, said: Said, taken: Taken) -> None:
    if not taken.comment:
        return
    if said.taken is not None:
        told, doubt = said.taken.comment, said.taken.doubtful_comment
        said.taken.comment = with_remark(told, taken.comment)[:_COMMENT_LIMIT]
        said.taken.doubtful_comment = doubt or taken.doubtful_comment
        return
    columns = _RESULTS.c
    asked = select(columns.comment, columns.doubtful_comment).where(columns.id == said.id)
    told, doubt = connection.execute(asked).one()
    values = {
        "comment": with_remark(told, taken.comment)[:_COMMENT_LIMIT],
        "doubtful_comment": doubt or taken.doubtful_comment,
    }
    connection.execute(update(_RESULTS).where(columns.id == said.id).values(values))
