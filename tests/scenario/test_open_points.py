"""Where cells are parted by semicolons a comma marks decimals, and a point may mark thousands: an
ALT of 1.250 is not 1.25 as long as no value of the file says so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from monitor.intake.load import load_file
from monitor.store import tables
from tests.clinic import CONFIG
from tests.desk import NOW, Desk, sqlite_desk
from tests.hl7_messages import obx, oru

THEIRS = "Patientennummer;Abnahmedatum;Analyse;Ergebnis;Einheit"
OURS = "mrn;collected_at;analyte;value;unit"
ALT = "P1;2026-03-02;ALT;{};U/L"
COMMA = f"{CONFIG}\n[sources.north]\ndecimal_comma = true\n"
POINT = f"{CONFIG}\n[sources.north]\ndecimal_comma = false\n"


def load(desk: Desk, header: str, *values: str, source: str = "") -> tuple[list[str], int]:
    """What stands of ALT, and how many rows are held."""
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(*map(ALT.format, values), header=header, source=source)
    return desk.standing("alt"), len(desk.held())


@pytest.mark.parametrize("value", ["1.250", "<1.250", "1.250 H"])
def test_a_point_that_may_mark_thousands_holds_its_row(
    migrated_sqlite: Path, tmp_path: Path, value: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert load(desk, THEIRS, value, "35") == (["35"], 1)
        [held] = desk.held()
        assert held.reason_code == "ambiguous_mark"
        assert held.possible_values == "1.250 1250"
        assert "the point may mark thousands or decimals" in held.hint


@pytest.mark.parametrize(
    ("header", "values", "stand"),
    [
        (THEIRS, ("1.250", "35,5"), ["1250", "35.5"]),
        (THEIRS, ("1.250", "35.5"), ["1.25", "35.5"]),
        (THEIRS, ("1.250", "0.400"), ["0.4", "1.25"]),
        (OURS, ("1.250", "35"), ["1.25", "35"]),
        (THEIRS.replace(";", ","), ("1.250", "35"), ["1.25", "35"]),
    ],
)
def test_the_file_or_its_form_says_what_marks_decimals(
    migrated_sqlite: Path, tmp_path: Path, header: str, values: tuple[str, ...], stand: list[str]
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        lines = [ALT.format(it) for it in values]
        if "," in header:
            lines = [it.replace(";", ",") for it in lines]
        desk.load(*lines, header=header)
        assert (desk.standing("alt"), len(desk.held())) == (sorted(stand), 0)


LIMITED = f"{THEIRS};Norm von;Norm bis"


@pytest.mark.parametrize(
    ("header", "separator", "limits", "stands"),
    [
        (LIMITED, ",", "10;40", []),
        (LIMITED, ",", "10.000;40.000", ["1.25"]),
        (LIMITED, ";", "10.000;40.000", ["1.25"]),
        (LIMITED, ";", "1.000;4.000", []),
        (LIMITED, ";", "10;40", []),
        (LIMITED, ",", ";", ["1.25"]),
        (f"{OURS};ref_low;ref_high", ",", "10;40", ["1.25"]),
        (f"{THEIRS};Normbereich;", ",", "10 - 40;", []),
        (f"{THEIRS};Normbereich;", ";", "10.000 - 40.000;", ["1.25"]),
    ],
)
def test_the_limits_of_the_row_may_say_it(
    migrated_sqlite: Path,
    tmp_path: Path,
    header: str,
    separator: str,
    limits: str,
    stands: list[str],
) -> None:
    """Beside 10 and 40 the value 1.250 may be 1250; 40,000 is nobody's upper limit of ALT."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        line = f"{ALT.format('1.250')};{limits}".replace(";", separator)
        desk.load(line, header=header.replace(";", separator))
        assert (desk.standing("alt"), len(desk.held())) == (stands, 1 - len(stands))


@pytest.mark.parametrize(
    ("config", "value", "stand"), [(COMMA, "1.250,0", "1250"), (POINT, "1.250", "1.25")]
)
def test_a_source_says_it(
    migrated_sqlite: Path, tmp_path: Path, config: str, value: str, stand: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path, config) as desk:
        assert load(desk, THEIRS, value, "35", source="north") == ([stand, "35"], 0)


