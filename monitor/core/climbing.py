"""Changes of alerts x their ladders -> whom each is told to, and which alerts climb now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from monitor.core.alerts import OPENING
from monitor.core.calendar import earliest
from monitor.core.changes import Alert, Change, ChangeWhat, Decision
from monitor.core.ending import PROTOCOL_EDITED
from monitor.core.escalation import Ladder, escalate, outcome_due_at, reason_of
from monitor.core.muting import RULE, Voice, muters
from monitor.core.outcomes import DECLINED
from monitor.core.protocol import Protocol
from monitor.core.routing import CORRECTING, ENDINGS, unique
from monitor.core.vocabulary import AlertState, Kind, Urgency

LadderOf = Callable[[Kind, Urgency, datetime], Ladder]
"""The ladder of one enrolment's alerts: kind, urgency, the instant it is put to people."""
_ASKING = frozenset({ChangeWhat.OPENED, ChangeWhat.RELAPSED, *OPENING})
"""Changes that put an alert to people (again), where they are told."""


def climb(
    decision: Decision,
    alerts: Sequence[Alert],
    protocol: Protocol,
    ladder_of: LadderOf,
    now: datetime,
) -> Decision:
    """The decision with the addresses of what is told, without what is muted (but for what corrects
    what was told), with the escalations due by `now`, and with the next rung among the instants to
    look again."""
    wake = [decision.alerts_change_at]
    standing = {alert.id: _after(alert, decision.changes) for alert in alerts}
    muted = _muted(decision.changes, standing, protocol)
    changes: list[Change] = []
    asked: set[int] = set()
    for change in decision.changes:
        mute = muted.get(_key(change))
        if mute is not None and _corrects(change):
            changes.append(change)  # to those who were told, and to nobody else
            continue
        if mute is not None and change.tell and change.what not in ENDINGS:
            by = mute.cause.removeprefix("rule:").replace(":", ", ").replace("_", " ")
            why = f"{change.reason}; muted by {by}"
            change = replace(change, tell=False, reason=why, unasked=change.what in _ASKING)
        addressed, next_at = _addressed(change, ladder_of, now)
        changes.append(addressed)
        wake.append(next_at)
        if addressed.asked_at is not None and change.alert is not None:
            asked.add(change.alert.id)
        elif addressed.to and change.alert is not None:
            standing[change.alert.id] = _heard_by(standing[change.alert.id], addressed.to, now)
    for alert in alerts:
        now_is = standing[alert.id]
        if alert.id in asked or now_is is None or alert.id in muted:
            continue
        change_, next_at = _climbed(alert, now_is, protocol, ladder_of, now)
        if change_ is not None:
            changes.append(change_)
        wake.append(next_at)
    return replace(decision, changes=tuple(changes), alerts_change_at=earliest(*wake))


def _corrects(change: Change) -> bool:
    """Whether people were told what is not so any more: they may have acted on it."""
    was_told = change.alert is not None and change.alert.last_told_at is not None
    return change.tell and change.what in CORRECTING and was_told


def _heard_by(alert: Alert | None, readers: Sequence[str], now: datetime) -> Alert | None:
    """The alert once these have heard of it in this review, of something else than a climb."""
    if alert is None or alert.heard is None or alert.urgency is Urgency.ROUTINE:
        return alert
    messages = (*alert.heard.messages, *((it.lower(), now) for it in readers))
    return replace(alert, heard=replace(alert.heard, messages=messages))


def _climbed(
    alert: Alert, now_is: Alert, protocol: Protocol, ladder_of: LadderOf, now: datetime
) -> tuple[Change | None, datetime | None]:
    """What is due of a standing alert's ladder; one that was muted and is not is told now."""
    if now_is.asked_at is None:
        if not _was_muted(now_is):
            return None, None
        rungs = ladder_of(now_is.kind, now_is.urgency, now).rungs(now)
        first, second = next(rungs), next(rungs, None)
        told = _telling(alert, now_is, ChangeWhat.UNMUTED, _why_unmuted(now_is, protocol))
        told = replace(told, to=first.addresses, asked_at=now, climbed=1)
        return told, None if second is None else second.at
    ladder = ladder_of(now_is.kind, now_is.urgency, now_is.asked_at)
    anew_at = outcome_due_at(now_is, ladder)
    if anew_at is not None and not now_is.outcome_missed:
        ladder = ladder_of(now_is.kind, now_is.urgency, anew_at)  # whoever hears at that hour
    step = escalate(now_is, ladder, now)
    if not step.due:
        return None, step.next_at
    what = ChangeWhat.OUTCOME_MISSING if step.outcome_missed else ChangeWhat.ESCALATED
    return (
        replace(
            _telling(alert, now_is, what, reason_of(step, ladder)),
            to=tuple(unique(it for rung in step.due for it in rung.addresses)),
            asked_at=step.asked_at,
            climbed=step.climbed,
            outcome_missed=step.outcome_missed,
        ),
        step.next_at,
    )


def _telling(alert: Alert, now_is: Alert, what: ChangeWhat, reason: str) -> Change:
    return Change(what=what, reason=reason, tell=True, alert=alert, urgency=now_is.urgency)


def _was_muted(alert: Alert) -> bool:
    """Whether nobody was told because it was muted: nothing else leaves such an alert open. Its
    rule is not asked: an edit may have taken from it what mutes it."""
    resting = alert.recovered or alert.snoozed_until is not None
    return alert.cause.startswith(RULE) and alert.state is AlertState.OPEN and not resting


def _why_unmuted(alert: Alert, protocol: Protocol) -> str:
    may_be_muted = any(f"{RULE}{it.id}" == alert.cause for it in protocol.rules if it.muted_by)
    return "the graver alert no longer speaks" if may_be_muted else PROTOCOL_EDITED


def _key(change: Change) -> int:
    """An alert's id; of one that is opened now a number of its own below 0."""
    return change.alert.id if change.alert is not None else -id(change)


def _muted(
    changes: Sequence[Change], standing: Mapping[int, Alert | None], protocol: Protocol
) -> Mapping[int, Voice]:
    voices = [
        Voice(
            key=alert.id,
            cause=alert.cause,
            kind=alert.kind.value,
            urgency=alert.urgency,
            speaks=not alert.recovered and alert.snoozed_until is None,
        )
        for alert in standing.values()
        if alert is not None
    ]
    voices += [
        Voice(
            key=_key(change),
            cause=change.finding.cause,
            kind=change.finding.kind.value,
            urgency=change.urgency,
            speaks=not change.finding.recovered,
        )
        for change in changes
        if change.finding is not None and change.what is ChangeWhat.OPENED
    ]
    return muters(voices, protocol)


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
    own = [it for it in changes if it.alert is not None and it.alert.id == alert.id]
    opened = any(it.what in OPENING for it in own)
    if alert.state is AlertState.CLOSED and not opened:
        return None
    for change in own:
        if change.what in ENDINGS:
            return None
        if change.what in OPENING:
            alert = replace(alert, state=AlertState.OPEN, snoozed_until=None)
        if change.finding is not None:
            alert = replace(
                alert,
                recovered=change.finding.recovered,
                urgency=change.urgency,
                kind=change.finding.kind,
            )
    return alert
