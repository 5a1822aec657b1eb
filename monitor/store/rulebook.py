"""The rule book in force: the catalogue of analytes and the protocols, from the database.

Files in `schedules/` are proposals; what counts is the newest text of each id in the table
`protocol_texts` (specification, section 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, func, insert, select

from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.core.faults import almost
from monitor.core.protocol import Protocol
from monitor.core.protocol_file import CATALOGUE_ID, parse_protocol
from monitor.store import tables
from monitor.store.errors import StoreError


class NoRuleBook(StoreError):
    """Nothing is in force yet; the text says what to do."""


@dataclass(frozen=True, slots=True)
class TextInForce:
    """One text as it was put in force."""

    protocol_id: str
    digest: str
    text: str
    applied_at: datetime
    applied_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All that patients are judged by."""

    catalogue: Catalogue
    protocols: Mapping[str, Protocol]

    def drug_named(self, text: str) -> str:
        """The drug of a protocol that an enrolment means, by its brand name too ("Imurek 50 mg"
        is azathioprine); of several drugs or one that is not monitored, the text as it is."""
        monitored = {name for it in self.protocols.values() for name in it.drugs}
        own = text.strip()
        meant = self.catalogue.drugs.find(own)
        known = own.casefold() in monitored or len(meant) > 1
        return own if known or meant[0] not in monitored else meant[0]

    def for_drug(self, drug: str, protocol_id: str = "") -> Protocol:
        """The protocol that a patient on this drug is monitored by.

        Without an id: the one that names the drug, or of several the default. Raises
        LookupError, in words for whoever wrote the enrolment.
        """
        wanted = drug.strip().casefold()
        candidates = [it for it in self.protocols.values() if wanted in it.drugs]
        if protocol_id.strip():
            return self._named(protocol_id.strip(), drug, candidates)
        if not candidates:
            known = sorted({name for it in self.protocols.values() for name in it.drugs})
            meant = almost(wanted, known)
            asked = f'did you mean "{meant}"? ' if meant else ""
            raise LookupError(
                f'no protocol names the drug "{drug}"; {asked}known: {", ".join(known)}; a brand '
                "name has to stand in [drugs] of analytes.toml"
            )
        defaults = [it for it in candidates if it.default]
        chosen = candidates if len(candidates) == 1 else defaults
        if len(chosen) != 1:
            raise LookupError(
                f'several protocols name the drug "{drug}" and none is its one default; '
                f"name one of {_ids(candidates)}"
            )
        return chosen[0]

    def _named(self, protocol_id: str, drug: str, candidates: list[Protocol]) -> Protocol:
        protocol = self.protocols.get(protocol_id)
        if protocol is None:
            known = _ids(candidates or list(self.protocols.values()))
            raise LookupError(f"there is no protocol {protocol_id!r}; in force: {known}")
        if protocol not in candidates:
            raise LookupError(
                f"protocol {protocol_id!r} is for {', '.join(protocol.drugs)}, not for {drug!r}"
            )
        return protocol


def load_rulebook(connection: Connection) -> RuleBook:
    """The rule book in force. Raises NoRuleBook where nothing was ever put in force."""
    texts = texts_in_force(connection)
    catalogue = texts.pop(CATALOGUE_ID, None)
    if catalogue is None:
        raise NoRuleBook(
            "no analytes.toml is in force yet: `monitor init` puts the files of the schedules "
            "folder in force"
        )
    parts = tuple((it.protocol_id, it.text) for _, it in sorted(texts.items()))
    return _parsed(catalogue.text, parts)


def texts_in_force(connection: Connection) -> dict[str, TextInForce]:
    """The newest text of every id, the catalogue (`analytes`) among them."""
    table = tables.table_of(tables.ProtocolText)
    newest = select(func.max(table.c.id)).group_by(table.c.protocol_id)
    rows = connection.execute(select(table).where(table.c.id.in_(newest)))
    return {
        row.protocol_id: TextInForce(
            protocol_id=row.protocol_id,
            digest=row.digest,
            text=row.text,
            applied_at=row.applied_at,
            applied_by=row.applied_by,
            reason=row.reason,
        )
        for row in rows
    }


def load_earlier(
    connection: Connection, protocol_id: str, digest: str, catalogue: Catalogue
) -> Protocol | None:
    """A protocol as it was once in force, read with a catalogue; None: no such text is there."""
    table = tables.table_of(tables.ProtocolText)
    known = table.c.protocol_id == protocol_id, table.c.digest == digest
    text = connection.scalar(select(table.c.text).where(*known).limit(1))
    return None if text is None else _protocol(protocol_id, str(text), _Same(catalogue))


class _Same:
    """A catalogue, known by its digest."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.catalogue.digest == self.catalogue.digest

    def __hash__(self) -> int:
        return hash(self.catalogue.digest)


@lru_cache(maxsize=64)
def _protocol(protocol_id: str, text: str, known: _Same) -> Protocol:
    """A text in force or one that once was, read once a process."""
    return parse_protocol(text, f"{protocol_id}.toml (in force)", known.catalogue)


@lru_cache(maxsize=4)
def _catalogue(text: str) -> Catalogue:
    return load_catalogue(text, "analytes.toml (in force)")


def put_in_force(
    connection: Connection,
    protocol_id: str,
    text: str,
    digest: str,
    now: datetime,
    by: str,
    reason: str,
) -> None:
    """Let a text that has been checked count from now on; the earlier ones are kept."""
    connection.execute(
        insert(tables.table_of(tables.ProtocolText)).values(
            protocol_id=protocol_id,
            digest=digest,
            text=text,
            applied_at=now,
            applied_by=by,
            reason=reason,
        )
    )


@lru_cache(maxsize=16)
def _parsed(catalogue_text: str, texts: tuple[tuple[str, str], ...]) -> RuleBook:
    """Texts in force have been checked before; the same texts are read once a process."""
    catalogue = _catalogue(catalogue_text)
    return RuleBook(catalogue=catalogue, protocols=_Protocols(dict(texts), catalogue))


class _Protocols(Mapping[str, Protocol]):
    """Texts in force, each read when it is first asked for: most clinics use one or two."""

    def __init__(self, texts: Mapping[str, str], catalogue: Catalogue) -> None:
        self._texts = texts
        self._catalogue = catalogue
        self._read: dict[str, Protocol] = {}

    def __getitem__(self, protocol_id: str) -> Protocol:
        known = self._read.get(protocol_id)
        if known is None:
            text = self._texts[protocol_id]
            known = _protocol(protocol_id, text, _Same(self._catalogue))
            # of two threads that read it at once both go on with the same one
            known = self._read.setdefault(protocol_id, known)
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _ids(protocols: list[Protocol]) -> str:
    return ", ".join(sorted(it.id for it in protocols)) or "none"
