"""Checking one protocol file without putting it in force."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor.core.catalogue_file import load_catalogue
from monitor.core.faults import Fault, Faults
from monitor.core.toml_text import decode
from monitor.operations.schedules import (
    CATALOGUE_FILE,
    Force,
    Proposal,
    in_force,
    propose_text,
    read_bytes,
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
            "faults": [asdict(fault) for fault in self.faults],
        }

    @property
    def examples(self) -> int:
        """How many examples were worked through."""
        if self.proposal is None or self.proposal.is_catalogue:
            return 0
        return len(self.proposal.protocols[self.proposal.id].examples)


def check(path: Path, store: Store | None, catalogue_text: str) -> Checked:
    """Read a file strictly, its examples too, beside what is in force in `store`; without a
    store, or where nothing is in force, with the catalogue of `catalogue_text`.

    Raises Faults only where the file cannot be read at all.
    """
    data = read_bytes(path)
    force = Force({}, {}, None, {})
    if store is not None:
        with store.read() as connection:
            force = in_force(connection)
    try:
        stand_in = None
        if force.catalogue is None and path.name != CATALOGUE_FILE:
            stand_in = load_catalogue(catalogue_text, CATALOGUE_FILE)
        proposal = propose_text(decode(data, path.name), path.name, force, stand_in)
    except Faults as faults:
        return Checked(path, faults.faults, None, "")
    if proposal.id not in force.texts:
        stands = "new"
    elif force.has(proposal.id, proposal.text):
        stands = "in force"
    else:
        stands = "differs from what is in force"
    return Checked(path, (), proposal, stands)
