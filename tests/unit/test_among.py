"""One of many ids: the same statement for however many, and found by the index."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import insert, not_, select

from monitor.store import tables
from monitor.store.among import among
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.statements import asked, planned

_PATIENTS = table_of(tables.Patient)
_ID = _PATIENTS.c.id


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as connection:
        rows = [
            {"id": it, "mrn": f"A{it}", "mrn_key": f"A{it}", "mrn_loose": f"A{it}"}
            for it in range(1, 7)
        ]
        connection.execute(insert(_PATIENTS), rows)
    return store


@pytest.mark.parametrize("ids", [(), (3,), [5, 2, 2], {1, 6}, range(2, 40_000)])
def test_those_alone_are_found(filled: Store, ids: Collection[int]) -> None:
    with filled.read() as connection:
        found = connection.scalars(select(_ID).where(among(_ID, ids)).order_by(_ID)).all()
        others = connection.scalars(select(_ID).where(not_(among(_ID, ids))).order_by(_ID)).all()
    assert found == [it for it in range(1, 7) if it in ids]
    assert others == [it for it in range(1, 7) if it not in ids]


def test_the_statement_is_the_same_for_however_many(filled: Store) -> None:
    with asked(filled) as statements, filled.read() as connection:
        for many in (1, 7, 900):
            connection.execute(select(_ID).where(among(_ID, range(many)))).all()
    ours = [it for it in statements if "patients" in it]
    assert len(ours) == 3
    assert len(set(ours)) == 1


@pytest.mark.sqlite_only
def test_they_are_searched_for_not_sifted(filled: Store) -> None:
    plans: list[str] = []

    def look(cursor: Any, statement: str, parameters: Any) -> None:
        if "patients" in statement:
            plan = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in plan)

    with planned(filled, look), filled.read() as connection:
        connection.execute(select(_ID).where(among(_ID, [2, 3]))).all()
    assert "SEARCH patients USING INTEGER PRIMARY KEY (rowid=?)" in plans
