"""A changed schedule waits for a second person: proposed by one, put in force by another.

The command `schedule apply` names one person and is for whoever looks after the machine; from a
page nothing goes live that two people have not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from monitor.config import Settings
from monitor.core.actions import ActionRefused
from monitor.core.faults import Faults
from monitor.core.protocol_file import digest_of
from monitor.intake.context import new_id
from monitor.operations.schedule_edit import Applied, apply
from monitor.operations.schedule_force import in_force, propose_text
from monitor.operations.schedule_preview import Edit, Preview, preview
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.rulebook import texts_in_force
from monitor.store.tables import table_of

OPEN, APPROVED, REFUSED, WITHDRAWN = "open", "approved", "refused", "withdrawn"
_TABLE = table_of(tables.ProposalRow)


class ProposalRefused(Exception):
    """It cannot be proposed or decided; the text says why."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal as it stands."""

    id: int
    protocol_id: str
    file: str
    text: str
    based_on: str
    proposed_at: datetime
    proposed_by: str
    reason: str
    state: str
    decided_at: datetime | None
    decided_by: str
    decision: str

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    def is_of(self, who: str) -> bool:
        """Whether this person proposed it."""
        return self.proposed_by.casefold() == who.casefold()


def propose_edit(
    store: Store,
    edit: Edit,
    *,
    protocol_id: str,
    based_on: str,
    by: str,
    reason: str,
    now: datetime,
) -> int:
    """Let a sound text wait for a second person; its id. `based_on` is the digest of the text that
    was edited. Raises Faults where it is not sound, ProposalRefused where it is of another
    protocol, says nothing new, comes without reason or would undo what went live meanwhile."""
    if not reason.strip():
        raise ProposalRefused("say why: it is what the second person reads first")
    with store.write() as connection:
        force = in_force(connection)
        proposal = propose_text(edit.text, edit.file, force)
        if proposal.id != protocol_id:
            raise ProposalRefused(f'the text says that it is "{proposal.id}", not "{protocol_id}"')
        if force.has(proposal.id, proposal.text):
            raise ProposalRefused("it is the text in force: nothing would change")
        standing = force.texts.get(proposal.id)
        if (digest_of(standing.text) if standing else "") != based_on:
            raise ProposalRefused(
                "another text went live since you opened this one, which would undo it: copy what "
                "you changed, open the text in force, and change that"
            )
        inserted = connection.execute(
            insert(_TABLE).values(
                protocol_id=proposal.id,
                file=edit.file,
                text=proposal.text,
                based_on=based_on,
                proposed_at=now,
                proposed_by=by,
                reason=reason.strip(),
                state=OPEN,
                decided_by="",
                decision="",
            )
        )
    return new_id(inserted)


def proposals(store: Store, protocol_id: str = "") -> list[Proposed]:
    """All (or those of one protocol), the open ones first, then the latest."""
    query = select(_TABLE).order_by(_TABLE.c.state != OPEN, _TABLE.c.id.desc())
    if protocol_id:
        query = query.where(_TABLE.c.protocol_id == protocol_id)
    with store.read() as connection:
        return [Proposed(**row._mapping) for row in connection.execute(query)]


def proposal_of(store: Store, proposal_id: int) -> Proposed | None:
    with store.read() as connection:
        return _find(connection, proposal_id)


def foresee(store: Store, settings: Settings, proposed: Proposed, now: datetime) -> Preview | str:
    """What it would change for those enrolled now; in words why it cannot any more."""
    try:
        return preview(store, settings, Edit(proposed.file, proposed.text), now)
    except Faults as faults:
        return "; ".join(str(fault) for fault in faults.faults)


def approve(
    store: Store, settings: Settings, proposal_id: int, *, by: str, note: str, now: datetime
) -> Applied:
    """Put a proposal in force, in the name of both. Raises ProposalRefused: for the person who
    proposed it, where it was decided before, or where another text went live meanwhile."""
    proposed = _open(store, proposal_id)
    if proposed.is_of(by):
        raise ProposalRefused("a second person approves it: you proposed it yourself")

    def decide(connection: Connection) -> None:
        standing = texts_in_force(connection).get(proposed.protocol_id)
        if (digest_of(standing.text) if standing else "") != proposed.based_on:
            raise ProposalRefused(
                "another text went live after this was proposed; propose it anew on top of that one"
            )
        _decide(connection, proposal_id, APPROVED, by, note, now)

    try:
        return apply(
            store,
            settings,
            Edit(proposed.file, proposed.text),
            now,
            by=f"{proposed.proposed_by}, approved by {by}",
            reason=proposed.reason,
            also=decide,
        )
    except ActionRefused as refused:
        raise ProposalRefused(str(refused)) from refused


def refuse(store: Store, proposal_id: int, *, by: str, note: str, now: datetime) -> str:
    """Take a proposal off the list: refused, or withdrawn where it is one's own. Returns which.
    Raises ProposalRefused."""
    proposed = _open(store, proposal_id)
    own = proposed.is_of(by)
    if not own and not note.strip():
        raise ProposalRefused("say why it is refused")
    state = WITHDRAWN if own else REFUSED
    with store.write() as connection:
        _decide(connection, proposal_id, state, by, note, now)
    return state


def _open(store: Store, proposal_id: int) -> Proposed:
    found = proposal_of(store, proposal_id)
    if found is None:
        raise ProposalRefused("there is no such proposal")
    if not found.is_open:
        raise ProposalRefused(f"it was {found.state} by {found.decided_by} before")
    return found


def _find(connection: Connection, proposal_id: int) -> Proposed | None:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == proposal_id)).first()
    return None if row is None else Proposed(**row._mapping)


def _decide(
    connection: Connection, proposal_id: int, state: str, by: str, note: str, now: datetime
) -> None:
    """Once: of two people who decide at the same moment one is told so."""
    values = {"state": state, "decided_at": now, "decided_by": by, "decision": note.strip()}
    still_open = (_TABLE.c.id == proposal_id) & (_TABLE.c.state == OPEN)
    changed = connection.execute(update(_TABLE).where(still_open).values(values)).rowcount
    if not changed:
        raise ProposalRefused("somebody else has just decided it")
