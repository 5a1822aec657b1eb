"""Which numbers are one patient's, and under which of them, from what people have said of it.

Nothing is rewritten when numbers are merged: whose something is follows anew from all that was
said, so that taking a merge back leaves nothing of it behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

MERGE, UNMERGE = "merge", "unmerge"


class Said(NamedTuple):
    """`merge`: what is known of `old` belongs to `new`; `unmerge`: it does not."""

    what: str
    old: int
    new: int


def lasting(said: Iterable[Said]) -> list[Said]:
    """The merges that nobody has taken back, in order. An unmerge takes back every earlier merge
    of the two, in whichever direction."""
    words = list(said)
    ends = _ends(words)
    return [one for place, one in enumerate(words) if ends.get(place, -1) == len(words)]


def _ends(said: Sequence[Said]) -> dict[int, int]:
    """For the place of each merge that of the unmerge that took it back; else behind the end."""
    ends: dict[int, int] = {}
    open_: dict[frozenset[int], list[int]] = {}
    for place, one in enumerate(said):
        pair = frozenset((one.old, one.new))
        if one.what == MERGE:
            ends[place] = len(said)
            open_.setdefault(pair, []).append(place)
        else:
            ends.update(dict.fromkeys(open_.pop(pair, ()), place))
    return ends


def survivors(said: Iterable[Said]) -> dict[int, int]:
    """For every number ever spoken of, the one that survives for it.

    Merges chain, and whoever is merged brings along all who were merged before. Of a circle
    the last word counts: the number that was merged into.
    """
    said = list(said)
    of = {number: number for one in said for number in (one.old, one.new)}
    together = {number: [number] for number in of}
    for one in lasting(said):
        groups = {of[one.old], of[one.new]}
        survivor = one.new if len(groups) == 1 else of[one.new]
        members = [number for group in groups for number in together.pop(group)]
        together[survivor] = members
        of.update(dict.fromkeys(members, survivor))
    return of


def together_since(said: Sequence[Said], one: int, other: int) -> int | None:
    """The place in `said` of the word since which two numbers are one patient's; None: they are
    not.

    Between two words that took something back numbers only come together: gone through backwards
    are those, until after one the two were apart.
    """
    ends = _ends(said)
    since: int | None = None
    last = len(said)
    for first in (*sorted({it for it in ends.values() if it < len(said)}, reverse=True), 0):
        found = _joined(said, ends, first, last, {one, other})
        if found is None:
            break
        since = found
        if found > first:
            break
        last = first
    return since


def _joined(
    said: Sequence[Said], ends: Mapping[int, int], first: int, last: int, pair: Collection[int]
) -> int | None:
    """The place of the word, from `first` on and before `last`, by which a pair came together;
    `first` where it was before; None: it did not."""
    of: dict[int, int] = {}

    def root(number: int) -> int:
        while (above := of.get(number, number)) != number:
            of[number] = number = of.get(above, above)
        return number

    for place, one in enumerate(said[:last]):
        if ends.get(place, -1) > max(place, first):
            of[root(one.old)] = root(one.new)
            if len({root(number) for number in pair}) == 1:
                return max(place, first)
    return None
