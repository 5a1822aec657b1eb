"""What people may do with an alert, and until when (specification, section 7)."""

from __future__ import annotations

from datetime import date, timedelta
from shlex import quote

from monitor.core.calendar import Duration
from monitor.core.changes import Alert
from monitor.core.vocabulary import ENDED_BY_CLOSING, SELF_CLOSING, AlertState, Kind, Urgency

ACKNOWLEDGED_DAYS = 7
ACKNOWLEDGED_DAYS_AT_MOST = 28
REVIEW_DAYS_AT_MOST = {Urgency.CRITICAL: 7, Urgency.URGENT: 28, Urgency.ROUTINE: 90}

_UNTIL_THEN = {
    Kind.OVERDUE_TEST: (
        "it closes by itself when the test is done; until then: enter the result (monitor load), "
        "acknowledge it, snooze it, or record a stop or monitored_elsewhere (monitor events)"
    ),
    Kind.SAMPLE_UNUSABLE: (
        "it closes by itself when a new sample completes the panel; until then: acknowledge or "
        "snooze it"
    ),
    Kind.QUARANTINED_RESULT: (
        "it closes by itself when no row is held; see monitor quarantine list, then retry or "
        "discard the rows"
    ),
    Kind.BASELINE_MISSING: (
        "it closes by itself when the baseline is complete; until then: enter the results or the "
        "genotype event, or acknowledge or snooze it"
    ),
    Kind.DOSE_CHECK: (
        "it closes by itself when the dose, weight or genotype on record answers it (monitor "
        "events); until then: acknowledge or snooze it"
    ),
    Kind.TARGET: (
        "it closes by itself when the target is met; until then: acknowledge or snooze it"
    ),
    Kind.TASK_DUE: (
        "it closes by itself when the task is recorded as done (event task_done); until then: "
        "acknowledge or snooze it"
    ),
}
"""What closes each alert that no person closes."""


class ActionRefused(Exception):
    """What was asked for is not possible; the message says why and what is. `plain` says it
    without the words of the command line, for people who sit before a page."""

    def __init__(self, text: str, *, plain: str = "") -> None:
        super().__init__(text)
        self.plain = plain or text


class Overtaken(ActionRefused):
    """Somebody did something with the alert since this person looked: nothing was done. `acts`
    are lines such as `acknowledged by Nora Gray, 2 Mar 2026 14:05`."""

    def __init__(self, text: str, alert_id: int, acts: tuple[str, ...]) -> None:
        since = "; ".join(acts) or "look again"
        super().__init__(text, plain=f"it has changed since you looked: {since}")
        self.alert_id, self.acts = alert_id, acts


def acknowledgement_until(alert: Alert, today: date, until: date | None) -> date:
    """The day on which an acknowledged alert comes back: by default in 7 days, at most 28."""
    refuse_closed(alert)
    last = today + timedelta(days=ACKNOWLEDGED_DAYS_AT_MOST)
    if until is None:
        return today + timedelta(days=ACKNOWLEDGED_DAYS)
    if not today < until <= last:
        raise ActionRefused(
            f"an acknowledgement lasts from tomorrow to {last.isoformat()} at most "
            f"({ACKNOWLEDGED_DAYS_AT_MOST} days), not until {until.isoformat()}"
        )
    return until


def closing(alert: Alert, today: date, outcome: str, review_by: date | None) -> date | None:
    """The review day of an alert that a person closes: needed while the episode goes on, at
    will where closing ends it."""
    refuse_closed(alert)
    if alert.kind in SELF_CLOSING:
        raise ActionRefused(
            f"a person cannot close it: {_UNTIL_THEN[alert.kind]}",
            plain=f"a person cannot close it: {closes_itself(alert.kind)}",
        )
    if not outcome.strip():
        raise ActionRefused("closing needs an outcome: what was done, by whom")
    if alert.recovered or (review_by is None and alert.cause.startswith(ENDED_BY_CLOSING)):
        return None
    days = REVIEW_DAYS_AT_MOST[alert.urgency]
    last = today + timedelta(days=days)
    if review_by is None:
        at_most = f"at most {last.isoformat()} ({days} days for {alert.urgency})"
        why = "the episode is going on: say on which day to look again"
        raise ActionRefused(f"{why}, --review-by DAY, {at_most}", plain=f"{why}, {at_most}")
    if not today < review_by <= last:
        raise ActionRefused(
            f"the review day of {_an_alert(alert.urgency)} lies between tomorrow and "
            f"{last.isoformat()} ({days} days), not on {review_by.isoformat()}"
        )
    return review_by


def snoozing(
    alert: Alert, today: date, until: date, reason: str, most: Duration | None = None
) -> date:
    """The day on which a snooze ends; `most` is how long the site allows for this urgency.
    Critical alerts cannot be snoozed."""
    refuse_closed(alert)
    if alert.urgency is Urgency.CRITICAL:
        raise ActionRefused("a critical alert cannot be snoozed: acknowledge it, or close it")
    if not reason.strip():
        raise ActionRefused("a snooze needs a reason")
    last = last_snoozed_day(alert.urgency, today, most)
    if not today < until <= last:
        raise ActionRefused(
            f"a snooze of {_an_alert(alert.urgency)} ends between tomorrow and "
            f"{last.isoformat()}, not on {until.isoformat()}"
        )
    return until


def last_snoozed_day(urgency: Urgency, today: date, most: Duration | None) -> date:
    """Until when an alert of this urgency may rest at most; today where it may not at all."""
    last = today + timedelta(days=REVIEW_DAYS_AT_MOST[urgency])
    return last if most is None else min(last, most.after(today))


def closes_itself(kind: Kind) -> str:
    """What closes an alert of this kind, which no person closes; "" where a person does."""
    return _UNTIL_THEN.get(kind, "").partition(";")[0]


def _an_alert(urgency: Urgency) -> str:
    return f"{'an' if urgency is Urgency.URGENT else 'a'} {urgency} alert"


def refuse_another_s(alert: Alert, by: str) -> None:
    """Whoever takes an alert that somebody else has does not do so unawares."""
    other = alert.acknowledged_by or ""
    if alert.state is AlertState.ACKNOWLEDGED and other.casefold() != by.strip().casefold():
        whose = f"alert {alert.id} is with {other} until {alert.acknowledged_until}"
        raise ActionRefused(
            f"{whose}; to take it over: "
            f"monitor assign {alert.id} --to {quote(by)} --by {quote(by)}",
            plain=f"{whose}; to take it over, assign it to yourself",
        )


def refuse_closed(alert: Alert) -> None:
    if alert.state is AlertState.CLOSED:
        who = alert.closed_by or "the monitor"
        raise ActionRefused(f"alert {alert.id} is closed already, by {who}")
