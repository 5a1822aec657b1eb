"""HL7 v2 to raw rows: where each field of a row comes from."""

from __future__ import annotations

import csv

import pytest

from monitor.config import Source
from monitor.core.status_words import PLACEHOLDER, read_status
from monitor.core.vocabulary import Status
from monitor.intake.raw import BadLine, OtherMessage, RawRow
from tests.hl7_messages import MSH, OBR, PID, REAL, items, obx, oru, row, rows

WBC = obx("6690-2^WBC^LN", "5.4")


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        ("OBX|1|NM|WBC||5.4|G/L|||||F", "5.4"),
        ("OBX|1|NM|WBC||<0.1|G/L|||||F", "<0.1"),
        ("OBX|1|NM|WBC||0.1|G/L||<|||F", "<0.1"),
        ("OBX|1|NM|WBC||0.1|G/L||L~<|||F", "<0.1"),
        ("OBX|1|NM|WBC||10|G/L||<^Off scale low^HL70078|||F", "<10"),
        ("OBX|1|NM|WBC||0.1|G/L||L|||F", "0.1"),
        ("OBX|1|NM|WBC||4.1~4.2|G/L|||||F", "4.1~4.2"),
        ("OBX|1|NM|ALT||1^250|U/L|||||F", "1^250"),
        ("OBX|1|NM|WBC||5.4^^|G/L|||||F", "5.4"),
        ("OBX|1|NM|WBC||+0.9|G/L|||||F", "0.9"),
        ("OBX|1|NM|WBC||+|G/L|||||F", "+"),
        ("OBX|1|NM|WBC||4.1~4.1|G/L|||||F", "4.1"),
        ("OBX|1|SN|WBC||^300|G/L|||||F", "300"),
        ("OBX|1|SN|WBC||<^149|G/L|||||F", "<149"),
        ("OBX|1|SN|WBC||>=^5|G/L|||||F", ">=5"),
        ("OBX|1|SN|WBC||=^5|G/L|||||F", "5"),
        ("OBX|1|SN|WBC||^1^:^128|G/L|||||F", "1:128"),
        ("OBX|1|SN|WBC||^10^-^20|G/L|||||F", "10-20"),
        ("OBX|1|SN|WBC||<^5^^10|G/L|||||F", "<5^10"),
        ("OBX|1|SN|WBC||^1^ ^250|G/L|||||F", "1^250"),
        ("OBX|1|SN|WBC||7|G/L|||||F", "7"),
        ("OBX|1|ST|WBC||clotted|G/L|||||F", "clotted"),
        ("OBX|1|TX|WBC||see~report|G/L|||||F", "see\nreport"),
        ("OBX|1|CE|WBC||NA^Not assayed^ACME|G/L|||||F", "Not assayed"),
        ("OBX|1|CWE|WBC||LA6690^^L^^^^^^*1/*3A|G/L|||||F", "*1/*3A"),
        ("OBX|1|DR|WBC||2023^2024|G/L|||||F", "2023 - 2024"),
        ("OBX|1|ED|WBC||^PDF^Base64^JVBERi0x|G/L|||||F", "(a document)"),
        ("OBX|1||WBC||5.4|G/L|||||F", "5.4"),
        ('OBX|1|NM|WBC||""|G/L|||||F', ""),
        ("OBX|1|NM|WBC|||", ""),
        ("OBX|1|NM|WBC|||G/L|||||U", "now final; the value was not sent again"),
    ],
)
def test_values(segment: str, value: str) -> None:
    assert row(segment).value == value


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("3.9-11.2", "3.9", "11.2"),
        ("[ 1.1 - 4.0 ]", "1.1", "4.0"),
        ("(1.1–4.0)", "1.1", "4.0"),
        ("49 to 92", "49", "92"),
        ("4.0 - 10.0 10*9/L", "4.0", "10.0"),
        ("4-10 10E9/L", "4", "10"),
        ("150 000 - 400 000", "150 000", "400 000"),
        ("4.50&5.90", "4.50", "5.90"),
        ("13-18 years: 3-9", "", ""),
        ("18 - 60 Jahre", "", ""),
        ("M: 13.0-17.0", "", ""),
        ("0 - 40 [U/L]", "0", "40"),
        ("70-100 mg/dL", "70", "100"),
        ("3,9-11,2", "3,9", "11,2"),
        ("-2 - 2", "-2", "2"),
        ("<50", "", "50"),
        ("[ < 0.21 ]", "", "0.21"),
        ("<10 ug/dl", "", "10"),
        ("< or = 40", "", "40"),
        ("≤40", "", "40"),
        ("up to 40", "", "40"),
        ("Upto 40", "", "40"),
        (">60", "60", ""),
        (">= 60", "60", ""),
        ("greater than 60", "60", ""),
        ("3.9^11.2", "3.9", "11.2"),
        ("M: 13-17; F: 12-15", "", ""),
        ("negative", "", ""),
        ("", "", ""),
    ],
)
def test_reference_limits(written: str, low: str, high: str) -> None:
    found = row(f"OBX|1|NM|WBC||5|G/L|{written}||||F")
    assert (found.ref_low, found.ref_high) == (low, high)


