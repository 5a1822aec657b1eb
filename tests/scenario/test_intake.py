"""Files into the clinic, on both databases: every row accounted for, nothing lost, nothing
silently refused, the same file twice a no-op."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from monitor.intake import quarantine
from monitor.intake.inbox import take_inbox
from monitor.intake.load import load_file
from monitor.intake.mending import Mend, fix
from monitor.intake.passed_over import passed_over
from monitor.intake.report import OUTCOMES, FileReport
from monitor.intake.survey import UnreadableFile
from monitor.operations import arrivals
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import CONFIG, at, settings_in
from tests.desk import ENROL, EVENTS, LONG, NOW, Desk, sqlite_desk

PATIENTS = (
    "P1,azathioprine,2026-01-05,Muster,Anna,1970-02-03",
    "P2,azathioprine,2026-01-05,,,",
)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    """A desk at a clinic with two patients, on both databases."""
    desk = Desk(store, tmp_path)
    desk.enrol(*PATIENTS)
    return desk


@pytest.fixture
def quick_desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    """The same on SQLite alone."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol(*PATIENTS)
        yield desk


def counts(report: FileReport) -> dict[str, int]:
    return {name: getattr(report, name) for name in OUTCOMES if getattr(report, name)}


def row(value: str, unit: str = "10*9/L", **more: str) -> str:
    """A line of the long form: neutrophils of P1, unless it says otherwise."""
    cells = {
        "mrn": "P1", "collected_at": "2026-03-02T08:00", "analyte": "neutrophils",
        "value": value, "unit": unit, "specimen_id": "", "status": "", "reported_at": "",
        "comment": "",
    }  # fmt: skip
    return ",".join((cells | more).values())


# ------------------------------------------------------------------ results that stand


def test_a_count_whose_specimen_is_said_to_be_urine_is_held_and_says_why(desk: Desk) -> None:
    """A laboratory that fills the wrong word in would have its counts ignored by who mends."""
    header = "mrn,collected_at,specimen,analyte,value,unit"
    report = desk.load("P1,2026-03-09T08:00,Urine,neutrophils,0.4,10*9/L", header=header)
    assert (report.quarantined, desk.standing()) == (1, [])
    (held,) = desk.held()
    assert held.reason == 'unknown code "neutrophils (Urine)"'
    assert held.hint.startswith("neutrophils of another specimen than blood, as the row says")


def test_values_are_stored_canonical_with_what_was_received(desk: Desk) -> None:
    report = desk.load(row("<900", "/uL"), row("13.5", "g/dL", analyte="Hb"))
    assert counts(report) == {"stored": 2}
    neutrophils, hemoglobin = desk.clinic.rows(tables.ResultRow)
    assert (neutrophils.value, neutrophils.comparator) == (Decimal("0.9"), "<")
    assert (neutrophils.received_value, neutrophils.received_unit) == ("<900", "/uL")
    assert (hemoglobin.analyte, hemoglobin.value) == ("hemoglobin", Decimal(135))
    assert len(report.touched) == 1


@pytest.mark.parametrize(
    ("first", "second", "counted", "stands"),
    [
        (row("0.9"), row("0.9"), {"duplicate": 1}, ["0.9"]),
        (row("0.9"), row("0.90"), {"duplicate": 1}, ["0.9"]),
        (row("0.9"), row("900", "/uL"), {"duplicate": 1}, ["0.9"]),
        (row("0.9", status="F"), row("0.9", status="P"), {"duplicate": 1}, ["0.9"]),
        (row("0.9", status="P"), row("0.9", status="F"), {"superseded": 1}, ["0.9"]),
        (row("0.9"), row("0.8", status="C"), {"superseded": 1}, ["0.8"]),
        (row("0.8", status="C"), row("0.9"), {"superseded": 1}, ["0.8"]),
        (row("0.9"), row("0.8"), {"superseded": 1}, ["0.8"]),
        (row("0.9"), row("", status="W"), {"withdrawn": 1}, []),
        (row("0.9"), row("0.9", status="D"), {"withdrawn": 1}, []),
        (row("", status="W"), row("0.9"), {"superseded": 1}, []),
        (row("0.9"), row("cancelled", status="X"), {"withdrawn": 1}, []),
        (row("", status="I"), row("0.9"), {"stored": 1}, ["0.9"]),
        (row("0.9"), row("0.9", collected_at="2026-03-02T09:00"), {"stored": 1}, ["0.9", "0.9"]),
        (row("clotted", ""), row("0.9"), {"superseded": 1}, ["0.9"]),
        (
            row("0.9", collected_at="2026-03-02"),
            row("0.8", collected_at="2026-03-02"),
            {"stored": 1},
            ["0.8", "0.9"],
        ),
        (
            row("0.9", collected_at="2026-03-02"),
            row("0.8", collected_at="2026-03-02", status="C"),
            {"superseded": 1},
            ["0.8"],
        ),
        (
            row("0.9", collected_at="2026-03-02T08:00", specimen_id="S"),
            row("0.8", collected_at="2026-03-02T09:30", specimen_id="s"),
            {"superseded": 1},
            ["0.8"],
        ),
        (row("0.9", specimen_id="S1"), row("0.8", specimen_id="S2"), {"stored": 1}, ["0.8", "0.9"]),
    ],
)
def test_a_second_report_in_one_file_or_two(
    quick_desk: Desk, first: str, second: str, counted: dict[str, int], stands: list[str]
) -> None:
    quick_desk.load(first)
    assert counts(quick_desk.load(second)) == counted
    assert quick_desk.standing() == stands
    together = quick_desk.load(first.replace("P1", "P2"), second.replace("P1", "P2"))
    assert all(counts(together)[name] >= count for name, count in counted.items())
    assert quick_desk.standing() == sorted(stands * 2)


