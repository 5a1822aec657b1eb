"""Findings x live alerts x now -> changes, each with its reason (specification, section 7).

Level, not edge: what the findings say is compared with what stands, as a thermostat does;
running it twice changes nothing the second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.answer import Finding, Review
from monitor.core.calendar import clinic_day, earliest, start_of_day
from monitor.core.catalogue import Catalogue
from monitor.core.changes import Alert, Change, ChangeWhat, Decision
from monitor.core.ending import PROTOCOL_EDITED, is_edited, without_cause, without_what_was_closed
from monitor.core.evidence import stands_beside
from monitor.core.findings import OVERDUE
from monitor.core.pairing import pair
from monitor.core.protocol import Protocol
from monitor.core.recalled import NotRead
from monitor.core.renumbered import other_number
from monitor.core.routing import CORRECTING
from monitor.core.told_again import (
    asks_for_more,
    corrected_upwards,
    counts_anew,
    differently,
    more_panels,
    more_urgent,
    news,
    urgency_now,
    urgency_of,
    worse_than_told,
)
from monitor.core.vocabulary import LATE, AlertState

OPENING = (
    ChangeWhat.WORSE,
    ChangeWhat.REOPENED,
    ChangeWhat.ACK_EXPIRED,
    ChangeWhat.SNOOZE_EXPIRED,
)
"""Changes after which an alert is open: an acknowledgement, snooze or closing has ended."""
BESIDE = "what stands beside it has changed"
_DIGEST = 16
"""Signs of the digest of what an alert says; that of what stands beside it comes after."""


def reconcile(
    review: Review,
    alerts: Sequence[Alert],
    protocol: Protocol,
    catalogue: Catalogue,
    now: datetime,
    zone: ZoneInfo,
) -> Decision:
    """What to write so that the live alerts of one enrolment say what its findings say."""
    today = clinic_day(now, zone)
    mrn = review.case.enrolment.mrn
    pairing = pair(review.findings, alerts)
    changes: list[Change] = list(pairing.merges)
    wake: list[date] = []
    for finding, alert in pairing.pairs:
        if alert is None:
            changes.append(_opened(finding, alerts))
            wake.extend(_reminder(finding, today))
        elif alert.state is AlertState.CLOSED:
            changes.extend(_answered(finding, alert, protocol, today))
            wake.extend(_days(None if finding.recovered else alert.review_by))
        else:
            step = _standing(finding, alert, protocol, today, zone)
            if not step or not any(change.tell for change in step):
                step = [*_moved(finding, alert, mrn), *step]
            if not step and not _shows_what_stands(finding, alert, review, catalogue):
                step = [_change(ChangeWhat.RESTATED, BESIDE, finding, alert, tell=False)]
            if alert.came_apart and not any(change.what in OPENING for change in step):
                step = [_stands_again(finding, alert), *step]
            changes.extend(step)
            wake.extend(_alert_days(finding, alert, step, today, zone))
    changes.extend(without_cause(alert, review, protocol, catalogue) for alert in pairing.gone)
    changes.extend(
        it
        for alert in pairing.void
        for it in without_what_was_closed(alert, review, protocol, catalogue)
    )
    return Decision(
        changes=tuple(_with_number(it, mrn) for it in changes),
        findings_change_at=review.next_change_at,
        alerts_change_at=earliest(*(start_of_day(day, zone) for day in wake if day > today)),
    )


def content_of(finding: Finding) -> str:
    """A digest of what an alert says; the count of days is left out, it is reckoned anew, and so
    is the text of the protocol, which may say the same after an edit."""
    panels = [
        (it.panel, it.due_on, it.state, it.because, it.last_completed_on, it.partial)
        for it in finding.panels
    ]
    shown = (
        finding.kind,
        finding.urgency,
        finding.summary,
        finding.recovered,
        finding.level,
        finding.worst,
        finding.latest,
        finding.limit_text,
        finding.breaches,
        finding.subjects,
        finding.action,
        finding.say,
        finding.source,
        finding.news,
        panels,
    )
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:_DIGEST]


def shown_of(finding: Finding, review: Review, catalogue: Catalogue) -> str:
    """`content_of`, and a digest of what stands beside it, as the alert keeps them."""
    return content_of(finding) + stands_beside(finding, review, catalogue)


def _shows_what_stands(
    finding: Finding, alert: Alert, review: Review, catalogue: Catalogue
) -> bool:
    try:
        return alert.content[_DIGEST:] == stands_beside(finding, review, catalogue)
    except NotRead:  # they are as an earlier review saw them
        return True


def _opened(finding: Finding, alerts: Sequence[Alert]) -> Change:
    """An episode already over when first seen opens as recovered, routine unless critical. Who was
    told that it is void hears that it is not."""
    breaches = set(finding.breaches)
    void = tuple(
        it.id
        for it in alerts
        if it.cause == finding.cause and breaches.intersection(it.breaches)
        if it.state is AlertState.CLOSED and it.closed_by is None
    )
    return Change(
        what=ChangeWhat.OPENED,
        reason=finding.summary,
        tell=True,
        finding=finding,
        first_seen_recovered=finding.recovered,
        urgency=urgency_of(finding, only_seen_recovered=finding.recovered),
        void=void,
    )


def _answered(finding: Finding, alert: Alert, protocol: Protocol, today: date) -> Iterator[Change]:
    """A person closed it: it comes back on its review day, when worse, or when it relapses. What
    a correction made milder meanwhile stays closed, and whoever acted on it hears of it."""
    reason = (
        worse_than_told(finding, alert, protocol)
        or asks_for_more(finding, alert, protocol)
        or news(finding, alert)
    )
    if not reason and not finding.recovered:
        reason = more_urgent(finding, alert) or _comes_back(alert, today)
    waits = alert.review_by is not None and not is_edited(alert, protocol)
    if reason:
        yield _change(ChangeWhat.REOPENED, reason, finding, alert, tell=True)
        yield from _beside(finding, alert, protocol)
    elif waits and (reason := differently(finding, alert, protocol)):
        yield _change(ChangeWhat.UPDATED, reason, finding, alert, tell=True)


def _comes_back(alert: Alert, today: date) -> str:
    """Why a closed alert whose episode goes on comes back as it is."""
    if alert.closed_recovered:
        return "the episode goes on again after it was closed as recovered"
    if alert.review_by is not None and alert.review_by <= today:
        return "its review day has come and the episode goes on"
    return ""


def _standing(
    finding: Finding, alert: Alert, protocol: Protocol, today: date, zone: ZoneInfo
) -> list[Change]:
    """What a live alert and its finding ask for; told at most once, whatever came together: a
    correction beside it to those who do not hear that the alert is open again."""
    changes = []
    content = _content_change(finding, alert, protocol)
    lapsed = _lapse(finding, alert, today)
    if content is not None and content.what in OPENING:
        lapsed = None
    if lapsed is not None:
        corrects = content is not None and content.tell and content.what in CORRECTING
        if content is not None and corrects:
            lapsed = replace(lapsed, reason=f"{lapsed.reason}; {content.reason}")
        changes.append(lapsed)
        content = None if content is None else replace(content, tell=corrects)
    if content is not None:
        changes.append(content)
        if content.what is ChangeWhat.WORSE and content.tell:
            changes.extend(_beside(finding, alert, protocol))
    if not any(it.tell for it in changes) and _reminder_due(finding, alert, today, zone):
        changes.append(_change(ChangeWhat.REMINDED, _still(finding), finding, alert, tell=True))
    if not changes and is_edited(alert, protocol):
        changes.append(_change(ChangeWhat.RESTATED, PROTOCOL_EDITED, finding, alert, tell=False))
    if counts_anew(finding, alert, protocol):
        changes = [replace(it, counts_anew=True) for it in changes]
    return changes


def _beside(finding: Finding, alert: Alert, protocol: Protocol) -> Iterator[Change]:
    """What is worse is put to people anew, one by one; a correction is told to all who know."""
    if reason := corrected_upwards(finding, alert, protocol):
        yield _change(ChangeWhat.UPDATED, reason, finding, alert, tell=True)


def _content_change(finding: Finding, alert: Alert, protocol: Protocol) -> Change | None:
    """How what is to be shown differs from what was: the weightiest word for it, or None."""
    if content_of(finding) == alert.content[:_DIGEST]:
        return None
    if reason := (
        worse_than_told(finding, alert, protocol)
        or asks_for_more(finding, alert, protocol)
        or more_panels(finding, alert, protocol)
        or news(finding, alert)
    ):
        return _change(ChangeWhat.WORSE, reason, finding, alert, tell=True)
    if alert.recovered and not finding.recovered and alert.first_seen_recovered:
        reason = "is going on after all"
        return _change(ChangeWhat.RELAPSED, reason, finding, alert, tell=True)
    if reason := more_urgent(finding, alert):
        return _change(ChangeWhat.WORSE, reason, finding, alert, tell=True)
    if reason := differently(finding, alert, protocol):  # before what is told to nobody
        return _change(ChangeWhat.UPDATED, reason, finding, alert, tell=True)
    if alert.recovered and not finding.recovered:
        reason = "breaches again" if _is_measured(finding) else "what it is about is there again"
        return _change(ChangeWhat.RELAPSED, reason, finding, alert, tell=False)
    if finding.recovered and not alert.recovered:
        return _change(ChangeWhat.RECOVERED, _better(finding), finding, alert, tell=False)
    why = PROTOCOL_EDITED if counts_anew(finding, alert, protocol) else "new results or dates"
    return _change(ChangeWhat.UPDATED, why, finding, alert, tell=False)


def _is_measured(finding: Finding) -> bool:
    """Whether results make it come and go; a dose, a gene or another drug has none."""
    return finding.cause.startswith(("rule:", "combination:"))


def _better(finding: Finding) -> str:
    """Another result is not said to have come: a limit of this patient may have moved instead."""
    if _is_measured(finding) and finding.latest_breaches:
        return "the latest result is of another episode"
    if _is_measured(finding):
        return "the latest result is not beyond the limit"
    return "what it was about has ended"


def _moved(finding: Finding, alert: Alert, mrn: str) -> Iterator[Change]:
    """Merged, or taken apart again: whoever was told one number hears the other."""
    if reason := other_number(mrn, alert.mrn):
        yield _change(ChangeWhat.UPDATED, reason, finding, alert, tell=True)


def _with_number(change: Change, mrn: str) -> Change:
    """Whatever else is told of it: who knows the alert by another number takes this one for a
    stranger."""
    number = "" if change.alert is None else other_number(mrn, change.alert.mrn)
    if not number or not change.tell or number in change.reason:
        return change
    return replace(change, reason=f"{change.reason}; {number}")


def _stands_again(finding: Finding, alert: Alert) -> Change:
    """Whoever was told of it hears so: they were told since that it is another number's."""
    reason = "two numbers that were taken for one patient are not"
    return _change(ChangeWhat.APART, reason, finding, alert, tell=True)


