"""Strict reading of `schedules/analytes.toml` into a `Catalogue`.

Every fault of the text is told at once, with the key, what stands there and what would be
valid; nothing of a faulty text is used.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from monitor.core.catalogue import (
    ALL_ANALYTES,
    Analyte,
    Catalogue,
    Doubt,
    QuantityKind,
    name_key,
    phrase_set,
)
from monitor.core.catalogue_extras import EXTRA_KEYS, Extras, read_extras
from monitor.core.drugs import Drug, DrugNames, drug_names
from monitor.core.faults import Fault, Faults, nearest
from monitor.core.gene_table import read_genes
from monitor.core.plain_words import plain_words
from monitor.core.toml_reader import Report
from monitor.core.unit_spelling import UnitSpelling

__all__ = ["Analyte", "Catalogue", "Doubt", "QuantityKind", "load_catalogue"]

_TOP_KEYS = (
    "unit_words",
    "unit_tables",
    "name_marks",
    "analytes",
    "no_result",
    "doubt",
    "drugs",
    "genes",
    *EXTRA_KEYS,
)
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
_DRUG_KEYS = ("names", "classes")
_KIND_KEYS = ("loinc", "table", "units", "names")
_MOST_DECIMALS = 6


def load_catalogue(text: str, file: str) -> Catalogue:
    """Read the text of an `analytes.toml`; raises Faults with every fault in it."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Faults([Fault(file, "", "", f"not TOML: {error}")]) from None
    reader = _Reader(file)
    catalogue = reader.catalogue(document, hashlib.sha256(text.encode()).hexdigest())
    if reader.faults:
        raise Faults(reader.faults)
    return catalogue


