"""The rows that need a person: seen, tried again, or let go with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from monitor.config import Settings
from monitor.intake.context import take_turn
from monitor.intake.held import HELD
from monitor.intake.outcomes import OF_THE_PATIENT
from monitor.intake.raw import RECEIVED
from monitor.intake.remedies import remedy
from monitor.intake.retry import Retried, retry_held
from monitor.store import tables
from monitor.store.alerts import MONITOR
from monitor.store.among import among
from monitor.store.database import Store
from monitor.store.facts import bring_to
from monitor.store.frames import chunks, wake
from monitor.store.rulebook import load_rulebook
from monitor.store.statistics import renew_statistics
from monitor.store.tables import table_of

_FILES = table_of(tables.File)
_PATIENTS = table_of(tables.Patient)


class QuarantineRefused(Exception):
    """What was asked of held rows cannot be done; the text says why. `plain`: the same without
    the words of the command line, for pages."""

    def __init__(self, text: str, plain: str = "") -> None:
        super().__init__(text)
        self.plain = plain or text


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """Held rows that one cause holds, to be mended once for all of them."""

    source: str
    reason_code: str
    reason: str
    analyte: str
    """Empty where there are several: the cause is whose the rows are."""
    analytes: int
    rows: int
    patients: int
    enrolled: int
    """Of those patients, who is enrolled: it is about them that something is not known."""
    first_id: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held row, with all that is known of it."""

    id: int
    file: str
    line: int
    source: str
    mrn: str
    analyte: str
    collected_at: str
    value: str
    unit: str
    reason_code: str
    reason: str
    hint: str
    held_at: datetime
    state: str
    resolved_at: datetime | None
    resolved_by: str
    resolution: str
    fix: str
    """The command that frees it and all alike, or what else helps."""
    raw: dict[str, str]
    """The cells under the laboratory's own header names, or the line that cannot be split."""

    @property
    def was_let_go(self) -> bool:
        """By a person, who may have been mistaken."""
        return self.state == "discarded" and self.resolved_by != MONITOR


@dataclass(frozen=True, slots=True)
class Retry:
    """What came of trying held rows again."""

    tried: int
    taken: int
    held: int
    outcomes: dict[str, int]
    touched: tuple[int, ...]


def groups(
    store: Store, *, reason: str = "", source: str | None = None, at: datetime | None = None
) -> list[HeldGroup]:
    """Held rows grouped by source, reason and code, where the reason is not about whose they are:
    first what holds back a result of somebody who is enrolled, then the largest group; `at`: those
    that were held at that instant."""
    columns = HELD.c
    of_patient = columns.reason_code.in_(OF_THE_PATIENT)
    measured = case((of_patient, ""), else_=columns.analyte)
    keys = (columns.source, columns.reason_code, columns.reason, measured)
    analytes = func.count(columns.analyte.distinct())
    count = func.count().label("rows")
    enrolled = func.count(columns.patient_id.distinct())
    query = (
        select(
            *keys[:3],
            case((analytes > 1, ""), else_=func.min(columns.analyte)).label("analyte"),
            analytes.label("analytes"),
            count,
            func.count(columns.mrn_key.distinct()).label("patients"),
            enrolled.label("enrolled"),
            func.min(columns.id).label("first_id"),
            func.min(columns.held_at).label("oldest"),
            func.max(columns.held_at).label("newest"),
        )
        .where(_held(reason, source, at))
        .group_by(*keys)
        .order_by(case((enrolled > 0, 0), else_=1), count.desc(), *keys)
    )
    with store.read() as connection:
        return [HeldGroup(**row._mapping) for row in connection.execute(query)]


def held_rows(
    store: Store,
    *,
    reason: str = "",
    source: str | None = None,
    limit: int | None = None,
    at: datetime | None = None,
    after: int | None = None,
) -> list[HeldRow]:
    """Held rows one by one, oldest first; `at`: those that were held at that instant; `after`:
    those that come after this one."""
    query = _rows().where(_held(reason, source, at)).order_by(HELD.c.id)
    if after is not None:
        query = query.where(HELD.c.id > after)
    if limit is not None:
        query = query.limit(limit)
    with store.read() as connection:
        return [_held_row(row) for row in connection.execute(query)]


