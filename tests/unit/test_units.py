"""Values and units as laboratories write them: read exactly, or refused with the reason."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.catalogue import Analyte, Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.core.units import (
    NoResult,
    Number,
    Refusal,
    implausible,
    parse_number,
    parse_value,
    plain,
    plausibility,
    possible_values,
    resolve,
    show,
    to_canonical,
    unit_doubt,
    without_unit,
)

FILE = Path(__file__).parents[2] / "schedules" / "analytes.toml"


@cache
def catalogue() -> Catalogue:
    return load_catalogue(FILE.read_text(encoding="utf-8"), FILE.name)


def analyte(name: str) -> Analyte:
    return catalogue().analytes[name]


def read(text: str, decimal_comma: bool = False) -> Number | NoResult | Refusal:
    return parse_value(text, decimal_comma=decimal_comma, catalogue=catalogue())


# ------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "comparator", "value"),
    [
        ("4.2", "", "4.2"),
        (" 4.20 ", "", "4.20"),
        ("0", "", "0"),
        ("-0", "", "0"),
        (".5", "", "0.5"),
        ("5.", "", "5"),
        ("007", "", "7"),
        ("<0.1", "<", "0.1"),
        ("< 0.1", "<", "0.1"),
        ("<\u00a00.1", "<", "0.1"),
        ("<=0.1", "<=", "0.1"),
        ("=<0.1", "<=", "0.1"),
        ("≤ 0.5", "<=", "0.5"),
        (">1000", ">", "1000"),
        (">= 1000", ">=", "1000"),
        ("=> 1000", ">=", "1000"),
        ("≥1000", ">=", "1000"),
        ("LESS THAN 0.4", "<", "0.4"),
        ("greater than or equal to 60", ">=", "60"),
        ("> OR = 60", ">=", "60"),
        ("<or=0.5", "<=", "0.5"),
        ("under 10", "<", "10"),
        ("Below .5", "<", "0.5"),
        ("over 1000", ">", "1000"),
        ("kleiner als 10", "<", "10"),
        ("inférieur à 10", "<", "10"),
        ("mayor de 1000", ">", "1000"),
        ("&lt; 10", "<", "10"),
        ("&gt;=60", ">=", "60"),
        ("-0.1", "", "-0.1"),
        ("\u22120.1", "", "-0.1"),
        ("1.2E3", "", "1200"),
        ("1E-3", "", "0.001"),
        ("1,234.5", "", "1234.5"),
        ("1,234,567", "", "1234567"),
    ],
)
def test_a_number_is_read_exactly(text: str, comparator: str, value: str) -> None:
    assert read(text) == Number(Decimal(value), comparator)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4,2", "4.2"),
        ("0,500", "0.500"),
        ("4.2", "4.2"),
        ("0.500", "0.500"),
        ("1.234,5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1,234", "1.234"),
        ("17", "17"),
    ],
)
def test_a_source_of_decimal_commas(text: str, value: str) -> None:
    assert read(text, decimal_comma=True) == Number(Decimal(value))


@pytest.mark.parametrize(
    ("text", "decimal_comma", "code"),
    [
        ("4,2", False, "decimal_comma"),
        ("0,500", False, "decimal_comma"),
        ("250,000", False, "ambiguous_mark"),
        ("1.234", True, "ambiguous_mark"),
        ("1,234.5", True, "not_a_number"),
        ("0 500", False, "not_a_number"),
        ("0'500", False, "not_a_number"),
        ("12 34", False, "not_a_number"),
        ("1 2345", False, "not_a_number"),
        ("1 234,5", False, "not_a_number"),
        ("4,2,3", False, "not_a_number"),
        ("12,34.5", False, "not_a_number"),
        ("0.4*", False, "not_a_number"),
        ("O.5", False, "not_a_number"),
        ("0.5.1", False, "not_a_number"),
        ("too few to count", False, "not_a_number"),
        ("1+", False, "not_a_number"),
        ("+4", False, "not_a_number"),
        ("Negative", False, "not_a_number"),
        ("NaN", False, "not_a_number"),
        ("nan", False, "not_a_number"),
        ("inf", False, "not_a_number"),
        ("-Infinity", False, "not_a_number"),
        ("<", False, "not_a_number"),
        ("<<1", False, "not_a_number"),
        ("<>1", False, "not_a_number"),
        ("1-2", False, "not_a_number"),
        ("4.2 g/dL", False, "not_a_number"),
        ("4²", False, "not_a_number"),
        ("½", False, "not_a_number"),
        ("٤", False, "not_a_number"),
        ("४.२", False, "not_a_number"),
        ("0x10", False, "not_a_number"),
        ("1_000", False, "not_a_number"),
        ("1e99", False, "not_a_number"),
        ("1" * 30, False, "not_a_number"),
        ("-", False, "not_a_number"),
        ("clotted 0.4", False, "not_a_number"),
    ],
)
def test_whatever_leaves_a_doubt_is_refused(text: str, decimal_comma: bool, code: str) -> None:
    found = read(text, decimal_comma)
    assert isinstance(found, Refusal)
    assert found.code == code
    assert found.reason
    assert text not in found.reason or len(text) < 2  # cells stand in the hint alone


def test_an_absurd_length_is_refused_at_once() -> None:
    for text in ("9" * 1_000_000, "clotted " * 100_000, "1," * 500_000, "<" * 100_000):
        found = read(text)
        assert isinstance(found, Refusal)
        assert len(str(found)) < 300


def test_no_result_and_pending_are_told_apart() -> None:
    assert read("") == NoResult("")
    assert read("   ") == NoResult("")
    assert read(" Clotted ") == NoResult("Clotted")
    assert read("pending") == NoResult("pending", pending=True)


def test_reference_limits_are_no_result_cells() -> None:
    assert parse_number("40") == Number(Decimal(40))
    assert isinstance(parse_number("clotted"), Refusal)
    assert isinstance(parse_number(""), Refusal)


# -------------------------------------------------------------------------------- units

TEN_TO_THE_NINE = (
    """