def test_limits_in_another_unit_than_the_value_are_none_of_it() -> None:
    def limits(written: str) -> tuple[str, str]:
        found = row(f"OBX|1|NM|1742-6^ALT^LN||45|U/L|{written}||||F")
        return found.ref_low, found.ref_high

    assert limits("0.17-0.67 ukat/L") == ("", "")
    assert limits("10-40 IU/L") == limits("10-40 Adults") == ("10", "40")


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("10*3/uL", "10*3/uL"),
        (r"x10\S\9/L", "x10^9/L"),
        ("x10^9/L", "x10^9/L"),
        ("10^3/uL^^ISO+", "10^3/uL"),
        ("ug/dl^micro-gram per deci-liter^UCUM", "ug/dl"),
        ("^K/uL", "K/uL"),
        ("CELLS^10*9/L^L", "10*9/L"),
        ("furlong^fathom", "furlong"),
        ("K/uL^thousand per microliter^L^10*9/L^^UCUM", "K/uL"),
        ("10*9/L^10*6/L", "10*9/L, also 10*6/L"),
        ("K/uL^^L^10*6/L^10*9/L^UCUM", "K/uL, also 10*6/L"),
        ("", ""),
    ],
)
def test_units(written: str, unit: str) -> None:
    assert row(f"OBX|1|NM|6690-2^WBC^LN||5|{written}|||||F").unit == unit


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("6690-2^WBC^LN", ("6690-2", "WBC")),
        ("wbc^Wbc^Local^6690-2^Leukocytes^LN", ("6690-2", "wbc", "Wbc", "Leukocytes")),
        ("^^^WBC^White blood cells", ("WBC", "White blood cells")),
        ("WBC^White Blood Cell^LN", ("WBC", "White Blood Cell")),
        ("1920-8^AST^2.16.840.1.113883.6.1", ("1920-8", "AST")),
        ("WBC", ("WBC",)),
        ("^White cells", ("White cells",)),
        ("", ()),
    ],
)
def test_names_of_the_analyte(code: str, names: tuple[str, ...]) -> None:
    found = row(f"OBX|1|NM|{code}||5|G/L|||||F")
    assert (found.analyte, *found.also) == (names or ("",))


def test_a_power_within_a_unit_is_put_together_where_it_is_one() -> None:
    def unit(written: str) -> str:
        return row(f"OBX|1|NM|32660-3^6-TGN^LN||235|{written}|||||F").unit

    assert unit("pmol/8x10^8 RBC") == "pmol/8x10^8 RBC"
    assert unit("mg/10^5 bags") == "mg/10"


def test_a_unit_at_the_end_of_a_name_is_no_part_of_it() -> None:
    found = row("OBX|1|ST|lymA^Lymphozyten G/l||1.6|G/l|0.7 - 4.0||||F")
    assert (found.analyte, *found.also) == ("lymA", "Lymphozyten G/l", "Lymphozyten")
    assert row("OBX|1|ST|x^Vitamin B||1.6|B|||||F").also == ("Vitamin B", "Vitamin")
    for written in ("[G/l]", "(G/l)"):
        found = row(f"OBX|1|ST|lymA^Lymphozyten {written}||1.6|G/l|||||F")
        assert found.also == (f"Lymphozyten {written}", "Lymphozyten")
    assert row("OBX|1|ST|x^CRPmg/l||1.6|mg/l|||||F").also == ("CRPmg/l",)


