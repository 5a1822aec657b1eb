"""Reads what laboratories write as code, unit and text (`measured.py`). Remembers what it has read,
for laboratories repeat themselves."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from monitor.config import Source
from monitor.core.catalogue import Analyte, Catalogue
from monitor.core.phenotypes import ACTIVITY, CLASS_OF_ACTIVITY, CODED, GENES, code_of
from monitor.core.units import (
    NoResult,
    Number,
    Refusal,
    glued_unit,
    implausible,
    parse_number,
    parse_value,
    resolve,
    to_canonical,
    without_unit,
)
from monitor.intake.columns import fold
from monitor.intake.comparators import unknown_in
from monitor.intake.loinc import without_system
from monitor.intake.measured import (
    EMPTY,
    MAP_OR_IGNORE,
    Measure,
    Problem,
    problem_of,
    unknown_comparator,
)
from monitor.intake.nearest import nearest_analyte, of_no_blood
from monitor.intake.possible_numbers import (
    SOME_NUMBER,
    counts_single_cells,
    doubtful_mark,
    grouped_value,
    may_group,
    plausible_values,
    possible_numbers,
)
from monitor.intake.raw import OPEN_POINT
from monitor.intake.vocabulary import is_blank

_MARKS = ("comma", "point")
_CACHE_LIMIT = 100_000
_GUESSES_LIMIT = 2000
"""Unknown codes for which the nearest is looked for: more are no codes."""
_SHOWN = 60
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ", 0xFE64: "<", 0xFE65: ">",
}  # fmt: skip
"""Signs as wide as a Chinese one, to the same in ASCII."""
_FLAG = r"(?:(?:HH?|LL?)\*?|[NA]|[\u2191\u2193]+|(?i:high|low|normal|abnormal|critical))"
_FLAG_BEHIND = re.compile(rf"\s*[(\[]?(?<![A-Za-z/]){_FLAG}[)\]]?$")
_FLAGGED = re.compile(
    rf"(?P<before>[^A-Za-z+]*\d)(?:\s*[(\[]?{_FLAG}[)\]]?|\s(?:\++|-+))"
    rf"|(?:[(\[]?{_FLAG}[)\]]?\s+|[\u2191\u2193]+)(?P<behind>[<>]?=?\s*\d[^A-Za-z]*)"
)
"""A number with what the laboratory says of it: `0.8 L`, `H 75`, `12.1 (H)`, `85 +`, `0.8 -`;
never `2+`, nor a star, which may lead to a note."""
_OF_ANOTHER_QUANTITY = ("unit_unknown", "code_contradicts_unit")


class Measures:
    """Reads the codes, units and values of one source."""

    def __init__(self, catalogue: Catalogue, source: Source) -> None:
        self._catalogue = catalogue
        self._source = source
        self._codes = {fold(code): name for code, name in source.codes.items()}
        self._ignored = {fold(code) for code in source.ignore}
        self._spellings = {theirs.strip(): ours for theirs, ours in source.unit_spellings.items()}
        self._known: dict[tuple[str, str, str, str], Measure | Problem] = {}
        self._limits: dict[
            tuple[str, str, str, str, str], tuple[Decimal | None, Decimal | None]
        ] = {}
        self._doubts: dict[tuple[str, str], str] = {}
        self._analytes: dict[str, Analyte | None] = {}
        self._guesses: dict[tuple[str, str], str] = {}
        self.units_used: defaultdict[str, set[str]] = defaultdict(set)
        """Units this source is known to use, by analyte."""
        self.earlier_units: Callable[[], Iterable[tuple[str, str]]] | None = None
        """Analytes and units of its earlier files, asked for once and only where they count."""
        self._units: dict[str, str] = {}
        """Analyte -> the unit meant where the file names none."""
        for name, unit in source.units.items():
            if analyte := self.analyte(name):
                self._units[analyte.name] = unit
                self.units_used[analyte.name].add(unit)
        self.read_as_percent: Counter[str] = Counter()
        """Codes of absolute counts that came with `%` and were read as percentages."""

    def is_ignored(self, code: str) -> bool:
        """Whether the source's mapping says to ignore this code."""
        return bool(self._ignored) and fold(code) in self._ignored

    def is_mapped(self, code: str) -> bool:
        """Whether the source's mapping says what this code means, or to ignore it."""
        return fold(code) in self._codes or self.is_ignored(code)

    def analyte(self, code: str) -> Analyte | None:
        """The analyte a code or name means by itself, without its unit."""
        if code not in self._analytes:
            if len(self._analytes) > _CACHE_LIMIT:
                self._analytes.clear()
            name = self._codes.get(fold(code)) or without_system(" ".join(code.split()))
            self._analytes[code] = self._catalogue.find(name) if name else None
        return self._analytes[code]

    def measure(self, code: str, value: str, unit: str, decimal: str = "") -> Measure | Problem:
        """What a row's code, value and unit mean together. `decimal` is the mark that the whole
        file shows (`point`, `comma`); "" leaves it to the source's mapping."""
        key = (code, value, unit, decimal)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > _CACHE_LIMIT:
                self._known.clear()
            found = self._known[key] = self._measure(code, value, unit, decimal)
        if isinstance(found, Measure) and found.read_as_percent:
            self.read_as_percent[code.strip()] += 1
        return found

    @contextmanager
    def counting_apart(self) -> Iterator[Counter[str]]:
        """What is measured meanwhile is counted apart: a row may stand for many."""
        whole, apart = self.read_as_percent, Counter[str]()
        self.read_as_percent = apart
        try:
            yield apart
        finally:
            self.read_as_percent = whole

    def withdrawn(self, code: str, value: str, unit: str, decimal: str = "") -> Measure | Problem:
        """What a withdrawal is about; a value that cannot be read names none."""
        found = self.measure(code, value, unit, decimal)
        if isinstance(found, Measure) or found.analyte is None:
            return found
        foreign = self._foreign(found.analyte, code, self._spelt(unit, found.analyte))
        return foreign or Measure(found.analyte, None)

    def limits(
        self, analyte: Analyte, low: str, high: str, unit: str, decimal: str = ""
    ) -> tuple[Decimal | None, Decimal | None]:
        """Reference limits, converted like the value. One that cannot be read, is 0 (above) or may
        be a thousand (`1.800 /mm3`) counts as missing; so do both where the upper is not above the
        lower (`1.15-0.90`), for nobody knows which of them is which."""
        if not low and not high:
            return None, None
        key = (analyte.name, low, high, unit, decimal)
        if key not in self._limits:
            if len(self._limits) > _CACHE_LIMIT:
                self._limits.clear()
            below = self._limit(analyte, low, unit, decimal)
            above = self._limit(analyte, high, unit, decimal)
            if above is not None and above <= 0:
                above = None
            if below is not None and above is not None and above <= below:
                below = above = None
            self._limits[key] = below, above
        return self._limits[key]

    def shows_point(self, analyte: Analyte, limits: Iterable[str], unit: str) -> bool:
        """Whether one of these limits has three digits behind a point that cannot mark thousands:
        no upper limit is 40,000."""
        found = (parse_number(it, decimal_comma=False, grouped=True) for it in limits)
        numbers = (it.value for it in found if isinstance(it, Number))
        spelt = self._spelt(unit, analyte)
        return any(
            may_group(it) and not grouped_value(analyte, it, spelt, open_point=True)
            for it in numbers
        )

    def doubt(self, comment: str, analyte: Analyte) -> str:
        """The words of a comment that doubt the number; "" if there are none."""
        if not comment:
            return ""
        key = (comment, analyte.name)
        if key not in self._doubts:
            if len(self._doubts) > _CACHE_LIMIT:
                self._doubts.clear()
            self._doubts[key] = self._catalogue.doubt(comment, analyte.name)
        return self._doubts[key]

    def possible(
        self, analyte: Analyte, value: str, unit: str, decimal: str = ""
    ) -> tuple[Decimal, ...]:
        """The raw number of a held row in every unit it may have been meant in, canonical.

        Its own unit if that makes sense, else those its source uses, else any unit of the
        analyte; empty where there is no number in it.
        """
        comma, grouped = self._mark(decimal)
        numbers = possible_numbers(
            value, decimal_comma=comma, grouped=grouped, open_point=self._is_open(decimal)
        )
        if not numbers:
            return ()
        if self.earlier_units is not None:
            for name, earlier in self.earlier_units():
                self.units_used[name].add(earlier)
            self.earlier_units = None
        own = self._spelt(unit, analyte)
        numbers += tuple(it for one in numbers if (it := grouped_value(analyte, one, own)))
        used = self.units_used.get(analyte.name, set())
        for units in ([own], sorted(used), analyte.units):
            found = {it for number in numbers for it in plausible_values(analyte, number, units)}
            if found:
                return tuple(sorted(found))
        return ()

    def _measure(self, code: str, value: str, unit: str, decimal: str) -> Measure | Problem:
        named = self.analyte(code)
        if named is None:
            return self._unknown_code(code, unit)
        if self._names_none(unit):
            value, unit = self._parted(named, value)
        unit = self._spelt(unit, named)
        if word := unknown_in(value):
            return unknown_comparator(named, word)
        coded = self._coded(named, value)
        if coded is not None:
            return coded
        grouped = bool(self._source.decimal_comma) and counts_single_cells(named, unit)
        read = self._parsed(value, unit, decimal, grouped=grouped)
        if isinstance(read, Refusal):
            return problem_of(read, named)
        resolved = resolve(self._catalogue, named, code.strip(), unit)
        if isinstance(read, NoResult):
            foreign = None if read.pending else self._foreign(named, code, unit)
            if foreign is not None:
                return foreign
            analyte = named if isinstance(resolved, Refusal) else resolved
            words = read.words or EMPTY
            return Measure(analyte, None, no_result=words, unit=unit, pending=read.pending)
        if isinstance(resolved, Refusal):
            return problem_of(resolved, named)
        if self._is_doubtful(resolved, read, unit, decimal):
            is_open = self._is_open(decimal)
            return problem_of(doubtful_mark(read.value, open_point=is_open), resolved)
        return self._number(named, resolved, read, unit)

    def _foreign(self, named: Analyte, code: str, unit: str) -> Problem | None:
        """Why a row that brings no number is not of this analyte, where its unit says so:
        leukocytes in a field of the microscope must not take away those of the blood."""
        if not unit or named.name in CODED:
            return None
        resolved = resolve(self._catalogue, named, code.strip(), unit)
        if isinstance(resolved, Refusal) and resolved.code in _OF_ANOTHER_QUANTITY:
            return problem_of(resolved, named)
        return None

    def _coded(self, named: Analyte, value: str) -> Measure | Problem | None:
        """A genotype or an activity in words; None where it is a number, or no result."""
        gene = CODED.get(named.name)
        if gene is None and named.name != ACTIVITY:
            return None
        if self._catalogue.is_no_result(value) or not value.strip():
            return None
        analyte = named
        if gene is None:
            if not isinstance(parse_value(value, catalogue=self._catalogue), Refusal):
                return None
            gene, analyte = GENES[0], self._catalogue.analytes.get(CLASS_OF_ACTIVITY, named)
        phenotype = self._catalogue.genes.read(gene, value)
        if phenotype is not None and analyte.name in CODED:
            return Measure(analyte, code_of(phenotype), unit="")
        if named.name == ACTIVITY and SOME_NUMBER.search(value):
            return None
        return Problem(
            "genotype",
            f"{named.name}: neither a known diplotype nor a listed phenotype",
            "a diplotype such as *1/*3A, or normal, intermediate, poor, indeterminate; or record "
            "the event genotype",
            named,
        )

    def _parted(self, named: Analyte, value: str) -> tuple[str, str]:
        """Number and unit of a cell that holds both (`12.1 g/dL`), where the row has no unit of
        its own; the cell and nothing where what follows the number is no unit of the analyte."""
        number, unit = glued_unit(value)
        for text in (unit, _FLAG_BEHIND.sub("", unit)):
            if text and not isinstance(
                resolve(self._catalogue, named, "", self._spelt(text, named)), Refusal
            ):
                return number, text
        return value, ""

    def _parsed(
        self, value: str, unit: str, decimal: str, *, grouped: bool
    ) -> Number | NoResult | Refusal:
        comma, is_certain = self._mark(decimal)
        value = value.translate(_NARROW).removeprefix("'")

        def read(text: str) -> Number | NoResult | Refusal:
            return parse_value(
                text,
                decimal_comma=comma,
                grouped=grouped or is_certain,
                catalogue=self._catalogue,
            )

        found = read(value)
        if not isinstance(found, Refusal):
            return found
        bare = without_unit(self._catalogue, value, unit)
        if unit and (flagged := _FLAGGED.fullmatch(bare.strip())):
            # Without a unit beside it the letter may be one: 3 L.
            bare = flagged["before"] or flagged["behind"]
        return found if bare == value else read(bare)

    def _mark(self, decimal: str) -> tuple[bool, bool]:
        """Whether the comma marks decimals, and whether that is certain."""
        named = self._source.decimal_comma
        if decimal in _MARKS and named in (None, decimal == "comma"):
            return decimal == "comma", True
        return bool(named), False

    def _is_open(self, decimal: str) -> bool:
        """Whether a point before three digits may mark thousands."""
        return decimal == OPEN_POINT and self._source.decimal_comma is None

    def _is_doubtful(self, analyte: Analyte, read: Number, unit: str, decimal: str) -> bool:
        """Whether the mark of a number may be that of thousands."""
        is_open = self._is_open(decimal)
        grouped = grouped_value(analyte, read.value, unit, open_point=is_open)
        return grouped is not None and self._source.decimal_comma is None

    def _number(
        self, named: Analyte, analyte: Analyte, read: Number, unit: str
    ) -> Measure | Problem:
        value = to_canonical(analyte, read.value, unit)
        if isinstance(value, Refusal):
            return problem_of(value, analyte)
        refused = implausible(self._catalogue, analyte, value, read.value, unit)
        if refused is not None:
            return problem_of(refused, analyte)
        self.units_used[analyte.name].add(unit)
        return Measure(
            analyte,
            value,
            comparator=read.comparator,
            below_plausible=value < analyte.plausible_low,
            unit=unit,
            read_as_percent=analyte.name == named.percent_name,
        )

    def _unknown_code(self, code: str, unit: str) -> Problem:
        if not code.strip():
            return Problem("no_code", "no analyte named", "name the analyte or its code")
        shown = " ".join(code.split())[:_SHOWN]
        reason = f'unknown code "{shown}"'
        if meant := self._codes.get(fold(code)):
            guess = self._catalogue.suggest(meant)
            hint = f'the source\'s codes map it to "{meant}", which is no analyte: {guess}'
            return Problem("unknown_code", reason, hint)
        hint = self._nearest(shown, unit) or of_no_blood(self._catalogue, shown)
        return Problem("unknown_code", reason, hint or MAP_OR_IGNORE)

    def _nearest(self, code: str, unit: str) -> str:
        key = code, unit.strip()
        if key not in self._guesses:
            if len(self._guesses) > _GUESSES_LIMIT:
                return ""
            self._guesses[key] = nearest_analyte(self._catalogue, code, [unit])
        return self._guesses[key]

    def _spelt(self, unit: str, analyte: Analyte) -> str:
        unit = unit.strip()
        if self._names_none(unit) and unit not in self._spellings:
            return self._units.get(analyte.name, "")
        return self._spellings.get(unit, unit)

    def _names_none(self, unit: str) -> bool:
        """Whether the cell of the unit holds what programs write where there is none."""
        return is_blank(unit) or self._catalogue.is_no_result(unit)

    def _limit(self, analyte: Analyte, text: str, unit: str, decimal: str) -> Decimal | None:
        if not text.strip():
            return None
        comma, grouped = self._mark(decimal)
        read = parse_number(text, decimal_comma=comma, grouped=grouped)
        if not isinstance(read, Number) or read.comparator:
            return None
        if self._is_doubtful(analyte, read, unit, decimal):
            return None
        value = to_canonical(analyte, read.value, unit)
        return None if isinstance(value, Refusal) else value
