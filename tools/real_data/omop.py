"""OMOP CDM: MEASUREMENT rows addressed by concept ids.

Code, unit and operator are concepts, to be looked up in CONCEPT, so `results.csv` is written:
LOINC code of `measurement_concept_id`, UCUM code of `unit_concept_id` (the source's own unit
where it has none), `<` and its like of `operator_concept_id` before the number. A measurement
whose time is midnight has a day only.
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

_OPERATORS = {"4171756": "<", "4171754": "<=", "4172704": ">", "4171755": ">="}
"""Concepts of the OMOP vocabulary; 4172703 is "=", 0 none."""
_MIDNIGHT = " 00:00:00"


def prepare(folder: Path, out: Path) -> Prepared:
    (file,) = folder.glob("MEASUREMENT*.csv")
    (concepts_file,) = folder.glob("CONCEPT*.csv")
    taken = read_text(file)
    codes = read_text(concepts_file).set_index("concept_id")["concept_code"]
    number = taken["value_as_number"]
    operator = taken["operator_concept_id"].map(_OPERATORS).fillna("")
    rows = pd.DataFrame(
        {
            "mrn": taken["person_id"],
            "collected_at": _moment(taken),
            "analyte": _coded(taken["measurement_concept_id"], codes).where(
                lambda it: it != "", taken["measurement_source_value"]
            ),
            "value": (operator + number).where(number != "", taken["value_source_value"]),
            "unit": _coded(taken["unit_concept_id"], codes).where(
                lambda it: it != "", taken["unit_source_value"]
            ),
            "ref_low": taken["range_low"],
            "ref_high": taken["range_high"],
        }
    )
    path = write_rows(rows, out)
    days = day_of(rows["collected_at"])
    people = first_days(rows["mrn"], days)
    return assemble(people, (Load(path=path, source="loinc_feed"),), seen_on(rows["mrn"], days))


def _coded(concepts: pd.Series, codes: pd.Series) -> pd.Series:
    return concepts.where(concepts != "0", "").map(codes).fillna("")


def _moment(taken: pd.DataFrame) -> pd.Series:
    timed = taken["measurement_datetime"]
    known = (timed != "") & ~timed.str.endswith(_MIDNIGHT)
    return timed.where(known, taken["measurement_date"])
