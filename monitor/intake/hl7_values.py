"""What the fields of an OBX say, as the text a CSV would have: value, unit, limits, instant.

Sources: HL7 v2.7, chapter 2A (data types), chapter 7.4.2 (OBX), tables 0078, 0085, 0123, 0487.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from monitor.core.catalogue import Catalogue
from monitor.core.status_words import read_status
from monitor.core.vocabulary import Status
from monitor.intake.flags import remark_in
from monitor.intake.hl7_text import Segment, part_of, split
from monitor.intake.materials import named_with_material
from monitor.intake.ranges import range_of
from monitor.intake.vocabulary import key_of, vocabulary

_INSTANT = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d*)?)?)?)?)?)?\s*"
    r"(Z|[+-]\d{2}(?::?\d{2})?|[A-Z]{3,4})?"
)
_NUMBER = r"[-+]?(?:\d[\d.,]*|\.\d+)(?:[eE][-+]?\d+)?"
_POWER = re.compile(r"[xX×*]?\s*10")
_WORD = re.compile(r"[^\W\d_]{2}")
_ORDER_STATUS = {"F": "F", "C": "C", "P": "P", "R": "R", "A": "P", "X": "X"}
"""Table 0123 to 0085; `A` of an order is `some results`, of a result `amended`."""
_CANCELLED = "X"
_STANDING = (Status.FINAL, Status.CORRECTED, Status.PRELIMINARY)
_CODED = frozenset({"CE", "CWE", "CNE", "CF"})
_TEXT = frozenset({"TX", "FT", "ST", ""})
_DOCUMENT = frozenset({"ED", "RP"})
OFF_SCALE = ("<", ">")
"""Table 0078: below or above what the instrument can measure."""
SAME_VALUE = "now final; the value was not sent again"
"""For status U without a value: the laboratory means one that it sent before."""


def instant(text: str) -> str:
    """An HL7 time as ISO 8601, a day where no hour is given. What names no day, or is no HL7
    time, stays as it is; noughts alone say nothing."""
    text = text.strip()
    if not text.strip("0"):
        return ""
    found = _INSTANT.fullmatch(text)
    if found is None or found[3] is None:
        return text
    day = f"{found[1]}-{found[2]}-{found[3]}"
    if found[4] is None:
        return day
    return f"{day}T{found[4]}:{found[5] or '00'}:{found[6] or '00'}{found[7] or ''}"


def birth_day(text: str) -> str:
    """A birth date as ISO 8601, without its time of day; one that names no day, or noughts alone,
    is not known."""
    text = text.strip()
    if not text.strip("0"):
        return ""
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
    flags = (part_of(obx.components(repeat), 1) for repeat in obx.repeats(8))
    sign = next((flag for flag in flags if flag in OFF_SCALE), "")
    return f"{sign}{text}" if sign and re.fullmatch(_NUMBER, text) else text


def is_number(obx: Segment) -> bool:
    """Whether an OBX has a number, with or without a comparator."""
    kind = obx.field(2).upper()
    if kind in _TEXT and kind not in ("ST", ""):
        return False
    return re.fullmatch(rf"[<>]?=?\s*{_NUMBER}", value_of(obx)) is not None


def may_be_number(obx: Segment) -> bool:
    """Whether what stands in an OBX shows how its laboratory writes numbers: a number, also among
    signs of another kind, and of a text one that is nothing but a number."""
    kind = obx.field(2).upper()
    if kind in _DOCUMENT:
        return False
    value = value_of(obx)
    if kind in _TEXT and kind not in ("ST", ""):
        return re.fullmatch(rf"[<>]?=?\s*{_NUMBER}", value) is not None
    return _WORD.search(value) is None


def is_text(obx: Segment) -> bool:
    """Whether an OBX has words, or nothing, where a number would stand."""
    return obx.field(2).upper() in _TEXT and not value_of(obx)[:2].strip("<>= ")[:1].isdigit()


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


def unit_of(obx: Segment, meaning: Callable[[str], object]) -> str:
    """OBX-6: the first of its codes and texts that is a unit of the analyte (has a `meaning`), else
    its first that is not empty. Where they mean different things (mg/dL, also called umol/L) both
    are given, which is no unit. `10^9/L` whose mark was not escaped is put together again."""
    repeats = obx.repeats(6)
    if not repeats:
        return ""
    parts = obx.components(repeats[0])
    if len(parts) > 1 and parts[0].endswith("10") and parts[1][:1].isdigit():
        together = f"{parts[0]}^{parts[1]}"
        if _POWER.fullmatch(parts[0]) or meaning(together) is not None:
            return together
    written = [part for part in (*parts[:2], *parts[3:5], *parts[8:9]) if part]
    units = {means: part for part in reversed(written) if (means := meaning(part)) is not None}
    if units:
        return ", also ".join(sorted(units.values(), key=written.index))
    return written[0] if written else ""


def limits_of(obx: Segment, unit: str, meaning: Callable[[str], object]) -> tuple[str, str]:
    """OBX-7 as lower and upper limit. What cannot be read is no limit, nor is one behind which
    another unit stands than the value's."""
    repeats = obx.repeats(7)
    if not repeats:
        return "", ""
    low, high, behind = range_of("^".join(obx.components(repeats[0])))
    theirs = meaning(behind) if behind else None
    is_other = theirs is not None and theirs != meaning(unit)
    return ("", "") if is_other else (low, high)


