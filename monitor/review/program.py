"""By which program, and in which time zone, somebody was judged: another one may say otherwise of
the same patient.

After an upgrade whoever the program before judged is judged anew, and so is everybody after the
clinic's time zone was edited. Until then their alerts stand as they were left, and what was kept of
results is not built upon.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

from monitor.store import keeping
from monitor.store.database import Store
from monitor.store.facts import fact, put_fact

BETWEEN = " "
"""Between the parts of what is kept by."""
_DECIDING = ("core", "review")
"""The packages that decide what alerts say."""
_LENGTH = 12
_JUDGES = "judges"
"""The fact that says which program, in which time zone, looked last for those of another."""


@cache
def program() -> str:
    """A digest of the sources that decide: the same for two programs that decide alike."""
    found = sha256()
    for package in _DECIDING:
        for source in _sources(files("monitor") / package):
            found.update(source.read_bytes())
    return found.hexdigest()[:_LENGTH]


def judged_in(zone: ZoneInfo) -> str:
    """What every answer of this program in a time zone ends with."""
    return BETWEEN.join((zone.key, program()))


def wake_judged_otherwise(
    store: Store, zone: ZoneInfo, now: datetime, *, another_was_here: bool = False
) -> int:
    """Wake all whom another program judged last, or in another time zone, behind those with
    something of their own; how many. Of some it does not show who judged them: they are woken
    where the last to ask this was another, or `another_was_here` since. Whoever is being reviewed
    at this moment is passed over: the night's review of everyone finds them."""
    ours = judged_in(zone)
    with store.write() as connection:
        unknown = another_was_here or fact(connection, _JUDGES) != ours
        put_fact(connection, _JUDGES, ours)
        return keeping.wake_kept_by_others(connection, now, BETWEEN + ours, unknown=unknown)


def _sources(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda it: it.name):
        if entry.is_dir():
            yield from _sources(entry)
        elif entry.name.endswith(".py"):
            yield entry