def held_row(store: Store, row_id: int) -> HeldRow:
    """One row, held or not any more. Raises QuarantineRefused where there is none."""
    with store.read() as connection:
        row = connection.execute(_rows().where(HELD.c.id == row_id)).one_or_none()
    if row is None:
        raise QuarantineRefused(f"there is no row {row_id} in quarantine")
    return _held_row(row)


@dataclass(frozen=True, slots=True)
class Alike:
    """The rows that one cause holds: how many, the last of them, and the first few."""

    count: int
    last_id: int
    first: list[HeldRow]


def alike(store: Store, held: HeldRow, *, shown: int) -> Alike:
    """What is held for the same cause as a row: of its source, for its reason and, where that is
    not about whose it is, with its code. No more rows are read than are `shown`: there may be a
    hundred thousand."""
    which = _as(held)
    with store.read() as connection:
        count, last = connection.execute(
            select(func.count(), func.max(HELD.c.id)).where(which)
        ).one()
        first = connection.execute(_rows().where(which).order_by(HELD.c.id).limit(shown)).all()
    return Alike(count, held.id if last is None else last, [_held_row(row) for row in first])


def alike_ids(store: Store, held: HeldRow, *, last: int) -> list[int]:
    """The ids of what is held for the same cause, up to the `last` that somebody has seen."""
    query = select(HELD.c.id).where(_as(held), HELD.c.id <= last).order_by(HELD.c.id)
    with store.read() as connection:
        return list(connection.scalars(query))


def _as(held: HeldRow) -> ColumnElement[bool]:
    same_reason = and_(_held(held.reason_code, held.source), HELD.c.reason == held.reason)
    if held.reason_code in OF_THE_PATIENT:
        return same_reason
    written = func.coalesce(HELD.c.raw["analyte"].as_string(), "")
    analyte = case((HELD.c.analyte != "", HELD.c.analyte), else_=written)
    return and_(same_reason, analyte == held.analyte)


def retry(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    ids: Collection[int] | None = None,
    reason: str = "",
    source: str | None = None,
    by: str = "retry",
) -> Retry:
    """Try held rows again with today's config, catalogue and enrolments: all of them, those of
    a reason or source, or those named. Raises QuarantineRefused for an id that is not held."""
    which = _held(reason, source)
    if ids is not None:
        which = and_(which, HELD.c.id.in_(sorted(set(ids))))
    with store.write() as connection:
        take_turn(connection, now)
        if ids is not None:
            found = set(connection.scalars(select(HELD.c.id).where(which)))
            _refuse_missing(set(ids) - found)
        catalogue = load_rulebook(connection).catalogue
        retried = retry_held(connection, settings, catalogue, which, now, by=by)
        touched = wake(connection, retried.patients, now)
        bring_to(connection, now)
    return _done(retried, touched)


def _done(retried: Retried, touched: tuple[int, ...]) -> Retry:
    return Retry(
        tried=retried.tried,
        taken=retried.taken,
        held=retried.outcomes["held"],
        outcomes=dict(retried.outcomes),
        touched=touched,
    )


def discard(
    store: Store, row_ids: Collection[int], *, by: str, reason: str, now: datetime
) -> tuple[int, ...]:
    """Let held rows go, by whom and why; returns the enrolments to be reviewed.

    All of them or, where one is not held, none: QuarantineRefused.
    """
    _check_signed("discarded", by, reason)
    earlier = HELD.c.resolution  # who held it again after whom
    values = {
        "state": "discarded",
        "resolved_by": by.strip(),
        "resolution": reason.strip() + case((earlier != "", literal("; ") + earlier), else_=""),
    }
    refusal = "not held in quarantine"
    return _changed(store, row_ids, HELD.c.state == "held", values, now, refusal)


