"""Messages that wait too long: another way is told, critical ones go there, nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.config import Settings
from monitor.delivery.send import deliver_due
from monitor.operations.health import examine
from monitor.operations.stuck import alarm_if_stuck
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from tests.mail_world import Mood, mail_server, queue_alert, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
NURSE, CLINIC = "nurse@hill.example", "clinic@hill.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A mail server that is not there, and a queue folder beside it."""
    queue = f'[queues.ehr]\nfolder = "{tmp_path / "queue"}"\n[alarm]\nto = ["queue:ehr"]\n'
    return settings_for(1, routes=queue)


def try_to_send(store: Store, settings: Settings, now: datetime) -> None:
    deliver_due(store, settings, now, who="test", despite_back_off=True)


@pytest.mark.parametrize(
    ("urgency", "minutes"), [("critical", 10), ("urgent", 60), ("routine", 720)]
)
def test_a_message_may_wait_as_long_as_its_urgency_allows(
    store: Store, settings: Settings, urgency: str, minutes: int
) -> None:
    queue_alert(store, settings, NURSE, NOW, urgency)
    allowed = timedelta(minutes=minutes)
    assert alarm_if_stuck(store, settings, NOW + allowed) is False
    late = NOW + allowed + timedelta(seconds=1)
    assert alarm_if_stuck(store, settings, late) is True
    assert alarm_if_stuck(store, settings, late + timedelta(minutes=5)) is False


def test_the_alarm_and_the_critical_message_go_out_by_the_other_way(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    queue_alert(store, settings, NURSE, NOW, "critical")
    queue_alert(store, settings, NURSE, NOW, "urgent")
    late = NOW + timedelta(minutes=11)
    try_to_send(store, settings, late)
    assert alarm_if_stuck(store, settings, late)
    try_to_send(store, settings, late)
    documents = [json.loads(path.read_text()) for path in (tmp_path / "queue").iterdir()]
    assert sorted(it["kind"] for it in documents) == ["alert", "operator"]
    (alarm,) = [it for it in documents if it["kind"] == "operator"]
    assert "1 message to mail waits longer than its urgency allows, 1 of them critical" in (
        " ".join(alarm["text"].split())
    )
    assert "127.0.0.1:1" in alarm["text"]
    with store.read() as connection:
        owed = connection.scalars(
            select(DELIVERIES.c.recipient).where(DELIVERIES.c.state == "waiting")
        )
        assert list(owed) == [NURSE, NURSE]


def test_more_critical_messages_than_are_copied_at_once_all_go_the_other_way(
    store: Store, settings: Settings
) -> None:
    many = 130
    for _ in range(many):
        queue_alert(store, settings, NURSE, NOW, "critical")
    late = NOW + timedelta(minutes=11)
    looks = [late + timedelta(minutes=look) for look in range(3)]
    assert [alarm_if_stuck(store, settings, look) for look in looks] == [True, True, False]
    with store.read() as connection:
        copied = connection.scalars(
            select(DELIVERIES.c.id).where(
                DELIVERIES.c.recipient == "queue:ehr", DELIVERIES.c.kind == "alert"
            )
        )
        assert len(list(copied)) == many


def test_without_another_way_health_is_not_well(store: Store) -> None:
    settings = settings_for(1)
    queue_alert(store, settings, NURSE, NOW, "critical")
    late = NOW + timedelta(minutes=11)
    assert alarm_if_stuck(store, settings, late) is False
    (mail,) = [part for part in examine(store, settings, late).parts if part.name == "mail"]
    assert not mail.well
    assert "waits longer than its urgency allows" in mail.says


def operator_mails(store: Store) -> list[str]:
    query = select(DELIVERIES.c.payload).where(
        DELIVERIES.c.kind == "operator", DELIVERIES.c.recipient == CLINIC
    )
    with store.read() as connection:
        return [f"{it['topic']}: {it['text']}" for it in connection.scalars(query)]


@pytest.mark.parametrize("others", [True, False])
def test_a_full_mailbox_is_told_to_the_clinic_by_mail_and_a_dead_server_is_not(
    store: Store, others: bool
) -> None:
    """Nobody else is on this ladder, and no other way is named."""
    mood = Mood(to={NURSE: "452 4.2.2 mailbox full"})
    if not others:
        mood.sender = "451 4.3.0 not now"
    with mail_server(mood) as port:
        settings = settings_for(port)
        queue_alert(store, settings, NURSE, NOW, "urgent")
        for minutes in (0, 45, 62, 70):
            now = NOW + timedelta(minutes=minutes)
            queue_alert(store, settings, "doctor@hill.example", now, "urgent")
            try_to_send(store, settings, now)
            alarm_if_stuck(store, settings, now)
    told = operator_mails(store)
    assert len(told) == others
    assert not told or told[0].startswith(
        f"messages to {NURSE} do not go out: 1 message to {NURSE} waits longer than its urgency "
        "allows, the oldest since 12 May 2026, 09:02. The last error: 452 4.2.2 mailbox full."
    )


def test_after_an_outage_what_is_not_tried_again_yet_is_no_trouble_of_its_reader(
    store: Store,
) -> None:
    mood = Mood(sender="451 4.3.0 not now")
    late = NOW + timedelta(minutes=90)
    with mail_server(mood) as port:
        settings = settings_for(port)
        queue_alert(store, settings, NURSE, NOW, "urgent")
        try_to_send(store, settings, NOW + timedelta(minutes=80))
        mood.sender = ""
        queue_alert(store, settings, "doctor@hill.example", late, "urgent")
        deliver_due(store, settings, late, who="test")
        alarm_if_stuck(store, settings, late + timedelta(minutes=1))
    assert operator_mails(store) == []


def test_where_no_other_way_is_named_the_clinic_has_what_does_not_go_out_by_another_channel(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "queue").write_text("no folder")
    settings = settings_for(1, routes=f'[queues.ehr]\nfolder = "{tmp_path / "queue"}"\n')
    queue_alert(store, settings, "queue:ehr", NOW, "critical")
    late = NOW + timedelta(minutes=11)
    try_to_send(store, settings, late)
    assert alarm_if_stuck(store, settings, late)
    with store.read() as connection:
        query = select(DELIVERIES.c.kind).where(DELIVERIES.c.recipient == CLINIC)
        assert set(connection.scalars(query)) == {"alert", "operator"}
