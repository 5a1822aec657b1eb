"""Files in which a value stands in more than one column: as reported and in a standard unit, as a
number and as a text. What is taken is one of them as a whole, with its own unit and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row

from monitor.intake import records
from monitor.store import tables
from tests.clinic import at
from tests.desk import Desk, sqlite_desk

NOW = at("2026-06-10")
SDTM = (
    "USUBJID,LBTESTCD,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,"
    "LBSTRESC,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI,LBDTC"
)
PCORNET = "PATID,LAB_TEST,SPECIMEN_DATE,RESULT_NUM,RESULT_UNIT,RAW_RESULT,RAW_UNIT"
OMOP = (
    "person_id,measurement_source_value,measurement_datetime,"
    "value_as_number,value_source_value,unit_concept_id"
)
OMOP_UNIT = f"{OMOP},unit_source_value"
PAIR = "Patient ID,Collected,Test,Value,Result,Units"
HELD = "held"
"""Instead of what is stored: the row waits for a person."""

ROWS: dict[str, tuple[str, str, str]] = {
    "as reported": (
        SDTM,
        "1001,HGB,13.1,g/dL,11,16,8.1,8.1,mmol/L,7,10,2026-03-13T08:00",
        "hemoglobin 131 (110 to 160)",
    ),
    "nothing reported: the standard result, its unit and its limits": (
        SDTM,
        "1001,HGB,,g/dL,11,16,8.1,8.1,mmol/L,7,10,2026-03-13T08:00",
        "hemoglobin 130.5234 (112.798 to 161.14)",
    ),
    "nothing reported: the number of the standard result": (
        SDTM,
        "1001,HGB,.,,,,,8.1,mmol/L,,,2026-03-13T08:00",
        "hemoglobin 130.5234",
    ),
    "reported without a unit": (
        SDTM,
        "1001,HGB,13.1,,11,16,8.1,8.1,mmol/L,7,10,2026-03-13T08:00",
        "hemoglobin 130.5234 (112.798 to 161.14)",
    ),
    "reported with its unit behind it": (
        SDTM,
        "1001,HGB,13.1 g/dL,,11,16,8.1,8.1,mmol/L,7,10,2026-03-13T08:00",
        "hemoglobin 131 (110 to 160)",
    ),
    "a standard result without a unit never has the reported one": (
        SDTM,
        "1001,HGB,,g/dL,11,16,8.1,8.1,,7,10,2026-03-13T08:00",
        HELD,
    ),
    "no result is one in both": (
        SDTM,
        "1001,HGB,,,,,,,,,,2026-03-13T08:00",
        "hemoglobin empty value",
    ),
    "the standard result alone, beside the unit of one that is not there": (
        "USUBJID,LBTESTCD,LBORRESU,LBORNRLO,LBORNRHI,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC",
        "1001,HGB,g/dL,11,16,,8.1,mmol/L,2026-03-13T08:00",
        "hemoglobin 130.5234",
    ),
    "nothing reported: the result in SI units": (
        "MRN,Test,Result,Unit,SI Result,SI Unit,Collected",
        "1001,Hemoglobin,,g/dL,8.1,mmol/L,2026-03-13T08:00",
        "hemoglobin 130.5234",
    ),
    "as reported, whatever it is in SI units": (
        "MRN,Test,Result,Unit,SI Result,SI Unit,Collected",
        "1001,Hemoglobin,13.1,g/dL,8.1,mmol/L,2026-03-13T08:00",
        "hemoglobin 131",
    ),
    "in SI units alone": (
        "MRN,Test,Conventional Result,Conventional Unit,SI Result,SI Unit,Collected",
        "1001,Hemoglobin,13.1,g/dL,8.1,mmol/L,2026-03-13T08:00",
        "hemoglobin 130.5234",
    ),
    "a raw result in another unit": (
        PCORNET,
        "1001,Bilirubin,2026-03-13,20.5,umol/L,1.2,mg/dL",
        "bilirubin 20.5",
    ),
    "the raw result alone": (
        PCORNET,
        "1001,Bilirubin,2026-03-13,,umol/L,1.2,mg/dL",
        "bilirubin 20.5248",
    ),
    "the raw result says that it is below": (
        PCORNET,
        "1001,Bilirubin,2026-03-13,3.42,umol/L,<0.2,mg/dL",
        "bilirubin <3.4208",
    ),
    "a number and a text that are two numbers": (
        OMOP_UNIT,
        "1001,1975-2,2026-03-13 08:00:00,20.5,1.2,0,mg/dL",
        HELD,
    ),
    "a number and the same with fewer digits": (
        OMOP_UNIT,
        "1001,1975-2,2026-03-13 08:00:00,1.24,1.2,0,mg/dL",
        "bilirubin 21.20896",
    ),
    "the text alone, and the number of its unit": (
        OMOP,
        "1001,6690-2,2026-03-13 08:00:00,,3.2,8848",
        "white_cells 3.2",
    ),
    "the number of the unit beside its name": (
        OMOP_UNIT,
        "1001,6690-2,2026-03-13 08:00:00,3.2,3.2,8848,K/uL",
        "white_cells 3.2",
    ),
    "the number of another unit than is named": (
        OMOP_UNIT,
        "1001,HGB,2026-03-13 08:00:00,13.1,13.1,8636,g/dL",
        HELD,
    ),
    "a unit of no number": (OMOP, "1001,6690-2,2026-03-13 08:00:00,3.2,3.2,0", HELD),
    "a number of a unit that nobody knows": (
        OMOP,
        "1001,6690-2,2026-03-13 08:00:00,3.2,3.2,999",
        HELD,
    ),
    "the value empty, the result filled": (
        PAIR,
        "1001,2026-03-13,PLT,,130,K/uL",
        "platelets 130",
    ),
    "the result says that it is below": (PAIR, "1001,2026-03-13,PLT,5,<5,K/uL", "platelets <5"),
    "the result is a word beside the value": (
        PAIR,
        "1001,2026-03-13,PLT,150,Normal,K/uL",
        "platelets 150",
    ),
    "two numbers": (PAIR, "1001,2026-03-13,PLT,150,170,K/uL", HELD),
    "two columns of one rank": (
        "Patientennummer;Abnahmedatum;Analyse;Wert;Ergebnis;Einheit",
        "1001;2026-03-13;PLT;;131;Tsd/ul",
        "platelets 131",
    ),
    "two columns of results": (
        "MRN,Collected,Test,Result,Lab Result,Units",
        "1001,2026-03-13,PLT,,131,K/uL",
        "platelets 131",
    ),
    "two columns of results that differ": (
        "MRN,Collected,Test,Result,Lab Result,Units",
        "1001,2026-03-13,PLT,130,131,K/uL",
        HELD,
    ),
    "two columns of results beside the value": (
        "MRN,Collected,Test,Value,Result,Lab Result,Units",
        "1001,2026-03-13,PLT,130,,131,K/uL",
        "platelets 130",
    ),
    "a resource written out as columns": (
        "patient id,effectiveDateTime,code,valueQuantity.value,valueQuantity.unit,valueString",
        "1001,2026-03-13T08:00:00Z,777-3,130,10*3/uL,",
        "platelets 130",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_value_is_taken_with_what_is_its_own(
    migrated_sqlite: Path, tmp_path: Path, name: str
) -> None:
    header, row, expected = ROWS[name]
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrol(desk)
        desk.load(row, header=header, now=NOW)
        found = [*map(_shown, desk.clinic.rows(tables.ResultRow)), *(HELD for _ in desk.held())]
        assert found == [expected]


def test_a_large_file_says_the_same(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BLOCKS_FROM", 1)
    monkeypatch.setattr(records, "BLOCK_CHARACTERS", 900)
    of_sdtm = {name: case for name, case in ROWS.items() if case[0] == SDTM}
    lines = [row.replace("T08:00", f"T08:{n:02}") for n, (_, row, _) in enumerate(of_sdtm.values())]
    plain = lines[0]
    days = [plain.replace("03-13T08", f"04-{n % 28 + 1:02}T{n % 20:02}") for n in range(60)]
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _enrol(desk)
        desk.load(*days[:30], *lines, *days[30:], header=SDTM, now=NOW)
        seen = [
            _shown(row) for row in desk.clinic.rows(tables.ResultRow) if row.collected_on.month == 3
        ]
        wanted = [told for _, _, told in of_sdtm.values()]
        assert sorted(seen) == sorted(it for it in wanted if it != HELD)
        assert len(desk.held()) == wanted.count(HELD)


def _enrol(desk: Desk) -> None:
    desk.enrol("1001,azathioprine,2026-01-05,,,")


def _shown(row: Row[Any]) -> str:
    value = row.no_result if row.value is None else f"{row.comparator}{row.value.normalize():f}"
    limits = [it for it in (row.ref_low, row.ref_high) if it is not None]
    shown = " to ".join(f"{it.normalize():f}" for it in limits)
    return f"{row.analyte} {value}" + (f" ({shown})" if limits else "")
