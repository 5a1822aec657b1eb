"""What a row of an enrolment file says of somebody who is on that drug already, or was: what it
adds, and what an event or a command has to say instead (specification: interfaces, "Enrolment
CSV")."""

from __future__ import annotations

from datetime import date
from typing import Any

from monitor.core.vocabulary import DIED
from monitor.intake.application import Application
from monitor.intake.people_file import Refused
from monitor.intake.roster import Entry


def is_restart(row: Application, current: Entry) -> bool:
    """Whether the row opens a new enrolment after the end of the last. Raises Refused."""
    if current.ended_on is None:
        return False
    if current.ended_by == DIED or row.started_on <= current.ended_on:
        raise Refused(current.how_it_ended)
    return True


def changes_of(row: Application, current: Entry) -> dict[str, Any]:
    """What the row adds to a lasting enrolment. Raises Refused for what an event or a
    command has to say."""
    life = current.life
    starts = {current.started_on} | ({life.first_dose_on} if life else set())
    if row.started_on not in starts:
        raise Refused(
            f"enrolled with the start day {current.started_on}: the day of the first dose is "
            "said by the event start; a new treatment follows the event stop"
        )
    dose = life.last_dose.mg_per_day if life and life.last_dose else None
    known_dose = {current.dose_mg_per_day, dose} - {None}
    if row.dose_mg_per_day is not None and known_dose and row.dose_mg_per_day not in known_dose:
        raise Refused("the dose differs from what is known: say it by the event dose")
    for gene in ("tpmt", "nudt15"):
        said, known = getattr(row, gene), getattr(current, gene)
        if said and known and said != known:
            raise Refused(
                f"{gene} differs from what is known: say it by the event genotype, "
                f"value {gene}:{said}"
            )
    if row.clinic and current.clinic and row.clinic.casefold() != current.clinic.casefold():
        raise Refused(
            "the clinic differs from what is known: hand over by the events transfer_out and "
            "accepted_by"
        )
    _refuse_other_protocol(row, current)
    said_now = {
        "indication": row.indication,
        "clinic": current.clinic or row.clinic,
        "dose_mg_per_day": None if known_dose else row.dose_mg_per_day,
        "weight_kg": row.weight_kg,
        "tpmt": row.tpmt,
        "nudt15": row.nudt15,
        "last_tested_on": _later(row.last_tested_on, current.last_tested_on),
    }
    return {name: it for name, it in said_now.items() if it and it != getattr(current, name)}


def _refuse_other_protocol(row: Application, current: Entry) -> None:
    if row.protocol and row.protocol != current.protocol_id:
        raise Refused(
            f"enrolled under the protocol {current.protocol_id}: record the event stop, then "
            "enrol anew with a later started_on under the other one"
        )


def _later(said: date | None, known: date | None) -> date | None:
    """The later of two days, where both are known."""
    return max((day for day in (said, known) if day is not None), default=None)