@pytest.mark.parametrize(
    ("obr_15", "spm_4", "name"),
    [
        ("", "", "ALB"),
        ("BLOOD", "", "ALB"),
        ("", "BLD^Whole blood^HL70487", "ALB"),
        ("", "UR^Urine^HL70487", "ALB (UR)"),
        ("UR&Urine", "", "ALB (UR)"),
        ("Urine", "", "ALB (Urine)"),
        ("", "^Spontanurin", "ALB (Spontanurin)"),
        ("", "258450006^Cerebrospinal fluid^SCT^CSF", "ALB (258450006)"),
    ],
)
def test_albumin_of_urine_is_another_quantity(obr_15: str, spm_4: str, name: str) -> None:
    order = f"OBR|1||S1|X|||20260302|{'|' * 6}|{obr_15}"
    spm = f"SPM|1|||{spm_4}" if spm_4 else "ZZZ|1"
    content = "\r".join([MSH, PID, order, obx("ALB^Albumin^L", "4", "g/L"), spm])
    (found,) = rows(content)
    assert (found.analyte, found.also) == (name, (name.replace("ALB", "Albumin"),))


@pytest.mark.parametrize(
    ("order", "obr_15", "names"),
    [
        ("42^Urin^L", "", ("LEUK (Urin)", "Leukozyten (Urin)")),
        ("UA^URINALYSIS, COMPLETE^L", "", ("LEUK (URINALYSIS, COMPLETE)",)),
        ("^^^55^Urinstatus", "", ("LEUK (Urinstatus)",)),
        ("24356-8^Urinalysis complete panel^LN", "Serum", ("LEUK", "Leukozyten")),
        ("BJ^Serum/Urin^L", "", ("LEUK", "Leukozyten")),
        ("CBC^Blutbild^L", "", ("LEUK", "Leukozyten")),
    ],
)
def test_cells_of_an_order_of_urine_are_none_of_the_blood(
    order: str, obr_15: str, names: tuple[str, ...]
) -> None:
    obr = f"OBR|1||S1|{order}|||20260302|{'|' * 6}|{obr_15}"
    (found,) = rows("\r".join([MSH, PID, obr, obx("LEUK^Leukozyten^L", "25", "/ul")]))
    assert (found.analyte, *found.also)[: len(names)] == names


@pytest.mark.parametrize(
    ("order", "spm_4", "code", "names"),
    [
        ("CSF^Liquordiagnostik^L", "", "26464-8^Leukozyten^LN", ("26464-8 (Liquordiagnostik)",)),
        ("1^Labor^L", "", "26464-8^Leukozyten im Liquor^LN", ("26464-8 (Leukozyten im Liquor)",)),
        ("1^Lab^L", "", "WBC^WBC body fluid^L", ("WBC (WBC body fluid)",)),
        ("1^Lab^L", "UR^Urine^HL70487", "6690-2^WBC^LN", ("6690-2 (UR)", "WBC (UR)")),
        ("1^CSF ANALYSIS^L", "", "6690-2^WBC^LN", ("6690-2 (CSF ANALYSIS)",)),
        ("FLC^Fluid cell count^L", "", "6690-2^WBC^LN", ("6690-2 (Fluid cell count)",)),
        ("1^Urinalysis^L", "", "2160-0^Creatinine in Serum^LN", ("2160-0",)),
        ("1^Microalbumin^L", "", "2161-8^Creatinine^LN", ("2161-8", "Creatinine (2161-8)")),
        ("1^Lab^L", "SAL^Saliva^HL70487", "41048-0^TPMT gene^LN", ("41048-0", "TPMT gene")),
        (
            "1^Lab^L",
            "PL^Pleuravocht in EDTA buis^L",
            "WBC^WBC^L",
            ("WBC (Pleuravocht in EDTA buis)",),
        ),
        ("1^Pleuravocht^L", "E1^EDTA 4 ml^L", "WBC^WBC^L", ("WBC (Pleuravocht)",)),
        ("1^Pleuravocht^L", "BLD^EDTA^HL70487", "WBC^WBC^L", ("WBC",)),
        ("1^Urin^L", "", "5821-4^Leukozyten^LN", ("5821-4", "Leukozyten (Urin)")),
    ],
)
def test_a_loinc_code_of_the_blood_does_not_make_blood_of_another_material(
    order: str, spm_4: str, code: str, names: tuple[str, ...]
) -> None:
    spm = f"SPM|1|||{spm_4}" if spm_4 else "ZZZ|1"
    obr = f"OBR|1||S1|{order}|||20260302"
    (found,) = rows("\r".join([MSH, PID, obr, obx(code, "2", "/uL"), spm]))
    assert (found.analyte, *found.also)[: len(names)] == names


def cells_in(spm_4: str) -> RawRow:
    """The row of white cells counted in such a specimen."""
    obr = "OBR|1||S1|1^Lab^L|||20260302"
    content = "\r".join([MSH, PID, obr, obx("6690-2^WBC^LN", "2", "/uL"), f"SPM|1|||{spm_4}"])
    (found,) = rows(content)
    return found


