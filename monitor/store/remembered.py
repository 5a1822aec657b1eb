"""Reading of results no more than what an earlier review does not remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from monitor.core.case import Result
from monitor.core.kept_text import Counted
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.histories import read_results
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_NONE = Counted(0, 0)


class Newer(NamedTuple):
    """A row of a result, whether it stands or not."""

    patient_id: int
    id: int
    analyte: str
    collected_on: date


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
        found |= {patient: Counted(*known) for patient, *known in connection.execute(query)}
    return found


def newer(connection: Connection, after: Mapping[int, int]) -> Mapping[int, Sequence[Newer]]:
    """The rows of these patients with an id above the one given of each."""
    columns = _RESULTS.c
    found: dict[int, list[Newer]] = defaultdict(list)
    query = select(columns.patient_id, columns.id, columns.analyte, columns.collected_on)
    for ids in chunks(sorted(after)):
        least = min(after[patient] for patient in ids)
        # + 0: by patient, however many rows of others came since
        own = query.where(columns.patient_id.in_(ids), columns.id + 0 > least)
        for row in map(Newer._make, connection.execute(own)):
            if row.id > after[row.patient_id]:
                found[row.patient_id].append(row)
    return found


def by_id(connection: Connection, ids: Collection[int]) -> Mapping[int, Sequence[Result]]:
    """Those of these results that stand, by patient."""
    found: dict[int, list[Result]] = defaultdict(list)
    for piece in chunks(sorted(ids)):
        for patient, results in read_results(connection, _RESULTS.c.id.in_(piece)).items():
            found[patient] += results
    return found


def of_analyte(
    connection: Connection, analyte: str, patients: Collection[int]
) -> Mapping[int, Sequence[Result]]:
    """The results of one analyte that stand, by patient."""
    found: dict[int, Sequence[Result]] = {}
    for ids in chunks(sorted(patients)):
        own = _RESULTS.c.patient_id.in_(ids) & (_RESULTS.c.analyte == analyte)
        found |= read_results(connection, own)
    return found
