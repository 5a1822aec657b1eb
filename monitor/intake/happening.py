"""One row of an events file, read and checked by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from monitor.core.status_words import read_status
from monitor.core.vocabulary import Status
from monitor.intake.dates import read_day
from monitor.intake.event_kinds import (
    NOT_YET_TRUE,
    UNTIL_A_DAY,
    WITH_AUTHOR,
    event_name,
    event_value,
)
from monitor.intake.people import Number
from monitor.intake.people_file import Cells, Refused, day_of, needed, patient_number

_YEARS_AHEAD = 2
_NOTE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Happening:
    """A row of an events file, read."""

    line: int
    mrn: Number
    on: date
    event: str
    value: str
    drug: str
    note: str
    withdrawn: bool


def read_happening(line: int, cells: Cells, today: date) -> Happening:
    """Read a row. Raises Refused with the first thing wrong with it."""
    mrn = patient_number(cells)
    event = event_name(needed(cells, "event"))
    needed(cells, "on")
    on = day_of(cells, "on")
    assert on is not None
    if on.year - today.year > _YEARS_AHEAD:
        raise Refused(f"on lies more than {_YEARS_AHEAD} years ahead")
    if event in NOT_YET_TRUE and on > today:
        raise Refused(f"{event} lies in the future")
    withdrawn = _is_withdrawn(cells["status"])
    value = cells["value"]
    if not withdrawn or value:
        value = event_value(event, value, on)
    if not withdrawn and event in UNTIL_A_DAY:
        _refuse_far_end(value, today)
    who, _, why = cells["note"].partition(":")
    if event in WITH_AUTHOR and not withdrawn and not (who.strip() and why.strip()):
        raise Refused("note has to say who decided and why, as in Dr Gray: sent away, no answer")
    return Happening(
        line=line,
        mrn=mrn,
        on=on,
        event=event,
        value=value,
        drug=cells["drug"].casefold(),
        note=cells["note"][:_NOTE_LIMIT],
        withdrawn=withdrawn,
    )


def _refuse_far_end(value: str, today: date) -> None:
    """A slip in the year would let a patient rest for good."""
    until = read_day(value.rpartition(":")[2])
    if until is not None and until.year - today.year > _YEARS_AHEAD:
        raise Refused(f"value, the day until when, lies more than {_YEARS_AHEAD} years ahead")


def _is_withdrawn(word: str) -> bool:
    if word.casefold() in ("", "active", "completed"):
        return False
    status = read_status(word)
    if status is Status.WITHDRAWN:
        return True
    if status is Status.FINAL:
        return False
    raise Refused("status is empty, or entered-in-error to withdraw the same event")
