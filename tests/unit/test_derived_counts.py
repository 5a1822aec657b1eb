"""Counts from white cells and percentages of one specimen (specification, section 3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

from monitor.core.derive import with_derived
from tests.property.shipped import catalogue
from tests.spec.cases import result

DAY = date(2026, 3, 2)


def test_a_count_is_of_the_instant_of_its_own_percentage_whichever_came_first() -> None:
    parts = [
        result("bands_percent", "4", DAY, hour=20, specimen="S"),
        result("neutrophils_percent", "15", DAY, hour=8, specimen="S"),
        result("white_cells", "5", DAY, hour=8, specimen="S"),
    ]
    for order in permutations(parts):
        (count,) = [it for it in with_derived(order, catalogue()) if it.derived]
        assert (count.analyte, count.value) == ("neutrophils", Decimal("0.95"))
        assert count.collected_at == parts[1].collected_at
