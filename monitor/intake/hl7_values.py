"""What the fields of an OBX say, as the text a CSV would have: value, unit, limits, instant.

Sources: HL7 v2.7, chapter 2A (data types), chapter 7.4.2 (OBX), tables 0078, 0085, 0123, 0487.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from monitor.core.catalogue import Catalogue
from monitor.intake.hl7_text import Segment, part_of, split
from monitor.intake.materials import named_with_material
from monitor.intake.ranges import limits_of as limits_in
from monitor.intake.vocabulary import key_of, vocabulary

_INSTANT = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d*)?)?)?)?)?)?\s*(Z|[+-]\d{4})?"
)
_NUMBER = r"[-+]?(?:\d[\d.,]*|\.\d+)(?:[eE][-+]?\d+)?"
_POWER = re.compile(r"[xX×*]?\s*10")
_ORDER_STATUS = {"F": "F", "C": "C", "P": "P", "R": "R", "A": "P", "X": "X"}
"""Table 0123 to 0085; `A` of an order is `some results`, of a result `amended`."""
_CODED = frozenset({"CE", "CWE", "CNE", "CF"})
_TEXT = frozenset({"TX", "FT", "ST", ""})
_DOCUMENT = frozenset({"ED", "RP"})
_OFF_SCALE = ("<", ">")
SAME_VALUE = "now final; the value was not sent again"
"""For status U without a value: the laboratory means one that it sent before."""


def instant(text: str) -> str:
    """An HL7 time as ISO 8601, a day where no hour is given. What names no day, or is no HL7
    time, stays as it is."""
    text = text.strip()
    found = _INSTANT.fullmatch(text)
    if found is None or found[3] is None:
        return text
    day = f"{found[1]}-{found[2]}-{found[3]}"
    if found[4] is None:
        return day
    return f"{day}T{found[4]}:{found[5] or '00'}:{found[6] or '00'}{found[7] or ''}"


def birth_day(text: str) -> str:
    """A birth date as ISO 8601, without its time of day; one that names no day is not known."""
    text = text.strip()
    found = _INSTANT.fullmatch(text)
    if found is None:
        return text
    return f"{found[1]}-{found[2]}-{found[3]}" if found[3] else ""


def value_of(obx: Segment) -> str:
    """OBX-5 as text, with the comparator that its type or flag (table 0078: off scale) gives.

    Several different repetitions of a number stay apart (`4.1~4.2`): nobody knows which counts.
    """
    kind = obx.field(2).upper()
    if kind in _DOCUMENT:
        return "(a document)" if obx.field(5) else ""
    if kind in _TEXT:
        joined = "\n".join(obx.plain(repeat) for repeat in obx.repeats(5))
        text = joined.strip()
    else:
        texts = dict.fromkeys(_one(obx, kind, repeat) for repeat in obx.repeats(5))
        text = "~".join(text for text in texts if text)
    if not text and obx.field(11).upper() == "U":
        return SAME_VALUE
    flag = obx.component(8)
    if flag in _OFF_SCALE and re.fullmatch(_NUMBER, text):
        return f"{flag}{text}"
    return text


def _one(obx: Segment, kind: str, repeat: str) -> str:
    parts = obx.components(repeat)
    if kind == "SN":
        return _structured(parts)
    if kind in _CODED:
        return part_of(parts, 2) or part_of(parts, 9) or part_of(parts, 5) or part_of(parts, 1)
    if kind in ("DR", "NR"):
        return " - ".join(part for part in parts[:2] if part)
    if kind == "CQ":
        return part_of(parts, 1)
    filled = [part for part in parts if part]
    if len(filled) > 1:
        # With a blank between them they would be one number in groups of three: 1^250.
        return obx.marks.component.join(parts)
    text = filled[0] if len(parts) > 1 and filled else obx.plain(repeat)
    signed = kind == "NM" and re.fullmatch(rf"\+{_NUMBER}", text.strip())
    return text.strip().removeprefix("+") if signed else text


def _structured(parts: list[str]) -> str:
    """SN: comparator, number, separator or suffix, number. A lone number may be misplaced."""
    comparator = part_of(parts, 1)
    if len(parts) == 1:
        return comparator
    sign = "" if comparator == "=" else comparator
    first, separator, second = (part_of(parts, number) for number in (2, 3, 4))
    if first and second and not separator.strip():
        # Side by side they would be one number: 5 and 10 are no 510.
        separator = "^"
    return "".join([sign, first, separator, second])


def unit_of(obx: Segment, is_unit: Callable[[str], bool]) -> str:
    """OBX-6: the first of its codes and texts that is a unit of the analyte, else its first
    that is not empty. `10^9/L` whose mark was not escaped is put together again."""
    repeats = obx.repeats(6)
    if not repeats:
        return ""
    parts = obx.components(repeats[0])
    if len(parts) > 1 and _POWER.fullmatch(parts[0]) and parts[1][:1].isdigit():
        return f"{parts[0]}^{parts[1]}"
    written = [part for part in (*parts[:2], *parts[3:5], *parts[8:9]) if part]
    return next((part for part in written if is_unit(part)), written[0] if written else "")


def limits_of(obx: Segment) -> tuple[str, str]:
    """OBX-7 as lower and upper limit. What cannot be read is no limit."""
    repeats = obx.repeats(7)
    return limits_in(obx.plain(repeats[0])) if repeats else ("", "")


def status_of(obx: Segment, obr: Segment | None) -> str:
    """OBX-11; where the laboratory leaves it out, what OBR-25 says of the whole order."""
    status = obx.component(11)
    if status or obr is None or not obr.field(25):
        return status
    return _ORDER_STATUS.get(obr.component(25).upper(), "P")


def names_of(obx: Segment, told: str, order: str, catalogue: Catalogue) -> tuple[str, ...]:
    """What OBX-3 calls the analyte: LOINC codes first, then other codes, then texts; with the
    material where it is told, by whatever of them, to be no blood."""
    repeats = obx.repeats(3)
    parts = obx.components(repeats[0]) if repeats else []
    triplets = [(part_of(parts, n), part_of(parts, n + 2)) for n in (1, 4, 10)]
    loinc = [code for code, system in triplets if _is_loinc(code, system)]
    local = [code for code, system in triplets if code and code not in loinc]
    texts = [part_of(parts, number) for number in (2, 5, 9, 11)]
    texts += [_without_unit(text, obx.component(6)) for text in texts]
    return named_with_material(loinc, local, texts, catalogue, told=told, order=order)


def _without_unit(text: str, unit: str) -> str:
    """`Lymphozyten G/l` of which OBX-6 says G/l: the name alone."""
    name = text.strip().removesuffix(unit)
    return name.rstrip() if unit and name[-1:].isspace() else ""


def _is_loinc(code: str, system: str) -> bool:
    named = system.upper() in ("LN", "LOINC", "2.16.840.1.113883.6.1", "HTTP://LOINC.ORG")
    return named and re.fullmatch(r"\d{1,7}-\d", code) is not None


def not_blood(spm: Segment | None, obr: Segment | None) -> tuple[str, str]:
    """The specimen as SPM-4 or OBR-15 names it where it is not blood, serum or plasma; and where
    neither says that it is blood, the order as OBR-4 names it ("Urinstatus"), if its name says
    that it is of none. A control (table 0369) is nobody's blood."""
    if spm is not None and spm.component(11).upper() in _CONTROLS:
        return "control", ""
    is_blood = False
    for segment, number in ((spm, 4), (obr, 15)):
        repeats = segment.repeats(number) if segment is not None else []
        if segment is None or not repeats:
            continue
        for part in segment.components(repeats[0]):
            for name in split(part, segment.marks.subcomponent):
                if is_not_blood(name):
                    return name.strip(), ""
                is_blood = is_blood or is_blood_itself(name)
    return "", "" if is_blood or obr is None else _order_of_no_blood(obr)


