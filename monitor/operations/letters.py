"""Capital and small letters, where a database knows those of ASCII alone."""

from __future__ import annotations

from itertools import product

_MOST = 16


def spellings(text: str) -> list[str]:
    """How `lower` of a database may give a text that is looked for without case: a PostgreSQL that
    was made with the locale C leaves the capital of Özdemir as it is. At most 16; of a text with
    more such letters those with all of them small, all capital, or the first alone."""
    small = text.lower()
    either = [(it, it.upper()) if _has_capital(it) else (it,) for it in small]
    if 2 ** sum(len(it) > 1 for it in either) <= _MOST:
        return ["".join(it) for it in product(*either)]
    first = next(place for place, it in enumerate(either) if len(it) > 1)
    capital = "".join(it[-1] for it in either)
    return [small, capital, small[:first] + capital[first] + small[first + 1 :]]


def _has_capital(letter: str) -> bool:
    return not letter.isascii() and letter.upper() != letter and len(letter.upper()) == 1
