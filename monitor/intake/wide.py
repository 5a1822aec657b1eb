"""The wide form: columns named after an analyte, with a unit in the title, and columns beside
them that hold its unit, limits or flag."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.intake.columns import Columns
from monitor.intake.comparators import compared, signed
from monitor.intake.flags import remark_in, with_remark
from monitor.intake.ranges import limits_of, range_of
from monitor.intake.raw import RawRow
from monitor.intake.vocabulary import key_of, vocabulary

_HINTED = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\[\]]*)[\])]\s*")
_PARTS = re.compile(r"[\s,;:_]+")
_ANY_GAP = re.compile(r"[\s,;:_.]+")
_NOTES = re.compile(r"(?<=[^\d\s])\s*[*\u2020\u2021\u00a7\u00b6\u00b9\u00b2\u00b3\u2070-\u2079]+$")
"""Marks of a footnote at the end of a title."""
_DOTS = re.compile(r"\.+")
_POWER_OF_DOTS = re.compile(r"x?\.?10\.(\d{1,2})\.")
_LONGEST_TITLE = 200
"""Characters of a header name; a longer one is none of an analyte."""
_BESIDE = ("unit", "ref_low", "ref_high", "range", "flag", "comment", "comparator")
_WORD = {role: role.replace("_", " ") for role in _BESIDE}


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue and a source's mapping say of names and units."""

    analyte: Callable[[str], bool]
    """Whether a name or code means something: an analyte, or one to be ignored."""
    unit: Callable[[str, str], bool]
    """Whether a name's analyte is reported in that unit."""
    any_unit: Callable[[str], bool] = lambda _text: False
    """Whether some analyte is reported in that unit."""
    like_unit: Callable[[str, str], bool] = lambda _name, _text: False
    """Whether a text has the letters and digits of a unit of a name's analyte."""
    same_unit: Callable[[str, str, str], bool] = lambda _name, _one, _other: False
    """Whether the first is a unit of a name's analyte, and the other is the same, or what its
    letters and digits leave of it."""


@dataclass(frozen=True, slots=True)
class WideColumn:
    """One analyte's column, and where its companions stand."""

    position: int
    name: str
    unit: str
    beside: tuple[tuple[str, int], ...] = ()
    sign_at: int | None = None
    """An unknown column before it, which may hold the signs of its values."""

    @property
    def positions(self) -> tuple[int, ...]:
        return (self.position, *(position for _, position in self.beside))

    def of(self, row: RawRow, cells: Sequence[str]) -> RawRow:
        """The row as the value of this column."""
        row = row._replace(
            analyte=self.name, value=cells[self.position], unit=self.unit or row.unit
        )
        if self.sign_at is not None:
            row = row._replace(value=signed(row.value, cells[self.sign_at]))
        for name, position in self.beside:
            text = cells[position].strip()
            if name == "range" and text:
                low, high = limits_of(text)
                row = row._replace(ref_low=low, ref_high=high)
            elif name == "comparator":
                row = row._replace(value=compared(row.value, text, surely=False))
            elif name == "flag":
                row = row._replace(comment=with_remark(row.comment, remark_in(text)))
            elif text:
                told: dict[str, Any] = {name: text}
                row = row._replace(**told)
        return row


def told_apart(header: Sequence[str], known: Known) -> Sequence[str]:
    """`WBC;Flag;PLT;Flag` as `WBC;WBC flag;PLT;PLT flag`: columns of one name, each of them behind
    that of an analyte, are what is said of it."""
    keys = [key_of(title) for title in header]
    often = Counter(keys)
    roles = [
        vocabulary().column_of(title) if often[key] > 1 else ""
        for title, key in zip(header, keys, strict=True)
    ]
    if not any(role in _BESIDE for role in roles):
        return header
    named, analyte = [], ""
    for title, role in zip(header, roles, strict=True):
        name = "" if role else split_unit(title, known)[0]
        if name and known.analyte(name) and not vocabulary().column_of(title):
            analyte = name
        elif not title or role not in _BESIDE:
            analyte = ""
        named.append(f"{analyte} {_WORD[role]}" if role in _BESIDE and analyte else title)
    return named if len(set(map(key_of, named))) > len(set(keys)) else header


def wide_columns(columns: Columns, header: Sequence[str], known: Known) -> tuple[WideColumn, ...]:
    """Columns named after an analyte, or after anything with a unit in brackets; none where
    no analyte is among them."""
    used = set(columns.positions.values())
    found: list[WideColumn] = []
    for index, title in enumerate(header):
        if index in used or not title:
            continue
        name, unit = split_unit(title, known)
        if known.analyte(name) or (unit and "[" in title):
            found.append(WideColumn(index, name, unit))
    if not any(known.analyte(column.name) for column in found):
        return ()
    return _with_companions(found, used, header)


