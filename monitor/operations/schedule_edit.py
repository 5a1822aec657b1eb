"""Putting an edit of a protocol in force, once it is shown what it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.actions import ActionRefused
from monitor.core.calendar import clinic_day
from monitor.intake.context import ENROLLING, take_turn
from monitor.operations.schedule_drugs import refuse_given_up
from monitor.operations.schedule_force import Proposal, propose_text
from monitor.operations.schedule_limits import refuse_misplaced
from monitor.operations.schedule_preview import Edit, Preview, in_force_now, previewed
from monitor.review import Tally, review_batch, review_due
from monitor.review.screen import Screen
from monitor.store import claims, tables
from monitor.store.database import Store
from monitor.store.facts import bring_to, check_not_earlier
from monitor.store.rulebook import put_in_force, texts_in_force
from monitor.store.tables import table_of

TOGETHER = 5000
"""Enrolments reviewed in the very transaction that puts a text in force, so that whoever is
told of them hears it in one message; a larger clinic's others follow at once."""

Progress = Callable[[int, int], None]
_ENROLMENTS = table_of(tables.EnrolmentRow)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was shown, and what the review made of it."""

    preview: Preview
    tally: Tally = field(default_factory=Tally)


def apply(
    store: Store,
    settings: Settings,
    edit: Edit,
    now: datetime,
    *,
    by: str,
    reason: str,
    show: Callable[[Preview], None] | None = None,
    also: Callable[[Connection], None] | None = None,
    progress: Progress | None = None,
) -> Applied:
    """Show what the edit changes, put it in force, and review everyone enrolled on it. What
    `also` does is done in the same transaction, or not at all.

    The text, the wake-up and the review of up to TOGETHER enrolments are one transaction; the
    rest is a queue that running daemons help to empty, and what comes in meanwhile goes first.
    What it changes is reckoned before, with nobody waiting. A text already in force changes
    nothing. Raises Faults, TooEarly, and ActionRefused where another one came meanwhile.
    """
    with store.read() as connection:
        check_not_earlier(connection, now)
        force = in_force_now(connection)
        proposal = propose_text(edit.text, edit.file, force)
        shown = previewed(connection, settings, force, proposal, now)
    if show is not None:
        show(shown)
    with store.write() as connection:
        check_not_earlier(connection, now)
        if also is not None:
            also(connection)
        if texts_in_force(connection) != force.texts:
            raise ActionRefused("another text was put in force meanwhile: look at this one again")
        if shown.already_in_force:
            return Applied(shown)
        take_turn(connection, now, ENROLLING)
        # again: nobody else is enrolled from here on
        today = clinic_day(now, settings.clinic.zone)
        refuse_given_up(connection, force, proposal, today)
        refuse_misplaced(connection, force, proposal, today)
        ids = _locked(connection, proposal)
        put_in_force(connection, proposal.id, proposal.text, proposal.digest, now, by, reason)
        claims.wake_all(connection, now, None if proposal.is_catalogue else proposal.id)
        alone = Screen(settings).put_back(connection, now, TOGETHER)
        first = claims.claim_free(connection, ids[:TOGETHER], now)
        tally = review_batch(connection, settings, sorted(first), now)
        tally.reviewed += alone
        bring_to(connection, now)
    if len(ids) > TOGETHER:
        rest = ids[TOGETHER:]
        tally.add(review_due(store, settings, now, only=rest, owed=True, progress=progress))
    return Applied(shown, tally)


def _locked(connection: Connection, proposal: Proposal) -> list[int]:
    query = select(_ENROLMENTS.c.id).order_by(_ENROLMENTS.c.id).with_for_update()
    if not proposal.is_catalogue:
        query = query.where(claims.concerned_by(proposal.id))
    return list(connection.scalars(query))