def test_reports_of_one_result_stand_alike_on_both_databases(desk: Desk) -> None:
    desk.load(row("0.9", status="P"), row("0.9"), row("0.8", status="C"), row("0.8"))
    assert desk.standing() == ["0.8"]
    assert counts(desk.load(row("", status="W"))) == {"withdrawn": 1}
    assert desk.standing() == []
    assert counts(desk.load(row("0.7", status="C"))) == {"superseded": 1}
    assert desk.standing() == ["0.7"]


def test_a_change_without_a_flag_is_taken_and_said(desk: Desk) -> None:
    report = desk.load(row("0.9"), row("0.8"))
    assert any("without being flagged" in note for note in report.notes)


@pytest.mark.parametrize(
    ("value", "status"), [("", "F"), ("insufficient", "F"), ("", "W"), ("?", "W"), ("", "X")]
)
def test_a_row_without_a_number_in_a_unit_of_something_else_takes_no_count_away(
    quick_desk: Desk, value: str, status: str
) -> None:
    """Leukocytes in a field of the microscope, under the same order as those of the blood."""
    quick_desk.load(row("0.9", specimen_id="S"))
    report = quick_desk.load(row(value, unit="/HPF", specimen_id="S", status=status))
    assert counts(report) == {"quarantined": 1}
    assert quick_desk.standing() == ["0.9"]


def test_a_dash_for_a_unit_is_none(quick_desk: Desk) -> None:
    report = quick_desk.load(row("0.9", unit="-"), row("clotted", unit="n/a", analyte="PLT"))
    assert counts(report) == {"stored": 1, "quarantined": 1}
    (held,) = quick_desk.held()
    assert held.reason_code == "unit_missing"


def test_a_cancelled_sample_is_no_result(desk: Desk) -> None:
    assert counts(desk.load(row("", status="X"))) == {"stored": 1}
    assert desk.standing() == ["cancelled"]


def test_files_in_any_order_and_batch_end_with_the_same_results(desk: Desk) -> None:
    lines = [
        row("0.9", status="P", reported_at="2026-03-02T10:00"),
        row("0.8", status="F", reported_at="2026-03-02T11:00"),
        row("0.7", status="C", reported_at="2026-03-02T12:00"),
        row("", status="W", reported_at="2026-03-02T13:00"),
        row("0.6", status="C", reported_at="2026-03-02T14:00"),
        row("0.5", collected_at="2026-03-02"),
        row("0.4", collected_at="2026-03-02"),
        row("0.3", collected_at="2026-03-02", status="C"),
    ]
    chance = random.Random(7)
    for _ in range(6):
        chance.shuffle(lines)
        desk.load(*lines[:3])
        desk.load(*lines[3:], *lines[:2])
        assert desk.standing() == ["0.3", "0.6"]


def test_a_report_that_is_yet_to_come_hides_none_that_follows(desk: Desk) -> None:
    """A slip of the year: all that is reported of the result afterwards would be the earlier."""
    report = desk.load(row("3.1", reported_at="2062-03-02T10:00"))
    assert any("reported_at" in note and "taken as missing" in note for note in report.notes)
    desk.load(row("0.4", reported_at="2026-03-02T12:00"))
    assert desk.standing() == ["0.4"]


# ------------------------------------------------------------------ the same file again


