"""What a flag beside a value says besides high, low or normal: `Hemolyzed`, `PLT clumps?`."""

from __future__ import annotations

import re
from functools import lru_cache

from monitor.intake.vocabulary import key_of, vocabulary

_BETWEEN = re.compile(r"[\W\d_]+")
_SHORTEST = 3
"""Letters of a word; shorter ones are codes of high and low."""


@lru_cache(4096)
def remark_in(flag: str) -> str:
    """The text of a flag that says more than where the value lies; else empty."""
    words = [key_of(word) for word in _BETWEEN.split(flag)]
    told = [word for word in words if len(word) >= _SHORTEST and word not in vocabulary().flags]
    return " ".join(flag.split()) if told else ""


def says_where(text: str) -> bool:
    """Whether a text only says where a value lies: `Critical Low`, `within range`, `erhöht`."""
    words = [key_of(word) for word in _BETWEEN.split(text) if word]
    known = vocabulary()
    return known.flags.issuperset(words) and not known.whereabouts.isdisjoint(words)


def with_remark(comment: str, remark: str) -> str:
    """A comment with a remark that it does not hold already."""
    if not remark or remark.casefold() in comment.casefold():
        return comment
    return f"{comment.strip()}\n{remark}" if comment.strip() else remark
