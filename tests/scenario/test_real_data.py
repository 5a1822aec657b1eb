"""Extracts of public laboratory data, through the same scripts as the whole sets.

Each set goes through `monitor init`, `enrol`, `events`, `load`, `sweep`, `verify`, `status`
and `alerts`; every row, value, alert and due day is compared with what `tools.real_data` works
out for itself. Where a licence forbids copying, made-up rows of the same layout stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.command_line import CommandLine
from tools.real_data.__main__ import run_set
from tools.real_data.clinic import Ran
from tools.real_data.compare import Comparison
from tools.real_data.judge import Met, Person, Value, expected
from tools.real_data.messy import part, read_date, settle

EXTRACTS = Path(__file__).parent.parent / "data" / "real"


def taken(monitor: CommandLine, name: str, folder: Path, pieces: int = 1) -> Comparison:
    """A set in a clinic of its own, worked in this process."""

    def command(arguments: Sequence[str]) -> Ran:
        ended = monitor(*arguments)
        return Ran(ended.code, ended.out, ended.err)

    return run_set(name, folder, monitor.folder / "clinic", command, pieces)


@pytest.mark.parametrize(
    ("name", "folder", "counts", "alerts"),
    [
        (
            "cdisc",
            "cdisc",
            {"rows": 513, "stored": 376, "ignored": 137},
            {
                "lymphopenia": 1,
                "thrombocytopenia": 1,
                "macrocytosis": 1,
                "eosinophilia": 1,
                "low_albumin": 1,
            },
        ),
        (
            "jost",
            "jost",
            {"rows": 127, "stored": 127},
            {"neutropenia": 4, "falling_neutrophils": 3},
        ),
        (
            "nhanes",
            "nhanes",
            {"rows": 693, "stored": 363, "ignored": 330},
            {
                "neutropenia": 13,
                "leucopenia": 5,
                "thrombocytopenia": 8,
                "anaemia": 1,
                "pancytopenia": 2,
            },
        ),
        (
            "omop",
            "omop",
            {"rows": 248, "stored": 172, "ignored": 76},
            {"rising_creatinine": 1},
        ),
        (
            "messy",
            "messy",
            {"rows": 89, "stored": 76, "ignored": 13},
            {
                "leucopenia": 4,
                "thrombocytopenia": 1,
                "anaemia": 2,
                "raised_alt": 5,
                "raised_ast": 5,
                "raised_bilirubin": 7,
            },
        ),
    ],
)
def test_an_extract_is_accounted_for_and_judged_alike(
    monitor: CommandLine,
    name: str,
    folder: str,
    counts: dict[str, int],
    alerts: dict[str, int],
) -> None:
    found = taken(monitor, name, EXTRACTS / folder)
    assert found.differences == []
    assert {fate: count for fate, count in found.counts.items() if count} == counts
    assert dict(found.matched) == alerts


def test_the_same_results_in_si_units_raise_the_same_alerts(monitor: CommandLine) -> None:
    """Twice the same laboratory: mg/dL and umol/L, g/dL and mmol/L, THOU/uL and GI/L."""
    found = taken(monitor, "cdisc_si", EXTRACTS / "cdisc")
    assert found.differences == []
    assert sorted(found.matched) == [
        "eosinophilia", "low_albumin", "lymphopenia", "macrocytosis", "thrombocytopenia",
    ]  # fmt: skip


def test_counts_derived_from_percent_raise_the_alerts_of_reported_counts(
    monitor: CommandLine,
) -> None:
    """The survey's absolute counts are rounded to one decimal; nobody here lies on an edge."""
    found = taken(monitor, "nhanes_percent", EXTRACTS / "nhanes")
    assert found.differences == []
    assert found.matched["neutropenia"] == 13


