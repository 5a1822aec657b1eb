"""Nothing is sent about the dead but one closing line, and taking it back restores everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.core.vocabulary import AlertState
from monitor.delivery.digest import DigestContent
from monitor.delivery.message import render
from monitor.delivery.pass_on import pass_on
from monitor.operations.digests import compose_digests
from monitor.operations.verify import verify
from monitor.store import tables
from monitor.store.leases import load_message
from tests.clinic import at
from tests.desk import Desk, sqlite_desk

ENROL = "mrn,drug,started_on,dose_mg_per_day,weight_kg,tpmt,nudt15,last_tested_on"
DIED = "P1,2026-03-11,died,,,,"


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    """P1 has a critical count, a milder one and is overdue."""
    with sqlite_desk(migrated_sqlite, tmp_path) as made:
        made.enrol(
            "P1,azathioprine,2025-12-01,100,70,normal,normal,2026-01-05",
            header=ENROL,
            now=at("2026-03-01"),
        )
        made.load(
            "P1,2026-03-09,neutrophils,0.4,10*9/L,S1,final,,",
            "P1,2026-03-09,platelets,120,10*9/L,S1,final,,",
            now=at("2026-03-10", 8),
        )
        review(made, "2026-03-10")
        yield made


def review(desk: Desk, day: str, hour: int = 9) -> None:
    """As the daemon does it: patients first, then the digest."""
    desk.clinic.review(at(day, hour))
    compose_digests(desk.store, desk.settings, at(day, hour))


def sent(desk: Desk, kind: str = "") -> list[Any]:
    rows = desk.clinic.rows(tables.Delivery)
    return [row for row in rows if (row.kind == kind if kind else row.kind != "digest")]


def live(desk: Desk) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for row in desk.clinic.rows(tables.EnrolmentRow):
        alerts = desk.clinic.alerts(row.id)
        found |= {(it.cause, it.urgency) for it in alerts if it.state is not AlertState.CLOSED}
    return found


def ended(desk: Desk, day: str) -> list[tuple[str, str, str]]:
    for row in sent(desk, "digest"):
        content = DigestContent.from_payload(row.payload["content"])
        if content.day.isoformat() == day:
            assert row.recipient
            return [(it.person.mrn, it.text, it.note) for it in content.ended]
    raise AssertionError(f"no digest of {day}")


def test_one_closing_line_and_never_a_word_more(desk: Desk) -> None:
    assert {cause for cause, _ in live(desk)} >= {"rule:neutropenia", "overdue"}
    latest = max(row.id for row in desk.clinic.rows(tables.Delivery))
    assert desk.events(DIED, now=at("2026-03-11", 8)).taken == 1
    review(desk, "2026-03-11")
    assert live(desk) == set()
    assert ended(desk, "2026-03-11") == [
        (
            "P1",
            "Recorded as died on 11 Mar 2026: all alerts are closed",
            "nothing more is sent about this patient",
        )
    ]
    desk.load(
        "P1,2026-03-09,neutrophils,2.4,10*9/L,S1,corrected,,",
        "P1,2026-03-10,neutrophils,0.1,10*9/L,S2,final,,",
        "P1,2026-03-10,hemoglobin,see text,g/L,S2,final,,",
        now=at("2026-03-12", 8),
    )
    for day in ("2026-03-12", "2026-03-20", "2026-06-20", "2027-03-20"):
        review(desk, day)
        assert ended(desk, day) == []
    assert {row.enrolment_id for row in desk.clinic.rows(tables.AlertRow, state="open")} <= {2}
    others = [it for it in sent(desk) if it.kind != "operator" and it.id > latest]
    told = {row.alert_id for it in others for row in desk.clinic.rows(
        tables.DeliveryAlert, delivery_id=it.id)}  # fmt: skip
    of_p1 = {row.id for row in desk.clinic.rows(tables.AlertRow, enrolment_id=1)}
    assert not told & of_p1
    assert not list(verify(desk.store, desk.settings, at("2027-03-20")))


def test_what_waits_to_be_sent_about_them_is_not_sent_any_more(desk: Desk) -> None:
    """A mail server that was down, a storm that collects: all of P1's messages still wait."""
    waiting = {row.id for row in desk.clinic.rows(tables.Delivery, kind="alert", state="waiting")}
    assert waiting
    desk.events(DIED, now=at("2026-03-11", 8))
    review(desk, "2026-03-11")
    of_p1 = {row.id for row in desk.clinic.rows(tables.AlertRow, enrolment_id=1)}
    bears = desk.clinic.rows(tables.DeliveryAlert)
    left = {row.id for row in desk.clinic.rows(tables.Delivery, state="waiting")}
    assert not [it for it in bears if it.alert_id in of_p1 and it.delivery_id in left & waiting]
    assert {it.delivery_id for it in bears} >= left & waiting, "no message without a line"


