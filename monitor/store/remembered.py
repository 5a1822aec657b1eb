"""Reading of results no more than what an earlier review does not remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from monitor.core.case import Result
from monitor.core.kept_text import Counted
from monitor.core.vocabulary import Status
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.histories import Histories
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_NONE = Counted(0, 0)


class Newer(NamedTuple):
    """A row that came since an earlier review."""

    result: Result
    counts: bool
    """It stands after corrections."""


def counted(connection: Connection, patients: Iterable[int]) -> dict[int, Counted]:
    """How many rows of results each of these patients has, and the last of them."""
    columns = _RESULTS.c
    found: dict[int, Counted] = {}
    for ids in chunks(sorted(set(patients))):
        query = (
            select(columns.patient_id, func.count(), func.max(columns.id))
            .where(columns.patient_id.in_(ids))
            .group_by(columns.patient_id)
        )
        found |= dict.fromkeys(ids, _NONE)
        rows = connection.execute(query).all()
        found |= {patient: Counted(*known) for patient, *known in rows}
    return found


def newer(histories: Histories, after: Mapping[int, int]) -> Mapping[int, Sequence[Newer]]:
    """The rows of these patients with an id above the one given of each."""
    columns = _RESULTS.c
    found: dict[int, list[Newer]] = defaultdict(list)
    for ids in chunks(sorted(after)):
        least = min(after[patient] for patient in ids)
        # + 0: by patient, however many rows of others came since
        which = columns.patient_id.in_(ids) & (columns.id + 0 > least)
        for patient, stands, result in histories.rows(which):
            if result.id > after[patient]:
                counts = stands and result.status is not Status.WITHDRAWN
                found[patient].append(Newer(result, counts))
    return found


def of_analyte(
    histories: Histories, analyte: str, patients: Collection[int]
) -> Mapping[int, Sequence[Result]]:
    """The results of one analyte that stand, by patient."""
    found: dict[int, Sequence[Result]] = {}
    for ids in chunks(sorted(patients)):
        own = _RESULTS.c.patient_id.in_(ids) & (_RESULTS.c.analyte == analyte)
        found |= histories.standing(own)
    return found
