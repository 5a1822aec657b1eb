"""An alert as people had left it at an instant: what came later is taken back.

The row of an alert says where it stands today. For a question about the past its history is
read up to that instant: who had it, until when, whether it rested, where its ladder was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from monitor.core.alerts import OPENING
from monitor.core.changes import Alert, ChangeWhat
from monitor.core.escalation import Ladder, asks
from monitor.core.outcomes import settles
from monitor.core.routing import CLIMBING, ENDINGS
from monitor.core.vocabulary import AlertState
from monitor.delivery.ladders import NEXT_TIER_TOLD
from monitor.store.alerts import ACKNOWLEDGED, ASSIGNED, CONTACTED, MONITOR, SNOOZED
from monitor.store.frames import to_alert

LadderOf = Callable[[Alert], Ladder | None]
_ASKING = {it.value for it in (ChangeWhat.OPENED, ChangeWhat.RELAPSED, *OPENING)}
_UNMUTED = ChangeWhat.UNMUTED.value
_REOPENING = {it.value for it in OPENING}
_ENDED = {it.value for it in ENDINGS}
_CLIMBED = {it.value for it in CLIMBING}
_UNTIL = re.compile(r"^until (\d{4}-\d{2}-\d{2})")
_REVIEW_BY = re.compile(r"review by (\d{4}-\d{2}-\d{2})$")


@dataclass(slots=True)
class Then:
    """What people had done with an alert by an instant, and where its ladder stood."""

    alert: Alert
    snoozed_by: str | None = None
    snooze_reason: str | None = None
    outcome: str | None = None

    def standing(self) -> dict[str, Any]:
        """As `monitor alert show` says it."""
        alert = self.alert
        lives = alert.state is not AlertState.CLOSED
        return {
            "version": alert.version,
            "assigned_to": alert.assigned_to or None,
            "acknowledged_by": alert.acknowledged_by if lives else None,
            "acknowledged_until": _iso(alert.acknowledged_until) if lives else None,
            "snoozed_until": _iso(alert.snoozed_until) if lives else None,
            "snoozed_by": self.snoozed_by if lives else None,
            "snooze_reason": self.snooze_reason if lives else None,
            "review_by": _iso(alert.review_by),
            "outcome": self.outcome,
            "outcome_missed": alert.outcome_missed,
        }


def as_it_was(
    row: Row[Any],
    history: Sequence[Row[Any]],
    ladder_of: LadderOf,
    now: datetime,
    **shown: Any,
) -> Then:
    """The alert of a row at `now`, by its history (oldest first); `shown` is what it said then
    (urgency, kind, recovered). Where nothing came later it is the row itself."""
    if all(entry.at <= now for entry in history):
        return Then(to_alert(row), row.snoozed_by, row.snooze_reason, row.outcome)
    then = Then(_blank(to_alert(row), shown))
    for entry in history:
        if entry.at > now:
            break
        if entry.what not in _CLIMBED:
            _climb(then, ladder_of, entry.at, at_it=False)
        _apply(then, entry)
        if entry.what in _CLIMBED:
            early = entry.note.endswith(NEXT_TIER_TOLD)
            _climb(then, ladder_of, entry.at, at_it=not early, more=early)
    _climb(then, ladder_of, now, at_it=True)
    return then


def _blank(alert: Alert, shown: dict[str, Any]) -> Alert:
    """The alert before anybody did anything with it."""
    return replace(
        alert,
        **shown,
        state=AlertState.OPEN,
        acknowledged_at=None,
        acknowledged_until=None,
        acknowledged_by=None,
        snoozed_until=None,
        review_by=None,
        closed_at=None,
        closed_by=None,
        asked_at=None,
        rungs_told=0,
        outcome_at=None,
        outcome_missed=False,
        no_answers=0,
        contact_outcome="",
        assigned_to="",
        version=0,
    )


def _apply(then: Then, entry: Row[Any]) -> None:
    """One line of the history: what it changed of the alert."""
    then.alert = replace(then.alert, version=max(then.alert.version, entry.version))
    if entry.what in _ASKING or entry.what == _UNMUTED:
        _put_to_people(then, entry)
    elif entry.what == ChangeWhat.OUTCOME_MISSING.value and not then.alert.outcome_missed:
        then.alert = replace(then.alert, asked_at=entry.at, rungs_told=0, outcome_missed=True)
    elif entry.what == ACKNOWLEDGED:
        _acknowledge(then, entry)
    elif entry.what == SNOOZED:
        _answer(then, state=AlertState.OPEN, snoozed_until=_day(_UNTIL, entry.note))
        then.snoozed_by, then.snooze_reason = entry.by, entry.note.partition("; ")[2]
    elif entry.what == ASSIGNED:
        _assign(then, entry)
    elif entry.what == CONTACTED and settles(then.alert, entry.code):
        then.alert = replace(then.alert, outcome_at=entry.at, outcome_missed=False)
    elif entry.what == ChangeWhat.MERGED.value:
        then.alert = replace(then.alert, state=AlertState.CLOSED, closed_at=entry.at)
        then.outcome = entry.note
    elif entry.what == ChangeWhat.APART.value:
        has_it = then.alert.acknowledged_until is not None
        state = AlertState.ACKNOWLEDGED if has_it else AlertState.OPEN
        then.alert = replace(then.alert, state=state, closed_at=None)
        then.outcome = None
    elif entry.what in _ENDED:
        _answer(
            then,
            state=AlertState.CLOSED,
            closed_at=entry.at,
            closed_by=None if entry.by in ("", MONITOR) else entry.by,
            review_by=_day(_REVIEW_BY, entry.note),
        )
        then.outcome = entry.note.partition("; review by ")[0]


def _put_to_people(then: Then, entry: Row[Any]) -> None:
    if entry.what in _REOPENING:
        _answer(then, state=AlertState.OPEN, closed_at=None, closed_by=None, review_by=None)
        then.outcome = None
    if not entry.note.startswith("declined"):
        asked_at = None if "; muted by " in entry.note else entry.at
        then.alert = replace(then.alert, asked_at=asked_at, rungs_told=0, outcome_at=None)
        then.alert = replace(then.alert, outcome_missed=False)


def _answer(then: Then, **changed: Any) -> None:
    """What a person (or the end of what one did) made of it: the answer before is gone."""
    gone: dict[str, Any] = {
        "acknowledged_at": None,
        "acknowledged_until": None,
        "acknowledged_by": None,
        "snoozed_until": None,
        "outcome_missed": False,
    }
    then.alert = replace(then.alert, **{**gone, **changed})
    then.snoozed_by = then.snooze_reason = None


def _acknowledge(then: Then, entry: Row[Any]) -> None:
    """By whoever has it already only for longer, or shorter."""
    alert, until = then.alert, _day(_UNTIL, entry.note)
    if alert.state is AlertState.ACKNOWLEDGED:
        then.alert = replace(alert, acknowledged_by=entry.by, acknowledged_until=until)
        return
    _answer(
        then,
        state=AlertState.ACKNOWLEDGED,
        acknowledged_at=entry.at,
        acknowledged_by=entry.by,
        acknowledged_until=until,
    )


def _assign(then: Then, entry: Row[Any]) -> None:
    to = entry.note.partition("; ")[0].removeprefix("to ")
    had = then.alert.state is AlertState.ACKNOWLEDGED
    then.alert = replace(
        then.alert, assigned_to=to, acknowledged_by=to if had else then.alert.acknowledged_by
    )


def _climb(
    then: Then, ladder_of: LadderOf, until: datetime, *, at_it: bool, more: bool = False
) -> None:
    """Count the rungs that were told before an instant (or at it), while the alert asked, and
    one `more` that was told before its time."""
    alert = then.alert
    ladder = ladder_of(alert) if asks(alert) else None
    if ladder is None or alert.asked_at is None:
        return
    if alert.state is AlertState.ACKNOWLEDGED and not alert.outcome_missed:
        return
    told = 0
    for rung in ladder.rungs(alert.asked_at):
        over = rung.at > until or (rung.at == until and not at_it and told > 0)
        if over or (rung.again and alert.outcome_missed):
            break
        told += 1
    then.alert = replace(alert, rungs_told=max(alert.rungs_told, told) + more)


def _day(pattern: re.Pattern[str], note: str) -> date | None:
    found = pattern.search(note)
    return None if found is None else date.fromisoformat(found[1])


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
