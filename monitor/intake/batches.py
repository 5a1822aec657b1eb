"""A whole file taken back as one step (`docs/adr/0018`).

Nothing is deleted: what the file brought stays on record and counts for nothing. What it had
superseded stands again, what another file has said too passes on to that file, held rows of
others that it let go are held again. The same file may be loaded anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from monitor.config import Settings
from monitor.intake.changes import CHANGES, undo_changes
from monitor.intake.context import Preview, chunks, take_turn
from monitor.intake.cut_people import events_come_back
from monitor.intake.cut_short import come_back, cuts_by, pass_on_cuts
from monitor.intake.dependence import BatchRefused, refuse_if_needed
from monitor.intake.doubles import settle_doubles
from monitor.intake.heirs import FILES, Heirs
from monitor.intake.held import HELD, mrn_in, said_of
from monitor.intake.load import Review
from monitor.intake.merged_rows import MERGED_ROWS, hold_strangers
from monitor.intake.merges import derive
from monitor.intake.people import IDENTIFIERS, PATIENTS, mrn_key
from monitor.intake.repeats import REPEATS
from monitor.intake.results import restand
from monitor.intake.retry import retry_held
from monitor.intake.sayings import BY_PEOPLE, MERGES
from monitor.store import brought, tables
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.frames import wake
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

_RESULTS = table_of(tables.ResultRow)
_EVENTS = table_of(tables.EventRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverted:
    """What came of taking a file back, in rows."""

    file: str
    results: int
    held: int
    events: int
    enrolments: int
    merges: int
    passed_on: int
    """Rows that other files have said too, and that are theirs now."""
    touched: tuple[int, ...]
    notes: tuple[str, ...] = ()
    """What a person should know of it."""


def revert(
    store: Store,
    settings: Settings,
    batch_id: int,
    *,
    by: str,
    reason: str,
    now: datetime,
    preview: Review | None = None,
) -> Reverted:
    """Take a file back, by whom and why. With `preview` everything is done, those touched are
    reviewed by it, and all is undone. Raises BatchRefused."""
    if not by.strip() or not reason.strip():
        raise BatchRefused("a file is taken back by somebody and for a reason: give both")
    try:
        with store.write() as connection:
            take_turn(connection, now)
            work = _Reverting(connection, settings, _the_file(connection, batch_id), now)
            done = work.run(by.strip(), reason.strip())
            if preview is not None:
                preview(connection, done.touched)
                raise Preview
            bring_to(connection, now)
    except Preview:
        pass
    return done


def _the_file(connection: Connection, batch_id: int) -> Row[Any]:
    file = connection.execute(select(FILES).where(FILES.c.id == batch_id)).one_or_none()
    if file is None:
        raise BatchRefused(f"there is no batch {batch_id}; see: monitor batch list")
    if file.reverted_at is not None:
        raise BatchRefused(
            f"batch {batch_id} was taken back already, by {file.reverted_by}: "
            f"{file.reverted_because}"
        )
    return file


class _Reverting:
    """One file on its way out."""

    def __init__(
        self, connection: Connection, settings: Settings, file: Row[Any], now: datetime
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._file = file
        self._now = now
        self._rulebook = load_rulebook(connection)
        self._patients: set[int] = set()
        self._heirs = Heirs(connection, file.id)
        self._counts: Counter[str] = Counter()

    def run(self, by: str, reason: str) -> Reverted:
        file_id = self._file.id
        refuse_if_needed(self._connection, self._file.id, self._file.kind)
        self._connection.execute(
            update(FILES)
            .where(FILES.c.id == file_id)
            .values(reverted_at=self._now, reverted_by=by, reverted_because=reason)
        )
        self._lock()
        merged = self._merges()
        self._results()
        self._events()
        self._enrolments()
        pass_on_cuts(self._connection, file_id)
        patients, uncut = come_back(self._connection, file_id)
        self._patients |= patients
        for cut in cuts_by(self._connection, file_id):
            patients, numbers = events_come_back(self._connection, cut)
            self._patients |= patients
            merged |= numbers
        again = self._held(by, reason, uncut)
        for table in (REPEATS, MERGED_ROWS):
            gone = self._connection.execute(delete(table).where(table.c.file_id == file_id))
            brought.left_more(self._connection, table, {file_id: -gone.rowcount})
        forgotten = self._forget_issuers(merged)
        self._derive(merged, again, forgotten, by)
        return Reverted(
            file=self._file.name,
            results=self._counts["results"],
            held=self._counts["held"],
            events=self._counts["events"],
            enrolments=self._counts["enrolments"],
            merges=self._counts["merges"],
            passed_on=self._heirs.passed_on,
            touched=wake(self._connection, self._patients, self._now),
        )

    def _lock(self) -> None:
        """Enrolments first, in the order of their ids, as everybody who writes does."""
        self._patients |= set(self._of_file(_RESULTS)) | set(self._of_file(_EVENTS))
        self._patients |= set(self._of_file(_ENROLMENTS))
        for ids in chunks(sorted(self._patients), _CHUNK):
            mine = _ENROLMENTS.c.patient_id.in_(ids)
            query = select(_ENROLMENTS.c.id).where(mine).order_by(_ENROLMENTS.c.id)
            self._connection.execute(query.with_for_update()).all()

    def _of_file(self, table: Table) -> Sequence[int]:
        mine = table.c.file_id == self._file.id
        return list(self._connection.scalars(select(table.c.patient_id).where(mine).distinct()))

    # --- What the file brought ------------------------------------------------------------

    def _results(self) -> None:
        columns = _RESULTS.c
        mine = (columns.file_id == self._file.id) & ~columns.taken_back
        self._heirs.pass_on("result", _RESULTS, mine, "stored", {"stands": literal(False)})
        gone = update(_RESULTS).where(mine).values(taken_back=True, stands=False)
        self._counts["results"] = self._connection.execute(gone).rowcount

    def _events(self) -> None:
        columns = _EVENTS.c
        mine = (columns.file_id == self._file.id) & ~columns.taken_back
        self._heirs.pass_on("event", _EVENTS, mine, "stored", {})
        gone = update(_EVENTS).where(mine).values(taken_back=True, withdrawn=True)
        self._counts["events"] = self._connection.execute(gone).rowcount
        withdrawn = (columns.withdrawn_in == self._file.id) & ~columns.taken_back
        for row in self._connection.execute(
            select(columns.id, columns.patient_id).where(withdrawn)
        ):
            self._patients.add(row.patient_id)
            heir = self._heirs.heir("withdrawal", row.id)
            values: dict[str, Any] = {"withdrawn": False, "withdrawn_in": None}
            if heir is not None:
                self._heirs.recount(heir.file_id, "stored")
                values = {"withdrawn_in": heir.file_id}
            self._connection.execute(update(_EVENTS).where(columns.id == row.id).values(values))

    def _merges(self) -> set[int]:
        """Take back what the file said of numbers; the patients it said it of."""
        mine = (MERGES.c.file_id == self._file.id) & ~MERGES.c.taken_back
        rows = self._connection.execute(select(MERGES.c.old_id, MERGES.c.new_id).where(mine)).all()
        self._heirs.pass_on("merge", MERGES, mine, "stored", {})
        self._connection.execute(update(MERGES).where(mine).values(taken_back=True))
        self._counts["merges"] = len(rows)
        return {patient for row in rows for patient in row}

    def _enrolments(self) -> None:
        columns = _ENROLMENTS.c
        mine = columns.file_id == self._file.id
        gone = update(_ENROLMENTS).where(mine).values(stands=False, merged_into=None)
        self._counts["enrolments"] = self._connection.execute(gone).rowcount
        changed = select(CHANGES.c.what, CHANGES.c.row_id).where(CHANGES.c.file_id == self._file.id)
        for what, row_id in self._connection.execute(changed.distinct()).all():
            query = select(columns.patient_id).where(columns.id == row_id)
            owner = row_id if what == "patient" else self._connection.scalar(query)
            if owner is not None:
                self._patients.add(owner)
        undo_changes(self._connection, self._file.id)

    def _held(self, by: str, reason: str, uncut: Sequence[int]) -> list[int]:
        """Take the file's held rows off the table, put back those of others that it had let go,
        and say which are to be tried again."""
        mine = (HELD.c.file_id == self._file.id) & (HELD.c.state != "reverted")
        query = select(HELD.c.patient_id).where(mine, HELD.c.patient_id.is_not(None))
        self._patients |= set(self._connection.scalars(query.distinct()))
        passed = self._heirs.pass_on("held", HELD, mine, "quarantined", {"state": literal("held")})
        values = {"resolved_at": self._now, "resolved_by": by, "resolution": reason}
        gone = update(HELD).where(mine).values(state="reverted", **values)
        self._counts["held"] = self._connection.execute(gone).rowcount
        settled = select(REPEATS.c.row_id).where(
            REPEATS.c.what == "settled", REPEATS.c.file_id == self._file.id
        )
        back = list(self._connection.scalars(settled))
        for ids in chunks(sorted(back), _CHUNK):
            again = HELD.c.id.in_(ids) & (HELD.c.state == "taken")
            nothing = {"state": "held", "resolved_at": None, "resolved_by": "", "resolution": ""}
            self._connection.execute(update(HELD).where(again).values(**nothing))
        strangers = hold_strangers(self._connection, self._of_file(_ENROLMENTS))
        waiting = {*passed, *back, *uncut, *strangers}
        self._patients |= said_of(self._connection, waiting)
        return sorted(waiting)

    def _forget_issuers(self, merged: Collection[int]) -> set[str]:
        """An issuer that only this file named for a plain number is not known any more; the
        numbers that are nobody's for certain now."""
        numbers: set[str] = set()
        for ids in chunks(sorted({*self._patients, *merged}), _CHUNK):
            seen = self._connection.execute(_only_seen(ids)).all()
            named = _named_by_rows(self._connection, [row.patient_id for row in seen])
            gone = [row for row in seen if (row.patient_id, row.issuer_key) not in named]
            forgotten = IDENTIFIERS.c.id.in_([row.id for row in gone])
            self._connection.execute(delete(IDENTIFIERS).where(forgotten))
            numbers.update(row.number_key for row in gone)
        return numbers

    def _derive(
        self, merged: Collection[int], again: Collection[int], forgotten: Collection[str], by: str
    ) -> None:
        """Everything anew that depended on the file: held rows too that are to be tried again, or
        were another issuer's as long as the one that is `forgotten` was known."""
        connection, catalogue = self._connection, self._rulebook.catalogue
        if merged:
            derived = derive(connection, self._settings, catalogue, merged, self._now)
            self._patients |= derived.patients
        restand(connection, self._patients)
        settle_doubles(connection, self._patients, self._now)
        others = select(HELD.c.id).where(HELD.c.state == "held")
        for numbers in chunks(sorted(forgotten), _CHUNK):
            again = {*again, *connection.scalars(others.where(mrn_in(numbers)))}
        named = [HELD.c.id.in_(ids) for ids in chunks(sorted(again), _CHUNK)]
        for which in (*named, *self._held_of_those_enrolled()):
            retried = retry_held(connection, self._settings, catalogue, which, self._now, by=by)
            self._patients |= retried.patients

    def _held_of_those_enrolled(self) -> list[ColumnElement[bool]]:
        """Rows that were held as theirs whom this file enrolled: a stranger's again, maybe."""
        patients = sorted(set(self._of_file(_ENROLMENTS)))
        return [HELD.c.patient_id.in_(ids) for ids in chunks(patients, _CHUNK)]