def _order_of_no_blood(obr: Segment) -> str:
    """The name of an order of urine and the like: its leukocytes are none of the blood."""
    repeats = obr.repeats(4)
    parts = obr.components(repeats[0]) if repeats else []
    names = [part_of(parts, 2), part_of(parts, 5)]
    return next((it.strip() for it in names if vocabulary().is_of_no_blood(it)), "")


@lru_cache(4096)
def is_not_blood(kind: str) -> bool:
    """Whether a code or name of a kind of specimen says that it is not blood, serum or plasma."""
    known = vocabulary()
    is_named = kind.strip().upper() in _NOT_BLOOD or key_of(kind) in known.other_materials
    return is_named or known.is_of_no_blood(kind)


@lru_cache(4096)
def is_blood_itself(kind: str) -> bool:
    """Whether a code or name of a kind of specimen says that it is blood, serum or plasma."""
    known = vocabulary()
    is_named = kind.strip().upper() in _BLOOD or key_of(kind) in known.blood
    return is_named or known.is_of_blood(kind)


_CONTROLS = frozenset({"Q", "C", "E", "O", "V"})
"""Table 0369: control, calibrator, electronic control, proficiency, verification."""
_NOT_BLOOD = frozenset(
    """
    UR URC URN URNS URT UMED U24 URINE CSF CSFSP ASP BAL BLW BRTH DIAF EXG FLD FLU GAST MILK NAIL
    PCFL PLR PLRF PRT PERI PUS SAL SEM SNV SPT SPTC SPTT STL STLF STOOL SWEAT SWT TEAR TISS TIS TSMI
    FECES FAECES SPUTUM SALIVA AMN BILE BON MAR BONE HAIR VITF
    122575003 78014005 258450006 258442002 119339001 119334006 119342007 430221008 309201001
    418564007 119332005 168139001 122571007 119359002 119323008
    """.split()
)
_BLOOD = frozenset(
    """
    BLD BLDA BLDC BLDV BLDCO WB SER PLAS PLB PPP PRP RBC WBC CAPB
    119297000 119364003 119361006 122555007 258580003 445295009 708048008 122554006 122552005
    119351004 121168008
    """.split()
)
"""The same of blood, of table 0487 and SNOMED CT."""
