"""How a row that met others of its key is counted."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.core.standing import Meaning, Report, Standing, rank
from monitor.core.vocabulary import Status


def outcome_of(
    known: Sequence[Report], new: Report, before: Standing, after: Standing, *, untimed: bool
) -> str:
    """How a row that was written is counted."""
    if new.status is Status.WITHDRAWN:
        return "withdrawn"
    if new.status is Status.CANCELLED and after.meaning is Meaning.WITHDRAWN:
        return "withdrawn"
    if _stands_so_already(known, new, before):
        return "duplicate"
    if untimed and len(known) in after.stands and before.stands <= after.stands:
        return "stored"
    return "superseded"


def _stands_so_already(known: Sequence[Report], new: Report, before: Standing) -> bool:
    """Whether what stands says the same with a status no lower: the new report changes only
    how late that was last reported, which is kept for the order of reports to come."""
    return any(
        known[index].identity == new.identity and rank(known[index].status) >= rank(new.status)
        for index in before.stands
    )


def is_unflagged_change(
    known: Sequence[Report], new: Report, before: Standing, after: Standing
) -> bool:
    """Whether a value that was not flagged as corrected takes the place of another."""
    replaced = before.stands - after.stands
    return len(known) in after.stands and any(
        known[index].identity != new.identity
        and known[index].status is new.status
        and new.status is not Status.CORRECTED
        for index in replaced
    )