def hold_again(
    store: Store,
    settings: Settings,
    row_ids: Collection[int],
    *,
    by: str,
    reason: str,
    now: datetime,
) -> Retry:
    """Hold rows that a person let go by mistake, as before, and try them again: whose they are may
    be known by now. Loaded once more they would be duplicates. Not what the monitor let go: of a
    row cut short the whole one came.

    All of them or none: QuarantineRefused.
    """
    _check_signed("held again", by, reason)
    columns = HELD.c
    said = literal(f"held again by {by.strip()}: {reason.strip()}; let go before by ")
    values = {
        "state": "held",
        "resolved_by": by.strip(),
        "resolution": said + columns.resolved_by + ": " + columns.resolution,
    }
    which = and_(columns.state == "discarded", columns.resolved_by != MONITOR)
    done = Retried()

    def try_again(connection: Connection) -> Collection[int]:
        nonlocal done
        catalogue, mine = load_rulebook(connection).catalogue, among(HELD.c.id, row_ids)
        done = retry_held(connection, settings, catalogue, mine, now, by=by.strip())
        return done.patients

    refusal = "not let go by a person"
    touched = _changed(store, row_ids, which, values, now, refusal, then=try_again)
    return _done(done, touched)


def _check_signed(done: str, by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise QuarantineRefused(f"a row is {done} by somebody and for a reason: give both")


def _changed(
    store: Store,
    row_ids: Collection[int],
    which: ColumnElement[bool],
    values: Mapping[str, Any],
    now: datetime,
    refusal: str,
    *,
    then: Callable[[Connection], Collection[int]] = lambda _: (),
) -> tuple[int, ...]:
    change = update(HELD).values(resolved_at=now, **values)
    missing, patients = set(row_ids), set()
    renew_statistics(store)  # there may be a hundred thousand, come in a minute ago
    with store.write() as connection:
        take_turn(connection, now)
        for ids in chunks(sorted(missing)):
            mine = HELD.c.id.in_(ids) & which
            rows = connection.execute(select(HELD.c.id, HELD.c.patient_id).where(mine)).all()
            missing -= {row.id for row in rows}
            patients |= {row.patient_id for row in rows if row.patient_id is not None}
            connection.execute(change.where(mine))
        _refuse_missing(missing, refusal)
        patients |= set(then(connection))
        touched = wake(connection, patients, now)
        bring_to(connection, now)
    return touched


def _refuse_missing(missing: Collection[int], refusal: str = "not held in quarantine") -> None:
    if missing:
        ids = ", ".join(str(row_id) for row_id in sorted(missing))
        raise QuarantineRefused(f"{refusal}: {ids}")


def _held(reason: str, source: str | None, at: datetime | None = None) -> ColumnElement[bool]:
    which = HELD.c.state == "held"
    if at is not None:
        which = and_(HELD.c.held_at <= at, or_(which, HELD.c.resolved_at > at))
    if reason:
        which = and_(which, HELD.c.reason_code == reason)
    return and_(which, true() if source is None else HELD.c.source == source)


def _rows() -> Select[Any]:
    return (
        select(HELD, _FILES.c.name.label("file"), _PATIENTS.c.mrn.label("enrolled"))
        .join(_FILES, _FILES.c.id == HELD.c.file_id)
        .outerjoin(_PATIENTS, _PATIENTS.c.id == HELD.c.patient_id)
    )


def _held_row(row: Row[Any]) -> HeldRow:
    raw = row.raw
    given = {RECEIVED: raw} if "line" in raw else raw
    return HeldRow(
        id=row.id,
        file=row.file,
        line=row.line,
        source=row.source,
        mrn=str(raw.get("mrn", "")),
        analyte=row.analyte or str(raw.get("analyte", "")),
        collected_at=str(raw.get("collected_at", "")),
        value=str(raw.get("value", "")),
        unit=str(raw.get("unit", "")),
        reason_code=row.reason_code,
        reason=row.reason,
        hint=row.hint,
        held_at=row.held_at,
        state=row.state,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        resolution=row.resolution,
        fix="" if row.state != "held" else remedy(row.id, row.reason_code, row.enrolled or ""),
        raw=dict(given.get(RECEIVED, {})),
    )