def _lapse(finding: Finding, alert: Alert, today: date) -> Change | None:
    """An acknowledgement or a snooze that has run out."""
    if _acknowledgement_over(alert, today):
        reason = "the acknowledgement has run out"
        return _change(ChangeWhat.ACK_EXPIRED, reason, finding, alert, tell=True)
    if alert.snoozed_until is not None and alert.snoozed_until <= today:
        reason = "the snooze has run out"
        return _change(ChangeWhat.SNOOZE_EXPIRED, reason, finding, alert, tell=True)
    return None


def _change(what: ChangeWhat, reason: str, finding: Finding, alert: Alert, *, tell: bool) -> Change:
    return Change(
        what=what,
        reason=reason,
        tell=tell,
        finding=finding,
        alert=alert,
        first_seen_recovered=alert.first_seen_recovered and finding.recovered,
        urgency=urgency_now(finding, alert),
    )


def _acknowledgement_over(alert: Alert, today: date) -> bool:
    until = alert.acknowledged_until
    return alert.state is AlertState.ACKNOWLEDGED and until is not None and until <= today


def _still(finding: Finding) -> str:
    return "still overdue" if finding.cause == OVERDUE else "still due"


def _reminder_due(finding: Finding, alert: Alert, today: date, zone: ZoneInfo) -> bool:
    if alert.state is not AlertState.OPEN or alert.snoozed_until is not None:
        return False
    return any(day <= today for day in _reminder_days(finding, alert.last_told_at, zone))


