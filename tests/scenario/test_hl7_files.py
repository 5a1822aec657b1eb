"""Files of HL7 messages through `load`: real ones of other people's, accounted for by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.intake.load import load_file
from monitor.intake.mending import Mend, fix
from monitor.intake.quarantine import QuarantineRefused
from monitor.intake.report import OUTCOMES, FileReport
from monitor.operations.arrivals import inbox
from monitor.store import tables
from tests.clinic import CONFIG, at, settings_in
from tests.desk import Desk, sqlite_desk
from tests.hl7_messages import REAL, obx, oru

NOW = at("2026-12-01")
FILES = sorted(path.name for path in REAL.iterdir())
EXPECTED = {
    # file: rows, stored, ignored, other messages; what else there is is in quarantine
    "FHIR-Converter__LAB-ORU-1.hl7": (10, 6, 2, 0),
    "HL7-Lab-Results-Pipeline__critical_chemistry.hl7": (7, 3, 0, 0),
    "OpenELIS-Global-2__bs200-chemistry-result.hl7": (3, 3, 0, 0),
    "OpenELIS-Global-2__mindray-cbc-result.hl7": (4, 2, 0, 0),
    "OpenELIS-Global-2__sysmex-result.hl7": (3, 2, 0, 0),
    "connect__batch03.hl7": (14, 9, 0, 1),
    "data-exchange-hl7__KY_Hepatitis_Round_2_TM4.txt": (82, 0, 0, 0),
    "healthcare-data-harmonization__oru_r01_ex1.hl7": (8, 0, 0, 0),
    "hl7v2__oru-r01-lab.hl7": (5, 3, 0, 0),
    "hl7v2__oru_r01.hl7": (3, 2, 0, 0),
    "node-hl7-complete__ORU_R01_2.5.1_SampleTestCase3.hl7": (1, 0, 0, 0),
    "nw-gmsa__DHCW_full_blood_count_extract.hl7": (5, 0, 0, 0),
    "prime-reportstream__OBX-to-Observation-data-absent-n-value.hl7": (1, 0, 1, 0),
    "prime-reportstream__OBX-to-Observation-dr-value.hl7": (1, 0, 0, 0),
    "prime-reportstream__OBX-to-Observation-nm-value.hl7": (1, 0, 0, 0),
    "prime-reportstream__OBX-to-Observation-sn-as-quantity-value.hl7": (1, 0, 0, 0),
    "prime-reportstream__OBX-to-Observation-st-value.hl7": (1, 0, 0, 0),
    "prime-reportstream__elims_29_5065302_35227_NoPII_CANCELED.hl7": (17, 0, 0, 0),
    "simhospital__messages.out": (168, 116, 0, 5),
    "trusted-intermediary__003_CA_ORU_R01_CDPH_produced_0_initial_message.hl7": (149, 0, 0, 0),
}


def load(desk: Desk, path: Path) -> FileReport:
    report = load_file(desk.store, desk.settings, path, "", NOW)
    assert report.rows == sum(getattr(report, name) for name in OUTCOMES)
    return report


@pytest.fixture
def ward(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk with A1 enrolled."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.clinic.enrol("A1", "2026-01-05", baseline=False)
        yield desk


def sent(desk: Desk, *segments: str) -> FileReport:
    """Load one message with these segments below its order."""
    path = desk.folder / "feed.hl7"
    path.write_text(oru(*segments))
    return load(desk, path)


def test_a_text_after_the_number_does_not_take_its_place(ward: Desk) -> None:
    remark = "OBX|2|TX|6690-2^WBC^LN||see note||||||F"
    report = sent(ward, obx("6690-2^WBC^LN", "0.9"), remark)
    assert (report.rows, report.stored, report.ignored) == (2, 1, 1)
    assert any("it is the number's comment" in note for note in report.notes)
    assert ward.standing("white_cells") == ["0.9"]


def numbers_in(path: Path) -> set[str]:
    """The first identifier of each PID-3, read with nothing but a regular expression."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return set(re.findall(r"PID\|[^|]*\|[^|]*\|([^|^~]+)", text))


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_accounted_for(migrated_sqlite: Path, tmp_path: Path, name: str) -> None:
    path = REAL / name
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        for number in sorted(numbers_in(path)):
            desk.clinic.enrol(number, "2005-01-03", baseline=False)
        report = load(desk, path)
        found = (report.rows, report.stored, report.ignored, report.other_messages)
        assert found == EXPECTED[name]
        assert report.quarantined == report.rows - report.stored - report.ignored
        again = load(desk, path)
        assert (again.rows, again.stored, again.quarantined) == (report.rows, 0, 0)