def test_counts_of_urine_and_spinal_fluid_are_never_those_of_blood(monitor: CommandLine) -> None:
    """SMART sends white cells of urine (5821-4) and fluid beside those of blood."""
    sent = (EXTRACTS / "smart" / "labs.txt").read_text(encoding="utf-8")
    assert "5821-4" in sent
    found = taken(monitor, "smart", EXTRACTS / "smart")
    assert found.differences == []
    assert (found.counts["stored"], found.held) == (157, {"unknown_code": 437})
    assert dict(found.matched) == {
        "lymphopenia": 1,
        "thrombocytopenia": 1,
        "raised_alt": 1,
        "raised_ast": 1,
        "low_albumin": 1,
        "rising_creatinine": 1,
    }


def test_results_that_come_bit_by_bit_end_in_the_same_alerts(monitor: CommandLine) -> None:
    """Counts, doses and holds as they happened, verified after each file."""
    found = taken(monitor, "jost", EXTRACTS / "jost", pieces=4)
    assert found.differences == []
    assert dict(found.matched) == {"neutropenia": 4, "falling_neutrophils": 3}


MIMIC = {
    "LABEVENTS_cbc_lft.csv": """\
ROW_ID,SUBJECT_ID,HADM_ID,ITEMID,CHARTTIME,VALUE,VALUENUM,VALUEUOM,FLAG
1,901,,51301,2164-09-24 20:21:00,4.0,4,K/uL,
2,901,,51244,2164-09-24 20:21:00,10.0,10,%,abnormal
3,901,,51256,2164-09-24 20:21:00,30,30,%,abnormal
4,901,,51144,2164-09-24 20:21:00,5,5,%,
5,901,,51265,2164-09-24 20:21:00,<5,,K/uL,abnormal
6,901,,51222,2164-09-24 20:21:00,9.9,9.9,g/dL,abnormal
7,901,,51301,2164-09-25 06:00:00,.3,0.3,K/uL,abnormal
8,901,,51144,2164-09-25 06:00:00,2,2,%,
9,901,,51218,2164-09-25 06:00:00,150,150,#/uL,abnormal
10,901,,51222,2164-09-25 06:00:00,UNABLE TO REPORT,,g/dL,
11,901,,51301,2164-09-25 18:30:00,4.1,4.1,K/uL,
12,901,,51144,2164-09-25 18:30:00,3,3,%,
13,901,,51266,2164-09-25 18:30:00,VERY LOW,,,
14,901,,50912,2164-09-25 18:30:00,LESS THAN 0.4,,mg/dL,
15,902,7,50861,2101-01-01 08:00:00,6956,6956,IU/L,abnormal
16,902,7,51265,2101-01-01 08:00:00,140,140,K/uL,
17,902,7,51265,2101-01-02 08:00:00,139.99,139.99,K/uL,abnormal
""",
    "D_LABITEMS.csv": """\
ROW_ID,ITEMID,LABEL,FLUID,CATEGORY,LOINC_CODE
1,51301,White Blood Cells,Blood,Hematology,804-5
2,51244,Lymphocytes,Blood,Hematology,731-0
3,51256,Neutrophils,Blood,Hematology,761-7
4,51144,Bands,Blood,Hematology,763-3
5,51265,Platelet Count,Blood,Hematology,777-3
6,51222,Hemoglobin,Blood,Hematology,718-7
7,51218,Granulocyte Count,Blood,Hematology,30394-1
8,51266,Platelet Smear,Blood,Hematology,778-1
9,50912,Creatinine,Blood,Chemistry,2160-0
10,50861,Alanine Aminotransferase (ALT),Blood,Chemistry,1742-6
""",
    "PATIENTS.csv": """\
ROW_ID,SUBJECT_ID,GENDER,DOB,DOD,DOD_HOSP,DOD_SSN,EXPIRE_FLAG
1,901,F,2094-03-05 00:00:00,,,,0
2,902,M,1811-03-05 00:00:00,2101-03-01 00:00:00,,,1
""",
}


