"""What stands beside the days without a test, and what of them is known since when: one fact at a
time, straight from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from monitor.core.personal_terms import Personal, Terms
from monitor.operations.feed_outages import outages
from monitor.operations.people import contact
from monitor.operations.personal import set_term
from monitor.operations.report_compliance import compliance
from monitor.operations.report_gaps import Gaps
from monitor.operations.report_overdue import Which
from monitor.review import WITH_ALL_READ
from monitor.store import tables
from monitor.store.tables import table_of
from tests.clinic import CBC, CONFIG, LFT, Clinic, at, settings_in
from tests.desk import Desk, sqlite_desk
from tests.scenario.test_feed_watch import feed, file_of, weekdays


def test_whoever_cannot_be_judged_is_named_and_left_out(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05"))
    ward.enrol("B1", protocol_id="no such protocol", now=at("2026-01-05"))
    found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-01-20"))
    one, other = found
    assert (one["mrn"], other["mrn"], other["not_judged"]) == ("A1", "B1", True)
    assert (found.totals["enrolments"], found.totals["not_judged"]) == (1, 1)


def test_it_is_made_a_piece_at_a_time(ward: Clinic) -> None:
    """In the order of the numbers, each patient whole, whatever the order of the enrolments; and
    nobody's days are counted twice."""
    for number in reversed(range(WITH_ALL_READ + 3)):
        ward.enrol(f"A{number:03}", baseline=False, now=at("2026-01-05"))
    found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-02-20"))
    lines = iter(found)
    assert next(lines)["mrn"] == "A000"
    assert not found.totals
    assert [it["mrn"] for it in lines] == [f"A{n:03}" for n in range(1, WITH_ALL_READ + 3)]
    other = compliance(ward.store, ward.settings, Which(), (None, None), at("2026-02-20"))
    assert found.totals["days"] == other.total.days == 47 * (WITH_ALL_READ + 3)
    assert found.totals["covered"] == other.total.covered


def test_an_interval_of_ones_own_counts_also_once_it_is_over(ward: Clinic) -> None:
    """Both reports by what was in force on the last of the days: the one on tests done counted its
    days by the protocol alone once the interval had ended, and said that all were covered."""
    enrolment = ward.enrol("A1", "2025-06-02", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    term = Personal(
        id=0, what=Terms.INTERVAL, subject="cbc", phase="quarterly", every="1 month",
        since=date(2026, 1, 6), until=date(2026, 4, 1), by="Dr A", reason="after a relapse",
        set_at=at("2026-01-06"),
    )  # fmt: skip
    set_term(ward.store, ward.settings, "A1", "", term, at("2026-01-06"))
    assert enrolment

    def counted(now: str) -> list[tuple[int, int]]:
        days = (date(2026, 1, 6), date(2026, 3, 15))
        found = Gaps(ward.store, ward.settings, Which(), days, at(now))
        list(found)
        other = compliance(ward.store, ward.settings, Which(), days, at(now)).total
        return [(found.totals["days"], found.totals["covered"]), (other.days, other.covered)]

    assert counted("2026-03-16") == counted("2026-07-01") == [(69, 38), (69, 38)]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("no_answer", "not_reached"),
        ("message_left", "not_reached"),
        ("welfare_check_asked", "not_reached"),
        ("declined", "declined"),
        ("moved_away", "lost_to_follow_up"),
        ("stopped_by_itself", "lost_to_follow_up"),
        ("reached", "contacted"),
        ("test_done_elsewhere", "contacted"),
    ],
)
def test_what_came_of_a_call_is_on_record_until_the_next_test(
    ward: Clinic, outcome: str, reason: str
) -> None:
    enrolment = ward.enrol("A1", now=at("2026-01-05"))
    ward.review(at("2026-01-16"))
    (alert,) = [it for it in ward.alerts(enrolment) if it.cause == "overdue"]
    contact(ward.store, ward.settings, alert.id, outcome=outcome, by="Jo", now=at("2026-01-17"))
    ward.results("A1", "2026-01-20", CBC)
    found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-02-05"))
    (line,) = found
    gaps = [it for it in line["panels"][0]["intervals"] if it["state"] == "not_covered"]
    first, second = ([(why["reason"], why["from"]) for why in it["reasons"]] for it in gaps)
    assert (first, second) == ([(reason, "2026-01-17")], [])
    assert gaps[0]["reasons"][0]["record"] == f"alert {alert.id}"