def test_the_same_file_twice_is_a_no_op(desk: Desk) -> None:
    path = desk.file(
        LONG,
        row("0.9"),
        row("0.8"),
        row("", status="W"),
        row("clotted", ""),
        row("", status="I"),
        row("0.9", ""),
        row("0.9", ""),
        row("5", mrn="P9"),
        row("5", analyte="nonsense"),
        "cut short",
    )
    first = load_file(desk.store, desk.settings, path, "", NOW)
    before = desk.standing(), len(desk.clinic.rows(tables.ResultRow)), len(desk.held())
    for renamed in (path, path.rename(path.with_name("renamed.csv"))):
        target = renamed if renamed.exists() else path.with_name("renamed.csv")
        again = load_file(desk.store, desk.settings, target, "", NOW)
        assert counts(again) == {"duplicate": first.rows}
        assert again.touched == ()
    assert (desk.standing(), len(desk.clinic.rows(tables.ResultRow)), len(desk.held())) == before


def test_the_same_rows_in_another_file_are_duplicates_held_ones_too(desk: Desk) -> None:
    lines = [row("0.9"), row("0.8", ""), row("5", mrn="P9"), "cut short"]
    desk.load(*lines)
    again = desk.load(*reversed(lines), row("1.9", specimen_id="new"))
    assert counts(again) == {"duplicate": 4, "stored": 1}
    assert len(desk.held()) == 3


def test_a_preview_says_everything_and_changes_nothing(desk: Desk) -> None:
    path = desk.file(LONG, row("0.9"), row("0.9", ""))
    preview = arrivals.load(desk.store, desk.settings, path, "", NOW, preview=True)
    assert counts(preview.report) == {"stored": 1, "quarantined": 1}
    assert preview.tally.opened > 0
    for table in (tables.ResultRow, tables.HeldRowTable, tables.AlertRow, tables.Delivery):
        assert desk.clinic.rows(table) == []
    taken = arrivals.load(desk.store, desk.settings, path, "", NOW)
    assert counts(taken.report) == counts(preview.report)
    assert taken.tally.opened == preview.tally.opened


@pytest.mark.parametrize("status", ["I", "N", "O", "registered"])
def test_a_placeholder_is_ignored_and_a_value_beside_it_is_said(desk: Desk, status: str) -> None:
    report = desk.load(row("", status=status), row("0.3", status=status, specimen_id="S2"))
    assert counts(report) == {"ignored": 2}
    assert any("with a value" in note for note in report.notes)


def test_progress_is_told_up_to_the_end(desk: Desk) -> None:
    told: list[tuple[int, int]] = []
    path = desk.file(LONG, *[row("1.9", specimen_id=str(n)) for n in range(12)])
    load_file(desk.store, desk.settings, path, "", NOW, progress=lambda *step: told.append(step))
    assert told[-1] == (13, 13)


def test_a_file_that_cannot_be_read_changes_nothing(desk: Desk) -> None:
    files = len(desk.clinic.rows(tables.File))
    with pytest.raises(UnreadableFile, match="lacks mrn"):
        desk.load("x", header="a,b,c")
    with pytest.raises(UnreadableFile, match="no source"):
        desk.load(row("0.9"), source="nowhere")
    assert len(desk.clinic.rows(tables.File)) == files


def test_the_file_is_listed_with_its_account(desk: Desk) -> None:
    report = desk.load(row("0.9"), row("0.9", ""))
    stored = desk.clinic.rows(tables.File)[-1]
    assert (stored.kind, stored.rows, stored.stored, stored.quarantined) == ("results", 2, 1, 1)
    assert stored.sha256 == report.sha256


# ------------------------------------------------------------------ quarantine


