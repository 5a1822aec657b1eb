"""Limits and intervals of single patients that an edit of their protocol would turn into others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, select

from monitor.core.faults import Fault, Faults
from monitor.core.personal_checks import misplaced
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Protocol
from monitor.core.toml_lines import Path, shown
from monitor.core.toml_reader import Report
from monitor.operations.schedule_force import Force, Proposal
from monitor.store import tables
from monitor.store.frames import chunks
from monitor.store.personal import load_personal
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)


def refuse_misplaced(connection: Connection, force: Force, proposal: Proposal, today: date) -> None:
    """A limit was agreed for one level, for what that asks for, and an interval beside that of one
    phase. Raises Faults where another would take its place: whoever agreed is asked first."""
    if proposal.is_catalogue or proposal.id not in force.protocols:
        return
    faults = list(_misplaced(connection, force, proposal, today))
    if faults:
        raise Faults(faults)


def _misplaced(
    connection: Connection, force: Force, proposal: Proposal, today: date
) -> Iterator[Fault]:
    old, new = force.protocols[proposal.id], proposal.protocols[proposal.id]
    report = Report(proposal.file, proposal.text)
    columns = _ENROLMENTS.c
    query = select(columns.id).where(columns.stands, columns.protocol_id == proposal.id)
    for ids in chunks(list(connection.scalars(query.order_by(columns.id)))):
        for terms in load_personal(connection, ids).values():
            for it in terms:
                problem = misplaced(it, old, new) if it.last > today else ""
                if problem:
                    valid = (
                        f"first: monitor limit end {it.id} --by WHO --reason TEXT; what still "
                        "holds is set anew after the edit"
                    )
                    place = _place(it, new)
                    line = report.line(place)
                    yield Fault(proposal.file, shown(place), "", problem, valid, line)


def _place(term: Personal, protocol: Protocol) -> Path:
    """Where the file says what the term stands in for, or could."""
    if term.what is not Terms.INTERVAL:
        rules = {it.id: place for place, it in enumerate(protocol.rules)}
        if term.subject not in rules:
            return ("rules",)
        return ("rules", rules[term.subject], "levels", term.level - 1)
    phases = {it.name: place for place, it in enumerate(protocol.phases)}
    if term.phase not in phases:
        return ("phases",)
    return ("phases", phases[term.phase], "panels", term.subject, "every")
