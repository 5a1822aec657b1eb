"""What results read is kept once, digit for digit, and found again by its number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from monitor.store import tables
from monitor.store.database import Store
from monitor.store.readings import Reading, Readings, readings_of
from monitor.store.tables import table_of

COUNT = select(func.count()).select_from(table_of(tables.ReadingRow))
PLAIN = Reading(Decimal("4.2"), received_value="4.2", received_unit="10*9/L")
OTHERS = (
    PLAIN._replace(value=Decimal("4.20")),
    PLAIN._replace(value=None, no_result="4.2"),
    PLAIN._replace(comparator="<"),
    PLAIN._replace(status="corrected"),
    PLAIN._replace(received_unit=""),
    PLAIN._replace(received_unit="4.2", received_value="10*9/L"),
    PLAIN._replace(ref_low=Decimal("1.8")),
    PLAIN._replace(ref_high=Decimal("1.8")),
    PLAIN._replace(below_plausible=True),
    PLAIN._replace(method="impedance"),
)


@pytest.mark.parametrize("other", OTHERS)
def test_what_differs_in_anything_is_another_reading(store: Store, other: Reading) -> None:
    with store.write() as connection:
        plain, its = Readings(connection).numbers([PLAIN, other])
        assert plain != its
        said = readings_of(connection, [plain, its])
    assert [repr(said[plain]), repr(said[its])] == [repr(PLAIN), repr(other)]


def test_the_same_is_kept_once_however_often_it_is_said(store: Store) -> None:
    with store.write() as connection:
        first = Readings(connection).numbers([PLAIN, *OTHERS, PLAIN, *OTHERS])
    assert first[: len(first) // 2] == first[len(first) // 2 :]
    with store.write() as connection:
        assert Readings(connection).numbers([PLAIN, *OTHERS]) == first[: len(first) // 2]
        assert connection.scalar(COUNT) == 1 + len(OTHERS)


def test_what_was_taken_back_is_written_anew(store: Store) -> None:
    class Back(Exception): ...

    with pytest.raises(Back), store.write() as connection:
        Readings(connection).numbers([PLAIN])
        raise Back
    with store.write() as connection:
        (number,) = Readings(connection).numbers([PLAIN])
        assert readings_of(connection, [number]) == {number: PLAIN}
