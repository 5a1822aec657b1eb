"""The sentence that asks for a test again by a day, and how it reads once that day is over.

It is kept with the alert as it was found; a mail may be sent, and a page opened, days later.
"""

from __future__ import annotations

import re
from calendar import month_abbr
from collections.abc import Iterable
from datetime import date

_BY = "Repeat the test by "
_WAS = "The test was to be repeated by "
_END = " at the latest"
_ASKED = re.compile(rf"{_BY}((\d+) (\w+) (\d+)){_END}\.?")


def repeat_by(day: date) -> str:
    """What asks for it."""
    return f"{_BY}{day.day} {day:%b %Y}{_END}"


def asks_to_repeat(sentence: str) -> bool:
    """Whether it is that sentence, its day to come or over."""
    return sentence.startswith((_BY, _WAS))


def read_on(today: date, sentences: Iterable[str]) -> tuple[str, ...]:
    """These sentences as they are true today: nobody is asked for a test by a day that is over."""
    return tuple(_read_on(today, it) for it in sentences)


def _read_on(today: date, sentence: str) -> str:
    asked = _ASKED.fullmatch(sentence)
    if asked is None:
        return sentence
    text, day, month, year = asked.groups()
    by = date(int(year), list(month_abbr).index(month), int(day))
    return sentence if today <= by else f"{_WAS}{text}{_END}: test now."
