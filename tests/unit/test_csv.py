"""Files as laboratories really send them: whatever comes, every row is a row or a named problem."""

from __future__ import annotations

import codecs
import gzip
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config import Source
from monitor.intake.csv import Record, best_record, open_table
from monitor.intake.layout import layout_of
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.survey import UnreadableFile, survey
from monitor.intake.wide import Known

HEADER = "mrn,collected_at,analyte,value,unit"
ROW = "P1,2026-03-02,neutrophils,0.4,10*9/L"
KNOWN = HEADER.split(",")

Read = Callable[..., tuple[list[Record | BadLine], str, str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Rows, encoding and delimiter of a file with this content."""

    def read_bytes(
        content: bytes, encoding: str = "", delimiter: str = ""
    ) -> tuple[list[Record | BadLine], str, str]:
        path = tmp_path / "file.csv"
        path.write_bytes(content)
        found = survey(path, encoding)
        table = open_table(found, lambda cells, *_: len(set(KNOWN) & set(cells)), delimiter)
        return list(table.read()), found.encoding_title, table.delimiter_title

    return read_bytes


def cells(rows: list[Record | BadLine]) -> list[list[str]]:
    return [row.cells for row in rows if isinstance(row, Record)]


def problems(rows: list[Record | BadLine]) -> list[tuple[int, str]]:
    return [(row.line, row.code) for row in rows if isinstance(row, BadLine)]


TEXT = f"{HEADER}\nMÜ1,2026-03-02,neutrophils,0.4,10*9/L\n"


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (f"{HEADER}\n{ROW}\n".encode(), "UTF-8"),
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8 with BOM"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "UTF-16 LE"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16 BE"),
        (TEXT.encode("utf-16-le"), "UTF-16 LE without BOM"),
        (TEXT.encode("utf-16-be"), "UTF-16 BE without BOM"),
        (TEXT.encode("cp1252"), "Windows-1252"),
        (TEXT.encode("latin-1") + b"\x81", "Latin-1"),
        (TEXT.encode() + "MÜ2,,,,\n".encode("cp1252"), "UTF-8 mixed with Windows-1252"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(read: Read, content: bytes, title: str) -> None:
    rows, found, _ = read(content)
    assert found == title
    assert cells(rows)[0][3] == "0.4"
    assert cells(rows)[0][0] in ("P1", "MÜ1")


@pytest.mark.parametrize(
    ("delimiter", "title"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "pipe")]
)
def test_the_delimiter_is_the_one_that_makes_sense_of_the_header(
    read: Read, delimiter: str, title: str
) -> None:
    content = f"{HEADER}\n{ROW}\n".replace(",", delimiter)
    rows, _, found = read(content.encode())
    assert (found, cells(rows)) == (title, [ROW.split(",")])
    marked = f"sep={delimiter}\n{content}"
    assert cells(read(marked.encode())[0]) == [ROW.split(",")]


def test_a_source_may_name_encoding_and_delimiter(read: Read) -> None:
    content = f"{HEADER}\n{ROW}\n".replace(",", "!").encode("cp037")
    assert cells(read(content, "cp037", "!")[0]) == [ROW.split(",")]
    with pytest.raises(UnreadableFile, match="encoding"):
        read(content, "klingon")
    with pytest.raises(UnreadableFile, match="delimiter"):
        read(f"{HEADER}\n".encode(), "", "hyphen")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_are_those_of_an_editor(read: Read, end: str) -> None:
    split = '"P2\nsecond line",2026-03-02,alt,1,U/L'
    lines = [HEADER, ROW, '"","",,,', " , ,,,", split, "too,few", ROW]
    rows, _, _ = read(end.join(lines).replace("\n", end if end != "\r\n" else "\n").encode())
    assert [row.line for row in rows] == [2, 5, 7, 8]
    assert problems(rows) == [(7, "field_count")]


def test_quotes_may_hold_delimiters_quotes_and_newlines(read: Read) -> None:
    rows, _, _ = read(f'{HEADER}\n"P,1", "a ""b""",x,"1\n2\n3",5" tube\n{ROW}\n'.encode())
    assert cells(rows) == [["P,1", 'a "b"', "x", "1\n2\n3", '5" tube'], ROW.split(",")]


def test_the_header_line_again_is_no_row(read: Read) -> None:
    rows, _, _ = read(f"{HEADER}\n{ROW}\n{HEADER}\n{ROW}\n".encode())
    assert problems(rows) == []
    assert len(rows) == 2


@pytest.mark.parametrize("end", ["", ",", ",,"])
def test_cells_below_an_end_of_the_header_that_names_nothing_may_be_missing(
    read: Read, end: str
) -> None:
    rows, _, _ = read(f"{HEADER},,\n{ROW}{end}\n".encode())
    assert problems(rows) == []
    cut, _, _ = read(f"{HEADER},,\n{ROW.rpartition(',')[0]}\n".encode())
    assert problems(cut) == [(2, "field_count")]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("P1,2026-03-02,neutrophils,0.4", "field_count"),
        ("P1,2026-03-02,neutrophils,0.4,10*9/L,and,more", "field_count"),
        ('P1,"2026-03-02,neutrophils,0.4,10*9/L', "quotes"),
        ('"P1"x,2026-03-02,neutrophils,0.4,10*9/L', "quotes"),
        ("P1,2026\0-03-02,neutrophils,0.4,10*9/L", "no_text"),
        ("x" * 1_100_000, "line_too_long"),
        (f'"{"x" * 200_000}",2026-03-02,neutrophils,0.4,10*9/L', "quotes"),
        ("-- end of report --", "field_count"),
    ],
)
def test_a_line_that_cannot_be_split_is_one_bad_row_and_the_rest_goes_in(
    read: Read, bad: str, code: str
) -> None:
    rows, _, _ = read(f"{HEADER}\n{ROW}\n{bad}\n{ROW}\n{ROW}\n".encode())
    assert problems(rows) == [(3, code)]
    assert cells(rows) == [ROW.split(",")] * 3
    bad_line = next(row for row in rows if isinstance(row, BadLine))
    assert len(bad_line.text) <= 2000
    assert "\0" not in bad_line.text