@pytest.mark.parametrize(
    ("line", "code", "possible"),
    [
        (row("0.3", ""), "unit_missing", "0.3"),
        (row("0.3", "bananas"), "unit_unknown", "0.3"),
        (row("0.4*"), "not_a_number", "0.4"),
        (row("too few to count"), "not_a_number", ""),
        (row("0.3", collected_at=""), "no_date", "0.3"),
        (row("0.3", collected_at="02/03/2026"), "date", "0.3"),
        (row("0.3", collected_at="2026-02-30"), "date", "0.3"),
        (row("0.3", collected_at="0001-01-01"), "date", "0.3"),
        (row("0.3", collected_at="1900-01-01"), "date", "0.3"),
        (row("0.3", collected_at="1970-01-01T00:00:00Z"), "date", "0.3"),
        (row("0.3", collected_at="2026-03-12"), "future", "0.3"),
        (row("0.3", status="perhaps"), "status", "0.3"),
        (row("-0.3"), "negative", ""),
        (row("0.3", mrn="00P1"), "mrn_alike", "0.3"),
        (row("0.3", mrn="P-1"), "mrn_alike", "0.3"),
        (row("0.3", mrn="P9"), "unknown_patient", ""),
        (row("0.3", mrn=" "), "no_mrn", ""),
        (row("0.3", analyte="nonsense"), "unknown_code", ""),
        (row("90", "umol/L", analyte="2160-0"), "code_contradicts_unit", ""),
    ],
)
def test_what_cannot_be_trusted_is_held_with_its_reason(
    quick_desk: Desk, line: str, code: str, possible: str
) -> None:
    quick_desk.load(row("4", specimen_id="the source uses this unit"))
    report = quick_desk.load(line)
    assert counts(report) == {"quarantined": 1}
    (held,) = quick_desk.held()
    assert (held.reason_code, held.line, report.problems[0].line) == (code, 2, 2)
    assert held.reason and "0.3" not in held.reason
    assert possible in held.possible_values.split() if possible else True
    watched = held.patient_id is not None and held.analyte
    assert (len(report.touched) == 1) == bool(watched)


def test_a_number_too_large_names_the_unit_it_may_be_in(desk: Desk) -> None:
    desk.load(row("350"))
    (held,) = desk.held()
    assert held.reason_code == "implausible"
    assert "/uL" in held.hint
    assert Decimal("0.35") in [Decimal(text) for text in held.possible_values.split()]


def test_what_is_below_the_plausible_range_is_stored_and_marked(desk: Desk) -> None:
    desk.load(row("14", "g/L", analyte="hemoglobin"))
    (stored,) = desk.clinic.rows(tables.ResultRow)
    assert stored.below_plausible


def test_a_percentage_is_never_an_absolute_count(desk: Desk) -> None:
    report = desk.load(row("22", "%", analyte="731-0"), row("60", "%", analyte="neutrophils"))
    names = {it.analyte for it in desk.clinic.rows(tables.ResultRow)}
    assert names == {"lymphocytes_percent", "neutrophils_percent"}
    assert any("731-0" in note and "percent" in note for note in report.notes)


def test_limits_are_converted_like_the_value_and_senseless_ones_are_missing(desk: Desk) -> None:
    header = "mrn,collected_at,analyte,value,unit,ref_low,ref_high,specimen_id"
    desk.load(
        "P1,2026-03-02,hb,13,g/dL,12,16,a",
        "P1,2026-03-02,hb,13,g/dL,12,0,b",
        "P1,2026-03-02,hb,13,g/dL,16,12,c",
        "P1,2026-03-02,hb,13,g/dL,see below,<50,d",
        header=header,
    )
    limits = [(it.ref_low, it.ref_high) for it in desk.clinic.rows(tables.ResultRow)]
    assert limits == [(120, 160), (120, None), (None, None), (None, None)]


def test_a_comment_that_doubts_the_number_is_kept_with_it(desk: Desk) -> None:
    desk.load(row("45", analyte="platelets", comment="platelet clumps seen"))
    (stored,) = desk.clinic.rows(tables.ResultRow)
    assert stored.value == 45
    assert stored.doubtful_comment


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Muster,Anna,1970-02-03", ""),
        ("MUSTER,A.,", ""),
        ("Muster,Anna Maria,1970-02-03", ""),
        (",,1970-02-03", ""),
        ("Muster,Anna,1971-02-03", "identity"),
        ("Meier,Anna,", "identity"),
        ("Muster,Berta,1970-02-03", "identity"),
        (",,yesterday", "identity"),
    ],
)
def test_name_and_birth_date_have_to_agree_with_the_number(
    quick_desk: Desk, name: str, code: str
) -> None:
    header = "mrn,collected_at,analyte,value,unit,family_name,given_name,birth_date"
    quick_desk.load(f"P1,2026-03-02,neutrophils,0.9,10*9/L,{name}", header=header)
    assert [held.reason_code for held in quick_desk.held()] == ([code] if code else [])


def test_an_enrolled_person_under_another_number_is_never_ignored(
    store: Store, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path, CONFIG + '[intake]\nunknown_patients = "ignore"\n')
    desk.enrol("P1,azathioprine,2026-01-05,Muster,Anna,1970-02-03")
    header = "mrn,collected_at,analyte,value,unit,family_name,given_name,birth_date"
    report = desk.load(
        "Q7,2026-03-02,neutrophils,0.9,10*9/L,Mustermann,Anna,1970-02-03",
        "Q8,2026-03-02,neutrophils,0.9,10*9/L,Muster,Anna,1970-02-03",
        "Q9,2026-03-02,neutrophils,0.9,10*9/L,Other,Olga,1980-02-03",
        header=header,
    )
    assert counts(report) == {"quarantined": 1, "ignored": 2}
    assert [held.reason_code for held in desk.held()] == ["another_number"]