@pytest.mark.parametrize(
    "spm_4",
    [
        "LSAC^^HL70487",
        "FGA^^HL70487",
        "JNTFLD",
        "EFFUS^Effusion^HL70487",
        "RANDU",
        "DIA^^HL70487",
        "PCEDTA^Pericardvocht in EDTA^L",
        "PuV^Punctievocht^L",
        "7^Knee aspirate^L",
        "8^Kniegelenkserguss^L",
        "9^Perikarderguss (EDTA)^L",
        "9^Morgenurin^L",
        "001^尿^JC10",
        "041^腹水^JC10",
        "SNV^Bartholin's gland fluid^L",
        "EYE^^HL70487",
        "BLDCO^^HL70487",
        "PRP^^HL70487",
        "5^Cord blood^L",
        "6^Wound discharge^L",
        "258440005^^SCT",
    ],
)
def test_cells_of_every_other_specimen_are_none_of_the_blood(spm_4: str) -> None:
    found = cells_in(spm_4)
    assert found.analyte.startswith("6690-2 (")


@pytest.mark.parametrize(
    "spm_4",
    [
        "EYE^^L",
        "GT^Gold top^L",
        "ASERU^^HL70487",
        "PPP^^HL70487",
        "OTH^^HL70487",
        "SKN^Skin puncture blood^L",
        "LNV^Line venous^HL70070",
        "HY^Heparineplasma op ijs^L",
        "K^Kalium-EDTA^L",
        "LT^Lavender top^L",
        "C^Central line draw^L",
        "F^Fingerstick^L",
        "ECZY^EDTA+Citroenzuurbuis transport in ijswater^L",
    ],
)
def test_a_laboratorys_own_word_for_a_tube_says_nothing_of_another_material(spm_4: str) -> None:
    found = cells_in(spm_4)
    assert (found.analyte, found.also) == ("6690-2", ("WBC",))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("46740-7^Hemoglobin disorders newborn screen^LN^HGB^Hb screen^L", "HGB (46740-7)"),
        ("HGB^Hemoglobin^L^20563-3^Carboxyhemoglobin/Hemoglobin.total^LN", "HGB (20563-3)"),
        ("30350-3^Hemoglobin [Mass/volume] in Venous blood^LN^HGB^Hb^L", "HGB"),
        ("30350-3^Hgb BldV-mCnc^LN^HGB^Hb^L", "HGB"),
        ("30350-3^HEMOGLOBIN:MCNC:PT:BLDV:QN^LN^HGB^Hb^L", "HGB"),
        ("30350-3^^LN^HGB^Hb^L", "HGB"),
        ("718-7^Our own words^LN^HGB^Hb^L", "HGB"),
    ],
)
def test_what_a_loinc_code_calls_otherwise_is_not_taken_for_the_name_beside_it(
    code: str, name: str
) -> None:
    found = row(obx(code, "14", "g/dL"))
    assert name in (found.analyte, *found.also)


@pytest.mark.parametrize(
    ("specimens", "code", "name"),
    [
        (("BLD^Blood^HL70487", "UR^Urine^HL70487"), "WBC^Cells^L", "WBC (UR)"),
        (("UR^Urine^HL70487", "BLD^Blood^HL70487"), "WBC^Cells^L", "WBC (UR)"),
        (("UR^Urine^HL70487", "BLD^Blood^HL70487"), "6690-2^WBC^LN", "6690-2"),
        (("UR^Urine^HL70487", "CSF^Liquor^HL70487"), "6690-2^WBC^LN", "6690-2 (UR)"),
        (("BLD^Blood^HL70487", "SER^Serum^HL70487"), "WBC^Cells^L", "WBC"),
    ],
)
def test_of_two_specimens_of_an_order_a_loinc_code_of_ours_says_which(
    specimens: tuple[str, ...], code: str, name: str
) -> None:
    order = "OBR|1||S1|1^Lab^L|||20260302"
    after = [f"SPM|{n}|||{kind}" for n, kind in enumerate(specimens, 1)]
    (found,) = rows("\r".join([MSH, PID, order, obx(code, "2", "/uL"), *after]))
    assert found.analyte == name


def test_of_two_specimens_that_of_blood_tells_the_time() -> None:
    order = "OBR|1||S1|1^Lab^L|||20260302"
    urine, blood = (
        f"SPM|1|{number}||{kind}{'|' * 13}{at}"
        for number, kind, at in (("U1", "UR", "202603020600"), ("B1", "BLD", "202603020830"))
    )
    (found,) = rows("\r".join([MSH, PID, order, WBC, urine, blood]))
    assert (found.specimen_id, found.collected_at) == ("B1", "2026-03-02T08:30:00")


