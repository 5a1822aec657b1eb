"""What a daily digest says, as a value that waits in the outbox until it is laid out.

Who composes it is `monitor.operations.digests`: where everybody stands is derived there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Self

from pydantic import TypeAdapter

from monitor.core.vocabulary import Urgency
from monitor.delivery.discretion import NOT_SHOWN
from monitor.delivery.view import Person
from monitor.delivery.words import counted, day_words

SECTIONS = (
    ("new", "New since the last digest", ""),
    (
        "still_open",
        "Still open",
        "worst and oldest first; nobody has taken them on, or an outcome is owed",
    ),
    ("recovered", "Recovered, to be closed", "a person closes them, with the outcome"),
    ("in_hand", "Acknowledged or snoozed", "they come back by themselves on the day named"),
    ("ended", "Ended since the last digest", ""),
)
"""The sections of alerts: field, title, what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """One alert (or several of one specimen) of one patient."""

    alert_ids: tuple[int, ...]
    person: Person
    urgency: str
    text: str
    note: str = ""

    @property
    def discreet(self) -> Self:
        """For a reader at minimal privacy, of a line that was written for one at full: what it
        says of a value stands amid its words, and all of them stay behind."""
        by_number = replace(self, person=self.person.by_number)
        if self.urgency == Urgency.CRITICAL.value or not self.alert_ids:
            return by_number
        return replace(by_number, text=NOT_SHOWN, note="")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """One panel that falls due within the week."""

    person: Person
    panel: str
    due_on: date
    days: int
    """Days from today; negative where the due day has passed and grace still runs."""
    ask: str = ""
    """What is asked of the patient with it."""
    latest_on: date | None = None
    """The last open day on which it is still in time; None where there is none any more."""

    @property
    def discreet(self) -> Self:
        """For a reader at minimal privacy."""
        return replace(self, person=self.person.by_number)

    @property
    def is_for_today(self) -> bool:
        """Whether no open day after today is known to be in time."""
        return self.days <= 0 or self._is_last_today

    @property
    def _is_last_today(self) -> bool:
        return self.latest_on == self.due_on - timedelta(days=self.days)

    @property
    def when(self) -> str:
        latest = f"; last open day in time: {day_words(self.latest_on)}" if self.latest_on else ""
        if self._is_last_today and self.days:
            latest += ", today"
        if self.days < 0:
            return f"{day_words(self.due_on)}, {counted(-self.days, 'day')} ago{latest}"
        soon = {0: ", today", 1: ", tomorrow"}.get(self.days, "")
        return f"{day_words(self.due_on)}{soon}{latest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameIn:
    """What the laboratories sent since the last digest, before the first one within a day."""

    files: int = 0
    rows: int = 0
    stored: int = 0
    quarantined: int = 0
    patients: int = 0
    """Patients with a result among them."""

    def __str__(self) -> str:
        if not self.files:
            return "No laboratory file came in."
        held = f", {self.quarantined} held in quarantine" if self.quarantined else ""
        return (
            f"{counted(self.files, 'file')}, {counted(self.rows, 'row')}: "
            f"{counted(self.stored, 'new result')} of {counted(self.patients, 'patient')}{held}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Every enrolment in exactly one place, so that the sum shows that none is missing."""

    up_to_date: int = 0
    due: int = 0
    overdue: int = 0
    seriously_overdue: int = 0
    planned: int = 0
    elsewhere: int = 0
    stopped: int = 0
    not_judged: int = 0
    """Where the monitor itself failed; shown only where there are any."""
    held: int = 0

    @property
    def enrolled(self) -> int:
        return (
            self.up_to_date
            + self.due
            + self.overdue
            + self.seriously_overdue
            + self.planned
            + self.elsewhere
            + self.stopped
            + self.not_judged
        )

    def __str__(self) -> str:
        failed = f" + not judged {self.not_judged}" if self.not_judged else ""
        return (
            f"enrolled {self.enrolled} = up to date {self.up_to_date} + due {self.due} "
            f"+ overdue {self.overdue} + seriously overdue {self.seriously_overdue} "
            f"+ planned {self.planned} + elsewhere {self.elsewhere} + stopped {self.stopped}"
            f"{failed} (of whom held {self.held})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestContent:
    """One recipient's digest of one clinic day."""

    day: date
    new: tuple[DigestLine, ...] = ()
    still_open: tuple[DigestLine, ...] = ()
    recovered: tuple[DigestLine, ...] = ()
    in_hand: tuple[DigestLine, ...] = ()
    ended: tuple[DigestLine, ...] = ()
    due_soon: tuple[DueLine, ...] = ()
    unjudged: tuple[tuple[str, str], ...] = ()
    """(MRN, what could not be judged and why)."""
    quarantine: tuple[tuple[str, int], ...] = ()
    """(reason, rows held for it)."""
    notices: tuple[str, ...] = ()
    came_in: CameIn = CameIn()
    is_first: bool = False
    """Of this reader: no digest came before it since which something could have come in."""
    ledger: Ledger

    @property
    def alert_ids(self) -> tuple[int, ...]:
        """The live alerts it names."""
        lines = self.new + self.still_open + self.recovered + self.in_hand
        return tuple(alert_id for line in lines for alert_id in line.alert_ids)

    @property
    def need(self) -> int:
        """Alerts that wait for somebody."""
        lines = self.new + self.still_open + self.recovered
        return sum(len(line.alert_ids) for line in lines)

    @property
    def critical(self) -> int:
        """Those of them that go on and are critical: what stands above the list says so."""
        lines = self.new + self.still_open
        return sum(len(it.alert_ids) for it in lines if it.urgency == Urgency.CRITICAL.value)

    @property
    def for_today(self) -> int:
        """Tests that ought to be done by today."""
        return sum(line.is_for_today for line in self.due_soon)

    @property
    def asks_nobody(self) -> bool:
        """Whether there is nothing below the head that a person should see to either: what could
        not be judged, what is held, what is wrong with the monitor."""
        beside = self.unjudged or self.quarantine or self.notices or self.ledger.not_judged
        return not (self.need or self.for_today or beside)

    @property
    def sections(self) -> list[tuple[str, str, tuple[DigestLine, ...]]]:
        """(title, meaning, lines) of the sections of alerts that have any."""
        return [
            (title, meaning, getattr(self, field))
            for field, title, meaning in SECTIONS
            if getattr(self, field)
        ]

    def without(self, dead: Collection[str]) -> Self:
        """Without the lines about patients recorded as died since it was composed (by number),
        but with those that close them."""
        if not dead:
            return self
        kept: dict[str, Any] = {
            field: tuple(line for line in getattr(self, field) if line.person.mrn not in dead)
            for field in ("new", "still_open", "recovered", "in_hand", "due_soon")
        }
        kept["ended"] = tuple(
            line for line in self.ended if not line.alert_ids or line.person.mrn not in dead
        )
        kept["unjudged"] = tuple(it for it in self.unjudged if it[0] not in dead)
        return replace(self, **kept)

    @property
    def discreet(self) -> Self:
        """For a reader at minimal privacy, of a digest that was composed for one at full."""
        fields = [*(field for field, _, _ in SECTIONS), "due_soon"]
        kept: dict[str, Any] = {
            field: tuple(it.discreet for it in getattr(self, field)) for field in fields
        }
        return replace(self, **kept)

    def to_payload(self) -> dict[str, Any]:
        """As JSON for the outbox."""
        payload: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return payload

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """From the JSON of the outbox."""
        content = _ADAPTER.validate_python(payload)
        assert isinstance(content, cls)
        return content


_ADAPTER: TypeAdapter[DigestContent] = TypeAdapter(DigestContent)
