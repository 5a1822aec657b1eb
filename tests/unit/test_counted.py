"""Days and instants of results come back from either database as they went in, in their order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from monitor.store.database import Store
from monitor.store.types import CountedDay, CountedInstant

_SEEN = Table(
    "seen",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", CountedInstant),
    Column("on", CountedDay),
    prefixes=["TEMPORARY"],
)
_INSTANTS = (
    datetime(1931, 4, 5, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
    datetime(2026, 3, 2, 8, 30, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 2, 8, 30, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 2, 8, 31, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, 123_456, tzinfo=UTC),
    datetime(2199, 12, 31, 12, tzinfo=timezone(timedelta(hours=-11))),
)
_DAYS = tuple(it.date() for it in _INSTANTS)


def test_they_come_back_in_their_order(store: Store) -> None:
    with store.write() as connection:
        _SEEN.create(connection)
        rows = [{"at": at, "on": on} for at, on in zip(_INSTANTS, _DAYS, strict=True)]
        connection.execute(insert(_SEEN), [*reversed(rows), {"at": None, "on": None}])
        query = select(_SEEN.c.at, _SEEN.c.on).where(_SEEN.c.at >= _INSTANTS[0])
        found = connection.execute(query.order_by(_SEEN.c.at)).all()
        assert [tuple(it) for it in found] == list(zip(_INSTANTS, _DAYS, strict=True))
        later = select(_SEEN.c.on).where(_SEEN.c.on > date(2026, 3, 2))
        assert set(connection.scalars(later)) == set(_DAYS[-2:])
        assert connection.scalars(select(_SEEN.c.on).where(_SEEN.c.at.is_(None))).all() == [None]


def test_an_instant_without_an_offset_is_refused(store: Store) -> None:
    with store.write() as connection:
        _SEEN.create(connection)
        with pytest.raises(Exception, match="an instant needs an offset"):
            connection.execute(insert(_SEEN), {"at": datetime(2026, 3, 2)})
