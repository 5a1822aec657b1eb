"""Mayo PBC sequence: one wide row a visit, days since the enrolment, no units in the file.

Times are relative and the form is wide, so `results.csv` is written (a filled cell is a row);
the units are those of the data's documentation, named once in `[sources.pbcseq]`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.real_data.prepared import (
    RESULT_COLUMNS,
    Load,
    Prepared,
    after_day_0,
    assemble,
    day_0,
    day_of,
    read_text,
    seen_on,
    write_rows,
)

_MEASURED = ["bili", "chol", "albumin", "alk.phos", "ast", "platelet", "protime"]
_ABSENT = ("", "NA")


def prepare(folder: Path, out: Path) -> Prepared:
    visits = read_text(folder / "pbcseq.csv")
    rows = visits.melt(
        id_vars=["id", "day"], value_vars=_MEASURED, var_name="analyte", value_name="value"
    )
    rows = rows[~rows["value"].isin(_ABSENT)]
    collected = day_of(after_day_0(pd.to_numeric(rows["day"])))
    rows = rows.rename(columns={"id": "mrn"}).assign(collected_at=collected, unit="")
    path = write_rows(rows[RESULT_COLUMNS], out)
    people = pd.DataFrame({"mrn": visits["id"].unique(), "started_on": day_0()})
    return assemble(people, (Load(path=path, source="pbcseq"),), seen_on(rows["mrn"], collected))
