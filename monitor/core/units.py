"""What a laboratory wrote, as an exact number in the canonical unit, or a stated refusal.

`"<0.1"`, `"4,2"` and `"K/uL"` become a number, a comparator and a factor; whatever leaves a
doubt is refused with the reason and what would be right, and never guessed. Decimals are
exact throughout: 500 /uL is 0.5 10*9/L, neither more nor less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from monitor.core.catalogue import Analyte, Catalogue
from monitor.core.faults import nearest

LONGEST_VALUE = 200
_LONGEST_NUMBER = 40
_MOST_DIGITS = 20
_LARGEST_EXPONENT = 15
_EXACT = Context(prec=80)
_UNITS_NAMED = 8

_SPACES = " \t\u00a0\u2007\u2009\u202f\ufeff"
_COMPARATORS = {
    "<": "<",
    "<=": "<=",
    "=<": "<=",
    "≤": "<=",
    "⩽": "<=",
    ">": ">",
    ">=": ">=",
    "=>": ">=",
    "≥": ">=",
    "⩾": ">=",
}
_COMPARED = re.compile(r"(<=|=<|>=|=>|[<>≤≥⩽⩾])?\s*(.*)", re.DOTALL)
_PLAIN = re.compile(r"[-\u2212]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_COMMA_FOR_POINT = str.maketrans(",.", ".,")

Plausibility = Literal["ok", "below", "above", "negative"]


@dataclass(frozen=True, slots=True)
class Number:
    """A value as reported: exact, with its comparator (`""`, `<`, `<=`, `>`, `>=`)."""

    value: Decimal
    comparator: str = ""


@dataclass(frozen=True, slots=True)
class NoResult:
    """The laboratory gave no result, in these words; `pending` where it is still to come."""

    words: str
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a cell cannot be taken, for a person: a stable code, the reason, what would be right."""

    code: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.hint}" if self.hint else self.reason


def parse_value(
    text: str, *, decimal_comma: bool = False, catalogue: Catalogue
) -> Number | NoResult | Refusal:
    """Read one result cell.

    `decimal_comma` is what the source's mapping says; without it a comma is never read as a
    decimal mark. Only the texts that the catalogue lists are no result.
    """
    text = text.strip()
    if len(text) > LONGEST_VALUE:
        return Refusal("not_a_number", f"a text of {len(text)} characters is no number")
    number = parse_number(text, decimal_comma=decimal_comma)
    if isinstance(number, Number):
        return number
    if catalogue.is_pending(text):
        return NoResult(text, pending=True)
    if catalogue.is_no_result(text):
        return NoResult(text)
    return number


def parse_number(text: str, *, decimal_comma: bool = False) -> Number | Refusal:
    """A comparator and a number; for result cells and reference limits alike."""
    match = _COMPARED.fullmatch(text.strip())
    assert match is not None
    comparator = _COMPARATORS[match[1]] if match[1] else ""
    digits = match[2].strip(_SPACES)
    if len(digits) > _LONGEST_NUMBER:
        return _not_a_number(text)
    if decimal_comma:
        digits = digits.translate(_COMMA_FOR_POINT)
    refusal = _mark_refused(digits, text, decimal_comma)
    if refusal is not None:
        return refusal
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    if decimal_comma and "," in digits:
        # A point in a source of decimal commas: 4.2 can only be a decimal point.
        digits = digits.replace(",", ".")
    if not _PLAIN.fullmatch(digits):
        return _not_a_number(text)
    value = Decimal(digits.replace("\u2212", "-"))
    if len(value.as_tuple().digits) > _MOST_DIGITS or abs(value.adjusted()) > _LARGEST_EXPONENT:
        return Refusal(
            "not_a_number", f'"{_shown(text)}" has more digits than any laboratory gives'
        )
    return Number(value if value else Decimal(0), comparator)


def _mark_refused(digits: str, text: str, decimal_comma: bool) -> Refusal | None:
    """Why the marks in a number (here: comma groups, point decimals) cannot be read."""
    if "," not in digits:
        return None
    point, comma = ("comma", "point") if decimal_comma else ("point", "comma")
    body = digits.removeprefix("-")
    if _GROUPED.fullmatch(digits) and (body.count(",") > 1 or "." in body):
        return None
    if re.fullmatch(r"[0-9]{1,3},[0-9]{3}", body):
        return Refusal(
            "ambiguous_mark",
            f'"{_shown(text)}": the {comma} may mark thousands or decimals',
            "write the number without it"
            + ("" if decimal_comma else ", or set decimal_comma for this source"),
        )
    if not re.fullmatch(r"[0-9]*,[0-9]+", body):
        return None
    if decimal_comma:
        return None
    return Refusal(
        "decimal_comma",
        f'"{_shown(text)}" has a decimal {comma} where a decimal {point} is expected',
        "set decimal_comma = true for this source",
    )


def _not_a_number(text: str) -> Refusal:
    return Refusal(
        "not_a_number",
        f'"{_shown(text)}" is neither a number nor a listed text for no result',
        'a number with or without a comparator, such as 4.2 or <0.1; or a text of "no_result" '
        "in analytes.toml",
    )


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_NUMBER else text[: _LONGEST_NUMBER - 3] + "..."


def without_unit(catalogue: Catalogue, text: str, unit_text: str) -> str:
    """The value of a cell into which the row's own unit was copied (`471.7 (10^9/L)`).

    Only what spells the unit of the row is taken away; any other text is left as it is.
    """
    match = re.fullmatch(r"\s*((?:[<>=≤≥]{1,2}\s*)?[-\u2212]?[0-9]+(?:[.,][0-9]+)?)(.+)", text)
    if match is None or not unit_text.strip():
        return text
    unit = catalogue.spelling.normal(unit_text)
    return match[1] if unit and catalogue.spelling.normal(match[2]) == unit else text