10*9/L|10^9/L|10^9/l|x10^9/L|X10^9/L|x 10^9/L|×10^9/L|×10⁹/L|10⁹/L|10E9/L|10e9/l|x10E9/L|E9/L
10**9/L|10(9)/L|10 9/L|x10 9/L|X10*9/L|x10*9/l|x109/L|1E9/L|1.0E+09/L|10^9 / L|(10^9/L)|10*9.L-1
10⁹·L⁻¹|x10\\S\\9/L|X 10-9/l|10*9U/L|G/L|g/l|Giga/L|giga.l-1|GI/L|Gpt/L|GPt/l|10^9 cells/L
10+9/L|10+3/ul|10*9 per litre|Mrd/L|10^9/л|х10^9/л|bn/L|mia/L|10X3
K/uL|K/mcL|K/CMM|K/cmm|K/MM3|K/mm3|k/uL|k/MM3|k/mm cu|k/cumm|th/uL|TH/uL|THS/uL|th/cumm
thou/cumm|THOU/UL|THOU/uL|thou/mcL|Thousand/uL|thousands/µL|10E3/mcL|10E3/uL|x10E3/uL|10*3/uL
10*3/mm3|10^3/uL|10^3/µL|10^3/μL|10³/µL|x10^3/mcL|x10 3/uL|10(3)/mcL|10(3)mcL|X 10 3|10^3
x1000/uL|1000/mm3|1,000/uL|10e3 cells/microliter|cells x10^3/uL|K cells/uL|10**3/uL|x10.e3/uL
Tsd/µl|Tsd./µl|tys/ul|тыс/мкл|103/uL|x10S9/l|/nL|/nl|cells/nL|10*6/mL|tūkst/µl
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("spelling", TEN_TO_THE_NINE)
@pytest.mark.parametrize("name", ["white_cells", "platelets"])
def test_thousands_per_microlitre_in_every_spelling(spelling: str, name: str) -> None:
    assert analyte(name).factor(spelling) == 1


