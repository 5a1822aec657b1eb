"""A workbook says what a person sees in it: the noughts, signs and units that formats add to a
number, and that a formula ended in an error."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from monitor.intake.load import load_file
from monitor.store import tables
from tests.clinic import at
from tests.desk import Desk, sqlite_desk

NOW = at("2026-06-10")
HEADER = ("MRN", "Collected", "Test", "Result", "Unit")
TAKEN = datetime(2026, 3, 13, 8, 30)
HELD = "held"
_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{of}:1.0"'
    for name, of in (("office", "office"), ("table", "table"), ("text", "text"))
)
_CALCEXT = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'

EXCEL: dict[str, tuple[tuple[object, ...], int, str, str]] = {
    "noughts before a number": (
        (451, TAKEN, "PLT", 130, "K/uL"), 0, "00000", "00451 platelets 130",
    ),
    "no format": ((451, TAKEN, "PLT", 130, "K/uL"), 0, "General", "451 platelets 130"),
    "a format of whole numbers": ((451, TAKEN, "PLT", 130, "K/uL"), 0, "0", "451 platelets 130"),
    "thousands parted": ((451, TAKEN, "PLT", 1130, "K/uL"), 3, "#,##0", "451 platelets 1130"),
    "a sign": (
        (451, TAKEN, "Bilirubin", 0.2, "mg/dL"), 3, '"<"0.0', "451 bilirubin <3.4208",
    ),
    "the unit": ((451, TAKEN, "HGB", 13.1, None), 3, '0.0" g/dL"', "451 hemoglobin 131"),
    "the same unit as beside it": (
        (451, TAKEN, "HGB", 13.1, "g/dL"), 3, '0.0" g/dL"', "451 hemoglobin 131",
    ),
    "another unit than beside it": ((451, TAKEN, "HGB", 8.1, "g/dL"), 3, '0.0" mmol/L"', HELD),
    "thousands left out": ((451, TAKEN, "ALT", 1250, "U/L"), 3, "0.0,", HELD),
    "an error": ((451, TAKEN, "PLT", "#DIV/0!", "K/uL"), 3, "General", HELD),
    "an error that says there is none": (
        (451, TAKEN, "PLT", "#N/A", "K/uL"), 3, "General", "451 platelets #N/A",
    ),
    "percent": (
        (451, TAKEN, "Lymphocytes %", 0.235, "%"), 3, "0.0%", "451 lymphocytes_percent 23.5",
    ),
    "a word in a colour": ((451, TAKEN, "PLT", 130, "K/uL"), 3, "[Red]0_)", "451 platelets 130"),
    "an exponent": ((451, TAKEN, "PLT", 130, "K/uL"), 3, "0.0E+00", "451 platelets 130"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCEL)
def test_a_number_of_excel_is_what_its_format_shows(
    migrated_sqlite: Path, tmp_path: Path, name: str
) -> None:
    row, column, code, expected = EXCEL[name]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append(row)
    sheet.cell(2, column + 1).number_format = code
    path = tmp_path / "book.xlsx"
    book.save(path)
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert _stored(desk, path) == [expected]


@pytest.mark.parametrize("digits", [5, 7, 10])
def test_a_time_is_the_second_that_its_fraction_of_a_day_is_nearest_to(
    migrated_sqlite: Path, tmp_path: Path, digits: int
) -> None:
    """08:29:59 would be another draw than the 08:30 of every other file."""
    minutes = range(0, 1440, 37)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    for minute in minutes:
        serial = round(46094 + minute / 1440, digits)
        sheet.append(("451", serial, "PLT", 130, "K/uL"))
        sheet.cell(sheet.max_row, 2).number_format = "yyyy-mm-dd hh:mm"
    path = tmp_path / "book.xlsx"
    book.save(path)
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        _stored(desk, path)
        times = [row.collected_at for row in desk.clinic.rows(tables.ResultRow) if row.timed]
        assert len(times) == len(minutes) - 1  # midnight is a day without a time
        assert {it.second for it in times} == {0}


OPEN_DOCUMENT = {
    "noughts before a number": (("451", "00451"), ("130", "130"), "00451 platelets 130"),
    "no format": (("451", "451"), ("130", "130"), "451 platelets 130"),
    "a comma": (("451", "451"), ("130.5", "130,5"), "451 platelets 130.5"),
    "a sign": (("451", "451"), ("5", "&lt;5"), "451 platelets <5"),
    "another unit than beside it": (("451", "451"), ("130", "130 /uL"), HELD),
    "an exponent": (("451", "451"), ("130", "1,3E+02"), "451 platelets 130"),
    "an error": (("451", "451"), ("0", "#DIV/0!"), HELD),
}


@pytest.mark.parametrize("name", OPEN_DOCUMENT)
def test_a_number_of_an_opendocument_spreadsheet_is_what_it_shows(
    migrated_sqlite: Path, tmp_path: Path, name: str
) -> None:
    mrn, value, expected = OPEN_DOCUMENT[name]
    texts = ("2026-03-13", "PLT"), ("K/uL",)
    cells = [_number(*mrn), *map(_text, texts[0]), _number(*value), *map(_text, texts[1])]
    rows = "".join(
        f"<table:table-row>{''.join(it)}</table:table-row>" for it in (map(_text, HEADER), cells)
    )
    path = tmp_path / "book.ods"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr(
            "content.xml",
            f"<office:document-content {_NAMES} {_CALCEXT}><office:body><office:spreadsheet>"
            f'<table:table table:name="Labor">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
        made.writestr("META-INF/manifest.xml", "<manifest/>")
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert _stored(desk, path) == [expected]


def _text(text: str) -> str:
    return (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )


def _number(value: str, shown: str) -> str:
    error = ' calcext:value-type="error"' if shown.startswith("#") else ""
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}"{error}>'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def _stored(desk: Desk, path: Path) -> list[str]:
    """What is stored, and what is held instead."""
    desk.enrol("451,azathioprine,2026-01-05,,,", "00451,azathioprine,2026-01-05,,,")
    load_file(desk.store, desk.settings, path, "", NOW)
    mrns = {row.id: row.mrn for row in desk.clinic.rows(tables.Patient)}
    stored = [
        f"{mrns[row.patient_id]} {row.analyte} "
        + (row.no_result if row.value is None else f"{row.comparator}{row.value.normalize():f}")
        for row in desk.clinic.rows(tables.ResultRow)
    ]
    return [*stored, *(HELD for _ in desk.held())]
