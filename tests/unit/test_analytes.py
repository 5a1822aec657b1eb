"""The catalogue: what laboratories call things, and a file that is read strictly."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from monitor.core.catalogue import Catalogue, name_key
from monitor.core.catalogue_file import load_catalogue
from monitor.core.faults import Fault, Faults, nearest

FILE = Path(__file__).parents[2] / "schedules" / "analytes.toml"
TEXT = FILE.read_text(encoding="utf-8")

OUR_NAMES = """
white_cells neutrophils lymphocytes eosinophils monocytes platelets neutrophils_percent
lymphocytes_percent eosinophils_percent hemoglobin mcv alt ast alp ggt bilirubin
bilirubin_direct albumin creatinine egfr urea crp igg inr amylase lipase tgn mmp
tpmt_activity bile_acids weight
""".split()

SMALL = """
[unit_words]
ul = ["mcL"]
[unit_tables.cells]
"10*9/L" = 1
"/uL" = 0.001
[name_marks]
percent = ["%"]
absolute = ["#"]
[analytes.white_cells]
title = "White cells"
unit = "10*9/L"
decimals = 2
plausible = [0, 100]
names = ["WBC"]
[analytes.white_cells.number]
loinc = ["6690-2"]
table = "cells"
[no_result]
texts = ["clotted"]
[doubt]
[[doubt.words]]
words = ["clumps"]
analytes = ["white_cells"]
"""


@cache
def catalogue() -> Catalogue:
    return load_catalogue(TEXT, FILE.name)


def faults(text: str) -> list[str]:
    with pytest.raises(Faults) as caught:
        load_catalogue(text, "analytes.toml")
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("name", OUR_NAMES)
def test_every_analyte_of_the_contract_is_in_the_file(name: str) -> None:
    analyte = catalogue().analytes[name]
    assert analyte.name == name
    assert analyte.factor(analyte.unit) == 1
    assert catalogue().find(name) is analyte


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("WBC", "white_cells"),
        ("wcc", "white_cells"),
        ("White Cell Count", "white_cells"),
        ("LEUKOCYTES", "white_cells"),
        ("White blood cell (WBC) count", "white_cells"),
        ("ANC", "neutrophils"),
        ("Neutrophils", "neutrophils"),
        ("neutrophils #", "neutrophils"),
        ("Neutrophils (Absolute)", "neutrophils"),
        ("Absolute Neutrophils", "neutrophils"),
        ("neut abs", "neutrophils"),
        ("neutrophils %", "neutrophils_percent"),
        ("% Neutrophils", "neutrophils_percent"),
        ("Neutrophils (%)", "neutrophils_percent"),
        ("NEUTROPHILS/100 LEUKOCYTES", "neutrophils_percent"),
        ("Neutrophils per", "neutrophils_percent"),
        ("NEUT_PCT", "neutrophils_percent"),
        ("segs", "neutrophils_percent"),
        ("Bands", "bands"),
        ("Bands %", "bands_percent"),
        ("731-0", "lymphocytes"),
        (" 731 - 0 ", "lymphocytes"),
        ("736-9", "lymphocytes_percent"),
        ("Lymphocytes, Percent", "lymphocytes_percent"),
        ("lymphocytes_percent", "lymphocytes_percent"),
        ("Absolute Lymphocyte Count", "lymphocytes"),
        ("Platelet Count", "platelets"),
        ("777-3", "platelets"),
        ("hemoglobin", "hemoglobin"),
        ("Haemoglobin", "hemoglobin"),
        ("ALT (SGPT)", "alt"),
        ("sgpt", "alt"),
        ("Bilirubin, Total", "bilirubin"),
        ("Bilirubin, Direct", "bilirubin_direct"),
        ("14631-6", "bilirubin"),
        ("BUN", "urea"),
        ("6-TGN", "tgn"),
        ("alkaline phos.", "alp"),
        ("-lymphs", "lymphocytes"),
        ("Lymphozyten Automat", "lymphocytes"),
        ("Lymphozyten Automat %", "lymphocytes_percent"),
        ("Neutrophils Absolute Auto", "neutrophils"),
        ("Neutrophile (Seg+Stab)", "neutrophils"),
        ("Segmentkernige Neutrophile", "neutrophils_percent"),
        ("Neutrophiles non-segmentés", "bands"),
        ("Eosinophiles", "eosinophils"),
        ("NEU#", "neutrophils"),
        ("Neu%", "neutrophils_percent"),
        ("MON#", "monocytes"),
        ("Bas%", "basophils_percent"),
        ("림프구", "lymphocytes"),
        ("Creatinin", "creatinine"),
        ("y-Glutamyltransferase", "ggt"),
        ("IgG Immunglobulin", "igg"),
        ("CRP C-reaktives Protein", "crp"),
        # a star of accreditation
        ("*丙氨酸氨基转移酶", "alt"),
        ("★白细胞", "white_cells"),
        ("ALT*", "alt"),
        # two names of the same
        ("LEUC -- Leucocitos", "white_cells"),
        ("PLT - Platelets", "platelets"),
        ("WBC: Leukocytes", "white_cells"),
        ("WBC # Bld Auto", "white_cells"),
        ("Leukocytes, Auto", "white_cells"),
        ("Platelet # Bld Auto", "platelets"),
        ("Platelet Count, Manual", "platelets"),
        ("Krevní destičky", "platelets"),
        ("Neutrophils NFr Bld Auto", "neutrophils_percent"),
        ("Hgb Bld-mCnc", "hemoglobin"),
        ("ALT SerPl-cCnc", "alt"),
        ("ALT (IFCC)", "alt"),
        ("Bilirub Direct SerPl-mCnc", "bilirubin_direct"),
        ("Sr. Creatinine", "creatinine"),
        ("PLT Trombosit", "platelets"),
        ("Globules blancs (GB)", "white_cells"),
        # the fluid beside
        ("Hemoglobin, Blood", "hemoglobin"),
        ("Blood platelets", "platelets"),
        ("Leukozyten i.B.", "white_cells"),
        ("Serum SGPT", "alt"),
        ("Creatinine - Serum", "creatinine"),
        ("S.Bilirubin Total", "bilirubin"),
        # marks of other languages
        ("Neutrofielen absoluut", "neutrophils"),
        ("Нейтрофилы абс.", "neutrophils"),
        ("淋巴细胞百分数", "lymphocytes_percent"),
        ("γ-谷氨酰转肽酶", "ggt"),
        ("Общий билирубин", "bilirubin"),
        ("TROMBOSİT", "platelets"),
        # measured beside the patient
        ("HGB POC", "hemoglobin"),
        # words that say nothing
        ("Hemoglobin Level", "hemoglobin"),
        ("Total Platelet Count", "platelets"),
        ("Absolute Neutrophils Count", "neutrophils"),
        ("Neutrophil Absolute Count", "neutrophils"),
        ("Alkaline Phosphatase, S", "alp"),
        ("Hemoglobin, B", "hemoglobin"),
        # the panel before
        ("cbc_wbc", "white_cells"),
        ("lab_hgb", "hemoglobin"),
        ("LFT - ALT", "alt"),
        ("CBC: Neutrophils %", "neutrophils_percent"),
        ("LÖKOSİT SAYISI", "white_cells"),
        # a mark, and how it was counted
        ("Neut # (Auto)", "neutrophils"),
        ("Lymph % (Auto)", "lymphocytes_percent"),
        ("AUTO NEUT #", "neutrophils"),
        ("Manual Lymph %", "lymphocytes_percent"),
        ("Bands % (Manual)", "bands_percent"),
        ("Eos Abs Calc", "eosinophils"),
        ("Number of neutrophils", "neutrophils"),
        ("Neutrophile in %", "neutrophils_percent"),
        ("Recuento de neutrófilos", "neutrophils"),
        ("Lymphocytes (valeur absolue)", "lymphocytes"),
        ("Limfocitaszám", "lymphocytes"),
        ("Trombocitaszám", "platelets"),
        ("Нейтрофилы (общ.число), %", "neutrophils_percent"),
        ("GPT (37°C)", "alt"),
        ("ALAT (GPT) 37°C", "alt"),
        ("UN", "urea"),
        ("BIL", "bilirubin"),
        ("alk", "alp"),
        ("Linf%", "lymphocytes_percent"),
        ("Polynucleaires neutrophiles", "neutrophils"),
        ("Polynucléaires neutrophiles", "neutrophils"),
        ("Plytki krwi", "platelets"),
        ("PŁYTKI KRWI", "platelets"),
        ("Hamoglobin", "hemoglobin"),
        ("Lökosit", "white_cells"),
        ("PLTC", "platelets"),
        ("Filtrado glomerular estimado (CKD-EPI)", "egfr"),
        ("THRO", "platelets"),
        ("ヘモグロビン", "hemoglobin"),
        ("Sg-LEUCOCITI", "white_cells"),
        ("Linfociti (val. ass.)", "lymphocytes"),
        ("Neutrophile relativ", "neutrophils_percent"),
        ("Neutrophils Automated %", "neutrophils_percent"),
        ("ALT Lvl", "alt"),
        ("Alk. fosfatase", "alp"),
        ("Volume globulare medio (MCV)", "mcv"),
        ("TPMT-Genotyp", "tpmt"),
        ("TPMT mutation analysis", "tpmt"),
        ("TPMT Predicted Phenotype", "tpmt"),
        ("Thiopurine S-methyltransferase genotype", "tpmt"),
        ("21563-2", "tpmt_activity"),
        ("NUDT15_GENO", "nudt15"),
        ("nudix hydrolase 15", "nudt15"),
        ("NUDT15 metabolizer phenotype", "nudt15"),
        ("Génotype TPMT", "tpmt"),
        ("NUDT15 Genotype Result", "nudt15"),
        ("TPMT-Aktivität", "tpmt_activity"),
        ("Thiopurine methyltransferase", "tpmt_activity"),
        ("6-MMP nucleotides", "mmp"),
        ("6-Thioguanine Nucleotide (6-TGN)", "tgn"),
        ("6-Methylmercaptopurine (6-MMP)", "mmp"),
        ("eGFR If NonAfricn Am", "egfr"),
        ("eGFR using creatinine (CKD-EPI) per 1.73 square metres", "egfr"),
        ("Immunoglobulin G, Qn, Serum", "igg"),
        # codes of blood, of another method or formula
        ("76625-3", "alt"),
        ("88112-8", "ast"),
        ("77140-2", "creatinine"),
        ("42719-5", "bilirubin"),
        ("423..", "hemoglobin"),
        ("15152-2", "bilirubin_direct"),
        ("61152-5", "albumin"),
        ("77147-7", "egfr"),
        ("Nøytrofile granulocytter", "neutrophils"),
        ("B-Nøytrofile granulocytter", "neutrophils"),
        ("Granulocytter (nøytrofile)", "neutrophils"),
        ("Eosinofile granulocytter", "eosinophils"),
        ("Glóbulos brancos", "white_cells"),
        ("Χολερυθρίνη ολική", "bilirubin"),
        ("Нейтрофилы сегментоядерные", "neutrophils_percent"),
        ("Нейтрофилы палочкоядерные", "bands_percent"),
    ],
)
def test_names_that_laboratories_use(theirs: str, ours: str) -> None:
    found = catalogue().find(theirs)
    assert found is not None
    assert found.name == ours


@pytest.mark.parametrize(
    "theirs",
    [
        "",
        " ",
        "Hemoglobin A1c",
        "Hemoglobin A",
        "Bilirubin, Indirect",
        "Red Blood Cells",
        "Platelet Smear",
        "MCH",
        "MCHC",
        "hematocrit",
        "4544-3",
        "%",
        "#",
        "count",
        "Plasma lymphocytes",
        "Leukocytes, serum",
        "Hemoglobin, plasma",
        "Serum Hb",
        "Hemoglobina en plasma",
        "B-lymphocytes;B",
        "Segs Bands",
        "ALT AST",
        "Serum albumin/creatinine",
        "Blood Neutrophil elastase",
        "WBC - Urine",
        "WBC # CSF",
        "WBC # UrnS Auto",
        "Creat Ur-mCnc",
        "Albumin Ur-mCnc",
        "CSF - WBC",
        "Hb-S",
        "MCH - Mean Corpuscular Hemoglobin",
        "HbA1c - Hemoglobin",
        "Lymphocytes atypical",
        "POC BILIRUBIN UA",
        "ua_wbc",
        "Creatinine, U",
        "Total Protein",
        "Total Count",
        "Cell Count",
        "Manual Differential",
        "GPT (25°C)",
        "Atypical Lymphs % (Manual)",
        "Imm Gran # (Auto)",
        "Reticulocytes # (Auto)",
        "Lymphs, CSF % (Manual)",
        "Platelet Function Test",
        "Hemoglobin A1c Level",
        "Absolute Reticulocyte Count",
        "csf_wbc",
        "lab_urine_wbc",
        "CBC WBC Urine",
        "NEUTROPHILS BODY FLUID",
        "LYMPHOCYTES %.BF.QN",
        "423",  # a laboratory's own code; that of Read is 423..
        "4.23",
    ],
)
def test_what_is_something_else_is_not_found(theirs: str) -> None:
    assert catalogue().find(theirs) is None


def test_a_percentage_never_shares_a_key_with_its_count() -> None:
    for analyte in catalogue().analytes.values():
        if analyte.percent_name is not None:
            for mark in ("%", " percent", "_pct"):
                found = catalogue().find(analyte.name + mark)
                assert found is not None
                assert found.name == analyte.percent_name


def test_percentages_and_counts_know_each_other() -> None:
    analytes = catalogue().analytes
    assert analytes["neutrophils_percent"].percent_of == "neutrophils"
    assert analytes["neutrophils_percent"].absolute_name == "neutrophils"
    assert analytes["neutrophils"].percent_name == "neutrophils_percent"
    assert analytes["neutrophils"].percent_of is None
    # Bands add to the segmented ones, and give no neutrophil count alone.
    assert analytes["bands_percent"].percent_of == "neutrophils"
    assert analytes["bands_percent"].adds_to == "neutrophils_percent"
    assert analytes["bands_percent"].absolute_name == "bands"


def test_every_code_and_name_leads_to_its_analyte() -> None:
    for analyte in catalogue().analytes.values():
        for text in (*analyte.names, *analyte.loinc):
            found = catalogue().find(f" {text.upper().replace(' ', '  ')} ")
            assert found is analyte, text


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert catalogue().suggest("lymphocites") == 'did you mean "lymphocytes"?'


@pytest.mark.parametrize(
    ("name", "units", "analyte"),
    [
        ("lymphocites", ["K/uL"], "lymphocytes"),
        ("lymphocites", ["%"], "lymphocytes"),
        ("lymphocites", [], "lymphocytes"),
        ("lymphocites", ["", "K/uL", "g/dL"], "lymphocytes"),
        ("Hemoglobin A1c", [], ""),
        ("Hemoglobin A1c (NGSP)", ["%"], ""),
        ("PT", ["s"], ""),
    ],
)
def test_what_an_unknown_name_may_mean_is_measured_in_its_unit(
    name: str, units: list[str], analyte: str
) -> None:
    assert catalogue().likely(name, units) == analyte


@pytest.mark.parametrize(
    "text",
    """
    |clotted|CLOTTED|Clotted.|Clotted specimen|specimen clotted - please repeat|haemolysed
    |hemolyzed|Hemolysed sample|Grossly haemolysed|QNS|Q.N.S.|insufficient|Insufficient sample
    |insufficient sample volume|quantity not sufficient|UNABLE TO REPORT|cancelled|Canceled
    |not done|NOT PERFORMED|N/A|platelet clumps|unable to report due to hemolysis
    |COMPUTER NETWORK FAILURE. TEST NOT RESULTED.|geronnen|Probe hämolytisch|haemolytisch
    |zu wenig Material|nicht durchgeführt|Material fehlt, bitte neue Probe|storniert
    |échantillon coagulé|Coagulado|see comment|##TEST CANCELLED## Insufficient specimen received
    |Sample clotted on receipt|Leaked in transit|No sample received|Platelet clumps present
    |HEMOLYZED SPECIMEN RECEIVED|Clotted sample - please repeat FBC|siehe Text
    |NSQ|No EDTA received|Refer to comment|Provet hemolyserat|Niet te bepalen|Coágulo
    |s. Bem.|vedi nota|Ver observaciones|Zie opmerking
    """.replace("\n    ", "").split("|"),
)
def test_no_result_as_laboratories_write_it(text: str) -> None:
    assert catalogue().is_no_result(text)


@pytest.mark.parametrize(
    "text",
    [
        "0.4*",
        "O.5",
        "too few to count",
        "1+",
        "Negative",
        "LOW",
        "not clotted",
        "no clots",
        "clotted 0.4",
        "clotted <0.1",
        "sample",
        "please repeat",
        "-",
        "***",
        "0.4 haemolysed",
        "sample received",
        "no clots present",
        "received in lab",
        "ND",
        "deficient",
    ],
)
def test_anything_else_is_never_read_as_no_result(text: str) -> None:
    assert not catalogue().is_no_result(text)


@pytest.mark.parametrize("text", ["pending", "PENDING", "In progress", "to follow", "folgt"])
def test_what_is_announced_is_a_placeholder_and_no_result(text: str) -> None:
    assert catalogue().is_pending(text)
    assert not catalogue().is_no_result(text)


@pytest.mark.parametrize(
    ("comment", "analyte", "doubted"),
    [
        ("platelet clumps", "platelets", True),
        ("Platelet CLUMPS seen on film.", "platelets", True),
        ("Platelet clumps present", "white_cells", True),
        ("platelet clumps", "alt", False),
        ("no platelet clumps seen", "platelets", False),
        ("No clumps. Specimen clotted", "platelets", True),
        ("clumps not seen", "platelets", False),
        ("No clots, but platelets clumped", "platelets", True),
        ("haemolysed", "ast", True),
        ("HEMOLYZED", "bilirubin", True),
        ("slightly haemolysed", "platelets", False),
        ("not haemolysed", "ast", False),
        ("Haemolysis: none", "ast", False),
        ("Haemolysis: none, lipaemic", "ast", True),
        ("Hemolysis index: 0; Icterus: 1", "ast", False),
        ("Hemolysis: 2+", "ast", True),
        ("Platelet clumps: absent", "platelets", False),
        ("Platelet clumps: negative for EDTA effect", "platelets", True),
        ("Clumps: No. Clotted: yes", "platelets", True),
        ("no haemolysis", "ast", False),
        ("clotted", "neutrophils", True),
        ("Probe geronnen", "lymphocytes", True),
        ("Drip arm?", "hemoglobin", True),
        ("suggest repeat in 2 weeks", "neutrophils", False),
        ("", "platelets", False),
        ("clumpsy", "platelets", False),
        ("amas plaquettaires", "platelets", True),
        ("Présence d'agrégats plaquettaires", "platelets", True),
        ("pas d'amas plaquettaires", "platelets", False),
        ("Absence d'agrégats de plaquettes", "platelets", False),
        ("pas fiable, agrégats de plaquettes", "platelets", True),
        ("plaatjesaggregaten", "platelets", True),
        ("geen plaatjesaggregaten", "platelets", False),
        ("trombocytaggregat", "platelets", True),
        ("inga trombocytaggregat", "platelets", False),
        ("agregação plaquetária", "platelets", True),
        ("ERROR - Disregard above report", "platelets", True),
        ("Please disregard this result", "platelets", True),
        ("Disregard previous result of 19", "platelets", False),
    ],
)
def test_comments_that_doubt_a_number(comment: str, analyte: str, doubted: bool) -> None:
    words = catalogue().doubt(comment, analyte)
    assert bool(words) is doubted
    assert catalogue().doubt(comment, catalogue().analytes[analyte]) == words


def test_every_bound_holds_every_limit_of_a_count_from_zero() -> None:
    for analyte in catalogue().analytes.values():
        assert analyte.plausible_low < analyte.plausible_high
        if analyte.unit == "10*9/L":
            assert analyte.plausible_low == 0


def test_the_digest_changes_with_the_text() -> None:
    again = load_catalogue(TEXT, "elsewhere.toml")
    assert again.digest == catalogue().digest
    assert load_catalogue(TEXT + "\n# edited\n", FILE.name).digest != again.digest


def test_a_small_file_loads() -> None:
    small = load_catalogue(SMALL, "analytes.toml")
    assert small.analytes["white_cells"].factor("/mcL") == Decimal("0.001")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("decimals = 2", "decimal = 2", "analytes.white_cells.decimal: unknown key; valid: did"),
        ("decimals = 2", "decimals = 2.5", "analytes.white_cells.decimals = 2.5: is no whole"),
        ("decimals = 2", "decimals = 99", "out of range; valid: 0 to 6"),
        ("decimals = 2", "decimals = true", "is no whole number"),
        ("plausible = [0, 100]", "plausible = [100, 0]", "0 <= low < high"),
        ("plausible = [0, 100]", "plausible = 5", "[low, high]"),
        ('"/uL" = 0.001', '"/uL" = "a thousandth"', "is no number; valid: an exact decimal"),
        ('"/uL" = 0.001', '"/uL" = -1', "a factor is above 0"),
        ('"/uL" = 0.001', '"/uL" = nan', "is no number"),
        ('"/uL" = 0.001', '"/uL" = 0.001\n"/mcL" = 1', "has another factor"),
        ('"/uL" = 0.001', '"/u?L" = 0.001', "cannot be read as a unit"),
        (
            'unit = "10*9/L"',
            'unit = "10*6/L"',
            "is not a unit of factor 1 in any kind of it; valid: one of 10*9/L",
        ),
        ('unit = "10*9/L"', "", 'is missing; valid: text in quotes: unit = "..."'),
        ('unit = "10*9/L"', "unit = 9", "is no text"),
        ('loinc = ["6690-2"]', 'loinc = ["6690-3"]', "wrong; valid: the code as loinc.org has it"),
        (
            "[analytes.white_cells.number]",
            "[analytes.white_cells.percent]",
            "analytes.white_cells.percent: is a key of an analyte, and no kind of quantity",
        ),
        ('table = "cells"', 'table = "cels"', 'unknown table; valid: did you mean "cells"?'),
        ('table = "cells"', "", "has no units"),
        ('names = ["WBC"]', 'names = "WBC"', "is no list of texts"),
        ('names = ["WBC"]', 'names = ["--"]', "nothing is left of it"),
        ('analytes = ["white_cells"]', 'analytes = ["white_cels"]', "unknown analyte; valid: did"),
        ("[name_marks]", "[name_mark]", "unknown key; valid: did you mean"),
        ("[unit_words]", "[unit_words", "is no TOML"),
        ('ul = ["mcL"]', 'ul = ["mc?L"]', "unit_words.ul = mc?L: cannot be read"),
        ('ul = ["mcL"]', 'ul = ["mcL"]\nnl = ["MCL"]', "unit_words.nl = MCL: already means ul"),
        ('words = ["clumps"]', 'words = ["--"]', "holds no word to look for"),
        ('percent = ["%"]', 'percent = ["%"]\nper = 1', "name_marks.per"),
    ],
)
def test_a_fault_says_where_what_and_what_is_valid(old: str, new: str, said: str) -> None:
    assert old in SMALL
    told = faults(SMALL.replace(old, new, 1))
    assert any(said in line for line in told), told
    lines = SMALL.count("\n") + 2
    for line in told:
        place = re.match(r"analytes\.toml(?:, line (\d+))?: ", line)
        assert place, line
        assert place[1] or "is missing" in line, line
        assert int(place[1] or 1) <= lines


def test_a_fault_stands_on_the_line_of_its_key() -> None:
    text = SMALL.replace('"/uL" = 0.001', '"/uL" = 1e999999999')
    (told,) = faults(text)
    line = 1 + next(i for i, it in enumerate(text.splitlines()) if "999999999" in it)
    assert f"line {line}: analytes.white_cells" in told or f"line {line}: unit_tables" in told
    assert "too many digits" in told


def test_one_name_for_two_analytes_is_a_fault() -> None:
    second = """
    [analytes.leukocytes]
    title = "Leukocytes"
    unit = "10*9/L"
    decimals = 2
    plausible = [0, 100]
    names = ["w-b c"]
    [analytes.leukocytes.number]
    loinc = ["6690-2"]
    table = "cells"
    """
    told = faults(SMALL + second)
    assert len([line for line in told if "also names white_cells" in line]) == 2


def test_all_faults_are_told_at_once() -> None:
    text = SMALL.replace("decimals = 2", "decimals = 9").replace("6690-2", "6690-1")
    text = text.replace("[no_result]", "[no_results]")
    assert len(faults(text)) >= 3


def test_an_empty_file_says_what_is_missing() -> None:
    assert "is empty" in faults("")[0]
    told = "\n".join(faults("[drugs]"))
    for part in ("unit_words", "analytes", "no_result", "doubt"):
        assert f"{part}: is missing" in told


@pytest.mark.parametrize(
    "text",
    ["analytes = 5", "[analytes]\nx = 5", "[analytes.x]\ntitle = {}", "doubt = []", "[[analytes]]"],
)
def test_nonsense_is_told_and_never_raises_anything_else(text: str) -> None:
    assert faults(text)


def test_a_fault_is_one_readable_line() -> None:
    fault = Fault("a.toml", "rules[0].below", "x\n" * 100, "is no number", "0.5", line=7)
    assert str(fault).startswith("a.toml, line 7: rules[0].below = x x")
    assert "\n" not in str(fault)
    assert str(fault).endswith("is no number; valid: 0.5")
    assert len(str(fault)) < 160
    assert str(Fault("a.toml", "", "", "is empty")) == "a.toml: is empty"


def test_nearest_names_the_alike_or_lists_a_few() -> None:
    assert nearest("Platlets", ["platelets", "mcv"]) == 'did you mean "platelets"?'
    assert nearest("xyz", ["b", "a"]) == "one of a, b"
    assert nearest("xyz", []) == ""
    assert "(30 in all)" in nearest("xyz", [f"n{number}" for number in range(30)])


def test_name_keys_keep_percent_and_number_signs() -> None:
    assert name_key("Neutrophils_% ") == "neutrophils%"
    assert name_key("NEUT #") == "neut#"
    assert name_key("731-0") == name_key("731_0")
    assert name_key("423..") != name_key("423")
    assert name_key("Ｔ−Ｂｉｌ") == name_key("T-Bil") == name_key("T—Bil")


@pytest.mark.parametrize(
    ("name", "amid"),
    [
        ("platelets", "platelets"),
        ("white_cells", "white cells"),
        ("alt", "ALT"),
        ("igg", "IgG"),
        ("egfr", "eGFR"),
        ("tpmt_activity", "TPMT activity (assay specific)"),
    ],
)
def test_a_title_amid_a_sentence_keeps_its_abbreviation(name: str, amid: str) -> None:
    """An overdue liver test was said to have been "incomplete: no alt or ast"."""
    assert load_catalogue(TEXT, str(FILE)).analytes[name].amid == amid
