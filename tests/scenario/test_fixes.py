"""Held rows mended: one or all alike, remembered for the source, listed and removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from monitor.intake.fixes import FixKind, fixes, remember
from monitor.intake.held import HELD
from monitor.intake.mending import Mend, fix, unfix
from monitor.intake.outcomes import OF_THE_PATIENT
from monitor.intake.quarantine import (
    HeldRow,
    QuarantineRefused,
    alike,
    alike_ids,
    held_row,
    held_rows,
)
from monitor.operations import feeds
from monitor.operations.arrivals import mend
from monitor.operations.health import examine
from monitor.operations.ignored import still_ignored
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.database import Store
from tests.clinic import CONFIG, at
from tests.desk import NOW, Desk, sqlite_desk

HEADER = "mrn,issuer,collected_at,analyte,value,unit,family_name,given_name,birth_date"
SOURCES = CONFIG + '[sources.north]\ncodes = { KNOWN = "alt" }\n[sources.south]\n'


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return _enrolled(Desk(store, tmp_path, SOURCES))


@pytest.fixture
def quick_desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path, SOURCES) as desk:
        yield _enrolled(desk)


def _enrolled(desk: Desk) -> Desk:
    desk.enrol("P1,azathioprine,2026-01-05,Muster,Anna,1970-02-03", "P2,azathioprine,2026-01-05,,,")
    return desk


def line(value: str = "2.1", **more: str) -> str:
    cells = {
        "mrn": "P1", "issuer": "", "collected_at": "2026-03-02T08:00", "analyte": "neutrophils",
        "value": value, "unit": "10*9/L", "family_name": "", "given_name": "", "birth_date": "",
    }  # fmt: skip
    return ",".join((cells | more).values())


def load(desk: Desk, *lines: str, source: str = "north") -> Any:
    return desk.load(*lines, header=HEADER, source=source)


def fixed(desk: Desk, row_id: int = 1, *, once: bool = False, **said: Any) -> Any:
    return fix(desk.store, desk.settings, row_id, Mend(**said), by="Ada", now=NOW, once=once)


def remembered(desk: Desk) -> list[tuple[str, str, str, str]]:
    with desk.store.read() as connection:
        return [(it.source, it.kind.value, it.theirs, it.ours) for it in fixes(connection)]


def test_a_code_is_mapped_for_all_rows_of_the_source_and_for_those_to_come(desk: Desk) -> None:
    rows = [line("2.1", analyte="ZZ"), line("2.2", mrn="P2", analyte="zz")]
    load(desk, *rows)
    load(desk, line("2.3", analyte="ZZ", collected_at="2026-03-03"), source="south")
    done, _ = mend(desk.store, desk.settings, 1, Mend(analyte="ANC"), by="Ada", now=NOW)
    assert (done.tried, done.taken, done.held) == (2, 2, 0)
    assert desk.whose() == {"P1": ["2.1"], "P2": ["2.2"]}
    load(desk, line("2.4", analyte="Z-Z", collected_at="2026-03-04"))
    assert desk.standing() == ["2.1", "2.2", "2.4"]
    assert [held.source for held in desk.held()] == ["south"]
    assert remembered(desk) == [("north", "code", "ZZ", "neutrophils")]
    assert [(row.resolved_by, row.state) for row in desk.held("taken")] == [("Ada", "taken")] * 2
    assert verify(desk.store, desk.settings, NOW) == []


def test_what_is_alike_is_counted_without_being_read(desk: Desk) -> None:
    """Of 70,000 rows of one cause the page of each read them all, to show the first fifty."""
    mixed = [line(analyte=code, mrn=mrn) for code in ("ZZ", "YY") for mrn in ("P1", "P2", "Q1")]
    mixed += [line(unit="furlong", mrn=mrn) for mrn in ("P1", "P2")]
    load(desk, *mixed)
    load(desk, *mixed[:2], source="south")
    rows = held_rows(desk.store)
    assert len(rows) == len(mixed) + 2

    def cause(row: HeldRow) -> tuple[str, ...]:
        measured = "" if row.reason_code in OF_THE_PATIENT else row.analyte
        return row.source, row.reason_code, row.reason, measured

    for row in rows:
        same = [it.id for it in rows if cause(it) == cause(row)]
        found = alike(desk.store, row, shown=1)
        assert (found.count, found.last_id) == (len(same), same[-1])
        assert [it.id for it in found.first] == same[:1]
        assert alike_ids(desk.store, row, last=same[0]) == same[:1]
    desk_row = rows[0]
    with desk.store.write() as connection:
        connection.execute(update(HELD).values(state="discarded"))
    assert alike(desk.store, desk_row, shown=9).count == 0


def ignore_once(desk: Desk, code: str) -> None:
    """Somebody said so before the code meant anything."""
    with desk.store.write() as connection:
        remember(connection, "north", FixKind.IGNORE, code, "", "Ada", NOW)


def test_what_the_config_says_of_a_code_beats_that_it_was_ignored(desk: Desk) -> None:
    """A critical count was ignored although the admin had mapped its code since."""
    load(desk, line("2.1", analyte="ZZ"))
    fixed(desk, ignore=True)
    said = SOURCES.replace('KNOWN = "alt"', 'KNOWN = "alt", "Z-Z" = "neutrophils"')
    mapped = Desk(desk.store, desk.folder, said)
    load(mapped, line("0.1", analyte="ZZ"))
    assert desk.standing() == ["0.1"]
    assert still_ignored(desk.store, mapped.settings) == ""


def test_an_ignored_code_by_which_patients_are_watched_now_is_said(desk: Desk) -> None:
    """The analytes have learned the name since: it is still ignored, and nothing said so."""
    ignore_once(desk, "XYZ")
    ignore_once(desk, "ANC")
    ignore_once(desk, "retikulozyten")
    load(desk, line("0.1", analyte="ANC"))
    assert desk.standing() == []
    says = still_ignored(desk.store, desk.settings)
    assert says == (
        '"ANC" of north is ignored, and is Neutrophils, by which patients are watched: '
        "monitor quarantine unfix 2 --by WHO"
    )
    feeds.watch(desk.store, desk.settings, NOW)
    (alarm,) = [
        row.payload
        for row in desk.clinic.rows(tables.Delivery, kind="operator")
        if row.payload["topic"] == "results are ignored"
    ]
    assert alarm["text"] == says
    health = examine(desk.store, desk.settings, NOW)
    assert says in next(it.says for it in health.parts if it.name == "feeds")
    unfix(desk.store, 2, by="Ada", now=NOW)
    assert still_ignored(desk.store, desk.settings) == ""


@pytest.mark.parametrize(
    ("row", "said", "kept"),
    [
        (line(analyte="REM"), {"ignore": True}, ("ignore", "REM", "")),
        (line(unit="zorp"), {"unit": "10*9/L"}, ("unit", "zorp", "10*9/L")),
        (line(unit=""), {"unit": "G/L"}, ("missing unit", "neutrophils", "G/L")),
        (
            line(family_name="Meier", given_name="Anna", birth_date="1970-02-03"),
            {"patient": "P1"},
            ("patient", '["", "p1", "meier", "anna", "1970-02-03"]', "P1"),
        ),
        (line(mrn="0P1x"), {"patient": "p2"}, ("patient", '["", "0p1x", "", "", ""]', "p2")),
        (line(mrn="LAKE:P1"), {"issuer": "own"}, ("issuer", "LAKE", "")),
    ],
)
def test_what_is_said_once_is_remembered_and_frees_the_row(
    quick_desk: Desk, row: str, said: dict[str, Any], kept: tuple[str, str, str]
) -> None:
    load(quick_desk, row)
    assert fixed(quick_desk, **said).held == 0
    assert remembered(quick_desk) == [("north", *kept)]
    assert quick_desk.held() == []
    again = load(quick_desk, row.replace("2026-03-02", "2026-03-04"))
    assert again.quarantined == 0


@pytest.mark.parametrize(
    ("row", "first", "then"),
    [
        (line(analyte="REM", unit="zorp"), {"analyte": "alt"}, {"analyte": "ast"}),
        (line(analyte="REM", unit="zorp"), {"analyte": "bile_acids"}, {"ignore": True}),
        (line(mrn="LAKE:P1", unit="zorp"), {"issuer": "lake"}, {"issuer": "own"}),
        (line(mrn="0P1x", unit="zorp"), {"patient": "P1"}, {"patient": "P2"}),
    ],
)
def test_the_later_of_two_who_say_different_things_is_told_of_the_first(
    quick_desk: Desk, row: str, first: dict[str, Any], then: dict[str, Any]
) -> None:
    """A page that was opened before a colleague's said something else of the same code: what had
    come stood as the one, and what came after that as the other."""
    load(quick_desk, row)
    fixed(quick_desk, **first)
    before = remembered(quick_desk)
    assert [it.id for it in quick_desk.held()] == [1]
    with pytest.raises(QuarantineRefused, match="Ada said something else of .* unfix 1$"):
        fixed(quick_desk, **then)
    assert remembered(quick_desk) == before
    fixed(quick_desk, **first)
    assert remembered(quick_desk) == before
    unfix(quick_desk.store, 1, by="Ada", now=NOW)
    fixed(quick_desk, **then)
    assert len(remembered(quick_desk)) == 1


def test_a_fix_of_the_patient_takes_in_nobody_else_under_the_number(quick_desk: Desk) -> None:
    load(
        quick_desk,
        line("2.1", family_name="Meier", given_name="Anna", birth_date="1970-02-03"),
        line("2.2", family_name="MEIER", given_name="Anna", birth_date="1970-02-03",
             collected_at="2026-03-03"),
        line("2.3", family_name="Muster", given_name="Berta", birth_date="1970-02-03"),
    )  # fmt: skip
    assert fixed(quick_desk, patient="P1").taken == 2
    assert quick_desk.whose() == {"P1": ["2.1", "2.2"]}
    (held,) = quick_desk.held()
    assert held.raw["given_name"] == "Berta"


def test_an_issuer_said_to_be_another_hospitals(quick_desk: Desk) -> None:
    rows = [line("2.1", issuer="CITY"), line("2.2", issuer="LAKE&1.2&ISO")]
    load(quick_desk, *rows)
    assert [held.reason_code for held in quick_desk.held()] == ["another_issuer"]
    assert fixed(quick_desk, issuer="lake").held == 1
    assert [held.reason_code for held in quick_desk.held()] == ["another_issuer"]
    quick_desk.enrol("lake:P1,azathioprine,2026-01-05,,,")
    assert quick_desk.whose() == {"P1": ["2.1"], "lake:P1": ["2.2"]}


def test_one_row_alone_is_mended_and_nothing_remembered(quick_desk: Desk) -> None:
    load(quick_desk, line("9000", unit="10*9/L"), line("9100", collected_at="2026-03-03"))
    with pytest.raises(QuarantineRefused, match="--once"):
        fixed(quick_desk, unit="/uL")
    assert fixed(quick_desk, unit="/uL", once=True).taken == 1
    assert quick_desk.standing() == ["9"]
    assert (len(quick_desk.held()), remembered(quick_desk)) == (1, [])


@pytest.mark.parametrize(
    ("row", "said", "told"),
    [
        (line(analyte="ZZ"), {}, "say one thing"),
        (line(analyte="ZZ"), {"ignore": True, "analyte": "alt"}, "say one thing"),
        (line(analyte="ZZ"), {"analyte": "nothing"}, 'no analyte "nothing"'),
        (line(analyte="KNOWN", unit="zorp"), {"analyte": "ast"}, r"\[sources.north\]: correct it"),
        (line(analyte="ZZ"), {"unit": "U/L"}, "name --analyte first"),
        (line(unit="zorp"), {"unit": "furlong"}, "is no unit of neutrophils; known: "),
        (line(mrn="Q1"), {"patient": "Q1"}, "nobody is enrolled under Q1"),
        ("cut short", {"analyte": "alt"}, "could not be split"),
        (line(unit="zorp"), {"ignore": True}, "by which patients are watched"),
        (line(mrn="Q1"), {"ignore": True}, "by which patients are watched"),
        (line(mrn="Q1"), {"analyte": "platelets"}, "held for whose it is"),
    ],
)
def test_what_cannot_be_said_is_refused(
    quick_desk: Desk, row: str, said: dict[str, Any], told: str
) -> None:
    load(quick_desk, row)
    with pytest.raises(QuarantineRefused, match=told):
        fixed(quick_desk, **said)
    assert remembered(quick_desk) == []


def test_a_removed_fix_stays_on_record_and_holds_no_more(quick_desk: Desk) -> None:
    load(quick_desk, line(analyte="ZZ"))
    fixed(quick_desk, analyte="neutrophils")
    unfix(quick_desk.store, 1, by="Bea", now=NOW)
    with pytest.raises(QuarantineRefused, match="in force: none"):
        unfix(quick_desk.store, 1, by="Bea", now=NOW)
    load(quick_desk, line("2.9", analyte="ZZ", collected_at="2026-03-04"))
    assert (quick_desk.standing(), len(quick_desk.held())) == (["2.1"], 1)
    (row,) = quick_desk.clinic.rows(tables.FixRow)
    assert (row.made_by, row.removed_by) == ("Ada", "Bea")


def test_each_held_row_names_the_command_that_frees_it(quick_desk: Desk) -> None:
    load(
        quick_desk,
        line(analyte="ZZ"),
        line(unit=""),
        line(family_name="Meier"),
        line(mrn="P9"),
        line("O.5"),
    )
    commands = [held_row(quick_desk.store, held.id).fix for held in quick_desk.held()]
    assert commands == [
        "monitor quarantine fix 1 --analyte NAME --by WHO, or --ignore",
        "monitor quarantine fix 2 --unit UNIT --by WHO",
        "monitor quarantine fix 3 --patient P1 --by WHO, if it is the same person",
        "monitor enrol FILE.csv, or monitor quarantine fix 4 --patient MRN --by WHO",
        "monitor quarantine discard 5 --by WHO --reason TEXT, once it is dealt with",
    ]


def test_rows_that_wait_too_long_alarm_the_operator_once_a_day(quick_desk: Desk) -> None:
    load(quick_desk, line(mrn="P9"))
    store, settings = quick_desk.store, quick_desk.settings
    assert not feeds.alarm_if_held(store, settings, at("2026-06-01"))
    load(quick_desk, line(analyte="ZZ"))
    assert not feeds.alarm_if_held(store, settings, at("2026-03-17"))
    assert feeds.alarm_if_held(store, settings, at("2026-03-18"))
    assert not feeds.alarm_if_held(store, settings, at("2026-03-18", 15))
    (message,) = quick_desk.clinic.rows(tables.Delivery, kind="operator")
    assert "1 row of lab files waits" in str(message.payload)
