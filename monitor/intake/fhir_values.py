"""What an Observation or a component of one says, as the text a CSV would have.

Sources: FHIR R4, Observation and Quantity; code systems data-absent-reason and
quantity-comparator; R5 adds the comparator `ad`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from monitor.config import Source
from monitor.core.catalogue import Analyte, Catalogue
from monitor.core.units import Refusal, glued_unit, resolve
from monitor.intake.fhir_around import notes_of
from monitor.intake.fhir_json import Body
from monitor.intake.fhir_parts import codings, many, objects, text_of, word_of
from monitor.intake.fhir_people import Sample
from monitor.intake.flags import remark_in
from monitor.intake.hl7_values import OFF_SCALE, is_blood_itself
from monitor.intake.materials import named_with_material
from monitor.intake.ranges import limits_of as limits_in

LOINC = ("http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1")
_COMPARATORS = ("<", "<=", ">=", ">")
_HIDDEN = frozenset("as-text masked not-a-number negative-infinity positive-infinity NaN".split())
"""Reasons that say there is a value, though none that can be judged."""
_OTHER_RANGES = re.compile(
    r"critical|panic|alarm|alert|therap|treat|target|recommend|absolute|delta|^(?:pre|post)\b"
    r"|follic|luteal|cycle|pubert|menopau|endocr|kritisch|critique|crític|zielbereich",
    re.IGNORECASE,
)
"""Types of reference ranges (FHIR, referencerange-meaning) that are no limits of the healthy."""
_EMPTY: tuple[object, ...] = (None, "", [], {})
_SHOWN = 100
_TO_COME = {"temp-unknown": "pending", "not-asked": "not asked"}


def value_keys(body: Body) -> list[str]:
    """The names of the values that an Observation or component has."""
    return [key for key in body if key.startswith("value") and len(key) > len("value")]


def names_of(
    body: Body,
    sample: Sample,
    mapping: Source,
    catalogue: Catalogue,
    order: str = "",
) -> tuple[str, ...]:
    """What `code` calls the analyte: LOINC codes first, then other codes, then words; with the
    material where it is told, by the specimen, by one of them or else by the `order`, to be no
    blood. Of several specimens of which one is none, a LOINC code of ours says which. Digits of
    another code system that happen to spell a LOINC code are left out unless the source's mapping
    names them.
    """
    concept = body.get("code")
    loinc, local, words = [], [], []
    called: dict[str, str] = {}
    for one in codings(concept):
        code, display = text_of(one, "code"), text_of(one, "display")
        if text_of(one, "system") in LOINC:
            loinc.append(code)
            called.setdefault(code, display)
        elif not code.isdigit() or code in mapping.codes or catalogue.find(code) is None:
            local.append(code)
        words.append(display)
    words.append(text_of(concept, "text"))
    of_blood = any(catalogue.find(code) is not None for code in loinc)
    told = sample.of_no_blood or ("" if of_blood else sample.unsure)
    order = "" if any(is_blood_itself(name) for name, _ in sample.kinds) else order
    return named_with_material(
        loinc, local, words, catalogue, told=told, order=order, called=called, mapped=mapping.codes
    )


def value_of(body: Body) -> str:
    """The value as text, with its comparator; what is no single value stays text that
    quarantine shows, and is never read as a number."""
    texts = [_one(key.removeprefix("value"), body[key]) for key in value_keys(body)]
    found = [text for text in dict.fromkeys(texts) if text]
    if found:
        value = " and ".join(found)
        return f"{_off_scale(body)}{value}" if value[:1].isdigit() else value
    return _absent(body.get("dataAbsentReason"))


def _off_scale(body: Body) -> str:
    """The sign of an interpretation that is one: below or above what could be measured."""
    told = [it for one in objects(_listed(body.get("interpretation"))) for it in codings(one)]
    codes = (text_of(it, "code") for it in told)
    return next((code for code in codes if code in OFF_SCALE), "")


def meant_otherwise(body: Body, part: Body) -> str:
    """Why a value of an Observation, or of a part of it, does not say what its members alone say:
    an extension that changes their meaning, which nobody may pass over (FHIR, "Modifier
    Extensions"), or a focus that is not the subject (a donor, an unborn child)."""
    extended = [it for one in (body, part) for it in objects(one.get("modifierExtension"))]
    said = [f"modifierExtension {text_of(it, 'url')[:_SHOWN]}" for it in extended]
    subject = text_of(body.get("subject"), "reference")
    others = [it for it in objects(body.get("focus")) if text_of(it, "reference") != subject]
    said += [f"focus {text_of(it, 'reference')[:_SHOWN]}" for it in others]
    return ", ".join(word.strip() for word in dict.fromkeys(said))


def absent_words(body: Body) -> str:
    """Why there is no value, in words, for the comment; empty where nothing is said."""
    return word_of(body.get("dataAbsentReason"))


def unit_of(body: Body, names: tuple[str, ...], mapping: Source, catalogue: Catalogue) -> str:
    """The unit of a Quantity: its code where that is a unit of the analyte, else its text.

    Where both are and mean different things (10*9/L, coded as 10*6/L), both are given, which
    is no unit: nobody knows which is meant.
    """
    quantity = _with_unit(body)
    code, unit = text_of(quantity, "code"), text_of(quantity, "unit")
    if not code or not unit or code == unit:
        return code or unit
    analyte = _analyte(names, mapping, catalogue)
    if analyte is None:
        return unit
    name = next(iter(names))
    of_code = _meaning(code, name, analyte, mapping, catalogue)
    of_unit = _meaning(unit, name, analyte, mapping, catalogue)
    if of_code is None:
        return unit
    if of_unit is None or of_unit == of_code:
        return code
    return f"{unit}, coded as {code}"


def _with_unit(body: Body) -> Any:
    """The quantity that names the unit; of a range its end, or its ends where they agree."""
    ends = body.get("valueRange")
    if not isinstance(ends, dict):
        return body.get("valueQuantity")
    units = [
        {name: text_of(end, name) for name in ("code", "unit")}
        for end in (ends.get("low"), ends.get("high"))
        if isinstance(end, dict)
    ]
    return units[0] if units and all(it == units[0] for it in units) else None


def limits_of(
    body: Body, unit: str, names: tuple[str, ...], mapping: Source, catalogue: Catalogue
) -> tuple[str, str]:
    """The first reference range that is for everybody, in the unit of the value; a limit in
    another unit is no limit, and one of a treatment or an alarm no reference."""
    analyte = _analyte(names, mapping, catalogue)

    def meaning(written: str) -> object:
        if analyte is None or not written:
            return None
        return _meaning(written, names[0], analyte, mapping, catalogue)

    ranges = [it for it in objects(body.get("referenceRange")) if not _is_no_reference(it)]
    ranges.sort(key=lambda it: bool(it.get("appliesTo") or it.get("age")))
    for one in ranges:
        low, high = one.get("low"), one.get("high")
        if isinstance(low, dict) or isinstance(high, dict):
            units = _units_of_value(body, unit)
            return _limit(low, units, meaning), _limit(high, units, meaning)
        if text := text_of(one, "text"):
            return limits_in(text)
    return "", ""


def _units_of_value(body: Body, unit: str) -> list[str]:
    """How the unit of a value is written: in its quantity, or in a text behind its number."""
    quantity = body.get("valueQuantity")
    written = [unit, text_of(quantity, "code"), text_of(quantity, "unit")]
    if not any(written):
        written = [glued_unit(value_of(body).lstrip("<>= "))[1]]
    return [it for it in written if it]


def _is_no_reference(one: Body) -> bool:
    """Whether the type of a range (or DSTU2's meaning) says that it is none of the healthy."""
    kind = one.get("type") or one.get("meaning")
    names = [text_of(kind, "text")]
    names += [text_of(it, name) for it in codings(kind) for name in ("code", "display")]
    return any(_OTHER_RANGES.search(name) for name in names)


def comments_of(body: Body) -> list[str]:
    """What is told beside the value, also by its interpretation where that says more than high or
    low."""
    notes = [*notes_of(body), absent_words(body)]
    notes += [remark_in(word_of(it)) for it in objects(_listed(body.get("interpretation")))]
    return [note for note in notes if note]


def _listed(one_or_more: Any) -> Any:
    """What is a list since R4, and was one element before."""
    return [one_or_more] if isinstance(one_or_more, dict) else one_or_more


def _analyte(names: tuple[str, ...], mapping: Source, catalogue: Catalogue) -> Analyte | None:
    found = (catalogue.find(mapping.codes.get(name, name)) for name in names)
    return next((it for it in found if it is not None), None)


def _meaning(
    unit: str, name: str, analyte: Analyte, mapping: Source, catalogue: Catalogue
) -> tuple[str, Any] | None:
    """The analyte and factor that a unit makes of it, also against its code (`mmol/L` of a mass);
    None where it makes no sense."""
    spelt = mapping.unit_spellings.get(unit, unit)
    resolved = resolve(catalogue, analyte, name, spelt)
    found = analyte if isinstance(resolved, Refusal) else resolved
    factor = found.factor(spelt)
    return None if factor is None else (found.name, factor)


def _limit(limit: Any, units: Sequence[str], meaning: Callable[[str], object]) -> str:
    """A limit whose unit is the value's, also where another spelling of it means the same."""
    theirs = [it for name in ("code", "unit") if (it := text_of(limit, name))]
    is_same = not theirs or any(it in units for it in theirs)
    if not is_same:
        means = {meaning(it) for it in theirs} - {None}
        is_same = len(means) == 1 and means == {meaning(it) for it in units} - {None}
    return text_of(limit, "value") if is_same else ""


def _one(kind: str, value: Any) -> str:
    if kind in ("Quantity", "Money", "SimpleQuantity"):
        return _quantity(value)
    if kind == "CodeableConcept":
        return word_of(value)
    if kind == "Range":
        return _range(value)
    if kind == "Ratio" and isinstance(value, dict):
        parts = [_quantity(value.get(name)) for name in ("numerator", "denominator")]
        return " : ".join(part for part in parts if part)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()
    if kind == "Coding":
        return text_of(value, "display") or text_of(value, "code")
    return f"({kind[:30]})" if many(value) else ""


def _quantity(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    number, comparator = text_of(value, "value"), text_of(value, "comparator")
    written = value.get("value") if isinstance(value, dict) else value
    if not number and written not in _EMPTY:
        return f"({json.dumps(written)[:_SHOWN]})"
    if not number or not comparator:
        return number
    return f"{comparator}{number}" if comparator in _COMPARATORS else f"{comparator} {number}"


def _range(value: Any) -> str:
    """`2 - 5`; one that is open to one side is a comparator, for its end belongs to it."""
    low, high = (
        _quantity(value.get(name) if isinstance(value, dict) else None) for name in ("low", "high")
    )
    if low and high:
        return low if low == high else f"{low} - {high}"
    return f">={low}" if low else f"<={high}" if high else ""


def _absent(reason: Any) -> str:
    """What takes the place of a value: nothing where there is none, a word of a result to come,
    and the reason itself where there is a value that we were not given."""
    if not isinstance(reason, dict):
        return ""
    codes = [text_of(it, "code") for it in codings(reason)]
    for code in codes:
        if code in _TO_COME:
            return _TO_COME[code]
    for code in codes:
        if code in _HIDDEN:
            return f"({code})"
    return ""