class _Reader:
    """Collects faults while it builds; what is faulty is left out of what it returns."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.spelling = UnitSpelling({})
        self.tables: dict[str, Mapping[str, Decimal]] = {}

    def fault(self, key: str, value: object, problem: str, valid: str = "") -> None:
        self.faults.append(Fault(self.file, key, _shown(value), problem, valid))

    def catalogue(self, document: dict[str, Any], digest: str) -> Catalogue:
        self.unknown("", document, _TOP_KEYS)
        words = self.table("unit_words", document, required=True)
        self.spelling = UnitSpelling(
            {meaning: self.texts(f"unit_words.{meaning}", words, meaning) for meaning in words}
        )
        for meaning, word, problem in self.spelling.clashes:
            self.fault(f"unit_words.{meaning}", word, problem)
        tables = self.table("unit_tables", document)
        self.tables = {
            name: self.factors(f"unit_tables.{name}", self.table(name, tables, "unit_tables"))
            for name in tables
        }
        analytes = self.analytes(self.table("analytes", document, required=True))
        marks = self.table("name_marks", document)
        self.unknown("name_marks", marks, ("percent", "absolute", "none_of_ours"))
        no_result = self.table("no_result", document, required=True)
        self.unknown("no_result", no_result, ("texts", "fillers", "pending"))
        doubt = self.table("doubt", document, required=True)
        self.unknown("doubt", doubt, ("words", "denied_before", "denied_after"))
        drugs = self.drugs(self.table("drugs", document))
        no_result_phrases = phrase_set(self.texts("no_result.texts", no_result, "texts"))
        return Catalogue(
            analytes=MappingProxyType(analytes),
            digest=digest,
            spelling=self.spelling,
            by_key=MappingProxyType(self.keys(analytes)),
            percent_marks=self.marks("percent", marks),
            absolute_marks=self.marks("absolute", marks),
            none_of_ours=phrase_set(self.texts("name_marks.none_of_ours", marks, "none_of_ours")),
            no_result=no_result_phrases,
            no_result_closed_up=frozenset("".join(phrase) for phrase in no_result_phrases),
            fillers=phrase_set(self.texts("no_result.fillers", no_result, "fillers")),
            pending=phrase_set(self.texts("no_result.pending", no_result, "pending")),
            doubts=tuple(self.doubts(doubt, analytes)),
            denied_before=phrase_set(self.texts("doubt.denied_before", doubt, "denied_before")),
            denied_after=phrase_set(self.texts("doubt.denied_after", doubt, "denied_after")),
            drugs=drugs,
            genes=read_genes(document.get("genes", {}), self.fault),
            extras=self.extras(document, analytes, drugs),
        )

    def extras(
        self, document: dict[str, Any], analytes: Mapping[str, Analyte], drugs: DrugNames
    ) -> Extras:
        report = Report(self.file, {})
        found = read_extras(document, report, list(analytes), sorted(drugs.classes))
        self.faults.extend(report.faults)
        return found

    # --------------------------------------------------------------------- drugs

    def drugs(self, entries: Mapping[str, Any]) -> DrugNames:
        found = []
        owner: dict[tuple[str, ...], str] = {}
        for name in entries:
            key, entry = f"drugs.{name}", self.table(name, entries, "drugs")
            self.unknown(key, entry, _DRUG_KEYS)
            names, classes = (self.texts(f"{key}.{it}", entry, it) for it in _DRUG_KEYS)
            for text in (name, *names):
                words = tuple(plain_words(text))
                if not words:
                    self.fault(f"{key}.names", text, "holds no word to look for")
                elif owner.setdefault(words, name) != name:
                    problem = f"also names {owner[words]}"
                    self.fault(f"{key}.names", text, problem, "a name belongs to one drug")
            found.append(Drug(name=name, names=tuple(names), classes=tuple(classes)))
        return drug_names(found)

    # ------------------------------------------------------------------ analytes

    def analytes(self, entries: Mapping[str, Any]) -> dict[str, Analyte]:
        built: dict[str, Analyte] = {}
        for name in entries:
            entry = self.table(name, entries, "analytes")
            if entry:
                built[name] = self.analyte(name, f"analytes.{name}", entry)
        return {name: self.linked(analyte, built) for name, analyte in built.items()}

    def analyte(self, name: str, key: str, entry: Mapping[str, Any]) -> Analyte:
        kinds = {part: value for part, value in entry.items() if isinstance(value, dict)}
        self.unknown(key, {part: 0 for part in entry if part not in kinds}, _ANALYTE_KEYS)
        for part in kinds:
            if part in _ANALYTE_KEYS:
                self.fault(f"{key}.{part}", "a table", "is no table", "see the head of the file")
        unit = self.text(f"{key}.unit", entry, "unit")
        low, high = self.plausible(f"{key}.plausible", entry)
        analyte = Analyte(
            name=name,
            title=self.text(f"{key}.title", entry, "title"),
            unit=unit,
            decimals=self.decimals(f"{key}.decimals", entry),
            plausible_low=low,
            plausible_high=high,
            names=tuple(self.texts(f"{key}.names", entry, "names")),
            kinds=tuple(
                self.kind(kind, f"{key}.{kind}", value)
                for kind, value in kinds.items()
                if kind not in _ANALYTE_KEYS
            ),
            spelling=self.spelling,
            percent_of=self.text(f"{key}.percent_of", entry, "percent_of", required=False),
            adds_to=self.text(f"{key}.adds_to", entry, "adds_to", required=False) or None,
            percent_name=self.text(f"{key}.percent", entry, "percent", required=False) or None,
        )
        if not analyte.kinds:
            self.fault(key, "", "has no kind of quantity", f"a table such as [{key}.mass]")
        elif unit and analyte.factor(unit) != 1:
            self.fault(f"{key}.unit", unit, "is not a unit of factor 1 in any kind of it")
        return analyte

    def kind(self, name: str, key: str, entry: Mapping[str, Any]) -> QuantityKind:
        self.unknown(key, entry, _KIND_KEYS)
        factors: dict[str, Decimal] = {}
        if "table" in entry:
            table = self.text(f"{key}.table", entry, "table")
            if table not in self.tables:
                self.fault(f"{key}.table", table, "unknown table", nearest(table, self.tables))
            factors.update(self.tables.get(table, {}))
        factors.update(self.factors(f"{key}.units", self.table("units", entry, key)))
        if not factors:
            self.fault(key, "", "has no units", "table = NAME or a table of units")
        loinc = tuple(self.loinc(f"{key}.loinc", entry))
        return QuantityKind(
            name=name,
            loinc=loinc,
            code_keys=frozenset(name_key(code) for code in loinc),
            factors=MappingProxyType(factors),
            by_spelling=MappingProxyType(self.by_spelling(key, factors)),
            name_keys=frozenset(
                name_key(text) for text in self.texts(f"{key}.names", entry, "names")
            ),
        )

    def by_spelling(self, key: str, factors: Mapping[str, Decimal]) -> dict[str, Decimal]:
        forms: dict[str, Decimal] = {}
        for unit, factor in factors.items():
            form = self.spelling.normal(unit)
            if form is None:
                self.fault(f"{key}.{unit}", unit, "cannot be read as a unit")
            elif forms.setdefault(form, factor) != factor:
                self.fault(f"{key}.{unit}", factor, f"the same unit ({form}) has another factor")
        return forms

    def linked(self, analyte: Analyte, known: Mapping[str, Analyte]) -> Analyte:
        """With the way back from a percentage to its count, and the links checked."""
        for key, target in (
            ("percent", analyte.percent_name),
            ("percent_of", analyte.percent_of),
            ("adds_to", analyte.adds_to),
        ):
            if target and target not in known:
                place = f"analytes.{analyte.name}.{key}"
                self.fault(place, target, "unknown analyte", nearest(target, known))
        counts = [other.name for other in known.values() if other.percent_name == analyte.name]
        if len(counts) > 1:
            place = f"analytes.{analyte.name}"
            self.fault(place, ", ".join(counts), "is the percentage of several counts", "one")
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
                    self.fault(f"{place}.names", text, "nothing is left of it to compare")
                elif owner.setdefault(key, analyte.name) != analyte.name:
                    problem = f"also names {owner[key]} (compared as {key})"
                    self.fault(place, text, problem, "a name or code belongs to one analyte")
        return owner

    # --------------------------------------------------------------------- doubts

    def doubts(self, doubt: Mapping[str, Any], analytes: Mapping[str, Analyte]) -> Iterable[Doubt]:
        entries = doubt.get("words", [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            self.fault("doubt.words", entries, "is no list of tables", "[[doubt.words]] ...")
            return
        for number, entry in enumerate(entries):
            key = f"doubt.words[{number}]"
            self.unknown(key, entry, ("words", "analytes"))
            names = self.texts(f"{key}.analytes", entry, "analytes")
            for name in names:
                if name != ALL_ANALYTES and name not in analytes:
                    self.fault(
                        f"{key}.analytes",
                        name,
                        "unknown analyte",
                        nearest(name, [*analytes, ALL_ANALYTES]),
                    )
            phrases = [
                (text, tuple(plain_words(text)))
                for text in self.texts(f"{key}.words", entry, "words")
            ]
            for text, words in phrases:
                if not words:
                    self.fault(f"{key}.words", text, "holds no word to look for")
            longest_first = sorted(phrases, key=lambda phrase: -len(phrase[1]))
            yield Doubt(phrases=tuple(longest_first), analytes=frozenset(names))

    # ---------------------------------------------------------------- single values

    def unknown(self, key: str, entry: Mapping[str, Any], valid: Iterable[str]) -> None:
        known = tuple(valid)
        for part in entry:
            if part not in known:
                place = f"{key}.{part}" if key else part
                self.fault(place, "", "unknown key", nearest(part, known))

    def table(
        self, part: str, parent: Mapping[str, Any], key: str = "", *, required: bool = False
    ) -> dict[str, Any]:
        place = f"{key}.{part}" if key else part
        value = parent.get(part, {})
        if not isinstance(value, dict):
            self.fault(place, value, "is no table", f"[{place}]")
            return {}
        if required and not value:
            self.fault(place, "", "is missing", f"[{place}]")
        return value

    def text(self, key: str, entry: Mapping[str, Any], part: str, *, required: bool = True) -> str:
        value: object = entry.get(part, "")
        if not isinstance(value, str):
            self.fault(key, value, "is no text", 'text in quotes, such as "g/L"')
            return ""
        if required and not value:
            self.fault(key, value, "is missing")
        return value

    def texts(self, key: str, entry: Mapping[str, Any], part: str) -> list[str]:
        value = entry.get(part, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, value, "is no list of texts", '["one", "two"]')
            return []
        return value

    def marks(self, part: str, marks: Mapping[str, Any]) -> tuple[str, ...]:
        texts = self.texts(f"name_marks.{part}", marks, part)
        return tuple(sorted({name_key(text) for text in texts} - {""}, key=len, reverse=True))

    def number(self, key: str, value: object) -> Decimal | None:
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            self.fault(key, value, "is no number", "an exact decimal such as 88.42")
            return None
        try:
            number = Decimal(value)
        except ArithmeticError:
            number = Decimal("NaN")
        if not number.is_finite():
            self.fault(key, value, "is no number", "an exact decimal such as 88.42")
            return None
        return number

    def factors(self, key: str, entry: Mapping[str, Any]) -> dict[str, Decimal]:
        factors: dict[str, Decimal] = {}
        for unit, value in entry.items():
            number = self.number(f"{key}.{unit}", value)
            if number is not None and number <= 0:
                self.fault(f"{key}.{unit}", value, "a factor is above 0")
            elif number is not None:
                factors[unit] = number
        return factors

    def decimals(self, key: str, entry: Mapping[str, Any]) -> int:
        value = entry.get("decimals")
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(key, value, "is no whole number", f"0 to {_MOST_DECIMALS}")
            return 0
        if not 0 <= value <= _MOST_DECIMALS:
            self.fault(key, value, "out of range", f"0 to {_MOST_DECIMALS}")
        return value

    def plausible(self, key: str, entry: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
        value = entry.get("plausible")
        if not isinstance(value, list) or len(value) != 2:
            self.fault(key, value, "is no range", "[low, high] in the canonical unit")
            return Decimal(0), Decimal(0)
        low, high = (self.number(key, bound) for bound in value)
        if low is None or high is None:
            return Decimal(0), Decimal(0)
        if not 0 <= low < high:
            self.fault(key, value, "is no range", "[low, high] with 0 <= low < high")
        return low, high

    def loinc(self, key: str, entry: Mapping[str, Any]) -> Iterable[str]:
        for code in self.texts(key, entry, "loinc"):
            number, _, check = code.partition("-")
            if not (number.isdecimal() and check == _loinc_check_digit(number)):
                self.fault(key, code, "is no LOINC code: its check digit is wrong", "718-7")
            yield code


def _loinc_check_digit(number: str) -> str:
    """The last digit of a LOINC code (Luhn, modulus 10)."""
    doubled = str(int(number[::-1][0::2][::-1]) * 2)
    others = number[::-1][1::2][::-1]
    total = sum(map(int, doubled + others))
    return str(-total % 10)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return "" if value is None else str(value)
