"""What a laboratory or its analyser says of the specimen in a flag doubts the number, as it does in
a comment; a flag of high and low says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.intake.flags import remark_in
from monitor.intake.load import load_file
from monitor.store import tables
from tests.desk import NOW, Desk, sqlite_desk

LONG = "mrn,collected_at,analyte,value,unit,comment,"
ROW = "P1,2026-03-02T08:00,platelets,90,10*9/L,"


def doubts(desk: Desk) -> list[tuple[str, str]]:
    """Comments and the words among them that doubt the number."""
    rows = desk.clinic.rows(tables.ResultRow)
    return [(row.comment, row.doubtful_comment) for row in rows]


def load(desk: Desk, name: str, content: str) -> None:
    path = desk.folder / name
    path.write_text(content, encoding="utf-8")
    load_file(desk.store, desk.settings, path, "", NOW)


@pytest.mark.parametrize(
    "column", ["Flag", "Specimen Condition", "Instrument Flags", "Interference", "Probenqualität"]
)
def test_a_column_of_flags_or_conditions_is_a_comment(
    migrated_sqlite: Path, tmp_path: Path, column: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        desk.load(f"{ROW}called,PLT clumps?", header=f"{LONG}{column}")
        assert doubts(desk) == [("called\nPLT clumps?", "plt clumps")]


def test_a_flag_beside_an_analyte_of_the_wide_form(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        header = "mrn,collected_at,PLT [10*9/L],PLT flag,AST [U/L],AST flag"
        desk.load("P1,2026-03-02T08:00,90,L,60,H hemolyzed", header=header)
        assert doubts(desk) == [("", ""), ("H hemolyzed", "hemolyzed")]


@pytest.mark.parametrize(
    "status",
    ["Critical Low", "Critically low", "Abnormal High", "Out of range", "stark erniedrigt"],
)
def test_flags_in_a_column_called_status_hold_no_row(
    migrated_sqlite: Path, tmp_path: Path, status: str
) -> None:
    """They stood beside the very values that matter."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        header = "patient_id,date,test,result,unit,status"
        desk.load(
            f"P1,2026-03-02,PLT,9,10*9/L,{status}",
            "P1,2026-03-03,PLT,90,10*9/L,Normal",
            header=header,
        )
        assert [row.status for row in desk.clinic.rows(tables.ResultRow)] == ["final", "final"]


