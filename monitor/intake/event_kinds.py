"""The events a clinic records, and what each one's value has to be (interfaces, "Events CSV")."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date

from monitor.core.faults import nearest
from monitor.core.merges import MERGE, UNMERGE
from monitor.intake.dates import read_day
from monitor.intake.people_file import Refused, one_of, positive_number

OF_ENROLMENT = ("start", "dose", "hold", "resume", "stop")
"""Events that mean one enrolment; all others mean the patient."""
MERGES = (MERGE, UNMERGE)
"""Events about numbers: they hold for all time, whatever their day."""
NOT_YET_TRUE = ("died", "transfusion", *MERGES)
"""Events that cannot be told in advance."""
UNTIL_A_DAY = ("hold", "inpatient", "away", "monitored_elsewhere", "genotype_unavailable")
"""Events whose value ends with the day until when something rests."""
_GENES = ("tpmt", "nudt15")
_METABOLISERS = ("normal", "intermediate", "poor", "indeterminate")
WITH_AUTHOR = ("genotype_unavailable",)
"""Events whose note has to say who decided, and why: `Dr Gray: sent away, laboratory closed`."""
_LIMIT = 200

Check = Callable[[str, date], str]
"""Takes the value as written and the day of the event; returns the value to keep, or raises
Refused."""


def _none(value: str, on: date) -> str:
    return value[:_LIMIT]


def _text(what: str) -> Check:
    def check(value: str, on: date) -> str:
        if not value:
            raise Refused(f"value is empty: it has to be {what}")
        return value[:_LIMIT]

    return check


def _word(what: str) -> Check:
    read = _text(what)
    return lambda value, on: "_".join(read(value, on).casefold().replace("-", " ").split())


def _number(what: str) -> Check:
    def check(value: str, on: date) -> str:
        if not value:
            raise Refused(f"value is empty: it has to be {what}")
        return format(positive_number("value", value).normalize(), "f")

    return check


def _days(value: str, on: date) -> str:
    number = _number("the days the supply lasts")(value, on)
    if "." in number:
        raise Refused("value must be a whole number of days")
    return number


def _until(*, required: bool) -> Check:
    def check(value: str, on: date) -> str:
        if not value and not required:
            return ""
        day = read_day(value)
        if day is None:
            raise Refused("value is no day: write the day until when, as 2026-03-02")
        if day < on:
            raise Refused("value, the day until when, lies before the event")
        return day.isoformat()

    return check


def _genotype(value: str, on: date) -> str:
    gene, colon, word = value.partition(":")
    if not colon:
        raise Refused("value must name gene and kind, such as tpmt:poor or nudt15:intermediate")
    return f"{one_of('the gene', gene, _GENES)}:{one_of('the kind', word, _METABOLISERS)}"


def _unavailable(value: str, on: date) -> str:
    gene, colon, text = value.partition(":")
    until = read_day(text.strip())
    if not colon or until is None:
        raise Refused("value must name gene and day, such as tpmt:2026-09-01")
    if until <= on:
        raise Refused("value, the day until when, does not lie after the event")
    return f"{one_of('the gene', gene, _GENES)}:{until.isoformat()}"


CHECKS: Mapping[str, Check] = {
    "start": _none,
    "dose": _number("the dose in mg/day, averaged over the cycle"),
    "hold": _until(required=False),
    "resume": _none,
    "stop": _none,
    "weight": _number("the weight in kg"),
    "comedication_start": _text("the drug"),
    "comedication_stop": _text("the drug"),
    "intended_combination": _text("the drug"),
    "symptom": _word("the symptom, such as fever"),
    "relapse": _none,
    "vaccine": _text("the vaccine"),
    "pregnancy": _none,
    "breastfeeding": _none,
    "transfusion": _none,
    "genotype": _genotype,
    "genotype_unavailable": _unavailable,
    "task_done": _word("the task's id, such as skin_check"),
    "supply": _days,
    "inpatient": _until(required=True),
    "away": _until(required=True),
    "declined": _none,
    "monitored_elsewhere": _until(required=True),
    "back": _none,
    "transfer_out": _text("to whom"),
    "accepted_by": _text("who accepted"),
    "died": _none,
    MERGE: _text("the other number, the one that survives"),
    UNMERGE: _text("the other number"),
}


def event_name(text: str) -> str:
    """The event a cell names. Raises Refused, naming the nearest."""
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    if word not in CHECKS:
        guess = nearest(word, CHECKS)
        guess = guess if guess.startswith("did you mean") else f"known: {', '.join(CHECKS)}"
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