def test_a_correction_and_a_file_taken_back(ward: Clinic) -> None:
    """What was superseded had been known; what was taken back counts as if it had never come."""
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-14", CBC, received_at=at("2026-01-15"), stands=False)
    ward.results("A1", "2026-01-14", CBC, received_at=at("2026-01-25"), status="corrected")
    ward.results("A1", "2026-01-21", CBC | LFT)

    def known() -> list[str]:
        found = Gaps(ward.store, ward.settings, Which(), (None, None), at("2026-01-26"))
        (line,) = found
        intervals = line["panels"][0]["intervals"]
        return [it["known_only_since"] for it in intervals if "known_only_since" in it]

    assert known() == []
    results = table_of(tables.ResultRow)
    with ward.store.write() as connection:
        connection.execute(update(results).where(~results.c.stands).values(taken_back=True))
    assert known() == ["2026-01-25"]


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "inbox").mkdir()
    with sqlite_desk(migrated_sqlite, tmp_path, CONFIG + "\n[sources.lab]\n") as found:
        yield found


def test_a_silent_feed_is_reckoned_from_its_files_as_it_was_noticed_then(desk: Desk) -> None:
    """Of each day of a story the same as what `feeds` said on that day; also years later, when
    files come again and nothing of the silence is noted any more."""
    gone = (date(2026, 3, 9), date(2026, 3, 18))
    begin, end = date(2026, 1, 5), date(2026, 3, 31)
    days = [it for it in weekdays(begin, end) if not gone[0] <= it < gone[1]]
    came, noticed = iter(days), set()
    coming = next(came, None)
    for number in range((end - begin).days + 1):
        day = begin + timedelta(days=number)
        if day == coming:
            file_of(desk, day)
            coming = next(came, None)
        if feed(desk, at(day.isoformat(), 23)).state == "silent":
            noticed.add(day)
    with desk.store.read() as connection:
        (found,) = outages(connection, desk.settings, begin, at("2026-03-31", 23))["lab"]
    assert (found.noticed_on, found.back_on) == (gone[0], gone[1])
    assert noticed == {found.noticed_on + timedelta(days=n) for n in range(9)}
    with desk.store.read() as connection:
        amid = outages(connection, desk.settings, begin, at("2026-03-12", 23))["lab"]
        off = settings_in(Path(), CONFIG + "\n[sources.lab]\nwatched = false\n")
        assert not outages(connection, off, begin, at("2026-03-31", 23))
    assert [(it.noticed_on, it.back_on) for it in amid] == [(gone[0], None)]


def test_days_in_a_silence_say_so_of_whom_it_concerns(desk: Desk) -> None:
    clinic = desk.clinic
    start = date(2026, 1, 5)
    for mrn in ("A1", "B1"):
        clinic.enrol(mrn, start.isoformat(), now=at("2026-01-05"))
    for day in weekdays(start, date(2026, 3, 6)):
        file_id = file_of(desk, day)
        if day.weekday() == 0:
            clinic.results(
                "A1",
                day.isoformat(),
                CBC | LFT,
                hour=8,
                file_id=file_id,
                received_at=at(day.isoformat(), 9),
            )
        if day == date(2026, 2, 16):
            clinic.results(
                "B1",
                day.isoformat(),
                CBC | LFT,
                hour=8,
                file_id=file_id,
                received_at=at(day.isoformat(), 9),
            )
    clinic.event("A1", "2026-03-04", "dose", "125")  # weekly again: overdue in the silence
    found = Gaps(desk.store, desk.settings, Which(), (None, date(2026, 3, 20)), at("2026-06-01"))
    reasons = {
        line["mrn"]: {
            why["reason"]
            for panel in line["panels"]
            for it in panel["intervals"]
            for why in it.get("reasons", ())
        }
        for line in found
    }
    assert reasons == {"A1": {"feed_silent"}, "B1": set()}
