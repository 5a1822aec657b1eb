"""HL7 v2 text: framing, separators, character sets, escapes, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.intake.raw import BadLine, OtherMessage, PatientMerge, RawRow
from monitor.intake.survey import survey
from tests.hl7_messages import OBR, REAL, items, kinds, obx, oru, row, rows

WBC = obx("6690-2^WBC^LN", "5.4")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n"])
def test_messages_are_told_apart_whatever_ends_their_segments(end: str, between: str) -> None:
    content = between.join(oru(WBC, control=str(n), end=end) for n in range(3))
    assert [it.place for it in rows(content)] == [f"message {n}, OBX 1" for n in (1, 2, 3)]


def test_frames_batches_and_a_byte_order_mark_are_no_segments() -> None:
    one = oru(WBC)
    framed = "".join(f"\x0b{it}\x1c\r" for it in (one, one))
    batch = f"FHS|^~\\&|L\rBHS|^~\\&|L\r{one}{one}BTS|2\rFTS|1\r"
    for content in (framed, batch, batch + batch):
        assert len(rows(content)) == content.count("OBX|")
    assert len(rows(b"\xef\xbb\xbf" + one.encode())) == 1


def test_a_line_is_that_of_the_segment() -> None:
    found = rows(oru(WBC, WBC, end="\n") + "\n" + oru(WBC, end="\n"))
    assert [it.line for it in found] == [4, 5, 10]


def test_the_header_says_which_marks_part_fields() -> None:
    for marks in ("|^~\\&", "$%*!@", "#*+?:", "|^~\\&#"):
        component = marks[1]
        text = oru(f"{WBC}\rNTE|1||a\\S\\b")
        plain = text.replace("MSH|^~\\&", "MSH|\0")
        translated = plain.translate(str.maketrans("|^~\\&", marks[:5]))
        found = row(content=translated.replace("\0", marks[1:]))
        assert (found.mrn, found.issuer, found.family_name) == ("A1", "NORTH", "Keller")
        assert (found.value, found.analyte, found.comment) == ("5.4", "6690-2", f"a{component}b")


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("8859/1", "latin-1"),
        ("8859/2", "iso8859-2"),
        ("UNICODE UTF-8", "utf-8"),
        ("", "utf-8"),
        ("", "cp1252"),
        ("ASCII", "cp1252"),
        ("ASCII", "utf-8"),
        ("~ISO IR87", "iso2022_jp"),
        ("GB 18030-2000", "gb18030"),
    ],
)
def test_text_is_read_in_the_character_set_that_the_message_names(charset: str, codec: str) -> None:
    name = {"iso2022_jp": "山田", "gb18030": "王伟", "iso8859-2": "Šťastný"}.get(codec, "Müller")
    text = oru(WBC).replace("Keller", name).replace("|P|2.5.1", f"|P|2.5.1||||||{charset}")
    (found,) = rows(text.encode(codec))
    assert found.family_name == name


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        ("GBK", "gbk", "血小板"),
        ("gb2312", "gb18030", "血小板數"),
        ("SHIFT_JIS", "cp932", "血小板ソ表ポ"),
        ("ISO-8859-2", "iso8859-2", "Płytki krwi"),
        ("WINDOWS-1251~GBK", "gb18030", "血小板"),
        ("KOI8-R", "koi8-r", "Тромбоциты"),
        ("base64", "cp1252", "Müller"),
        ("punycode", "cp1252", "Müller"),
        ("none of all", "cp1252", "Müller"),
    ],
)
def test_character_sets_have_other_names_than_those_of_table_0211(
    charset: str, codec: str, name: str
) -> None:
    """Read as Windows-1252, the name of a test in Chinese, Japanese, Polish or Russian is none."""
    text = oru(f"OBX|1|NM|1^{name}||12|10*9/L|||||F")
    text = text.replace("|P|2.5.1", f"|P|2.5.1||||||{charset}")
    (found,) = rows(text.encode(codec))
    assert (found.also, found.value) == ((name,), "12")


def test_two_messages_of_one_file_may_have_two_character_sets() -> None:
    one = oru(WBC).replace("Keller", "Müller")
    found = rows(one.encode("utf-8") + one.encode("latin-1"))
    assert [it.family_name for it in found] == ["Müller", "Müller"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"one\.br\two", "one\ntwo"),
        (r"\H\low\N\ count", "low count"),
        (r"caf\XC3A9\ ", "café"),
        (r"\XB5\mol/l", "µmol/l"),
        (r"Neutr\X00F3\filos", "Neutrófilos"),
        (r"one\X000D\two", "one\rtwo"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"5\10", r"5\10"),
        (r"\Zfoo\bar", r"\Zfoo\bar"),
        ("one~two", "one\ntwo"),
    ],
)
def test_escape_sequences(written: str, meant: str) -> None:
    assert row(WBC, f"NTE|1||{written}").comment == meant


def test_results_of_a_message_whose_kind_cannot_be_read_are_read() -> None:
    """Where a mark of the header was lost, the message's number stands in place of its kind."""
    shifted = oru(WBC, control="17").replace("MSH|^~\\&|", "MSH|^~\\&")
    assert [it.value for it in rows(shifted)] == ["5.4"]
    assert [it.value for it in rows(oru(WBC).replace("ORU^R01", "^R01"))] == ["5.4"]
    assert kinds(items(oru(WBC).replace("ORU^R01", "ORM^O01"))) == ["other"]


