"""A clinic whose days are drawn at random: results, corrections, events, what people do with
alerts, addresses that refuse, routes that are edited; woken whenever it asked to be.

The program is the real one, from the review to the outbox; only the mail server is a stand-in,
behind the same `Channel` that every way out has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from monitor.config import Settings, read_settings
from monitor.core.actions import ActionRefused
from monitor.delivery.channels.letter import Channel, Letter, NotSent, Turn
from monitor.delivery.channels.ways import Ways
from monitor.delivery.send import deliver_due
from monitor.operations import people
from monitor.operations.digests import compose_digests
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import Clinic

ZONE = ZoneInfo("Europe/London")
LAST_RESORT = "office@hill.example"
FIRST_DAY = date(2026, 3, 2)
ROLES = {
    "nurses": ("nurse@hill.example", "nurse2@hill.example"),
    "doctor": ("doctor@hill.example",),
    "on_call": ("call@hill.example",),
    "lead": ("lead@hill.example",),
}
CALM = {"hemoglobin": "140", "white_cells": "6.0", "neutrophils": "4.0", "lymphocytes": "1.5",
        "platelets": "250"}  # fmt: skip
VALUES = {
    "neutrophils": ("4.0", "2.2", "1.55", "1.4", "1.2", "0.95", "0.8", "0.4", "0.3"),
    "white_cells": ("6.0", "3.4", "3.1", "2.9", "2.4", "1.9", "1.4"),
    "lymphocytes": ("1.5", "0.55", "0.45", "0.4", "0.3", "0.19"),
    "platelets": ("250", "145", "135", "110", "90", "45"),
    "alt": ("20", "90", "110", "150", "260", "500"),
    "hemoglobin": ("140", "95", "85", "75"),
}


@dataclass(frozen=True)
class Plan:
    """The routes of a config, as the oracle reads them too."""

    tiers: tuple[tuple[str, ...], ...]
    """Roles, tier by tier, of the one route that hears of everything."""
    out_of_hours: tuple[tuple[str, ...], ...]
    """Those of a second route, that hears of what comes outside the working hours ..."""
    instead: bool
    """... instead of the first one, which then hears only of what comes in them."""
    always: frozenset[str]
    """Roles that are on duty at any hour; the others in the clinic's."""
    critical: tuple[int, ...]
    """Minutes until the second tier, the third ..."""
    urgent_hours: int
    """Working hours until the next tier of an urgent alert."""
    digest_at: str
    storm_from: int

    def text(self) -> str:
        """The config file."""
        first = f'digest_at = "{self.digest_at}"' + ('\nhours = "open"' if self.instead else "")
        routes = [_route(self.tiers, first)]
        if self.out_of_hours:
            routes.append(_route(self.out_of_hours, 'hours = "closed"\ndigest = false'))
        roles = [
            f"[recipients.{name}]\naddresses = {list(addresses)}\n"
            + ('hours = "always"\n' if name in self.always else "")
            for name, addresses in ROLES.items()
        ]
        waits = ", ".join(f'"{minutes} minutes"' for minutes in self.critical)
        return "\n".join(
            [
                f'[clinic]\ntimezone = "{ZONE.key}"\nemail = "{LAST_RESORT}"',
                'hours = "08:00-18:00"\nholidays = ["2026-03-17"]',
                *roles,
                *routes,
                f"[escalation]\ncritical_next_tier = [{waits}]",
                f'urgent_next_tier = ["{self.urgent_hours} working hours"]',
                f"[quiet]\nstorm_from = {self.storm_from}",
            ]
        )


def _route(tiers: tuple[tuple[str, ...], ...], more: str) -> str:
    then = [list(tier) for tier in tiers[1:]]
    return f"[[routes]]\nto = {list(tiers[0])}\nthen = {then}\n{more}\n"


def draw_plan(luck: Random) -> Plan:
    """Routes of a small clinic."""
    names = list(ROLES)
    luck.shuffle(names)
    cuts = luck.randint(1, 3)
    tiers = [tuple(names[:2]) if luck.random() < 0.3 else (names[0],)]
    tiers += [(name,) for name in names[len(tiers[0]) : len(tiers[0]) + cuts]]
    other = tuple((name,) for name in luck.sample(names, 2)) if luck.random() < 0.4 else ()
    return Plan(
        tiers=tuple(tiers),
        out_of_hours=other,
        instead=bool(other) and luck.random() < 0.6,
        always=frozenset(name for name in names if luck.random() < 0.4),
        critical=luck.choice([(30, 60), (30,), (20, 45, 90)]),
        urgent_hours=luck.choice([4, 2, 9]),
        digest_at=luck.choice(["07:30", "09:00"]),
        storm_from=luck.choice([2, 3, 25]),
    )