@pytest.mark.parametrize(
    ("name", "spelling", "factor"),
    [
        *[
            ("neutrophils", spelling, "0.001")
            for spelling in (
                "/uL", "/µL", "/mcL", "/mm3", "/mm^3", "/mm³", "/cumm", "/cu mm", "/cu.mm",
                "cells/uL", "cells/mm3", "cells/cumm", "Cells/cu.mm", "cells per microliter",
                "#/uL", "Zellen/µl", "{cells}/uL", "cells per cubic mm", "10*6/L", "10^6/l",
            )
        ],
        ("neutrophils", "10*4/uL", "10"),
        ("neutrophils", "x10⁴/μL", "10"),
        ("platelets", "万/μL", "10"),
        ("white_cells", "×10²/μL", "0.1"),
        ("platelets", "lakh/uL", "100"),
        ("white_cells", "百/μL", "0.1"),
        ("white_cells", "bin/µL", "1"),
        ("white_cells", "1/nl", "1"),
        ("white_cells", "1/µl", "0.001"),
        ("white_cells", "тыс/мм3", "1"),
        ("white_cells", "10^9 кл/л", "1"),
        ("white_cells", "migl/mmc", "1"),
        ("hemoglobin", "mmol(Fe)/L", "16.114"),
        ("alt", "МЕ/л", "1"),
        ("alt", "I.U./L", "1"),
        ("bilirubin", "mkmol/l", "1"),
        ("platelets", "ribu/µL", "1"),
        ("platelets", "тис/мкл", "1"),
        ("white_cells", "ezer/µl", "1"),
        ("white_cells", "個/μL", "0.001"),
        ("platelets", "Lakhs/cumm", "100"),
        ("platelets", "lac/cu.mm", "100"),
        ("hemoglobin", "g/dL", "10"),
        ("hemoglobin", "G/DL", "10"),
        ("hemoglobin", "gm/dL", "10"),
        ("hemoglobin", "gms/dl", "10"),
        ("hemoglobin", "g per dL", "10"),
        ("hemoglobin", "grams/dL", "10"),
        ("hemoglobin", "g%", "10"),
        ("hemoglobin", "gm%", "10"),
        ("hemoglobin", "G/L", "1"),
        ("hemoglobin", "g.l-1", "1"),
        ("hemoglobin", "mmol/L", "16.114"),
        ("mcv", "fL", "1"),
        ("mcv", "FL", "1"),
        ("mcv", "U3", "1"),
        ("mcv", "um3", "1"),
        ("mcv", "µm³", "1"),
        ("mcv", "cu microns", "1"),
        ("alt", "U/L", "1"),
        ("alt", "u/l", "1"),
        ("alt", "IU/L", "1"),
        ("alt", "Intl Units/L", "1"),
        ("alt", "INTLUNIT/L", "1"),
        ("alt", "[IU]/L", "1"),
        ("alt", "UI/L", "1"),
        ("alt", "UNITS/L", "1"),
        ("alt", "unit/L", "1"),
        ("alt", "U.L-1", "1"),
        ("alt", "ukat/L", "60"),
        ("alt", "µkat/l", "60"),
        ("alt", "nkat/L", "0.06"),
        ("bilirubin", "umol/L", "1"),
        ("bilirubin", "µmol/L", "1"),
        ("bilirubin", "μmol/l", "1"),
        ("bilirubin", "mcmol/L", "1"),
        ("bilirubin", "micromol/L", "1"),
        ("bilirubin", "UMOLL", "1"),
        ("crp", "MGL", "1"),
        ("albumin", "GL", "1"),
        ("hemoglobin", "gdl", "10"),
        ("ggt", "IUL", "1"),
        ("bilirubin", "mg/dL", "17.104"),
        ("bilirubin", "MG/DL", "17.104"),
        ("bilirubin", "mg per dL", "17.104"),
        ("bilirubin", "milligrams/dL", "17.104"),
        ("bilirubin", "mg/100 mL", "17.104"),
        ("bilirubin", "mg/100 L", None),
        ("bilirubin", "mg/10 mL", None),
        ("creatinine", "mg/dL", "88.42"),
        ("creatinine", "mg/L", "8.842"),
        ("creatinine", "mmol/L", "1000"),
        ("albumin", "umol/L", "0.06646"),
        ("crp", "mg/dL", "10"),
        ("crp", "mg/L", "1"),
        ("crp", "µg/mL", "1"),
        ("crp", "mcg/ml", "1"),
        ("igg", "mg/dL", "0.01"),
        ("urea", "MMOLL", "1"),
        ("urea", "mg/dL{BUN}", "0.357"),
        ("urea", "mg/dL{urea}", "0.1665"),
        ("urea", "mg/dL", None),
        ("egfr", "mL/min/{1.73_m2}", "1"),
        ("egfr", "mL/min/1.73m²", "1"),
        ("egfr", "ml/min/1,73 m^2", "1"),
        ("egfr", "mL/min/1.73 sq.m", "1"),
        ("egfr", "MLMIN", "1"),
        ("egfr", "mL/s/{1.73_m2}", "60"),
        ("inr", "", "1"),
        ("inr", "{INR}", "1"),
        ("inr", "1", "1"),
        ("inr", "ratio", "1"),
        ("tgn", "pmol/(8.10*8{RBC})", "1"),
        ("tgn", "pmol/8x10^8 RBC", "1"),
        ("tgn", "pmol/8 x 10E8 RBCs", "1"),
        ("tgn", "pmol/10*8{RBC}", "8"),
        ("tpmt_activity", "nmol/h/g{Hb}", "1"),
        ("weight", "[lb_av]", "0.45359237"),
        ("weight", "lbs", "0.45359237"),
        ("neutrophils_percent", "%", "1"),
        ("neutrophils_percent", "PERCENT", "1"),
        ("neutrophils_percent", "per cent", "1"),
        ("neutrophils_percent", "FRACTION", "100"),
        ("neutrophils_percent", "/100 WBC", "1"),
        ("neutrophils_percent", "/100{WBCs}", "1"),
        ("neutrophils_percent", "% der Leukozyten", "1"),
        ("neutrophils_percent", "%d.Leukozyten", "1"),
        ("neutrophils_percent", "/100 Leu", "1"),
        ("white_cells", "Leu/ul", None),
        ("white_cells", "10^9/dm3", "1"),
        ("alt", "U/l 37°C", "1"),
        ("alt", "U/L (37 °C)", "1"),
        ("alt", "U/l 25°C", None),
        ("alt", "µmol/(s*l)", "60"),
        ("alt", "nmol/(L*s)", "0.06"),
        ("tpmt_activity", "pmol/hr/mg Hgb", "1"),
        ("tpmt_activity", "nmol/(h*g Hb)", "1"),
        ("tpmt_activity", "nmol/hour/g hemoglobin", "1"),
        ("tpmt_activity", "nmol/hr/mL RBC", None),
        ("tgn", "pmol/8x108 RBC", "1"),
        ("tgn", "pmol/8x10^8 red blood cells", "1"),
    ],
)  # fmt: skip
def test_units_and_their_exact_factors(name: str, spelling: str, factor: str | None) -> None:
    assert analyte(name).factor(spelling) == (Decimal(factor) if factor else None)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("white_cells", ""),
        ("white_cells", " "),
        ("white_cells", "10"),
        ("white_cells", "M/uL"),
        ("white_cells", "m/uL"),
        ("white_cells", "mil/mm3"),
        ("white_cells", "mill/cumm"),
        ("white_cells", "10*6/uL"),
        ("white_cells", "10*12/L"),
        ("white_cells", "10*3/L"),
        ("white_cells", "10*9/uL"),
        ("white_cells", "/pL"),
        ("white_cells", "/L"),
        ("white_cells", "cumm"),
        ("white_cells", "%"),
        ("white_cells", "mg/L"),
        ("white_cells", "K"*100),
        ("lymphocytes_percent", "K/uL"),
        ("lymphocytes_percent", ""),
        ("lymphocytes_percent", "1"),
        ("hemoglobin", "?g/L"),
        ("hemoglobin", "\ufffdg/L"),
        ("hemoglobin", "mg/L"),
        ("hemoglobin", "%"),
        ("bilirubin", "?mol/L"),
        ("bilirubin", "mol/L"),
        ("alt", "K/uL"),
        ("alt", "uL"),
        ("creatinine", "g/dL"),
        ("inr", "%"),
        ("inr", "s"),
    ],
)  # fmt: skip
def test_unknown_and_missing_units_are_refused_with_those_that_are_valid(
    name: str, spelling: str
) -> None:
    assert analyte(name).factor(spelling) is None
    found = to_canonical(analyte(name), Decimal(1), spelling)
    assert isinstance(found, Refusal)
    assert found.code == ("unit_unknown" if spelling.strip() else "unit_missing")
    assert analyte(name).unit in found.hint


