"""What a mail about an overdue test says of a patient whose drug is held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from monitor.delivery.layout import lay_out
from monitor.operations import people
from monitor.store import leases, tables
from tests.clinic import CBC, CONFIG, at, settings_in
from tests.desk import Desk, sqlite_desk

SAID, LATER = at("2026-01-15"), at("2026-01-17", 10)


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.clinic.enrol("P1", "2026-01-05")
        yield desk


def text_of_overdue(desk: Desk, privacy: str) -> str:
    desk.clinic.review(LATER)
    (found,) = [text for text in texts_of(desk, privacy) if "verdue" in text and "Test now" in text]
    return found


def texts_of(desk: Desk, privacy: str) -> list[str]:
    """Whatever waits, as it would go out."""
    settings = settings_in(desk.folder, f'{CONFIG}\n[mail]\nprivacy = "{privacy}"\n')
    with desk.store.write() as connection:
        waiting = leases.lease(connection, LATER, "test", 50)
        letters = [lay_out(connection, it, settings, LATER) for it in waiting]
    mails = [message_from_bytes(it.mail or b"", policy=policy.default) for it in letters]
    bodies = [mail.get_body(("plain",)) for mail in mails]
    texts = [str(body.get_content()) for body in bodies if body is not None]
    return [" ".join(text.split()) for text in texts]


@pytest.mark.parametrize(
    ("privacy", "said"),
    [
        (
            "full",
            "Held since 13 Jan 2026 (neutrophils 0.9 (Dr Gray)), to be reviewed by 16 Jan 2026",
        ),
        ("minimal", "Held since 13 Jan 2026, to be reviewed by 16 Jan 2026"),
    ],
)
def test_a_hold_is_said_once_and_its_note_only_at_full_privacy(
    desk: Desk, privacy: str, said: str
) -> None:
    desk.events("P1,2026-01-13,hold,2026-01-16,,neutrophils 0.9 (Dr Gray),", now=SAID)
    text = text_of_overdue(desk, privacy)
    assert said in text
    assert "On record as held" not in text


def test_why_somebody_declined_stays_behind_at_minimal_privacy(desk: Desk) -> None:
    desk.events("P1,2026-01-13,declined,,,fears needles,", now=SAID)
    text = text_of_overdue(desk, "minimal")
    assert "Declined on 13 Jan 2026: ask again" in text
    assert "needles" not in text


@pytest.mark.parametrize(
    ("privacy", "said"),
    [("full", "10:00: told Anna. "), ("minimal", "10:00 ")],
)
def test_what_was_done_meanwhile_stays_behind_at_minimal_privacy(
    desk: Desk, privacy: str, said: str
) -> None:
    """The mail waits, and the alert is closed before it goes out."""
    clinic = desk.clinic
    clinic.results("P1", "2026-01-15", CBC | {"neutrophils": "1.4"}, hour=8)
    clinic.review(SAID)
    (low,) = clinic.rows(tables.AlertRow, cause="rule:neutropenia")
    review_by, now = date(2026, 1, 20), at("2026-01-16", 10)
    people.close(
        desk.store, clinic.settings, low.id,
        by="Dr Who", outcome="told Anna.", review_by=review_by, now=now,
    )  # fmt: skip
    (text,) = [it for it in texts_of(desk, privacy) if "Closed since" in it]
    assert f"Closed since, on Fri 16 Jan 2026, {said}" in text
    assert ("Anna" in text) == (privacy == "full")
