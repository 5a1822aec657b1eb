"""The analytes of `analytes.toml`: names, units with their factors, codes, and the links between
a count and its percentage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from monitor.core.catalogue import Analyte, QuantityKind, name_key
from monitor.core.catalogue_values import ValueReader
from monitor.core.faults import nearest
from monitor.core.unit_spelling import UnitSpelling

_ANALYTE_KEYS = (
    "title",
    "unit",
    "decimals",
    "plausible",
    "names",
    "percent",
    "percent_of",
    "adds_to",
)
_KIND_KEYS = ("loinc", "table", "units", "names")
_SHOWN = 6


class AnalyteReader:
    """Reads the tables of analytes; the faults go to the reader of their values."""

    def __init__(
        self,
        values: ValueReader,
        spelling: UnitSpelling,
        tables: Mapping[str, Mapping[str, Decimal]],
    ) -> None:
        self._values = values
        self._spelling = spelling
        self._tables = tables

    def read(self, entries: Mapping[str, Any]) -> dict[str, Analyte]:
        built: dict[str, Analyte] = {}
        for name in entries:
            entry = self._values.table(name, entries, "analytes")
            if entry:
                built[name] = self._analyte(name, f"analytes.{name}", entry)
        return {name: self._linked(analyte, built) for name, analyte in built.items()}

    def _analyte(self, name: str, key: str, entry: Mapping[str, Any]) -> Analyte:
        kinds = {part: value for part, value in entry.items() if isinstance(value, dict)}
        self._values.unknown(key, {part: 0 for part in entry if part not in kinds}, _ANALYTE_KEYS)
        for part in kinds:
            if part in _ANALYTE_KEYS:
                problem = "is a key of an analyte, and no kind of quantity"
                self._values.fault(f"{key}.{part}", "", problem, "another name for the kind")
        entry = {part: value for part, value in entry.items() if part not in kinds}
        unit = self._values.text(f"{key}.unit", entry, "unit")
        low, high = self._values.plausible(f"{key}.plausible", entry)
        analyte = Analyte(
            name=name,
            title=self._values.text(f"{key}.title", entry, "title"),
            unit=unit,
            decimals=self._values.decimals(f"{key}.decimals", entry),
            plausible_low=low,
            plausible_high=high,
            names=tuple(self._values.texts(f"{key}.names", entry, "names")),
            kinds=tuple(
                self._kind(kind, f"{key}.{kind}", value)
                for kind, value in kinds.items()
                if kind not in _ANALYTE_KEYS
            ),
            spelling=self._spelling,
            percent_of=self._values.text(f"{key}.percent_of", entry, "percent_of", required=False),
            adds_to=self._values.text(f"{key}.adds_to", entry, "adds_to", required=False) or None,
            percent_name=self._values.text(f"{key}.percent", entry, "percent", required=False)
            or None,
        )
        if not analyte.kinds:
            self._values.fault(key, "", "has no kind of quantity", f"a table such as [{key}.mass]")
        elif unit and analyte.factor(unit) != 1:
            own = [it for kind in analyte.kinds for it, worth in kind.factors.items() if worth == 1]
            problem = "is not a unit of factor 1 in any kind of it"
            valid = f"one of {', '.join(own[:_SHOWN])}" if own else f'"{unit}" = 1 among its units'
            self._values.fault(f"{key}.unit", unit, problem, valid)
        return analyte

    def _kind(self, name: str, key: str, entry: Mapping[str, Any]) -> QuantityKind:
        self._values.unknown(key, entry, _KIND_KEYS)
        factors: dict[str, Decimal] = {}
        if "table" in entry:
            table = self._values.text(f"{key}.table", entry, "table")
            if table not in self._tables:
                self._values.fault(
                    f"{key}.table", table, "unknown table", nearest(table, self._tables)
                )
            factors.update(self._tables.get(table, {}))
        factors.update(
            self._values.factors(f"{key}.units", self._values.table("units", entry, key))
        )
        if not factors:
            self._values.fault(key, "", "has no units", "table = NAME or a table of units")
        return QuantityKind(
            name=name,
            loinc=tuple(self._loinc(f"{key}.loinc", entry)),
            factors=MappingProxyType(factors),
            by_spelling=MappingProxyType(self._by_spelling(key, factors)),
            name_keys=frozenset(
                name_key(text) for text in self._values.texts(f"{key}.names", entry, "names")
            ),
        )

    def _by_spelling(self, key: str, factors: Mapping[str, Decimal]) -> dict[str, Decimal]:
        forms: dict[str, Decimal] = {}
        for unit, factor in factors.items():
            form = self._spelling.normal(unit)
            if form is None:
                self._values.fault(f"{key}.{unit}", unit, "cannot be read as a unit")
            elif forms.setdefault(form, factor) != factor:
                self._values.fault(
                    f"{key}.{unit}", factor, f"the same unit ({form}) has another factor"
                )
        return forms

    def _linked(self, analyte: Analyte, known: Mapping[str, Analyte]) -> Analyte:
        """With the way back from a percentage to its count, and the links checked."""
        for key, target in (
            ("percent", analyte.percent_name),
            ("percent_of", analyte.percent_of),
            ("adds_to", analyte.adds_to),
        ):
            if target and target not in known:
                place = f"analytes.{analyte.name}.{key}"
                self._values.fault(place, target, "unknown analyte", nearest(target, known))
        counts = [other.name for other in known.values() if other.percent_name == analyte.name]
        if len(counts) > 1:
            place = f"analytes.{analyte.name}"
            self._values.fault(
                place, ", ".join(counts), "is the percentage of several counts", "one"
            )
        return Analyte(
            **{
                **{name: getattr(analyte, name) for name in Analyte.__slots__},
                "percent_of": analyte.percent_of or None,
                "absolute_name": counts[0] if counts else None,
            }
        )

    def keys(self, analytes: Mapping[str, Analyte]) -> dict[str, str]:
        """Everything an analyte may be called, each for one analyte only."""
        owner: dict[str, str] = {}
        for analyte in analytes.values():
            kind_names = [text for kind in analyte.kinds for text in sorted(kind.name_keys)]
            for text in (analyte.name, *analyte.names, *kind_names, *analyte.loinc):
                key = name_key(text)
                place = f"analytes.{analyte.name}"
                if not key:
                    self._values.fault(f"{place}.names", text, "nothing is left of it to compare")
                elif owner.setdefault(key, analyte.name) != analyte.name:
                    problem = f"also names {owner[key]} (compared as {key})"
                    self._values.fault(
                        place, text, problem, "a name or code belongs to one analyte"
                    )
        return owner

    def _loinc(self, key: str, entry: Mapping[str, Any]) -> Iterable[str]:
        for code in self._values.texts(key, entry, "loinc"):
            number, _, check = code.partition("-")
            if not (number.isdecimal() and check == _loinc_check_digit(number)):
                valid = "the code as loinc.org has it, digits, hyphen and check digit"
                self._values.fault(key, code, "is no LOINC code: its check digit is wrong", valid)
            yield code


def _loinc_check_digit(number: str) -> str:
    """The last digit of a LOINC code (Luhn, modulus 10)."""
    doubled = str(int(number[::-1][0::2][::-1]) * 2)
    others = number[::-1][1::2][::-1]
    total = sum(map(int, doubled + others))
    return str(-total % 10)
