"""What the catalogue and a source's mapping know of names and units."""

from __future__ import annotations

import re

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.intake.columns import fold
from monitor.intake.wide import Known

_FIGURES = re.compile(r"[\d.,\s]+")


def known_of(mapping: Source, catalogue: Catalogue) -> Known:
    """Names and units of the catalogue and of a source's mapping."""
    codes = {fold(code): name for code, name in mapping.codes.items()}
    ignored = {fold(code) for code in mapping.ignore}

    def analyte(name: str) -> bool:
        key = fold(name)
        if key in codes or key in ignored:
            return True
        # A count of 7310 is no column named after the LOINC code 731-0.
        return _FIGURES.fullmatch(name) is None and catalogue.find(name) is not None

    def unit(name: str, text: str) -> bool:
        found = catalogue.find(codes.get(fold(name), name))
        twin = found and (found.percent_name or found.absolute_name)
        candidates = [found, catalogue.analytes.get(twin or "")]
        return any(it is not None and it.factor(text) is not None for it in candidates)

    def any_unit(text: str) -> bool:
        return catalogue.spelling.normal(text) in catalogue.unit_forms

    def like_unit(name: str, text: str) -> bool:
        found = catalogue.find(codes.get(fold(name), name))
        letters = _letters_of(text)
        return found is not None and any(_letters_of(it) == letters for it in found.units if it)

    def same_unit(name: str, one: str, other: str) -> bool:
        found = catalogue.find(codes.get(fold(name), name))
        if found is None or not unit(name, one):
            return False
        factor = found.factor(one)
        is_alike = _letters_of(one) == _letters_of(other)
        return is_alike or (factor is not None and factor == found.factor(other))

    return Known(analyte, unit, any_unit, like_unit, same_unit)


def _letters_of(unit: str) -> str:
    return "".join(sign for sign in unit.casefold() if sign.isalnum())