def _only_seen(patient_ids: Sequence[int]) -> Select[Any]:
    """The issuers that were only ever seen with the plain numbers of these patients, but for those
    that a hospital may have named by merging them."""
    mine, other = IDENTIFIERS.c, IDENTIFIERS.alias().c
    persons = or_(PATIENTS.c.id.in_(patient_ids), PATIENTS.c.person_id.in_(patient_ids))
    plain = select(other.id).where(other.patient_id == mine.patient_id, other.issuer_key == "")
    heard = select(MERGES.c.id).where(
        or_(MERGES.c.old_id == mine.patient_id, MERGES.c.new_id == mine.patient_id),
        MERGES.c.origin != BY_PEOPLE,
        ~MERGES.c.taken_back,
    )
    return select(mine.id, mine.patient_id, mine.issuer_key, mine.number_key).where(
        mine.patient_id.in_(select(PATIENTS.c.id).where(persons)),
        mine.seen_at.is_not(None),
        plain.exists(),
        ~heard.exists(),
    )


def _named_by_rows(connection: Connection, patient_ids: Sequence[int]) -> set[tuple[int, str]]:
    """Under whose numbers results came that count, and the issuers they name, as compared."""
    columns = _RESULTS.c
    home = func.coalesce(columns.home_id, columns.patient_id)
    found: set[tuple[int, str]] = set()
    for ids in chunks(sorted(set(patient_ids)), _CHUNK):
        theirs = or_(
            columns.home_id.in_(ids), columns.patient_id.in_(ids) & columns.home_id.is_(None)
        )
        query = select(home, columns.issuer).where(theirs, columns.issuer != "")
        rows = connection.execute(query.where(~columns.taken_back).distinct())
        found |= {(patient, mrn_key(issuer)) for patient, issuer in rows}
    return found
