"""Reading of results no more than what an earlier review does not remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from monitor.core.case import Result
from monitor.core.kept_text import Counted
from monitor.core.vocabulary import Status
from monitor.store import tables
from monitor.store.among import among
from monitor.store.frames import chunks
from monitor.store.histories import Histories
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_NONE = Counted(0, 0)
_MIXED = 50
"""Patients at once of whom different analytes are read: a server compares with each pair."""


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
            .where(among(columns.patient_id, ids))
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
        which = among(columns.patient_id, ids) & (columns.id + 0 > least)
        for patient, stands, result in histories.rows(which):
            if result.id > after[patient]:
                counts = stands and result.status is not Status.WITHDRAWN
                found[patient].append(Newer(result, counts))
    return found


def of_analytes(
    histories: Histories, wanted: Mapping[int, Collection[str]]
) -> Mapping[int, Mapping[str, Sequence[Result]]]:
    """The results that stand of those analytes that are wanted of each patient."""
    found: dict[int, dict[str, list[Result]]] = {
        patient: {analyte: [] for analyte in analytes} for patient, analytes in wanted.items()
    }
    for ids in chunks(sorted(wanted), _MIXED):
        for patient, results in histories.standing(_wanted(ids, wanted)).items():
            own = found[patient]
            for result in results:
                if result.analyte in own:
                    own[result.analyte].append(result)
    return found


def _wanted(ids: Sequence[int], wanted: Mapping[int, Collection[str]]) -> ColumnElement[bool]:
    """Results of these patients: what is wanted of each, or of all what is wanted of most."""
    patient, analyte = _RESULTS.c.patient_id, _RESULTS.c.analyte
    pairs = [(it, name) for it in ids for name in sorted(wanted[it])]
    names = sorted({name for _, name in pairs})
    own = among(patient, ids) & analyte.in_(names)  # what the index is searched for
    few = 2 * len(pairs) < len(ids) * len(names)
    return own & tuple_(patient, analyte).in_(pairs) if few else own
