"""A clinic whose days are drawn at random: results, corrections, events, what people do with
alerts, addresses that refuse, routes that are edited; woken whenever it asked to be.

The program is the real one, from the review to the outbox; only the mail server is a stand-in,
behind the same `Channel` that every way out has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from monitor.config import Settings, read_settings
from monitor.core.actions import ActionRefused
from monitor.delivery.send import deliver_due
from monitor.operations import people
from monitor.operations.digests import compose_digests
from monitor.review import wake_for_other_routes
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of
from tests.clinic import Clinic
from tests.property.telling_daemons import SLACK, Daemons
from tests.property.telling_mail import Mail
from tests.property.telling_papers import Papers, shipped
from tests.property.telling_plan import (
    EVERYBODY,
    FIRST_DAY,
    LAST_RESORT,
    ZONE,
    draw_plan,
    edit_plan,
)

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


class World:
    """One history. `log` says what happened, for whoever reads a failure."""

    def __init__(self, store: Store, folder: Path, luck: Random, daemons: int = 0) -> None:
        self.luck = luck
        self.folder = folder
        self.edits = luck.random() < 0.5
        self.sleeps = luck.random() < 0.3 and not daemons
        """Nobody wakes it between one act and the next, as where a timer of the system does."""
        self.plan = draw_plan(luck)
        self.mail = Mail()
        self.daemons = Daemons(self, daemons) if daemons else None
        """None: one that never dies."""
        if self.daemons is not None:
            self.mail.taken = self.daemons.note_taken
        self.clinic = Clinic(store, self._settings())
        self.now = datetime.combine(FIRST_DAY, time(7), ZONE).astimezone(UTC)
        self.log = [str(self.plan), f"sleeps: {self.sleeps}"]
        self.enrolments: dict[str, int] = {}
        self.papers = Papers(self)
        self.protocol = shipped()
        self.takes_back = False
        """What came since the last look may take the cause of an alert away. (One that dies may
        leave it to a later look.)"""
        self.by_paper = luck.random() < 0.6
        for number in range(luck.choice([1, 1, 2, 3])):
            mrn = f"A{number + 1}"
            self.enrolments[mrn] = self.clinic.enrol(mrn, "2026-02-26", now=self.now)
            self.clinic.results(mrn, "2026-02-26", CALM | {"bilirubin": "10", "alt": "20"},
                                received_at=self.now)  # fmt: skip
        wake_for_other_routes(store, self.clinic.settings, self.now)
        self.look()

    def _settings(self) -> Settings:
        (self.folder / "rota.csv").write_text(self.plan.rota(), encoding="utf-8")
        return read_settings(self.plan.text(), self.folder / "config.toml", {})

    @property
    def local(self) -> datetime:
        return self.now.astimezone(ZONE)

    def look(self) -> None:
        """What the daemon does when it is woken."""
        clinic = self.clinic
        if self.daemons is not None:
            self.daemons.look()
            compose_digests(clinic.store, clinic.settings, self.now)
            return
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
            waiting = select(deliveries.c.next_attempt_at, deliveries.c.leased_until).where(
                deliveries.c.state == "waiting"
            )
            soon = self.now + timedelta(minutes=15 if self.mail.down else 0)
            for at, leased in connection.execute(waiting):
                yield max(at, soon, leased or at)
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
        acts += [self.event] * 2 + [self.edit] * 3 * self.edits
        acts += self.papers.acts() * self.by_paper
        try:
            self.luck.choice(acts)()
        except ActionRefused as refused:
            self.note(f"  refused: {refused}")

    @property
    def slack(self) -> timedelta:
        """So much later than it should may something happen."""
        return timedelta(seconds=1) if self.daemons is None else SLACK

    def note(self, text: str) -> None:
        self.log.append(f"{self.local:%a %d %b %H:%M:%S} {text}")

    def someone(self) -> str:
        """The number of a patient."""
        watched = {it.patient_id for it in self.clinic.rows(tables.EnrolmentRow, stands=True)}
        patients = self.clinic.rows(tables.Patient)
        numbers = [str(it.mrn) for it in patients if it.id in watched]
        return self.luck.choice(sorted(numbers) or ["A1"])

    def values(self, analyte: str) -> tuple[str, ...]:
        """What may be measured."""
        return VALUES[analyte]

    def results(self) -> None:
        mrn = self.someone()
        names = self.luck.sample(sorted(VALUES), self.luck.choice([1, 1, 2, 3]))
        values = CALM | {name: self.luck.choice(VALUES[name]) for name in names}
        hours = self.luck.choice([0, 0, 1, 30])
        when = self.now - timedelta(hours=hours)
        self.takes_back |= hours > 0
        self.note(f"{mrn} {values} collected {hours} h ago")
        self.clinic.results(mrn, f"{when.astimezone(ZONE):%Y-%m-%d}", values,
                            collected_at=when, received_at=self.now)  # fmt: skip

    def correct(self) -> None:
        """The laboratory corrects one of the last results, or takes it back."""
        rows = [
            it
            for it in self.clinic.rows(tables.ResultRow, stands=True)
            if it.analyte in VALUES
            and it.collected_on >= FIRST_DAY
            and it.file_id == self.clinic.file_id
        ]
        odd = [it for it in rows if it.value != Decimal(VALUES[it.analyte][0])]
        rows = odd[-8:] if odd and self.luck.random() < 0.8 else rows[-8:]
        if not rows:
            return
        row = self.luck.choice(rows)
        value = "" if self.luck.random() < 0.2 else self.luck.choice(VALUES[row.analyte])
        (patient,) = self.clinic.rows(tables.Patient, id=row.patient_id)
        self.note(f"{patient.mrn} {row.analyte} {row.value} of {row.collected_at}, now {value}")
        self.takes_back = True
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
        luck, mail = self.luck, self.mail
        mail.down = luck.random() < 0.15
        mail.refuses = {it for it in EVERYBODY if luck.random() < luck.choice([0, 0.3, 0.8])}
        mail.busy = {it for it in [*EVERYBODY, LAST_RESORT] if luck.random() < 0.1}
        self.note(f"mail: {mail}")

    def mend(self) -> None:
        """Every address takes its mail again."""
        self.mail.down, self.mail.refuses, self.mail.busy = False, set(), set()

    def event(self) -> None:
        mrn, luck = self.someone(), self.luck
        event, value = luck.choice([
            ("hold", ""), ("resume", ""), ("stop", ""), ("dose", "150"), ("dose", "50"),
            ("symptom", "fever"), ("died", ""), ("inpatient", "2026-03-20"),
            ("comedication_start", "allopurinol"), ("pregnancy", ""),
        ])  # fmt: skip
        if event in ("died", "stop") and luck.random() < 0.5:
            return
        self.note(f"{mrn} {event} {value}")
        self.clinic.event(mrn, f"{self.local:%Y-%m-%d}", event, value, received_at=self.now)

    def edit(self) -> None:
        """Other routes from now on."""
        self.plan = edit_plan(self.plan, self.luck)
        self.clinic.settings = self._settings()
        wake_for_other_routes(self.clinic.store, self.clinic.settings, self.now)
        self.note(f"routes: {self.plan}")
