"""What turns the further columns of a file into those of a raw row: a range in one cell, a time
beside its date, a code beside a name, a text beside a number, the material of the specimen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from monitor.config import Source
from monitor.core.units import glued_unit
from monitor.intake.cell_steps import (
    WithComment,
    WithComparator,
    WithDerivation,
    WithRemark,
    WithSign,
    WithVoid,
)
from monitor.intake.dates import clock_of_serial, from_serial, since
from monitor.intake.loinc import is_loinc, without_system
from monitor.intake.ranges import range_of
from monitor.intake.raw import MARKED, RawRow
from monitor.intake.value_steps import is_absent, with_converted, with_number, with_text
from monitor.intake.vocabulary import key_of, vocabulary
from monitor.intake.wide import Known, split_unit

Step = Callable[[RawRow, Sequence[str]], RawRow]

RELATIVE = ("days", "hours", "minutes")
_TIME = re.compile(r"\d{1,2}([:.h])\d{2}(?:[:.]\d{2})?.*|\d{3,4}|\d{6}", re.IGNORECASE)
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
_SHORTEST_MATERIAL = 3
_NO_UNIT = frozenset(("", "H", "L", "HH", "LL", "A", "N", "HIGH", "LOW", "ABNORMAL", "NORMAL"))
_REMEMBERED = 20_000
"""Names whose parts are kept."""
_DATES = ("collected_at", "reported_at", "birth_date")


def steps_of(
    positions: Mapping[str, int],
    source: Source,
    known: Known,
    *,
    orders: Sequence[int],
    comments: Sequence[int],
    serial_dates: bool,
    unit_apart: bool,
    surely_compared: bool,
    signs_at: Sequence[int],
) -> tuple[Step, ...]:
    """The steps that a file with these columns needs. `orders`: the columns that name an order;
    `comments`: those of comments, after the first; `unit_apart`: units have a place of their own;
    `surely_compared`: the column of comparators is none of anything else; `signs_at`: unknown
    columns beside that of the values."""
    steps: list[Step] = []
    mapped = frozenset((*source.codes, *source.ignore))
    if "analyte" in positions:
        steps.append(
            WithoutUnit(positions["analyte"], known) if unit_apart else _with_unit_of_name(known)
        )
    if "code" in positions:
        alone = "analyte" not in positions
        steps.append(_named_by_code(positions["code"], known, mapped, alone=alone))
    of_one_column: dict[str, Callable[..., Step]] = dict(_OF_ONE_COLUMN)
    for name, of_units in _OF_UNITS.items():
        of_one_column[name] = partial(of_units, known=known)
    serials = serial_dates or source.date_format == "excel"
    of_one_column["collected_time"] = partial(_with_time, serials=serials)
    if not surely_compared:
        of_one_column["comparator"] = partial(WithComparator, surely=False)
    steps += with_converted(positions)
    steps += [step(positions[name]) for name, step in of_one_column.items() if name in positions]
    steps += map(WithComment, comments)
    steps += map(WithSign, signs_at)
    if orders:
        steps.append(OfOrders(orders, known, mapped))
    if "specimen_id" in positions:
        steps.append(without_material)
    if source.date_format in RELATIVE and source.day_zero is not None:
        steps.append(_after(source.date_format, source.day_zero))
    elif serials:
        steps.append(_from_serials)
    return tuple(steps)


def _is_another(name: str) -> bool:
    return vocabulary().is_of_no_blood(name) or vocabulary().is_not_of_now(name)


def _named_by_code(position: int, known: Known, mapped: frozenset[str], *, alone: bool) -> Step:
    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        code = cells[position].strip()
        code = code if code in mapped else without_system(code)
        name = row.analyte.strip()
        if alone or not name:
            return row._replace(analyte=code)
        if not code:
            return row
        if code not in mapped and known.analyte(code) and _is_another(name):
            # `WBC` called "WBC, ascites": the code alone would be read as one of blood.
            return row._replace(analyte=f"{code} ({name})", also=(name,))
        if is_loinc(code):
            # An unknown LOINC code (leucocytes of the urine) is never read by a name instead.
            return row._replace(analyte=code, also=(name,) if known.analyte(code) else ())
        return row._replace(also=(code,))

    return step


def _with_whole_name(position: int) -> Step:
    """A cell of letters with several words is a name, and to be compared; a code is none."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        if row.family_name.strip() or row.given_name.strip() or not is_whole_name(cells[position]):
            return row
        return row._replace(family_name=cells[position].strip())

    return step


