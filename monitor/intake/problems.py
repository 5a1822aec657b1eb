"""The words of what can be wrong with a row: the reason, and what would be right."""

from __future__ import annotations

from dataclasses import replace

from monitor.core.status_words import KNOWN_WORDS
from monitor.intake.dates import (
    NO_DAYS,
    OPEN_YEARS,
    SWAPPED,
    day_in_any_order,
    ends_of_short,
    has_no_year,
    may_be_swapped,
    orders_of,
)
from monitor.intake.issuers import Another, Claim
from monitor.intake.measured import MAP_OR_IGNORE, Problem
from monitor.intake.raw import MARKED, RawRow
from monitor.intake.vocabulary import vocabulary

_SHOWN = 60
"""Characters of a name that are shown."""
_SETTLED = ("day_first", "month_first", "year_first")
"""Orders of dates under which day and month are told apart."""


def no_number(row: RawRow) -> Problem:
    """No number of a patient, or a reference that leads to none."""
    if not row.unresolved:
        return Problem("no_mrn", "no patient number")
    return Problem(
        "no_patient",
        "the reference to the patient leads to no patient's number",
        f"{row.unresolved}; send the Patient in the same file, or its identifier in the "
        "reference, or set patient_id_is_mrn for this source",
    )


def number_is_an_amount() -> Problem:
    """A long number that a spreadsheet program wrote as an amount."""
    return Problem(
        "mrn_amount",
        "a spreadsheet program took the patient's number for an amount (1.2E+11), and its last "
        "digits are lost",
        "have the laboratory export it anew, and tell the spreadsheet that the column is text",
    )


def no_date(text: str, order: str = "") -> Problem:
    """A date of collection that is missing, open, without its year, or unreadable; `order` is
    how the dates of its file are read."""
    if not text.strip():
        return Problem(
            "no_date",
            "no date of collection",
            "ask the laboratory to send when the blood was taken; no other time stands for it",
        )
    if order == SWAPPED and may_be_swapped(text):
        return Problem(
            "date",
            "day and month may be exchanged: other dates of the sheet are text, as a spreadsheet "
            "program leaves what it cannot read",
            "mend the dates in the workbook, or, where they are right, name the source's "
            "date_format in the config",
        )
    if order == OPEN_YEARS and ends_of_short(text):
        return Problem(
            "date",
            "the year of two digits may stand first or last: no date of the file settles it",
            'name the order in the config: date_format = "day_first", "month_first" or '
            '"year_first" in the source\'s table',
        )
    if order not in _SETTLED and len(orders_of(text)) == 2:
        return Problem(
            "date",
            "day and month of the dates cannot be told apart: no date of the file settles it",
            'name the order in the config: date_format = "day_first" or "month_first" in the '
            "source's table",
        )
    if day_in_any_order(text) in NO_DAYS:
        return Problem(
            "date",
            "the date of collection is one that programs write where they know none",
            "ask the laboratory for the date",
        )
    if has_no_year(text):
        return Problem(
            "date", "the date of collection has no year", "ask the laboratory for whole dates"
        )
    return Problem(
        "date",
        "the date of collection cannot be read",
        "write 2026-03-02 or 2026-03-02T08:30, or name the source's date_format in the config",
    )


def called(problem: Problem, row: RawRow) -> Problem:
    """An unknown code with what the laboratory calls it: nobody knows what 402 is, and what is
    called one of no blood is no misspelt name of ours."""
    if problem.code != "unknown_code":
        return problem
    if any(map(vocabulary().is_of_no_blood, row.also)):
        problem = replace(problem, hint=MAP_OR_IGNORE)
    name = next((it.strip() for it in row.also if any(sign.isalpha() for sign in it)), "")
    if not name or any(sign.isalpha() for sign in row.analyte):
        return problem
    return replace(problem, reason=f"{problem.reason} ({name[:_SHOWN]})")


def no_status(word: str) -> Problem:
    """A word that is no status, or a row that a column of its own marks."""
    if word.startswith(MARKED):
        return Problem(
            "status",
            f"the row is {word[:_SHOWN]}",
            "discard it, or ask the laboratory whether it counts; "
            'void = "" in the columns of the source puts the column that marks it out of use',
        )
    return Problem("status", f'unknown status "{word.strip()[:40]}"', f"valid: {KNOWN_WORDS}")


def another_issuer(claim: Claim, found: Another) -> Problem:
    """A number that the enrolled patient has from somebody else."""
    numbers = ", ".join(person.mrn for person in found.persons)
    issuer = claim.number.issuer or "the source itself"
    return Problem(
        "another_issuer",
        "another issuer's number: the enrolled patient with this number has it from elsewhere",
        f"enrolled: {numbers}; this row's number is from {issuer}",
    )
