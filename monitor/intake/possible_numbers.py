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
_SINGLE_CELLS = "/uL"
_THOUSAND = 1000
_DIGITS_OF_A_GROUP = 3


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


def counts_single_cells(analyte: Analyte, unit: str) -> bool:
    """Whether a unit counts cells one by one in a microlitre, so that no count has a fraction."""
    factor = analyte.factor(unit)
    return factor is not None and factor == analyte.factor(_SINGLE_CELLS)


def grouped_value(
    analyte: Analyte, value: Decimal, unit: str, *, open_point: bool = False
) -> Decimal | None:
    """The thousand-fold of a value whose mark may be that of thousands, where it is plausible so:
    of single cells (`231.000 /mm3`), and of all else where the point is open. None for the rest."""
    if not may_group(value) or not (open_point or counts_single_cells(analyte, unit)):
        return None
    grouped = value * _THOUSAND
    return grouped if plausible_values(analyte, grouped, [unit]) else None


def may_group(value: Decimal) -> bool:
    """Whether three digits stand behind its only mark, which may be one of thousands."""
    return value.as_tuple().exponent == -_DIGITS_OF_A_GROUP and 1 <= value < _THOUSAND


def doubtful_mark(value: Decimal, *, open_point: bool) -> Refusal:
    """Why such a value is not taken as it stands."""
    why = (
        "no value of the file shows its decimal mark"
        if open_point
        else "single cells are counted in whole numbers"
    )
    return Refusal(
        "ambiguous_mark",
        "the point may mark thousands or decimals",
        f'"{value:f}": {why}; name it in the config, decimal_comma = true or false for this source',
    )
