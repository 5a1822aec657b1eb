"""Drugs that an edit of a protocol gives up while patients are on them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from monitor.core.faults import Fault, Faults
from monitor.core.toml_reader import Report
from monitor.intake.roster import Roster
from monitor.operations.schedule_force import Force, Proposal
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.rulebook import RuleBook
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)


def refuse_given_up(connection: Connection, force: Force, proposal: Proposal, today: date) -> None:
    """Whoever is on a drug that is given up would be watched by a protocol that is not for it;
    a catalogue gives one up by another name for it. Raises Faults while such a treatment lasts."""
    if faults := given_up(connection, force, proposal, today):
        raise Faults(faults)


def given_up(connection: Connection, force: Force, proposal: Proposal, today: date) -> list[Fault]:
    """The drugs that a proposal gives up while treatments with them last, as its faults."""
    return [
        Fault(
            file=proposal.file,
            key="drugs",
            value=", ".join(proposal.protocols[protocol.id].drugs),
            problem=f"gives up {drug}, on which {count} are enrolled under {protocol.id}",
            valid=f"{drug} among them until they have ended it; another drug belongs into a file "
            "of its own",
            line=Report(proposal.file, proposal.text).line(("drugs",)),
        )
        for protocol in force.protocols.values()
        for drug in protocol.drugs
        if drug not in proposal.protocols[protocol.id].drugs
        and (count := _lasting(connection, force, protocol.id, drug, today))
    ]


def _lasting(connection: Connection, force: Force, protocol_id: str, drug: str, today: date) -> int:
    """How many are on a drug under a protocol."""
    assert force.catalogue is not None
    roster = Roster(connection, RuleBook(force.catalogue, force.protocols), today)
    columns = _ENROLMENTS.c
    mine = columns.stands, columns.protocol_id == protocol_id, columns.drug == drug
    found = 0
    for patients in chunks(list(connection.scalars(select(columns.patient_id).where(*mine)))):
        roster.prepare(patients)
        found += sum(
            entry.ended_on is None and entry.merged_into is None
            for patient in set(patients)
            for entry in roster.of(patient)
            if (entry.protocol_id, entry.drug) == (protocol_id, drug)
        )
    return found
