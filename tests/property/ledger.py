"""A clinic in memory: what a decision writes, what people do, and a clock that is moved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.alerts import OPENING, reconcile, shown_of
from monitor.core.answer import Review
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.changes import Alert, Change, ChangeWhat, Decision
from monitor.core.protocol import Protocol
from monitor.core.review import review
from monitor.core.vocabulary import AlertState

ENDING = (ChangeWhat.CLOSED, ChangeWhat.WITHDRAWN, ChangeWhat.MERGED)


@dataclass
class Clinic:
    """One enrolment's alerts, brought from tick to tick as the store would."""

    protocol: Protocol
    catalogue: Catalogue
    zone: ZoneInfo
    alerts: list[Alert] = field(default_factory=list)
    next_review_at: datetime | None = None

    def tick(self, case: Case, now: datetime) -> tuple[Review, Decision]:
        [found] = review([case], {self.protocol.id: self.protocol}, self.catalogue, now, self.zone)
        decision = reconcile(found, self.alerts, self.protocol, self.catalogue, now, self.zone)
        for change in decision.changes:
            self._apply(change, now, found)
        self.next_review_at = decision.next_review_at
        return found, decision

    @property
    def live(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.state is not AlertState.CLOSED]

    def put(self, alert: Alert) -> None:
        self.alerts = [alert if it.id == alert.id else it for it in self.alerts]

    def _apply(self, change: Change, now: datetime, found: Review) -> None:
        if change.what is ChangeWhat.OPENED:
            assert change.finding is not None
            blank = Alert(
                id=len(self.alerts) + 1,
                enrolment_id=change.finding.enrolment_id,
                cause=change.finding.cause,
                kind=change.finding.kind,
                urgency=change.urgency,
                state=AlertState.OPEN,
                recovered=False,
                opened_at=now,
                summary="",
            )
            self.alerts.append(blank)
            self.put(self._showing(blank, change, now, found))
            return
        assert change.alert is not None
        [standing] = [it for it in self.alerts if it.id == change.alert.id]
        if change.what in ENDING:
            self.put(closed(standing, now, by=None, recovered=standing.recovered))
        else:
            self.put(self._showing(standing, change, now, found))

    def _showing(self, alert: Alert, change: Change, now: datetime, found: Review) -> Alert:
        finding = change.finding
        assert finding is not None
        worst = finding.worst.value if finding.worst is not None else None
        alert = replace(
            alert,
            kind=finding.kind,
            urgency=change.urgency,
            recovered=finding.recovered,
            summary=finding.summary,
            level=finding.level,
            breaches=finding.breaches,
            panels=tuple((it.panel, it.state) for it in finding.panels),
            subjects=finding.subjects,
            worst_value=worst,
            downward=finding.downward,
            first_seen_recovered=change.first_seen_recovered,
            protocol_digest=self.protocol.digest,
            content=shown_of(finding, found, self.catalogue),
        )
        if change.tell:
            alert = replace(alert, told_level=finding.level, told_value=worst, last_told_at=now)
        if change.what in OPENING:
            alert = replace(
                alert,
                state=AlertState.OPEN,
                acknowledged_until=None,
                snoozed_until=None,
                review_by=None,
                closed_at=None,
                closed_by=None,
                closed_recovered=False,
            )
        return alert


def closed(
    alert: Alert, now: datetime, *, by: str | None, recovered: bool, review_by: date | None = None
) -> Alert:
    return replace(
        alert,
        state=AlertState.CLOSED,
        acknowledged_until=None,
        snoozed_until=None,
        closed_at=now,
        closed_by=by,
        closed_recovered=recovered,
        review_by=review_by,
    )


def acknowledged(alert: Alert, until: date) -> Alert:
    return replace(
        alert, state=AlertState.ACKNOWLEDGED, acknowledged_until=until, snoozed_until=None
    )


def snoozed(alert: Alert, until: date) -> Alert:
    return replace(alert, state=AlertState.OPEN, snoozed_until=until, acknowledged_until=None)


def standing(alerts: list[Alert]) -> list[tuple[Any, ...]]:
    """What must be the same whenever, in whatever steps, the logic ran."""
    return sorted(
        (
            it.cause,
            it.breaches,
            it.kind.value,
            it.level,
            str(it.worst_value),
            it.recovered,
            tuple((panel, state.value) for panel, state in it.panels),
            it.subjects,
            it.content,
        )
        for it in alerts
    )
