"""A small clinic whose weeks are drawn at random and whose mails are kept as a mail server took them,
each with what was true when it went out: for whoever asks whether they say it.

Files, reviews, digests and the outbox are the program's; only the clock is a stand-in.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from monitor.config import read_settings
from monitor.core.actions import ActionRefused
from monitor.delivery.send import deliver_due
from monitor.operations import arrivals, people
from monitor.operations.digests import compose_digests
from monitor.operations.schedules import adopt
from monitor.operations.status import status_rows
from monitor.resources import schedules_folder
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.readings import whole_results
from monitor.store.tables import table_of
from tests.mail_world import Mood

READERS = {
    f"{privacy}-{locale}@hill.example": (privacy, locale)
    for privacy in ("full", "minimal")
    for locale in ("en", "de")
}
PEOPLE = (
    ("Keller", "Annabel", date(1970, 5, 1)),
    ('O\'Brien "Bo"', "Zoltan", date(1981, 2, 11)),
    ("<b>Müller</b> & Söhne", "Jürgen", None),
    ("הכהן", "אברהם", date(1954, 12, 14)),
    ("Langenhoven-" * 8 + "Ende", "Maximiliana", date(1991, 1, 30)),
)
NOTE = "Peter called; neutrophils 0.3 (again)"
ZONES = ("Europe/Zurich", "Pacific/Auckland", "America/St_Johns", "Asia/Kolkata")
STARTS = (date(2026, 3, 26), date(2026, 10, 22), date(2026, 12, 28))
"""Clocks go on, clocks go back, the year ends."""
CALM = {"hemoglobin": "136", "white_cells": "6.0", "neutrophils": "4.0", "lymphocytes": "1.5",
        "platelets": "250"}  # fmt: skip
ODD = {
    "hemoglobin": ("97", "75"),
    "white_cells": ("3.4", "1.9"),
    "neutrophils": ("1.55", "0.95", "0.4", "0.499"),
    "lymphocytes": ("0.45", "0.19"),
    "platelets": ("135", "45"),
}
UNIT = {"hemoglobin": "g/L"}
RESULTS = ("mrn", "collected_at", "analyte", "value", "unit", "specimen_id", "status")
EVENTS = ("mrn", "on", "event", "value", "note")
PATIENTS = ("mrn", "family_name", "given_name", "birth_date", "drug", "started_on",
            "dose_mg_per_day", "weight_kg", "tpmt", "nudt15")  # fmt: skip


@dataclass(frozen=True)
class Value:
    """One result that stands."""

    analyte: str
    at: datetime
    value: Decimal | None


@dataclass(frozen=True)
class Sent:
    """A mail, and what was true when it went out."""

    at: datetime
    to: str
    mail: EmailMessage
    values: dict[str, list[Value]]
    """By patient, in order."""
    doses: dict[str, tuple[Decimal, date]]
    status: list[dict[str, Any]]
    live: dict[int, str]
    """Live alerts and whose they are."""
    dead: frozenset[str]


@dataclass
class SayingWorld:
    """One history; `sent` is what it told."""

    folder: Path
    port: int
    mood: Mood
    luck: Random
    sent: list[Sent] = field(default_factory=list)
    patients: dict[str, tuple[str, str, date | None]] = field(default_factory=dict)
    doses: dict[str, tuple[Decimal, date]] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        luck, folder = self.luck, self.folder
        self.zone = ZoneInfo(luck.choice(ZONES))
        self.now = datetime.combine(luck.choice(STARTS), time(5), self.zone).astimezone(UTC)
        self.settings = read_settings(self._config(), folder / "config.toml", {})
        self.store = open_store(self.settings.database.url)
        self.store.migrate()
        adopt(self.store, schedules_folder(), self.now)
        self.files = 0

    def _config(self) -> str:
        roles = "".join(
            f'[recipients.{privacy}_{locale}]\naddresses = ["{to}"]\nlocale = "{locale}"\n'
            f'privacy = "{privacy}"\nhours = "always"\n'
            for to, (privacy, locale) in READERS.items()
        )
        names = ", ".join(f'"{privacy}_{locale}"' for privacy, locale in READERS.values())
        return f"""
        [clinic]
        name = "Hill"
        timezone = "{self.zone}"
        email = "clinic@hill.example"
        telephone = "+41 44 555 01 20"
        [database]
        url = "sqlite:///{self.folder}/monitor.db"
        [mail]
        host = "127.0.0.1"
        port = {self.port}
        privacy = "full"
        sender = "monitor@hill.example"
        [escalation]
        critical_repeat = ""
        {roles}
        [[routes]]
        to = [{names}]
        """

    @property
    def local(self) -> datetime:
        return self.now.astimezone(self.zone)

    def run(self, days: int) -> None:
        """Enrol everybody, then let things happen."""
        self._enrol()
        end = self.now + timedelta(days=days)
        while self.now < end:
            for _ in range(self.luck.choice([1, 2, 3])):
                self._act()
            self.look()
            self._until(self.now + timedelta(minutes=self.luck.choice([10, 90, 300, 900, 1800])))

    def look(self) -> None:
        """What the daemon does when it is woken; what it sends is kept."""
        assert not review_due(self.store, self.settings, self.now).failed
        compose_digests(self.store, self.settings, self.now)
        before = len(self.mood.taken)
        deliver_due(self.store, self.settings, self.now, who="test")
        new = self.mood.taken[before:]
        if new:
            truth = self._truth()
            self.sent += [Sent(self.now, str(mail["To"]), mail, **truth) for mail in new]

    def _truth(self) -> dict[str, Any]:
        results, patients = whole_results(), table_of(tables.Patient)
        alerts, enrolments = table_of(tables.AlertRow), table_of(tables.EnrolmentRow)
        values: dict[str, list[Value]] = {mrn: [] for mrn in self.patients}
        query = select(patients.c.mrn, results.c.analyte, results.c.collected_at, results.c.value)
        query = query.join(patients, patients.c.id == results.c.patient_id)
        live = select(alerts.c.id, patients.c.mrn).join(
            enrolments, enrolments.c.id == alerts.c.enrolment_id
        ).join(patients, patients.c.id == enrolments.c.patient_id)  # fmt: skip
        with self.store.read() as connection:
            rows = connection.execute(
                query.where(results.c.stands).order_by(results.c.collected_at)
            )
            for mrn, analyte, at, value in rows:
                values[mrn].append(Value(analyte, at, value))
            standing = connection.execute(live.where(alerts.c.state != "closed"))
            whose = {alert_id: str(mrn) for alert_id, mrn in standing}
        return {
            "values": values,
            "doses": dict(self.doses),
            "status": status_rows(self.store, self.settings, self.now),
            "live": whose,
            "dead": frozenset(self.dead),
        }

    def _until(self, end: datetime) -> None:
        """Every look up to an instant."""
        deliveries, enrolments = table_of(tables.Delivery), table_of(tables.EnrolmentRow)
        while self.now < end:
            digest = datetime.combine(self.local.date(), time(7, 30), self.zone)
            wakes = [digest if digest > self.now else digest + timedelta(days=1), end]
            with self.store.read() as connection:
                due = enrolments.c.next_review_at
                wakes += connection.scalars(select(due).where(due.is_not(None)))
                waiting = deliveries.c.state == "waiting"
                wakes += connection.scalars(select(deliveries.c.next_attempt_at).where(waiting))
            later = max(min(wakes), self.now + timedelta(seconds=1))
            self.now = min(later, end).astimezone(UTC)
            self.look()

    def _file(self, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
        self.files += 1
        path = self.folder / f"file{self.files}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
        return path

    def _enrol(self) -> None:
        rows: list[tuple[object, ...]] = []
        for number, person in enumerate(PEOPLE, 1):
            mrn = f"A{number:03}"
            start = self.local.date() - timedelta(days=self.luck.choice([0, 5, 20, 60, 120]))
            self.patients[mrn] = person
            self.doses[mrn] = Decimal(100), start
            rows.append((mrn, *person[:2], person[2] or "", "azathioprine", start, 100, 70,
                         self.luck.choice(["normal", ""]), "normal"))  # fmt: skip
        arrivals.enrol(self.store, self.settings, self._file(PATIENTS, rows), self.now)
        for mrn in self.patients:
            self._bring(mrn, timedelta(days=self.luck.choice([7, 9, 30])))

    def _bring(self, mrn: str, ago: timedelta) -> None:
        luck, when = self.luck, (self.local - ago).replace(second=0, microsecond=0, tzinfo=None)
        odd = luck.sample(sorted(ODD), luck.choice([0, 0, 1, 2]))
        values = CALM | {name: luck.choice(ODD[name]) for name in odd}
        for name in luck.sample(sorted(values), luck.choice([0, 0, 0, 2])):
            values[name] = luck.choice(["clotted", "0.4*"])
        status = luck.choice(["final", "final", "preliminary"])
        rows: list[tuple[object, ...]] = [
            (mrn, when.isoformat(), name, value, UNIT.get(name, "10*9/L"), self.files, status)
            for name, value in values.items()
        ]
        arrivals.load(self.store, self.settings, self._file(RESULTS, rows), "", self.now)

    def _act(self) -> None:
        mrn, luck = luck_of(self), self.luck
        do = luck.choice(["bring", "bring", "correct", "dose", "event", "person", "person"])
        if do == "bring":
            self._bring(mrn, timedelta(hours=luck.choice([0, 1, 30, 100])))
        elif do == "correct":
            self._correct()
        elif do == "person":
            self._person()
        elif do == "dose":
            dose = luck.choice([50, 75, 150])
            self._event(mrn, "dose", str(dose))
            self.doses[mrn] = Decimal(dose), self.local.date()
        else:
            event, value = luck.choice([("hold", ""), ("declined", ""), ("symptom", "fever"),
                                        ("comedication_start", "warfarin"), ("died", "")])  # fmt: skip
            if event != "died" or luck.random() < 0.2:
                self._event(mrn, event, value)

    def _event(self, mrn: str, event: str, value: str) -> None:
        if event == "died":
            self.dead.add(mrn)
        path = self._file(EVENTS, [(mrn, self.local.date(), event, value, NOTE)])
        arrivals.events(self.store, self.settings, path, self.now)

    def _correct(self) -> None:
        results, patients = whole_results(), table_of(tables.Patient)
        query = select(results, patients.c.mrn).join(
            patients, patients.c.id == results.c.patient_id
        )
        with self.store.read() as connection:
            query = query.where(results.c.stands, results.c.value.is_not(None))
            rows = connection.execute(query.order_by(results.c.id)).all()
        if not rows:
            return
        row, luck = self.luck.choice(rows[-12:]), self.luck
        when = row.collected_at.astimezone(self.zone).replace(tzinfo=None).isoformat()
        value = luck.choice([CALM[row.analyte], *ODD[row.analyte]])
        status = luck.choice(["corrected", "corrected", "withdrawn"])
        unit = UNIT.get(row.analyte, "10*9/L")
        said = (row.mrn, when, row.analyte, value, unit, row.specimen_id, status)
        arrivals.load(self.store, self.settings, self._file(RESULTS, [said]), "", self.now)

    def _person(self) -> None:
        alerts = table_of(tables.AlertRow)
        with self.store.read() as connection:
            live = connection.execute(select(alerts).where(alerts.c.state != "closed")).all()
        if not live:
            return
        alert, day = self.luck.choice(live), self.local.date() + timedelta(days=2)
        how: dict[str, Any] = {"by": alert.acknowledged_by or "Dr Meier", "now": self.now}
        try:
            if self.luck.random() < 0.6:
                people.acknowledge(self.store, self.settings, alert.id, until=day, **how)
            else:
                people.close(
                    self.store, self.settings, alert.id, outcome=NOTE, review_by=day, **how
                )
        except ActionRefused:
            return


def luck_of(world: SayingWorld) -> str:
    """The number of somebody who lives."""
    return world.luck.choice(sorted(set(world.patients) - world.dead) or ["A001"])
