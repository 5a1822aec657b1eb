"""The examples of docs/files.md are taken as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.core.event_values import VALUES
from monitor.core.result_columns import RESULT_COLUMNS
from monitor.intake.enrol import COLUMNS as ENROL_COLUMNS
from monitor.intake.events import COLUMNS as EVENT_COLUMNS
from tests.clinic import CONFIG, at, settings_in
from tests.desk import sqlite_desk

GUIDE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOW = at("2026-03-10")


def test_the_examples_of_the_guide_are_taken_whole(migrated_sqlite: Path, tmp_path: Path) -> None:
    blocks = BLOCK.findall(GUIDE)
    patients, events, long, wide = (text.splitlines() for kind, text in blocks if kind == "csv")
    (mapping,) = (text for kind, text in blocks if kind == "toml")
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        assert desk.enrol(*patients[1:], header=patients[0], now=NOW).taken == 2
        taken = desk.events(*events[1:], now=NOW)
        assert (taken.taken, taken.refused) == (3, ())
        assert desk.load(*long[1:], header=long[0], now=NOW).stored == 3
        assert desk.load(*wide[1:], header=wide[0], now=NOW).quarantined == 0
        desk.settings = settings_in(tmp_path, CONFIG + mapping)
        report = desk.load(
            "10023;02.03.2026;NEUT1;0,9;giga",
            "10023;02.03.2026;inr;1,1;",
            "10023;02.03.2026;REMINDER;;",
            header="mrn;Datum;Test;Wert;unit",
            source="north",
            now=NOW,
        )
        assert (report.stored, report.ignored) == (2, 1)


def test_the_guide_names_every_column_and_every_event() -> None:
    names = {*RESULT_COLUMNS, *ENROL_COLUMNS, *EVENT_COLUMNS, *VALUES}
    assert [name for name in sorted(names) if f"`{name}`" not in GUIDE] == []