def test_rows_of_a_large_file_are_held_alike(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        values = [str(number % 90 + 10) for number in range(4000)]
        _, held = load(desk, THEIRS, *values, "1.250")
        assert held == 1


@pytest.mark.parametrize("separator", ["\t", "|", ";"])
def test_tabs_and_bars_say_no_more_of_the_mark_than_semicolons(
    migrated_sqlite: Path, tmp_path: Path, separator: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        rows = [ALT.format(it).replace(";", separator) for it in ("1.250", "35")]
        desk.load(*rows, header=THEIRS.replace(";", separator))
        assert (desk.standing("alt"), len(desk.held())) == (["35"], 1)
        assert '"1.250"' in desk.held()[0].hint


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_a_cumulative_report_is_no_file_in_our_own_form(
    migrated_sqlite: Path, tmp_path: Path, separator: str
) -> None:
    header = ("Parameter", "Einheit", "Referenz", "02.03.2026", "27.02.2026")
    lines = (("GPT", "U/l", "< 50", "1.250", "45"), ("PLT", "/nl", "150 - 400", "1.031", ""))
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        cells = [separator.join(it) for it in (header, *lines)]
        desk.load(*cells, header=f"Patient-ID:{separator}P1")
        assert (desk.standing("alt"), desk.standing("platelets")) == (["45"], [])
        assert len(desk.held()) == 2


def test_a_point_is_open_only_where_the_thousands_would_be_plausible(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """13,100 g/dl of haemoglobin and 5,400 cells in a nanolitre are nobody's."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert load_cells(desk, ("5.400", "/nl"), ("4.125", "Tsd/ul")) == ["4.125", "5.4"]
        assert desk.held() == []


def test_nor_is_a_point_read_where_some_values_have_a_comma_and_some_a_point(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        values = ("1.250", '"35,5"', "35.5")
        desk.load(
            *(ALT.format(it).replace(";", ",") for it in values), header=THEIRS.replace(";", ",")
        )
        assert (desk.standing("alt"), len(desk.held())) == (["35.5"], 2)


def test_nor_a_text_of_a_workbook_that_has_texts_with_commas_and_typed_numbers(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["mrn", "collected_at", "test", "result", "unit"])
    for value in ("35,5", 35.5, "1.250"):
        sheet.append(["P1", "2026-03-02", "ALT", value, "U/L"])
    book.save(tmp_path / "book.xlsx")
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        load_file(desk.store, desk.settings, tmp_path / "book.xlsx", "", NOW)
        assert set(desk.standing("alt")) == {"35.5"}
        assert len(desk.held()) == 1


@pytest.mark.parametrize(
    ("others", "stands"), [((35, 200), []), ((35.5,), ["1.25"]), (("0.4",), ["1.25"])]
)
def test_a_text_of_a_workbook_shows_no_mark_by_itself(
    migrated_sqlite: Path, tmp_path: Path, others: tuple[object, ...], stands: list[str]
) -> None:
    """A program that takes 1.250 for a number makes one of it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["MRN", "Collected", "Test", "Result", "Unit"])
    for value in (*others, "1.250"):
        sheet.append(["P1", "2026-03-02", "ALT", value, "U/L"])
    book.save(tmp_path / "book.xlsx")
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        load_file(desk.store, desk.settings, tmp_path / "book.xlsx", "", NOW)
        assert [it for it in desk.standing("alt") if it not in map(str, others)] == stands


CELLS = "P1;2026-03-02;Leukozyten;{};{}"


def load_cells(
    desk: Desk, *values: tuple[str, str], header: str = THEIRS, source: str = ""
) -> list[str]:
    """What stands of white cells, and the number of rows that are held."""
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    rows = [CELLS.format(*it) for it in values]
    rows = [it.replace(";", ",") for it in rows] if "," in header else rows
    desk.load(*rows, header=header, source=source)
    return desk.standing("white_cells")


@pytest.mark.parametrize("header", [THEIRS, THEIRS.replace(";", ","), OURS.replace(";", ",")])
@pytest.mark.parametrize("value", ["5.400", ">5.400", "5.400 H"])
@pytest.mark.parametrize("unit", ["/mm3", "cells/uL", "10*6/L"])
def test_single_cells_are_counted_in_whole_numbers(
    migrated_sqlite: Path, tmp_path: Path, header: str, value: str, unit: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert load_cells(desk, (value, unit), header=header) == []
        [held] = desk.held()
        assert held.reason_code == "ambiguous_mark"
        assert [f"{float(it):g}" for it in held.possible_values.split()] == ["0.0054", "5.4"]


def test_nor_does_a_decimal_point_of_other_rows_make_a_fraction_of_them(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        values = [("5.4", "K/uL"), ("31.250", "/mm3")]
        assert load_cells(desk, *values, header=THEIRS.replace(";", ",")) == ["5.4"]
        assert len(desk.held()) == 1


@pytest.mark.parametrize(
    ("value", "unit", "stands"),
    [
        ("5.400", "K/uL", "5.4"),
        ("5400", "/mm3", "5.4"),
        ("5 400", "/mm3", "5.4"),
        ("950.25", "/mm3", "0.95025"),
        ("150.125", "/mm3", "0.150125"),
    ],
)
def test_a_count_that_can_be_read_one_way_is_read(
    migrated_sqlite: Path, tmp_path: Path, value: str, unit: str, stands: str
) -> None:
    """150,125 white cells are above the plausible range."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        header = THEIRS.replace(";", ",")
        assert (load_cells(desk, (value, unit), header=header), desk.held()) == ([stands], [])


@pytest.mark.parametrize(("config", "stands"), [(COMMA, "5.4"), (POINT, "0.0054")])
def test_of_single_cells_too_a_source_says_it(
    migrated_sqlite: Path, tmp_path: Path, config: str, stands: str
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path, config) as desk:
        assert load_cells(desk, ("5.400", "/mm3"), source="north") == [stands]


def test_limits_of_single_cells_that_may_be_thousands_are_missing(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        header = "mrn,collected_at,analyte,value,unit,ref_low,ref_high"
        desk.load("P1,2026-03-02,white cells,900,/mm3,4.500,11000", header=header)
        [stored] = desk.clinic.rows(tables.ResultRow)
        assert (stored.value, stored.ref_low, stored.ref_high) == (Decimal("0.9"), None, 11)


def test_single_cells_of_a_message_are_held_alike(migrated_sqlite: Path, tmp_path: Path) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("P1,azathioprine,2026-01-05,,,")
        file = tmp_path / "a.hl7"
        file.write_text(oru(obx("PLT", "231.000", "/mm3"), mrn="P1"), encoding="utf-8")
        load_file(desk.store, desk.settings, file, "", NOW)
        assert (desk.standing("platelets"), len(desk.held())) == ([], 1)
