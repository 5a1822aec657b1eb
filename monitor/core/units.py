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

LONGEST_VALUE = 200
_LONGEST_NUMBER = 40
_MOST_DIGITS = 20
_LARGEST_EXPONENT = 15
_EXACT = Context(prec=80)
_UNITS_NAMED = 6

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
_THAN = {
    "<": r"(?:less|lower|fewer|smaller) than|under|below|kleiner(?: als)?|weniger als|unter"
    r"|inférieure? à|moins de|menor (?:de|que)|menos de|inferior a|inferiore a|minore di|meno di"
    r"|(?:minder|kleiner|lager) dan|onder|mindre enn|mindre end|poniżej|менее|меньше",
    ">": r"(?:more|greater|higher|larger) than|over|above|größer(?: als)?|mehr als|über"
    r"|supérieure? à|plus de|mayor (?:de|que)|más de|maior que|superior a|superiore a"
    r"|maggiore di|più di|(?:meer|groter|hoger) dan|boven|powyżej|более|больше",
}
# Some laboratories have no sign for it: > OR = 60.
_IN_WORDS = tuple(
    (re.compile(rf"\s*(?:{words})\s*(?=[\d.,])", re.IGNORECASE), reads)
    for sign, than in _THAN.items()
    for words, reads in (
        (rf"(?:{than}) or equal to|{sign}\s*or\s*(?:=|equal to)", f"{sign}="),
        (than, sign),
    )
)
_ESCAPED = {"&lt;": "<", "&gt;": ">", "&le;": "<=", "&ge;": ">="}
"""Of HTML, where a program left it as it was."""
_COMPARED = re.compile(r"(<=|=<|>=|=>|[<>≤≥⩽⩾])?\s*(.*)", re.DOTALL)
_PLAIN = re.compile(r"[-\u2212]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_MINUS = r"[-\u2212]?"
# 1,234.5 and 1,234,567: the comma can only mark thousands. 250,000 leaves a doubt.
_TWO_MARKS = re.compile(rf"{_MINUS}[0-9]{{1,3}}(?:(?:,[0-9]{{3}})+\.[0-9]+|(?:,[0-9]{{3}}){{2,}})")
_ONE_MARK = re.compile(rf"{_MINUS}[0-9]*,[0-9]+")
_MAYBE_THOUSANDS = re.compile(rf"{_MINUS}[1-9][0-9]{{0,2}},[0-9]{{3}}")
_POINT_MAYBE_THOUSANDS = re.compile(rf"{_MINUS}[1-9][0-9]{{0,2}}\.[0-9]{{3}}")
# 1 234, 1'234 and 1,23,456 (lakh) have but one reading.
_GAP = "[ '\u2019\u00a0\u2009\u202f]"
_SPACED = re.compile(rf"{_MINUS}[1-9][0-9]{{0,2}}(?:{_GAP}[0-9]{{3}})+(?:\.[0-9]+)?")
_LAKH = re.compile(rf"{_MINUS}[0-9]{{1,2}}(?:,[0-9]{{2}})+,[0-9]{{3}}(?:\.[0-9]+)?")
_GROUPED = re.compile(rf"{_MINUS}[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]+)?")
_MARKS = re.compile(r"[ ,'\u2019\u00a0\u2009\u202f]")
_NUMBER_AT_START = re.compile(rf"\s*(?:[<>=≤≥]{{1,2}}\s*)?{_MINUS}[0-9]+(?:[.,][0-9]+)?\s*")
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
    text: str,
    *,
    decimal_comma: bool = False,
    grouped: bool = False,
    catalogue: Catalogue,
) -> Number | NoResult | Refusal:
    """Read one result cell.

    `decimal_comma` is what the source's mapping or the whole file says; without it a comma is
    never read as a decimal mark. `grouped` says that this is certain, so that the other mark can
    only mark thousands: 250,000 is no longer in doubt. Only the texts that the catalogue lists
    are no result.
    """
    text = text.strip()
    if len(text) > LONGEST_VALUE:
        return Refusal("not_a_number", "no number", f"a text of {len(text)} characters")
    number = parse_number(text, decimal_comma=decimal_comma, grouped=grouped)
    if isinstance(number, Number):
        return number
    if catalogue.is_pending(text):
        return NoResult(text, pending=True)
    if catalogue.is_no_result(text):
        return NoResult(text)
    return number


