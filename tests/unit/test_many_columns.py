"""A table of very many columns is read, or refused, in a time that grows with their number."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.survey import UnreadableFile, survey
from monitor.resources import schedules_folder

_COLUMNS = 30_000


def test_a_header_of_very_many_columns_is_refused_in_seconds(tmp_path: Path) -> None:
    """Each title was looked for among all others, several times: it took a third of a minute."""
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    catalogue = load_catalogue(text, "analytes.toml")
    path = tmp_path / "wide.csv"
    names = ",".join(f"col{number}" for number in range(_COLUMNS))
    row = "P1,2026-03-09," + ",".join("1" * _COLUMNS)
    path.write_text(f"mrn,collected_at,{names}\n{row}\n{row}\n")
    before = time.process_time()
    with (
        pytest.raises(UnreadableFile, match="lacks analyte, value"),
        open_rows(survey(path), Source(), catalogue) as found,
    ):
        list(found.items)
    assert time.process_time() - before < 12
