"""A row of an enrolment file, read: what it says, or the first thing wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monitor.intake.people import Number, mrn_loose
from monitor.intake.people_file import (
    Cells,
    Refused,
    day_of,
    needed,
    patient_number,
    positive,
    word_of,
)

GENOTYPES = ("normal", "intermediate", "poor", "indeterminate")
_YEARS_AHEAD = 2
_MRN_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Application:
    """A row of an enrolment file, read; None and "" stand for empty cells."""

    line: int
    mrn: Number
    family_name: str
    given_name: str
    birth_date: date | None
    sex: str
    drug: str
    indication: str
    started_on: date
    dose_mg_per_day: Decimal | None
    weight_kg: Decimal | None
    tpmt: str
    nudt15: str
    clinic: str
    protocol: str
    last_tested_on: date | None


def read_application(line: int, cells: Cells, today: date) -> Application:
    """Read a row. Raises Refused with the first thing wrong with it."""
    mrn = patient_number(cells)
    if len(str(mrn)) > _MRN_LIMIT or not mrn_loose(mrn.number):
        raise Refused("mrn is no patient number")
    drug = needed(cells, "drug")
    needed(cells, "started_on")
    started_on = day_of(cells, "started_on")
    assert started_on is not None
    birth_date = day_of(cells, "birth_date")
    last_tested_on = day_of(cells, "last_tested_on")
    if birth_date is not None and birth_date > today:
        raise Refused("birth_date lies in the future")
    if birth_date is not None and started_on < birth_date:
        raise Refused("started_on lies before the birth date")
    if started_on.year - today.year > _YEARS_AHEAD:
        raise Refused(f"started_on lies more than {_YEARS_AHEAD} years ahead")
    if last_tested_on is not None and last_tested_on > today:
        raise Refused("last_tested_on lies in the future")
    return Application(
        line=line,
        mrn=mrn,
        family_name=cells["family_name"],
        given_name=cells["given_name"],
        birth_date=birth_date,
        sex=cells["sex"].casefold(),
        drug=drug.casefold(),
        indication=cells["indication"],
        started_on=started_on,
        dose_mg_per_day=positive(cells, "dose_mg_per_day"),
        weight_kg=positive(cells, "weight_kg"),
        tpmt=word_of(cells, "tpmt", GENOTYPES),
        nudt15=word_of(cells, "nudt15", GENOTYPES),
        clinic=cells["clinic"],
        protocol=cells["protocol"],
        last_tested_on=last_tested_on,
    )
