"""Header names to our columns: the long form's own names, common synonyms, a source's mapping.

Raw rows come out of here in one shape, whatever the file looked like: everything after is
the same for every format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from monitor.config import Source
from monitor.core.faults import nearest
from monitor.intake.csv import Record
from monitor.intake.raw import RESULT_COLUMNS, RawRow
from monitor.intake.survey import UnreadableFile

_REQUIRED = ("mrn", "collected_at", "analyte", "value", "unit")
_WIDE_BASE = tuple(name for name in RESULT_COLUMNS if name not in ("analyte", "value", "unit"))
PERSON_SYNONYMS = {
    "mrn": (
        "patient_id", "patient_mrn", "patient_number", "medical_record_number",
        "hospital_number", "patient",
    ),
    "family_name": ("surname", "last_name"),
    "given_name": ("first_name", "forename"),
    "birth_date": ("date_of_birth", "dob", "birthday"),
}  # fmt: skip
_SYNONYMS = {
    **PERSON_SYNONYMS,
    "collected_at": (
        "collected", "collection_date", "collection_time", "collection_datetime",
        "collected_date", "collected_on", "date_collected", "sample_date", "sample_datetime",
        "sampled_at", "specimen_date", "specimen_datetime", "draw_date", "drawn_at", "charttime",
    ),
    "analyte": (
        "test", "test_name", "test_code", "code", "loinc", "loinc_code", "parameter",
        "component", "component_name", "lab_test", "labname", "lab_name",
    ),
    "value": ("result", "result_value", "test_result", "lab_result"),
    "unit": ("units", "result_unit", "result_units", "value_unit", "unit_of_measure", "uom"),
    "ref_low": (
        "reference_low", "reference_range_low", "range_low", "normal_low", "lower_limit", "lln",
    ),
    "ref_high": (
        "reference_high", "reference_range_high", "range_high", "normal_high", "upper_limit",
        "uln",
    ),
    "specimen_id": (
        "specimen", "specimen_number", "sample_id", "sample_number", "accession",
        "accession_number", "lab_number",
    ),
    "status": ("result_status", "observation_status"),
    "reported_at": (
        "reported", "reported_on", "report_date", "report_time", "report_datetime",
        "date_reported", "result_date", "result_datetime", "resulted_at",
    ),
    "comment": ("comments", "note", "notes", "remark", "remarks", "result_comment"),
}  # fmt: skip
_HINTED = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]]*)[\])]\s*")


def fold(name: str) -> str:
    """A header name as it is compared: without case, space, hyphen, underscore, dot."""
    return "".join(sign for sign in name.casefold() if sign not in " -_.\t\ufeff")


@dataclass(frozen=True)
class Columns:
    """Where each of our columns stands in a file's header."""

    positions: Mapping[str, int]
    ignored: tuple[str, ...]
    """Header names that mean nothing to us."""


def match(
    header: Sequence[str],
    ours: Sequence[str],
    synonyms: Mapping[str, Sequence[str]],
    mapped: Mapping[str, str] | None = None,
) -> Columns:
    """Find our columns in a header: the source's mapping first, then our own names, then
    synonyms. Raises UnreadableFile where a column stands there twice or two may be meant."""
    mapped = mapped or {}
    folded = [fold(name) for name in header]
    positions: dict[str, int] = {}
    for name in ours:
        wanted = [mapped[name]] if name in mapped else [name, *synonyms.get(name, ())]
        found = _place(name, wanted[:1], header, folded)
        if found is None:
            found = _place(name, wanted[1:], header, folded)
        if found is not None:
            positions[name] = found
    used = set(positions.values())
    ignored = tuple(name for index, name in enumerate(header) if index not in used and name)
    return Columns(positions, ignored)


def _place(
    name: str, wanted: Sequence[str], header: Sequence[str], folded: Sequence[str]
) -> int | None:
    keys = {fold(word) for word in wanted}
    found = [index for index, key in enumerate(folded) if key in keys]
    if len(found) < 2:
        return found[0] if found else None
    names = ", ".join(f"{header[index]} (column {index + 1})" for index in found)
    if len({folded[index] for index in found}) == 1:
        raise UnreadableFile(f"the header names a column twice: {names}; rename or remove one")
    raise UnreadableFile(
        f"the header has several columns that may be {name}: {names}; say which one in the "
        f'config: [sources.NAME.columns] {name} = "..."'
    )


def require(columns: Columns, wanted: Sequence[str], present: Sequence[str]) -> None:
    """Raises UnreadableFile that names the missing columns and what was found instead."""
    missing = [name for name in wanted if name not in present]
    if not missing:
        return
    guesses = [_guess(name, columns.ignored) for name in missing]
    found = ", ".join([*columns.positions, *columns.ignored][:30]) or "nothing"
    text = (
        f"the header lacks {', '.join(missing)}; found: {found}. "
        "The first line must name the columns"
    )
    raise UnreadableFile(" ".join([text + ".", *(guess for guess in guesses if guess)]))


def _guess(name: str, ignored: Sequence[str]) -> str:
    guess = nearest(name, ignored)
    return f"For {name}: {guess}" if guess.startswith("did you mean") else ""


_NOWHERE_ELSE = ("", (), "", "")
"""A line is its own place, names its analyte once, and refers to nobody."""


