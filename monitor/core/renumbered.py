"""What is said of an alert whose patient has another number now: merged with another, or apart."""

from __future__ import annotations

import re

_SAID = re.compile(r"the patient's number is now ([^;]+), it was ([^;]+)")


def other_number(mrn: str, before: str) -> str:
    """For those who know the alert by the number of before; "" where that is still the one."""
    if not before or before == mrn:
        return ""
    return f"the patient's number is now {mrn}, it was {before}"


def as_it_stands(reason: str, mrn: str) -> str:
    """A reason that waited with its message: where the number has gone back meanwhile, the message
    stands under the one and would call the other the number of now."""

    def now(match: re.Match[str]) -> str:
        other = match[1]
        return match[0] if other == mrn else f"the patient's number was {other} and is now {mrn}"

    return _SAID.sub(now, reason)
