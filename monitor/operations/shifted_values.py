"""Values of a source that lie a power of ten from those before: a unit has changed, or a code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.config import Settings
from monitor.core.feed import belongs_to_shift, shifted
from monitor.store import tables
from monitor.store.readings import whole_results
from monitor.store.tables import table_of

ROWS_READ = 20_000
"""The newest results of a source that are looked at, and so many of one file: a feed is looked at
every few minutes, and a country may bring its past in one file."""
_VALUES_READ = 400
_FEW = 2
"""Values of a file that say nothing of it alone, and such files in a row."""
_FILES = table_of(tables.File)
_RESULTS = table_of(tables.ResultRow)


@dataclass(frozen=True, slots=True)
class Shift:
    """Values of an analyte that lie a power of ten from those before."""

    analyte: str
    power: int
    file_ids: tuple[int, ...]
    files: tuple[str, ...]
    result_ids: tuple[int, ...]
    patient_ids: tuple[int, ...]

    @property
    def factor(self) -> str:
        return f"1/{10**-self.power}" if self.power < 0 else str(10**self.power)


def shifts(
    connection: Connection, settings: Settings, source: str, now: datetime
) -> tuple[Shift, ...]:
    """Those among the newest results of a source."""
    rules, columns = settings.feeds, whole_results().c
    recent, least = _newest(connection, source, now, now - timedelta(weeks=rules.weeks))
    nth = func.row_number().over(partition_by=columns.analyte, order_by=columns.id.desc())
    newest = (
        select(columns.id, columns.analyte, columns.value, columns.patient_id, columns.file_id)
        .add_columns(nth.label("nth"))
        .where(columns.file_id.in_(recent), columns.id >= least, columns.stands)
        .where(columns.value.is_not(None), columns.comparator == "")
        .subquery()
    )
    query = (
        select(newest, _FILES.c.name)
        .join(_FILES, _FILES.c.id == newest.c.file_id)
        .where(newest.c.nth <= _VALUES_READ)
        .order_by(newest.c.id)
    )
    by_analyte: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        by_analyte[row.analyte].append(row)
    found = []
    for analyte, rows in sorted(by_analyte.items()):
        values = [float(row.value) for row in rows]
        before, after = values[: -rules.shift_values], values[-rules.shift_values :]
        power = shifted(before, after, least=rules.shift_history, tolerance=rules.shift_tolerance)
        if power:
            found.append(_shift(analyte, power, rows, before))
    return tuple(found)


def _newest(
    connection: Connection, source: str, now: datetime, begin: datetime
) -> tuple[list[int], int]:
    """The files with the newest results of a source, and the id from which on these lie."""
    columns = _FILES.c
    query = (
        select(columns.id, columns.rows)
        .where(columns.source == source)
        .where(columns.received_at <= now, columns.received_at >= begin)
        .order_by(columns.received_at.desc(), columns.id.desc())
    )
    files: list[int] = []
    left = ROWS_READ
    for file_id, rows in connection.execute(query):
        files.append(file_id)
        if rows > left:
            own = select(_RESULTS.c.id).where(_RESULTS.c.file_id == file_id)
            newest = own.order_by(_RESULTS.c.id.desc()).limit(max(left, _VALUES_READ)).subquery()
            return files, connection.scalar(select(func.min(newest.c.id))) or 0
        left -= rows
    return files, 0


def _shift(analyte: str, power: int, rows: Sequence[Any], before: Sequence[float]) -> Shift:
    """The values that came shifted, those among them too that look as ever: a low count ten
    times as large looks healthy."""
    by_file: dict[int, list[Any]] = defaultdict(list)
    for row in reversed(rows):
        by_file[row.file_id].append(row)
    mine: list[list[Any]] = []
    between: list[list[Any]] = []
    for of_file in by_file.values():
        if belongs_to_shift(median(float(row.value) for row in of_file), before, power):
            mine += [*between, of_file]
            between = []
        elif mine and (len(of_file) > _FEW or len(between) >= _FEW):
            break
        elif mine:
            between.append(of_file)
    shifted_rows = [row for of_file in reversed(mine) for row in reversed(of_file)]
    files = {row.file_id: row.name for row in shifted_rows}
    return Shift(
        analyte,
        power,
        tuple(files),
        tuple(files.values()),
        tuple(row.id for row in shifted_rows),
        tuple(dict.fromkeys(row.patient_id for row in shifted_rows)),
    )
