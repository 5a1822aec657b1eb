"""Random weeks of a small clinic: whoever must hear of something hears of it, and nobody else."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from monitor.store.database import Store, open_store
from tests.property.telling_oracle import Oracle
from tests.property.telling_world import World

HISTORIES = int(os.environ.get("MONITOR_TELLING", "8"))
"""More of them look longer: each takes a second or so."""
FIRST = int(os.environ.get("MONITOR_TELLING_FIRST", "1"))
PAUSES = (1, 5, 20, 40, 60, 150, 400, 900, 2000)
"""Minutes from one thing that happens to the next."""


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_whoever_must_hear_hears_in_time_and_nobody_else(
    migrated_sqlite: Path, tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "monitor.db"
    shutil.copy(migrated_sqlite, path)
    store = open_store(f"sqlite:///{path}")
    try:
        oracle = lived(World(store, tmp_path, Random(seed)))
    finally:
        store.dispose()
    assert not oracle.broken, "\n".join([*oracle.world.log[:2], *oracle.world.log[-60:]])


@pytest.mark.postgresql_only
@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES // 5))
def test_several_daemons_that_die_lose_nothing_and_tell_nobody_twice(
    store: Store, tmp_path: Path, seed: int
) -> None:
    oracle = lived(World(store, tmp_path, Random(seed), daemons=3))
    assert not oracle.broken, "\n".join([*oracle.world.log[:2], *oracle.world.log[-60:]])


def lived(world: World) -> Oracle:
    """A history to its end, or to the first promise that is broken."""
    oracle, luck = Oracle(world), world.luck
    oracle.look()
    for _ in range(luck.randint(4, 12)):
        pause = timedelta(minutes=luck.choice(PAUSES), seconds=luck.randint(0, 59))
        for _ in world.until(world.now + pause):
            oracle.look()
            if oracle.broken:
                return oracle
        world.act()
        world.look()
        oracle.look()
        if oracle.broken:
            return oracle
    world.mend()
    for _ in world.until(world.now + timedelta(minutes=30)):
        oracle.look()
    oracle.end()
    return oracle
