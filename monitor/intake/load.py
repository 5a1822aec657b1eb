"""A results file into the database: one transaction, every row accounted for."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitor.config import Settings
from monitor.core.catalogue import Catalogue
from monitor.intake.context import (
    Preview,
    batches_and_blocks,
    new_id,
    normaliser_of,
    source_named,
    take_turn,
)
from monitor.intake.cut_short import CameWhole, Cut, Whole, take_away
from monitor.intake.fixes import reading
from monitor.intake.formats import open_rows
from monitor.intake.held import HELD, HeldRows, count_held
from monitor.intake.issuers import Issuers
from monitor.intake.load_notes import notes_of
from monitor.intake.merged_rows import keep_merged
from monitor.intake.merging import Merging
from monitor.intake.outcomes import UNKNOWN_PATIENT, Held, Ignored, Outcome, Taken
from monitor.intake.people import People
from monitor.intake.pieces import mend
from monitor.intake.plain_block import PlainBlocks
from monitor.intake.raw import BadLine, Item, OtherMessage, PatientMerge, RawRow
from monitor.intake.raw_blocks import RawBlock
from monitor.intake.recognised import Recognised
from monitor.intake.report import OUTCOMES, FileReport, Problems, Progress
from monitor.intake.results import ResultWriter
from monitor.intake.retry import retry_held
from monitor.intake.seen import Seen
from monitor.intake.survey import Survey, UnreadableFile, survey
from monitor.intake.table_reader import SaysOtherwise
from monitor.store import tables
from monitor.store.beside import Beside
from monitor.store.brought import count_left
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.frames import wake
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

Review = Callable[[Connection, Sequence[int]], None]
"""Reviews these enrolments in a transaction that is about to be taken back."""
_FILES = table_of(tables.File)
_BATCH = 5000
_LARGE = 32 << 20


def load_file(
    store: Store,
    settings: Settings,
    path: Path,
    source: str,
    now: datetime,
    *,
    preview: Review | None = None,
    progress: Progress | None = None,
) -> FileReport:
    """Take in a results file in one transaction, and wake whom it touched.

    With `preview` everything is done, those touched are reviewed by it in the same transaction,
    and all is taken back. Raises UnreadableFile where no row of the file can be read; then
    nothing was changed.
    """
    mapping = source_named(settings, source)
    surveyed = survey(path, mapping.encoding, now.year)
    given = store, settings, surveyed, source, now, preview, progress
    at_once = preview is None
    cuts: Sequence[Cut] = ()
    while True:
        try:
            return _load_surveyed(*given, at_once=at_once, cuts=cuts)
        except SaysOtherwise:
            at_once = False
        except CameWhole as found:
            cuts = found.cuts


def _load_surveyed(
    store: Store,
    settings: Settings,
    surveyed: Survey,
    source: str,
    now: datetime,
    preview: Review | None,
    progress: Progress | None,
    *,
    at_once: bool,
    cuts: Sequence[Cut],
) -> FileReport:
    try:
        with store.write() as connection:
            take_turn(connection, now)
            load = _Load(connection, settings, source, surveyed, now, progress, cuts)
            report = load.run(preview=preview is not None, at_once=at_once)
            if preview is not None:
                preview(connection, report.touched)
                raise Preview
            if not surveyed.is_unchanged():
                raise UnreadableFile("the file changed while it was read; nothing was taken")
            bring_to(connection, now)
    except Preview:
        pass
    return report


def load_within(
    connection: Connection, settings: Settings, surveyed: Survey, source: str, now: datetime
) -> FileReport:
    """Take in what came over a connection, in the transaction of a caller whose turn it is."""
    source_named(settings, source)
    return _Load(connection, settings, source, surveyed, now, None).run()


class _Load:
    """One file on its way in."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        source: str,
        surveyed: Survey,
        now: datetime,
        progress: Progress | None,
        cuts: Sequence[Cut] = (),
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._source = source
        self._survey = surveyed
        self._now = now
        self._progress = progress
        self._cuts = cuts
        self._catalogue: Catalogue = load_rulebook(connection).catalogue
        self._counts: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._problems = Problems()
        self._notes: list[str] = []
        self._touched: set[int] = set()
        self._preview = self._at_once = False
        self._tables: tuple[Recognised, ...] = ()
        self._seen = Seen(self._catalogue)

    def run(self, *, preview: bool = False, at_once: bool = False) -> FileReport:
        """Take the file in. A preview reads it anew even where it was loaded before, for it is
        to show what is recognised. Raises SaysOtherwise, if it is read `at_once`."""
        self._preview = preview
        self._at_once = at_once
        earlier = self._earlier()
        if earlier is None or preview or self._may_hold_news(earlier):
            self._read(again=earlier is not None)
        else:
            self._only_retry(earlier)
        touched = wake(self._connection, self._touched, self._now, results=False)
        return FileReport(
            file=self._survey.name,
            sha256=self._survey.sha256,
            rows=sum(self._counts.values()),
            **{name: self._counts[name] for name in OUTCOMES},
            other_messages=sum(self._others.values()),
            notes=tuple(self._notes),
            problems=tuple(sorted(self._problems.listed)),
            reasons=dict(self._problems.by_reason.most_common()),
            touched=tuple(touched),
            tables=self._tables,
            seen=self._seen.codes() if self._preview else (),
        )

    def _earlier(self) -> Any:
        """The same file from the same source, as it was loaded before. That it was taken back
        since is said: whoever found it may think it new."""
        columns = _FILES.c
        same = (
            (columns.sha256 == self._survey.sha256)
            & (columns.source == self._source)
            & (columns.kind == "results")
        )
        known = self._connection.execute(select(_FILES).where(same).order_by(columns.id)).all()
        standing = [it for it in known if it.reverted_at is None]
        if known and not standing:
            batch = f"batch {known[-1].id}, by {known[-1].reverted_by}"
            self._notes.append(f"this file was taken back before, as {batch}: its rows count again")
        return standing[0] if standing else None

    def _may_hold_news(self, earlier: Any) -> bool:
        """Whether rows that were let go by then may be wanted now."""
        return bool(earlier.ignored)

    def _only_retry(self, earlier: Any) -> None:
        """The same file again: nothing new, but what is held of it may be readable by now."""
        retried = retry_held(
            self._connection,
            self._settings,
            self._catalogue,
            HELD.c.file_id == earlier.id,
            self._now,
            by="loaded again",
        )
        for outcome in ("stored", "superseded", "withdrawn"):
            self._counts[outcome] = retried.outcomes[outcome]
        self._counts["duplicate"] = earlier.rows - sum(self._counts.values())
        self._touched |= retried.patients
        self._notes.append(
            f"this file was loaded before, as {earlier.name}; "
            f"{count_held(self._connection, HELD.c.file_id == earlier.id)} of its rows are held"
        )

    def _read(self, *, again: bool) -> None:
        mapping = reading(self._connection, self._settings, self._source).mapping
        with open_rows(self._survey, mapping, self._catalogue, at_once=self._at_once) as opened:
            file_id = self._insert_file()
            self._touched |= take_away(self._connection, self._cuts)
            items = opened.items if self._preview else opened.parts
            is_large = self._survey.size > _LARGE
            with _frozen() if is_large else nullcontext(), Beside(self._connection) as beside:
                self._take_rows(items, beside, file_id, again=again)
            self._notes[:0] = opened.notes
            self._tables = tuple(opened.tables)
        self._mend(file_id)
        self._connection.execute(
            update(_FILES)
            .where(_FILES.c.id == file_id)
            .values(
                rows=sum(self._counts.values()),
                other_messages=sum(self._others.values()),
                **{name: self._counts[name] for name in OUTCOMES},
            )
        )
        count_left(self._connection, [file_id])

    def _mend(self, file_id: int) -> None:
        """Let what was read of rows that broke off count for nothing. Raises CameWhole."""
        file = Whole(file_id, self._source, self._survey, self._counts)
        mended = mend(self._connection, file, self._cuts, self._now)
        self._touched |= mended.patients
        self._notes.extend(mended.notes)

    def _rows(
        self, items: Iterator[Item | RawBlock], merging: Merging, issuers: Issuers
    ) -> Iterator[RawRow | BadLine | RawBlock]:
        """The rows among the items; messages of other kinds are counted, and those that merge
        patients followed: rows before and after alike come to belong to the one who stays."""
        counted = (0, "")
        for item in items:
            if isinstance(item, PatientMerge):
                if why := merging.hear(item, issuers):
                    yield BadLine(item.line, "merge", why, item.text, item.place)
                # one message may end several numbers
                self._others[item.kind] += counted != (item.line, item.place)
                counted = (item.line, item.place)
            elif isinstance(item, OtherMessage):
                self._others[item.kind] += 1
            else:
                yield item

    def _insert_file(self) -> int:
        values = dict.fromkeys(("rows", *OUTCOMES, "other_messages"), 0)
        inserted = self._connection.execute(
            insert(_FILES).values(
                kind="results",
                name=self._survey.name,
                sha256=self._survey.sha256,
                source=self._source,
                received_at=self._now,
                **values,
            )
        )
        return new_id(inserted)

    def _take_rows(
        self,
        items: Iterator[Item | RawBlock],
        beside: Beside,
        file_id: int,
        *,
        again: bool,
    ) -> None:
        people = People(self._connection)
        normaliser = normaliser_of(
            self._connection, self._settings, self._catalogue, people, self._source, self._now
        )
        held_rows = HeldRows(self._connection, self._source, self._now)
        writer = ResultWriter(self._connection, self._now)
        merging = Merging(
            self._connection, self._settings, self._catalogue, people, file_id, self._now
        )
        blocks = PlainBlocks(
            self._connection, normaliser, held_rows.numbers, writer, beside, file_id,
            self._survey.lines,
        )  # fmt: skip

        def take(batch: Sequence[RawRow | BadLine], outcomes: Sequence[Outcome]) -> None:
            if self._preview:
                self._seen.add(batch, outcomes)
            taken = [it for it in outcomes if isinstance(it, Taken)]
            remarks = self._store(taken, file_id, writer, held_rows)
            held = [it for it in outcomes if isinstance(it, Held)]
            self._hold(held, held_rows.hold(held, [file_id] * len(held), normaliser))
            ignored = [it for it in outcomes if isinstance(it, Ignored)]
            self._let_go([*ignored, *remarks], again=again)
            self._show(_line_of(outcomes))

        rows = self._rows(items, merging, normaliser.issuers)
        for batch in batches_and_blocks(rows, _BATCH):
            if not isinstance(batch, RawBlock):
                between = list(normaliser.normalise(batch))
                blocks.meet(between)
                take(batch, between)
                continue
            done = blocks.take(batch)
            self._counts["stored"] += done.stored
            self._touched.update(done.patients)
            for start in range(0, len(done.rows), _BATCH):
                part = slice(start, start + _BATCH)
                take(done.rows[part], done.outcomes[part])
            self._show(batch.last_line)
        blocks.finish()
        self._touched |= merging.touched
        self._notes.extend(merging.notes())
        self._conclude(normaliser.measures.read_as_percent, normaliser.unread, writer.unflagged)

    def _show(self, line: int) -> None:
        if self._progress is not None:
            self._progress(min(line, self._survey.lines), self._survey.lines)

    def _store(
        self, taken: Sequence[Taken], file_id: int, writer: ResultWriter, held_rows: HeldRows
    ) -> list[Ignored]:
        """Those among the rows that are but remarks on numbers of the file."""
        ids = [file_id] * len(taken)
        outcomes = writer.write(taken, ids)
        keep_merged(self._connection, self._source, ids, taken, outcomes, self._now)
        told = list(zip(taken, outcomes, strict=True))
        self._counts.update(outcome for outcome in outcomes if outcome != "ignored")
        self._touched.update(it.patient_id for it, outcome in told if outcome != "duplicate")
        self._touched.update(held_rows.settle([it.raw for it in taken], ids))
        return [Ignored(it.line, "empty") for it, outcome in told if outcome == "ignored"]

    def _hold(self, held: Sequence[Held], is_new: Sequence[bool]) -> None:
        for row, new in zip(held, is_new, strict=True):
            self._counts["quarantined" if new else "duplicate"] += 1
            if new:
                self._problems.add(row.line, row.code, row.reason, row.place)
                if row.patient_id is not None and row.analyte:
                    self._touched.add(row.patient_id)

    def _let_go(self, ignored: Sequence[Ignored], *, again: bool) -> None:
        self._counts["duplicate" if again else "ignored"] += len(ignored)
        self._ignored.update(it.why for it in ignored)

    def _conclude(self, percent: Counter[str], unread: Counter[str], unflagged: int) -> None:
        """Say what of the rows a reader of the report should know."""
        self._notes += notes_of(
            percent=percent,
            unread=unread,
            others=self._others,
            unflagged=unflagged,
            ignored=self._ignored,
            unknown=self._problems.by_code[UNKNOWN_PATIENT],
        )


@contextmanager
def _frozen() -> Iterator[None]:
    """What there is already is not gone through by the collector of garbage again and again."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _line_of(outcomes: Sequence[Outcome]) -> int:
    return outcomes[-1].line if outcomes else 0