def test_a_control_is_nobodys_blood() -> None:
    spm = "SPM|1|Q1||SER|||||||Q^Control^HL70369"
    (found,) = rows("\r".join([MSH, PID, spm, "OBR|1||S1|X|||20260302", WBC]))
    assert found.analyte == "6690-2 (control)"


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("20260302", "2026-03-02"),
        ("2026030208", "2026-03-02T08:00:00"),
        ("202603020830", "2026-03-02T08:30:00"),
        ("20260302083015", "2026-03-02T08:30:15"),
        ("20260302083015.1234", "2026-03-02T08:30:15"),
        ("202603020830-0700", "2026-03-02T08:30:00-0700"),
        ("20260302083015.5+0130", "2026-03-02T08:30:15+0130"),
        ("202603020830^M", "2026-03-02T08:30:00"),
        ("202603020830+01", "2026-03-02T08:30:00+01"),
        ("20260302083000+01:00", "2026-03-02T08:30:00+01:00"),
        ("202603020830EST", "2026-03-02T08:30:00EST"),
        ("00000000", ""),
        ("000000000000", ""),
        ("202603", "202603"),
        ("2026", "2026"),
        ("", ""),
        ("2026-03-02 08:30", "2026-03-02 08:30"),
    ],
)
def test_times_of_every_precision(written: str, iso: str) -> None:
    assert row(content=oru(WBC, collected=written)).collected_at == iso


@pytest.mark.parametrize(
    ("spm_17", "obr_7", "obr_8", "obx_14", "collected"),
    [
        ("20260301", "20260302", "20260303", "20260304", "2026-03-01"),
        ("20260301^20260302", "", "", "", "2026-03-01"),
        ("", "20260302", "20260303", "20260304", "2026-03-02"),
        ("", "", "20260303", "20260304", "2026-03-03"),
        ("", "", "", "20260304", "2026-03-04"),
        ("", "", "", "", ""),
        ("20260302", "202603020830", "", "", "2026-03-02T08:30:00"),
        ("20260302", "202603030830", "", "", "2026-03-02"),
        ("", "20260302", "202603020835", "", "2026-03-02T08:35:00"),
        ("00000000", "00000000", "", "202603020830", "2026-03-02T08:30:00"),
    ],
)
def test_the_time_of_collection_is_that_of_the_specimen_and_never_the_messages(
    spm_17: str, obr_7: str, obr_8: str, obx_14: str, collected: str
) -> None:
    order = f"OBR|1||S1|X|||{obr_7}|{obr_8}||||||20260309"
    result = f"OBX|1|NM|WBC||5|G/L|||||F|||{obx_14}|||||20260309"
    content = "\r".join([MSH, PID, order, result, f"SPM|1{'|' * 16}{spm_17}"])
    assert row(content=content).collected_at == collected


def test_an_analyte_at_several_times_of_one_order_has_each_its_own() -> None:
    results = [f"OBX|{n}|NM|WBC||{n}|G/L|||||F|||2026030{n}" for n in (1, 2)]
    steady = "OBX|3|NM|PLT||250|G/L|||||F|||20260305"
    found = rows(oru(*results, steady))
    assert [it.collected_at[:10] for it in found] == ["2026-03-01", "2026-03-02", "2026-03-02"]


def test_the_status_is_the_results_own_else_the_orders() -> None:
    bare = "OBX|1|NM|WBC||5|G/L"
    for order, status in (("F", "F"), ("C", "C"), ("P", "P"), ("A", "P"), ("I", "P"), ("", "")):
        content = "\r".join([MSH, PID, OBR.replace("|||F", f"|||{order}"), bare])
        assert row(content=content).status == status
    assert row(f"{bare}|||||P").status == "P"


@pytest.mark.parametrize("status", ["F", "C", "P"])
def test_a_result_that_stands_in_a_cancelled_order_has_no_status(status: str) -> None:
    cancelled = OBR.replace("|||F", "|||X")
    found = row(content="\r".join([MSH, PID, cancelled, f"OBX|1|NM|WBC||5|G/L|||||{status}"]))
    assert read_status(found.status) is None
    assert found.status == f"{status} in an order X, cancelled"


@pytest.mark.parametrize(
    ("status", "read"), [("X", "X"), ("D", "D"), ("W", "W"), ("I", "I"), ("", "X")]
)
def test_what_a_cancelled_order_takes_back_itself_is_taken_back(status: str, read: str) -> None:
    cancelled = OBR.replace("|||F", "|||X")
    content = "\r".join([MSH, PID, cancelled, f"OBX|1|NM|WBC||5|G/L|||||{status}"])
    assert row(content=content).status == read


