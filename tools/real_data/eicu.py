"""eICU demo: minutes since the admission to an intensive care unit, units as 40 hospitals'
interfaces sent them. One stay is one patient, as in the set's facts.

Times are relative, so `results.csv` is written: the admission is a fixed day at the stay's own
clock time. The value is the text where there is one (`<0.1`), the unit the interface's own.
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
    day_of,
    read_text,
    seen_on,
    write_rows,
)


def prepare(folder: Path, out: Path) -> Prepared:
    stays = read_text(folder / "patient.csv").set_index("patientunitstayid")
    labs = read_text(folder / "lab_cbc_lft.csv")
    clock = labs["patientunitstayid"].map(stays["unitadmittime24"]).fillna("00:00:00")
    admitted = pd.to_datetime(day_0() + " " + clock)
    rows = pd.DataFrame(
        {
            "mrn": labs["patientunitstayid"],
            "collected_at": _after(admitted, labs["labresultoffset"]),
            "analyte": labs["labname"],
            "value": labs["labresulttext"].where(labs["labresulttext"] != "", labs["labresult"]),
            "unit": labs["labmeasurenameinterface"],
            "reported_at": _after(admitted, labs["labresultrevisedoffset"]),
        }
    )
    people = pd.DataFrame({"mrn": labs["patientunitstayid"].unique(), "started_on": day_0()})
    path = write_rows(rows[[*RESULT_COLUMNS, "reported_at"]], out)
    loads = (Load(path=path, source="eicu"),)
    return assemble(people, loads, seen_on(rows["mrn"], day_of(rows["collected_at"])))


def _after(admitted: pd.Series, minutes: pd.Series) -> pd.Series:
    offset = pd.to_timedelta(pd.to_numeric(minutes), unit="min")
    texts: pd.Series = (admitted + offset).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return texts.fillna("")