def _with_companions(
    found: Sequence[WideColumn], used: set[int], header: Sequence[str]
) -> tuple[WideColumn, ...]:
    taken = used | {column.position for column in found}
    free = {
        key_of(title): index for index, title in enumerate(header) if title and index not in taken
    }
    words = {
        name: {word for tier in vocabulary().columns[name].tiers for word in tier}
        for name in _BESIDE
    }
    completed: list[WideColumn] = []
    for column in found:
        names = {key_of(column.name), key_of(header[column.position])}
        beside = tuple(
            (role, free[key])
            for role in _BESIDE
            for key in free
            if any(key in (name + word, word + name) for name in names for word in words[role])
        )
        once = dict(reversed(beside))
        completed.append(replace(column, beside=tuple(once.items())))
    known = taken.union(*(column.positions for column in completed), (-1,))
    return tuple(
        replace(column, sign_at=column.position - 1) if column.position - 1 not in known else column
        for column in completed
    )


def split_unit(title: str, known: Known | None = None) -> tuple[str, str]:
    """`neutrophils [10*9/L]`, `WBC, K/uL` and `ANC_G_per_L` as name and unit; the unit is empty
    where none is named. A unit that is part of the name stays there too (`NEUT [%]`), a word for
    the value does not (`WBC_result`)."""
    title = title.strip()
    if len(title) > _LONGEST_TITLE:
        return title, ""
    parted = _bracketed(title)
    if parted is not None and vocabulary().is_of_no_blood(parted[1]):
        return title, ""  # `WBC (CSF)` tells of another material, and of no unit
    if known is None:
        return parted or (title, "")
    if known.analyte(title):
        return title, _unit_within(title, parted, known)
    found = parted or _at_a_gap(title, known) or _dotted(title, known) or _doubtful(title, known)
    name, unit = found or (title, "")
    name = _without_value_word(name, known)
    bare = _NOTES.sub("", title)
    if bare != title and not known.analyte(name):
        return split_unit(bare, known)  # `ALT†`, `WBC (10^9/L)*`
    return _without_limits(name, unit, known)


def _without_limits(name: str, unit: str, known: Known) -> tuple[str, str]:
    """`Leukocytes (G/l) (3.9-10.2)` and `WBC (4.0-10.0 G/l)` without the limits of the analyte."""
    low, high, behind = range_of(unit)
    is_power = (low, high) == ("10", high) and "^" in unit[:4]  # `10^12/L`
    if is_power or known.any_unit(unit) or not (low or high):
        return name, unit
    return (name, behind) if known.analyte(name) else split_unit(name, known)


def _bracketed(title: str) -> tuple[str, str] | None:
    """What stands before the last brackets of a title, and within them: of `ALP (bone) (U/L)` the
    unit is U/L, of `WBC (10^(3)/uL)` all from the first bracket on."""
    start = _last_brackets(title) if title.endswith((")", "]")) else 0
    hinted = _HINTED.fullmatch(title, start)
    if hinted is None:
        return None
    return (title[:start] + hinted["name"]).rstrip(" ,;:_"), hinted["unit"].strip()


def _dotted(title: str, known: Known) -> tuple[str, str] | None:
    """`WBC..10.3.uL.` and `Hb.g.dL`: what R makes of `WBC (10^3/uL)` and `Hb g/dL` where it takes
    names for its own."""
    for gap in _DOTS.finditer(title):
        name, unit = title[: gap.start()], title[gap.end() :].rstrip(".")
        for text in (_POWER_OF_DOTS.sub(r"10^\1/", unit, count=1), unit.replace(".", "/")):
            if known.analyte(name) and known.unit(name, text):
                return name, text
    return None


def _doubtful(title: str, known: Known) -> tuple[str, str] | None:
    """`alt_ul`, `PLT.103uL`: a unit that lost its signs; the rows below are held for it."""
    for gap in _ANY_GAP.finditer(title):
        name, unit = title[: gap.start()], title[gap.end() :]
        if known.analyte(name) and known.like_unit(name, unit):
            return name, unit
    return None


def _last_brackets(title: str) -> int:
    """Where the brackets open that close at the end of a title; 0 where they never do."""
    closed = 0
    for index in reversed(range(len(title))):
        closed += (title[index] in ")]") - (title[index] in "([")
        if closed == 0:
            return index
    return 0


def _without_value_word(name: str, known: Known) -> str:
    if known.analyte(name):
        return name
    for gap in _PARTS.finditer(name):
        before, word = name[: gap.start()], name[gap.end() :]
        if vocabulary().column_of(word) == "value" and known.analyte(before):
            return before
    return name


def _unit_within(title: str, parted: tuple[str, str] | None, known: Known) -> str:
    """The unit that the name of an analyte says itself; "" for most names."""
    if title.lstrip("([").startswith("%") or title.endswith("%"):
        return "%" if known.unit(title, "%") else ""
    if parted is not None:
        name, unit = parted
        return unit if known.analyte(name) and known.unit(name, unit) else ""
    _, unit = _at_a_gap(title, known) or ("", "")
    return unit


def _at_a_gap(title: str, known: Known) -> tuple[str, str] | None:
    for gap in _PARTS.finditer(title):
        name, unit = title[: gap.start()], title[gap.end() :]
        spellings = (unit.replace("_", "/"), unit, unit.replace("_", " "), unit.removeprefix("in "))
        for text in spellings:
            if known.analyte(name) and known.unit(name, text):
                return name, text
    return None