def parse_number(
    text: str, *, decimal_comma: bool = False, grouped: bool = False, open_point: bool = False
) -> Number | Refusal:
    """A comparator and a number; for result cells and reference limits alike. `open_point`: a
    point before three digits may mark thousands too, so that 1.250 is in doubt."""
    match = _COMPARED.fullmatch(_with_signs(text.strip()))
    assert match is not None
    comparator = _COMPARATORS[match[1]] if match[1] else ""
    digits = match[2].strip(_SPACES)
    if len(digits) > _LONGEST_NUMBER:
        return _not_a_number(text)
    if open_point and _POINT_MAYBE_THOUSANDS.fullmatch(digits):
        return _doubtful_point(text)
    if decimal_comma:
        digits = digits.translate(_COMMA_FOR_POINT)
    # From here on a comma marks thousands and a point decimals.
    if _is_grouped(digits, grouped):
        digits = _MARKS.sub("", digits)
    elif "," in digits:
        refusal, digits = _one_mark(digits, text, decimal_comma)
        if refusal is not None:
            return refusal
    if not _PLAIN.fullmatch(digits):
        return _not_a_number(text)
    value = Decimal(digits.replace("\u2212", "-"))
    if len(value.as_tuple().digits) > _MOST_DIGITS or abs(value.adjusted()) > _LARGEST_EXPONENT:
        return Refusal("not_a_number", "more digits than any laboratory gives", _quoted(text))
    return Number(value or Decimal(0), comparator)


def comparator_of(text: str) -> str:
    """The comparator that a text begins with, also where what follows is no number."""
    match = _COMPARED.fullmatch(_with_signs(text.strip()))
    return _COMPARATORS[match[1]] if match is not None and match[1] else ""


def _with_signs(text: str) -> str:
    """A text whose comparator is written in words, or escaped, with the sign of it."""
    for escaped, plain in _ESCAPED.items():
        text = text.replace(escaped, plain)
    for words, comparison in _IN_WORDS:
        if words.match(text):
            return words.sub(comparison, text, count=1)
    return text


def _is_grouped(digits: str, grouped: bool) -> bool:
    """Whether the marks within a number can only be those of thousands."""
    forms = (_TWO_MARKS, _LAKH, _SPACED, _GROUPED) if grouped else (_TWO_MARKS, _LAKH, _SPACED)
    return any(form.fullmatch(digits) for form in forms)


def _one_mark(digits: str, text: str, decimal_comma: bool) -> tuple[Refusal | None, str]:
    """A single mark where the source's decimal mark would be the other one."""
    theirs, expected = ("point", "comma") if decimal_comma else ("comma", "point")
    if not _ONE_MARK.fullmatch(digits):
        return _not_a_number(text), digits
    if _MAYBE_THOUSANDS.fullmatch(digits):
        reason = f"the {theirs} may mark thousands or decimals"
        hint = "write thousands without a mark"
        if not decimal_comma:
            hint += ", or set decimal_comma = true for this source if it marks decimals"
        return Refusal("ambiguous_mark", reason, f"{_quoted(text)}: {hint}"), digits
    if decimal_comma:
        return None, digits.replace(",", ".")
    reason = f"a decimal {theirs} where a decimal {expected} is expected"
    hint = f"{_quoted(text)}: set decimal_comma = true for this source"
    return Refusal("decimal_comma", reason, hint), digits


def _doubtful_point(text: str) -> Refusal:
    return Refusal(
        "ambiguous_mark",
        "the point may mark thousands or decimals",
        f"{_quoted(text)}: no value of the file shows its decimal mark; name it in the config, "
        "decimal_comma = true or false for this source",
    )