def test_a_quote_left_open_costs_its_own_row_only(read: Read) -> None:
    content = f'{HEADER}\n"P1,2026-03-02,neutrophils,0.4,10*9/L\n' + f"{ROW}\n" * 20_000
    rows, _, _ = read(content.encode())
    assert problems(rows) == [(2, "quotes")]
    assert len(cells(rows)) == 20_000


def test_a_hundred_thousand_bad_rows_are_a_hundred_thousand_problems(read: Read) -> None:
    content = f"{HEADER}\n" + 'a"b\n"c,d\n' * 50_000 + f"{ROW}\n"
    rows, _, _ = read(content.encode())
    assert len(problems(rows)) == 100_000
    assert cells(rows) == [ROW.split(",")]


def test_surplus_empty_cells_are_no_fault(read: Read) -> None:
    rows, _, _ = read(f"{HEADER}\n{ROW},,\n".encode())
    assert cells(rows) == [ROW.split(",")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\n \r\n\t\n", "blank"),
        (codecs.BOM_UTF8, "blank"),
        (b"PK\x03\x04rest of a workbook", "Excel"),
        (b"%PDF-1.7 ...", "PDF"),
        (gzip.compress(b"mrn,collected_at", mtime=0), "gzip"),
        (random.Random(1).randbytes(50_000), "binary"),
        (bytes(4096), "binary"),
    ],
)
def test_what_is_no_csv_is_said_by_name(read: Read, content: bytes, what: str) -> None:
    with pytest.raises(UnreadableFile, match=what):
        read(content)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"MSH|^~\\&|LAB|", "hl7"),
        (b"\x0bMSH|^~\\&|LAB|", "hl7"),
        (codecs.BOM_UTF8 + b"MSH|^~\\&|LAB|", "hl7"),
        (b'{"resourceType": "Observation"}', "json"),
        (b'<?xml version="1.0"?><Observation/>', "xml"),
        (b"<!DOCTYPE html><html>", "xml"),
        (b"mrn,collected_at,analyte,value,unit", "csv"),
    ],
)
def test_the_format_is_told_from_the_first_characters(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert survey(path).format == what


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file"):
        survey(tmp_path / "absent.csv")
    with pytest.raises(UnreadableFile, match="folder"):
        survey(tmp_path)


def test_a_pipe_is_no_file() -> None:
    read, write = os.pipe()
    os.write(write, b"mrn,collected_at\n")
    os.close(write)
    with pytest.raises(UnreadableFile, match="write it into a file first"):
        survey(Path(f"/dev/fd/{read}"))
    os.close(read)


@given(content=st.binary(max_size=300))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_rows_or_a_named_problem(read: Read, content: bytes) -> None:
    try:
        rows, _, _ = read(HEADER.encode() + b"\n" + content)
    except UnreadableFile as refusal:
        assert str(refusal)  # noqa: PT017  # either outcome is right, silence is not
        return
    assert all(len(row.cells) == 5 if isinstance(row, Record) else row.reason for row in rows)


NAMES = {"neutrophils", "alt", "wbc"}


def raw_rows(header: str, *lines: str, **mapping: object) -> list[RawRow]:
    known = Known(NAMES.__contains__, lambda _name, unit: unit in ("U/L", "10*9/L"))
    layout = layout_of(header.split(","), Source.model_validate(mapping), known)
    return [
        row
        for number, line in enumerate(lines, 2)
        for row in layout.raw_rows(Record(number, line.split(",")))
    ]


def test_header_names_are_compared_without_case_space_hyphen_underscore() -> None:
    (row,) = raw_rows(" MRN,Collected-At,ANALYTE,Value,Unit", "P1,2026-03-02,alt,5,U/L")
    assert row[1:6] == ("P1", "2026-03-02", "alt", "5", "U/L")
    assert row.status == ""


def test_common_synonyms_are_known_and_the_order_is_free() -> None:
    header = "Units,Result,Test Name,Sample_Date,Patient ID,DOB,Surname"
    (row,) = raw_rows(header, "U/L,5,alt,2026-03-02,P1,1970-01-01,Muster")
    assert row[1:6] == ("P1", "2026-03-02", "alt", "5", "U/L")
    assert (row.birth_date, row.family_name) == ("1970-01-01", "Muster")


def test_a_source_maps_columns_and_fills_constants() -> None:
    (row,) = raw_rows(
        "pid,date,lab,res,mrn",
        "P1,2026-03-02,alt,5,other",
        columns={"mrn": "PID", "collected_at": "Date", "analyte": "lab", "value": "res"},
        constants={"unit": "U/L", "status": "P"},
    )
    assert row[1:6] == ("P1", "2026-03-02", "alt", "5", "U/L")
    assert row.status == "P"


def test_the_wide_form_is_a_row_for_each_filled_cell() -> None:
    rows = raw_rows(
        "mrn,collected_at,neutrophils [10*9/L],alt (U/L),basophils [10*9/L],ward",
        "P1,2026-03-02,0.4,,0.1,A1",
        "P2,2026-03-02,,20,,A2",
    )
    assert [(r.line, r.mrn, r.analyte, r.value, r.unit) for r in rows] == [
        (2, "P1", "neutrophils", "0.4", "10*9/L"),
        (2, "P1", "basophils", "0.1", "10*9/L"),
        (3, "P2", "alt", "20", "U/L"),
    ]
    assert dict(rows[0].given) == {
        "mrn": "P1",
        "collected_at": "2026-03-02",
        "ward": "A1",
        "neutrophils [10*9/L]": "0.4",
    }


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("P1,2026-03-02,neutrophils,0.4,10*9/L", "lacks mrn, collected_at"),
        ("mrn,analyte,value,unit", "lacks collected_at"),
        ("mrn,RESULT_DATE,analyte,value,unit", '"RESULT_DATE" is when it was reported'),
        ("mrn,RESULT_DATE,analyte,value,unit", 'collected_at = "RESULT_DATE"'),
        ("mrn,collected_at,analytte,value,unit", 'did you mean "analytte"'),
        ("mrn,collected_at,analyte,value,value,unit", "twice"),
        ("mrn,MRN,collected_at,analyte,value,unit", "twice"),
        ("mrn,collected_at,test,assay,value,unit", "several columns that may be analyte"),
    ],
)
def test_a_header_that_leaves_a_doubt_is_refused_with_what_would_be_right(
    header: str, what: str
) -> None:
    with pytest.raises(UnreadableFile, match=what):
        raw_rows(header, "")