@pytest.mark.parametrize("status", ["not", "none normalised", "low volume", "Rejected", "unseen"])
def test_a_word_that_may_mean_more_still_holds_it(
    migrated_sqlite: Path, tmp_path: Path, status: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        header = "patient_id,date,test,result,unit,status"
        desk.load(f"P1,2026-03-02,PLT,9,10*9/L,{status}", header=header)
        (held,) = desk.held()
        assert held.reason_code == "status"


@pytest.mark.parametrize(
    ("flag", "comment", "doubt"),
    [
        ("L~PC^Platelet clumps^99L", "Platelet clumps", "platelet clumps"),
        ("QCF", "QCF", "QCF"),
        ("LL", "", ""),
        ("L^Low^HL70078", "", ""),
    ],
)
def test_the_flags_of_an_obx(
    migrated_sqlite: Path, tmp_path: Path, flag: str, comment: str, doubt: str
) -> None:
    lines = (
        "MSH|^~\\&|LAB|N|M|M|20260302100000||ORU^R01|1|P|2.5",
        "PID|1||P1^^^^MR",
        "OBR|1||S1|CBC^CBC|||20260302080000||||||||||||||||||F",
        f"OBX|1|NM|777-3^Platelets^LN||90|10*9/L||{flag}|||F",
    )
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        load(desk, "message.hl7", "\r".join(lines))
        assert doubts(desk) == [(comment, doubt)]


@pytest.mark.parametrize("called", ["12014^PLT Clump?^99MRC", "^^^^PLT Clump?", "PLT Clump?"])
def test_what_an_analyser_suspects_of_a_sample_is_said_of_its_numbers(
    migrated_sqlite: Path, tmp_path: Path, called: str
) -> None:
    """As those of Mindray and Sysmex send it."""
    lines = (
        "MSH|^~\\&|||||20260302100000||ORU^R01|1|P|2.3.1",
        "PID|1||P1^^^^MR",
        "OBR|1||7|00001^Automated Count^99MRC|||20260302080000||||||||||||||||||F",
        "OBX|1|NM|777-3^PLT^LN||90|10*9/L|100-300|L~A|||F",
        "OBX|2|NM|1920-8^AST^LN||60|U/L|0-50|H~A|||F",
        f"OBX|3|IS|{called}||T||||||F",
        "OBX|4|IS|12011^WBC Abn Scattergram^99MRC||F||||||F",
    )
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        load(desk, "message.hl7", "\r".join(lines))
        assert doubts(desk) == [("PLT Clump?", "plt clump"), ("PLT Clump?", "")]
        assert [row.reason_code for row in desk.held()] == ["unknown_code"]


OF_ANOTHER = [
    # segments behind a platelet count and an AST; the doubts of the two, and the rows that are held
    (["OBX|3|TX|KOMM^Kommentar||Thrombozytenaggregate"], ["thrombozytenaggregate", ""], 1),
    (["OBX|3|ST|PC^Platelet Comment||Clumped"], ["clumped", ""], 1),
    (["OBX|3|TX|KOMM^Kommentar||Keine Thrombozytenaggregate"], ["", ""], 1),
    (["OBX|3|NM|LYM^Lymphs||1.1|10*9/L", "NTE|1||Platelet clumps"], ["platelet clumps", ""], 0),
    (["OBX|3|NM|MPV^MPV||11|fL", "NTE|1||Platelet clumps"], ["platelet clumps", ""], 1),
    (["OBX|3|NM|K^Potassium||7|mmol/L", "NTE|1||Specimen hemolyzed"], ["", "hemolyzed"], 1),
    (["OBX|3|NM|K^Potassium||7|mmol/L", "NTE|1||Disregard this result"], ["", ""], 1),
    (["OBX|3|NM|ALT^ALT||7|U/L", "NTE|1||hemolyzed"], ["", ""], 0),
    (["OBX|3|ST|HI^Hemolysis||2+"], ["", "hemolysis"], 0),
    (["OBX|3|CE|HI^Hemolysis||M^Moderate^L"], ["", "hemolysis"], 0),
    (["OBX|3|ST|HI^Hemolysis||None seen"], ["", ""], 1),
    (["OBX|3|ST|PC^Platelet Clumps||Seen"], ["platelet clumps", ""], 0),
    (["OBX|3|ST|PC^Platelet Clumps||Not seen"], ["", ""], 1),
]


@pytest.mark.parametrize(("segments", "doubted", "held"), OF_ANOTHER)
def test_what_is_said_of_a_sample_below_or_beside_another_result(
    migrated_sqlite: Path, tmp_path: Path, segments: list[str], doubted: list[str], held: int
) -> None:
    lines = (
        "MSH|^~\\&|||||20260302100000||ORU^R01|1|P|2.3.1",
        "PID|1||P1^^^^MR",
        "OBR|1||7|CBC|||20260302080000||||||||||||||||||F",
        "OBX|1|NM|777-3^PLT^LN||90|10*9/L|100-300|L|||F",
        "OBX|2|NM|1920-8^AST^LN||60|U/L|0-50|H|||F",
        *segments,
    )
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        load(desk, "message.hl7", "\r".join(lines))
        assert [doubt for _, doubt in doubts(desk)][:2] == doubted
        assert len(desk.held()) == held


@pytest.mark.parametrize("many", [True, False])
def test_the_interpretation_of_an_observation(
    migrated_sqlite: Path, tmp_path: Path, many: bool
) -> None:
    told = {"text": "Platelet clumps present"}
    low = {"coding": [{"code": "L", "display": "Low"}]}
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"identifier": {"value": "P1"}},
        "effectiveDateTime": "2026-03-02T08:00:00+01:00",
        "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        "valueQuantity": {"value": 90, "code": "10*9/L"},
        "interpretation": [low, told] if many else told,
    }
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        load(desk, "one.json", json.dumps(observation))
        assert doubts(desk) == [("Platelet clumps present", "platelet clumps")]


@pytest.mark.parametrize(
    "flag",
    ["", "H", "LL*", "High", "critically low", "Below reference range", "NEG", "\u2193", "1+",
     "erhöht", "Acceptable"],
)  # fmt: skip
def test_high_and_low_are_no_remark(flag: str) -> None:
    assert remark_in(flag) == ""
