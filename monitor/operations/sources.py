"""Learning how a laboratory writes its files, and looking at what was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from monitor.config import Settings, Source
from monitor.config.edit import NAME, source_table, text_of_source, with_source, write_config
from monitor.core.catalogue import Catalogue
from monitor.core.faults import nearest
from monitor.core.result_columns import ALL_COLUMNS
from monitor.intake.columns import match
from monitor.intake.csv import Table, open_table
from monitor.intake.dates import is_open
from monitor.intake.guess import guessed_columns, looks_like_a_value
from monitor.intake.known_names import known_of
from monitor.intake.load import load_file
from monitor.intake.people import mrn_key
from monitor.intake.report import FileReport
from monitor.intake.seen import CodeSeen
from monitor.intake.survey import Survey, UnreadableFile, survey
from monitor.intake.table_reader import Read, read_tables, score_of
from monitor.intake.workbook import open_sheets
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_PATIENTS = table_of(tables.Patient)
_NEEDED = ("mrn", "collected_at", "analyte", "value", "unit")
_CODES_LISTED = 40
_ORDERS = ("iso", "day_first", "month_first", "year_first", "excel")
"""The formats of dates that may be said beside a file; any other needs more than a word."""


class SourceRefused(Exception):
    """What was asked of a source cannot be done; the text says what would work."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A source as it was learned from a file."""

    name: str
    table: str
    """The text of its table."""
    mapping: Source
    guessed: tuple[str, ...]
    """Columns of ours that were found by what stands in them alone."""
    replaced: bool
    report: FileReport
    """What loading the file with it would do."""


@dataclass(frozen=True, slots=True)
class SourceInUse:
    """One source of the config, and what came from it."""

    name: str
    mapping: Source
    files: int
    last_file: str
    last_received: datetime | None

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "learned": bool(self.mapping.header),
            "files": self.files,
            "last_file": self.last_file or None,
            "last_received": self.last_received.isoformat() if self.last_received else None,
            "mapping": self.mapping.model_dump(mode="json", exclude_defaults=True),
        }


def learn(
    store: Store,
    settings: Settings,
    config: Path,
    path: Path,
    name: str,
    now: datetime,
    *,
    date_format: str = "",
    replace: bool = False,
    write: bool = True,
) -> Learned:
    """Learn a source from a file and write its table into the config.

    Raises SourceRefused where the name is taken, or the file does not show enough;
    UnreadableFile where it cannot be read.
    """
    if not NAME.fullmatch(name):
        raise SourceRefused(f"{name}: a source is named with letters, digits, - and _")
    if name in settings.sources and not replace:
        raise SourceRefused(
            f"the config has a source {name} already: name another, or learn it anew with --replace"
        )
    if date_format not in ("", *_ORDERS):
        raise SourceRefused(f"date format {date_format}: one of {', '.join(_ORDERS)}")
    surveyed = survey(path, came_in=now.year)
    with store.read() as connection:
        catalogue = load_rulebook(connection).catalogue
        keys = frozenset(connection.scalars(select(_PATIENTS.c.mrn_key)))
    first = Source.model_validate({"date_format": date_format} if date_format else {})
    read, guessed = _read(surveyed, first, catalogue, keys)
    mapping = _mapping_of(read, first, guessed, whole_numbers=_adds_floats(read, keys))
    tried = settings.model_copy(update={"sources": settings.sources | {name: mapping}})
    report = load_file(store, tried, path, name, now, preview=lambda _connection, _touched: None)
    values = mapping.model_dump(exclude_defaults=True)
    table = source_table(values, _comments(path, now, guessed, read), _open_codes(report.seen))
    if write:
        text = config.read_text(encoding="utf-8")
        write_config(config, with_source(text, name, table))
    return Learned(
        name,
        text_of_source(name, table),
        mapping,
        tuple(guessed),
        name in settings.sources,
        report,
    )


def sources_in_use(store: Store, settings: Settings) -> list[SourceInUse]:
    """Every source of the config, in its order, with the files that came from it."""
    columns = _FILES.c
    query = (
        select(columns.source, func.count(), func.max(columns.id))
        .where(columns.kind == "results")
        .group_by(columns.source)
    )
    with store.read() as connection:
        counted = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
        last = {
            row.id: row
            for row in connection.execute(
                select(columns.id, columns.name, columns.received_at).where(
                    columns.id.in_([newest for _, newest in counted.values()])
                )
            )
        }
    found = []
    for name, mapping in settings.sources.items():
        files, newest = counted.get(name, (0, None))
        row = last.get(newest)
        found.append(
            SourceInUse(
                name, mapping, files, row.name if row else "", row.received_at if row else None
            )
        )
    return found