def test_patients_the_config_ignores_are_taken_from_the_file_once_enrolled(
    store: Store, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path, CONFIG + '[intake]\nunknown_patients = "ignore"\n')
    path = desk.file(LONG, row("0.9"))
    assert counts(load_file(store, desk.settings, path, "", NOW)) == {"ignored": 1}
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    assert counts(load_file(store, desk.settings, path, "", NOW)) == {"stored": 1}


def test_held_rows_of_a_patient_go_in_upon_enrolment(desk: Desk) -> None:
    received = at("2026-03-03")
    desk.load(row("0.9", mrn="p9 "), row("0.8", "", mrn="P9"), now=received)
    report = desk.enrol("P9,azathioprine,2026-01-05,,,")
    assert any(note.endswith("went in: 1") for note in report.notes)
    assert desk.standing() == ["0.9"]
    (stored,) = desk.clinic.rows(tables.ResultRow)
    assert stored.received_at == received
    (still,) = desk.held()
    assert (still.reason_code, still.analyte) == ("unit_missing", "neutrophils")
    assert still.patient_id is not None
    assert [held.resolved_by for held in desk.held("taken")] == ["enrolment"]


SOURCE = """
[sources.north]
codes = { NEUT = "neutrophils", XYZ = "alt" }
ignore = ["REM"]
units = { neutrophils = "10*9/L" }
unit_spellings = { "giga" = "10*9/L" }
date_format = "day_first"
decimal_comma = true
columns = { mrn = "Patient", collected_at = "Datum", analyte = "Test", value = "Wert" }
"""


def test_a_source_maps_codes_units_dates_and_decimal_commas(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path, CONFIG + SOURCE)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    report = desk.load(
        "P1;02.03.2026 08:15;NEUT;0,9;giga",
        "P1;02.03.26;NEUT;0,8;",
        "P1;2 Mar 2026;XYZ;20;U/L",
        "P1;02.03.2026;REM;see text;",
        header="Patient;Datum;Test;Wert;Unit",
        source="north",
    )
    assert counts(report) == {"stored": 3, "ignored": 1}
    assert desk.standing() == ["0.8", "0.9"]
    assert {f"{it.collected_on}" for it in desk.clinic.rows(tables.ResultRow)} == {"2026-03-02"}


def test_what_is_held_of_the_enrolled_comes_before_what_is_held_of_others(
    store: Store, tmp_path: Path
) -> None:
    """One unreadable count of a patient stood below forty rows of people whom nobody watches."""
    desk = Desk(store, tmp_path, CONFIG)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(*(row("0.9", mrn=f"X{number}") for number in range(5)), row("0.4?"))
    found = [(it.reason_code, it.rows, it.enrolled) for it in quarantine.groups(store)]
    assert found == [("not_a_number", 1, 1), ("unknown_patient", 5, 0)]


def test_what_is_held_for_whose_it_is_is_one_group_whatever_it_measures(
    store: Store, tmp_path: Path
) -> None:
    """One blood count of one stranger was ten lines of the list, all with the same reason."""
    desk = Desk(store, tmp_path, CONFIG)
    measured = ("NEUT", "HB", "PLT")
    desk.load(*(row("9", mrn=mrn, analyte=name) for mrn in ("X1", "X2") for name in measured))
    (group,) = quarantine.groups(store)
    assert (group.analyte, group.analytes, group.rows, group.patients) == ("", 3, 6, 2)
    held = quarantine.held_row(store, group.first_id)
    assert quarantine.alike(store, held, shown=10).count == 6
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(row("8", analyte="XYZ"), row("8", analyte="ABC"))
    assert [it.rows for it in quarantine.groups(store, reason="unknown_code")] == [1, 1]


def test_held_rows_are_retried_once_the_mapping_is_mended(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path, CONFIG + "[sources.north]\n")
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(row("0.9", analyte="N-77"), row("0.4", ""), "cut", source="north")
    groups = {(it.reason_code, it.rows) for it in quarantine.groups(store)}
    assert groups == {("unknown_code", 1), ("unit_missing", 1), ("field_count", 1)}
    mended = settings_in(tmp_path, CONFIG + '[sources.north]\ncodes = { "N-77" = "neutrophils" }')
    done = quarantine.retry(store, mended, NOW, reason="unknown_code", by="nurse")
    assert (done.tried, done.taken, done.held, len(done.touched)) == (1, 1, 0, 1)
    assert desk.standing() == ["0.9"]
    done = quarantine.retry(store, mended, NOW)
    assert (done.tried, done.taken, done.held) == (2, 0, 2)


