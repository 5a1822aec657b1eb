"""What must hold of who was told what and when, said again in the plainest way there is.

Nothing here knows how the program reckons: hours are walked one by one, and what a reader knows is
what the messages said. Sources: specification, sections 7 and 9; ADR 27 to 34 and 47;
`docs/choices/routes.md`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.operations.verify import verify
from monitor.store import tables
from tests.property.telling_dangers import Danger, dangers, dead, muted_by
from tests.property.telling_hours import told_by
from tests.property.telling_plan import LAST_RESORT
from tests.property.telling_world import World

RANK = {"routine": 0, "urgent": 1, "critical": 2}
OUTCOME_WITHIN = timedelta(hours=4)
PUT_TO_PEOPLE = {"opened", "worse", "relapsed", "reopened", "acknowledgement expired",
                 "snooze expired", "no longer muted", "outcome missing"}  # fmt: skip
CLIMBS = {"escalated", "outcome missing"}
CORRECTS = {"updated", "stands again", "closed", "withdrawn", "merged"}
PROTOCOL_EDITED = "protocol edited"
BY_A_CALL = ("called", "declines")
Rows = dict[int, Any]


def muted(alerts: Rows, by: dict[str, list[str]]) -> set[int]:
    """Alerts for which a graver one of the same patient speaks."""
    live = [it for it in alerts.values() if it.state != "closed"]
    grave = [
        it
        for it in live
        if it.kind in ("withhold", "discontinue", "dose_check")
        and not (it.recovered or it.snoozed_until)
    ]
    return {
        alert.id
        for alert in live
        for name in by.get(alert.cause, [])
        for it in grave
        if alert.urgency != "critical"
        and it.enrolment_id == alert.enrolment_id
        and it.cause == (name if ":" in name else f"rule:{name}")
        and RANK[it.urgency] >= RANK[alert.urgency]
    }


def asks(alert: Any) -> bool:
    """Whether it waits for somebody to take it in hand."""
    return alert.state == "open" and not alert.recovered and alert.snoozed_until is None


@dataclass(frozen=True)
class Told:
    """A line of a message, and when it came into it."""

    at: datetime
    delivery: int
    to: str
    kind: str
    alert: int
    what: str
    reason: str
    passed_on: bool

    @property
    def by_a_call(self) -> bool:
        """The next tier is told at once, for the patient was not reached or declined."""
        return any(it in self.reason for it in BY_A_CALL)


class Oracle:
    """Looks over the shoulder of a world after every look; `broken` are the promises that were."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broken: list[str] = []
        self.lines: list[Told] = []
        self.said: dict[tuple[int, int], tuple[str, str]] = {}
        self.before: Rows = {}
        self.muted_before: set[int] = set()
        self.pictures: dict[tuple[str, int], Any] = {}
        """What each reader was last shown of each alert."""
        self.history = 0
        self.edited_at: datetime | None = None
        self.plan = world.plan
        self.asking: dict[int, datetime] = {}
        """Since when each alert has waited for somebody, or for an outcome, without a break."""
        self.new_in: dict[tuple[str, int], int] = {}
        self.read: set[int] = set()
        self.since: dict[Danger, datetime] = {}

    def wrong(self, text: str) -> None:
        """A promise is broken."""
        self.broken.append(f"{self.world.local:%a %d %b %H:%M:%S} {text}")
        self.world.note(f"*** {text}")

    def look(self) -> None:
        """Compare what stands with what must."""
        clinic = self.world.clinic
        self.alerts: Rows = {it.id: it for it in clinic.rows(tables.AlertRow)}
        self.deliveries: Rows = {it.id: it for it in clinic.rows(tables.Delivery)}
        self.muted = muted(self.alerts, muted_by(self.world.protocol))
        self.dead = dead(clinic)
        self.new = self._new_lines()
        history = [it for it in clinic.rows(tables.AlertHistory) if it.id > self.history]
        self.history = max([self.history, *(it.id for it in history)])
        self.whats: dict[int, set[str]] = defaultdict(set)
        for entry in history:
            self.whats[entry.alert_id].add(entry.what)
        if self.world.plan is not self.plan:
            self.plan, self.edited_at = self.world.plan, self.world.now
        for alert in self.alerts.values():
            self._put_to_people(alert)
            self._picture(alert)
        self._lines()
        self._outbox()
        for row in self.deliveries.values():
            own = row.kind == "digest" and row.once_key.startswith("digest:")
            if own and row.id not in self.read:
                self.read.add(row.id)
                self._digest(row)
        found = [*dangers(clinic, self.world.protocol, self.world.local.date())]
        self.since = {it: self.since.get(it, self.world.now) for it in found}
        for danger, since in self.since.items():
            if self.world.daemons is None or self.world.now > since + self.world.slack:
                self._known(danger)
        self.before, self.muted_before = self.alerts, self.muted
        self.world.takes_back = self.world.daemons is not None

    def _known(self, danger: Danger) -> None:
        """A count that is dangerous now has an alert as grave, or was answered by a person."""
        own = [it for it in self.alerts.values() if (it.enrolment_id, it.cause) ==
               (danger.enrolment, f"rule:{danger.rule}") and it.level >= danger.level]  # fmt: skip
        today = self.world.local.date()
        live = [it for it in own if it.state != "closed" and not it.recovered]
        answered = [it for it in own if it.closed_by and it.review_by and it.review_by > today]
        if danger.enrolment in self.dead or answered:
            return
        if not any(RANK[it.urgency] >= RANK[danger.urgency] for it in live):
            self.wrong(f"nobody knows: {danger}")

    def _new_lines(self) -> list[Told]:
        found = []
        for bear in self.world.clinic.rows(tables.DeliveryAlert):
            key, said = (bear.delivery_id, bear.alert_id), (bear.what, bear.reason)
            if self.said.get(key) == said:
                continue
            self.said[key] = said
            row = self.deliveries[bear.delivery_id]
            passed_on = row.once_key.startswith("passed-on:")
            line = Told(self.world.now, row.id, row.recipient.lower(), row.kind, bear.alert_id,
                        bear.what, bear.reason, passed_on)  # fmt: skip
            self.world.note(f"    {line.kind} {line.delivery} to {line.to}: {line.alert} {said}")
            found.append(line)
        self.lines += found
        return found

    def _put_to_people(self, alert: Any) -> None:
        """Whoever is to hear of an alert heard of it in time, tier by tier, and of a critical one
        that somebody has too, where no outcome came."""
        now, was, whats = self.world.now, self.before.get(alert.id), self.whats[alert.id]
        asked, label = alert.asked_at, f"alert {alert.id} ({alert.cause}, {alert.urgency})"
        if was is not None and asked not in (None, was.asked_at) and not whats & PUT_TO_PEOPLE:
            self.wrong(f"{label}: its ladder began anew for {whats}")
        rests = alert.recovered or alert.state == "closed" or alert.snoozed_until
        if rests or alert.id in self.muted:
            self.asking.pop(alert.id, None)
            return
        if alert.state == "acknowledged":
            if alert.urgency != "critical" or alert.outcome_at is not None:
                self.asking.pop(alert.id, None)
            if alert.urgency == "critical" and alert.outcome_at is None:
                self.asking.setdefault(alert.id, now)
                self._ladder(alert, alert.acknowledged_at + OUTCOME_WITHIN, f"{label}, no outcome")
            return
        self.asking.setdefault(alert.id, now)
        if asked is None:
            self.wrong(f"{label}: asks, and was put to nobody")
            return
        begins = was is None or was.state != "open" or was.snoozed_until is not None
        if begins and asked != now and alert.contact_outcome != "declined":
            self.wrong(f"{label}: asks again, and was put to people at {asked}")
        if was is not None and RANK[alert.urgency] > RANK[was.urgency] and asked != now:
            self.wrong(f"{label}: graver now, and was put to people at {asked}")
        self._ladder(alert, asked, label)

    def _ladder(self, alert: Any, asked: datetime, label: str) -> None:
        for who, at in told_by(self.plan, alert.urgency, alert.kind, asked).items():
            told = [it.at for it in self.lines if (it.alert, it.to, it.kind) ==
                    (alert.id, who, "alert") and it.at >= asked]  # fmt: skip
            edited = self.edited_at or at  # whom edited routes add hears of what stands, at once
            late = max(at, edited, self.asking[alert.id]) + self.world.slack
            if at + self.world.slack > self.world.now + timedelta(seconds=1):
                continue
            if not told:
                self.wrong(f"{label}: {who} should have been told at {at}")
            elif min(told) > late and not self.world.sleeps and alert.contact_outcome != "declined":
                self.wrong(f"{label}: {who} should have been told at {at}, not at {min(told)}")

    def _lines(self) -> None:
        """Nobody is told twice at once, nor of what is muted or of the dead; a critical alert
        stands alone."""
        seen: dict[tuple[str, int], int] = defaultdict(int)
        for line in (it for it in self.new if it.kind != "digest"):
            alert = self.alerts[line.alert]
            if alert.enrolment_id in self.dead:
                self.wrong(f"told of the dead: {line}")
            apart = line.passed_on or line.by_a_call
            if line.what in CLIMBS and not apart:
                self._climbs(line, alert)
            seen[line.to, line.alert] += not apart
            silent = line.alert in self.muted and line.what not in CORRECTS
            if silent and line.kind == "alert" and not apart:
                self.wrong(f"told although it is muted: {line}")
            others = {it.alert for it in self.lines if it.delivery == line.delivery}
            alone = line.kind == "alert" and self.deliveries[line.delivery].urgency == "critical"
            if alone and len(others) > 1:
                self.wrong(f"a critical alert with others: {line}")
        for (who, alert_id), times in seen.items():
            if times > 1:
                self.wrong(f"{who} is told of {alert_id} {times} times at once")

    def _climbs(self, line: Told, alert: Any) -> None:
        """Nobody is told as another tier of what they heard since it was put to people."""
        since = alert.asked_at
        knew = [
            it
            for it in self.lines
            if (it.to, it.alert, it.kind) == (line.to, line.alert, "alert")
            and since <= it.at < line.at
            and not (it.at == since and it.what in CORRECTS)  # told beside those who were asked
        ]
        again = any(it.reason.endswith("told again") for it in [line, *knew])
        again |= self.edited_at == line.at and line.at - since > OUTCOME_WITHIN  # its end, anew
        if knew and not again and not self.world.sleeps:
            self.wrong(f"told although they knew: {line}")

    def _picture(self, alert: Any) -> None:
        """Who was told of an alert hears that it was withdrawn, or is milder than they know."""
        mine = [it for it in self.lines if it.alert == alert.id and self._arrives(it)]
        now = {it.to for it in self.new if it.alert == alert.id and it.kind != "digest"}
        void = "withdrawn" in self.whats[alert.id]
        if void and not self.world.takes_back:
            self.wrong(f"alert {alert.id} ({alert.cause}) is withdrawn, and nothing was taken back")
        was = self.before.get(alert.id)
        ends = was is not None and was.state != "closed" and alert.outcome == PROTOCOL_EDITED
        if void or (ends and alert.state == "closed"):
            for who in sorted({it.to for it in mine if it.at < self.world.now} - now):
                self.wrong(f"alert {alert.id} ends, and {who} does not hear of it")
        if was is None and self.before and alert.id not in self.muted:
            for who in sorted(self._told_void(alert) - now):
                self.wrong(f"{who} was told that {alert.id} ({alert.rule}) is void")
        known = {it.to for it in mine if it.kind == "alert"}
        waits = alert.state != "closed" or (alert.closed_by and alert.review_by)
        dead = alert.enrolment_id in self.dead
        for who in known if waits and alert.breaches and not dead else ():
            shown = self.pictures.get((who, alert.id))
            if shown is not None and who not in now and _milder(alert, shown):
                self.wrong(f"{who} knows of {alert.id} ({alert.rule}) level {shown.level}, "
                           f"{shown.worst_value}; it is {alert.level}, {alert.worst_value}")  # fmt: skip
            if shown is not None and who not in now and _corrected_worse(alert, shown):
                self.wrong(f"{who} knows of {alert.id} ({alert.rule}) {shown.worst_value}; by a "
                           f"correction it is {alert.worst_value}")  # fmt: skip
        for line in (it for it in self.new if it.alert == alert.id and it.kind == "alert"):
            self.pictures[line.to, alert.id] = alert

    def _told_void(self, alert: Any) -> set[str]:
        """Who knows that a breach of a new alert never was."""
        ended = [it.id for it in self.before.values() if it.state == "closed" and not it.closed_by
                 and (it.enrolment_id, it.cause) == (alert.enrolment_id, alert.cause)
                 and set(it.breaches) & set(alert.breaches)]  # fmt: skip
        return {it.to for it in self.lines if it.alert in ended and it.kind == "withdrawal"
                and self._arrives(it)}  # fmt: skip

    def _arrives(self, line: Told) -> bool:
        row = self.deliveries.get(line.delivery)
        return row is not None and row.state != "failed"

    def _outbox(self) -> None:
        """What is owed is tried in time; what is refused goes on to somebody else, whole."""
        now = self.world.now
        for row in self.deliveries.values():
            by = row.next_attempt_at + self.world.slack - timedelta(seconds=1)
            late = row.state == "waiting" and by <= now
            if late and not self.world.mail.down:
                self.wrong(f"message {row.id} to {row.recipient} was due, and was not tried")
            if row.state == "waiting" and row.next_attempt_at > now + timedelta(minutes=16):
                self.wrong(f"message {row.id} waits until {row.next_attempt_at}")
            if row.state == "failed" and row.recipient != LAST_RESORT:
                self._went_on(row)

    def _went_on(self, row: Any) -> None:
        """But for lines about the dead."""
        bore = {it.alert for it in self.lines if it.delivery == row.id}
        living = {it for it in bore if self.alerts[it].enrolment_id not in self.dead}
        next_ones = {it.id for it in self.deliveries.values()
                     if it.once_key.startswith(f"passed-on:{row.id}:")}  # fmt: skip
        lost = living - {it.alert for it in self.lines if it.delivery in next_ones}
        if lost or (not next_ones and (living or not bore)):
            self.wrong(f"message {row.id} to {row.recipient} was refused, and {lost} are lost")

    def _digest(self, row: Any) -> None:
        """Every live alert stands in it once, and as new in the first one of each reader."""
        reader = row.recipient.lower() + row.once_key.partition(":last-resort")[1]
        content, named = row.payload["content"], list[int]()
        for section in ("new", "still_open", "recovered", "in_hand"):
            ids = [it for line in content[section] for it in line["alert_ids"]]
            named += ids
            for alert_id in ids if section == "new" else ():
                if self.new_in.setdefault((reader, alert_id), row.id) != row.id:
                    self.wrong(f"digest {row.id} to {reader} calls {alert_id} new again")
        live = {it.id for it in self.alerts.values()
                if it.state != "closed" and it.enrolment_id not in self.dead}  # fmt: skip
        if len(named) != len(set(named)):
            self.wrong(f"digest {row.id} to {reader} names an alert twice: {named}")
        if (
            self.world.daemons is None
            and not reader.endswith(":last-resort")
            and set(named) != live
        ):
            self.wrong(f"digest {row.id} to {reader} names {named}, and {live} are live")

    def end(self) -> None:
        """Once everything is taken again, nothing is owed but what a storm still gathers."""
        for text in self.world.daemons.wrong() if self.world.daemons is not None else ():
            self.wrong(text)
        clinic = self.world.clinic
        for it in verify(clinic.store, clinic.settings, self.world.now):
            if "whether a result stands" not in str(it):  # the world takes values back by hand
                self.wrong(f"reckoned anew: {it}")
        for row in clinic.rows(tables.Delivery, state="waiting"):
            late = row.created_at + self.world.slack < self.world.now or not self.world.daemons
            if late and not row.payload.get("storm"):
                self.wrong(f"message {row.id} to {row.recipient} is never sent")


def _corrected_worse(alert: Any, shown: Any) -> bool:
    """The value that was told is a worse one now, at a further level."""
    at = alert.shown["collected_at"]
    same = at is not None and at == shown.shown["collected_at"]
    edited = alert.protocol_digest != shown.protocol_digest
    return bool(same and not edited and alert.level > shown.level)


def _milder(alert: Any, shown: Any) -> bool:
    if alert.protocol_digest != shown.protocol_digest:
        return RANK[alert.urgency] < RANK[shown.urgency]
    if alert.level != shown.level or None in (alert.worst_value, shown.worst_value):
        return bool(alert.level < shown.level)
    up, down = alert.worst_value > shown.worst_value, alert.worst_value < shown.worst_value
    return bool(up if alert.downward else down)
