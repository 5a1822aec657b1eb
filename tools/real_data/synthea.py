"""Synthea: the simulator's own observations.csv, by LOINC, UTC instants.

Loaded as it is, by `[sources.synthea]`. Start: the first result; died: DEATHDATE.
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
    path = folder / "observations_laboratory.csv"
    labs = read_text(path)
    days = day_of(labs["DATE"])
    persons = read_text(folder / "patients.csv")
    known = pd.DataFrame(
        {
            "mrn": persons["Id"],
            "family_name": persons["LAST"],
            "given_name": persons["FIRST"],
            "birth_date": persons["BIRTHDATE"],
            "sex": persons["GENDER"],
        }
    )
    people = first_days(labs["PATIENT"], days).merge(known, on="mrn", how="left").fillna("")
    dead = persons[(persons["DEATHDATE"] != "") & persons["Id"].isin(people["mrn"])]
    events = pd.DataFrame({"mrn": dead["Id"], "on": day_of(dead["DEATHDATE"]), "event": "died"})
    return assemble(
        people, (Load(path=path, source="synthea"),), seen_on(labs["PATIENT"], days), events
    )
