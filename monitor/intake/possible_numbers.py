"""The numbers that the text of a held row may mean: how urgent it is, is told by them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from monitor.core.catalogue import Analyte
from monitor.core.units import Number, Refusal, parse_number, possible_values

SOME_NUMBER = re.compile(r"(?<![\d.,-])\d+(?:[.,]\d+)?")
_LOOKED_AT = 60
"""Letters among which a number is looked for."""


def possible_numbers(
    text: str, *, decimal_comma: bool, grouped: bool, open_point: bool
) -> tuple[Decimal, ...]:
    """One, or where its mark may be that of thousands or of decimals both; none where there is no
    number that is not negative."""

    def read(text: str) -> Number | Refusal:
        return parse_number(
            text, decimal_comma=decimal_comma, grouped=grouped, open_point=open_point
        )

    found = read(text)
    if isinstance(found, Refusal) and found.code == "not_a_number":
        among = SOME_NUMBER.search(text[:_LOOKED_AT])
        if among is None:
            return ()
        text = among[0]
        found = read(text)
    if isinstance(found, Number):
        return (found.value,) if found.value >= 0 else ()
    either_way = (parse_number(text, decimal_comma=it, grouped=True) for it in (False, True))
    return tuple(it.value for it in either_way if isinstance(it, Number) and it.value >= 0)


def plausible_values(
    analyte: Analyte, number: Decimal, units: Iterable[str]
) -> tuple[Decimal, ...]:
    values = possible_values(analyte, number, units)
    return tuple(value for value in values if value <= analyte.plausible_high)
