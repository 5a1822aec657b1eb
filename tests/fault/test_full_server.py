"""A PostgreSQL that has no room left: it answers, and a person has to make room."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from monitor.delivery.send import deliver_due
from monitor.store.database import Store, open_store
from monitor.store.errors import StoreError, StoreLost
from tests.fault.kill_mail import Postbox
from tests.mail_world import mail_server, queue_alert, settings_for

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
_FULL = (
    "RAISE EXCEPTION 'could not extend file \"base/1\": No space left on device' "
    "USING ERRCODE = 'disk_full'"
)


@contextmanager
def _no_room_for(store: Store, column: str, value: str) -> Iterator[None]:
    """As long as a delivery is given this value the server answers as with a full disk."""
    with store.write() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF NEW.{column} = '{value}' THEN {_FULL}; END IF; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE UPDATE ON deliveries "
                "FOR EACH ROW EXECUTE FUNCTION full_disk()"
            )
        )
    yield
    with store.write() as connection:
        connection.execute(text("DROP FUNCTION full_disk CASCADE"))


@pytest.mark.postgresql_only
def test_a_full_disk_is_no_server_that_does_not_answer(store: Store) -> None:
    """Whoever waited for it to come back would wait for ever, and nobody would be told."""
    with pytest.raises(StoreError) as told, store.write() as connection:
        connection.execute(text(f"DO $$ BEGIN {_FULL}; END $$"))
    assert "No space left on device" in str(told.value)
    assert not isinstance(told.value, StoreLost)


@pytest.mark.postgresql_only
def test_a_mail_that_cannot_be_noted_for_want_of_room_is_not_sent_again(store: Store) -> None:
    postbox = Postbox()
    with mail_server(postbox) as port:
        settings = settings_for(port)
        queue_alert(store, settings, "nurse@hill.example", NOW)

        def daemon() -> None:
            own = open_store(store.engine.url.render_as_string(hide_password=False))
            while not postbox.accepted or not done.is_set():
                try:
                    deliver_due(own, settings, NOW, who="daemon")
                except StoreError:
                    time.sleep(0.1)
            own.dispose()

        done = threading.Event()
        thread = threading.Thread(target=daemon)
        with _no_room_for(store, "state", "sent"):
            thread.start()
            time.sleep(2)
            done.set()
        thread.join()
    assert len(postbox.accepted) == 1
