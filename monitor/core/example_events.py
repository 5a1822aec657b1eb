"""The values of an example's events: what the events file takes, and nothing else.

Source: interfaces, "Events CSV". What intake would have refused no patient ever has: an example
that relied on it would hold or fail for a reason that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from monitor.core.calendar import FIRST_YEAR, LAST_YEAR
from monitor.core.catalogue import Catalogue
from monitor.core.toml_reader import Table
from monitor.core.vocabulary import Metaboliser

_DECIMAL = re.compile(r"\+?[0-9]{1,6}(\.[0-9]{1,20})?", re.ASCII)
"""A number of an events file."""
_GENES = ("tpmt", "nudt15")
_KINDS = tuple(it.value for it in Metaboliser)
_WORDS = ("symptom", "task_done")
"""Events whose value is one word, however it is written."""

_Check = Callable[[str, date], bool]
"""Whether a value will do for an event of this day."""


def _is_number(value: str, on: date) -> bool:
    return bool(_DECIMAL.fullmatch(value)) and Decimal(value) > 0


def _is_whole(value: str, on: date) -> bool:
    return _is_number(value, on) and "." not in value


def _is_until(value: str, on: date) -> bool:
    day = _day(value)
    return day is not None and day >= on


def _is_until_or_none(value: str, on: date) -> bool:
    return not value or _is_until(value, on)


def _is_genotype(value: str, on: date) -> bool:
    gene, colon, kind = (part.strip().casefold() for part in value.partition(":"))
    return bool(colon) and gene in _GENES and kind in _KINDS


def _is_unavailable(value: str, on: date) -> bool:
    gene, colon, until = (part.strip().casefold() for part in value.partition(":"))
    day = _day(until)
    return bool(colon) and gene in _GENES and day is not None and day > on


def _is_something(value: str, on: date) -> bool:
    return bool(value)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


_UNTIL = _is_until, "the day until when, from the event on, as 2026-03-02"
_DRUG = _is_something, "the drug"
CHECKS: Mapping[str, tuple[_Check, str]] = {
    "dose": (_is_number, "the dose in mg/day, above 0, averaged over the cycle"),
    "hold": (_is_until_or_none, f"{_UNTIL[1]}, or none"),
    "weight": (_is_number, "the weight in kg"),
    "comedication_start": _DRUG,
    "comedication_stop": _DRUG,
    "intended_combination": _DRUG,
    "symptom": (_is_something, "the symptom, such as fever"),
    "vaccine": (_is_something, "the vaccine"),
    "genotype": (_is_genotype, "gene and kind, such as tpmt:poor or nudt15:intermediate"),
    "genotype_unavailable": (_is_unavailable, "gene and day, such as tpmt:2026-09-01"),
    "task_done": (_is_something, "the task's id, such as skin_check"),
    "supply": (_is_whole, "a whole number of days, above 0"),
    "inpatient": _UNTIL,
    "away": _UNTIL,
    "monitored_elsewhere": _UNTIL,
    "transfer_out": (_is_something, "to whom"),
    "accepted_by": (_is_something, "who accepted"),
}
"""Of each event whose value has a meaning whether one will do, and what has to stand there."""


def event_value(row: Table, event: str, on: date, catalogue: Catalogue) -> str:
    """The value of an example's event, as intake would keep it; a fault where it would refuse."""
    value = _as_text(row)
    check, valid = CHECKS.get(event, (None, ""))
    if check is None or not row.report.sound(*row.at("value")):
        return value
    if not check(value, on):
        row.fault("value", f"is no value of {event}" if value else f"is missing: {event}", valid)
    elif event == "weight":
        _check_weight(row, value, catalogue)
    if event in _WORDS:
        return "_".join(value.casefold().replace("-", " ").split())
    return value.casefold().replace(" ", "") if event.startswith("genotype") else value


def _as_text(row: Table) -> str:
    """Text, a plain number, or a day."""
    value = row.data.get("value")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = row.number("value", zero=True)
        return f"{number or 0:f}"
    if isinstance(value, date):
        return row.day("value").isoformat()
    return row.text("value", "")


def _check_weight(row: Table, value: str, catalogue: Catalogue) -> None:
    known = catalogue.analytes.get("weight")
    if known is None or known.plausible_low <= Decimal(value) <= known.plausible_high:
        return
    valid = f"kg, from {known.plausible_low:f} to {known.plausible_high:f}"
    row.fault("value", "is no weight that anybody has", valid)