def test_a_mapping_with_a_slip_names_what_it_leads_to(store: Store, tmp_path: Path) -> None:
    slip = '[sources.north]\ncodes = { "N-77" = "neutrophlis" }\n'
    desk = Desk(store, tmp_path, CONFIG + slip)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(row("0.9", analyte="N-77"), source="north")
    (held,) = desk.held()
    assert (held.reason_code, held.reason) == ("unknown_code", 'unknown code "N-77"')
    assert '"neutrophlis", which is no analyte: did you mean "neutrophils"?' in held.hint


def test_a_missing_unit_may_be_said_of_any_name_of_the_analyte(
    store: Store, tmp_path: Path
) -> None:
    units = '[sources.north]\ncodes = { "N-77" = "neutrophils" }\nunits = { "N-77" = "10*9/L" }\n'
    desk = Desk(store, tmp_path, CONFIG + units + '[sources.south]\nunits = { ANC = "/uL" }\n')
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    assert counts(desk.load(row("0.9", "", analyte="N-77"), source="north")) == {"stored": 1}
    assert counts(desk.load(row("800", "", specimen_id="B"), source="south")) == {"stored": 1}
    assert desk.standing() == ["0.8", "0.9"]


def test_a_file_loaded_again_after_its_mapping_was_mended_goes_in(
    store: Store, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path, CONFIG + "[sources.north]\n")
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    header = "mrn,collected_at,analyte,value,unit,amount"
    path = desk.file(header, "P1,2026-03-02,neutrophils,x,10*9/L,0.9")
    assert counts(load_file(store, desk.settings, path, "north", NOW)) == {"quarantined": 1}
    mended = settings_in(tmp_path, CONFIG + '[sources.north.columns]\nvalue = "amount"\n')
    assert counts(load_file(store, mended, path, "north", NOW)) == {"stored": 1}
    assert desk.held() == []


def test_a_held_row_that_comes_again_and_is_good_now_is_let_go(
    store: Store, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path, CONFIG + "[sources.north]\n")
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    desk.load(row("0.9", ""), source="north")
    desk.settings = settings_in(
        tmp_path, CONFIG + '[sources.north.units]\nneutrophils = "10*9/L"\n'
    )
    report = desk.load(row("0.9", ""), row("1.9", specimen_id="more"), source="north")
    assert counts(report) == {"stored": 2}
    assert desk.held() == []
    assert len(report.touched) == 1


def test_all_alike_are_let_go_however_many_they_are(desk: Desk) -> None:
    """More than a statement of PostgreSQL takes parameters: "busy", for ever."""
    desk.load("X1,2026-03-01,neutrophils,2,10*9/L")
    table = table_of(tables.HeldRowTable)
    names = [it.name for it in table.columns if it.name != "id"]
    with desk.store.write() as connection:
        for _ in range(17):
            same = select(*(table.c[it] for it in names))
            connection.execute(insert(table).from_select(names, same))
        ids = list(connection.scalars(select(table.c.id)))
    assert len(ids) == 2**17
    quarantine.discard(desk.store, ids, by="me", reason="strangers", now=NOW)
    assert quarantine.groups(desk.store) == []


def test_a_row_is_shown_and_discarded_by_somebody_for_a_reason(desk: Desk) -> None:
    desk.load(row("0.4", ""))
    (held,) = quarantine.held_rows(desk.store)
    assert (held.mrn, held.value, held.unit, held.raw["value"]) == ("P1", "0.4", "", "0.4")
    with pytest.raises(quarantine.QuarantineRefused, match="by somebody"):
        quarantine.discard(desk.store, [held.id], by="", reason="test sample", now=NOW)
    with pytest.raises(quarantine.QuarantineRefused, match="not held"):
        quarantine.discard(desk.store, [held.id, 999], by="me", reason="test sample", now=NOW)
    assert quarantine.discard(desk.store, [held.id], by="me", reason="test sample", now=NOW)
    again = quarantine.held_row(desk.store, held.id)
    assert (again.state, again.resolved_by, again.resolution) == ("discarded", "me", "test sample")
    with pytest.raises(quarantine.QuarantineRefused):
        quarantine.discard(desk.store, [held.id], by="me", reason="again", now=NOW)
    assert counts(desk.load(row("0.4", ""), row("1.8"))) == {"duplicate": 1, "stored": 1}