def is_whole_name(text: str) -> bool:
    """Whether a text may be the whole name of a person."""
    words = re.split(r"[\s,]+", text.strip())
    return len(words) > 1 and not any(sign.isdigit() for sign in text)


def _with_unit_of_name(known: Known) -> Step:
    """`WBC (10*9/L)` as a name and its unit."""

    def step(row: RawRow, _cells: Sequence[str]) -> RawRow:
        name, unit = split_unit(row.analyte, known)
        if row.unit.strip() or not known.unit(name, unit):
            return row
        return row._replace(analyte=name, unit=unit)

    return step


@dataclass(frozen=True, slots=True)
class WithoutUnit:
    """`WBC (K/uL)` beside a unit of its own is the name of WBC, where the two units are the same or
    the cell of the unit is empty; one that says otherwise leaves a name that nobody knows: a step.
    """

    position: int
    known: Known
    _parted: dict[str, tuple[str, str]] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, row: RawRow, _cells: Sequence[str]) -> RawRow:
        name, told = self._parts(row.analyte)
        if not told:
            return row
        unit = row.unit.strip()
        if is_absent(unit):
            is_unit = self.known.unit(name, told)
            return row._replace(analyte=name, unit=told) if is_unit else row
        return row._replace(analyte=name) if self.known.same_unit(name, unit, told) else row

    def says(self, text: str) -> bool:
        """Whether a name may hold a unit."""
        return bool(self._parts(text)[1])

    def _parts(self, text: str) -> tuple[str, str]:
        found = self._parted.get(text)
        if found is None:
            if len(self._parted) > _REMEMBERED:
                self._parted.clear()
            is_whole = self.known.analyte(text)  # `WBC x 1000` is a name as it stands
            name, unit = split_unit(text, self.known)
            if is_whole and unit != "%":  # and so is `NEUT%`, which says its unit all the same
                name, unit = text, ""
            found = self._parted[text] = (name, unit if self.known.analyte(name) else "")
        return found


def _with_unit_name(position: int, known: Known) -> Step:
    """The name of the unit counts where the unit itself is empty; of two that mean different
    things nobody knows which is meant, and both together are no unit."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        return _with_unit_called(row, cells[position].strip(), known)

    return step


def _with_unit_concept(position: int, known: Known) -> Step:
    """The same of a unit that has a number instead of a name; 0 is none."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        number = cells[position].strip().removesuffix(".0")
        name = vocabulary().unit_concepts.get(number, "" if number == "0" else number)
        if row.unit.strip() == cells[position].strip():
            return row._replace(unit=name)
        return _with_unit_called(row, name, known)

    return step


def _with_unit_called(row: RawRow, name: str, known: Known) -> RawRow:
    unit = row.unit.strip()
    if is_absent(name):
        return row
    if is_absent(unit):
        return row._replace(unit=name)
    return row._replace(unit=f"{unit}, named {name}") if _is_other_unit(row, name, known) else row


def _with_day(position: int) -> Step:
    """The day alone counts where the instant beside it is empty."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        if row.collected_at.strip():
            return row
        return row._replace(collected_at=cells[position])

    return step


def _with_time(position: int, *, serials: bool = False) -> Step:
    """`serials`: numbers of a spreadsheet may be times."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        clock = cells[position].strip()
        clock = (clock_of_serial(clock) if serials else "") or clock
        day = _MIDNIGHT.sub("", row.collected_at.strip())
        if not clock or not day or ":" in day:
            return row
        if not _TIME.fullmatch(clock):
            # The column holds whole instants, or what is no time: the reader of dates decides.
            return row._replace(collected_at=clock) if clock.startswith(day) else row
        return row._replace(collected_at=f"{day} {clock}")

    return step