def source_in_use(store: Store, settings: Settings, name: str) -> tuple[SourceInUse, str]:
    """One source, and its table as text. Raises SourceRefused for a name the config lacks."""
    for source in sources_in_use(store, settings):
        if source.name == name:
            values = source.mapping.model_dump(exclude_defaults=True)
            return source, text_of_source(name, source_table(values, (), ()))
    guess = nearest(name, settings.sources) or "the config names none"
    raise SourceRefused(f'no source "{name}" in the config: {guess}')


def _read(
    surveyed: Survey, source: Source, catalogue: Catalogue, mrn_keys: frozenset[str]
) -> tuple[Read, Mapping[str, str]]:
    """The table of a file, if need be with columns that only their cells give away."""
    guessed: Mapping[str, str] = {}
    try:
        found, _ = read_tables(surveyed, source, catalogue)
    except UnreadableFile:
        guessed = _guessed(surveyed, source, catalogue, mrn_keys)
        if not guessed:
            raise
        columns = dict(source.columns) | dict(guessed)
        found, _ = read_tables(surveyed, source.model_copy(update={"columns": columns}), catalogue)
    if len(found) > 1:
        names = ", ".join(f'"{read.table.sheet}"' for read in found)
        raise SourceRefused(
            f"the workbook has several tables of results ({names}): learn from one with one"
        )
    return found[0], guessed


def _guessed(
    surveyed: Survey, source: Source, catalogue: Catalogue, mrn_keys: frozenset[str]
) -> Mapping[str, str]:
    table = _table(surveyed, source, catalogue)
    columns = match(table.header, ALL_COLUMNS, source.columns)
    missing = [name for name in _NEEDED if name not in columns.positions]
    return guessed_columns(
        table,
        missing,
        list(columns.positions.values()),
        catalogue,
        lambda text: mrn_key(text) in mrn_keys,
    )


def _table(surveyed: Survey, source: Source, catalogue: Catalogue) -> Table:
    score = score_of(source, known_of(source, catalogue))

    def of_names(cells: Sequence[str], _beyond: int = 0, /) -> int:
        """Names stand above a table, and no number or date among them."""
        names = [cell for cell in cells if cell]
        return 0 if any(map(looks_like_a_value, names)) else len(names) + 10 * score(names)

    if surveyed.format == "csv":
        return open_table(surveyed, of_names)
    sheets, _ = open_sheets(surveyed, of_names)
    if not sheets:
        raise UnreadableFile("no sheet of the workbook has a table")
    return sheets[0]


def _adds_floats(read: Read, mrn_keys: frozenset[str]) -> bool:
    """Whether every patient number ends in .0, and those of the enrolled do not."""
    if not read.profile.floats_for_numbers:
        return False
    return not any(key.endswith(".0") for key in mrn_keys)


def _mapping_of(
    read: Read, source: Source, guessed: Mapping[str, str], *, whole_numbers: bool
) -> Source:
    layout = read.layout
    columns = {
        name: layout.header[position]
        for name, position in layout.columns.positions.items()
        if name in guessed or layout.header[position] != name
    }
    values: dict[str, Any] = {
        "header": list(layout.header),
        "whole_numbers": whole_numbers,
        "columns": columns,
        "date_format": source.date_format or _order_of(read),
        "decimal_comma": {"comma": True, "point": False}.get(read.profile.decimal),
        "delimiter": "" if read.table.sheet else read.table.delimiter_title,
    }
    return Source.model_validate(values)


def _order_of(read: Read) -> str:
    """The order of the dates, where every date of the file shows one."""
    order = read.profile.dates
    return "" if is_open(order) else order


def _comments(path: Path, now: datetime, guessed: Mapping[str, str], read: Read) -> list[str]:
    lines = [f"Learned from {path.name} on {now.date().isoformat()}. Correct what is wrong."]
    if guessed:
        names = ", ".join(guessed)
        lines.append(f"By their cells alone, so look twice: {names}.")
    if read.profile.has_open_years:
        lines.append(
            'The year of two digits may stand first or last: date_format = "year_first" or so.'
        )
    elif read.profile.open_dates.count and is_open(read.profile.dates):
        lines.append('No date settles day or month first: date_format = "day_first" or so.')
    return lines


def _open_codes(seen: Sequence[CodeSeen]) -> list[str]:
    """Codes that nobody knows yet, as lines to be made into entries."""
    unknown = [it for it in seen if not (it.analyte or it.ignored)]
    if not unknown:
        return []
    lines = ['Unknown codes: map each ([sources.NAME.codes] "theirs" = "ours") or ignore = [...].']
    for it in unknown[:_CODES_LISTED]:
        rows = "1 row" if it.rows == 1 else f"{it.rows} rows"
        code = " ".join(it.code.split())[:60]
        nearest_one = f"; {it.nearest}" if it.nearest.startswith("did you mean") else ""
        lines.append(f'  "{code}" ({rows}){nearest_one}')
    if len(unknown) > _CODES_LISTED:
        lines.append(f"  and {len(unknown) - _CODES_LISTED} more")
    return lines
