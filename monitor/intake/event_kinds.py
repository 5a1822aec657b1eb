"""The events a clinic records: which are of one enrolment, which need more (interfaces, "Events
CSV")."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from monitor.core.event_values import VALUES, WrongValue
from monitor.core.faults import nearest
from monitor.core.merges import MERGE, UNMERGE
from monitor.intake.dates import read_day
from monitor.intake.people_file import Refused

OF_ENROLMENT = ("start", "dose", "hold", "resume", "stop")
"""Events that mean one enrolment; all others mean the patient."""
MERGES = (MERGE, UNMERGE)
"""Events about numbers: they hold for all time, whatever their day."""
BACK = "back"
"""The end of a time elsewhere."""
NOT_YET_TRUE = ("died", "transfusion", *MERGES)
"""Events that cannot be told in advance."""
UNTIL_A_DAY = ("hold", "inpatient", "away", "monitored_elsewhere", "genotype_unavailable")
"""Events whose value ends with the day until when something rests."""
WITH_AUTHOR = ("genotype_unavailable",)
"""Events whose note has to say who decided, and why: `Dr Gray: sent away, laboratory closed`."""


def event_value(event: str, value: str, on: date) -> str:
    """The value to keep of an event of this day. Raises Refused."""
    try:
        return VALUES[event].keep(value, on, read_day)
    except WrongValue as wrong:
        raise Refused(str(wrong)) from wrong


def event_name(text: str) -> str:
    """The event a cell names. Raises Refused, naming the nearest."""
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    if word not in VALUES:
        guess = nearest(word, VALUES)
        guess = guess if guess.startswith("did you mean") else f"known: {', '.join(VALUES)}"
        raise Refused(f'unknown event "{text[:40]}"; {guess}')
    return word


def is_merge(text: str) -> bool:
    """Whether a cell names an event about numbers, however it is written."""
    try:
        return event_name(text) in MERGES
    except Refused:
        return False


def check_symptom(value: str, known: Collection[str]) -> None:
    """Raises Refused where a protocol's word stands among others: nobody would be told of the
    fever in `fever; chills`, nor is `no fever` one."""
    if value in known:
        return
    among = [it for it in sorted(known) if re.search(rf"(?<![a-z]){re.escape(it)}(?![a-z])", value)]
    if among:
        raise Refused(
            f"value must be one symptom, by its word alone: {' or '.join(among)}; a row for each, "
            "and what else there is to say in note"
        )