def test_what_comes_back_about_them_goes_to_nobody_else(desk: Desk) -> None:
    """A mail system gives up hours later: the last resort then had the alert of a dead patient."""
    sent_before = desk.clinic.rows(tables.Delivery, kind="alert")
    for row in sent_before:
        desk.clinic.set(tables.Delivery, row.id, state="sent", sent_at=at("2026-03-10"))
    desk.events(DIED, now=at("2026-03-11", 8))
    review(desk, "2026-03-11")
    for row in sent_before:
        with desk.store.write() as connection:
            message = load_message(connection, row.id)
            pass_on(connection, desk.settings, message, "550 no such user", at("2026-03-11", 10))
    later = [it for it in sent(desk) if it.created_at > at("2026-03-11", 9)]
    assert {it.kind for it in later} == {"operator"}
    assert all("is not needed any more" in it.payload["text"] for it in later)


def test_a_digest_that_was_composed_before_and_waits_says_nothing_about_them(desk: Desk) -> None:
    """The mail server was down in the morning; the death is recorded; then it works again."""
    line = "P2,azathioprine,2025-12-01,100,70,normal,normal,2026-02-20"
    assert desk.enrol(line, header=ENROL, now=at("2026-03-10", 10)).taken == 1
    review(desk, "2026-03-11")
    row = sent(desk, "digest")[-1]
    before = laid_out(desk, row.id, "2026-03-11", 9)
    desk.events(DIED, now=at("2026-03-11", 10))
    desk.clinic.review(at("2026-03-11", 10))
    after = laid_out(desk, row.id, "2026-03-11", 10)
    assert ("P1" in before, "P2" in before) == (True, True)
    assert ("P1" in after, "P2" in after) == (False, True)
    assert "enrolled 2 = " in " ".join(after.split())
    review(desk, "2026-03-12")
    assert [mrn for mrn, _, _ in ended(desk, "2026-03-12")] == ["P1"]


def laid_out(desk: Desk, delivery: int, day: str, hour: int) -> str:
    with desk.store.read() as connection:
        message = load_message(connection, delivery)
        return render(connection, message, desk.settings, at(day, hour)).text


def test_no_subject_speaks_of_it(desk: Desk) -> None:
    desk.events(DIED, now=at("2026-03-11", 8))
    review(desk, "2026-03-11")
    row = sent(desk, "digest")[-1]
    assert "died" in str(row.payload)
    with desk.store.read() as connection:
        message = load_message(connection, row.id)
        assert message is not None
        mail = render(connection, message, desk.settings, at("2026-03-11"))
    assert "died" not in mail.subject.casefold()
    assert "Recorded as died on 11 Mar 2026" in mail.text
    assert "[]" not in mail.text


def test_taking_it_back_opens_everything_again_and_tells_it(desk: Desk) -> None:
    before = live(desk)
    desk.events(DIED, now=at("2026-03-11", 8))
    review(desk, "2026-03-11")
    assert not sent(desk, "alert")
    desk.events(f"{DIED}entered-in-error", now=at("2026-03-11", 10))
    review(desk, "2026-03-11", 11)
    assert live(desk) == before
    assert sent(desk, "alert")
    review(desk, "2026-03-12")
    assert not any("died" in text for _, text, _ in ended(desk, "2026-03-12"))


def test_a_death_after_a_transfer_that_was_accepted_is_one_too(desk: Desk) -> None:
    desk.events(
        "P1,2026-03-10,transfer_out,Dr Gray,,,",
        "P1,2026-03-10,accepted_by,Dr Gray,,,",
        now=at("2026-03-10", 10),
    )
    desk.events(DIED, now=at("2026-03-11", 8))
    review(desk, "2026-03-11")
    assert live(desk) == set()