def test_each_status_of_hl7s_own_table_means_what_it_means_in_fhir() -> None:
    path = REAL.parent / "hl7_tables" / "v2_to_fhir_ObservationResultStatusCodesInterpretation.csv"
    same = {
        "amended": Status.CORRECTED, "corrected": Status.CORRECTED, "final": Status.FINAL,
        "preliminary": Status.PRELIMINARY, "entered-in-error": Status.WITHDRAWN,
        "cancelled": Status.CANCELLED, "registered": PLACEHOLDER,
    }  # fmt: skip
    with path.open(encoding="utf-8") as stream:
        table = [line for line in csv.reader(stream) if len(line[0]) == 1]
    mapped = {line[0]: line[6] for line in table if line[6] in same}
    assert len(table) == 15 and len(mapped) >= 6
    for code, word in mapped.items():
        assert read_status(code) == same[word], code
    assert all(read_status(line[0]) is not None for line in table)


@pytest.mark.parametrize(
    ("pid_3", "mrn", "issuer"),
    [
        ("A1", "A1", ""),
        ("A1^^^NORTH^MR", "A1", "NORTH"),
        ("A1^^^NORTH&1.2.3&ISO^MR", "A1", "NORTH"),
        ("A1^^^&1.2.3&ISO^MR", "A1", "1.2.3"),
        ("N9^^^NHS^NH~A1^^^NORTH^MR", "A1", "NORTH"),
        ("N9^^^NHSNBR^NHSNMBR~A1^^^SIM^MRN", "A1", "SIM"),
        ("S9^^^USA^SS~A1^^^NORTH", "A1", "NORTH"),
        ("V9^^^X^VN~A1^^^NORTH^PI", "A1", "NORTH"),
        ("00012^5^M10^NORTH^MR", "00012", "NORTH"),
        ("A9^^^NORTH^MR^^20100101^20150101~A1^^^NORTH^MR", "A1", "NORTH"),
    ],
)
def test_of_several_numbers_the_medical_record_number(pid_3: str, mrn: str, issuer: str) -> None:
    content = oru(WBC).replace("A1^^^NORTH^MR", pid_3)
    found = row(content=content)
    assert (found.mrn, found.issuer) == (mrn, issuer)


def test_an_old_sender_puts_the_number_elsewhere() -> None:
    for pid in ("PID|1|A1|||Keller^Anna", "PID|1|||A1|Keller^Anna"):
        assert row(content=oru(WBC).replace(PID.format(mrn="A1"), pid)).mrn == "A1"


def test_name_and_birth_date_as_they_are_compared() -> None:
    pid = "PID|1||A1||&&~von Keller&von&Keller^Anna^M^^^^L~Frei^Anna^^^^^M||{}"
    days = {"19700501000000": "1970-05-01", "1970": "", "197005": "", "00000000": ""}
    for written, day in days.items():
        content = oru(WBC).replace(PID.format(mrn="A1"), pid.format(written))
        found = row(content=content)
        assert (found.family_name, found.given_name) == ("von Keller", "Anna")
        assert found.birth_date == day


def test_comments_of_the_order_and_of_the_result() -> None:
    first, second, third = rows(
        oru("NTE|1||haemolysed", WBC, "NTE|1||a", "NTE|2||b", WBC, "ORC|RE", OBR, WBC)
    )
    assert first.comment == "haemolysed\na\nb"
    assert second.comment == "haemolysed"
    assert third.comment == ""


def test_the_specimens_condition_is_a_comment() -> None:
    spm = f"SPM|1|^T1&LAB||BLD{'|' * 13}20260301{'|' * 7}CLOT^Clotted^HL70493"
    found = rows(oru(WBC, spm))[0]
    assert (found.comment, found.specimen_id) == ("Clotted", "T1")


REMARKS = [
    (("TX", "see note"), "3.1", "see note"),
    (("ST", "(Ref Range: 4.0-10.0)"), "3.1", "(Ref Range: 4.0-10.0)"),
    (("FT", "platelet clumps"), "3.1", "platelet clumps"),
    (("TX", ""), "3.1", ""),
]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("text", "value", "comment"), REMARKS)
def test_a_text_beside_a_number_of_the_same_test_is_its_comment(
    before: bool, text: tuple[str, str], value: str, comment: str
) -> None:
    number = "OBX|1|NM|WBC^WBC^L||3.1|G/L|||||F"
    remark = f"OBX|2|{text[0]}|WBC^WBC^L||{text[1]}||||||F"
    found = rows(oru(*((remark, number) if before else (number, remark))))
    assert [it.is_remark for it in found] == [before, not before]
    (kept,) = [it for it in found if not it.is_remark]
    assert (kept.value, kept.comment) == (value, comment)


