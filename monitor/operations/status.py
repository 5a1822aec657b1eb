"""Where each enrolment and each of its panels stands, derived live from what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.answer import PanelStatus, Review
from monitor.core.case import Case
from monitor.core.judges import View
from monitor.core.vocabulary import EnrolmentState, PanelState
from monitor.operations.answers import Answers, answers, enrolments_of
from monitor.store.database import Store
from monitor.store.silent_feeds import suspected

_NOT_WATCHED = (EnrolmentState.PLANNED, EnrolmentState.ELSEWHERE, EnrolmentState.STOPPED)
_WORST_FIRST = (PanelState.SERIOUSLY_OVERDUE, PanelState.OVERDUE, PanelState.DUE)
NOT_JUDGED = "not_judged"
"""Where the monitor itself failed: said, since it is no state a patient can be in."""

FEED_SUSPECTED = {"feed_suspected": True}
"""Beside the keys of the contract, where a patient's feed is silent and only there."""


def status_rows(
    store: Store, settings: Settings, now: datetime, mrn: str | None = None
) -> list[dict[str, Any]]:
    """One row an enrolment and panel, as `monitor status --json` prints them.

    Sees nothing collected or happened later than `now`. An enrolment that could not be
    judged has one row without panel and state.
    """
    with store.read() as connection:
        ids = None if mrn is None else enrolments_of(connection, mrn)
        rows: list[dict[str, Any]] = []
        for batch in answers(connection, settings, now, ids=ids, until=now, recalling=True):
            rows += _rows_of(connection, batch)
    return sorted(rows, key=lambda row: row["mrn"])


def ledger(store: Store, settings: Settings, now: datetime) -> dict[str, int]:
    """How many enrolments there are, and how many in each state; the states add up to
    `enrolled`, except for `of_whom_held`, which counts some of them a second time."""
    counts = _Counts()
    with store.read() as connection:
        for batch in answers(connection, settings, now, until=now, recalling=True):
            counts.add(batch)
    return counts.ledger()


def overview(
    store: Store, settings: Settings, now: datetime
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """`status_rows` and `ledger` of everybody, judged once for both."""
    counts = _Counts()
    rows: list[dict[str, Any]] = []
    with store.read() as connection:
        for batch in answers(connection, settings, now, until=now, recalling=True):
            rows += _rows_of(connection, batch)
            counts.add(batch)
    return sorted(rows, key=lambda row: row["mrn"]), counts.ledger()


class _Counts:
    """A ledger that is being written."""

    def __init__(self) -> None:
        self._states: Counter[str] = Counter()
        self._enrolled = self._held = self._failed = 0

    def add(self, batch: Answers) -> None:
        self._enrolled += len(batch.cases)
        self._failed += len(batch.failed)
        for review in batch.reviews:
            self._states[standing_of(review)] += 1
            self._held += review.life.state is EnrolmentState.HELD

    def ledger(self) -> dict[str, int]:
        states = (*_WORST_FIRST, PanelState.UP_TO_DATE, *_NOT_WATCHED)
        return {
            "enrolled": self._enrolled,
            **{state.value: self._states[state.value] for state in states},
            **({NOT_JUDGED: self._failed} if self._failed else {}),
            "of_whom_held": self._held,
        }


def _rows_of(connection: Connection, batch: Answers) -> list[dict[str, Any]]:
    feeds = suspected(connection, [case.enrolment.id for case in batch.cases])
    rows: list[dict[str, Any]] = []
    for review in batch.reviews:
        mark = FEED_SUSPECTED if review.case.enrolment.id in feeds else {}
        rows += [{**row, **(mark if _is_late(row) else {})} for row in _rows(review)]
    return rows + [_unjudged(case) for case in batch.cases if case.enrolment.id in batch.failed]


def standing_of(review: Review | View) -> str:
    """The one state of the ledger an enrolment is in: that of its worst panel while it is
    watched here, held or not."""
    if not is_watched(review):
        return review.life.state.value
    present = {panel.state for panel in review.panels}
    return next((it.value for it in _WORST_FIRST if it in present), PanelState.UP_TO_DATE.value)


def is_watched(review: Review | View) -> bool:
    """Whether tests are due here: not while it is planned, monitored elsewhere or stopped."""
    return review.life.state not in _NOT_WATCHED


def _rows(review: Review) -> Iterator[dict[str, Any]]:
    for panel in review.panels:
        yield {
            **_whose(review.case),
            "enrolment_state": review.life.state.value,
            **_panel(panel),
            **_shared(review, panel.panel),
        }


def _is_late(row: dict[str, Any]) -> bool:
    return row["state"] in (PanelState.OVERDUE.value, PanelState.SERIOUSLY_OVERDUE.value)


def _whose(case: Case) -> dict[str, Any]:
    enrolment = case.enrolment
    return {"mrn": enrolment.mrn, "drug": enrolment.drug, "protocol": enrolment.protocol_id}


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


def _shared(review: Review, panel: str) -> dict[str, Any]:
    """Of a panel that several drugs of the patient need: the stricter day, and which drug set
    it."""
    it = review.shared.panel(panel)
    return {} if it is None else {"patient_due_on": it.due_on.isoformat(), "set_by": it.set_by}


def _unjudged(case: Case) -> dict[str, Any]:
    keys = ("panel", "phase", "last_completed_on", "due_on", "because", "state", "days_overdue")
    return {**_whose(case), "enrolment_state": None, **dict.fromkeys(keys)}
