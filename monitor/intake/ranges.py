"""Reference limits that stand in one cell: `3.9 - 11.2`, `<50`, `[ 1.1 - 4.0 ]`, `bis 50`."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from monitor.intake.vocabulary import vocabulary

_NUMBER = r"[-+]?(?:\d+(?:[.,'\u2019]\d+|[ \u00a0\u202f]\d{3}(?![\d*^]))*|\.\d+)(?:[eE][-+]?\d+)?"
"""Blanks part thousands: `10.0 10*9/L` is 10.0 in a unit that begins with 10."""
_DASH = r"-^&\u2010\u2011\u2012\u2013\u2014\u2212~"
_UNIT = r"((?:[\s*xX].*|%.*|/.*|[^\W\d].*)?)"
_BRACKETED = re.compile(r"[\[({]([^\[\](){}]*)[\])}](.*)", re.DOTALL)
_OF_AGES = re.compile(
    r"\d\s*(?:years?|yrs?|y/?o|months?|days?|jahre?|monate?|tage?|ans|mois|jours|años|meses|anni|mesi"
    r"|anos|jaar|maanden|lat|let|år)\b|\d\s*:",
    re.IGNORECASE,
)
"""An age, or a colon after it: `13-18 years: 3-9` has no limits of 13 and 18."""
_LONGEST = 80


def limits_of(text: str) -> tuple[str, str]:
    """Lower and upper limit as text; empty where there is none, or none can be read: a range
    that depends on age or sex says nothing here."""
    low, high, _ = range_of(text)
    return low, high


@lru_cache(maxsize=10_000)
def range_of(text: str) -> tuple[str, str, str]:
    """Lower and upper limit, and what is written behind them: often their unit."""
    bare = text.strip()
    if len(bare) > _LONGEST or _OF_AGES.search(bare):
        return "", "", ""
    if found := _BRACKETED.fullmatch(bare):
        bare = f"{found[1].strip()} {found[2].strip()}".strip()
    between, below, above = _patterns()
    if found := between.fullmatch(bare):
        return found[1], found[2], found[3].strip()
    if found := below.fullmatch(bare):
        return "", found[1], found[2].strip()
    if found := above.fullmatch(bare):
        return found[1], "", found[2].strip()
    return "", "", ""


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Two limits, an upper one alone, a lower one alone."""
    words = {
        name: "|".join(re.escape(word) for word in listed)
        for name, listed in vocabulary().ranges.items()
    }
    dash = rf"(?:[{_DASH}]|\.{{2,3}}|(?:{words['between']})(?=[\s\d]))"
    forms = (
        rf"({_NUMBER})\s*{dash}\s*({_NUMBER})\s*{_UNIT}",
        rf"(?:<\s*or\s*=|<=?|=<|\u2264|(?:{words['below']})\.?(?=[\s\d]))\s*({_NUMBER})\s*{_UNIT}",
        rf"(?:>\s*or\s*=|>=?|=>|\u2265|(?:{words['above']})\.?(?=[\s\d]))\s*({_NUMBER})\s*{_UNIT}",
    )
    between, below, above = (re.compile(form, re.IGNORECASE) for form in forms)
    return between, below, above
