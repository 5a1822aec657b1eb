"""Writing to and reading from the table of held rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, update

from monitor.intake.normalise import Normaliser
from monitor.intake.outcomes import Held
from monitor.intake.people import mrn_key, read_number
from monitor.intake.raw import RECEIVED, RawRow
from monitor.intake.repeats import note_repeats
from monitor.store import tables
from monitor.store.among import among
from monitor.store.tables import table_of

HELD = table_of(tables.HeldRowTable)
_CHUNK = 500
_KEPT = ("held", "discarded")
_WATCHED_LIMIT = 200_000


def digest_of(source: str, stored: Mapping[str, Any]) -> str:
    """What makes a held row the same row when it comes again, in whatever file."""
    ours = {name: text for name, text in stored.items() if name not in (RECEIVED, "place")}
    text = json.dumps([source, ours], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def number_of(row: RawRow) -> str:
    """The number of a row without its issuer, as held rows are looked up by."""
    return mrn_key(row.mrn) if row.issuer.strip() else plain_number(row.mrn)


def plain_number(mrn: str) -> str:
    """The same of a row that names no issuer beside its number."""
    return mrn_key(read_number(mrn).number)


class HeldRows:
    """Puts rows of one source into quarantine, none twice, and lets go those that come again
    and can be read now."""

    def __init__(self, connection: Connection, source: str, now: datetime) -> None:
        self._connection = connection
        self._source = source
        self._now = now
        self._numbers: set[str] | None = None

    def hold(
        self, batch: Sequence[Held], file_ids: Sequence[int], normaliser: Normaliser
    ) -> list[bool]:
        """Hold a batch, each row of its file; False for each row that is held (or was
        discarded) already."""
        digests = [digest_of(self._source, held.stored) for held in batch]
        known = self._known(digests)
        new: list[dict[str, Any]] = []
        outcomes = []
        again: list[tuple[str, int, int]] = []
        for held, digest, file_id in zip(batch, digests, file_ids, strict=True):
            outcomes.append(digest not in known)
            if digest not in known:
                known[digest] = (0, file_id)
                new.append(self._values(held, digest, file_id, normaliser))
            elif known[digest][1] != file_id:
                again.append((digest, file_id, held.line))
        if new:
            self._connection.execute(insert(HELD), new)
        if again:
            ids = self._known([digest for digest, _, _ in again])
            rows = [(ids[digest][0], file_id, line) for digest, file_id, line in again]
            note_repeats(self._connection, "held", rows)
        return outcomes

    def settle(self, rows: Iterable[RawRow], file_ids: Iterable[int]) -> set[int]:
        """Let go of held rows that have now come again, each in its file, and were taken;
        returns the patients whose held rows they were."""
        numbered = [
            (number_of(row), row, file_id) for row, file_id in zip(rows, file_ids, strict=True)
        ]
        waiting = self._waiting({number for number, _, _ in numbered})
        by_digest = {
            digest_of(self._source, row.stored()): file_id
            for number, row, file_id in numbered
            if number in waiting
        }
        digests = list(by_digest)
        patients: set[int] = set()
        for start in range(0, len(digests), _CHUNK):
            same = (HELD.c.state == "held") & HELD.c.raw_digest.in_(digests[start : start + _CHUNK])
            columns = (HELD.c.id, HELD.c.patient_id, HELD.c.raw_digest)
            freed = self._connection.execute(select(*columns).where(same)).all()
            patients.update(row.patient_id for row in freed if row.patient_id is not None)
            note_repeats(
                self._connection,
                "settled",
                [(row.id, by_digest[row.raw_digest], 0) for row in freed],
            )
            self._connection.execute(
                update(HELD)
                .where(same)
                .values(state="taken", resolved_at=self._now, resolution="came again and was taken")
            )
        return patients

    def numbers(self) -> Collection[str]:
        """Those of rows that may be let go of; read once, for whoever asks for most of them."""
        if self._numbers is None:
            query = select(HELD.c.mrn_key).where(self._may_go()).distinct().limit(_WATCHED_LIMIT)
            self._numbers = set(self._connection.scalars(query))
        return self._numbers

    def _waiting(self, numbers: Collection[str]) -> Collection[str]:
        """Which of these numbers have rows that may be let go of. A message names one number, and
        a hundred thousand strangers' may be held."""
        if self._numbers is not None or len(numbers) > _CHUNK:
            return self.numbers()
        query = select(HELD.c.mrn_key).where(self._may_go(), mrn_in(numbers)).distinct()
        return set(self._connection.scalars(query))

    def _may_go(self) -> ColumnElement[bool]:
        held = (HELD.c.state == "held") & (HELD.c.mrn_key != "")
        return held & (HELD.c.source == self._source)

    def _known(self, digests: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Which of these are held or were discarded: the row's id and file."""
        found: dict[str, tuple[int, int]] = {}
        wanted = sorted(set(digests))
        for start in range(0, len(wanted), _CHUNK):
            same = HELD.c.raw_digest.in_(wanted[start : start + _CHUNK])
            query = select(HELD.c.raw_digest, HELD.c.id, HELD.c.file_id)
            rows = self._connection.execute(query.where(same, HELD.c.state.in_(_KEPT)))
            found.update({row.raw_digest: (row.id, row.file_id) for row in rows})
        return found

    def _values(
        self, held: Held, digest: str, file_id: int, normaliser: Normaliser
    ) -> dict[str, Any]:
        return {
            "file_id": file_id,
            "line": held.line,
            "source": self._source,
            "raw": held.stored,
            "raw_digest": digest,
            "mrn_key": held.mrn_key,
            "held_at": self._now,
            "state": "held",
            **reading_of(held, normaliser),
        }


def reading_of(held: Held, normaliser: Normaliser) -> dict[str, Any]:
    """What is known of a held row by today's catalogue, config and patients."""
    return {
        "reason_code": held.code,
        "reason": held.reason,
        "hint": held.hint,
        "patient_id": held.patient_id,
        "analyte": held.analyte,
        "collected_on": held.collected_on,
        "possible_values": normaliser.possible_values(held),
    }


def held_in_order(
    connection: Connection, which: ColumnElement[bool], size: int
) -> Iterator[Sequence[Any]]:
    """The rows still held that match, oldest first, `size` at a time."""
    last = 0
    while True:
        query = select(HELD).where(HELD.c.state == "held", HELD.c.id > last, which)
        rows = connection.execute(query.order_by(HELD.c.id).limit(size)).all()
        if not rows:
            return
        last = rows[-1].id
        yield rows


def change_held(connection: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """Update held rows by `row_id`; every change names the same columns."""
    if changes:
        names = [name for name in changes[0] if name != "row_id"]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        statement = update(HELD).where(HELD.c.id == bindparam("row_id")).values(**values)
        rows = [
            {"row_id": it["row_id"], **{f"new_{name}": it[name] for name in names}}
            for it in changes
        ]
        connection.execute(statement, rows)


def count_held(connection: Connection, which: ColumnElement[bool]) -> int:
    """How many rows are held that match."""
    query = select(func.count()).select_from(HELD).where(HELD.c.state == "held", which)
    return connection.scalar(query) or 0


def said_of(connection: Connection, row_ids: Collection[int]) -> set[int]:
    """The patients of whom these rows are held."""
    rows = among(HELD.c.id, row_ids) & HELD.c.patient_id.is_not(None)
    return set(connection.scalars(select(HELD.c.patient_id).where(rows).distinct()))


def mrn_in(keys: Collection[str]) -> ColumnElement[bool]:
    """Rows of these numbers."""
    return HELD.c.mrn_key.in_(sorted(keys))