@pytest.mark.parametrize(
    ("value", "unit", "below"),
    [
        ("0.5", "10*9/L", False),
        ("0.50", "K/uL", False),
        ("500", "/uL", False),
        ("500.0", "cells/mm3", False),
        ("0.05", "10*4/uL", False),
        ("0.499", "G/L", True),
        ("499", "/uL", True),
        ("0.4999999999", "x10^9/L", True),
        ("0.500000001", "x10^9/L", False),
    ],
)
def test_the_comparison_is_exact_in_every_unit(value: str, unit: str, below: bool) -> None:
    canonical = to_canonical(analyte("lymphocytes"), Decimal(value), unit)
    assert isinstance(canonical, Decimal)
    assert (canonical < Decimal("0.5")) is below


@given(
    st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False),
    st.sampled_from(sorted({*catalogue().analytes} - {"inr"})),
    st.data(),
)
def test_conversion_is_exact(value: Decimal, name: str, data: st.DataObject) -> None:
    chosen = analyte(name)
    kind = data.draw(st.sampled_from(chosen.kinds))
    unit = data.draw(st.sampled_from(sorted(kind.factors)))
    factor = kind.factors[unit]
    if chosen.is_ambiguous(unit):
        return
    canonical = to_canonical(chosen, value, unit)
    assert isinstance(canonical, Decimal)
    numerator, denominator = value.as_integer_ratio()
    top, bottom = factor.as_integer_ratio()
    found, under = canonical.as_integer_ratio()
    assert found * denominator * bottom == numerator * top * under


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False),
    st.sampled_from(["", "<", "<=", ">", ">="]),
    st.booleans(),
)
def test_a_printed_number_is_read_back(value: Decimal, sign: str, comma: bool) -> None:
    text = f"{value:f}"
    text = text.replace(".", ",") if comma else text
    assert read(f"{sign} {text}", comma) == Number(value, sign)


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_breaks_the_reader(value: str, unit: str) -> None:
    found = read(value)
    if isinstance(found, Number):
        assert found.value.is_finite()
    for name in ("white_cells", "urea", "inr"):
        resolved = resolve(catalogue(), analyte(name), value, unit)
        assert isinstance(resolved, Analyte | Refusal)
    catalogue().find(value)
    catalogue().doubt(value, "platelets")
    without_unit(catalogue(), value, unit)


