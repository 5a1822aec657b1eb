"""Whose a message of HL7 is: the patient of a PID, and the merges of two numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.config import Source
from monitor.intake.hl7_text import KEPT, Message, Segment, part_of, split
from monitor.intake.hl7_values import birth_day
from monitor.intake.raw import BadLine, Item, OtherMessage, PatientMerge, may_be_one

_FIELD_OF_PID = re.compile(r"\s*PID[-. ]?(\d{1,2})\s*", re.IGNORECASE)
"""How the mapping of a source names the field of the patient's number, where it is no usual one."""
_NO_NUMBERS = frozenset({"SS", "SSN", "DL", "AN", "VN", "PPN", "BC", "XX"})
"""Types of identifiers (table 0203) that are no patient's number."""

_ANOTHER_KIND = "of its other numbers that end, one is an enrolled patient's"


@dataclass(slots=True)
class Patient:
    """Whose the orders that follow are."""

    pid: Segment | None = None
    mrn: str = ""
    issuer: str = ""
    family_name: str = ""
    given_name: str = ""
    birth_date: str = ""


def fields_of(mapping: Source) -> Sequence[int]:
    """The fields of PID in which the patient's number is looked for: the one that the source's
    mapping names (`mrn = "PID-2"`), else PID-3, PID-2 and PID-4."""
    named = _FIELD_OF_PID.fullmatch(mapping.columns.get("mrn", ""))
    return (int(named[1]),) if named else (3, 2, 4)


def patient_of(pid: Segment, fields: Sequence[int]) -> Patient:
    """The patient that a PID names."""
    mrn, issuer = _identified(pid, fields)
    names = [pid.components(repeat) for repeat in pid.repeats(5)]
    legal = next((it for it in names if part_of(it, 7).upper() == "L"), names[0] if names else [])
    return Patient(
        pid=pid,
        mrn=mrn,
        issuer=issuer,
        family_name=split(part_of(legal, 1), pid.marks.subcomponent)[0].strip(),
        given_name=part_of(legal, 2),
        birth_date=birth_day(pid.component(7)),
    )


def _identified(pid: Segment, fields: Sequence[int] = (3, 2, 4)) -> tuple[str, str]:
    """The number in the first of these fields that has one, and who gave it out."""
    is_named = len(fields) == 1
    listed = (_identifiers_of(pid, number, any_kind=is_named) for number in fields)
    return next(((found[0].number, found[0].issuer) for found in listed if found), ("", ""))


class _Identifier(NamedTuple):
    number: str
    issuer: str
    kind: str
    """Its type, of table 0203."""

    def is_of_kind(self, other: _Identifier) -> bool:
        """Whether both are numbers of one issuer and type, as far as they say so."""
        if self.issuer.casefold() != other.issuer.casefold():
            return False
        kinds = {self.kind, other.kind}
        return len(kinds - {""}) < 2 if self.issuer else len(kinds) == 1 and bool(self.kind)

    def may_be(self, other: _Identifier) -> bool:
        """Whether both may be the very same number."""
        return may_be_one(self.number, self.issuer, other.number, other.issuer)


def _identifiers_of(segment: Segment, number: int, *, any_kind: bool = False) -> list[_Identifier]:
    """The patient's numbers in a list of identifiers, and who gave them out: one of type MR first,
    then one of another patient's number, then one that does not say its type; of one type, one
    with a day on which it ended (CX-8) last. `any_kind`: where none is of a type that is a
    patient's number, those of the others."""
    told = [segment.components(repeat) for repeat in segment.repeats(number)]
    told = [it for it in told if part_of(it, 1)]
    found = [it for it in told if part_of(it, 5).upper() not in _NO_NUMBERS]
    found = found or (told if any_kind else [])
    found.sort(key=lambda it: (_preference(part_of(it, 5).upper()), bool(part_of(it, 8))))
    authorities = [split(part_of(it, 4), segment.marks.subcomponent) for it in found]
    issuers = [next((part.strip() for part in it if part.strip()), "") for it in authorities]
    return [
        _Identifier(part_of(it, 1), issuer, part_of(it, 5).upper())
        for it, issuer in zip(found, issuers, strict=True)
    ]


def _preference(kind: str) -> int:
    """How likely an identifier of a type of table 0203 is the clinic's own number."""
    if kind in ("MR", "MRN"):
        return 0
    if kind.startswith("MR"):
        return 1
    return {"PI": 2, "PT": 3, "": 4}.get(kind, 5)


def merges(message: Message) -> Iterator[Item]:
    """The merges of a message: PID holds the number that stays, MRG-1 each one that ends."""
    place = f"message {message.number}"
    pid: Segment | None = None
    found = False
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        if segment.name == "MRG":
            found = True
            yield from _merges(message, segment, pid)
    if not found:
        reason = "a merge of patients without an MRG segment"
        yield BadLine(message.line, "merge", reason, "", place)


def _merges(message: Message, mrg: Segment, pid: Segment | None) -> Iterator[Item]:
    """What one MRG ends: of its numbers those of the issuer and type of the one that stays; where
    none is, the likeliest and those like it. Another may be a number of the same patient for
    something else, and is not followed without a person. One that stays does not end."""
    stays = Patient() if pid is None else patient_of(pid, (3, 2, 4))
    listed = [] if pid is None else _identifiers_of(pid, 3)
    ours = next(
        (it for it in listed if it.number == stays.mrn), _Identifier(stays.mrn, stays.issuer, "")
    )
    told = _identifiers_of(mrg, 1)
    ended = [it for it in told if not any(it.may_be(one) for one in listed)]
    if not ended:
        old = (told[0].number, told[0].issuer) if told else ("", "")
        yield _merge(message, mrg, stays, *old)
        return
    same = [it for it in ended if it.is_of_kind(ours)]
    first = ended[0]
    followed = same or [it for it in ended if it is first or (it.kind and it[1:] == first[1:])]
    for it in followed:
        yield _merge(message, mrg, stays, it.number, it.issuer)
    for it in ended:
        if it not in followed:
            yield _merge(message, mrg, stays, it.number, it.issuer, _ANOTHER_KIND)


def _merge(
    message: Message, mrg: Segment, stays: Patient, old: str, of_old: str, unsure: str = ""
) -> Item:
    place = f"message {message.number}, MRG"
    new, issuer = stays.mrn, stays.issuer
    issuer, of_old = issuer or of_old, of_old or issuer
    if not old or not new:
        reason = "a merge of patients that names no old or no new number"
        return BadLine(mrg.line, "merge", reason, mrg.text[:KEPT], place)
    if (old.casefold(), of_old.casefold()) == (new.casefold(), issuer.casefold()):
        return OtherMessage(message.line, message.kind)
    return PatientMerge(
        line=message.line,
        kind=message.kind,
        old=old,
        new=new,
        issuer=issuer,
        old_issuer=of_old,
        family_name=stays.family_name,
        given_name=stays.given_name,
        birth_date=stays.birth_date,
        text="\n".join(it.text for it in (stays.pid, mrg) if it is not None)[:KEPT],
        place=place,
        unsure=unsure,
    )
