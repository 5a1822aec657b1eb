"""Strict reading of `schedules/analytes.toml` into a `Catalogue`.

Every fault of the text is told at once, with the key, what stands there and what would be
valid; nothing of a faulty text is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from monitor.core.catalogue import Analyte, Catalogue, phrase_set
from monitor.core.catalogue_analytes import AnalyteReader
from monitor.core.catalogue_extras import EXTRA_KEYS, Extras, read_extras
from monitor.core.catalogue_values import ValueReader
from monitor.core.doubts import ALL_ANALYTES, Doubt, Doubts
from monitor.core.drugs import Drug, DrugNames, drug_names
from monitor.core.faults import Fault, Faults, nearest
from monitor.core.gene_table import read_genes
from monitor.core.plain_words import plain_words
from monitor.core.toml_lines import line_numbers, shown
from monitor.core.toml_reader import Report
from monitor.core.toml_text import read_toml
from monitor.core.unit_spelling import UnitSpelling

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
_DRUG_KEYS = ("names", "classes")


_NAME_MARKS = (
    "percent",
    "absolute",
    "counted",
    "idle",
    "panels",
    "blood",
    "no_cells",
    "none_of_ours",
)


def load_catalogue(text: str, file: str) -> Catalogue:
    """Read the text of an `analytes.toml`; raises Faults with every fault in it."""
    document = read_toml(text, file)
    reader = _Reader(file)
    catalogue = reader.catalogue(document, hashlib.sha256(text.encode()).hexdigest())
    if reader.faults:
        raise Faults(_with_lines(reader.faults, text))
    return catalogue


def _with_lines(faults: Iterable[Fault], text: str) -> Iterable[Fault]:
    """Each with the line of its key, or of the table that lacks it."""
    lines = {shown(path): line for path, line in line_numbers(text).items()}
    for fault in faults:
        key = fault.key
        while key and key not in lines:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        yield fault if fault.line else replace(fault, line=lines.get(key))


class _Reader(ValueReader):
    """Builds the catalogue from its sections."""

    def catalogue(self, document: dict[str, Any], digest: str) -> Catalogue:
        self.unknown("", document, _TOP_KEYS)
        words = self.table("unit_words", document, required=True)
        spelling = UnitSpelling(
            {meaning: self.texts(f"unit_words.{meaning}", words, meaning) for meaning in words}
        )
        for meaning, word, problem in spelling.clashes:
            self.fault(f"unit_words.{meaning}", word, problem)
        tables = self.table("unit_tables", document)
        factors = {
            name: self.factors(f"unit_tables.{name}", self.table(name, tables, "unit_tables"))
            for name in tables
        }
        reader = AnalyteReader(self, spelling, factors)
        analytes = reader.read(self.table("analytes", document, required=True))
        marks = self.table("name_marks", document)
        self.unknown("name_marks", marks, _NAME_MARKS)
        no_result = self.table("no_result", document, required=True)
        self.unknown("no_result", no_result, ("texts", "fillers", "pending"))
        doubt = self.table("doubt", document, required=True)
        self.unknown("doubt", doubt, ("words", "denied_before", "denied_after"))
        drugs = self.drugs(self.table("drugs", document))
        no_result_phrases = phrase_set(self.texts("no_result.texts", no_result, "texts"))
        return Catalogue(
            analytes=MappingProxyType(analytes),
            digest=digest,
            spelling=spelling,
            by_key=MappingProxyType(reader.keys(analytes)),
            percent_marks=self.marks("percent", marks),
            absolute_marks=self.marks("absolute", marks),
            counted_words=self.marks("counted", marks),
            idle_words=frozenset(map(str.casefold, self.texts("name_marks.idle", marks, "idle"))),
            panels=frozenset(map(str.casefold, self.texts("name_marks.panels", marks, "panels"))),
            blood_marks=tuple(self.texts("name_marks.blood", marks, "blood")),
            no_cells=frozenset(
                map(str.casefold, self.texts("name_marks.no_cells", marks, "no_cells"))
            ),
            none_of_ours=phrase_set(self.texts("name_marks.none_of_ours", marks, "none_of_ours")),
            no_result=no_result_phrases,
            no_result_closed_up=frozenset("".join(phrase) for phrase in no_result_phrases),
            fillers=phrase_set(self.texts("no_result.fillers", no_result, "fillers")),
            pending=phrase_set(self.texts("no_result.pending", no_result, "pending")),
            doubts=Doubts(
                each=tuple(self.doubts(doubt, analytes)),
                denied_before=phrase_set(self.texts("doubt.denied_before", doubt, "denied_before")),
                denied_after=phrase_set(self.texts("doubt.denied_after", doubt, "denied_after")),
            ),
            drugs=drugs,
            genes=read_genes(document.get("genes", {}), self.fault),
            extras=self.extras(document, analytes, drugs),
        )

    def extras(
        self, document: dict[str, Any], analytes: Mapping[str, Analyte], drugs: DrugNames
    ) -> Extras:
        report = Report(self.file)
        found = read_extras(document, report, list(analytes), sorted(drugs.classes))
        self.faults.extend(report.faults)
        return found

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
