"""What must hold of who was told what and when, said again in the plainest way there is.

Nothing here knows how the program reckons: hours are walked one by one, and what a reader knows is
what the messages said. Sources: specification, sections 7 and 9; ADR 27 to 34 and 47;
`docs/choices/routes.md`.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from monitor.resources import schedules_folder
from monitor.store import tables
from tests.property.telling_world import LAST_RESORT, ROLES, ZONE, Plan, World

RANK = {"routine": 0, "urgent": 1, "critical": 2}
HOLIDAY = date(2026, 3, 17)
OUTCOME_WITHIN = timedelta(hours=4)
CLOSED_LONG = timedelta(hours=24)
PUT_TO_PEOPLE = {"opened", "worse", "relapsed", "reopened", "acknowledgement expired",
                 "snooze expired", "no longer muted", "outcome missing"}  # fmt: skip
CORRECTS = {"updated", "stands again", "closed", "withdrawn", "merged"}
BY_A_CALL = ("called", "declines")
PROTOCOL = tomllib.loads((schedules_folder() / "azathioprine.toml").read_text(encoding="utf-8"))
MUTED_BY = {f"rule:{it['id']}": it.get("muted_by", []) for it in PROTOCOL["rules"]}
Rows = dict[int, Any]


@cache
def is_open(instant: datetime) -> bool:
    """Whether the clinic is at work: 08:00 to 18:00 on weekdays but the holiday."""
    local = instant.astimezone(ZONE)
    return local.weekday() < 5 and local.date() != HOLIDAY and 8 <= local.hour < 18


@cache
def next_open(instant: datetime) -> datetime:
    """The instant itself, or the next full hour at which the clinic opens."""
    while not is_open(instant):
        instant = instant.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return instant


@cache
def working(instant: datetime, hours: int) -> datetime:
    """The end of so many working hours, at the end of a day rather than the next morning."""
    instant, left = next_open(instant), timedelta(hours=hours)
    while True:
        evening = instant.astimezone(ZONE).replace(hour=18, minute=0, second=0, microsecond=0)
        if instant + left <= evening:
            return instant + left
        left -= evening - instant
        instant = next_open(evening.astimezone(UTC))


def addresses(tier: tuple[str, ...]) -> list[str]:
    """Of its roles."""
    return [it for role in tier for it in ROLES[role]]


def tiers_of(plan: Plan, at: datetime) -> list[tuple[str, ...]]:
    """Those of every route that hears of an alert of that hour, the first ones together ..."""
    ways = [] if plan.instead and not is_open(at) else [plan.tiers]
    if plan.out_of_hours and not is_open(at):
        ways.append(plan.out_of_hours)
    longest = max(len(way) for way in ways)
    return [tuple(role for way in ways if n < len(way) for role in way[n]) for n in range(longest)]


def instants_of(plan: Plan, urgency: str, asked: datetime, places: int) -> list[datetime]:
    """When each tier is told, and after them the last resort of a critical alert."""
    waits = list(plan.critical)
    while len(waits) < places:
        waits.append(waits[-1] + (waits[-1] - waits[-2] if len(waits) > 1 else waits[-1]))
    found = [asked]
    for place in range(1, places):
        if urgency == "critical":
            found.append(asked + timedelta(minutes=waits[place - 1]))
        elif urgency == "urgent":
            found.append(working(found[-1], plan.urgent_hours))
        else:
            found.append(next_open(asked + timedelta(days=14 * place)))
    return found


def told_by(plan: Plan, urgency: str, kind: str, asked: datetime) -> dict[str, datetime]:
    """By when each address must have been told of an alert that nobody takes in hand. Of what is
    routine the first tier reads in its digest."""
    tiers = tiers_of(plan, asked)[: 1 if kind == "task_due" else None]
    instants = instants_of(plan, urgency, asked, len(tiers) + (urgency == "critical"))
    found: dict[str, datetime] = {}
    for place, tier in enumerate(tiers):
        at = instants[place]
        told = addresses(tier)
        closed_long = urgency == "urgent" and next_open(at) - at > CLOSED_LONG
        if (urgency == "critical" or closed_long) and not _anybody(plan, tier, at):
            later = (it for it in tiers[place + 1 :] if _anybody(plan, it, at))
            told += addresses(next(later, ()))
        for address in told:
            found[address] = min(at, found.get(address, at))
    if urgency == "critical":
        found.setdefault(LAST_RESORT, instants[-1])
    return {who: at for who, at in found.items() if urgency != "routine" or at > asked}


def _anybody(plan: Plan, tier: tuple[str, ...], at: datetime) -> bool:
    return any(role in plan.always or is_open(at) for role in tier)


def muted(alerts: Rows) -> set[int]:
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
        for name in MUTED_BY.get(alert.cause, [])
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

    def wrong(self, text: str) -> None:
        """A promise is broken."""
        self.broken.append(f"{self.world.local:%a %d %b %H:%M:%S} {text}")
        self.world.note(f"*** {text}")

    def look(self) -> None:
        """Compare what stands with what must."""
        clinic = self.world.clinic
        self.alerts: Rows = {it.id: it for it in clinic.rows(tables.AlertRow)}
        self.deliveries: Rows = {it.id: it for it in clinic.rows(tables.Delivery)}
        self.muted = muted(self.alerts)
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
        self.before, self.muted_before = self.alerts, self.muted

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
        if self.edited_at is not None and self.edited_at >= asked:
            return  # whom edited routes tell of what stood before, nothing says
        for who, at in told_by(self.plan, alert.urgency, alert.kind, asked).items():
            told = [it.at for it in self.lines if (it.alert, it.to, it.kind) ==
                    (alert.id, who, "alert") and it.at >= asked]  # fmt: skip
            late = max(at, self.asking[alert.id]) + timedelta(seconds=1)
            if at > self.world.now:
                continue
            if not told:
                self.wrong(f"{label}: {who} should have been told at {at}")
            elif min(told) > late and not self.world.sleeps and alert.contact_outcome != "declined":
                self.wrong(f"{label}: {who} should have been told at {at}, not at {min(told)}")

    def _lines(self) -> None:
        """Nobody is told twice at once, nor of what is muted or of the dead; a critical alert
        stands alone."""
        dead = {self.world.enrolments[it] for it in self.world.dead}
        seen: dict[tuple[str, int], int] = defaultdict(int)
        for line in (it for it in self.new if it.kind != "digest"):
            alert = self.alerts[line.alert]
            if alert.enrolment_id in dead:
                self.wrong(f"told of the dead: {line}")
            apart = line.passed_on or line.by_a_call
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

    def _picture(self, alert: Any) -> None:
        """Who was told of an alert hears that it was withdrawn, or is milder than they know."""
        mine = [it for it in self.lines if it.alert == alert.id and self._arrives(it)]
        now = {it.to for it in self.new if it.alert == alert.id and it.kind != "digest"}
        if "withdrawn" in self.whats[alert.id]:
            for who in sorted({it.to for it in mine if it.at < self.world.now} - now):
                self.wrong(f"alert {alert.id} is withdrawn, and {who} does not hear of it")
        known = {it.to for it in mine if it.kind == "alert"}
        waits = alert.state != "closed" or (alert.closed_by and alert.review_by)
        dead = alert.enrolment_id in {self.world.enrolments[it] for it in self.world.dead}
        for who in known if waits and alert.breaches and not dead else ():
            shown = self.pictures.get((who, alert.id))
            if shown is not None and who not in now and _milder(alert, shown):
                self.wrong(f"{who} knows of {alert.id} ({alert.rule}) level {shown.level}, "
                           f"{shown.worst_value}; it is {alert.level}, {alert.worst_value}")  # fmt: skip
        for line in (it for it in self.new if it.alert == alert.id and it.kind == "alert"):
            self.pictures[line.to, alert.id] = alert

    def _arrives(self, line: Told) -> bool:
        row = self.deliveries.get(line.delivery)
        return row is not None and row.state != "failed"

    def _outbox(self) -> None:
        """What is owed is tried in time; what is refused goes on to somebody else, whole."""
        now = self.world.now
        for row in self.deliveries.values():
            late = row.state == "waiting" and row.next_attempt_at <= now
            if late and not self.world.mail.down:
                self.wrong(f"message {row.id} to {row.recipient} was due, and was not tried")
            if row.state == "waiting" and row.next_attempt_at > now + timedelta(minutes=16):
                self.wrong(f"message {row.id} waits until {row.next_attempt_at}")
            if row.state == "failed" and row.recipient != LAST_RESORT:
                self._went_on(row)

    def _went_on(self, row: Any) -> None:
        """But for lines about the dead."""
        dead = {self.world.enrolments[it] for it in self.world.dead}
        bore = {it.alert for it in self.lines if it.delivery == row.id}
        living = {it for it in bore if self.alerts[it].enrolment_id not in dead}
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
        dead = {self.world.enrolments[it] for it in self.world.dead}
        live = {it.id for it in self.alerts.values()
                if it.state != "closed" and it.enrolment_id not in dead}  # fmt: skip
        if len(named) != len(set(named)):
            self.wrong(f"digest {row.id} to {reader} names an alert twice: {named}")
        if not reader.endswith(":last-resort") and set(named) != live:
            self.wrong(f"digest {row.id} to {reader} names {named}, and {live} are live")

    def end(self) -> None:
        """Once everything is taken again, nothing is owed but what a storm still gathers."""
        for row in self.world.clinic.rows(tables.Delivery, state="waiting"):
            if not row.payload.get("storm"):
                self.wrong(f"message {row.id} to {row.recipient} is never sent")


def _milder(alert: Any, shown: Any) -> bool:
    if alert.level != shown.level or None in (alert.worst_value, shown.worst_value):
        return bool(alert.level < shown.level)
    up, down = alert.worst_value > shown.worst_value, alert.worst_value < shown.worst_value
    return bool(up if alert.downward else down)
