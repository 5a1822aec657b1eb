"""Who is overdue: since when, what was tried, who has it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.config import Settings
from monitor.core.alerts import OPENING
from monitor.core.answer import PanelStatus
from monitor.core.calendar import clinic_day, instant_text
from monitor.core.findings import named
from monitor.core.outcomes import CONTACT
from monitor.core.vocabulary import LATE, AlertState, Kind, PanelState
from monitor.operations.alert_list import AT_A_TIME, Standing, alerts_at
from monitor.operations.report_page import Columns, Page, Part, Table, day_words
from monitor.operations.statuses import Statuses, Whose, statuses
from monitor.store import tables
from monitor.store.alerts import ACKNOWLEDGED, ASSIGNED, CONTACTED, SNOOZED, history_of
from monitor.store.database import Store
from monitor.store.persons import of_person
from monitor.store.silent_feeds import suspected
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_ONE_DAY = timedelta(days=1)
_ALIVE = {AlertState.OPEN.value, AlertState.ACKNOWLEDGED.value}
_TO = re.compile(r"^to ([^;]+)")
_WEEKS = ((1, "one week"), (2, "two weeks"), (4, "four weeks"), (13, "a quarter"))
_LONGER = "longer"
_ENDS_REST = (ACKNOWLEDGED, *(it.value for it in OPENING))


@dataclass(frozen=True, slots=True)
class Which:
    """Only one clinic, only one drug; empty means all. Compared without case."""

    clinic: str = ""
    drug: str = ""

    def takes(self, clinic: str, drug: str) -> bool:
        wanted = ((self.clinic, clinic), (self.drug, drug))
        return all(not it or it.casefold() == has.casefold() for it, has in wanted)

    @property
    def words(self) -> str:
        return ", ".join(it for it in (self.clinic, self.drug) if it)

    def nobody(self) -> str:
        """What an empty list says where nobody is enrolled under these names: a slip of the pen
        must not read as all being well."""
        if not self.words:
            return "Nobody is enrolled yet."
        named = (("clinic", self.clinic), ("drug", self.drug))
        asked = " and ".join(f'{what} "{name}"' for what, name in named if name)
        return f"Nobody is enrolled under {asked}: is it written right?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One panel of one patient that is overdue."""

    mrn: str
    name: str
    clinic: str
    drug: str
    panel: str
    phase: str
    because: str
    """schedule, recheck or event: what set the due day."""
    state: str
    due_on: date
    overdue_since: date
    days_overdue: int
    last_completed_on: date | None
    missing: str
    """Of the latest sample that was not complete."""
    alert_id: int | None
    alert_state: str
    owner: str
    until: str
    contacts: int
    tried: str
    """The latest attempt to reach the patient."""
    rests: str
    """Until when it was put aside, by whom and why; nothing while it is not."""
    feed_suspected: bool

    def document(self) -> dict[str, Any]:
        last = self.last_completed_on.isoformat() if self.last_completed_on else None
        values = {name: getattr(self, name) for name in FIELDS}
        return {
            **values,
            "due_on": self.due_on.isoformat(),
            "overdue_since": self.overdue_since.isoformat(),
            "last_completed_on": last,
        }