@pytest.mark.parametrize("name", FILES)
def test_each_obx_of_a_result_message_is_one_row(name: str) -> None:
    """Counted by text alone: the OBX of what stands between two headers, if that is an ORU."""
    text = (REAL / name).read_text(encoding="utf-8", errors="replace").replace("\r", "\n")
    messages = re.split(r"(?m)^(?=\ufeff?MSH\|)", text)
    results = [it for it in messages if "MSH|" not in it or "|ORU^R01" in it.split("\n")[0]]
    assert sum(len(re.findall(r"(?m)^OBX\|", it)) for it in results) == EXPECTED[name][0]
    others = [it for it in messages if it.strip() and it not in results]
    assert len(others) == EXPECTED[name][3]


def test_a_dropped_file_of_messages_is_taken_from_the_inbox_and_judged(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        enrolment = desk.clinic.enrol("A1", "2026-01-05", baseline=False)
        folder = desk.settings.intake.inbox
        folder.mkdir()
        (folder / "feed.hl7").write_text(oru(obx("751-8^Neutrophils^LN", "0.4")))
        (outcome,) = inbox(desk.store, desk.settings, NOW)
        assert (outcome.kind, outcome.moved_to) == ("results", "done/feed.hl7")
        rules = {row.rule for row in desk.clinic.rows(tables.AlertRow, enrolment_id=enrolment)}
        assert "neutropenia" in rules


def test_a_correction_and_a_withdrawal_follow_the_result(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.clinic.enrol("A1", "2026-01-05", baseline=False)
        for number, (value, status, standing) in enumerate(
            [
                ("2.0", "P", ["2"]),
                ("2.1", "F", ["2.1"]),
                ("2.2", "C", ["2.2"]),
                ("", "W", []),
                ("2.3", "C", ["2.3"]),
                ("", "X", []),
            ]
        ):
            path = tmp_path / f"{number}.hl7"
            result = obx("751-8^N^LN", value, status=status)
            sent = oru(result, control=str(number)).replace(
                "20260302104500", f"2026030211{number:02}"
            )
            path.write_text(sent)
            assert load(desk, path).quarantined == 0
            assert desk.standing() == standing, (value, status)


def test_final_without_its_value_is_held_and_takes_nothing_away(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.clinic.enrol("A1", "2026-01-05", baseline=False)
        for number, result in enumerate(
            (obx("751-8^N^LN", "2.0", status="P"), obx("751-8^N^LN", "", status="U"))
        ):
            (tmp_path / f"{number}.hl7").write_text(oru(result))
            load(desk, tmp_path / f"{number}.hl7")
        assert desk.standing() == ["2"]
        assert [row.reason_code for row in desk.held()] == ["not_a_number"]


def test_what_could_not_be_read_is_named_by_its_place(ward: Desk) -> None:
    report = sent(ward, obx("6690-2^WBC^LN", "5"), "???", obx("6690-2^WBC^LN", "5", "furlong"))
    assert (report.stored, report.quarantined) == (1, 2)
    assert [problem.where for problem in report.problems] == [
        "line 5, message 1",
        "line 6, message 1, OBX 2",
    ]
    kept = ward.held()[1]
    assert kept.raw["received"]["OBX"].startswith("OBX|1|NM|6690-2")


def test_the_mapping_of_a_source_speaks_before_loinc(migrated_sqlite: Path, tmp_path: Path) -> None:
    config = CONFIG + '[sources.north]\ncodes = { NEUT = "neutrophils" }\nignore = ["REMARK"]\n'
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.clinic.enrol("A1", "2026-01-05", baseline=False)
        desk.settings = settings_in(tmp_path, config)
        path = tmp_path / "feed.hl7"
        path.write_text(
            oru(obx("NEUT^N^L^99999-9^X^LN", "2"), obx("REMARK^R^L^6690-2^WBC^LN", "5"))
        )
        report = load_file(desk.store, desk.settings, path, "north", NOW)
        assert (report.stored, report.ignored) == (1, 1)
        assert desk.standing() == ["2"]


def test_an_unknown_code_of_digits_says_what_it_is_called(ward: Desk) -> None:
    sent(
        ward,
        obx("402^Erythrozyten^L", "4.8", "/pl"),
        obx("26453-1^RBC^LN", "4.8", "10*12/L"),
        obx("LEUKX^Leukozyten im Liquor^L", "2", "/ul"),
        obx("Neutrophyls^^L", "2"),
    )
    held = {row.reason: row.hint for row in ward.held()}
    plain = "map the code or ignore it in [sources.NAME]"
    assert held == {
        'unknown code "402" (Erythrozyten)': plain,
        'unknown code "26453-1" (RBC)': plain,
        'unknown code "LEUKX"': plain,
        'unknown code "Neutrophyls"': 'did you mean "neutrophils"?',
    }


def test_a_row_whose_code_and_name_contradict_may_be_either(ward: Desk) -> None:
    report = sent(
        ward,
        obx("742-7^GRA#^LN", "0.42", "10^9/L"),
        obx("751-8^LYM#^LN", "3.66", "10^9/L"),
        obx("6690-2^NEU%^LN", "62", "%"),
        obx("777-3^WBC^LN", "many", "10^9/L"),
    )
    assert report.quarantined == 4
    assert {(it.reason_code, it.analyte, it.possible_values) for it in ward.held()} == {
        ("code_contradicts_name", "monocytes", "0.42 neutrophils:0.42"),
        ("code_contradicts_name", "neutrophils", "3.66 lymphocytes:3.66"),
        ("code_contradicts_name", "white_cells", "0.062 6.2 62 neutrophils_percent:62"),
        ("code_contradicts_name", "platelets", "white_cells:"),
    }
    with pytest.raises(QuarantineRefused, match="monocytes or neutrophils, by which patients"):
        fix(ward.store, ward.settings, 1, Mend(ignore=True), by="Ada", now=NOW)


def test_mid_cells_are_no_monocytes_whatever_they_are_called(ward: Desk) -> None:
    report = sent(
        ward,
        obx("MID#^Monocitos^LN", "0.57", "10*3/uL"),
        obx("MID%^Monocitos %^LN", "6.7", "%"),
        obx("GRA#^Granulocitos^LN", "4.95", "10*3/uL"),
    )
    assert (report.stored, report.quarantined) == (1, 2)
    assert ward.standing() == ["4.95"]


def test_a_merge_among_the_messages_moves_what_came_before_and_after(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    merge = (
        "MSH|^~\\&|L|NORTH|||20260302||ADT^A40|9|P|2.3\rPID|1||A1^^^NORTH^MR\rMRG|A2^^^NORTH^MR\r"
    )
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        for mrn in ("A1", "A2"):
            desk.clinic.enrol(mrn, "2026-01-05", baseline=False)
        path = tmp_path / "feed.hl7"
        results = [
            oru(obx("751-8^N^LN", value), mrn="A2", specimen=value) for value in ("2.1", "2.2")
        ]
        path.write_text(results[0] + merge + results[1])
        report = load(desk, path)
        assert (report.stored, report.other_messages) == (2, 1)
        assert desk.whose() == {"A1": ["2.1", "2.2"]}