# --------------------------------------------------------- the unit decides, name and code


@pytest.mark.parametrize(
    ("code", "unit", "becomes"),
    [
        ("731-0", "10*9/L", "lymphocytes"),
        ("731-0", "%", "lymphocytes_percent"),
        ("736-9", "K/uL", "lymphocytes"),
        ("lymphocytes", "PERCENT", "lymphocytes_percent"),
        ("lymphocytes %", "10*3/uL", "lymphocytes"),
        ("Lymphocytes/Leukocytes", "FRACTION", "lymphocytes_percent"),
        ("neutrophils_percent", "/uL", "neutrophils"),
        ("Bands", "%", "bands_percent"),
        ("bands %", "K/uL", "bands"),
        ("2160-0", "mg/dL", "creatinine"),
        ("14682-9", "umol/L", "creatinine"),
        ("creatinine", "umol/L", "creatinine"),
        ("718-7", "g/dL", "hemoglobin"),
        ("59260-0", "mmol/L", "hemoglobin"),
    ],
)
def test_the_unit_decides_between_count_and_percentage(code: str, unit: str, becomes: str) -> None:
    named = catalogue().find(code)
    assert named is not None
    assert resolve(catalogue(), named, code, unit) is analyte(becomes)


@pytest.mark.parametrize(
    ("code", "unit", "refused"),
    [
        ("2160-0", "umol/L", "code_contradicts_unit"),
        ("14682-9", "mg/dL", "code_contradicts_unit"),
        ("718-7", "mmol/L", "code_contradicts_unit"),
        ("59260-0", "g/dL", "code_contradicts_unit"),
        ("1975-2", "µmol/L", "code_contradicts_unit"),
        ("1751-7", "umol/L", "code_contradicts_unit"),
        ("751-8", "mmol/L", "unit_unknown"),
        ("731-0", "", "unit_missing"),
        ("platelets", "%", "unit_unknown"),
        ("urea", "mg/dL", "unit_ambiguous"),
    ],
)
def test_any_other_contradiction_is_refused(code: str, unit: str, refused: str) -> None:
    named = catalogue().find(code)
    assert named is not None
    found = resolve(catalogue(), named, code, unit)
    assert isinstance(found, Refusal)
    assert found.code == refused
    assert found.hint


