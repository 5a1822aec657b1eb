"""A file that is dropped is looked at once it has settled, and until somebody does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.intake.watch import Watch
from tests.clinic import CONFIG, settings_in
from tests.processes import met

CALM = 0.3


@contextmanager
def watching(folder: Path, looks: list[float], settle: float) -> Iterator[Watch]:
    text = f"{CONFIG}\n[intake]\nsettle_seconds = {settle}\n[sources.hill]\n"
    (folder / "inbox").mkdir(exist_ok=True)
    watch = Watch(settings_in(folder, text), lambda: looks.append(time.monotonic()))
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def test_nothing_is_looked_at_where_nothing_came(tmp_path: Path) -> None:
    looks: list[float] = []
    with watching(tmp_path, looks, 0):
        time.sleep(CALM)
    assert looks == []


def test_a_drop_is_looked_at_until_somebody_began_to(tmp_path: Path) -> None:
    looks: list[float] = []
    with watching(tmp_path, looks, 0) as watch:
        (tmp_path / "inbox" / "a.csv").touch()
        assert met(lambda: len(looks) > 2)
        watch.looked()
        time.sleep(CALM)
        seen = len(looks)
        time.sleep(CALM)
        assert len(looks) == seen
        (tmp_path / "inbox" / "b.csv").touch()
        assert met(lambda: len(looks) > seen)


def test_a_drop_into_the_folder_of_a_source_is_seen_even_where_that_is_new(tmp_path: Path) -> None:
    looks: list[float] = []
    with watching(tmp_path, looks, 0) as watch:
        (tmp_path / "inbox" / "hill").mkdir()
        assert met(lambda: bool(looks))
        watch.looked()
        time.sleep(CALM)
        looks.clear()
        (tmp_path / "inbox" / "hill" / "a.csv").touch()
        assert met(lambda: bool(looks))


def test_a_file_has_its_time_to_settle(tmp_path: Path) -> None:
    looks: list[float] = []
    with watching(tmp_path, looks, 1):
        dropped = time.monotonic()
        (tmp_path / "inbox" / "a.csv").touch()
        assert met(lambda: bool(looks))
    assert looks[0] - dropped >= 1
