"""Files whose tables are no plain table: on their side, one under another, in two header lines.

What matters most is whose a value is and of which day: a value is never read under lines that
stand above another table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from itertools import product
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.survey import UnreadableFile, survey
from monitor.resources import schedules_folder

Read = Callable[[str | Path], tuple[list[str], list[str]]]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


def rows_of(path: Path, catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Each value as `patient day analyte value unit limits`, and the codes of the bad lines."""
    with open_rows(survey(path), Source(), catalogue) as found:
        items = list(found.items)
    names = ("mrn", "collected_at", "analyte", "value", "unit", "ref_low", "ref_high")
    values = [
        " ".join(getattr(it, name).strip() or "-" for name in names).removesuffix(" - -")
        for it in items
        if isinstance(it, RawRow)
    ]
    return values, [f"{it.line} {it.code}" for it in items if isinstance(it, BadLine)]


@pytest.fixture
def read(tmp_path: Path, catalogue: Catalogue) -> Read:
    def read(content: str | Path) -> tuple[list[str], list[str]]:
        path = tmp_path / "file.csv"
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        return rows_of(content if isinstance(content, Path) else path, catalogue)

    return read


SHAPES = {
    "a header in two lines, of which the upper one could stand alone": (
        (
            "MRN;Datum;Leukozyten;;Neutrophile;\n;;Wert;Einheit;Wert;Einheit\n"
            "P1;13.02.2026;4,5;G/l;0,4;G/l\nP2;12.02.2026;;;1,4;G/l\n"
        ),
        [
            "P1 13.02.2026 Leukozyten 4,5 G/l",
            "P1 13.02.2026 Neutrophile 0,4 G/l",
            "P2 12.02.2026 Neutrophile 1,4 G/l",
        ],
    ),
    "limits called l and u beside the days": (
        (
            "Patient ID,P1\ntest,units,2026-02-13,2026-03-02,norm_u,norm_l\n"
            "WBC,10^9/L,5.1,3.2,10,4\nALT,U/L,31,,50,\n"
        ),
        [
            "P1 2026-02-13 WBC 5.1 10^9/L 4 10",
            "P1 2026-03-02 WBC 3.2 10^9/L 4 10",
            "P1 2026-02-13 ALT 31 U/L - 50",
        ],
    ),
    "cumulative, with what is said of the patient above": (
        (
            "Laboratory North\nPatient ID: P1\n\n"
            "Test;Unit;Reference;02.02.2026;16.02.2026\n"
            "Haematology;;;;\n"
            "WBC;G/L;3.9-10.2;5.1;4.2\n"
            "Neutrophils;G/L;1.8-7.5;;0.9\n"
            "End of report;;;;\n"
        ),
        [
            "P1 02.02.2026 WBC 5.1 G/L 3.9 10.2",
            "P1 16.02.2026 WBC 4.2 G/L 3.9 10.2",
            "P1 16.02.2026 Neutrophils 0.9 G/L 1.8 7.5",
        ],
    ),
    "cumulative, all of the patient in one line above the specimens": (
        (
            "Patient:;P1;Keller, Anna;DOB;01.05.1970\nTest;Einheit;Norm;13.03.2026;14.03.2026\n"
            "Leukozyten;G/l;4-10;5,1;4,8\n"
        ),
        ["P1 13.03.2026 Leukozyten 5,1 G/l 4 10", "P1 14.03.2026 Leukozyten 4,8 G/l 4 10"],
    ),
    "cumulative, the clocks below the dates in digits alone": (
        ("MRN,P1,,\n,,03/13/26,03/13/26\n,,0830,1915\nWBC,K/uL,5.1,4.8\nALT,U/L,35,36\n"),
        [
            "P1 03/13/26 0830 WBC 5.1 K/uL",
            "P1 03/13/26 1915 WBC 4.8 K/uL",
            "P1 03/13/26 0830 ALT 35 U/L",
            "P1 03/13/26 1915 ALT 36 U/L",
        ],
    ),
    "cumulative, with headings of another material": (
        (
            "Patient ID;P1\nTest;Unit;13.03.2026;14.03.2026\nBlutbild;;;\nLeukozyten;G/l;5,1;4,8\n"
            "Urin;;;\nLeukozyten;/ul;25;\nKlinische Chemie;;;\nGPT;U/l;;22\n"
        ),
        [
            "P1 13.03.2026 Leukozyten 5,1 G/l",
            "P1 14.03.2026 Leukozyten 4,8 G/l",
            "P1 13.03.2026 Leukozyten (Urin) 25 /ul",
            "P1 14.03.2026 GPT 22 U/l",
        ],
    ),
    "cumulative, a date over two times": (
        (
            "Patient-Nr.;P2\n;;14.02.2026;;15.02.2026\nParameter;Einheit;07:30;19:00;06:45\n"
            "Leukozyten;G/l;5,1;4,8;4,2\n"
        ),
        [
            "P2 14.02.2026 07:30 Leukozyten 5,1 G/l",
            "P2 14.02.2026 19:00 Leukozyten 4,8 G/l",
            "P2 15.02.2026 06:45 Leukozyten 4,2 G/l",
        ],
    ),
    "cumulative, of several patients": (
        "MRN,Analyte,Unit,2026-02-02,2026-02-09\nP1,WBC,G/L,5.1,4.4\nP2,WBC,G/L,6.1,\n",
        [
            "P1 2026-02-02 WBC 5.1 G/L",
            "P1 2026-02-09 WBC 4.4 G/L",
            "P2 2026-02-02 WBC 6.1 G/L",
        ],
    ),
    "cumulative, with further dates below": (
        "Patient ID;P1\nTest;Unit;2026-02-02\nWBC;G/L;5.1\n\nTest;Unit;2026-03-02\nWBC;G/L;4.1\n",
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 2026-03-02 WBC 4.1 G/L"],
    ),
    "cumulative, another patient below": (
        (
            "Patient ID;P1\nTest;Unit;2026-02-02\nWBC;G/L;5.1\n"
            "Patient ID;P2\nTest;Unit;2026-02-02\nWBC;G/L;1.1\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P2 2026-02-02 WBC 1.1 G/L"],
    ),
    "cumulative, a column whose date cannot be read": (
        "Patient ID;P1\nTest;Unit;2026-02-02;last time\nWBC;G/L;5.1;4.4\n",
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 last time WBC 4.4 G/L"],
    ),
    "a row that ends before its name": (
        "Patient ID;;P1\n;;2026-02-02\n;WBC [G/L];5.1\nx\n;ALT [U/L];22;;;n\n",
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "on its side, patients as columns": (
        "mrn,P1,P2\ncollected_at,2026-02-02T08:00,2026-02-03\nWBC [G/L],5.1,6.2\nALT [U/L],,33\n",
        [
            "P1 2026-02-02T08:00 WBC 5.1 G/L",
            "P2 2026-02-03 WBC 6.2 G/L",
            "P2 2026-02-03 ALT 33 U/L",
        ],
    ),
    "a report of one specimen without a header": (
        "Patient ID;P1\nCollected;2026-02-14\nWBC;5.1;G/L;4-10\nALT;22;U/L;<50\n",
        ["P1 2026-02-14 WBC 5.1 G/L 4 10", "P1 2026-02-14 ALT 22 U/L - 50"],
    ),
    "units in a line below the names": (
        "Patient ID,Collected,WBC,ALT\n,,10^9/L,U/L\nP1,2026-02-02,5.1,22\n",
        ["P1 2026-02-02 WBC 5.1 10^9/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "units in a line below the names, and flags that only it names": (
        "MRN,Datum,WBC,,NEU%,,PLT\n,,K/uL,flag,%,flag,K/uL\nP1,2026-03-13,3.2,L,34,,130\n",
        [
            "P1 2026-03-13 WBC 3.2 K/uL",
            "P1 2026-03-13 NEU% 34 %",
            "P1 2026-03-13 PLT 130 K/uL",
        ],
    ),
    "units in a line above the names": (
        ",,10^9/L,U/L\nPatient ID,Collected,WBC,ALT\nP1,2026-02-02,5.1,22\n",
        ["P1 2026-02-02 WBC 5.1 10^9/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "units and limits below the names": (
        "Patient ID,Collected,WBC,ALT\nUnit,,10^9/L,U/L\nRef,,3.9-10.2,<50\nP1,2026-02-02,5.1,22\n",
        ["P1 2026-02-02 WBC 5.1 10^9/L 3.9 10.2", "P1 2026-02-02 ALT 22 U/L - 50"],
    ),
    "names in two lines": (
        (
            "Patient,Date of,WBC,,ALT,\nID,collection,Result,Unit,Result,Unit\n"
            "P1,2026-02-02,5.1,G/L,22,U/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "a report under a report": (
        (
            "Patient ID: P1\nCollected: 2026-02-02\nTest,Result,Unit\nWBC,5.1,G/L\n\n"
            "Patient ID: P2\nCollected: 2026-02-05\nTest,Result,Unit\nWBC,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P2 2026-02-05 WBC 2.1 G/L"],
    ),
    "a number that is named and not told, before an empty cell": (
        (
            "Patient ID;P1;;\nCollected;2026-02-02;;\nTest;Result;Unit;\nWBC;5.1;G/L;\n"
            "Patient ID;;Surname;\nCollected;2026-02-05;;\nTest;Result;Unit;\nWBC;2.1;G/L;\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "- 2026-02-05 WBC 2.1 G/L"],
    ),
    "another patient by name alone": (
        (
            "Patient ID: P1\nTest,Collected,Result,Unit\nWBC,2026-02-02,5.1,G/L\n"
            "Patient: Meier Ben\nTest,Collected,Result,Unit\nWBC,2026-02-05,2.1,G/L\n"
            "Patient ID: P3\nTest,Collected,Result,Unit\nWBC,2026-02-06,3.1,G/L\n"
            "Name: Meier Ben\nTest,Collected,Result,Unit\nWBC,2026-02-07,4.1,G/L\n"
        ),
        [
            "P1 2026-02-02 WBC 5.1 G/L",
            "- 2026-02-05 WBC 2.1 G/L",
            "P3 2026-02-06 WBC 3.1 G/L",
            "- 2026-02-07 WBC 4.1 G/L",
        ],
    ),
    "a day that is named and not told": (
        (
            "Patient ID: P1\nCollected: 2026-02-02\nTest,Result,Unit\nWBC,5.1,G/L\n"
            "Patient ID: P2\nCollected:\nTest,Result,Unit\nWBC,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P2 - WBC 2.1 G/L"],
    ),
    "the next patient without a header again": (
        (
            "Patient ID: P1\nDate of collection: 2026-02-02\nTest,Result,Unit\nWBC,5.1,G/L\n"
            "Patient ID: P2\nWBC,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P2 - WBC 2.1 G/L"],  # whose day was the other patient's
    ),
    "one day for all, and the next patient": (
        (
            "Date of collection: 2026-02-02\nPatient ID: P1\nTest,Result,Unit\nWBC,5.1,G/L\n"
            "Patient ID: P2\nTest,Result,Unit\nWBC,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P2 2026-02-02 WBC 2.1 G/L"],
    ),
    "a day said later, and the next patient": (
        (
            "Patient ID: P1\nDate of collection: 2026-02-02\nTest,Result,Unit\nWBC,5.1,G/L\n"
            "Date of collection: 2026-02-05\nTest,Result,Unit\nWBC,5.2,G/L\n"
            "Patient ID: P2\nTest,Result,Unit\nWBC,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 2026-02-05 WBC 5.2 G/L", "P2 - WBC 2.1 G/L"],
    ),
    "a second page of the same patient": (
        (
            "Patient ID: P1\nTest,Collected,Result,Unit\nWBC,2026-02-02,5.1,G/L\n"
            "Page two\nTest,Collected,Result,Unit\nALT,2026-02-02,22,U/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "a patient whose number is missing": (
        (
            "Patient ID: P1\nTest,Collected,Result,Unit\nWBC,2026-02-02,5.1,G/L\n"
            "Patient ID:\nTest,Collected,Result,Unit\nWBC,2026-02-02,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "- 2026-02-02 WBC 2.1 G/L"],
    ),
    "another name, and no number": (
        (
            "Patient ID: P1\nSurname: Keller\nTest,Collected,Result,Unit\nWBC,2026-02-02,5.1,G/L\n"
            "Surname: Meier\nTest,Collected,Result,Unit\nWBC,2026-02-02,2.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "- 2026-02-02 WBC 2.1 G/L"],
    ),
    "a table of other columns below": (
        (
            "MRN,Collected,Test,Result,Unit\nP1,2026-02-02,WBC,5.1,G/L\n\nLiver\n"
            "MRN,Collected,Test,Unit,Result\nP1,2026-02-02,ALT,U/L,22\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "the next patient's number in the column of dates": (
        (
            "Patient ID: P1\nCollected,WBC [G/L],ALT [U/L]\n2026-02-02,5.1,22\n"
            "Patient ID: P2\n2026-02-03,2.1,32\n"
            "Page 2,Patient ID: P3\nCollected,WBC [G/L],ALT [U/L]\n2026-02-04,3.1,42\n"
        ),
        [
            "P1 2026-02-02 WBC 5.1 G/L",
            "P1 2026-02-02 ALT 22 U/L",
            "P2 2026-02-03 WBC 2.1 G/L",
            "P2 2026-02-03 ALT 32 U/L",
            "P3 2026-02-04 WBC 3.1 G/L",
            "P3 2026-02-04 ALT 42 U/L",
        ],
    ),
    "the next patient's number in the column of values": (
        (
            "Patient ID,P1,\nCollected,2026-02-02,\nTest,Result,Unit\nWBC,5.1,G/L\n"
            "Patient ID,P2,\nWBC,2.1,G/L\n"
            "Collected,2026-02-05,\nWBC,2.2,G/L\n"
        ),
        [
            "P1 2026-02-02 WBC 5.1 G/L",
            "P2 - WBC 2.1 G/L",
            "P2 2026-02-05 WBC 2.2 G/L",
        ],
    ),
    "a table of more columns below": (
        (
            "MRN,Collected,Test,Result,Unit\nP1,2026-02-02,WBC,0.9,G/L\n"
            "MRN,Collected,Test,Result,Unit,Status\nP1,2026-02-02,ALT,22,U/L,F\n"
        ),
        ["P1 2026-02-02 WBC 0.9 G/L", "P1 2026-02-02 ALT 22 U/L"],
    ),
    "a table of more analytes below, of another patient": (
        (
            "Patient ID: P1\nCollected,WBC [G/L],Neutrophils [G/L]\n2026-02-02,1.9,0.4\n"
            "Patient ID: P2\nCollected,ALT [U/L],AST [U/L],GGT [U/L]\n2026-02-02,22,23,24\n"
        ),
        [
            "P1 2026-02-02 WBC 1.9 G/L",
            "P1 2026-02-02 Neutrophils 0.4 G/L",
            "P2 2026-02-02 ALT 22 U/L",
            "P2 2026-02-02 AST 23 U/L",
            "P2 2026-02-02 GGT 24 U/L",
        ],
    ),
    "a table in another order below, with many columns that are not ours": (
        (
            "MRN,Collected,WBC [G/L],ALT [U/L],AST [U/L],a,b,c,d,e,f,g\n"
            "P1,2026-02-02,1.9,22,23,,,,,,,\n"
            "MRN,Collected,WBC [G/L],AST [U/L],ALT [U/L],a,b,c,d,e,f,g\n"
            "P1,2026-02-03,1.8,32,33,,,,,,,\n"
        ),
        [
            "P1 2026-02-02 WBC 1.9 G/L",
            "P1 2026-02-02 ALT 22 U/L",
            "P1 2026-02-02 AST 23 U/L",
            "P1 2026-02-03 WBC 1.8 G/L",
            "P1 2026-02-03 AST 32 U/L",
            "P1 2026-02-03 ALT 33 U/L",
        ],
    ),
    "on its side, with counts that are written like a code of ours": (
        (
            "MRN;P1;P1;P1\nCollected;2026-01-14 16:00;2026-01-21 14:45;2026-01-28 08:00\n"
            "Platelets [10*9/L];162;423;63\nNeutrophils [/uL];2660;7310;1940\n"
        ),
        [
            "P1 2026-01-14 16:00 Platelets 162 10*9/L",
            "P1 2026-01-21 14:45 Platelets 423 10*9/L",
            "P1 2026-01-28 08:00 Platelets 63 10*9/L",
            "P1 2026-01-14 16:00 Neutrophils 2660 /uL",
            "P1 2026-01-21 14:45 Neutrophils 7310 /uL",
            "P1 2026-01-28 08:00 Neutrophils 1940 /uL",
        ],
    ),
    "on its side, with numbers of patients and specimens that read as days": (
        (
            "MRN;20251130;20251130\nSpecimen;20251201;20251202\n"
            "Collected;2026-01-14 16:00;2026-01-21 14:45\nPlatelets [10*9/L];162;63\n"
        ),
        [
            "20251130 2026-01-14 16:00 Platelets 162 10*9/L",
            "20251130 2026-01-21 14:45 Platelets 63 10*9/L",
        ],
    ),
    "a header that says less, and no rows below it": (
        (
            "mrn,collected_at,analyte,value,,\nMRN,Collected,Test,Result,Unit,Status\n"
            "P1,2026-02-02,WBC,5.1,G/L,F\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L"],
    ),
    "the header again": (
        (
            "mrn,collected_at,analyte,value,unit\nP1,2026-02-02,WBC,5.1,G/L\n"
            "mrn,collected_at,analyte,value,unit\nP2,2026-02-02,WBC,6.1,G/L\n"
        ),
        ["P1 2026-02-02 WBC 5.1 G/L", "P2 2026-02-02 WBC 6.1 G/L"],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_value_is_read_under_its_own_lines(name: str, read: Read) -> None:
    text, expected = SHAPES[name]
    assert read(text) == (expected, [])


@pytest.mark.parametrize("line", ["Ward;3", "Ward;East", "Doctor;Meier", "Sex;F", "Age;54;years"])
@pytest.mark.parametrize("place", range(3))
def test_a_line_that_says_nothing_to_us_leaves_the_next_report_to_its_patient(
    read: Read, line: str, place: int
) -> None:
    """The lines before it were passed over with it, and the values went to the patient above."""
    said = ["Patient ID;P2", "Collected;2026-02-05"]
    said.insert(place, line)
    second = "\n".join([*said, "Test;Unit;Result;Note", "WBC;G/L;2.1;"])
    first = "Patient ID;P1\nCollected;2026-02-02\nTest;Unit;Result;Note\nWBC;G/L;5.1;\n"
    rows, bad = read(f"{first}{second}\n")
    assert rows == ["P1 2026-02-02 WBC 5.1 G/L", "P2 2026-02-05 WBC 2.1 G/L"]
    assert [it.split()[1] for it in bad] == ["field_count"]


def test_rows_under_a_header_that_cannot_be_read_are_held(read: Read) -> None:
    values, bad = read(
        "MRN,Collected,Test,Result,Unit\nP1,2026-02-02,WBC,5.1,G/L\n"
        "MRN,Requested by,Test,Result,Unit\nP1,Dr A,WBC,1.1,G/L\n"
    )
    assert values == ["P1 2026-02-02 WBC 5.1 G/L"]
    assert bad == ["4 no_header"]


def test_a_line_that_is_cut_short_is_still_a_bad_line(read: Read) -> None:
    values, bad = read(
        "MRN,Collected,Test,Result,Unit\nP1,2026-02-02,WBC,5.1,G/L\nP2,2026-02-0\n"
        "P1,2026-02-03,WBC,5.2,G/L\n"
    )
    assert len(values) == 2
    assert bad == ["3 field_count"]


@pytest.mark.parametrize(
    "text",
    [
        "Test;Unit;02.02.;16.02.\nWBC;G/L;5.1;4.2\n",
        "Test;Unit;Value\nWBC;G/L;5.1\n",
        "Date of birth;1970-02-02\nWBC;5.1\n",
    ],
)
def test_what_names_no_patient_or_no_day_is_refused(text: str, read: Read) -> None:
    with pytest.raises(UnreadableFile, match=r"lacks .*(mrn|collected_at)"):
        read(text)


def test_a_workbook_with_two_tables_on_a_sheet_and_one_on_its_side(
    tmp_path: Path, read: Read
) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (
        ["MRN", "Date", "Test", "Result", "Unit"],
        ["P1", date(2026, 1, 12), "WBC", 5.1, "G/L"],
        [],
        ["MRN", "Date", "ALT [U/L]", "AST [U/L]"],
        ["P2", date(2026, 1, 13), 22, 23],
    ):
        sheet.append(row)
    other = book.create_sheet("Verlauf")
    for row in (
        ["Patient-ID:", "P3"],
        ["Parameter", "Einheit", datetime(2026, 1, 12, 8), date(2026, 1, 19)],
        ["Leukozyten", "G/l", 5.1, "geronnen"],
    ):
        other.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert read(path)[0] == [
        "P1 2026-01-12 WBC 5.1 G/L",
        "P2 2026-01-13 ALT 22 U/L",
        "P2 2026-01-13 AST 23 U/L",
        "P3 2026-01-12T08:00 Leukozyten 5.1 G/l",
        "P3 2026-01-19 Leukozyten geronnen G/l",
    ]


NAMES = ("WBC", "Neutrophils", "Platelets", "ALT")
UNITS = ("G/L", "G/L", "G/L", "U/L")


@st.composite
def reports(draw: st.DrawFn) -> list[tuple[str, list[str], dict[tuple[str, str], str]]]:
    """Some patients, each with days and values of some of NAMES on some days."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        days = [f"2026-02-{day:02}" for day in draw(st.sets(st.integers(1, 28), min_size=1))]
        cells = sorted(product(NAMES, days))
        chosen = draw(st.sets(st.sampled_from(cells), min_size=1))
        made.append((f"P{number}", sorted(days), {cell: f"{len(chosen)}.5" for cell in chosen}))
    return made


@settings(max_examples=60, deadline=None)
@given(reports(), st.booleans(), st.sampled_from(";,\t|"))
def test_a_cumulative_report_gives_each_patients_values_once(
    tmp_path_factory: pytest.TempPathFactory,
    catalogue: Catalogue,
    made: list[tuple[str, list[str], dict[tuple[str, str], str]]],
    titles: bool,
    mark: str,
) -> None:
    """The oracle is the drawn table: what was written is what is read, and nothing more."""
    lines, expected = [], []
    for mrn, days, values in made:
        lines.append(mark.join(["Patient ID", mrn]))
        lines.append(mark.join(["Test", "Unit", *days]))
        lines += [mark.join(["Haematology", "", *[""] * len(days)])] * titles
        for name, unit in zip(NAMES, UNITS, strict=True):
            cells = [values.get((name, day), "") for day in days]
            lines.append(mark.join([name, unit, *cells]))
            expected += [
                f"{mrn} {day} {name} {cell} {unit}"
                for day, cell in zip(days, cells, strict=True)
                if cell
            ]
    path = tmp_path_factory.mktemp("cumulative") / "file.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found, bad = rows_of(path, catalogue)
    assert (sorted(found), bad) == (sorted(expected), [])


@pytest.mark.parametrize(
    ("line", "whose"),
    [
        ("Report for patient P2", "-"),
        ("Patient ID P2", "-"),
        ("Patientennummer #4711 (neu)", "-"),
        ("Patient report 7", "P1"),
        ("Page 2", "P1"),
    ],
)
def test_rows_below_a_line_that_may_name_another_patient_are_nobody_s(
    read: Read, line: str, whose: str
) -> None:
    values, bad = read(
        "Patient ID: P1\nTest,Collected,Result,Unit\nWBC,2026-02-02,5.1,G/L\n"
        f"{line}\nWBC,2026-02-03,2.1,G/L\n"
    )
    assert values == ["P1 2026-02-02 WBC 5.1 G/L", f"{whose} 2026-02-03 WBC 2.1 G/L"]
    assert all(it == "4 field_count" for it in bad)


BESIDE_A_REPORT = [
    "Ward;3", "Ward;East", "Doctor;Meier", "Age;54;years", "Sex;F", "Order No;4711", "Page 2 of 3",
    "Dr Meier", "Phone: +41 44 123", "Comment: fasting", "---", "", "Laboratory North",
    "Lab No;L-99", "Insurance;Helsana;80756", "Printed;2026-04-01 10:00", "Weight;70;kg",
    "Room: 12;Bed: 4", "Report",
]  # fmt: skip
NUMBERS = ["Patient ID;{}", "Patient ID: {}", "MRN;{}", "Pat.-Nr.;{}"]
NOBODY = ["Patient ID;", "Patient ID:", "Patient: Meier, Ben", "Name: Meier, Ben", "Surname;Meier"]


@settings(max_examples=150)
@given(
    st.sampled_from(NUMBERS),
    st.lists(
        st.tuples(
            st.booleans(),
            st.lists(st.sampled_from(BESIDE_A_REPORT), max_size=2),
            st.lists(st.sampled_from(BESIDE_A_REPORT), max_size=2),
            st.sampled_from(["", "", "", *NOBODY]),
        ),
        min_size=2,
        max_size=4,
    ),
    st.booleans(),
)
def test_no_value_of_a_report_is_read_as_another_patients(
    tmp_path_factory: pytest.TempPathFactory,
    catalogue: Catalogue,
    number: str,
    reports: list[tuple[bool, list[str], list[str], str]],
    is_padded: bool,
) -> None:
    """Whatever else stands above each report, with its header again or without."""
    lines: list[str] = []
    true: dict[str, str] = {}
    for place, (has_header, before, behind, nobody) in enumerate(reports):
        mrn = "" if nobody and place else f"P{place}00"
        value = f"10{place}.5"
        true[value] = f"{mrn or '-'} 2026-02-0{place + 1}"
        header = ["Test;Unit;Result"] if has_header or not place else []
        said = number.format(mrn) if mrn else nobody
        day = f"Collected;2026-02-0{place + 1}"
        lines += [*before, said, *behind, day, *header, f"WBC;G/L;{value}"]
    if is_padded:
        lines = [line + ";" * (2 - line.count(";")) for line in lines]
    path = tmp_path_factory.mktemp("reports") / "file.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    values, _ = rows_of(path, catalogue)
    read = {it.split()[3]: " ".join(it.split()[:2]) for it in values if it.split()[3] in true}
    assert read.keys() == true.keys()
    for value, whose in read.items():
        assert whose in (true[value], f"- {true[value].split()[1]}")
