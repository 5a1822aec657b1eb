"""Where each enrolment and each of its panels stands, counted anew each time it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.config import Settings
from monitor.core.answer import PanelStatus
from monitor.core.enrolment_status import LEDGER_STATES, EnrolmentStatus
from monitor.core.vocabulary import EnrolmentState, PanelState
from monitor.operations.answers import enrolments_of
from monitor.operations.statuses import Standing, Statuses, Whose, statuses
from monitor.store import claims, tables
from monitor.store.database import Store
from monitor.store.frames import chunks
from monitor.store.silent_feeds import suspected
from monitor.store.tables import table_of

NOT_JUDGED = "not_judged"
"""Where the monitor itself failed: said, since it is no state a patient can be in."""

_ENROLMENTS = table_of(tables.EnrolmentRow)
FEED_SUSPECTED = {"feed_suspected": True}
"""Beside the keys of the contract, where a patient's feed is silent and only there."""


def status_rows(
    store: Store, settings: Settings, now: datetime, mrn: str | None = None
) -> list[dict[str, Any]]:
    """One row an enrolment and panel, as `monitor status --json` prints them.

    Sees nothing collected or happened later than `now`. An enrolment that could not be
    judged has one row without panel and state.
    """
    if mrn is None:
        return list(Everybody(store, settings, now))
    with store.read() as connection:
        ids = enrolments_of(connection, mrn)
        rows: list[dict[str, Any]] = []
        for batch in statuses(connection, settings, now, ids=ids):
            rows += _rows_of(connection, batch)
    return sorted(rows, key=_mrn)


def ledger(store: Store, settings: Settings, now: datetime) -> dict[str, int]:
    """How many enrolments there are, and how many in each state; the states add up to
    `enrolled`, except for `of_whom_held`, which counts some of them a second time."""
    counts = _Counts()
    with store.read() as connection:
        for batch in statuses(connection, settings, now):
            counts.add(batch)
    return counts.ledger()


def with_review_ahead(connection: Connection) -> int:
    """Enrolments that the calendar itself will wake, also before the start and while another
    clinic monitors; whoever is over sleeps until something comes."""
    query = select(func.count()).where(
        _ENROLMENTS.c.stands, _ENROLMENTS.c.next_review_at.is_not(None)
    )
    return connection.scalar(query) or 0


class Everybody:
    """The rows of `status_rows`, the numbers of the patients ascending, and once they are told the
    ledger of those whom they tell of. A piece of them at a time is in memory."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self._store, self._settings, self._now = store, settings, now
        self._counts = _Counts()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._counts = _Counts()
        with self._store.read() as connection:
            for ids in chunks(claims.ids_by_mrn(connection)):
                yield from self._told(connection, ids)

    def ledger(self) -> dict[str, int]:
        """As `ledger` counts."""
        return self._counts.ledger()

    def _told(self, connection: Connection, ids: Sequence[int]) -> Sequence[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for batch in statuses(connection, self._settings, self._now, ids=ids):
            rows += _rows_of(connection, batch)
            self._counts.add(batch)
        return sorted(rows, key=_mrn)


def _mrn(row: dict[str, Any]) -> str:
    return str(row["mrn"])


class _Counts:
    """A ledger that is being written."""

    def __init__(self) -> None:
        self._states: Counter[str] = Counter()
        self._held = self._failed = 0

    def add(self, batch: Statuses) -> None:
        self._failed += len(batch.failed)
        for _, status in batch.standings:
            self._states[status.ledger_state] += 1
            self._held += status.state is EnrolmentState.HELD

    def ledger(self) -> dict[str, int]:
        return {
            "enrolled": self._states.total() + self._failed,
            **{state: self._states[state] for state in LEDGER_STATES},
            **({NOT_JUDGED: self._failed} if self._failed else {}),
            "of_whom_held": self._held,
        }


def _rows_of(connection: Connection, batch: Statuses) -> list[dict[str, Any]]:
    feeds = suspected(connection, batch.ids)
    rows: list[dict[str, Any]] = []
    for it in batch.standings:
        mark = FEED_SUSPECTED if it.whose.enrolment_id in feeds else {}
        rows += [{**row, **(mark if _is_late(row) else {})} for row in _rows(it)]
    return rows + [_unjudged(it) for it in batch.failed]


def _rows(it: Standing) -> Iterator[dict[str, Any]]:
    for panel in it.status.panels:
        yield {
            **_names(it.whose),
            "enrolment_state": it.status.state.value,
            **_panel(panel),
            **_shared(it.status, panel.panel),
        }


def _is_late(row: dict[str, Any]) -> bool:
    return row["state"] in (PanelState.OVERDUE.value, PanelState.SERIOUSLY_OVERDUE.value)


def _names(whose: Whose) -> dict[str, Any]:
    return {"mrn": whose.mrn, "drug": whose.drug, "protocol": whose.protocol_id}


def _panel(panel: PanelStatus) -> dict[str, Any]:
    last, due = panel.last_completed_on, panel.due_on
    return {
        "panel": panel.panel,
        "phase": panel.phase or None,
        "last_completed_on": last.isoformat() if last else None,
        "due_on": due.isoformat() if due else None,
        "because": panel.because.value,
        "state": panel.state.value,
        "days_overdue": panel.days_overdue,
    }


def _shared(status: EnrolmentStatus, panel: str) -> dict[str, Any]:
    """Of a panel that several drugs of the patient need: the stricter day, and which drug set
    it."""
    it = status.shared.panel(panel)
    return {} if it is None else {"patient_due_on": it.due_on.isoformat(), "set_by": it.set_by}


def _unjudged(whose: Whose) -> dict[str, Any]:
    keys = ("panel", "phase", "last_completed_on", "due_on", "because", "state", "days_overdue")
    return {**_names(whose), "enrolment_state": None, **dict.fromkeys(keys)}