def remarks_of(obx: Segment) -> list[str]:
    """What the flags of OBX-8 say besides high and low, each in its words or as a code."""
    parts = (obx.components(repeat) for repeat in obx.repeats(8))
    told = (part_of(it, 2) or part_of(it, 9) or part_of(it, 1) for it in parts)
    return [remark for text in told if (remark := remark_in(text))]


def status_of(obx: Segment, obr: Segment | None) -> str:
    """OBX-11; where the laboratory leaves it out, what OBR-25 says of the whole order. A result
    that stands in an order that was cancelled has both, which is no status: nobody knows which is
    meant."""
    status = obx.component(11)
    if obr is None or not obr.field(25):
        return status
    of_order = obr.component(25).upper()
    if not status:
        return _ORDER_STATUS.get(of_order, "P")
    if of_order == _CANCELLED and read_status(status) in _STANDING:
        return f"{status} in an order {of_order}, cancelled"
    return status


@dataclass(frozen=True, slots=True)
class Material:
    """What an order says of what its results were measured in, where that is no blood."""

    told: str = ""
    """The specimen."""
    order: str = ""
    """The order by its name, where no specimen says that it is blood."""
    unsure: str = ""
    """One of several specimens, where another may be blood."""


def names_of(
    obx: Segment, material: Material, catalogue: Catalogue, mapped: Collection[str] = ()
) -> tuple[str, ...]:
    """What OBX-3 calls the analyte: LOINC codes first, then other codes, then texts; with the
    material where it is told, by whatever of them, to be no blood. Of several specimens of which
    one is none, a LOINC code of ours says which."""
    repeats = obx.repeats(3)
    parts = obx.components(repeats[0]) if repeats else []
    triplets = [(part_of(parts, n), part_of(parts, n + 2)) for n in (1, 4, 10)]
    loinc = [code for code, system in triplets if _is_loinc(code, system)]
    local = [code for code, system in triplets if code and code not in loinc]
    texts = [part_of(parts, number) for number in (2, 5, 9, 11)]
    texts += [_without_unit(text, obx.component(6)) for text in texts]
    called = {part_of(parts, n): part_of(parts, n + 1) for n in (4, 1)}
    of_blood = any(catalogue.find(code) is not None for code in loinc)
    return named_with_material(
        loinc,
        local,
        texts,
        catalogue,
        told=material.told or ("" if of_blood else material.unsure),
        order=material.order,
        called=called,
        mapped=mapped,
    )


def _without_unit(text: str, unit: str) -> str:
    """`Lymphozyten G/l` of which OBX-6 says G/l, also in brackets: the name alone."""
    for written in (unit, f"[{unit}]", f"({unit})"):
        name = text.strip().removesuffix(written)
        if unit and name[-1:].isspace():
            return name.rstrip()
    return ""


def _is_loinc(code: str, system: str) -> bool:
    named = system.upper() in ("LN", "LOINC", "2.16.840.1.113883.6.1", "HTTP://LOINC.ORG")
    return named and re.fullmatch(r"\d{1,7}-\d", code) is not None


def material_of(specimens: Sequence[Segment], obr: Segment | None) -> Material:
    """What an order was measured in, by all of its specimens."""
    found = [_not_blood(spm, obr) for spm in specimens] or [_not_blood(None, obr)]
    told = [it.told for it in found]
    if all(told) or not any(told):
        return found[0]
    return Material(unsure=next(it for it in told if it))