@dataclass
class Mail:
    """How the other side answers."""

    refuses: set[str] = field(default_factory=set)
    """Addresses that it does not take, for good."""
    busy: set[str] = field(default_factory=set)
    """Addresses that are to be tried again later, `tries` times."""
    tries: int = 4
    down: bool = False

    def ways(self, store: Store, settings: Settings, now: datetime) -> Ways:
        return _ByHand(store, settings, now, self)


class _ByHand(Ways):
    def __init__(self, store: Store, settings: Settings, now: datetime, mail: Mail) -> None:
        super().__init__(store, settings, now)
        self._mail = mail

    def _opened(self, _name: str) -> Channel:
        return _Box(self._mail)


@dataclass(frozen=True)
class _Box:
    mail: Mail

    async def send(self, letter: Letter, turn: Turn) -> str:
        to = letter.message.recipient
        if self.mail.down:
            raise NotSent("451 not now", whole=True)
        if to.lower() in self.mail.refuses:
            raise NotSent("550 no such user", permanent=True)
        if to.lower() in self.mail.busy and letter.message.attempts < self.mail.tries:
            raise NotSent("450 busy")
        await turn()
        return "250 taken"

    async def close(self) -> None:
        return None


class World:
    """One history. `log` says what happened, for whoever reads a failure."""

    def __init__(self, store: Store, folder: Path, luck: Random) -> None:
        self.luck = luck
        self.folder = folder
        self.edits = luck.random() < 0.3
        self.sleeps = luck.random() < 0.3
        """Nobody wakes it between one act and the next, as where a timer of the system does."""
        self.plan = draw_plan(luck)
        self.mail = Mail()
        self.clinic = Clinic(store, self._settings())
        self.now = datetime.combine(FIRST_DAY, time(7), ZONE).astimezone(UTC)
        self.log = [str(self.plan), f"sleeps: {self.sleeps}"]
        self.enrolments: dict[str, int] = {}
        self.dead: set[str] = set()
        for number in range(luck.choice([1, 1, 2, 3])):
            mrn = f"A{number + 1}"
            self.enrolments[mrn] = self.clinic.enrol(mrn, "2026-02-26", now=self.now)
            self.clinic.results(mrn, "2026-02-26", CALM | {"bilirubin": "10", "alt": "20"},
                                received_at=self.now)  # fmt: skip
        self.look()

    def _settings(self) -> Settings:
        return read_settings(self.plan.text(), self.folder / "config.toml", {})

    @property
    def local(self) -> datetime:
        return self.now.astimezone(ZONE)

    def look(self) -> None:
        """What the daemon does when it is woken."""
        clinic = self.clinic
        tally = clinic.review(self.now)
        assert not tally.failed, "an enrolment could not be judged"
        compose_digests(clinic.store, clinic.settings, self.now)
        waiting = clinic.rows(tables.Delivery, state="waiting")
        if any(it.next_attempt_at <= self.now for it in waiting):
            deliver_due(clinic.store, clinic.settings, self.now, who="test", ways=self.mail.ways)

    def wakes(self) -> Iterator[datetime]:
        """When it is to be looked at again."""
        enrolments, deliveries = table_of(tables.EnrolmentRow), table_of(tables.Delivery)
        with self.clinic.store.read() as connection:
            yield from connection.scalars(
                select(enrolments.c.next_review_at).where(enrolments.c.next_review_at.is_not(None))
            )
            waiting = select(deliveries.c.next_attempt_at).where(deliveries.c.state == "waiting")
            soon = self.now + timedelta(minutes=15 if self.mail.down else 0)
            yield from (max(at, soon) for at in connection.scalars(waiting))
        at = time.fromisoformat(self.plan.digest_at)
        today = datetime.combine(self.local.date(), at, ZONE)
        yield today if today > self.now else today + timedelta(days=1)

    def until(self, instant: datetime) -> Iterator[None]:
        """Every look up to an instant, and one there."""
        while True:
            woken = instant if self.sleeps else min(self.wakes())
            self.now = min(max(woken, self.now + timedelta(seconds=1)), instant).astimezone(UTC)
            self.look()
            yield
            if self.now >= instant:
                return

    def act(self) -> None:
        """Something happens."""
        acts = [self.results] * 6 + [self.correct] * 5 + [self.person] * 10 + [self.letters] * 3
        acts += [self.event] * 2 + [self.edit] * self.edits
        try:
            self.luck.choice(acts)()
        except ActionRefused as refused:
            self.note(f"  refused: {refused}")

    def note(self, text: str) -> None:
        self.log.append(f"{self.local:%a %d %b %H:%M:%S} {text}")

    def _someone(self) -> str:
        return self.luck.choice(sorted(self.enrolments))

    def results(self) -> None:
        mrn = self._someone()
        names = self.luck.sample(sorted(VALUES), self.luck.choice([1, 1, 2, 3]))
        values = CALM | {name: self.luck.choice(VALUES[name]) for name in names}
        hours = self.luck.choice([0, 0, 1, 30])
        when = self.now - timedelta(hours=hours)
        self.note(f"{mrn} {values} collected {hours} h ago")
        self.clinic.results(mrn, f"{when.astimezone(ZONE):%Y-%m-%d}", values,
                            collected_at=when, received_at=self.now)  # fmt: skip

    def correct(self) -> None:
        """The laboratory corrects one of the last results, or takes it back."""
        rows = [
            it
            for it in self.clinic.rows(tables.ResultRow, stands=True)
            if it.analyte in VALUES and it.collected_on >= FIRST_DAY
        ]
        odd = [it for it in rows if it.value != Decimal(VALUES[it.analyte][0])]
        rows = odd[-8:] if odd and self.luck.random() < 0.8 else rows[-8:]
        if not rows:
            return
        row = self.luck.choice(rows)
        value = "" if self.luck.random() < 0.2 else self.luck.choice(VALUES[row.analyte])
        (patient,) = self.clinic.rows(tables.Patient, id=row.patient_id)
        self.note(f"{patient.mrn} {row.analyte} {row.value} of {row.collected_at}, now {value}")
        self.clinic.set(tables.ResultRow, row.id, stands=False)
        corrected = {row.analyte: value} if value else {}
        self.clinic.results(patient.mrn, f"{row.collected_on}", corrected, status="corrected",
                            collected_at=row.collected_at, received_at=self.now)  # fmt: skip

    def person(self) -> None:
        alerts = [it for it in self.clinic.rows(tables.AlertRow) if it.state != "closed"]
        if not alerts:
            return
        alert = self.luck.choice(alerts)
        today, luck = self.local.date(), self.luck
        do = luck.choice(["acknowledge", "acknowledge", "snooze", "close", "close", "contact",
                          "contact", "assign"])  # fmt: skip
        by = luck.choice(["Jo", "Ann"]) if alert.acknowledged_by is None else alert.acknowledged_by
        day = today + timedelta(days=luck.choice([1, 1, 2, 4, 7]))
        ways: dict[str, dict[str, Any]] = {
            "acknowledge": {"until": day},
            "snooze": {"until": day, "reason": "on leave"},
            "close": {"outcome": "seen", "review_by": day},
            "contact": {"outcome": luck.choice(["reached", "no_answer", "no_answer", "declined",
                                                "message_left", "appointment_made"])},
            "assign": {"to": "Jo"},
        }  # fmt: skip
        how = ways[do]
        times = 3 if how.get("outcome") == "no_answer" else 1
        for _ in range(times):
            self.note(f"{do} {alert.id} ({alert.rule or alert.kind}) by {by} {how}")
            getattr(people, do)(self.clinic.store, self.clinic.settings, alert.id, by=by,
                                now=self.now, **how)  # fmt: skip

    def letters(self) -> None:
        """The other side changes its mind."""
        addresses = [it for found in ROLES.values() for it in found]
        luck, mail = self.luck, self.mail
        mail.down = luck.random() < 0.15
        mail.refuses = {it for it in addresses if luck.random() < luck.choice([0, 0.3, 0.8])}
        mail.busy = {it for it in [*addresses, LAST_RESORT] if luck.random() < 0.1}
        self.note(f"mail: {mail}")

    def mend(self) -> None:
        """Every address takes its mail again."""
        self.mail.down, self.mail.refuses, self.mail.busy = False, set(), set()

    def event(self) -> None:
        mrn, luck = self._someone(), self.luck
        event, value = luck.choice([
            ("hold", ""), ("resume", ""), ("stop", ""), ("dose", "150"), ("dose", "50"),
            ("symptom", "fever"), ("died", ""), ("inpatient", "2026-03-20"),
            ("comedication_start", "allopurinol"), ("pregnancy", ""),
        ])  # fmt: skip
        if event in ("died", "stop") and luck.random() < 0.5:
            return
        if event == "died":
            self.dead.add(mrn)
        self.note(f"{mrn} {event} {value}")
        self.clinic.event(mrn, f"{self.local:%Y-%m-%d}", event, value, received_at=self.now)

    def edit(self) -> None:
        """Other routes from now on."""
        self.plan = draw_plan(self.luck)
        self.clinic.settings = self._settings()
        self.note(f"routes: {self.plan}")
