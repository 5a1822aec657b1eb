"""Jost et al. 2020: neutrophils and daily 6-mercaptopurine, in days since the start.

Times are relative, so `results.csv` is written. A dose event stands for each change of the
daily dose; more than a week without a dose is a hold from the day after the last one, and the
next dose is its resumption.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.real_data.prepared import (
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

_INTERRUPTED_DAYS = 7


def prepare(folder: Path, out: Path) -> Prepared:
    counts = read_text(folder / "anc_measurements.csv")
    rows = pd.DataFrame(
        {
            "mrn": counts["ID"],
            "collected_at": after_day_0(pd.to_numeric(counts["TIME_days"])),
            "analyte": "ANC",
            "value": counts["ANC_G_per_L"],
            "unit": "G/L",
        }
    )
    people = pd.DataFrame({"mrn": counts["ID"].unique(), "started_on": day_0()})
    loads = (Load(path=write_rows(rows, out)),)
    events = _events(read_text(folder / "dose_events.csv"))
    known = events["mrn"].isin(people["mrn"])
    return assemble(
        people, loads, seen_on(rows["mrn"], day_of(rows["collected_at"])), events[known]
    )


def _events(doses: pd.DataFrame) -> pd.DataFrame:
    days = pd.to_numeric(doses["TIME_days"])
    doses = doses.assign(days=days, amount=pd.to_numeric(doses["AMT_6MP"]))
    given = doses[doses["amount"] > 0].sort_values(["ID", "days"], kind="stable")
    given = given.assign(on=day_of(after_day_0(given["days"])))
    by_patient = given.groupby("ID")
    changed = given[given["amount"] != by_patient["amount"].shift()]
    since = given["days"] - by_patient["days"].shift()
    resumed = given[since > _INTERRUPTED_DAYS]
    held_on = after_day_0(by_patient["days"].shift()[resumed.index] + 1)
    return pd.concat(
        [
            pd.DataFrame({"mrn": resumed["ID"], "on": day_of(held_on), "event": "hold"}),
            pd.DataFrame({"mrn": resumed["ID"], "on": resumed["on"], "event": "resume"}),
            pd.DataFrame(
                {
                    "mrn": changed["ID"],
                    "on": changed["on"],
                    "event": "dose",
                    "value": changed["AMT_6MP"],
                }
            ),
        ]
    )