def _not_blood(spm: Segment | None, obr: Segment | None) -> Material:
    """The specimen as SPM-4 or OBR-15 names it where it is not blood, serum or plasma; and where
    neither says that it is blood, the order as OBR-4 names it ("Urinstatus"), if its name says
    that it is of none. A control (table 0369) is nobody's blood."""
    if spm is not None and spm.component(11).upper() in _CONTROLS:
        return Material("control")
    is_blood = False
    for segment, number in ((spm, 4), (obr, 15)):
        for name, system in _kinds(segment, number):
            if is_not_blood(name, system):
                return Material(name.strip())
            is_blood = is_blood or is_blood_itself(name)
    return Material(order="" if is_blood or obr is None else _order_of_no_blood(obr))


def _kinds(segment: Segment | None, number: int) -> Iterator[tuple[str, str]]:
    """What a field calls a specimen, each name with the system that its code is of."""
    repeats = segment.repeats(number) if segment is not None else []
    if segment is None or not repeats:
        return
    parts = segment.components(repeats[0])
    for index, part in enumerate(parts):
        within = split(part, segment.marks.subcomponent)
        system = part_of(within, 3) or part_of(parts, 3 if index < 3 else 6)
        yield from ((name, system.strip()) for name in within)


def _order_of_no_blood(obr: Segment) -> str:
    """The name of an order of urine and the like: its leukocytes are none of the blood."""
    repeats = obr.repeats(4)
    parts = obr.components(repeats[0]) if repeats else []
    names = [part_of(parts, 2), part_of(parts, 5)]
    return next((it.strip() for it in names if vocabulary().is_of_no_blood(it)), "")


@lru_cache(4096)
def is_not_blood(kind: str, system: str = "") -> bool:
    """Whether a code or name of a kind of specimen says that it is not blood, serum or plasma,
    or not the patient's. A code that may also be a laboratory's own word for a tube counts where
    the system says that it is one of table 0487 or 0070."""
    code, known = kind.strip().upper(), vocabulary()
    is_of_table = code in _NOT_BLOOD_OF_TABLES and _TABLES.search(system) is not None
    is_named = code in _NOT_BLOOD or is_of_table or key_of(kind) in known.other_materials
    return is_named or known.is_specimen_of_no_blood(kind)


@lru_cache(4096)
def is_blood_itself(kind: str) -> bool:
    """Whether a code or name of a kind of specimen says that it is blood, serum or plasma."""
    known = vocabulary()
    is_named = kind.strip().upper() in _BLOOD or key_of(kind) in known.blood
    return is_named or known.is_of_blood(kind)