@dataclass(frozen=True)
class Layout:
    """How the rows of one file become raw rows: the long form (a row is a value) or the wide
    form (a filled cell of an analyte's column is a value)."""

    header: tuple[str, ...]
    pick: Callable[[Sequence[str]], tuple[str, ...]]
    tail: tuple[str, ...]
    """Cells behind the row's own: an empty one, then the source's constants."""
    ignored: tuple[str, ...]
    fill: Mapping[int, str] = field(default_factory=dict)
    """Constants for columns that the file has too: they fill empty cells."""
    analytes: tuple[tuple[int, str, str], ...] = ()
    """Wide form: position, analyte as named, unit as named in the header."""

    @property
    def is_wide(self) -> bool:
        return bool(self.analytes)

    def raw_rows(self, record: Record) -> Iterator[RawRow]:
        """The values of one record."""
        line, cells = record
        for position, constant in self.fill.items():
            cells[position] = cells[position].strip() or constant
        picked = self.pick([*cells, *self.tail])
        if not self.analytes:
            yield RawRow._make((line, *picked, Given(self.header, cells), *_NOWHERE_ELSE))
            return
        base = [(self.header[i], cells[i]) for i in self._base(len(cells))]
        for position, name, unit in self.analytes:
            if cells[position].strip():
                given = (*base, (self.header[position], cells[position]))
                row = RawRow._make((line, *picked, given, *_NOWHERE_ELSE))
                yield row._replace(analyte=name, value=cells[position], unit=unit or row.unit)

    def _base(self, width: int) -> list[int]:
        values = {position for position, _, _ in self.analytes}
        return [index for index in range(width) if index not in values]


class Given(Sequence[tuple[str, str]]):
    """Header names with cells, paired only when somebody asks."""

    __slots__ = ("_cells", "_header")

    def __init__(self, header: Sequence[str], cells: Sequence[str]) -> None:
        self._header, self._cells = header, cells

    def __len__(self) -> int:
        return min(len(self._header), len(self._cells))

    def __getitem__(self, index: Any) -> Any:
        return list(zip(self._header, self._cells, strict=False))[index]


def layout_of(header: Sequence[str], source: Source, is_analyte: Callable[[str], bool]) -> Layout:
    """The layout of a results file. Raises UnreadableFile where the required columns are not
    there and the source names no constant for them."""
    _refuse_other_kinds(header)
    columns = match(header, RESULT_COLUMNS, _SYNONYMS, source.columns)
    analytes = () if _has_value(columns, source) else _analyte_columns(columns, header, is_analyte)
    present = [*columns.positions, *source.constants]
    if analytes:
        require(columns, ("mrn", "collected_at"), present)
    else:
        require(columns, _REQUIRED, present if not source.units else [*present, "unit"])
    tail, places = [""], {}
    for name, text in source.constants.items():
        places[name] = len(header) + len(tail)
        tail.append(text)
    positions = [columns.positions.get(n, places.get(n, len(header))) for n in RESULT_COLUMNS]
    taken = {position for position, _, _ in analytes}
    return Layout(
        header=tuple(header),
        pick=itemgetter(*positions),
        tail=tuple(tail),
        ignored=tuple(n for i, n in enumerate(header) if n in columns.ignored and i not in taken),
        fill={
            columns.positions[name]: text
            for name, text in source.constants.items()
            if name in columns.positions
        },
        analytes=analytes,
    )


def _refuse_other_kinds(header: Sequence[str]) -> None:
    names = {fold(name) for name in header}
    if {"mrn", "drug", "startedon"} <= names:
        raise UnreadableFile("this is an enrolment file, no results: monitor enrol takes it")
    if {"mrn", "on", "event"} <= names:
        raise UnreadableFile("this is an events file, no results: monitor events takes it")


def _has_value(columns: Columns, source: Source) -> bool:
    return "value" in columns.positions or "value" in source.constants


def _analyte_columns(
    columns: Columns, header: Sequence[str], is_analyte: Callable[[str], bool]
) -> tuple[tuple[int, str, str], ...]:
    """Columns named after an analyte, or after anything with a unit in brackets."""
    used = set(columns.positions.values())
    found = []
    for index, title in enumerate(header):
        name, unit = split_unit(title)
        if index not in used and name and (is_analyte(name) or "[" in title):
            found.append((index, name, unit))
        elif index not in used and is_analyte(title):
            found.append((index, title, ""))
    return tuple(found) if any(is_analyte(name) for _, name, _ in found) else ()


def split_unit(title: str) -> tuple[str, str]:
    """`neutrophils [10*9/L]` as name and unit; the unit is empty where none is named."""
    hinted = _HINTED.fullmatch(title.strip())
    return (hinted["name"], hinted["unit"].strip()) if hinted else (title.strip(), "")


def knows_results(source: Source, is_analyte: Callable[[str], bool]) -> Callable[[str], bool]:
    """Whether a header name means something in a results file, to tell delimiters apart."""
    names = {fold(name) for name in (*RESULT_COLUMNS, *source.columns.values())}
    names |= {fold(word) for words in _SYNONYMS.values() for word in words}
    return lambda name: fold(name) in names or is_analyte(split_unit(name)[0])
