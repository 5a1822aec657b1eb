"""LOINC codes as files write them: alone, or with the name of their system."""

from __future__ import annotations

import re
from functools import lru_cache

_CODE = r"\d{1,7}-\d"
_ALONE = re.compile(r"(\d{1,7})-(\d)")
_SYSTEM = (
    r"(?:(?:https?://)?(?:www\.)?loinc(?:\.org)?/?|LNC?|(?:urn:oid:)?2\.16\.840\.1\.113883\.6\.1)"
)
_NAMED = re.compile(
    rf"\s*(?:{_SYSTEM}\s*[:|#/^_\s-]?\s*(?P<behind>{_CODE})(?:\^.*)?"
    rf"|(?P<before>{_CODE})\s*(?:\^[^^]*\^|[|:\s]|[(\[])\s*{_SYSTEM}[)\]]?)\s*",
    re.IGNORECASE | re.DOTALL,
)
"""`LOINC:6690-2`, `http://loinc.org|6690-2`, `6690-2 (LOINC)`, `6690-2^Leukocytes^LN`."""
_LONGEST = 200


def is_loinc(code: str) -> bool:
    """Whether a code is a LOINC code by its form and its check digit (mod 10)."""
    found = _ALONE.fullmatch(code.strip())
    if found is None:
        return False
    digits = [int(digit) for digit in reversed(found[1])]
    doubled = [int(digit) for number in digits[::2] for digit in str(number * 2)]
    return (-(sum(doubled) + sum(digits[1::2]))) % 10 == int(found[2])


@lru_cache(20_000)
def without_system(code: str) -> str:
    """A LOINC code without the name of its system beside it; any other code as it is."""
    found = _NAMED.fullmatch(code) if len(code) <= _LONGEST else None
    alone = (found["behind"] or found["before"]) if found else ""
    return alone if alone and is_loinc(alone) else code