@pytest.mark.parametrize(
    ("code", "unit", "factor"),
    [
        ("BUN", "mg/dL", "0.357"),
        ("3094-0", "mg/dL", "0.357"),
        ("urea", "mg/dL{urea}", "0.1665"),
        ("BUN", "mmol/L", "1"),
    ],
)
def test_name_or_code_settles_a_unit_that_means_two_things(
    code: str, unit: str, factor: str
) -> None:
    resolved = resolve(catalogue(), analyte("urea"), code, unit)
    assert isinstance(resolved, Analyte)
    assert resolved.name == "urea"
    assert to_canonical(resolved, Decimal(2), unit) == 2 * Decimal(factor)


# -------------------------------------------------------------------------- plausibility


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("lymphocytes", "0", "ok"),
        ("lymphocytes", "30", "ok"),
        ("lymphocytes", "30.001", "above"),
        ("lymphocytes", "-0.001", "negative"),
        ("hemoglobin", "20", "ok"),
        ("hemoglobin", "14.2", "below"),
        ("bilirubin", "0.9", "below"),
        ("bilirubin_direct", "0", "ok"),
    ],
)
def test_only_negative_and_above_are_implausible(name: str, value: str, verdict: str) -> None:
    assert plausibility(analyte(name), Decimal(value)) == verdict
    refused = implausible(catalogue(), analyte(name), Decimal(value), Decimal(value), "")
    assert (refused is not None) is (verdict in {"negative", "above"})


@pytest.mark.parametrize(
    ("name", "value", "unit", "named"),
    [
        ("white_cells", "4200", "10*9/L", "/uL"),
        ("neutrophils", "85", "10*9/L", "neutrophils_percent"),
        ("hemoglobin", "142", "g/dL", "g/L"),
        ("creatinine", "85", "mg/dL", "umol/L"),
        ("platelets", "250000", "K/uL", "/uL"),
    ],
)
def test_a_value_above_names_the_likely_unit_mistake(
    name: str, value: str, unit: str, named: str
) -> None:
    canonical = to_canonical(analyte(name), Decimal(value), unit)
    assert isinstance(canonical, Decimal)
    found = implausible(catalogue(), analyte(name), canonical, Decimal(value), unit)
    assert found is not None
    assert "would be plausible in" in found.hint
    assert named in found.hint
    assert value not in found.reason