@pytest.mark.parametrize(
    "text",
    [
        "OBX|2|TX|WBC^WBC^L||clotted||||||C",
        "OBX|2|TX|WBC^WBC^L||clotted||||||F|||20260302120000",
        "OBX|2|TX|PLT^PLT^L||clumps||||||F",
        "OBX|2|ST|WBC^WBC^L||4.1||||||F",
        "OBX|2|ST|WBC^WBC^L||<4.1||||||F",
        "OBX|2|NM|WBC^WBC^L||4.1|G/L|||||F",
    ],
)
def test_what_may_take_the_numbers_place_is_a_result(text: str) -> None:
    number = "OBX|1|NM|WBC^WBC^L||3.1|G/L|||||F|||20260302083000"
    assert [it.is_remark for it in rows(oru(number, text))] == [False, False]


def test_a_text_belongs_to_the_number_before_it() -> None:
    numbers = [f"OBX|{n}|NM|WBC^WBC^L|{n}|{n}.5|G/L|||||F" for n in (1, 2)]
    remarks = [f"OBX|{n}|TX|WBC^WBC^L|{n}|run {n}||||||F" for n in (1, 2)]
    found = rows(oru(numbers[0], remarks[0], numbers[1], remarks[1]))
    assert [it.comment for it in found if not it.is_remark] == ["run 1", "run 2"]


def test_what_was_collected_at_several_times_is_no_one_specimen() -> None:
    times = ("20260302080000", "20260302160000")
    found = rows(oru(*(f"OBX|1|NM|WBC||3.1|G/L|||||F|||{it}" for it in times)))
    assert [(it.collected_at[11:13], it.specimen_id) for it in found] == [("08", ""), ("16", "")]


@pytest.mark.parametrize(
    ("last", "is_cut"),
    [
        ("OBX|2|NM|777-3^PL", True),
        ("OBX|2|NM|INR^INR^L||1", True),
        ("OBX|2|NM|INR^INR^L||1.1|||||", True),
        ("OBX|2|TX|NOTE^Note^L||see report", False),
        ("OBX|2|NM|INR^INR^L||1.1||||||F", False),
    ],
)
def test_a_message_that_ends_within_a_result_says_nothing_of_it(last: str, is_cut: bool) -> None:
    found = items(oru(WBC, last))
    assert [it.code for it in found if isinstance(it, BadLine)] == ["cut_short"] * is_cut
    assert [type(it) for it in found].count(RawRow) == 2 - is_cut


@pytest.mark.parametrize("cut", [20, 28, 38])
def test_a_number_whose_line_is_broken_says_nothing(cut: int) -> None:
    """Without its value it was no result, and without its status a preliminary one was final."""
    whole = obx("6690-2^WBC^LN", "5.4", status="P")
    found = items(oru(f"{whole[:cut]}\r{whole[cut:]}", obx("777-3^PLT^LN", "231")))
    codes = [it.value if isinstance(it, RawRow) else getattr(it, "code", "") for it in found]
    assert sorted(codes) == ["231", "cut_short", "no_segment"]


def test_results_that_leave_out_their_status_are_not_cut_short() -> None:
    found = rows(oru("OBX|1|NM|WBC||5|G/L", "OBX|2|NM|INR^INR^L||1.1"))
    assert [it.value for it in found] == ["5", "1.1"]


def test_a_message_of_results_that_brings_none_is_told() -> None:
    (lost,) = items(f"{MSH}\r{PID}\r")
    assert isinstance(lost, BadLine)
    assert lost.code == "no_results"
    (order,) = items(oru())
    assert order == OtherMessage(1, "ORU^R01 without a result")


