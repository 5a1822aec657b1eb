"""Whose row it is: numbers with issuers, twins, old numbers, another hospital's number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.intake.batches import revert
from monitor.store import tables
from monitor.store.database import Store
from tests.clinic import CONFIG
from tests.desk import NOW, Desk, sqlite_desk

TAKEN = "taken"
"""Instead of a reason: the row became a result."""
WITH_NAMES = "mrn,issuer,collected_at,analyte,value,unit,family_name,given_name,birth_date"
PEOPLE = (
    "100,azathioprine,2026-01-05,Muster,Anna,1970-02-03",
    "101,azathioprine,2026-01-05,Muster,Berta,1970-02-03",
    "0102,azathioprine,2026-01-05,Frei,Carl,1980-01-01",
    "north:100,azathioprine,2026-01-05,Other,Olga,1960-01-01",
    "urn:oid:2.16.756:7,azathioprine,2026-01-05,Seven,Sam,1950-01-01",
    "105,azathioprine,2026-01-05,,,",
)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    desk = Desk(store, tmp_path)
    desk.enrol(*PEOPLE)
    return desk


@pytest.fixture
def quick_desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    config = CONFIG + '[sources.north]\n[sources.west]\nissuer = "west"\n'
    with sqlite_desk(migrated_sqlite, tmp_path, config) as desk:
        desk.enrol(*PEOPLE)
        yield desk


def line(mrn: str, issuer: str = "", name: str = ",,", value: str = "2.9") -> str:
    return f"{mrn},{issuer},2026-03-02T08:00,neutrophils,{value},10*9/L,{name}"


CASES = [
    # the row's number, its issuer, name and birth date, its source, whose it is, why it is held
    ("100", "", ",,", "", "100", TAKEN),
    ("100", "", "Muster,Anna,1970-02-03", "", "100", TAKEN),
    # the same number of two issuers is two patients
    ("north:100", "", ",,", "", "north:100", TAKEN),
    ("100", "north", ",,", "", "north:100", TAKEN),
    ("NORTH:100", "", "Other,Olga,1960-01-01", "", "north:100", TAKEN),
    ("north:100", "", "Muster,Anna,1970-02-03", "", "north:100", "identity"),
    # a birth date that is none can contradict nothing, where none is known
    ("100", "", "Muster,Anna,17950903", "", "100", "identity"),
    ("105", "", "Nobody,Nina,17950903", "", "105", TAKEN),
    # a plain number is the source's own, where that source has patients of its own
    ("100", "", ",,", "north", "north:100", TAKEN),
    ("105", "", ",,", "north", "105", TAKEN),
    ("7", "urn:oid:2.16.756", ",,", "", "urn:oid:2.16.756:7", TAKEN),
    # what a source is said to give out is no number of the clinic
    ("105", "", ",,", "west", "105", "another_issuer"),
    ("100", "", ",,", "west", None, "another_issuer"),
    # a message names an issuer nobody has said anything of: the clinic's, while it is the only one
    ("105", "CITY&1.2.3&ISO", ",,", "", "105", TAKEN),
    ("101", "CITY&1.2.3&ISO", "Muster,Berta,1970-02-03", "", "101", TAKEN),
    ("101", "CITY&1.2.3&ISO", "Muster,Anna,1970-02-03", "", "101", "identity"),
    # people wrote another issuer into the number itself
    ("south:105", "", ",,", "", "105", "another_issuer"),
    ("north:105", "", ",,", "", None, "unknown_patient"),
    ("7", "", ",,", "", "urn:oid:2.16.756:7", "another_issuer"),
    # twins: one birth date, one family name
    ("100", "", "Muster,Berta,1970-02-03", "", "100", "identity"),
    ("999", "", "Muster,Berta,1970-02-03", "", "101", "another_number"),
    ("999", "", "Muster,Clara,1970-02-03", "", None, "unknown_patient"),
    ("999", "", "Muster,,1970-02-03", "", None, "unknown_patient"),
    # leading zeros lost or added, punctuation
    ("102", "", ",,", "", "0102", "mrn_alike"),
    ("00102", "", "Frei,Carl,1980-01-01", "", "0102", "mrn_alike"),
    ("01-02", "", ",,", "", "0102", "mrn_alike"),
    # another person under the number; a new family name
    ("100", "", "Muster,Anna,1971-02-03", "", "100", "identity"),
    ("100", "", "Meier,Anna,1970-02-03", "", "100", "identity"),
    # names in other spellings
    ("0102", "", "FREI,C.,1980-01-01", "", "0102", TAKEN),
    ("0102", "", "Frei-Meier,Carl,1980-01-01", "", "0102", TAKEN),
]


@pytest.mark.parametrize(("mrn", "issuer", "name", "source", "owner", "ends"), CASES)
def test_whose_row_it_is(
    quick_desk: Desk, mrn: str, issuer: str, name: str, source: str, owner: str | None, ends: str
) -> None:
    quick_desk.load(line(mrn, issuer, name), header=WITH_NAMES, source=source)
    mrns = {row.id: row.mrn for row in quick_desk.clinic.rows(tables.Patient)}
    if ends == TAKEN:
        assert quick_desk.whose() == {owner: ["2.9"]}
        assert quick_desk.held() == []
    else:
        (held,) = quick_desk.held()
        assert (held.reason_code, mrns.get(held.patient_id)) == (ends, owner)
        assert quick_desk.whose() == {}


def test_a_second_issuer_of_a_plain_number_is_held_and_the_first_goes_on(desk: Desk) -> None:
    rows = [line("105", "CITY", value="2.1"), line("105", "LAKE", value="2.2")]
    desk.load(*rows, header=WITH_NAMES)
    desk.load(line("105", "city ", value="2.3"), header=WITH_NAMES)
    desk.load(line("105", value="2.4"), header=WITH_NAMES)
    assert [held.reason_code for held in desk.held()] == ["another_issuer"]
    assert "from LAKE" in desk.held()[0].hint
    (first, *_) = desk.clinic.rows(tables.ResultRow)
    assert first.issuer == "CITY"
    assert desk.whose() == {"105": ["2.4"]}


def test_naming_the_clinics_own_issuer_makes_the_others_strangers(
    store: Store, tmp_path: Path
) -> None:
    config = CONFIG + '[intake]\nissuers = { "CITY&1.2&ISO" = "", "Northern Hospital" = "north" }\n'
    desk = Desk(store, tmp_path, config)
    desk.enrol(*PEOPLE)
    desk.load(
        line("105", "city&1.2&iso", value="2.1"),
        line("100", "Northern Hospital", value="2.2"),
        line("101", "LAKE", value="2.3"),
        line("101", "Northern Hospital", value="2.4"),
        header=WITH_NAMES,
    )
    assert desk.whose() == {"105": ["2.1"], "north:100": ["2.2"]}
    assert [held.reason_code for held in desk.held()] == ["another_issuer", "unknown_patient"]


def test_held_rows_of_an_issuer_go_in_upon_enrolment_to_the_right_one(desk: Desk) -> None:
    desk.load(line("300", "CITY", value="2.1"), line("north:300", value="2.2"), header=WITH_NAMES)
    desk.enrol("north:300,azathioprine,2026-01-05,,,")
    assert desk.whose() == {"north:300": ["2.2"]}
    desk.enrol("300,azathioprine,2026-01-05,,,")
    assert desk.whose() == {"north:300": ["2.2"], "300": ["2.1"]}


def test_events_and_enrolments_take_the_issuer_with_the_number(desk: Desk) -> None:
    report = desk.events("north:100,2026-02-01,dose,125,,,", "7,2026-02-01,dose,125,,,")
    assert report.taken == 1
    assert "urn:oid:2.16.756:7" in report.refused[0].reason
    again = desk.enrol("North:100,azathioprine,2026-01-05,,,", "100,azathioprine,2026-01-05,,,")
    assert (again.taken, again.duplicate) == (0, 2)
    new = desk.enrol("south:100,azathioprine,2026-01-05,,,")
    assert new.taken == 1
    assert any("the same number from another issuer" in note for note in new.notes)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("00200", ",,"),
        ("999", "Neu,Nora,1990-05-06"),
        ("999", "Neu,Nora,19900506"),
    ],
)
@pytest.mark.parametrize("early", [True, False])
def test_a_row_that_looks_like_somebodys_is_told_also_where_the_enrolment_comes_later(
    desk: Desk, number: str, name: str, *, early: bool
) -> None:
    row = line(number, name=name, value="0.3")
    if early:
        desk.load(row, header=WITH_NAMES)
    desk.enrol("200,azathioprine,2026-01-05,Neu,Nora,1990-05-06")
    if not early:
        desk.load(row, header=WITH_NAMES)
    desk.clinic.review(NOW)
    (held,) = desk.held()
    assert held.reason_code in ("mrn_alike", "another_number")
    (alert,) = desk.clinic.rows(tables.AlertRow, kind="quarantined_result")
    assert alert.urgency == "critical"


def test_whatever_stands_for_a_strangers_birth_date_others_can_be_enrolled(desk: Desk) -> None:
    row = line("999", name=f"Neu,Nora,1-{'9' * 5000}", value="0.3")
    desk.load(row, header=WITH_NAMES)
    desk.enrol("200,azathioprine,2026-01-05,Neu,Nora,1990-05-06")
    (held,) = desk.held()
    assert held.reason_code == "unknown_patient"


def test_such_a_row_is_a_strangers_again_once_the_enrolment_is_taken_back(desk: Desk) -> None:
    desk.load(line("00200"), header=WITH_NAMES)
    desk.enrol("200,azathioprine,2026-01-05,,,")
    enrolment = desk.clinic.rows(tables.File)[-1].id
    revert(desk.store, desk.settings, enrolment, by="Ada", reason="wrong", now=NOW)
    (held,) = desk.held()
    assert (held.reason_code, held.patient_id) == ("unknown_patient", None)
