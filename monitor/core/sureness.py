"""How sure a source is: the tags that protocol files put beside a number or a sentence.

`[verified: S6]` was read in the source; `[verified second-hand: S1]` on a page that summarises
it; `[unverified]` or "general knowledge, unverified" is a hypothesis to check before use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_VERIFIED = re.compile(r"\[verified: ([^\],]+(?:, [^\],]+)*)[^\]]*\]")
_SECOND_HAND = re.compile(r"\[verified second-hand(?:: ([^\]]+))?\]")
_UNVERIFIED = re.compile(r"unverified|our (?:own )?choice", re.IGNORECASE)


def sureness(source: str) -> str:
    """In words, the surest part first; of a source without a tag, that nobody checked it."""
    return "; ".join(_parts(source)) or "no tag says how sure it is: check before use"


def _parts(source: str) -> Iterator[str]:
    verified = _VERIFIED.findall(source)
    if verified:
        yield f"read in the source ({', '.join(dict.fromkeys(verified))})"
    second = _SECOND_HAND.findall(source)
    if second:
        named = ", ".join(dict.fromkeys(it for it in second if it))
        yield "second-hand" + (f" ({named})" if named else "")
    if "founding brief" in source:
        yield "founding brief, not approved by a clinician"
    if _UNVERIFIED.search(_SECOND_HAND.sub("", _VERIFIED.sub("", source))):
        yield "in part unverified" if verified or second else "unverified"