@pytest.mark.parametrize(
    ("named", "obr_7", "collected"),
    [
        ("OBR-6", "", "2026-03-01T18:30:00"),
        ("obr.27.4", "", "2026-03-01T19:00:00"),
        ("ORC-9", "", "2026-03-01T20:00:00"),
        ("OBR-6", "202603020830", "2026-03-02T08:30:00"),
        ("Datum", "", ""),
        ("", "", ""),
    ],
)
def test_a_source_may_name_the_time_of_collection_where_the_usual_ones_are_empty(
    named: str, obr_7: str, collected: str
) -> None:
    order = f"OBR|1||S1|CBC||202603011830|{obr_7}{'|' * 20}^^^202603011900"
    content = "\r".join([MSH, PID, "ORC|RE||||||||202603012000", order, WBC])
    (found,) = items(content, Source(columns={"collected_at": named}))
    assert isinstance(found, RawRow)
    assert found.collected_at == collected
    timed = content.replace(WBC, WBC + "|||202603020900")
    (found,) = items(timed, Source(columns={"collected_at": named}))
    assert isinstance(found, RawRow)
    assert found.collected_at == (f"2026-03-02T{'08:30' if obr_7 else '09:00'}:00")


@pytest.mark.parametrize(
    ("named", "mrn"), [("PID-2", "A1"), ("pid.4", "20923"), ("PID-3", "0157"), ("MRN", "0157")]
)
def test_a_source_may_name_the_field_of_the_patients_number(named: str, mrn: str) -> None:
    pid = "PID|1|A1|0157|20923||Keller^Anna||19700501|F"
    content = "\r".join([MSH, pid, OBR.format(specimen="S1", collected="20260302"), WBC])
    (found,) = items(content, Source(columns={"mrn": named}))
    assert isinstance(found, RawRow)
    assert found.mrn == mrn


@pytest.mark.parametrize(
    ("listed", "mrn"), [("230690^^^ISLAND^SS", "230690"), ("230690^^^ISLAND^SS~A1^^^N^MR", "A1")]
)
def test_a_field_that_the_source_names_has_the_number_whatever_its_type(
    listed: str, mrn: str
) -> None:
    """Where a country's number is the patient's, its type says social security."""
    pid = f"PID|1||{listed}||Keller^Anna||19700501|F"
    content = "\r".join([MSH, pid, OBR.format(specimen="S1", collected="20260302"), WBC])
    (found,) = items(content, Source(columns={"mrn": "PID-3"}))
    (unnamed,) = items(content)
    assert isinstance(found, RawRow)
    assert isinstance(unnamed, RawRow)
    assert (found.mrn, unnamed.mrn) == (mrn, "A1" if "A1" in listed else "")


@pytest.mark.parametrize(
    ("segments", "decimals"),
    [
        (["OBX|1|ST|WBC||5,1|G/L|4,0 - 10,0", "OBX|2|NM|PLT||1,250|G/L"], {"comma"}),
        (["OBX|1|NM|WBC||5,1|G/L", "OBX|2|NM|HGB||13.1|g/dL"], {""}),
        (["OBX|1|NM|PLT||1,250|/uL", "OBX|2|NM|HGB||13.1|g/dL"], {"point"}),
        (["OBX|1|NM|PLT||1,250|G/L"], {""}),
        (["OBX|1|NM|WBC||5.1|G/L|4.0-10.0"], {""}),
        (["OBX|1|SN|PLT||<^20|G/L", "OBX|2|TX|NOTE||2,5 mg a day"], {""}),
        (["OBX|1|CE|WBC||^5,1|G/L", "OBX|2|SN|PLT||<^20|G/L"], {"comma"}),
        (["OBX|1|TX|WBC||5,1|G/L", "OBX|2|FT|PLT||<20|G/L"], {"comma"}),
        (["OBX|1|NM|ALT||127|U/L|8,5-35,5 U/L", "OBX|2|NM|AST||20|U/L"], {"comma"}),
    ],
)
def test_a_decimal_comma_is_what_the_whole_message_shows(
    segments: list[str], decimals: set[str]
) -> None:
    """`5,1` can be read no other way, and then `1,250` is no thousand; beside `13.1` alone it is
    one. Both, or nothing that settles it, leave all to the source's mapping."""
    assert {it.decimal for it in rows(oru(*segments))} == decimals


def test_limits_may_have_another_mark_than_values() -> None:
    """As German laboratories send it: an ALT of 1.250 there is no 1.25."""
    white, alt = rows(
        oru("OBX|1|NM|WBC||2,9|G/L|4.0 - 10.5||||F", "OBX|2|NM|ALT||1.250|U/L|< 35.5||||F")
    )
    assert (white.decimal, alt.decimal) == ("comma", "comma")
    assert (white.ref_low, white.ref_high, alt.ref_high) == ("4,0", "10,5", "35,5")


def test_a_point_before_three_digits_is_open_where_values_show_both_marks() -> None:
    found = rows(oru(obx("WBC", "2,9"), obx("HGB", "13.1", "g/dL"), obx("ALT", "1.250", "U/L")))
    assert [it.decimal for it in found] == ["", "", "open"]
