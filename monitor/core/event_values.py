"""What the value of each event has to be (interfaces, "Events CSV"), in an events file and in the
examples of a protocol alike: an example that relied on what no file may say would hold or fail for
a reason that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from monitor.core.calendar import FIRST_YEAR, LAST_YEAR
from monitor.core.catalogue import Catalogue
from monitor.core.faults import nearest
from monitor.core.merges import MERGE, UNMERGE
from monitor.core.phenotypes import GENES
from monitor.core.vocabulary import Metaboliser

_DECIMAL = re.compile(r"\+?[0-9]{1,6}(\.[0-9]{1,20})?", re.ASCII)
_LIMIT = 200
_KINDS = tuple(it.value for it in Metaboliser)

ReadDay = Callable[[str], date | None]
"""How days are written there; None: that is none."""


class WrongValue(ValueError):
    """A text that will not do; the sentence says why, and what would."""


class EventValue(NamedTuple):
    """What the value of one event has to be."""

    keep: Callable[[str, date, ReadDay], str]
    """Takes the value as written and the day of the event; returns what to keep of it. Raises
    WrongValue."""
    valid: str
    """What has to stand there, in words; empty: anything, or nothing."""


def iso_day(text: str) -> date | None:
    """A day as 2026-03-02."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def positive_number(what: str, text: str) -> Decimal:
    """A decimal above zero, written with a point. Raises WrongValue."""
    if not _DECIMAL.fullmatch(text):
        valid = "write it with a point, as 2.5, without a unit, up to 999999"
        raise WrongValue(f"{what} is no number above 0: {valid}")
    number = Decimal(text)
    if number == 0:
        raise WrongValue(f"{what} must be above 0")
    return number


def one_of(what: str, text: str, valid: Sequence[str]) -> str:
    """One of a few words, in any case. Raises WrongValue."""
    word = text.strip().casefold()
    if word not in valid:
        guess = nearest(word, valid)
        hint = f"; {guess}" if guess.startswith("did you mean") else ""
        raise WrongValue(f"{what} must be one of {', '.join(valid)}{hint}")
    return word


def beyond_weights(kg: Decimal, catalogue: Catalogue) -> tuple[Decimal, Decimal] | None:
    """The lowest and the highest that somebody may weigh, by the catalogue's `weight`, where this
    is no such weight: a slip, with which no dose would ever be too high."""
    known = catalogue.analytes.get("weight")
    if known is None or known.plausible_low <= kg <= known.plausible_high:
        return None
    return known.plausible_low, known.plausible_high


def _any(value: str, on: date, read_day: ReadDay) -> str:
    return value[:_LIMIT]


_ANYTHING = EventValue(_any, "")


def _text(valid: str) -> EventValue:
    def keep(value: str, on: date, read_day: ReadDay) -> str:
        return _there(value, valid)[:_LIMIT]

    return EventValue(keep, valid)


def _word(valid: str) -> EventValue:
    def keep(value: str, on: date, read_day: ReadDay) -> str:
        return "_".join(_there(value, valid)[:_LIMIT].casefold().replace("-", " ").split())

    return EventValue(keep, valid)


def _number(valid: str) -> EventValue:
    def keep(value: str, on: date, read_day: ReadDay) -> str:
        return format(positive_number("value", _there(value, valid)).normalize(), "f")

    return EventValue(keep, f"{valid}, above 0")


def _whole_number(valid: str) -> EventValue:
    number = _number(valid)

    def keep(value: str, on: date, read_day: ReadDay) -> str:
        kept = number.keep(value, on, read_day)
        if "." in kept:
            raise WrongValue("value must be a whole number of days")
        return kept

    return EventValue(keep, f"{valid}: a whole number, above 0")


def _until(*, required: bool) -> EventValue:
    def keep(value: str, on: date, read_day: ReadDay) -> str:
        if not value and not required:
            return ""
        day = read_day(value)
        if day is None:
            raise WrongValue("value is no day: write the day until when, as 2026-03-02")
        if day < on:
            raise WrongValue("value, the day until when, lies before the event")
        return day.isoformat()

    valid = "the day until when, from the event on, as 2026-03-02"
    return EventValue(keep, valid if required else f"{valid}, or none")


def _genotype(value: str, on: date, read_day: ReadDay) -> str:
    gene, colon, kind = value.partition(":")
    if not colon:
        raise WrongValue("value must name gene and kind, such as tpmt:poor or nudt15:intermediate")
    return f"{one_of('the gene', gene, GENES)}:{one_of('the kind', kind, _KINDS)}"


def _unavailable(value: str, on: date, read_day: ReadDay) -> str:
    gene, colon, text = value.partition(":")
    until = read_day(text.strip())
    if not colon or until is None:
        raise WrongValue("value must name gene and day, such as tpmt:2026-09-01")
    if until <= on:
        raise WrongValue("value, the day until when, does not lie after the event")
    return f"{one_of('the gene', gene, GENES)}:{until.isoformat()}"


def _there(value: str, valid: str) -> str:
    if not value:
        raise WrongValue(f"value is empty: it has to be {valid}")
    return value


VALUES: Mapping[str, EventValue] = {
    "start": _ANYTHING,
    "dose": _number("the dose in mg/day, averaged over the cycle"),
    "hold": _until(required=False),
    "resume": _ANYTHING,
    "stop": _ANYTHING,
    "weight": _number("the weight in kg"),
    "comedication_start": _text("the drug"),
    "comedication_stop": _text("the drug"),
    "intended_combination": _text("the drug"),
    "symptom": _word("the symptom, such as fever"),
    "relapse": _ANYTHING,
    "vaccine": _text("the vaccine"),
    "pregnancy": _ANYTHING,
    "breastfeeding": _ANYTHING,
    "transfusion": _ANYTHING,
    "genotype": EventValue(_genotype, "gene and kind, such as tpmt:poor or nudt15:intermediate"),
    "genotype_unavailable": EventValue(_unavailable, "gene and day, such as tpmt:2026-09-01"),
    "task_done": _word("the task's id, such as skin_check"),
    "supply": _whole_number("the days the supply lasts"),
    "inpatient": _until(required=True),
    "away": _until(required=True),
    "declined": _ANYTHING,
    "monitored_elsewhere": _until(required=True),
    "back": _ANYTHING,
    "transfer_out": _text("to whom"),
    "accepted_by": _text("who accepted"),
    "died": _ANYTHING,
    MERGE: _text("the other number, the one that survives"),
    UNMERGE: _text("the other number"),
}
"""Every event that is known."""
