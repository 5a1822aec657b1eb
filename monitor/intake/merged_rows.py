"""Results of people who are not enrolled any more: they wait in quarantine, where they would be had
the numbers never been merged, or the patient never been enrolled (`docs/adr/0070`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from monitor.intake.context import chunks
from monitor.intake.held import HELD, digest_of, number_of
from monitor.intake.outcomes import UNKNOWN_PATIENT, Taken
from monitor.intake.repeats import REPEATS, note_repeats
from monitor.store import tables
from monitor.store.tables import table_of

MERGED_ROWS = table_of(tables.MergedRow)
_RESULTS = table_of(tables.ResultRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_FILES = table_of(tables.File)
_IDENTIFIERS = table_of(tables.Identifier)
_CHUNK = 500
_NOT_RESOLVED = {"state": "held", "resolved_at": None, "resolved_by": "", "resolution": ""}


def keep_merged(
    connection: Connection,
    source: str,
    file_ids: Sequence[int],
    taken: Sequence[Taken],
    outcomes: Sequence[str],
    now: datetime,
) -> None:
    """Keep those rows of files whole that went in only because numbers were merged; none that is
    but a remark on another."""
    rows = [
        {
            "home_id": it.home_id or it.patient_id,
            "file_id": file_id,
            "line": it.line,
            "source": source,
            "analyte": it.analyte,
            "raw": (raw := it.raw.stored()),
            "raw_digest": digest_of(source, raw),
            "mrn_key": number_of(it.raw),
            "came_at": now,
            "outcome": outcome,
        }
        for file_id, it, outcome in zip(file_ids, taken, outcomes, strict=True)
        if it.is_by_merge and outcome != "ignored"
    ]
    if rows:
        connection.execute(insert(MERGED_ROWS), rows)


def recount_merged(connection: Connection, file_id: int, line: int, outcome: str) -> None:
    """What is kept whole of a row is counted otherwise by now."""
    same = (MERGED_ROWS.c.file_id == file_id) & (MERGED_ROWS.c.line == line)
    connection.execute(update(MERGED_ROWS).where(same).values(outcome=outcome))


def hold_strangers(connection: Connection, patient_ids: Collection[int]) -> list[int]:
    """Let the results of those of these patients who are not enrolled wait in quarantine; the
    held rows, which are to be tried again. Of merged numbers only the survivors are asked for."""
    found: list[int] = []
    for ids in chunks(sorted(set(patient_ids)), _CHUNK):
        known = or_(_ENROLMENTS.c.stands, _ENROLMENTS.c.merged_into.is_not(None))
        query = select(_ENROLMENTS.c.patient_id).where(_ENROLMENTS.c.patient_id.in_(ids), known)
        strangers = sorted(set(ids) - set(connection.scalars(query)))
        if strangers:
            found += _held_before(connection, strangers) + _never_held(connection, strangers)
    return found


def may_wait(connection: Connection, patient_ids: Sequence[int]) -> set[int]:
    """Results of these patients that can wait in quarantine."""
    return {
        *(row.id for row in connection.execute(_through_quarantine(patient_ids))),
        *(row.id for row in connection.execute(_kept_whole(patient_ids))),
    }


def _held_before(connection: Connection, patient_ids: Sequence[int]) -> list[int]:
    rows = connection.execute(_through_quarantine(patient_ids)).all()
    _take_away(connection, [row.id for row in rows])
    _repeats_wait(connection, {row.id: row.held_id for row in rows})
    held = sorted({row.held_id for row in rows} | _said_again(connection, patient_ids))
    for ids in chunks(held, _CHUNK):
        connection.execute(update(HELD).where(HELD.c.id.in_(ids)).values(**_NOT_RESOLVED))
    return held


def _said_again(connection: Connection, patient_ids: Sequence[int]) -> set[int]:
    """Rows under these patients' numbers that were let go of without a result of their own, for
    another said the same."""
    numbers = select(_IDENTIFIERS.c.number_key).where(_IDENTIFIERS.c.patient_id.in_(patient_ids))
    columns = _RESULTS.c
    result = (columns.file_id == HELD.c.file_id) & (columns.line == HELD.c.line)
    result &= ~columns.taken_back
    own = select(columns.id).where(result).exists()
    query = select(HELD.c.id).where(HELD.c.mrn_key.in_(numbers), HELD.c.state == "taken", ~own)
    return set(connection.scalars(query))


def _never_held(connection: Connection, patient_ids: Sequence[int]) -> list[int]:
    """Put those into quarantine that are kept whole; in the account of their file they are held."""
    rows = connection.execute(_kept_whole(patient_ids)).all()
    _take_away(connection, [row.id for row in rows])
    held: dict[int, int] = {}
    for row in rows:
        if row.kept_id not in held:
            held[row.kept_id] = _hold(connection, row)
    _repeats_wait(connection, {row.id: held[row.kept_id] for row in rows})
    for ids in chunks(sorted(held), _CHUNK):
        connection.execute(delete(MERGED_ROWS).where(MERGED_ROWS.c.id.in_(ids)))
    return sorted(set(held.values()))


def _hold(connection: Connection, row: Any) -> int:
    """The held row; one that says the same in another file is there already."""
    waits = HELD.c.state.in_(("held", "discarded"))
    same = select(HELD.c.id).where(HELD.c.raw_digest == row.raw_digest, waits)
    known: int | None = connection.scalar(same.order_by(HELD.c.id).limit(1))
    now = "quarantined" if known is None else "duplicate"
    if now != row.outcome:
        counts = {row.outcome: _FILES.c[row.outcome] - 1, now: _FILES.c[now] + 1}
        connection.execute(update(_FILES).where(_FILES.c.id == row.file_id).values(**counts))
    if known is not None:
        note_repeats(connection, "held", [(known, row.file_id, row.line)])
        return known
    names = ("file_id", "line", "source", "raw", "raw_digest", "mrn_key", "analyte")
    values = {name: getattr(row, name) for name in names}
    values |= {
        "held_at": row.came_at,
        "reason_code": UNKNOWN_PATIENT,
        "reason": "",
        "state": "held",
    }
    values |= {"hint": "", "possible_values": "", "resolved_by": "", "resolution": ""}
    inserted = connection.execute(insert(HELD).values(**values).returning(HELD.c.id))
    return int(inserted.scalar_one())


def _repeats_wait(connection: Connection, held: Mapping[int, int]) -> None:
    """What other files have said too of these results they have said of the held rows now."""
    said = REPEATS.c.what == "result"
    for ids in chunks(sorted(held), _CHUNK):
        query = select(REPEATS.c.row_id).where(said, REPEATS.c.row_id.in_(ids)).distinct()
        for result in connection.scalars(query).all():
            instead = {"what": "held", "row_id": held[result]}
            mine = said & (REPEATS.c.row_id == result)
            connection.execute(update(REPEATS).where(mine).values(**instead))


def _take_away(connection: Connection, result_ids: Collection[int]) -> None:
    for ids in chunks(sorted(set(result_ids)), _CHUNK):
        gone = update(_RESULTS).where(_RESULTS.c.id.in_(ids))
        connection.execute(gone.values(taken_back=True, stands=False))


def _through_quarantine(patient_ids: Sequence[int]) -> Any:
    """Results of these patients that were held before they went in, with the held row."""
    same = and_(
        HELD.c.file_id == _RESULTS.c.file_id,
        HELD.c.line == _RESULTS.c.line,
        HELD.c.state == "taken",
    )
    columns = _RESULTS.c
    query = select(columns.id, columns.patient_id, HELD.c.id.label("held_id")).join(HELD, same)
    return query.where(columns.patient_id.in_(patient_ids), ~columns.taken_back)


def _kept_whole(patient_ids: Sequence[int]) -> Any:
    """Results of these patients that are kept whole, with what is kept."""
    same = and_(
        MERGED_ROWS.c.file_id == _RESULTS.c.file_id,
        MERGED_ROWS.c.line == _RESULTS.c.line,
        MERGED_ROWS.c.analyte == _RESULTS.c.analyte,
        MERGED_ROWS.c.home_id == func.coalesce(_RESULTS.c.home_id, _RESULTS.c.patient_id),
    )
    kept = (it for it in MERGED_ROWS.c if it.name not in ("id", "analyte", "file_id", "line"))
    own = (_RESULTS.c[name] for name in ("id", "analyte", "file_id", "line"))
    query = select(*own, *kept, MERGED_ROWS.c.id.label("kept_id")).join(MERGED_ROWS, same)
    return query.where(_RESULTS.c.patient_id.in_(patient_ids), ~_RESULTS.c.taken_back)
