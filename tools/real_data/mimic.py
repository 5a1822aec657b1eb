"""MIMIC-III demo: LABEVENTS by local item number, differentials only in percent, dates
shifted into 2100 to 2200. Loaded as it is, by `[sources.mimic]`.

The second way (`mimic_loinc`) puts the LOINC code of D_LABITEMS in the place of the item
number; that table names 731-0 and 761-7 (absolute counts) for percentages, so the unit has to
decide, and both ways must give the same alerts. Start: the first result; died: DOD.
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
    write_rows,
)


def prepare(folder: Path, out: Path) -> Prepared:
    path = folder / "LABEVENTS_cbc_lft.csv"
    return _prepare(folder, Load(path=path, source="mimic"))


def prepare_loinc(folder: Path, out: Path) -> Prepared:
    events = read_text(folder / "LABEVENTS_cbc_lft.csv")
    items = read_text(folder / "D_LABITEMS.csv").set_index("ITEMID")["LOINC_CODE"]
    coded = events.assign(LOINC_CODE=events["ITEMID"].map(items).fillna(""))
    path = write_rows(coded.drop(columns="ITEMID"), out, "LABEVENTS_loinc.csv")
    return _prepare(folder, Load(path=path, source="mimic_loinc"))


def _prepare(folder: Path, load: Load) -> Prepared:
    labs = read_text(load.path)
    days = day_of(labs["CHARTTIME"])
    persons = read_text(folder / "PATIENTS.csv")
    people = first_days(labs["SUBJECT_ID"], days).merge(
        persons[["SUBJECT_ID", "GENDER"]], left_on="mrn", right_on="SUBJECT_ID", how="left"
    )
    people = people.rename(columns={"GENDER": "sex"})[["mrn", "started_on", "sex"]]
    return assemble(
        people.fillna(""),
        (load,),
        seen_on(labs["SUBJECT_ID"], days),
        _events(folder, persons, people["mrn"]),
    )


def _events(folder: Path, persons: pd.DataFrame, mrns: pd.Series) -> pd.DataFrame:
    dead = persons[persons["DOD"] != ""]
    parts = [pd.DataFrame({"mrn": dead["SUBJECT_ID"], "on": day_of(dead["DOD"]), "event": "died"})]
    prescriptions = folder / "PRESCRIPTIONS_selected.csv"
    if prescriptions.exists():
        drugs = read_text(prescriptions)
        parts.extend(
            pd.DataFrame(
                {
                    "mrn": drugs["SUBJECT_ID"],
                    "on": day_of(drugs[column]),
                    "event": event,
                    "value": drugs["DRUG"].str.lower(),
                }
            )
            for column, event in (
                ("STARTDATE", "comedication_start"),
                ("ENDDATE", "comedication_stop"),
            )
        )
    told = pd.concat(parts)
    return told[told["mrn"].isin(mrns) & (told["on"] != "")].drop_duplicates()