def _with_range(position: int, known: Known) -> Step:
    """Limits in one cell, with their unit for that of a value that has none of its own."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        low, high, unit = range_of(cells[position])
        named = not is_absent(row.unit) or _is_glued(row)
        if unit and not named and known.unit(row.analyte, unit):
            row = row._replace(unit=unit)
        if row.ref_low.strip() or row.ref_high.strip() or _is_other_unit(row, unit, known):
            return row
        return row._replace(ref_low=low, ref_high=high)

    return step


def _with_range_unit(position: int, known: Known) -> Step:
    """Limits of which a column says that they have another unit than the value are none of it."""

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        is_other = _is_other_unit(row, cells[position].strip(), known)
        return row._replace(ref_low="", ref_high="") if is_other else row

    return step


def _is_other_unit(row: RawRow, unit: str, known: Known) -> bool:
    """Whether limits have a unit that is worth another number than that of the value:
    `0.17-0.67 ukat/L` are none of 45 U/L."""
    both = all(known.unit(row.analyte, it) for it in (unit, row.unit))
    return bool(unit) and both and not known.same_unit(row.analyte, unit, row.unit)


def _is_glued(row: RawRow) -> bool:
    """Whether something that may be a unit stands behind the number: no flag as in `2.1 (L)`."""
    return glued_unit(row.value)[1].strip("*+ ()[]").upper() not in _NO_UNIT


def without_status(row: RawRow, _cells: Sequence[str]) -> RawRow:
    """A status that is a flag: `N` is normal there, and no result that nobody asked for."""
    return row._replace(status="") if row.status and not row.status.startswith(MARKED) else row


def _of_material(position: int) -> Step:
    """A value of urine is never one of blood: its name says so, and nobody knows that name."""
    is_blood = vocabulary().is_blood_material

    def step(row: RawRow, cells: Sequence[str]) -> RawRow:
        material = cells[position].strip()
        if not material or is_blood(material):
            return row
        return row._replace(analyte=f"{row.analyte.strip()} ({material})", also=())

    return step


@dataclass(frozen=True, slots=True)
class OfOrders:
    """Leukocytes of an order called `Urinalysis` are none of the blood: a step. `by_name`: the
    columns name orders; those of others count where a cell is a material and nothing else."""

    positions: Sequence[int]
    known: Known
    mapped: frozenset[str] = frozenset()
    by_name: bool = True

    def __call__(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        order = self.of_no_blood(cells[position].strip() for position in self.positions)
        if not order or any(map(vocabulary().is_of_blood, (row.analyte, *row.also))):
            return row
        code = row.analyte.strip()
        if is_loinc(code) and (code in self.mapped or not self.known.analyte(code)):
            # It says enough itself; only one of blood contradicts its order.
            return row
        return row._replace(analyte=f"{row.analyte.strip()} ({order})", also=())

    def of_no_blood(self, names: Iterable[str]) -> str:
        """The first of these that names an order of no blood; else empty."""
        known = vocabulary()
        is_other = known.is_of_no_blood if self.by_name else known.names_no_blood
        return next(filter(is_other, names), "")


def without_material(row: RawRow, _cells: Sequence[str]) -> RawRow:
    """A specimen called `serum` is no tube; one called `urine` is no blood, and one of `cord blood`
    is somebody else's. What has digits may be a number."""
    if row.specimen_id.isalnum() and not row.specimen_id.isalpha():
        return row
    if len(key_of(row.specimen_id)) < _SHORTEST_MATERIAL:
        return row
    if vocabulary().is_blood_material(row.specimen_id):
        return row._replace(specimen_id="")
    known, digits = vocabulary(), any(sign.isdecimal() for sign in row.specimen_id)
    is_other = known.is_of_no_blood if digits else known.is_specimen_of_no_blood
    if is_other(row.specimen_id):
        name = f"{row.analyte.strip()} ({row.specimen_id.strip()})"
        return row._replace(analyte=name, also=(), specimen_id="")
    return row


def _after(unit: str, day_zero: date) -> Step:
    def step(row: RawRow, _cells: Sequence[str]) -> RawRow:
        return row._replace(collected_at=since(row.collected_at.strip(), unit, day_zero))

    return step


def _from_serials(row: RawRow, _cells: Sequence[str]) -> RawRow:
    read: dict[str, Any] = {name: from_serial(getattr(row, name)) for name in _DATES}
    return row._replace(**{name: text for name, text in read.items() if text})


_OF_ONE_COLUMN: Mapping[str, Callable[..., Step]] = {
    "patient_name": _with_whole_name,
    "value_number": with_number,
    "value_text": with_text,
    "comparator": partial(WithComparator, surely=True),
    "collected_day": _with_day,
    "collected_time": _with_time,
    "material": _of_material,
    "flag": WithRemark,
    "condition": WithRemark,
    "derivation": WithDerivation,
    "void": WithVoid,
}
"""Steps that need one further column and nothing else, in their order."""
_OF_UNITS: Mapping[str, Callable[..., Step]] = {
    "unit_name": _with_unit_name,
    "unit_concept": _with_unit_concept,
    "range": _with_range,
    "range_unit": _with_range_unit,
}
"""Those that compare units: the value's own has to stand before that of its limits is looked at."""
