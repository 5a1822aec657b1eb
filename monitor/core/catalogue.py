"""What the monitor knows of laboratories: analytes, their names, their units, their texts.

Values of `schedules/analytes.toml`, read by `catalogue_file.py`. Nothing here holds a number of
medicine; everything compares what a laboratory wrote with what that file says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache

from monitor.core.catalogue_extras import Extras
from monitor.core.doubts import Doubts
from monitor.core.drugs import DrugNames
from monitor.core.faults import nearest
from monitor.core.fluid_marks import parted_fluids
from monitor.core.phenotypes import Genes
from monitor.core.plain_words import plain_words
from monitor.core.unit_spelling import UnitSpelling

_DROPPED_FROM_NAMES = re.compile(r"[\s\-_,.:;()\[\]{}'\"‐‑–—\u2212*★☆※]+")
"""A star marks what a laboratory is accredited for, or a note below."""
_DOTTED_FIGURES = re.compile(r"\s*(\d+\.[\d.]*)\s*")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_BARE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that are not made of another one and a mark; the last one is the Turkish twin of i."""
_LONGEST_TEXT = 400
_TWO_NAMES = re.compile(
    r"(?P<first>[^()\[\]/]+?)\s*(?:[(\[]\s*(?=.*[)\]]$)|/)\s*(?P<second>[^()\[\]/]+?)\s*[)\]]?"
)
_BETWEEN_NAMES = re.compile(r"\s*(?::|--|\s[-–—=|])\s+|\s+")
_PANEL_BEFORE = re.compile(r"(?P<panel>[A-Za-z]{3,4})\s*[\s_:./-]\s*(?P<name>\S.*)")
_LONGEST_NAME = 300
_KINDS_OF_CELLS = ("number", "share")
_NAMES_REMEMBERED = 20_000
_ALIKE = 0.75


