"""NHANES blood counts: one wide row a person, coded headers, no dates, no units.

The wide row is turned into long rows (a filled cell is a row); the units are those of the
survey's codebook, named once in `[sources.nhanes]`. Everybody is drawn on one fixed day.
`nhanes_percent` leaves the absolute differential out, so that it has to be derived.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.real_data.prepared import (
    RESULT_COLUMNS,
    Load,
    Prepared,
    assemble,
    day_0,
    read_text,
    seen_on,
    write_rows,
)

_NOT_MEASURED = ["SEQN", "RIAGENDR", "RIDAGEYR"]
_ABSOLUTE = "LBD"
"""How the survey's code book begins the names of absolute differential counts."""


def prepare(folder: Path, out: Path) -> Prepared:
    return _prepare(_table(folder), out)


def prepare_percent(folder: Path, out: Path) -> Prepared:
    wide = _table(folder)
    absolute = [name for name in wide.columns if name.startswith(_ABSOLUTE)]
    return _prepare(wide.drop(columns=absolute), out)


def _table(folder: Path) -> pd.DataFrame:
    (file,) = folder.glob("CBC*.csv")
    return read_text(file)


def _prepare(wide: pd.DataFrame, out: Path) -> Prepared:
    known = [name for name in _NOT_MEASURED if name in wide.columns]
    rows = wide.melt(id_vars=known, var_name="analyte", value_name="value")
    rows = rows[rows["value"] != ""]
    rows = rows.rename(columns={"SEQN": "mrn"}).assign(collected_at=day_0(), unit="")
    path = write_rows(rows[RESULT_COLUMNS], out)
    people = pd.DataFrame({"mrn": wide["SEQN"], "started_on": day_0()})
    loads = (Load(path=path, source="nhanes"),)
    return assemble(people, loads, seen_on(rows["mrn"], rows["collected_at"]))