@pytest.mark.parametrize("name", ["mimic", "mimic_loinc"])
def test_an_export_by_item_numbers_with_percentages_only(
    monitor: CommandLine, tmp_path: Path, name: str
) -> None:
    """By number and by LOINC code alike: 731-0 with % is a percentage, bands add to segmented
    cells and are no count alone, a low granulocyte count is heard, `<5` is a number."""
    found = taken(monitor, name, _written(tmp_path / "mimic", MIMIC))
    assert found.differences == []
    assert found.counts["stored"] == 16
    assert dict(found.matched) == {
        "lymphopenia": 1,
        "neutropenia": 1,
        "leucopenia": 1,
        "thrombocytopenia": 2,
        "anaemia": 1,
        "raised_alt": 1,
        "pancytopenia": 1,
    }
    assert found.buried >= 2, "the alerts of the one who died, told last, are closed"


SPELLINGS = [
    "K/uL", "K/CMM", "K/MM3", "10E3/mcL", "K/cmm", "th/uL", "THS/uL", "thou/cumm", "k/uL",
    "10*3/uL", "x10 3/uL", "K/mm3", "th/cumm", "K/mcL", "THOU/UL", "k/MM3", "k/mm cu",
    "10(3)/mcL", "10(3)mcL", "X 10 3",
]  # fmt: skip
REFUSED = ["10", "%", "M/uL", "mill/cumm", "ug/L", "", "10*6/uL"]


def test_every_spelling_of_a_count_is_worth_one_or_refused(
    monitor: CommandLine, tmp_path: Path
) -> None:
    """Interfaces of forty hospitals: thousands per microlitre, whatever they write; a unit
    that may mean anything else is held and told, never read as a thousandth or a thousandfold."""
    header = "labid,patientunitstayid,labresultoffset,labtypeid,labname,labresult,labresulttext,"
    header += "labmeasurenamesystem,labmeasurenameinterface,labresultrevisedoffset,hospitalid"
    lines = [f"{header},uniquepid"]
    for hours, unit in enumerate([*SPELLINGS, *REFUSED]):
        for test, value in (("WBC x 1000", "6.5"), ("platelets x 1000", "139")):
            lines.append(f"1,77,{hours * 60 - 90},3,{test},{value},{value},K/mcL,{unit},9999,1,a-1")
    lines.append("1,77,1,1,total bilirubin,,<0.1,mg/dL,mg/dL,5,1,a-1")
    folder = _written(
        tmp_path / "eicu",
        {
            "lab_cbc_lft.csv": "\n".join(lines) + "\n",
            "patient.csv": "patientunitstayid,uniquepid,unitadmittime24\n77,a-1,02:30:00\n",
        },
    )
    found = taken(monitor, "eicu", folder)
    assert found.differences == []
    assert found.counts["stored"] == 2 * len(SPELLINGS) + 1
    assert found.counts["quarantined"] == 2 * len(REFUSED)
    assert dict(found.matched) == {"thrombocytopenia": 1}


def test_a_wide_sequence_of_visits_with_missing_cells(monitor: CommandLine, tmp_path: Path) -> None:
    header = "id,day,bili,chol,albumin,alk.phos,ast,platelet,protime"
    visits = ["1,0,2.46,261,2.6,1718,138,190,12.2", "1,192,2.455,,2.94,NA,6.2,,11.2"]
    visits += ["1,4877,40,1,3,10001,100,139,10"]
    folder = _written(tmp_path / "pbc", {"pbcseq.csv": "\n".join([header, *visits]) + "\n"})
    found = taken(monitor, "pbcseq", folder)
    assert found.differences == []
    assert found.held == {"implausible": 1}
    assert found.counts["ignored"] == 5