def _without_accents(text: str) -> str:
    """Many a laboratory's system has no accents: `Polynucleaires neutrophiles`. Those alone go:
    what a sign of Japanese or Korean is put together of stays in it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", folded)).translate(_BARE)
    return unicodedata.normalize("NFC", bare)


def name_key(text: str) -> str:
    """A name or code as it is compared: without case, accents, space, hyphen, underscore, comma,
    dot and brackets. Percent sign and `#` stay: `neutrophils %` is not `neutrophils`. So do the
    dots of figures: the Read code `423..` is not the local code `423`."""
    if figures := _DOTTED_FIGURES.fullmatch(text):
        return figures[1]
    folded = text.casefold() if text.isascii() else _without_accents(text)
    return _DROPPED_FROM_NAMES.sub("", folded)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantityKind:
    """One way of measuring an analyte (mass, substance, number ...) with its codes and units."""

    name: str
    loinc: tuple[str, ...]
    factors: Mapping[str, Decimal]
    """Unit as the file writes it, to the factor that gives the canonical unit."""
    by_spelling: Mapping[str, Decimal]
    """The same under the normal form of the unit."""
    name_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analyte:
    """One measured quantity with one canonical unit."""

    name: str
    title: str
    unit: str
    decimals: int
    plausible_low: Decimal
    plausible_high: Decimal
    names: tuple[str, ...]
    kinds: tuple[QuantityKind, ...]
    spelling: UnitSpelling = field(repr=False, compare=False)
    percent_of: str | None = None
    """Of a percentage: the count that follows from it and the white cells."""
    adds_to: str | None = None
    """Of a percentage that gives no count alone (bands): the one it is added to."""
    percent_name: str | None = None
    """Of a count: the analyte that is the same in percent."""
    absolute_name: str | None = None
    """Of a percentage: the same as a count."""

    @property
    def amid(self) -> str:
        """Its title amid a sentence: `platelets`, and `ALT` or `IgG` as they are."""
        is_short = sum(map(str.isupper, self.title.partition(" ")[0])) > 1
        return self.title if is_short else self.title.lower()

    @property
    def loinc(self) -> tuple[str, ...]:
        return tuple(code for kind in self.kinds for code in kind.loinc)

    @property
    def is_of_cells(self) -> bool:
        """Whether cells are counted, in numbers or as a share."""
        return any(kind.name in _KINDS_OF_CELLS for kind in self.kinds)

    @property
    def units(self) -> tuple[str, ...]:
        """Every unit of its kinds as the file writes it, the canonical one first."""
        written = dict.fromkeys(unit for kind in self.kinds for unit in kind.factors if unit)
        first = [self.unit] if self.factor(self.unit) is not None else []
        return tuple(dict.fromkeys([*first, *written]))

    def factor(self, unit_text: str) -> Decimal | None:
        """What a value in that unit is multiplied by; None where the unit is unknown, missing
        or, with different factors, one of two kinds of quantity."""
        factors = self._factors(unit_text)
        return factors.pop() if len(factors) == 1 else None

    def is_ambiguous(self, unit_text: str) -> bool:
        """The unit is known, and worth different things by kind (mg/dL of urea)."""
        return len(self._factors(unit_text)) > 1

    def _factors(self, unit_text: str) -> set[Decimal]:
        form = self.spelling.normal(unit_text)
        if form is None:
            return set()
        return {kind.by_spelling[form] for kind in self.kinds if form in kind.by_spelling}

    def narrowed(self, name_or_code: str, unit_text: str) -> Analyte:
        """Only the kinds that a LOINC code allows; a name settles a unit that two share."""
        key = name_key(name_or_code)
        coded = tuple(kind for kind in self.kinds if key in {name_key(code) for code in kind.loinc})
        if coded:
            return replace(self, kinds=coded)
        if self.is_ambiguous(unit_text):
            named = tuple(kind for kind in self.kinds if key in kind.name_keys)
            if named:
                return replace(self, kinds=named)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """All analytes and drugs of one text of `analytes.toml`, and the texts laboratories write."""

    analytes: Mapping[str, Analyte]
    digest: str
    spelling: UnitSpelling = field(repr=False, compare=False)
    by_key: Mapping[str, str] = field(repr=False)
    percent_marks: tuple[str, ...] = ()
    absolute_marks: tuple[str, ...] = ()
    counted_words: tuple[str, ...] = ()
    """How cells were counted, beside a mark: it says nothing of what they are."""
    idle_words: frozenset[str] = frozenset()
    """Words around a name, without case, that say nothing of what is measured."""
    panels: frozenset[str] = frozenset()
    """Panels of the blood, without case, that may stand before a name."""
    blood_marks: tuple[str, ...] = ()
    no_cells: frozenset[str] = frozenset()
    """Of these, without case, the fluids in which no cells are counted."""
    none_of_ours: frozenset[tuple[str, ...]] = frozenset()
    """Names that would be compared like one of ours and mean something else."""
    no_result: frozenset[tuple[str, ...]] = frozenset()
    no_result_closed_up: frozenset[str] = frozenset()
    fillers: frozenset[tuple[str, ...]] = frozenset()
    pending: frozenset[tuple[str, ...]] = frozenset()
    doubts: Doubts = field(default_factory=Doubts, repr=False)
    drugs: DrugNames = field(default_factory=DrugNames, repr=False)
    genes: Genes = field(default_factory=Genes, repr=False)
    extras: Extras = field(default_factory=Extras, repr=False)
    """Grades of severity, checks between results, drugs named with alerts."""

    @property
    def unit_forms(self) -> frozenset[str]:
        """The normal forms of every unit in which some analyte is reported."""
        return _unit_forms(self)

    def find(self, name_or_code: str) -> Analyte | None:
        """The analyte of our name, a synonym, a code or a LOINC code."""
        return _found(self, name_or_code) if len(name_or_code) <= _LONGEST_NAME else None

    def _find(self, name_or_code: str) -> Analyte | None:
        key = name_key(name_or_code)
        name = self.by_key.get(key)
        if name is None:
            name = self._marked(key) or self._marked_and_counted(key)
            if name is None:
                return (
                    self._of_blood(name_or_code)
                    or self._twice_named(name_or_code)
                    or self._of_panel(name_or_code)
                    or self._among_idle_words(name_or_code)
                )
        elif tuple(plain_words(name_or_code)) in self.none_of_ours:
            return None
        return self.analytes[name] if name is not None else None

    def _of_blood(self, text: str) -> Analyte | None:
        """`P-ALAT`, `Leukocytter;B`, `Leukozyten (EDTA-Blut)`, `Kreatinin im Serum`, `Serum ALT`,
        `Hemoglobin, Blood`: the fluid beside the name."""
        text = text.strip()
        if self.is_of_another(text):
            return None
        for name, fluid in parted_fluids(text, self.blood_marks):
            # The first decides: B-lymphocytes are others, also as B-lymphocytes;B.
            found = self._find(name)
            counts_cells = found is not None and found.is_of_cells
            return None if counts_cells and fluid.casefold() in self.no_cells else found
        return None

    def _twice_named(self, text: str) -> Analyte | None:
        """`ASAT (GOT)`, `ALT/GPT`, `PLT - Platelets`, `WBC Lökosit`: two names of the same; one
        known name alone says nothing."""
        text = text.strip()
        pair = _TWO_NAMES.fullmatch(text)
        if pair is not None:
            first, second = self._find(pair["first"]), self._find(pair["second"])
            return first if first is second else None
        for gap in _BETWEEN_NAMES.finditer(text):
            first, second = self._listed(text[: gap.start()]), self._listed(text[gap.end() :])
            if first is not None and first is second:
                return first
        return None

    def _of_panel(self, text: str) -> Analyte | None:
        """`cbc_wbc`, `LFT - ALT`: a panel of the blood before the name."""
        parted = _PANEL_BEFORE.fullmatch(text.strip())
        if parted is None or parted["panel"].casefold() not in self.panels:
            return None
        return self._find(parted["name"])

    def _among_idle_words(self, text: str) -> Analyte | None:
        """`Hemoglobin Level`, `Total Platelet Count`: words that say nothing around the name."""
        text = text.strip()
        first, _, rest = text.partition(" ")
        before, _, last = text.rpartition(" ")
        if before and last.casefold() in self.idle_words:
            return self._find(before)
        return self._find(rest) if rest and first.casefold() in self.idle_words else None

    def _listed(self, name: str) -> Analyte | None:
        """The analyte of a name that stands in the file as it is."""
        if self.is_of_another(name):
            return None
        return self.analytes.get(self.by_key.get(name_key(name), ""))

    def _marked(self, key: str) -> str | None:
        """`lymphs (absolute)`, `% neutrophils`: a known white cell with a mark around it."""
        for marks, absolute in ((self.percent_marks, False), (self.absolute_marks, True)):
            for mark in marks:
                for rest in (key.removeprefix(mark), key.removesuffix(mark)):
                    base = self.by_key.get(rest) if rest != key else None
                    if base is None:
                        continue
                    known = self.analytes[base]
                    if known.percent_name is not None:
                        return base if absolute else known.percent_name
                    if known.absolute_name is not None:
                        return known.absolute_name if absolute else base
        return None

    def _marked_and_counted(self, key: str) -> str | None:
        """`Neut # (Auto)`, `Manual lymph %`: a white cell with a mark, and how it was counted."""
        for word in self.counted_words:
            for rest in (key.removeprefix(word), key.removesuffix(word)):
                if rest == key:
                    continue
                name = self._listed_cell(rest) or self._marked(rest)
                if name is not None:
                    return name
        return None

    def _listed_cell(self, key: str) -> str | None:
        """The analyte of a listed name, where it is a count or percentage of a differential."""
        name = self.by_key.get(key)
        known = self.analytes.get(name or "")
        differs = known is not None and bool(known.percent_name or known.absolute_name)
        return name if differs else None

    def is_of_another(self, name: str) -> bool:
        """Whether a name is listed as one of something else than ours."""
        return tuple(plain_words(name[:_LONGEST_NAME])) in self.none_of_ours

    def suggest(self, name: str) -> str:
        """`did you mean "lymphocytes"?` for a name that is not known."""
        close = self._alike(name)
        return f'did you mean "{close}"?' if close else nearest(name, self.analytes)

    def likely(self, name: str, units: Collection[str] = ()) -> str:
        """The analyte that an unknown name may mean which came with these units; "" for none. A
        name listed as one of something else, and an analyte that is never measured in any of the
        units, are no help: HbA1c is no haemoglobin, and PT in seconds no platelets."""
        close = "" if self.is_of_another(name) else self._alike(name)
        named = [unit for unit in units if unit.strip()]
        if close and named and not any(self._is_measured_in(close, unit) for unit in named):
            return ""
        return close

    def _alike(self, name: str) -> str:
        close = get_close_matches(name_key(name), self.by_key, n=1, cutoff=_ALIKE)
        return self.by_key[close[0]] if close else ""

    def _is_measured_in(self, name: str, unit: str) -> bool:
        known = self.analytes[name]
        twin = self.analytes.get(known.percent_name or known.absolute_name or "")
        return any(it is not None and bool(it._factors(unit)) for it in (known, twin))

    def is_no_result(self, text: str) -> bool:
        """The text is empty, or made of the listed no-result texts and fillers alone."""
        if not text.strip():
            return True
        words = plain_words(text[:_LONGEST_TEXT])
        if not words:
            return False
        # Q.N.S. is QNS.
        return "".join(words) in self.no_result_closed_up or _is_made_of(
            words, self.no_result, self.fillers
        )

    def is_pending(self, text: str) -> bool:
        """The text announces a result that is not there yet: a placeholder, to be ignored."""
        return tuple(plain_words(text[:_LONGEST_TEXT])) in self.pending

    def doubt(self, comment: str, analyte: Analyte | str) -> str:
        """The words of a comment that doubt a number of that analyte; empty if none do."""
        return self.doubts.of(comment, analyte if isinstance(analyte, str) else analyte.name)

    def is_doubt(self, text: str) -> bool:
        """Whether a text doubts a number of any analyte."""
        return bool(self.doubts.of(text))


@lru_cache(4)
def _unit_forms(catalogue: Catalogue) -> frozenset[str]:
    kinds = (kind for analyte in catalogue.analytes.values() for kind in analyte.kinds)
    return frozenset(form for kind in kinds for form in kind.by_spelling)


@lru_cache(_NAMES_REMEMBERED)
def _found(catalogue: Catalogue, name_or_code: str) -> Analyte | None:
    """A laboratory writes the same few names again and again."""
    return catalogue._find(name_or_code)


def _is_made_of(
    words: list[str], wanted: frozenset[tuple[str, ...]], fillers: frozenset[tuple[str, ...]]
) -> bool:
    """The words split without rest into phrases of the two lists, at least one of them wanted."""
    longest = max(_longest(wanted), _longest(fillers))
    reached: list[set[bool]] = [{False}] + [set() for _ in words]
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - longest), end):
            phrase = tuple(words[start:end])
            if phrase in wanted and reached[start]:
                reached[end].add(True)
            if phrase in fillers:
                reached[end] |= reached[start]
    return True in reached[-1]


@lru_cache(8)
def _longest(phrases: frozenset[tuple[str, ...]]) -> int:
    """Words of the longest of some phrases: those of a catalogue, asked for with each text."""
    return max(map(len, phrases), default=0)


def phrase_set(texts: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Texts of the file as word tuples; those without a word are left out."""
    return frozenset(words for words in (tuple(plain_words(text)) for text in texts) if words)