def _reminder_days(
    finding: Finding, last_told_at: datetime | None, zone: ZoneInfo
) -> Iterator[date]:
    if last_told_at is None:
        return
    told_on = clinic_day(last_told_at, zone)
    for panel in finding.panels:
        if panel.state in LATE and panel.repeat_days is not None and finding.cause == OVERDUE:
            yield told_on + timedelta(days=panel.repeat_days)
    if finding.repeat_days is not None:
        yield told_on + timedelta(days=finding.repeat_days)


def _reminder(finding: Finding, today: date) -> Iterator[date]:
    """When an alert told today is to be repeated."""
    for panel in finding.panels:
        if finding.cause == OVERDUE and panel.repeat_days is not None:
            yield today + timedelta(days=panel.repeat_days)
    if finding.repeat_days is not None:
        yield today + timedelta(days=finding.repeat_days)


def _alert_days(
    finding: Finding, alert: Alert, step: Sequence[Change], today: date, zone: ZoneInfo
) -> Iterator[date]:
    """The days on which a live alert changes by itself, after this step. What people are told in
    it (a correction) ends no acknowledgement and no snooze, unless it opens the alert."""
    if not any(change.what in OPENING for change in step):
        yield from _days(alert.acknowledged_until, alert.snoozed_until)
    if any(change.tell for change in step):
        yield from _reminder(finding, today)
    elif alert.state is AlertState.OPEN and alert.snoozed_until is None:
        yield from _reminder_days(finding, alert.last_told_at, zone)


def _days(*days: date | None) -> Iterator[date]:
    for day in days:
        if day is not None:
            yield day