def _not_a_number(text: str) -> Refusal:
    return Refusal(
        "not_a_number",
        "neither a number nor a listed text for no result",
        f"{_quoted(text)}: a number with or without a comparator, such as 4.2 or <0.1, or a "
        "text that [no_result] of analytes.toml lists",
    )


def _quoted(text: str) -> str:
    return f'"{_short(text)}"'


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_NUMBER else text[: _LONGEST_NUMBER - 3] + "..."


def without_unit(catalogue: Catalogue, text: str, unit_text: str) -> str:
    """The value of a cell into which the row's own unit was copied (`471.7 (10^9/L)`).

    Only what spells the unit of the row is taken away; any other text is left as it is.
    """
    unit = catalogue.spelling.normal(unit_text) if unit_text.strip() else None
    if unit is None or len(text) > LONGEST_VALUE:
        return text
    # First to the letter: 0.9910^9/L is 0.99 where the unit is 10^9/L.
    bare = text.strip().removesuffix(unit_text.strip())
    if bare != text.strip() and _NUMBER_AT_START.fullmatch(bare):
        return bare
    match = _NUMBER_AT_START.match(text)
    if match is None or catalogue.spelling.normal(text[match.end() :]) != unit:
        return text
    return match[0]


def glued_unit(text: str) -> tuple[str, str]:
    """The number at the start of a cell and what is written behind it, brackets taken away;
    nothing for the second where there is no number, or nothing behind it."""
    if len(text) > LONGEST_VALUE:
        return text, ""
    match = _NUMBER_AT_START.match(text)
    if match is None:
        return text, ""
    rest = text[match.end() :].strip()
    if rest.startswith(("(", "[")) and rest.endswith((")", "]")):
        rest = rest[1:-1].strip()
    return match[0].strip(), rest


def resolve(
    catalogue: Catalogue, analyte: Analyte, loinc_or_name: str, unit_text: str
) -> Analyte | Refusal:
    """The analyte that name or code and unit mean together; hand it on to `to_canonical`.

    The unit decides between a count and its percentage, against name and code (731-0 with
    `%` is a percentage). Any other code that contradicts its unit is refused (2160-0, a mass
    concentration, with umol/L). Where one unit means two things (mg/dL of urea, or of its
    nitrogen), what comes back knows only the meaning that the code or name settles.
    """
    narrowed = analyte.narrowed(loinc_or_name, unit_text)
    if narrowed.factor(unit_text) is not None:
        return narrowed if analyte.is_ambiguous(unit_text) else analyte
    twin_name = analyte.percent_name or analyte.absolute_name
    if twin_name is not None:
        twin = catalogue.analytes[twin_name]
        if twin.factor(unit_text) is not None:
            return twin
    if narrowed is not analyte and analyte.factor(unit_text) is not None:
        return Refusal(
            "code_contradicts_unit",
            f"{loinc_or_name.strip()} is {analyte.title} as {narrowed.kinds[0].name}, which is "
            f'not reported in "{_short(unit_text)}"',
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
            f'"{_short(unit_text)}" means different things for {analyte.title}',
            f"write {_named(marked)}" if marked else "use a code that settles it",
        )
    # No "did you mean": the unit most alike (10*9 for 10*3) is the worst of guesses.
    return Refusal(
        "unit_unknown",
        f'"{_short(unit_text)}" is no known unit of {analyte.title}',
        f"one of {_named(analyte.units)}",
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
        return Refusal("negative", f"{analyte.title}: a negative value", plain(reported))
    if verdict != "above":
        return None
    top = f"{plain(analyte.plausible_high)} {analyte.unit}"
    found = f"{plain(value)} {analyte.unit}"
    doubt = unit_doubt(catalogue, analyte, reported, unit_text)
    return Refusal(
        "implausible",
        f"{analyte.title}: above the plausible range (up to {top}), likely a mistake of the unit",
        f"{found}; {doubt}" if doubt else found,
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