@given(st.lists(st.lists(st.sampled_from(["mrn", "value", "7"]), max_size=4), max_size=5))
def test_the_header_is_the_first_of_the_lines_that_name_most(lines: list[list[str]]) -> None:
    def score(cells: Sequence[str], beyond: int = 0, /) -> int:
        return len({"mrn", "value"} & set(cells)) if len(cells) > beyond else 0

    points = [score(cells) for cells in lines]
    best = max(points, default=0)
    records = [Record(line, cells) for line, cells in enumerate(lines, 1)]
    assert best_record(records, score) == (best, points.index(best) if best else 0)


WRAPPED = {
    "all lines": '"{0}"\n"P1,2026-03-02,""neutrophils"",0.4,10*9/L"\n',
    "those without quotes of their own": '"{0}"\nP1,2026-03-02,neutrophils,0.4,10*9/L\n',
    "below a title": '"Laboratory North"\n\n"{0}"\n"P1,2026-03-02,neutrophils,0.4,10*9/L"\n',
}


@pytest.mark.parametrize("name", WRAPPED)
def test_rows_that_are_one_quoted_field_each_are_rows(read: Read, name: str) -> None:
    rows, _, delimiter = read(WRAPPED[name].format(HEADER).encode())
    assert cells(rows) == [ROW.split(",")]
    assert delimiter == "comma" and problems(rows) == []


def test_a_wrapped_row_that_does_not_fit_is_one_problem(read: Read) -> None:
    content = f'"{HEADER}"\n"P1,2026-03-02,neutrophils"\n"{ROW}"\n'
    rows, _, _ = read(content.encode())
    assert problems(rows) == [(2, "field_count")] and cells(rows) == [ROW.split(",")]


def test_large_files_of_wrapped_rows_are_read_alike(read: Read) -> None:
    rows, _, _ = read((f'"{HEADER}"\n' + f'"{ROW}"\n' * 5000).encode())
    assert cells(rows) == [ROW.split(",")] * 5000


@pytest.mark.parametrize("ruler", ["---|:---:|---|---|---", "====|====|====|====|====", "--|--|--"])
def test_a_ruler_below_the_header_is_no_row(read: Read, ruler: str) -> None:
    rows, _, _ = read(f"{HEADER}\n{ruler}\n{ROW}\n".replace(",", "|").encode())
    assert cells(rows) == [ROW.split(",")] and problems(rows) == []


def test_a_row_that_is_dashes_in_part_is_a_row(read: Read) -> None:
    rows, _, _ = read(f"{HEADER}\nP1,--,--,--,--\n-,-,-,-,-\n".encode())
    assert [row[0] for row in cells(rows)] == ["P1", "-"]