def test_a_value_below_names_the_unit_it_may_have_been_meant_in() -> None:
    doubt = unit_doubt(catalogue(), analyte("hemoglobin"), Decimal("14.2"), "g/L")
    assert doubt == "14.2 would be plausible in g/dL, g%, g/100 mL, mmol/L"
    assert unit_doubt(catalogue(), analyte("mcv"), Decimal(10), "fL") == ""


def test_what_a_number_may_mean_in_the_units_of_its_source() -> None:
    found = possible_values(analyte("neutrophils"), Decimal(300), ["/uL", "K/uL", "?", "cells/mm3"])
    assert found == (Decimal("0.300"), Decimal(300))
    assert possible_values(analyte("neutrophils"), Decimal(1), []) == ()


# ------------------------------------------------------------------------------ display


@pytest.mark.parametrize(
    ("value", "decimals", "limits", "shown"),
    [
        ("0.42", 2, (), "0.42"),
        ("0.4", 2, (), "0.40"),
        ("250", 0, (), "250"),
        ("4.25", 1, (), "4.3"),
        ("0.499", 2, ("0.5",), "0.499"),
        ("0.499", 2, (), "0.50"),
        ("0.4999999999", 2, ("0.5", "0.2"), "0.4999999999"),
        ("0.501", 2, ("0.5",), "0.501"),
        ("0.5", 2, ("0.5",), "0.50"),
        ("0.500", 2, ("0.5",), "0.50"),
        ("139.7", 0, ("140",), "139.7"),
        ("0.004", 2, (), "0.004"),
        ("0", 2, (), "0.00"),
        ("1.2E+3", 0, (), "1200"),
        ("17.104", 0, (), "17"),
    ],
)
def test_display_never_brings_a_value_onto_or_across_its_limit(
    value: str, decimals: int, limits: tuple[str, ...], shown: str
) -> None:
    assert show(Decimal(value), decimals, [Decimal(limit) for limit in limits]) == shown


@given(
    st.decimals(min_value=0, max_value=10**4, places=5, allow_nan=False),
    st.integers(0, 3),
    st.decimals(min_value=0, max_value=10**4, places=3, allow_nan=False),
)
def test_what_is_shown_stands_to_the_limit_like_the_value(
    value: Decimal, decimals: int, limit: Decimal
) -> None:
    shown = Decimal(show(value, decimals, [limit]))
    assert shown.compare(limit) == value.compare(limit)


def test_plain_has_all_digits_and_no_empty_ones() -> None:
    assert plain(Decimal("1.2500")) == "1.25"
    assert plain(Decimal("1E+3")) == "1000"
    assert plain(Decimal(100)) == "100"


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("471.71 (10^9/L)", "10^9/L", "471.71 "),
        ("360.56IU/L", "IU/L", "360.56"),
        ("12.28 (g per dL)", "g/dL", "12.28"),
        ("15.2x10^9/L", "x10^9/L", "15.2"),
        ("0.9910^9/L", "10^9/L", "0.99"),
        ("<0.1 mg/dL", "mg/dL", "<0.1 "),
        ("4.2 g/L", "g/dL", "4.2 g/L"),
        ("0.4*", "10*9/L", "0.4*"),
        ("4.2", "g/dL", "4.2"),
        ("clotted", "g/dL", "clotted"),
        ("4.2 g/dL", "", "4.2 g/dL"),
    ],
)
def test_only_the_rows_own_unit_is_taken_off_a_value(text: str, unit: str, value: str) -> None:
    assert without_unit(catalogue(), text, unit).strip() == value.strip()
