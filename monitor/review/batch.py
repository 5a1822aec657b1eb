"""The one road from what is known of a patient to alerts and messages.

A batch of enrolments is one transaction: claimed, judged by the core, reconciled with the
alerts that stand; alerts, their history, messages and the next review are written together or
not at all. Whoever is due, whom a file touched, and everyone at night all come through here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitor import logs
from monitor.config import Settings, route_book
from monitor.core.alerts import reconcile, shown_of
from monitor.core.answer import Review
from monitor.core.case import Enrolment
from monitor.core.changes import Alert, Change, ChangeWhat, Decision
from monitor.core.climbing import climb
from monitor.core.escalation import Ladder
from monitor.core.evidence import evidence
from monitor.core.pairing import as_apart
from monitor.core.routebook import RouteBook
from monitor.core.routing import AS_IT_STANDS, CORRECTING, ENDINGS, Told, plan
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.review.judging import Failed, judge_batch
from monitor.review.screen import after, kept
from monitor.store import keeping
from monitor.store.alerts import Step, write_steps
from monitor.store.frames import load_alerts, load_enrolments, not_collecting
from monitor.store.heard import load_heard
from monitor.store.keeping import Sleep
from monitor.store.outbox import enqueue, operator_alarm, told_recipients
from monitor.store.rulebook import RuleBook, load_rulebook
from monitor.store.storm import Storm

BATCH = 250
"""Enrolments a transaction: what costs the same for any number of them is some 15 ms."""
WITH_ALL_READ = 100
"""How many of them may have all their results read, which takes longer: others who write wait."""
SET_ASIDE = timedelta(hours=1)
"""When an enrolment that could not be judged is tried again."""
_STANDS = "it was taken back, and stands after all"
_SAID_AGAIN = AS_IT_STANDS | {ChangeWhat.REMINDED}
_OPENED = frozenset({ChangeWhat.OPENED, ChangeWhat.REOPENED})


@dataclass(slots=True)
class Tally:
    """What a review did, in numbers."""

    reviewed: int = 0
    opened: int = 0
    updated: int = 0
    reminded: int = 0
    closed: int = 0
    messages: int = 0
    failed: int = 0
    """Enrolments that could not be judged: set aside, and the operator is told."""
    changed: list[int] = field(default_factory=list)
    """Enrolments of which an alert changed."""
    unexpected: list[int] = field(default_factory=list)
    """Enrolments that changed although nothing had announced it: an alarm."""
    left: bool = False
    """Time was up before everybody who is due was reviewed; the rest is owed."""

    @property
    def review(self) -> dict[str, int]:
        """What was done, as the documents of commands give it."""
        return {"reviewed": self.reviewed, **self.alerts, "messages": self.messages}

    @property
    def alerts(self) -> dict[str, int]:
        """What became of alerts, as the documents of commands and interface give it."""
        return {"opened": self.opened, "updated": self.updated, "closed": self.closed}

    def add(self, other: Tally) -> None:
        for name in ("reviewed", "opened", "updated", "reminded", "closed", "messages", "failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.changed += other.changed
        self.unexpected += other.unexpected


@not_collecting()  # until its answers are gone: a search for cycles would go through all of them
def review_batch(
    connection: Connection,
    settings: Settings,
    enrolment_ids: Collection[int],
    now: datetime,
    *,
    recalling: bool = True,
) -> Tally:
    """Review these enrolments in the caller's transaction, which has locked them. Without
    `recalling` all their results are read, whatever is remembered of them."""
    rulebook = load_rulebook(connection)
    book = route_book(settings)
    zone = settings.clinic.zone
    judged = judge_batch(connection, enrolment_ids, rulebook, now, zone, recalling=recalling)
    cases, failures = judged.cases, judged.failures
    alerts = load_heard(connection, [case.enrolment.id for case in cases])
    steps: list[Step] = []
    sleeps: dict[int, Sleep] = {}
    for found in judged.reviews:
        enrolment = found.case.enrolment
        try:
            decided, decision = _decide(found, alerts[enrolment.id], rulebook, book, now, zone)
        except Exception as error:  # noqa: BLE001  # one bad case never stops the batch
            failures.append(Failed(enrolment.id, logs.places(error)))
        else:
            steps += decided
            leaves = kept(found, judged, decision.alerts_change_at, rulebook, zone)
            sleeps[enrolment.id] = Sleep(after(decision.next_review_at, now), leaves)
    fallen = _fallen(connection, set(enrolment_ids) - {case.enrolment.id for case in cases})
    steps += [step for ended in fallen for step in _endings(connection, ended.id)]
    sleeps |= {ended.id: Sleep(None) for ended in fallen}
    _set_aside(connection, settings, failures, now)
    sleeps |= {failed.enrolment_id: Sleep(now + SET_ASIDE) for failed in failures}
    ids = write_steps(connection, steps, now)
    tally = _tally(steps, ids)
    tally.reviewed, tally.failed = len(cases), len(failures)
    enrolments = [*(case.enrolment for case in cases), *fallen]
    tally.messages = _queue_messages(connection, settings, enrolments, steps, ids, now)
    keeping.put_to_sleep(connection, sleeps)
    return tally


def _fallen(connection: Connection, enrolment_ids: Collection[int]) -> list[Enrolment]:
    """Of these enrolments those that stand no more: taken back, or merged into another."""
    return load_enrolments(connection, sorted(enrolment_ids))


def _endings(connection: Connection, enrolment_id: int) -> list[Step]:
    """What is open of an enrolment that stands no more is withdrawn, and those told hear it."""
    alerts = load_alerts(connection, [enrolment_id])[enrolment_id]
    live = [alert for alert in alerts if alert.state is not AlertState.CLOSED]
    return [
        Step(
            enrolment_id=enrolment_id,
            change=Change(
                what=ChangeWhat.WITHDRAWN,
                reason="the enrolment was taken back",
                tell=True,
                alert=alert,
                urgency=alert.urgency,
            ),
        )
        for alert in live
    ]


def decided(
    found: Review,
    alerts: Sequence[Alert],
    rulebook: RuleBook,
    book: RouteBook,
    now: datetime,
    zone: ZoneInfo,
) -> Decision:
    """What a review of one enrolment changes of its alerts, and whom it tells."""
    enrolment = found.case.enrolment
    protocol = rulebook.protocols[enrolment.protocol_id]

    def ladder_of(kind: Kind, urgency: Urgency, at: datetime) -> Ladder:
        return book.ladder(
            at, clinic=enrolment.clinic, drug=enrolment.drug, kind=kind.value, urgency=urgency
        )

    alerts = as_apart(alerts)
    changes = reconcile(found, alerts, protocol, rulebook.catalogue, now, zone)
    return climb(changes, alerts, protocol, ladder_of, now)


def _decide(
    found: Review,
    alerts: Sequence[Alert],
    rulebook: RuleBook,
    book: RouteBook,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[list[Step], Decision]:
    protocol = rulebook.protocols[found.case.enrolment.protocol_id]
    catalogue = rulebook.catalogue
    decision = decided(found, alerts, rulebook, book, now, zone)
    steps = []
    for change in decision.changes:
        finding = change.finding
        steps.append(
            Step(
                enrolment_id=found.case.enrolment.id,
                change=change,
                shown=evidence(finding, found, protocol, catalogue) if finding else None,
                content=shown_of(finding, found, catalogue) if finding else "",
                protocol_digest=protocol.digest,
            )
        )
    return steps, decision


def _queue_messages(
    connection: Connection,
    settings: Settings,
    enrolments: Sequence[Enrolment],
    steps: Sequence[Step],
    alert_ids: Sequence[int],
    now: datetime,
) -> int:
    by_id = {enrolment.id: enrolment for enrolment in enrolments}
    telling = [it for it in zip(steps, alert_ids, strict=True) if it[0].change.tell]
    before = _told_before(connection, telling)
    told = [
        _told(step, alert_id, by_id[step.enrolment_id], before.get(alert_id, ()))
        for step, alert_id in telling
    ]
    planned = plan([*told, *_not_void(connection, told)])
    for trouble in route_book(settings).troubles(now) if planned else ():
        text = f"{trouble}. Alerts go to the next tier meanwhile. See: monitor routes check"
        alarm(connection, settings, f"routes: {trouble}", text, now)
    zone, sender = settings.clinic.zone, settings.mail.sender
    quiet = settings.quiet
    storm = Storm(quiet.storm_from, quiet.storm_window.span, quiet.storm_wait.span)
    return enqueue(connection, planned, now, zone=zone, sender=sender, storm=storm)


def _not_void(connection: Connection, told: Sequence[Told]) -> Iterator[Told]:
    """Of what is opened again by a correction, who heard that it is withdrawn."""
    void = {alert for it in told for alert in it.change.void}
    heard = told_recipients(connection, void, kinds=("withdrawal",)) if void else {}
    for it in told:
        readers = [reader for alert in it.change.void for reader in heard[alert]]
        if readers:
            change = replace(it.change, what=ChangeWhat.UPDATED, reason=_STANDS)
            yield replace(it, change=change, told_before=tuple(readers))


def _told(step: Step, alert_id: int, enrolment: Enrolment, before: Sequence[str]) -> Told:
    change = step.change
    about = change.finding or change.alert
    assert about is not None
    return Told(
        change=change,
        alert_id=alert_id,
        kind=about.kind.value,
        urgency=change.urgency,
        mrn=enrolment.mrn,
        told_before=tuple(before),
    )


def _tally(steps: Sequence[Step], alert_ids: Sequence[int]) -> Tally:
    """Alerts counted once each, by the weightiest thing that happened to them."""
    kinds = dict.fromkeys(alert_ids, "reminded")
    for alert_id, step in zip(alert_ids, steps, strict=True):
        what = step.change.what
        if what in _OPENED:
            kinds[alert_id] = "opened"
        elif what in ENDINGS:
            kinds[alert_id] = "closed"
        elif what not in _SAID_AGAIN and kinds[alert_id] == "reminded":
            kinds[alert_id] = "updated"
    counts = Counter(kinds.values())
    changed = {it.enrolment_id for it in steps if it.change.what not in AS_IT_STANDS}
    return Tally(
        opened=counts["opened"],
        updated=counts["updated"],
        reminded=counts["reminded"],
        closed=counts["closed"],
        changed=sorted(changed),
    )


def _set_aside(
    connection: Connection, settings: Settings, failures: Sequence[Failed], now: datetime
) -> None:
    """Say loudly, once a fault a day, who could not be judged."""
    by_fault: dict[str, list[int]] = defaultdict(list)
    for failed in failures:
        by_fault[failed.where].append(failed.enrolment_id)
    for where, ids in by_fault.items():
        _log().error("enrolments set aside", count=len(ids), first=ids[0], where=where)
        text = (
            f"{len(ids)} enrolments could not be judged and are not being watched: {some(ids)}. "
            f"They are tried again every hour. The fault: {where}"
        )
        alarm(connection, settings, f"review failed: {where}", text, now)


def alarm(connection: Connection, settings: Settings, topic: str, text: str, now: datetime) -> None:
    operator_alarm(connection, topic, text, settings.clinic.email, now, settings.clinic.zone)


def some(ids: Sequence[int]) -> str:
    shown = ", ".join(str(enrolment) for enrolment in ids[:20])
    return f"{shown} and {len(ids) - 20} more" if len(ids) > 20 else shown


def _log() -> Any:
    return logs.logger("review")


def _told_before(
    connection: Connection, told: Sequence[tuple[Step, int]]
) -> Mapping[int, Sequence[str]]:
    """Of alerts that end or are corrected, who hears of it because they heard of the alert."""
    ending = {alert_id for step, alert_id in told if step.change.what in ENDINGS}
    correcting = {alert_id for step, alert_id in told if step.change.what in CORRECTING} - ending
    return {
        **told_recipients(connection, ending),
        **told_recipients(connection, correcting, kinds=("alert",)),
    }
