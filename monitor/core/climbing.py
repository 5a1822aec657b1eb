"""Changes of alerts x their ladders -> whom each is told to, and which alerts climb now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from monitor.core.alerts import OPENING
from monitor.core.escalation import Ladder, escalate, reason_of
from monitor.core.model import Alert, AlertState, Change, ChangeWhat, Decision, Kind, Urgency
from monitor.core.outcomes import DECLINED
from monitor.core.routing import ENDINGS, unique

LadderOf = Callable[[Kind, Urgency, datetime], Ladder]
"""The ladder of one enrolment's alerts: kind, urgency, the instant it is put to people."""
_ASKING = frozenset({ChangeWhat.OPENED, ChangeWhat.RELAPSED, *OPENING})
"""Changes that put an alert to people (again), where they are told."""


def climb(
    decision: Decision, alerts: Sequence[Alert], ladder_of: LadderOf, now: datetime
) -> Decision:
    """The decision with the addresses of what is told, the escalations due by `now`, and the
    next rung among the instants to look again."""
    wake = [] if decision.next_review_at is None else [decision.next_review_at]
    changes: list[Change] = []
    asked: set[int] = set()
    for change in decision.changes:
        addressed, next_at = _addressed(change, ladder_of, now)
        changes.append(addressed)
        if next_at is not None:
            wake.append(next_at)
        if addressed.asked_at is not None and change.alert is not None:
            asked.add(change.alert.id)
    for alert in alerts:
        if alert.id in asked:
            continue
        now_is = _after(alert, decision.changes)
        if now_is is None or now_is.asked_at is None:
            continue
        ladder = ladder_of(now_is.kind, now_is.urgency, now_is.asked_at)
        step = escalate(now_is, ladder, now)
        if step.next_at is not None:
            wake.append(step.next_at)
        if step.due:
            changes.append(
                Change(
                    what=(
                        ChangeWhat.OUTCOME_MISSING if step.outcome_missed else ChangeWhat.ESCALATED
                    ),
                    reason=reason_of(step, ladder),
                    tell=True,
                    alert=alert,
                    urgency=now_is.urgency,
                    to=tuple(unique(it for rung in step.due for it in rung.addresses)),
                    asked_at=step.asked_at,
                    climbed=step.climbed,
                    outcome_missed=step.outcome_missed,
                )
            )
    return Decision(changes=tuple(changes), next_review_at=min(wake, default=None))


def _addressed(
    change: Change, ladder_of: LadderOf, now: datetime
) -> tuple[Change, datetime | None]:
    """A change with whom it is told to, and the next rung where it puts the alert to people."""
    if not change.tell or change.what in ENDINGS or change.finding is None:
        return change, None
    ladder = ladder_of(change.finding.kind, change.urgency, now)
    rungs = ladder.rungs(now)
    first = next(rungs)
    if change.what not in _ASKING:
        to = first.addresses
        if change.alert is not None and change.alert.contact_outcome == DECLINED:
            to = (*to, *(it for rung in islice(rungs, 1) for it in rung.addresses))
        return replace(change, to=to), None
    told, climbed, next_at = list(first.addresses), 1, None
    for rung in rungs:
        if rung.at > now:
            next_at = rung.at
            break
        told.extend(rung.addresses)
        climbed += 1
    if change.finding.recovered:
        next_at = None
    return replace(change, to=tuple(told), asked_at=now, climbed=climbed), next_at


def _after(alert: Alert, changes: Sequence[Change]) -> Alert | None:
    """The alert once these changes are written; None where it is or will be closed."""
    if alert.state is AlertState.CLOSED:
        return None
    for change in changes:
        if change.alert is None or change.alert.id != alert.id:
            continue
        if change.what in ENDINGS:
            return None
        if change.finding is not None:
            alert = replace(alert, recovered=change.finding.recovered, urgency=change.urgency)
            alert = replace(alert, kind=change.finding.kind)
    return alert
