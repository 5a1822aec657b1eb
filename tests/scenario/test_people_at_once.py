"""What several people do to accounts at the same moment, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from monitor.core.permissions import Role
from monitor.operations import accounts
from monitor.operations.accounts import AccountRefused
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.database import Store
from tests.clinic import at

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
