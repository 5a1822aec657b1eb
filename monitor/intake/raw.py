"""A raw row: one value as received, in our columns, whatever format it came in.

Readers (CSV, HL7, FHIR ...) only turn bytes into raw rows with their place; everything after
is the same `normalise`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitor.core.result_columns import RESULT_COLUMNS
from monitor.intake.storable import storable

_BESIDE = ("place", "reference", "unresolved", "dates", "decimal")
OPEN_POINT = "open"
"""Instead of a decimal mark: a point before three digits may mark thousands."""
RECEIVED = "received"
"""Key under which a held row keeps its cells under the laboratory's own header names."""
MARKED = "marked as deleted"
"""In place of a status: a column of its own says so, and with what word."""


class RawRow(NamedTuple):
    """One value as received, in our columns; an absent cell is empty. `given` are the cells
    under the names of the file (header names, segments, elements), for quarantine.

    `line` is the line of a text file, or the number of the message or resource; `place` says
    where within it (`OBX 3`, `entry[4].component[1]`). `issuer` is who gave out the MRN.
    `also` are further names the row gives its analyte, in the order to be tried. Where a row
    only refers to its patient (FHIR) and that leads to no number, `reference` is what it says
    (`Patient/f001`), and `unresolved` why it leads nowhere. `dates` is the order of day and month,
    and `decimal` the decimal mark (`point`, `comma`), where the whole file shows them; "" leaves
    both to the source's mapping, and `open` refuses a point that may mark thousands. `is_remark`: a
    text beside a number, which has it as its comment. `is_derived`: a copy or a summary of results
    that stand in rows of their own.
    """

    line: int
    mrn: str
    collected_at: str
    analyte: str
    value: str
    unit: str
    ref_low: str
    ref_high: str
    specimen_id: str
    status: str
    reported_at: str
    comment: str
    family_name: str
    given_name: str
    birth_date: str
    issuer: str
    method: str
    given: Sequence[tuple[str, str]]
    place: str = ""
    also: tuple[str, ...] = ()
    reference: str = ""
    unresolved: str = ""
    dates: str = ""
    decimal: str = ""
    is_remark: bool = False
    is_derived: bool = False

    def stored(self) -> dict[str, Any]:
        """The row as quarantine keeps it: our columns, and the cells as the file named them."""
        ours = {name: storable(getattr(self, name)) for name in (*RESULT_COLUMNS, *_BESIDE)}
        kept: dict[str, Any] = {name: text for name, text in ours.items() if text}
        if self.also:
            kept["also"] = [storable(name) for name in self.also]
        kept[RECEIVED] = {name: storable(text) for name, text in self.given if name}
        return kept


def restored(line: int, kept: dict[str, Any]) -> RawRow:
    """The raw row that `stored` kept."""
    ours = [str(kept.get(name, "")) for name in RESULT_COLUMNS]
    given = tuple((str(name), str(text)) for name, text in kept.get(RECEIVED, {}).items())
    also = tuple(str(name) for name in kept.get("also", ()))
    place, *beside = (str(kept.get(name, "")) for name in _BESIDE)
    return RawRow._make((line, *ours, given, place, also, *beside, False, False))


def as_written(row: RawRow) -> str:
    """Who a row says it is of, letter by letter but for case: what a fix of the patient goes by,
    so that it never takes in another person's rows under the same number."""
    cells = (row.issuer, row.mrn, row.family_name, row.given_name, row.birth_date)
    return json.dumps([cell.strip().casefold() for cell in cells], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class BadLine:
    """What cannot be taken apart into values: a line, a segment, a resource."""

    line: int
    code: str
    reason: str
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class OtherMessage:
    """A message of another kind than results: counted in `other_messages`, no row."""

    line: int
    kind: str
    """As the format names it: `ADT^A08`, `Patient`."""


@dataclass(frozen=True, slots=True)
class PatientMerge:
    """A message that says the results of `old` belong to `new` (HL7 A34, A40); counted in
    `other_messages`."""

    line: int
    kind: str
    old: str
    new: str
    issuer: str = ""
    old_issuer: str = ""
    """Who gave out the old number, where that is not who gave out the new one."""
    family_name: str = ""
    given_name: str = ""
    birth_date: str = ""
    """Whose the new number is, by the message; a day as ISO text."""
    text: str = ""
    """What quarantine keeps of it where it cannot be followed."""
    place: str = ""
    unsure: str = ""
    """Why it is not followed without a person, should the old number be an enrolled patient's."""


def may_be_one(number: str, issuer: str, other: str, others_issuer: str) -> bool:
    """Whether two numbers may be the very same: alike but for capitals, and not said to be of two
    issuers. Such are no merge."""
    issuers = {issuer.casefold(), others_issuer.casefold()} - {""}
    return number.casefold() == other.casefold() and len(issuers) < 2


Item = RawRow | BadLine | OtherMessage | PatientMerge
