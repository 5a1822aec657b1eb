"""What clinicians set for a treatment that was stopped, told to whoever enrols the patient anew."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from monitor.core.personal import name
from monitor.intake.people import Number
from monitor.intake.roster import Entry
from monitor.store.personal import lasting_terms


def words_of_left(connection: Connection, new: Entry, today: date, mrn: Number) -> str:
    """What does not count for the new treatment, and how to keep it; empty: nothing."""
    left = lasting_terms(connection, new.patient_id, new.drug, new.id, today)
    if not left:
        return ""
    told = "; ".join(f"{name(it)} until {it.until}" for it in left)
    return (
        f"set for the treatment before, and not for this one: {told}; to keep it: monitor limit "
        f"keep {mrn} --by WHO --reason TEXT"
    )
