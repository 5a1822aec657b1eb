"""What a held row may mean, as quarantine keeps it in one cell: the canonical values of its
analyte, and those of the other analytes that it may be of instead, `0.42 neutrophils:0.42`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

_OF = ":"


def write_meanings(values: Iterable[Decimal], others: Mapping[str, Iterable[Decimal]]) -> str:
    """The cell of a row's own values and of what it may be besides. An analyte without a number
    is named alone: `neutrophils:`."""
    words = [_text(value) for value in values]
    for analyte, numbers in others.items():
        words += [f"{analyte}{_OF}{_text(it)}" for it in numbers] or [f"{analyte}{_OF}"]
    return " ".join(words)


def read_meanings(analyte: str, cell: str) -> dict[str, tuple[Decimal, ...]]:
    """Each analyte that a row may be of, its own first, with the values it would have then."""
    found: dict[str, tuple[Decimal, ...]] = {analyte: ()}
    for word in cell.split():
        name, _, number = word.rpartition(_OF)
        name = name or analyte
        found[name] = (*found.get(name, ()), *([Decimal(number)] if number else []))
    return found


def _text(value: Decimal) -> str:
    return format(value, "f")