FIELDS = (
    "mrn", "name", "clinic", "drug", "panel", "phase", "because", "state", "due_on",
    "overdue_since", "days_overdue", "last_completed_on", "missing", "alert_id", "alert_state",
    "owner", "until", "contacts", "tried", "rests", "feed_suspected",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overdue:
    """Everyone who is overdue at an instant, worst and longest first."""

    at: datetime
    enrolled: int
    monitored_here: int
    """Of whom tests are due here: not planned, elsewhere or stopped."""
    patients_monitored_here: int
    """Of these, whoever has two treatments once."""
    rows: tuple[Late, ...]

    def head(self) -> dict[str, Any]:
        """As `monitor report overdue --json` prints it, but for who it is: the `rows`."""
        return {
            "at": self.at.isoformat(),
            "enrolled": self.enrolled,
            "monitored_here": self.monitored_here,
            "patients_monitored_here": self.patients_monitored_here,
            "patients": len({row.mrn for row in self.rows}),
        }


def overdue(store: Store, settings: Settings, which: Which, now: datetime) -> Overdue:
    """Every overdue panel at `now` of those whom this clinic monitors; sees nothing later."""
    zone = settings.clinic.zone
    rows: list[Late] = []
    enrolled = here = 0
    patients: set[int] = set()
    with store.read() as connection:
        alerts = _alerts(connection, settings, now)
        for batch in statuses(connection, settings, now):
            people = _people(connection, batch.ids)
            feeds = suspected(connection, batch.ids)
            for it in batch.standings:
                who = people[it.whose.enrolment_id]
                if not which.takes(who.clinic, who.drug):
                    continue
                enrolled += 1
                if it.status.is_monitored_here:
                    here += 1
                    patients.add(it.whose.patient_id)
                alert = alerts.get(who.id)
                rows += [
                    _late(it.whose, panel, who, alert, batch, who.id in feeds)
                    for panel in it.status.panels
                    if panel.state in LATE and not it.status.elsewhere
                ]
    serious = PanelState.SERIOUSLY_OVERDUE.value
    rows.sort(key=lambda it: (it.state != serious, -it.days_overdue, it.mrn, it.panel))
    return Overdue(now.astimezone(zone), enrolled, here, len(patients), tuple(rows))


@dataclass(frozen=True, slots=True)
class _Worked:
    """What people did about an alert."""

    id: int
    state: str
    owner: str
    until: str
    contacts: int
    tried: str
    rests: str


def _alerts(connection: Connection, settings: Settings, now: datetime) -> dict[int, _Worked]:
    """The live overdue alert of each enrolment."""
    found: dict[int, _Worked] = {}
    late = alerts_at(connection, settings, now, kind=Kind.OVERDUE_TEST, live=True)
    alive = (it for it in late if it.state in _ALIVE)
    while piece := list(islice(alive, AT_A_TIME)):
        histories: dict[int, list[Row[Any]]] = defaultdict(list)
        for entry in history_of(connection, [it.row.id for it in piece]):
            if entry.at <= now:
                histories[entry.alert_id].append(entry)
        for it in piece:
            found[it.row.enrolment_id] = _worked(it, histories[it.row.id], settings, now)
    return found


def _worked(
    alert: Standing, history: Sequence[Row[Any]], settings: Settings, now: datetime
) -> _Worked:
    assigned = acknowledged = until = rests = ""
    contacts = [entry for entry in history if entry.what == CONTACTED]
    for entry in history:
        if entry.what == ASSIGNED and (found := _TO.match(entry.note)):
            assigned = acknowledged = found[1]
        elif entry.what == ACKNOWLEDGED:
            acknowledged = entry.by
            until = entry.note.partition(";")[0].removeprefix("until ")
        elif entry.what == SNOOZED:
            rests = _rest(entry, clinic_day(now, settings.clinic.zone))
        if entry.what in _ENDS_REST:
            rests = ""
    has_it = alert.state == AlertState.ACKNOWLEDGED.value
    owner, until = (acknowledged, until) if has_it else (assigned, "")
    last = contacts[-1] if contacts else None
    tried = ""
    if last is not None:
        when = instant_text(last.at, settings.clinic.zone)
        tried = f"{when}, {last.by}: {last.note or CONTACT.get(last.code, last.code)}"
    return _Worked(alert.row.id, alert.state, owner, until, len(contacts), tried, rests)


def _rest(entry: Row[Any], today: date) -> str:
    """Until when an alert was put aside, why and by whom; nothing once that day has come."""
    until, _, reason = entry.note.removeprefix("until ").partition("; ")
    if until <= today.isoformat():
        return ""
    return f"until {until} by {entry.by}: {reason}"


def _late(
    whose: Whose,
    panel: PanelStatus,
    who: Row[Any],
    alert: _Worked | None,
    batch: Statuses,
    feed: bool,
) -> Late:
    assert panel.due_on is not None
    protocol = batch.rulebook.protocols[whose.protocol_id]
    in_time = panel.in_time_until or panel.due_on
    missing = ""
    if panel.partial:
        day, names = panel.partial[-1]
        known = batch.rulebook.catalogue
        missing = f"{day_words(day)}: no {', '.join(named(name, known) for name in names)}"
    return Late(
        mrn=whose.mrn,
        name=", ".join(it for it in (who.family_name, who.given_name) if it),
        clinic=who.clinic,
        drug=who.drug,
        panel=protocol.panel(panel.panel).title,
        phase=panel.phase,
        because=panel.because.value,
        state=panel.state.value,
        due_on=panel.due_on,
        overdue_since=in_time + _ONE_DAY,
        days_overdue=panel.days_overdue,
        last_completed_on=panel.last_completed_on,
        missing=missing,
        alert_id=alert.id if alert else None,
        alert_state=alert.state if alert else "",
        owner=alert.owner if alert else "",
        until=alert.until if alert else "",
        contacts=alert.contacts if alert else 0,
        tried=alert.tried if alert else "",
        rests=alert.rests if alert else "",
        feed_suspected=feed,
    )


def _people(connection: Connection, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
    names = ("family_name", "given_name")
    query = (
        select(_ENROLMENTS.c.id, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug)
        .add_columns(*(of_person(name) for name in names))
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(_ENROLMENTS.c.id.in_(ids))
    )
    return {row.id: row for row in connection.execute(query)}


def page(found: Overdue, which: Which, settings: Settings) -> Page:
    """The report to look at and to print."""
    patients = _patients(found.rows)
    serious = [it for it in patients.values() if it.state == PanelState.SERIOUSLY_OVERDUE.value]
    days = [row.days_overdue for row in patients.values()]
    nobody = sum(not row.owner for row in patients.values())
    facts = [
        (
            str(len(patients)),
            "patients overdue",
            f"of {found.patients_monitored_here} monitored here",
        ),
        (str(len(serious)), "seriously overdue", ""),
        (str(nobody), "without an owner", "nobody has acknowledged it or was given it"),
    ]
    if days:
        facts.append(
            (f"{median(days):g} days", "overdue, the median", f"the longest {max(days)} days")
        )
    return Page(
        title="Overdue tests",
        span=", ".join(it for it in (day_words(clinic_day(found.at, settings.clinic.zone)),
                                     which.words) if it),
        about="Everyone whose test is past its grace, worst and longest first: since when, "
        "what was tried, and who has it.",
        facts=facts,
        figure=_figure(list(patients.values())),
        tables=[_table(found.rows, "Nobody is overdue." if found.enrolled else which.nobody())],
        notes=[
            ("Overdue begins on the day after the grace of the due test has ended; the days count "
            "from the due day."),
            "The owner is who acknowledged the alert, else to whom it was assigned.",
        ],
    )  # fmt: skip


def _patients(rows: Sequence[Late]) -> dict[str, Late]:
    """Of each patient the worst test, with the days of the one that is overdue longest: a test
    may be serious earlier than another that is late for longer."""
    worst = {row.mrn: row for row in reversed(rows)}
    days: Counter[str] = Counter()
    for row in rows:
        days[row.mrn] = max(days[row.mrn], row.days_overdue)
    return {mrn: replace(row, days_overdue=days[mrn]) for mrn, row in worst.items()}


def _figure(rows: Sequence[Late]) -> Columns:
    names = [name for _, name in _WEEKS] + [_LONGER]
    serious: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for row in rows:
        name = next((it for weeks, it in _WEEKS if row.days_overdue <= 7 * weeks), _LONGER)
        chosen = serious if row.state == PanelState.SERIOUSLY_OVERDUE.value else counts
        chosen[name] += 1
    bars = [(it, (counts[it], serious[it]), str(counts[it] + serious[it] or "")) for it in names]
    return Columns(
        title="How long they are overdue",
        parts=[Part(name="overdue", tone="late"), Part(name="seriously overdue", tone="bad")],
        bars=bars if rows else [],
        unit="patients, by the longest wait of each, up to",
    )


def _table(rows: Sequence[Late], empty: str) -> Table:
    return Table(
        title="Patients",
        columns=["MRN", "Name", "Clinic", "Test", "Days", "Due", "Last done", "Owner", "Tried"],
        rows=[
            (
                row.mrn,
                row.name,
                row.clinic,
                f"{row.panel} ({row.drug}, {_what_for(row)})"
                + (": seriously overdue" if _is_serious(row) else ""),
                row.days_overdue,
                day_words(row.due_on),
                f"{day_words(row.last_completed_on) or 'never'}"
                + (f" ({row.missing})" if row.missing else ""),
                (row.owner or "nobody") + (f", until {row.until}" if row.until else ""),
                (f"{row.contacts} x, last {row.tried}" if row.contacts else "nothing yet")
                + (f". Put aside {row.rests}" if row.rests else "")
                + (". Feed suspected" if row.feed_suspected else ""),
            )
            for row in rows
        ],
        empty=empty,
    )


def _what_for(row: Late) -> str:
    return row.phase if row.because == "schedule" else row.because


def _is_serious(row: Late) -> bool:
    return row.state == PanelState.SERIOUSLY_OVERDUE.value