_CONTROLS = frozenset({"Q", "C", "E", "O", "V"})
"""Table 0369: control, calibrator, electronic control, proficiency, verification."""
_TABLES = re.compile(
    r"(?:HL7|v2[-/])?(?:0487|0070)$|2\.16\.840\.1\.113883\.12\.(?:487|70)$", re.IGNORECASE
)
_NOT_BLOOD = frozenset(
    """
    UR URC URN URNS URT UMED U24 URINE RANDU USCOP UCATH URINB URINC URINM URINN URINP CSF CSFSP
    LSAC ASP BAL BLW BRTH DIA DIAF EXG FLD FLU FGA FRS GAST MILK MLK NAIL ACNFLD CSMY CST CYST
    BCYST PSC DRNG DRNGP GASD HYDC IVFLD JNTFLD KIDFLD LAVG LAVGG LAVGP LAVPG RENC RENALC SHUNF
    BIFL PAFL DUFL EFFUS EXUDTE TRANS DISCHG ETA GASA NGASP TASP TTRA WASH WASI PCFL PLR PLRF
    PRT PERI PUS PUST PUSFR SAL SEM SMN SPRM SNV SPT SPTC SPTT DCS SPUT1 SPUTIN SPUTSP STL STLF
    STOOL SWEAT SWT TEAR TISS TIS TSMI TISU BX VOM MUCUS NSECR SECRE WNDD WNDE ABS FECES FAECES
    SPUTUM SALIVA AMN BILE BON MAR BONE HAIR VITF BLDCO UMB FBLOOD HBLUD MBLD CSVR BBL BPU PLB
    PRP
    122575003 78014005 258450006 258442002 119339001 119334006 119342007 430221008 309201001
    418564007 119332005 168139001 122571007 119359002 119323008 119295008 119300005 119305000
    119316007 119321005 119325001 119328004 119340004 119341000 119343002 119345009 119347001
    119348006 119349003 119350003 119363009 119368000 119371008 119373006 119376003 122550002
    122556008 122558009 122565001 122566000 122567009 122568004 122569007 122574004 122576002
    122577006 122582004 122594008 122614000 122638001 122656001 122736005 122877000 128157004
    168136008 168137004 168140004 168141000 168145009 258407001 258411007 258417006 258418001
    258420003 258424007 258428005 258434003 258435002 258436001 258438000 258439008 258440005
    258441009 258444001 258446004 258448003 258452003 258453008 258454002 258455001 258456000
    258458004 258459007 258461003 258462005 258465007 258466008 258467004 258468009 258469001
    258470000 258471001 258475005 258479004 258480001 258482009 258483004 258484005 258487003
    258490009 258492001 258493006 258494000 258495004 258538002 258559009 258560004 258570002
    258574006 258575007 258576008 258577004 258583001 258607008 258609006 258649003 271514008
    278020009 302795002 309051001 309061008 309072003 309078004 309110000 309121009 309128003
    309129006 309146009 309171007 309199003 309503002 309508006 396997002 399492000 410580001
    431361003 432657002 432825001 439580004 439628000 440674008 441479001 441620008 441903006
    442173007 444937002 444946008 445372002 445447003 445744006 446129006 446130001 446306009
    446676001 446817004 446846006 446907008 446951004 446972001 447407009 447488002 447589008
    450872001 698276005 699287008 699874006 703430008 703431007 703691002 708112008 732293002
    732976006 733056005 734379005
    """.split()
)
"""Codes of tables 0487 and 0070 and of SNOMED CT that are no blood, or not the patient's; and what
laboratories write for them."""
_NOT_BLOOD_OF_TABLES = frozenset(
    """
    ACNE AIRS ALL AMP ANGI ARTC ATTE AUTOC AUTP BITE BLEB BLIST BOIL BOWL BRN BRO BRSH BRUS BUB
    BULLA CALC CARBU CAT CBITE CDM CLIPP CNJT CNL COL CONE CSCR CSITE CTP CUR CVM CVPS CVPT CVX
    CYN DBITE DEC DEION DIV DRN EAR EARW EBRUSH EEYE EFF EFOD EISO ELT ENDC ENDM ENVIR EOTH ESOI
    ESOS ETTP ETTUB EWHI EXS EYE FAW FIB FIST FLT FLUID FOLEY FSCLP FUR GAS GASAN GASBR GEN GENC
    GENL GENV GRAFT GRANU GROSH GSOL GSPEC GT GTUBE HAR HBITE HEMAQ HEMO HERNI HEV HIC IBITE ICYST
    IDC IHG ILEO IMP INCI INFIL INS INTRD IT IUD IVCAT IVTIP JEJU JP KELOI LAM LENS1 LENS2 LESN
    LIQ LIQO MAHUR MASS MEC MUCOS NASDR NEDL NEPH NGAST NGS NODUL ORL PACEM PDSIT PDTS PELVA PENIL
    PERIA PILOC PINS PIS PLAN PLC PND POL POPGS POPLG POPLV PORTA PROST PUNCT QC3 RBITE RECT RECTA
    RES SCAR SCLV SCROA SHU SHUNT SKBP SKM SKN SMM SPRP SPRPB SPS STER STON STONE SUBMA SUBMX SUMP
    SUP SUTUR SWGZ THRT TISG TISPL TLC TLGI TLNG TRAC TSTES TUMOR TZANC ULC
    URTH VASTIP VENT WAT WEN WICK WND WNDA WORM WRT WWA WWO WWT
    """.split()
)
"""The other codes of tables 0487 and 0070 that are no blood: devices, sites, tissues."""
_BLOOD = frozenset(
    """
    BLD BLDA BLDC BLDV WB SER PLAS PPP ASERU CSERU PLEVS TSERU RBC WBC CAPB
    119297000 119364003 119361006 122555007 258580003 445295009 708048008 122554006 122552005
    119351004 121168008
    """.split()
)
"""The same of blood, of table 0487 and SNOMED CT."""
