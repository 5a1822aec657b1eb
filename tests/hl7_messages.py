"""HL7 messages for tests, and what their reader makes of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.hl7 import items_of
from monitor.intake.hl7_text import Message, read_messages
from monitor.intake.raw import BadLine, Item, OtherMessage, PatientMerge, RawRow
from monitor.resources import schedules_folder

REAL = Path(__file__).parent / "data" / "real" / "hl7"
MSH = "MSH|^~\\&|LAB|NORTH|MONITOR|CLINIC|20260302110000||ORU^R01|{control}|P|2.5.1"
PID = "PID|1||{mrn}^^^NORTH^MR||Keller^Anna||19700501|F"
OBR = "OBR|1||{specimen}|CBC^Blood count^L|||{collected}|||||||||||||||20260302104500|||F"


def oru(
    *segments: str,
    mrn: str = "A1",
    control: str = "1",
    collected: str = "202603020830",
    specimen: str = "S1",
    end: str = "\r",
) -> str:
    """A message with one order; `segments` come after its OBR."""
    parts = [
        MSH.format(control=control),
        PID.format(mrn=mrn),
        OBR.format(specimen=specimen, collected=collected),
        *segments,
    ]
    return end.join(parts) + end


def obx(code: str, value: str, unit: str = "10*9/L", *, kind: str = "NM", status: str = "F") -> str:
    """A result."""
    return f"OBX|1|{kind}|{code}||{value}|{unit}|||||{status}"


@cache
def catalogue() -> Catalogue:
    """The catalogue that is shipped."""
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def items(content: str | bytes, source: Source | None = None) -> list[Item]:
    """What the reader makes of a file."""
    raw = content.encode() if isinstance(content, str) else content
    found: list[Item] = []
    for it in read_messages(io.BytesIO(raw)):
        found += items_of(it, source or Source(), catalogue()) if isinstance(it, Message) else [it]
    return found


def rows(content: str | bytes, source: Source | None = None) -> list[RawRow]:
    """Its rows; anything else beside them is a failure."""
    found = items(content, source)
    assert [it for it in found if not isinstance(it, RawRow)] == []
    return [it for it in found if isinstance(it, RawRow)]


def row(*segments: str, content: str = "") -> RawRow:
    """The one row of a message."""
    (found,) = rows(content or oru(*segments))
    return found


def kinds(found: Sequence[Item]) -> list[str]:
    """Items by name, in their order."""
    names = {RawRow: "row", BadLine: "bad", OtherMessage: "other", PatientMerge: "merge"}
    return [names[type(it)] for it in found]