def resolve(
    catalogue: Catalogue, analyte: Analyte, loinc_or_name: str, unit_text: str
) -> Analyte | Refusal:
    """The analyte that name or code and unit mean together; hand it on to `to_canonical`.

    The unit decides between a count and its percentage, against name and code (731-0 with
    `%` is a percentage). Any other code that contradicts its unit is refused (2160-0, a mass
    concentration, with umol/L). What comes back may know fewer units than the catalogue's
    analyte: those of the kind of quantity that the code stands for.
    """
    narrowed = analyte.narrowed(loinc_or_name, unit_text)
    if narrowed.factor(unit_text) is not None:
        return narrowed
    twin_name = analyte.percent_name or analyte.absolute_name
    if twin_name is not None:
        twin = catalogue.analytes[twin_name]
        if twin.factor(unit_text) is not None:
            return twin
    if narrowed is not analyte and analyte.factor(unit_text) is not None:
        return Refusal(
            "code_contradicts_unit",
            f"{loinc_or_name.strip()} is {analyte.title} as {narrowed.kinds[0].name}, which is "
            f'not reported in "{_shown(unit_text)}"',
            f"the code's units are {_named(narrowed.units)}",
        )
    return unit_refusal(narrowed, unit_text)


def unit_refusal(analyte: Analyte, unit_text: str) -> Refusal:
    """Why a unit cannot be taken for an analyte, naming those that can."""
    if not unit_text.strip():
        return Refusal(
            "unit_missing",
            f"{analyte.title} without a unit",
            f"one of {_named(analyte.units)}, or a default unit for this source",
        )
    if analyte.is_ambiguous(unit_text):
        marked = [unit for unit in analyte.units if "{" in unit]
        return Refusal(
            "unit_ambiguous",
            f'"{_shown(unit_text)}" means different things for {analyte.title}',
            f"write {_named(marked)}" if marked else "use a code that settles it",
        )
    like = nearest(unit_text, analyte.units)
    hint = like if like.startswith("did") else f"one of {_named(analyte.units)}"
    return Refusal(
        "unit_unknown", f'"{_shown(unit_text)}" is no known unit of {analyte.title}', hint
    )


def to_canonical(analyte: Analyte, value: Decimal, unit_text: str) -> Decimal | Refusal:
    """The value in the analyte's canonical unit, exactly; plausibility is another question."""
    factor = analyte.factor(unit_text)
    if factor is None:
        return unit_refusal(analyte, unit_text)
    return _EXACT.multiply(value, factor)


def possible_values(analyte: Analyte, value: Decimal, units: Iterable[str]) -> tuple[Decimal, ...]:
    """The canonical values that a raw number would have in each of these units, ascending;
    unknown units are left out."""
    factors = (analyte.factor(unit) for unit in units)
    return tuple(
        sorted({_EXACT.multiply(value, factor) for factor in factors if factor is not None})
    )


def plausibility(analyte: Analyte, value: Decimal) -> Plausibility:
    """Where a canonical value stands to the plausible range; its ends are plausible."""
    if value < 0:
        return "negative"
    if value > analyte.plausible_high:
        return "above"
    return "below" if value < analyte.plausible_low else "ok"


def implausible(
    catalogue: Catalogue, analyte: Analyte, value: Decimal, reported: Decimal, unit_text: str
) -> Refusal | None:
    """The refusal of a canonical value that is negative or above the plausible range, with
    the likely unit mistake; None for one that is judged, also where it is below the range."""
    verdict = plausibility(analyte, value)
    if verdict == "negative":
        return Refusal("negative", f"{analyte.title} {reported} is negative", "a measured value")
    if verdict != "above":
        return None
    return Refusal(
        "implausible",
        f"{analyte.title} {plain(value)} {analyte.unit} is above the plausible range "
        f"(up to {plain(analyte.plausible_high)} {analyte.unit})",
        unit_doubt(catalogue, analyte, reported, unit_text),
    )


def unit_doubt(catalogue: Catalogue, analyte: Analyte, reported: Decimal, unit_text: str) -> str:
    """The units in which a reported number would be plausible, as a sentence; may be empty."""
    likely = [
        unit
        for unit in analyte.units
        if unit != unit_text
        and (factor := analyte.factor(unit)) is not None
        and factor != analyte.factor(unit_text)
        and plausibility(analyte, _EXACT.multiply(reported, factor)) == "ok"
    ]
    twin = catalogue.analytes.get(analyte.percent_name or "")
    if twin is not None and plausibility(twin, reported) == "ok":
        likely.append(f"{twin.unit} ({twin.name})")
    if not likely:
        return ""
    return f"{plain(reported)} would be plausible in {_named(likely)}"


def show(value: Decimal, decimals: int, limits: Iterable[Decimal] = ()) -> str:
    """A value for people; in full where rounding would bring it onto or across a limit, or
    make nothing of something."""
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _EXACT)
    for limit in (Decimal(0), *limits):
        if value.compare(limit) != rounded.compare(limit):
            return plain(value)
    return f"{rounded:f}"


def plain(value: Decimal) -> str:
    """All digits, without exponent and without zeros at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _named(units: Iterable[str]) -> str:
    names = list(units)
    return ", ".join(names[:_UNITS_NAMED]) + (" ..." if len(names) > _UNITS_NAMED else "")
