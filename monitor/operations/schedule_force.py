"""What is in force, and a text that is proposed beside it: read strictly, with its examples.

Source: specification, section 8. What patients are judged by is the text in the database; a
file is a proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.core.examples import load_protocol
from monitor.core.faults import Fault, Faults
from monitor.core.protocol import Protocol
from monitor.core.protocol_file import CATALOGUE_ID, digest_of
from monitor.core.toml_reader import Report
from monitor.core.toml_text import decode
from monitor.logs import fault_id, logger, places
from monitor.store import tables
from monitor.store.rulebook import TextInForce, load_rulebook, texts_in_force
from monitor.store.tables import table_of

CATALOGUE_FILE = f"{CATALOGUE_ID}.toml"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file that is sound by itself and beside what is in force."""

    id: str
    file: str
    text: str
    digest: str
    catalogue: Catalogue
    protocols: Mapping[str, Protocol]
    """The catalogue and the protocols, as they would be with this file in force."""

    @property
    def is_catalogue(self) -> bool:
        return self.id == CATALOGUE_ID

    @property
    def title(self) -> str:
        return "Analytes" if self.is_catalogue else self.protocols[self.id].title

    @property
    def version(self) -> str:
        return "" if self.is_catalogue else self.protocols[self.id].version


@dataclass(frozen=True, slots=True)
class Force:
    """What is in force at one moment, parsed, with how many are enrolled on each protocol."""

    texts: Mapping[str, TextInForce]
    enrolled: Mapping[str, int]
    catalogue: Catalogue | None
    protocols: Mapping[str, Protocol]

    def enrolled_on(self, protocol_id: str) -> int:
        """Enrolments that an edit of this text touches: of the catalogue, all."""
        if protocol_id == CATALOGUE_ID:
            return sum(self.enrolled.values())
        return self.enrolled.get(protocol_id, 0)

    def has(self, protocol_id: str, text: str) -> bool:
        return protocol_id in self.texts and self.texts[protocol_id].text == text

    def holding(self, text: str) -> str:
        """The id of which this is the text in force; empty where it is of none."""
        return next((key for key in self.texts if self.has(key, text)), "")

    def with_proposal(self, proposal: Proposal) -> Force:
        """As it would be parsed with this file in force, too."""
        added = (
            proposal.protocols
            if proposal.is_catalogue
            else {**self.protocols, proposal.id: proposal.protocols[proposal.id]}
        )
        return replace(self, catalogue=proposal.catalogue, protocols=added)


def in_force(connection: Connection) -> Force:
    """What is in force now; nothing at all in a new database."""
    texts = texts_in_force(connection)
    catalogue = None
    protocols: dict[str, Protocol] = {}
    if CATALOGUE_ID in texts:
        book = load_rulebook(connection)
        catalogue, protocols = book.catalogue, dict(book.protocols)
    enrolments = table_of(tables.EnrolmentRow)
    query = select(enrolments.c.protocol_id, func.count()).where(enrolments.c.stands)
    query = query.group_by(enrolments.c.protocol_id)
    enrolled = {row[0]: int(row[1]) for row in connection.execute(query)}
    return Force(texts=texts, enrolled=enrolled, catalogue=catalogue, protocols=protocols)


def propose(path: Path, force: Force, catalogue: Catalogue | None = None) -> Proposal:
    """Read a file strictly, its examples too, beside what is in force.

    `catalogue` stands in where none is in force. Raises Faults.
    """
    return propose_text(decode(read_bytes(path), path.name), path.name, force, catalogue)


def propose_text(
    text: str, file: str, force: Force, catalogue: Catalogue | None = None
) -> Proposal:
    """`propose`, of a text already read."""
    proposal = read_proposal(text, file, force, catalogue)
    if not proposal.is_catalogue:
        refuse_second_default(proposal.protocols[proposal.id], file, text, force)
    return proposal


def read_proposal(
    text: str, file: str, force: Force, catalogue: Catalogue | None = None
) -> Proposal:
    """`propose_text`, without what stands against it in other files. Whatever its reader stumbles
    over is a fault of this one file: the others, and what is in force, go on."""
    try:
        return _proposed_by(text, file, force, catalogue)
    except Faults:
        raise
    except Exception as error:
        name = fault_id()
        logger("schedules").error("fault", id=name, what=places(error))
        problem = f"cannot be read, by a fault of ours ({name}); please report it"
        valid = "the file as it was before the edit"
        raise Faults([Fault(file, "", "", problem, valid)]) from error


def _proposed_by(text: str, file: str, force: Force, catalogue: Catalogue | None) -> Proposal:
    if file == CATALOGUE_FILE:
        return _propose_catalogue(text, file, force)
    known = force.catalogue or catalogue
    if known is None:
        valid = f"a sound {CATALOGUE_FILE} beside it"
        raise Faults([Fault(file, "", "", "cannot be read without the analytes", valid)])
    protocol = load_protocol(text, file, known)
    return Proposal(
        id=protocol.id,
        file=file,
        text=text,
        digest=digest_of(text),
        catalogue=known,
        protocols={**force.protocols, protocol.id: protocol},
    )


def read_bytes(path: Path) -> bytes:
    """Raises Faults where the file cannot be read at all."""
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror or 'no such file'}"
        raise Faults([Fault(str(path), "", "", problem)]) from error


def _propose_catalogue(text: str, file: str, force: Force) -> Proposal:
    """A new catalogue must suit every protocol in force."""
    catalogue = load_catalogue(text, file)
    faults: list[Fault] = []
    protocols: dict[str, Protocol] = {}
    for protocol_id in force.protocols:
        try:
            old = force.texts[protocol_id].text
            name = f"{protocol_id}.toml (in force), read with the new {file}"
            protocols[protocol_id] = load_protocol(old, name, catalogue)
        except Faults as found:
            faults.extend(found.faults)
    if faults:
        raise Faults(faults)
    return Proposal(CATALOGUE_ID, file, text, digest_of(text), catalogue, protocols)


def refuse_second_default(protocol: Protocol, file: str, text: str, force: Force) -> None:
    """At most one protocol is the default of a drug. Raises Faults."""
    if faults := second_defaults(protocol, file, text, force):
        raise Faults(faults)


def second_defaults(protocol: Protocol, file: str, text: str, force: Force) -> list[Fault]:
    """What would be the second default of a drug, as a fault of the file of this text."""
    found = []
    for other in force.protocols.values() if protocol.default else ():
        shared = set(other.drugs) & set(protocol.drugs)
        if other.default and other.id != protocol.id and shared:
            problem = f"but {other.id} is already the default for {', '.join(sorted(shared))}"
            valid = f"false here, or first an edit of {other.id} that gives it up"
            line = Report(file, text).line(("default",))
            found.append(Fault(file, "default", "true", problem, valid, line))
    return found