def test_other_messages_are_counted_and_merges_told() -> None:
    adt = "MSH|^~\\&|L|N|||20260302||ADT^{0}|1|P|2.3\rPID|1||{1}^^^NORTH^MR\rMRG|{2}\r"
    found = items(
        adt.format("A08", "A1", "")
        + adt.format("A40", "A1", "A2^^^NORTH^MR")
        + adt.format("A34", "A1", "a1")
        + adt.format("A18", "A1", "")
        + oru(WBC).replace("ORU^R01", "MDM^T02")
        + oru(WBC)
    )
    assert found[0] == OtherMessage(1, "ADT^A08")
    merge = PatientMerge(4, "ADT^A40", "A2", "A1", "NORTH", "NORTH")
    kept = "PID|1||A1^^^NORTH^MR\nMRG|A2^^^NORTH^MR"
    assert found[1] == replace(merge, text=kept, place="message 2, MRG")
    assert kinds(found) == ["other", "merge", "other", "bad", "other", "row"]


@pytest.mark.parametrize(
    "damaged",
    ["OB|1|NM|WBC||5|G/L|||||F", "1|NM|WBC||5|G/L", "garbage", "OBXX|1|NM|PLT||5|"],
)
def test_a_segment_that_cannot_be_read_is_one_and_those_beside_it_go_in(damaged: str) -> None:
    found = items(oru(WBC, damaged, WBC))
    assert kinds(found) == ["bad", "row", "row"]
    bad = found[0]
    assert isinstance(bad, BadLine)
    assert (bad.line, bad.place, bad.text) == (5, "message 1", damaged)


@pytest.mark.parametrize("end", ["", "||||", "|||20260302", "\\r", "|\\r\\n"])
@pytest.mark.parametrize("name", ["OBX|1|NM|777", "SPM", "OBR|2", "NTE", "ORC", "PID"])
def test_a_segment_that_lost_its_end_takes_nothing_with_it(name: str, end: str) -> None:
    """What follows would be missing without a word, or be of another order, specimen or patient."""
    whole = oru(
        WBC, obx("777-3^PLT^LN", "231"), "SPM|1|S7||UR", "ORC|RE|1", "OBR|2||S9|CBC|||202604010900",
        obx("777-3^PLT^LN", "90"), "NTE|1||clumps", "PID|1||B2", OBR, WBC,
    )  # fmt: skip
    damaged = whole.replace(f"\r{name}", f"{end}{name}")

    def told(content: str) -> list[tuple[str, ...]]:
        wanted = ("analyte", "value", "mrn", "specimen_id", "collected_at", "comment")
        return [tuple(getattr(it, name) for name in wanted) for it in rows(content)]

    assert damaged != whole
    assert told(damaged) == told(whole)
    others = str.maketrans("|^~&", "$%*@")
    assert told(damaged.translate(others)) == told(whole.translate(others))


@pytest.mark.parametrize(
    "text", ["see OBX|1", "OBX 1|NM|5", "PID|1|", "OBR|two|", "ORC|new|", r"OBX\F\1\F\NM\F\WBC"]
)
def test_what_only_resembles_a_segment_stays_in_its_text(text: str) -> None:
    found = items(oru(WBC, f"NTE|1||{text}", WBC))
    assert kinds(found) == ["row", "row"]


def test_a_line_break_in_a_text_is_no_new_segment() -> None:
    found = rows(oru("OBX|1|TX|NOTE||first\nand second||||||F", WBC))
    assert [it.value for it in found] == ["first\nand second", "5.4"]


def test_segments_without_a_header_are_read_and_have_nobody() -> None:
    found = rows((REAL / "nw-gmsa__DHCW_full_blood_count_extract.hl7").read_bytes())
    assert [(it.value, it.unit) for it in found] == [
        ("3.5", "x10^9/L"), ("<149", "g/L"), ("500", "x10^9/L"), ("6.00", "x10^12/L"),
        ("Not assayed", "fL"),
    ]  # fmt: skip
    assert {it.mrn for it in found} == {""}
    assert {it.specimen_id for it in found} == {"914694928301"}


def test_a_very_long_segment_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.intake.hl7_text.SEGMENT_LIMIT", 3000)
    monkeypatch.setattr("monitor.intake.hl7_text._BLOCK", 1000)
    found = items(oru(WBC, f"OBX|1|ED|DOC||{'x' * 9000}", WBC, end="\r\n"))
    assert kinds(found) == ["bad", "row", "row"]
    assert [it.line for it in found if isinstance(it, RawRow)] == [4, 6]


def test_what_quarantine_keeps_is_the_segments() -> None:
    given = dict(row(WBC).given)
    assert given["OBX"] == WBC
    assert set(given) == {"PID", "OBR", "OBX"}


@pytest.mark.parametrize(
    ("content", "is_hl7"),
    [
        (oru(WBC), True),
        ("\ufeff" + oru(WBC), True),
        ("\x0b" + oru(WBC), True),
        ("Export of Monday\r\n\r\n" + oru(WBC, end="\r\n"), True),
        ("MSH#*+?:#LAB", True),
        ("OBR|2||L1|CBC\rOBX|1|NM|WBC||5", True),
        ("SFT|Vendor|1\r" + oru(WBC), True),
        ("NTE|TEST\nA1|MSH\n", False),
        ("PID|DATE|TEST|VALUE|UNIT\nA1|2026-03-02|WBC|5|G/L\n", False),
        ("mrn,collected_at\nMSH,2026\n", False),
    ],
)
def test_a_file_of_messages_is_known_by_how_it_begins(
    tmp_path: Path, content: str, is_hl7: bool
) -> None:
    path = tmp_path / "feed"
    path.write_text(content, encoding="utf-8", newline="")
    assert (survey(path).format == "hl7") == is_hl7