def test_a_row_that_was_let_go_by_mistake_is_held_again(desk: Desk) -> None:
    """Loaded once more it was a duplicate, and nobody could judge it any more."""
    text = row("0.4", "furlongs")
    desk.load(text)
    (held,) = quarantine.held_rows(desk.store)
    with pytest.raises(quarantine.QuarantineRefused, match="not let go by a person: 1"):
        quarantine.hold_again(
            desk.store, desk.settings, [held.id], by="me", reason="a slip", now=NOW
        )
    quarantine.discard(desk.store, [held.id], by="me", reason="not ours", now=NOW)
    assert counts(desk.load(text)) == {"duplicate": 1}
    with pytest.raises(quarantine.QuarantineRefused, match="by somebody"):
        quarantine.hold_again(desk.store, desk.settings, [held.id], by="you", reason=" ", now=NOW)
    assert quarantine.hold_again(
        desk.store, desk.settings, [held.id], by="you", reason="it is ours", now=NOW
    )
    again = quarantine.held_row(desk.store, held.id)
    assert (again.state, again.held_at, again.fix) == ("held", held.held_at, held.fix)
    told = "held again by you: it is ours; let go before by me: not ours"
    assert again.resolution == told
    said = Mend(unit="10*9/L")
    assert fix(desk.store, desk.settings, held.id, said, by="you", now=NOW).taken == 1
    assert quarantine.held_row(desk.store, held.id).resolution == f"stored; {told}"


def test_a_row_let_go_as_a_strangers_goes_in_when_it_is_held_again_for_the_patient(
    quick_desk: Desk,
) -> None:
    """It was held as a stranger's, of whom nobody is told, though the patient had been enrolled."""
    desk = quick_desk
    desk.load(row("0.4", mrn="P9"), row("0.5", "", mrn="P9", collected_at="2026-03-03T08:00"))
    rows = quarantine.held_rows(desk.store)
    ids = [it.id for it in rows]
    quarantine.discard(desk.store, ids, by="me", reason="not ours", now=NOW)
    desk.enrol("P9,azathioprine,2026-01-05,,,")
    done = quarantine.hold_again(
        desk.store, desk.settings, ids, by="you", reason="it is ours", now=NOW
    )
    assert (done.tried, done.taken, done.held) == (2, 1, 1)
    assert desk.standing() == ["0.4"]
    (held,) = desk.held()
    assert held.patient_id is not None
    desk.clinic.review(NOW)
    assert Decimal("0.4") in {it.worst_value for it in desk.clinic.rows(tables.AlertRow)}
    assert desk.clinic.rows(tables.AlertRow, kind="quarantined_result")


def test_a_hundred_thousand_bad_rows_are_counted_and_the_good_ones_go_in(
    quick_desk: Desk,
) -> None:
    bad = [f"P1,not a date,neutrophils,{n},10*9/L" for n in range(100_000)]
    report = quick_desk.load(
        "P1,2026-03-02,neutrophils,0.9,10*9/L",
        *bad,
        "P1,2026-03-03,neutrophils,0.8,10*9/L",
        header="mrn,collected_at,analyte,value,unit",
    )
    assert counts(report) == {"stored": 2, "quarantined": 100_000}
    assert report.problems[0].line == 3
    assert len(report.problems) < sum(report.reasons.values()) == 100_000


# ------------------------------------------------------------------ inbox


@pytest.fixture
def inbox(desk: Desk) -> Callable[..., Path]:
    """Puts a file into the inbox folder."""
    folder = desk.settings.intake.inbox
    folder.mkdir()

    def put(name: str, header: str, *lines: str) -> Path:
        path = folder / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return put


def test_the_inbox_tells_files_by_their_header_and_takes_enrolments_first(
    desk: Desk, inbox: Callable[..., Path]
) -> None:
    inbox("a.csv", LONG, row("0.9", mrn="P5"))
    inbox("b.csv", EVENTS, "P5,2026-02-01,dose,150,,,")
    inbox("c.csv", ENROL, "P5,azathioprine,2026-01-05,,,", "P6,unknownine,2026-01-05,,,")
    inbox("d.csv", "%PDF-1.4")
    for name in (".hidden.csv", "e.csv.part", "f.tmp"):
        inbox(name, LONG, row("0.9", mrn="P5"))
    outcomes = take_inbox(desk.store, desk.settings, NOW)
    assert [(it.name, it.kind, it.moved_to) for it in outcomes] == [
        ("c.csv", "enrol", "done/c.csv"),
        ("b.csv", "events", "done/b.csv"),
        ("a.csv", "results", "done/a.csv"),
        ("d.csv", "results", "failed/d.csv"),
    ]
    assert desk.standing() == ["0.9"]
    folder = desk.settings.intake.inbox
    assert "line 3" in (folder / "done/c.csv.report.txt").read_text()
    assert json.loads((folder / "done/a.csv.report.json").read_text())["stored"] == 1
    assert "PDF" in (folder / "failed/d.csv.report.txt").read_text()
    assert len([path for path in folder.iterdir() if path.is_file()]) == 3
    assert take_inbox(desk.store, desk.settings, NOW) == []


