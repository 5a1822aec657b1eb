"""What several people do to accounts, and from one address, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from monitor.core.permissions import Role
from monitor.operations import accounts, throttle
from monitor.operations.accounts import AccountRefused
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.database import Store
from tests.clinic import at, settings_in

NOW = at("2026-03-10")


def test_of_two_admins_who_disable_each_other_one_stays(store: Store) -> None:
    """Each saw the other still there, and nobody could look after the monitor any more."""
    by = ON_THE_COMMAND_LINE
    for name in ("first", "second"):
        accounts.add(
            store, name=name, role=Role.ADMIN, password="river copper window", must_change=False,
            by=by, now=NOW,
        )  # fmt: skip
    together = threading.Barrier(2)

    def disable(name: str) -> bool:
        together.wait()
        try:
            accounts.disable(store, name, by=by, now=NOW)
        except AccountRefused:
            return False
        return True

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(disable, ("first", "second"))) == [False, True]
        for name in ("first", "second"):
            accounts.enable(store, name, by=by, now=NOW)


def test_a_ward_that_mistypes_now_and_then_is_not_locked_out(store: Store, tmp_path: Path) -> None:
    """All sit behind one address, where somebody signs in every few minutes and somebody mistypes
    every hour. Nobody's slip was ever forgotten, and after two days each one closed the door to
    everybody for a quarter of an hour."""
    settings = settings_in(tmp_path)
    guard = throttle.address_guard(settings, "192.0.2.7")
    now = NOW
    for minute in range(0, 4 * 24 * 60, 3):
        now = NOW + timedelta(minutes=minute)
        throttle.count(store, settings, (guard,), now)
        if minute % 60:
            with store.write() as connection:
                throttle.take_back(connection, guard)
    for second in range(60):
        try:
            throttle.count(store, settings, (guard,), now + timedelta(seconds=second))
        except throttle.Throttled:
            break
    assert 20 < second < 40, "who guesses is slowed all the same"
