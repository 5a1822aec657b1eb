"""Checking one protocol file without putting it in force."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from monitor.core.catalogue_file import load_catalogue
from monitor.core.faults import Fault, Faults
from monitor.core.protocol_file import CATALOGUE_ID
from monitor.core.toml_text import decode
from monitor.operations.schedule_drugs import given_up
from monitor.operations.schedule_force import (
    CATALOGUE_FILE,
    Force,
    Proposal,
    in_force,
    propose_text,
    read_bytes,
    read_proposal,
    second_defaults,
)
from monitor.store.database import Store


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of one file found."""

    path: Path
    faults: tuple[Fault, ...]
    proposal: Proposal | None
    stands: str
    """`in force`, `differs from what is in force`, `new`; empty where it has faults."""
    waits_for: str = ""
    """The catalogue beside it that has to be applied before it; empty where none has."""

    def document(self) -> dict[str, Any]:
        """As `monitor schedule check --json` prints it."""
        proposal = self.proposal
        return {
            "file": str(self.path),
            "ok": not self.faults,
            "id": proposal.id if proposal else None,
            "title": proposal.title if proposal else None,
            "version": proposal.version if proposal else None,
            "digest": proposal.digest if proposal else None,
            "examples": self.examples,
            "stands": self.stands or None,
            "waits_for": self.waits_for or None,
            "faults": [asdict(fault) for fault in self.faults],
        }

    @property
    def examples(self) -> int:
        """How many examples were worked through."""
        if self.proposal is None or self.proposal.is_catalogue:
            return 0
        return len(self.proposal.protocols[self.proposal.id].examples)


def check(path: Path, store: Store | None, catalogue_text: str, today: date) -> Checked:
    """Read a file strictly, its examples too, with the catalogue that lies beside it, or will be
    in force before it, or came with the program (`catalogue_text`), in this order; where there is
    a database, also whether those who are enrolled stand in its way, as `apply` will.

    Raises Faults only where the file cannot be read at all.
    """
    data = read_bytes(path)
    force = Force({}, {}, None, {})
    if store is not None:
        with store.read() as connection:
            force = in_force(connection)
    coming = _with_catalogue_beside(path, force)
    try:
        stand_in = None
        if coming.catalogue is None and path.name != CATALOGUE_FILE:
            stand_in = load_catalogue(catalogue_text, CATALOGUE_FILE)
        text = decode(data, path.name)
        proposal = read_proposal(text, path.name, coming, stand_in)
        if in_the_way := _in_the_way(proposal, store, force, today):
            raise Faults(in_the_way)
    except Faults as faults:
        return Checked(path, faults.faults, None, "")
    if proposal.id not in force.texts:
        stands = "new"
    elif force.has(proposal.id, proposal.text):
        stands = "in force"
    else:
        stands = "differs from what is in force"
    waits = (
        coming is not force and force.enrolled_on(CATALOGUE_ID) and not _sound(path, text, force)
    )
    return Checked(path, (), proposal, stands, CATALOGUE_FILE if waits else "")


def _in_the_way(proposal: Proposal, store: Store | None, force: Force, today: date) -> list[Fault]:
    """What other files and those who are enrolled have against a text that is sound by itself."""
    faults: list[Fault] = []
    if not proposal.is_catalogue:
        protocol = proposal.protocols[proposal.id]
        faults += second_defaults(protocol, proposal.file, proposal.text, force)
    if store is not None:
        with store.read() as connection:
            faults += given_up(connection, force, proposal, today)
    return sorted(faults, key=lambda fault: fault.line or 0)


def _with_catalogue_beside(path: Path, force: Force) -> Force:
    """As it would be with the edited catalogue of the file's folder: a drug with analytes of its
    own comes as two files. One that is not sound does not count, and is a check of its own."""
    beside = path.parent / CATALOGUE_FILE
    if path.name == CATALOGUE_FILE or not beside.is_file():
        return force
    try:
        text = decode(read_bytes(beside), beside.name)
        if force.has(CATALOGUE_ID, text):
            return force
        return force.with_proposal(propose_text(text, beside.name, force))
    except Faults:
        return force


def _sound(path: Path, text: str, force: Force) -> bool:
    try:
        propose_text(text, path.name, force)
    except Faults:
        return False
    return True