def test_reports_beside_the_files_hold_no_patient_data(
    desk: Desk, inbox: Callable[..., Path]
) -> None:
    inbox("a.csv", LONG, row("0.3137", ""), row("0.3137*"), row("313700"), row("x", mrn="0P1"))
    take_inbox(desk.store, desk.settings, NOW)
    done = desk.settings.intake.inbox / "done"
    for ending in ("txt", "json"):
        text = (done / f"a.csv.report.{ending}").read_text()
        assert "3137" not in text
        assert "P1" not in text


def test_a_name_that_was_there_before_is_numbered(desk: Desk, inbox: Callable[..., Path]) -> None:
    for value in ("0.9", "0.8", "0.7"):
        inbox("labs.csv", LONG, row(value, specimen_id=value))
        take_inbox(desk.store, desk.settings, NOW)
    done = desk.settings.intake.inbox / "done"
    files = sorted(path.name for path in done.iterdir() if path.suffix == ".csv")
    assert files == ["labs-2.csv", "labs-3.csv", "labs.csv"]


def test_a_file_loaded_and_not_yet_moved_when_killed_is_only_moved(
    desk: Desk, inbox: Callable[..., Path]
) -> None:
    path = inbox("labs.csv", LONG, row("0.9"))
    load_file(desk.store, desk.settings, path, "", NOW)
    (outcome,) = take_inbox(desk.store, desk.settings, NOW)
    assert outcome.moved_to == "done/labs.csv"
    assert isinstance(outcome.report, FileReport)
    assert counts(outcome.report) == {"duplicate": 1}


def test_a_report_written_before_the_kill_is_kept(desk: Desk, inbox: Callable[..., Path]) -> None:
    done = desk.settings.intake.inbox / "done"
    inbox("labs.csv", LONG, row("0.9"))
    take_inbox(desk.store, desk.settings, NOW)
    (done / "labs.csv").rename(desk.settings.intake.inbox / "labs.csv")
    (outcome,) = take_inbox(desk.store, desk.settings, NOW)
    assert outcome.moved_to == "done/labs.csv"
    assert json.loads((done / "labs.csv.report.json").read_text())["stored"] == 1


def test_a_name_that_is_no_text_or_very_long_holds_nothing_up(
    desk: Desk, inbox: Callable[..., Path]
) -> None:
    folder = desk.settings.intake.inbox
    for number, name in enumerate((b"M\xfcller.csv", b"x" * 250 + b".csv", b"two\nlines.csv")):
        text = inbox("labs.csv", LONG, row("0.9", specimen_id=str(number)))
        text.rename(folder / os.fsdecode(name))
    outcomes = take_inbox(desk.store, desk.settings, NOW)
    assert [(it.error, it.report is not None) for it in outcomes] == [("", True)] * 3
    assert len(desk.standing()) == 3
    assert {it.name for it in desk.clinic.rows(tables.File)} >= {"M\ufffdller.csv"}
    left = [path for path in folder.iterdir() if path.is_file()]
    assert left == []
    assert len(list((folder / "done").iterdir())) == 9
    assert passed_over(desk.settings, NOW) == []


def test_a_file_still_being_written_is_left_alone(desk: Desk, inbox: Callable[..., Path]) -> None:
    path = inbox("labs.csv", LONG, row("0.9"))
    changed = datetime.fromtimestamp(path.stat().st_mtime, NOW.tzinfo)
    assert take_inbox(desk.store, desk.settings, changed) == []
    assert path.exists()


def test_a_subfolder_named_after_a_source_is_read_with_its_mapping(
    store: Store, tmp_path: Path
) -> None:
    desk = Desk(store, tmp_path, CONFIG + SOURCE)
    desk.enrol("P1,azathioprine,2026-01-05,,,")
    folder = desk.settings.intake.inbox / "north"
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text("Patient;Datum;Test;Wert;Unit\nP1;02.03.2026;NEUT;0,9;giga\n")
    (outcome,) = take_inbox(store, desk.settings, NOW)
    assert outcome.moved_to == "done/x.csv"
    assert desk.standing() == ["0.9"]