def test_observations_at_utc_instants_some_told_twice(monitor: CommandLine, tmp_path: Path) -> None:
    rows = [
        "DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE",
        "2021-03-01T22:41:21Z,aa-1,e,laboratory,6690-2,Leukocytes,3.1,10*3/uL,numeric",
        "2021-03-01T22:41:21Z,aa-1,f,laboratory,6690-2,WBC Auto (Bld),3.1,10*3/uL,numeric",
        "2021-03-01T22:41:21Z,aa-1,e,laboratory,731-0,Lymphocytes,0.49999,10*3/uL,numeric",
        "2021-03-01T22:41:21Z,aa-1,e,laboratory,33914-3,GFR predicted,75.8,mL/min,numeric",
        "2021-03-01T22:41:21Z,aa-1,e,laboratory,56799-0,Where do you live?,Here,,text",
        "2021-03-01T22:41:21Z,aa-1,f,laboratory,56799-0,Where do you live?,Here,,text",
        "2021-03-02T01:00:00Z,aa-1,e,laboratory,6690-2,Leukocytes,3.5,10*3/uL,numeric",
    ]
    people = "Id,BIRTHDATE,DEATHDATE,FIRST,LAST,GENDER\naa-1,2021-02-28,,Jo1,Doe2,F\n"
    folder = _written(
        tmp_path / "synthea",
        {"observations_laboratory.csv": "\n".join(rows) + "\n", "patients.csv": people},
    )
    found = taken(monitor, "synthea", folder)
    assert found.differences == []
    assert found.counts["duplicate"] == 2
    assert dict(found.matched) == {"leucopenia": 1, "lymphopenia": 1}


@pytest.mark.parametrize(
    ("cell", "unit", "parted"),
    [
        ("360.56IU/L", "IU/L", ("360.56", "IU/L")),
        ("23.3710^9/L", "10^9/L", ("23.37", "10^9/L")),
        ("496.28 (Giga/L)", "Giga/L", ("496.28", "Giga/L")),
        (">551.43", "x10^9/L", (">551.43", "x10^9/L")),
        ("4.6 g/dL", "mg/dL", ("4.6 g/dL", "mg/dL")),
        ("pending", "U/L", ("pending", "U/L")),
    ],
)
def test_a_cell_with_number_and_unit_is_parted_and_else_left_alone(
    cell: str, unit: str, parted: tuple[str, str]
) -> None:
    assert part(cell, unit) == parted


def test_a_shape_of_dates_is_read_in_the_order_that_its_plain_dates_show() -> None:
    """13/11/2023 settles 04/07/2021; 02/10/23 stays, where nothing or both ways speak for it."""
    texts = ["13/11/2023", "04/07/2021", "02/10/23", "05-26-2023", "04-07-2021", "13.01.2021"]
    texts += ["01.13.2021", "August 04, 2023", "20 Jun 2022", "2022-04-11"]
    orders = settle(pd.Series(texts))
    assert [read_date(text, orders) for text in texts] == [
        "2023-11-13", "2021-07-04", "02/10/23", "2023-05-26", "2021-04-07", "13.01.2021",
        "01.13.2021", "2023-08-04", "2022-06-20", "2022-04-11",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "kind"), [(["2020-01-05", "2020-01-06"], "discontinue"), (["2020-01-05"], "review")]
)
def test_only_an_episode_that_was_over_before_the_first_dose_asks_for_a_review(
    days: list[str], kind: str
) -> None:
    """A stay's worst count was drawn hours before its first dose, and the next one was low, too."""
    began = pd.Timestamp("2020-01-06")
    episode = [_low(day, number) for day, number in zip(days, ("0.04", "0.3"), strict=False)]
    rule = {"id": "neutropenia", "levels": [{"action": "discontinue", "urgency": "critical"}]}
    person = Person(start=began, first_dose=began, enrolled=began, stop=None)
    assert expected("A1", episode, rule, person, going_on=False).kind == kind


def _low(day: str, number: str) -> Met:
    at = pd.Timestamp(f"{day}T06:00", tz="UTC")
    value = Value(mrn="A1", analyte="neutrophils", at=at, number=Decimal(number))
    return Met(value=value, certain=1, may=1, sign=-1)


def _written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
