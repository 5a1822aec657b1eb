"""Texts that people wrote, as words that can be compared."""

from __future__ import annotations

import re
import unicodedata

_NO_WORD = re.compile(r"[\W_]+")


def plain_words(text: str) -> list[str]:
    """The words of a text without case, accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _NO_WORD.sub(" ", bare).split()
