"""Files of which another is a piece that breaks off within a row: what was read of that row counts
for nothing, whichever of the two came first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.intake.broke_off import broke_off
from monitor.intake.cut_short import Cut, Whole, cut_before, let_go, refuse_results, take_away


@dataclass(frozen=True, slots=True)
class Mended:
    """Whose rows no longer count, and what to say."""

    patients: frozenset[int]
    notes: tuple[str, ...]


def mend(connection: Connection, file: Whole, cuts: Sequence[Cut], now: datetime) -> Mended:
    """Of a file that has just been taken in a part may have been read before, up to the middle of a
    row (`cuts`: those that are known, and whose results are taken away); or it is itself such a
    part. Raises CameWhole."""
    patients: set[int] = set()
    notes = []
    if not cuts:
        cuts = cut_before(connection, file, now)
        refuse_results(connection, cuts)
    for cut in cuts:
        if gone := let_go(connection, cut, file.id, now):
            notes.append(cut.came_whole)
        patients |= gone
    found = broke_off(connection, file)
    if found is not None:
        cut, whole_id = found
        patients |= take_away(connection, [cut]) | let_go(connection, cut, whole_id, now)
        notes.append(cut.broke_off(whole_id))
    return Mended(frozenset(patients - {0}), tuple(notes))
