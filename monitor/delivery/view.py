"""An alert as the templates of mails see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from monitor.delivery.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom an alert is about; `name` and `born` stay empty below full privacy."""

    mrn: str
    name: str = ""
    born: str = ""
    initials: str = ""

    @property
    def by_number(self) -> Person:
        """Below full privacy."""
        return Person(mrn=self.mrn)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One line of the table of last values."""

    when: str
    value: str
    note: str
    beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    """One panel that an alert is about: late, or to be done again."""

    title: str
    due: str
    due_on: date | None
    was: str
    """Whether it was due, or is."""
    late: str
    days: int
    serious: bool
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert as a mail shows it."""

    id: int
    person: Person
    drug: str
    clinic: str
    kind: str
    urgency: str
    what: str
    reason: str
    headline: str
    summary: str
    old: str
    value: str
    unit: str
    analyte: str
    measured: str
    """Its name beside the worst value, which may have been derived."""
    collected: str
    collected_at: datetime | None
    distance: str
    limit_text: str
    latest: str
    action: str
    say: tuple[str, ...]
    cautions: tuple[str, ...]
    values: tuple[ValueRow, ...]
    legend: str
    figure: Figure | None
    alt: tuple[str, ...]
    panels: tuple[PanelRow, ...]
    held: tuple[str, ...]
    why: tuple[tuple[str, str], ...]
    state: str
    standing: str
    commands: tuple[tuple[str, str], ...]
    link: str

    is_new: bool = True
    """Told for the first time."""
    is_closed: bool = False
    """Since it was to be told: nothing is to be done about it any more."""
    is_recovered: bool = False
    """What is named is over, by a result that is not too old to say so."""

    @property
    def lateness(self) -> tuple[bool, int]:
        """How late the latest panel is: seriously or not, and days."""
        return max(((panel.serious, panel.days) for panel in self.panels), default=(False, 0))

    @property
    def why_line(self) -> str:
        """Why, in one line, without what is this patient's own."""
        return "; ".join(f"{name}: {words}" for name, words in self.why[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an alert stands when its mail is made."""

    state: str
    opened_at: datetime
    acknowledged_by: str = ""
    acknowledged_until: date | None = None
    closed_at: datetime | None = None
    outcome: str = ""
