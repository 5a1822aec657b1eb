"""SMART sample patients: a tab-separated export by LOINC, blood, urine and more in one file.

Loaded as it is, by `[sources.smart]`. Start: the first result.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.real_data.prepared import (
    Load,
    Prepared,
    assemble,
    day_of,
    first_days,
    read_text,
    seen_on,
)


def prepare(folder: Path, out: Path) -> Prepared:
    path = folder / "labs.txt"
    labs = read_text(path, sep="\t")
    days = day_of(labs["DATE"])
    persons = read_text(folder / "patients.txt", sep="\t")
    known = pd.DataFrame(
        {
            "mrn": persons["PID"],
            "family_name": persons["lname"],
            "given_name": persons["fname"],
            "birth_date": persons["dob"],
            "sex": persons["GENDER"],
        }
    )
    people = first_days(labs["PID"], days).merge(known, on="mrn", how="left").fillna("")
    return assemble(people, (Load(path=path, source="smart"),), seen_on(labs["PID"], days))
