"""Which numbers are one patient's, and under which of them, from what people have said of it.

Nothing is rewritten when numbers are merged: whose something is follows anew from all that was
said, so that taking a merge back leaves nothing of it behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    found: list[Said] = []
    for one in said:
        if one.what == MERGE:
            found.append(one)
        else:
            found = [it for it in found if {it.old, it.new} != {one.old, one.new}]
    return found


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
    not."""
    since = None
    for count in range(1, len(said) + 1):
        of = survivors(said[:count])
        if of.get(one, one) != of.get(other, other):
            since = None
        elif since is None:
            since = count - 1
    return since
