"""What enrolment and events files share: reading rows by column name, cells, the account."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, delete, insert, select, update

from monitor.core.calendar import FIRST_YEAR, LAST_YEAR
from monitor.core.catalogue import Catalogue
from monitor.core.event_values import WrongValue, beyond_weights, one_of, positive_number
from monitor.core.units import plain
from monitor.intake.columns import PERSON_COLUMNS, fold, match, require
from monitor.intake.context import new_id
from monitor.intake.csv import Table, open_table
from monitor.intake.dates import read_day
from monitor.intake.people import Number, mrn_key, read_number
from monitor.intake.raw import BadLine
from monitor.intake.report import PeopleReport, Refusal
from monitor.intake.survey import Survey, UnreadableFile
from monitor.intake.vocabulary import key_of, vocabulary
from monitor.intake.workbook import open_sheets
from monitor.store import tables
from monitor.store.brought import count_left
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_REPEATS = table_of(tables.Repeat)
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_KINDS = {
    "an enrolment file: monitor enrol": {"mrn", "drug", "startedon"},
    "an events file: monitor events": {"mrn", "on", "event"},
    "a results file: monitor load": {"mrn", "collectedat", "value"},
}
"""By the columns that no other kind has, folded."""
_SHOWN = 40
_NOTES = 50


class Refused(Exception):
    """A row that cannot be taken; the text is the reason, and says what would do it."""


Cells = Mapping[str, str]


@dataclass
class Account:
    """Counts the rows of one file as they end."""

    survey: Survey
    kind: str
    taken: int = 0
    duplicate: int = 0
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    patients: set[int] = field(default_factory=set)
    mended: bool = False
    """Whether rows in which earlier files broke off came whole in this one."""

    def note(self, text: str) -> None:
        """Add a note; after the first ones they are only counted at the end."""
        self.notes.append(text)

    def record(self, connection: Connection, now: datetime) -> int:
        """Write the file into the list of files taken in; returns its id."""
        inserted = connection.execute(
            insert(_FILES).values(
                kind=self.kind,
                name=self.survey.name,
                sha256=self.survey.sha256,
                source="",
                received_at=now,
                superseded=0,
                withdrawn=0,
                ignored=0,
                other_messages=0,
                **self._counts(),
            )
        )
        return new_id(inserted)

    def update(self, connection: Connection, file_id: int) -> None:
        """Write the final counts of a recorded file. One that brought nothing leaves no trace,
        unless it is another file that says the same: should the first be taken back, it counts."""
        mine = _FILES.c.id == file_id
        if (
            self.taken
            or self.mended
            or (self.duplicate and not self._came_before(connection, file_id))
        ):
            connection.execute(update(_FILES).where(mine).values(**self._counts()))
            count_left(connection, [file_id])
        else:
            connection.execute(delete(_REPEATS).where(_REPEATS.c.file_id == file_id))
            connection.execute(delete(_FILES).where(mine))

    def _came_before(self, connection: Connection, file_id: int) -> bool:
        columns = _FILES.c
        same = (columns.sha256 == self.survey.sha256) & (columns.kind == self.kind)
        same &= (columns.id != file_id) & columns.reverted_at.is_(None)
        return connection.scalar(select(columns.id).where(same).limit(1)) is not None

    def _counts(self) -> dict[str, int]:
        return {
            "rows": self.rows,
            "stored": self.taken,
            "duplicate": self.duplicate,
            "quarantined": len(self.refused),
        }

    @property
    def rows(self) -> int:
        return self.taken + self.duplicate + len(self.refused)

    def report(self, touched: Sequence[int]) -> PeopleReport:
        left_out = len(self.notes) - _NOTES
        more = [f"and {left_out} more notes"] if left_out > 0 else []
        return PeopleReport(
            file=self.survey.name,
            rows=self.rows,
            taken=self.taken,
            duplicate=self.duplicate,
            refused=tuple(sorted(self.refused)),
            notes=(*self.notes[:_NOTES], *more),
            touched=tuple(touched),
            sha256=self.survey.sha256,
        )


def read_rows(
    account: Account, ours: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, Cells]]:
    """The rows of a file as cells by our column names, each in one line. Lines that cannot be split
    are refused on the way. Raises UnreadableFile."""
    table = open_people_table(account.survey, ours)
    columns = match(table.header, ours)
    if not columns.positions.keys() >= {*required}:
        _refuse_other_kinds(table.header)
    require(columns, required, list(columns.positions))
    _introduce(account, table, columns.ignored)
    with closing(table.read()) as records:
        for record in records:
            if isinstance(record, BadLine):
                account.refused.append(Refusal(record.line, record.reason))
                continue
            cells = dict.fromkeys(ours, "")
            for name, position in columns.positions.items():
                cells[name] = one_line(name, record.cells[position])
            yield record.line, cells


def _refuse_other_kinds(header: Sequence[str]) -> None:
    names = {fold(name) for name in header}
    for kind, own in _KINDS.items():
        if own <= names:
            raise UnreadableFile(f"this is {kind} takes it")


def one_line(name: str, cell: str) -> str:
    """A cell without the space around it and, unless it is a note, without what would break the
    line it is shown in or turn it round: names and numbers stand in messages."""
    return (cell if name == "note" else _BREAKS.sub(" ", cell)).strip()


def open_people_table(survey: Survey, ours: Collection[str]) -> Table:
    """The table of a file with these columns of ours. Raises UnreadableFile."""
    keys = {key_of(name) for name in ours}

    def score(cells: Sequence[str], _beyond: int = 0, /) -> int:
        names = {vocabulary().column_of(cell) for cell in cells} & set(PERSON_COLUMNS)
        return len(names | ({key_of(cell) for cell in cells} & keys))

    if survey.format == "workbook":
        tables, _ = open_sheets(survey, score)
        if len(tables) != 1:
            raise UnreadableFile(
                "one sheet of the workbook must have a line that names the columns "
                f"{', '.join(ours)}"
            )
        return tables[0]
    return open_table(survey, score)


def _introduce(account: Account, table: Table, ignored: Sequence[str]) -> None:
    where = f'sheet "{table.sheet}"' if table.sheet else f"separated by {table.delimiter_title}"
    account.note(f"read as {account.survey.encoding_title}, {where}")
    if ignored:
        account.note(f"columns not used: {', '.join(name[:_SHOWN] for name in ignored)}")


def needed(cells: Cells, name: str) -> str:
    """A cell that must not be empty."""
    if not cells[name]:
        raise Refused(f"{name} is empty")
    return cells[name]


def patient_number(cells: Cells) -> Number:
    """The patient's number, with its issuer, which may stand before it (`north:4711`) or in a
    column of its own. Raises Refused where the two differ."""
    number = read_number(needed(cells, "mrn"))
    issuer = cells.get("issuer", "")
    if not issuer or mrn_key(issuer) == mrn_key(number.issuer):
        return number
    if number.issuer:
        raise Refused("mrn names another issuer than the column issuer")
    return Number(issuer, number.number)


def asked_numbers(batch: Collection[tuple[int, Cells]]) -> list[Number]:
    """The numbers of the rows that name one, to be looked up at once."""
    found = []
    for _, cells in batch:
        with suppress(Refused):
            found.append(patient_number(cells))
    return found


def day_of(cells: Cells, name: str) -> date | None:
    """An ISO day, or None for an empty cell."""
    text = cells[name]
    if not text:
        return None
    day = read_day(text)
    if day is None:
        years = f"from {FIRST_YEAR} to {LAST_YEAR}"
        raise Refused(f"{name} is no day: write it as 2026-03-02, {years}")
    return day


def positive(cells: Cells, name: str) -> Decimal | None:
    """A decimal above zero, or None for an empty cell."""
    try:
        return positive_number(name, cells[name]) if cells[name] else None
    except WrongValue as wrong:
        raise Refused(str(wrong)) from wrong


def check_weight(what: str, kg: Decimal | None, catalogue: Catalogue) -> None:
    """Raises Refused where nobody weighs as much, or as little."""
    beyond = None if kg is None else beyond_weights(kg, catalogue)
    if beyond is not None:
        low, high = map(plain, beyond)
        raise Refused(f"{what} is no weight in kg: it has to lie between {low} and {high}")


def word_of(cells: Cells, name: str, valid: Sequence[str]) -> str:
    """One of a few words, in any case; empty for an empty cell."""
    try:
        return one_of(name, cells[name], valid) if cells[name] else ""
    except WrongValue as wrong:
        raise Refused(str(wrong)) from wrong
