"""Who did what, when: everything people did, from what the database keeps as history.

Each source is one function of `HISTORIES`; a new kind of history is one more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select

from monitor.config import Settings
from monitor.core.calendar import clinic_day, instant_text, start_of_day
from monitor.operations.period import check_period
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import Columns, Page, Part, Table, day_words
from monitor.store import tables
from monitor.store.alerts import MONITOR
from monitor.store.database import Store
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_HISTORY = table_of(tables.AlertHistory)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
_FILES = table_of(tables.File)
_TEXTS = table_of(tables.ProtocolText)
_MERGES = table_of(tables.MergeRow)
_FIXES = table_of(tables.FixRow)
_HELD = table_of(tables.HeldRowTable)
_PERSONAL = table_of(tables.PersonalRow)
_TRAIL = table_of(tables.AuditRow)
_BY_ITSELF = ("", MONITOR, "enrolment", "merge", "loaded again")
"""Who let a held row in where no person did."""
_USUAL = timedelta(days=27)
_BUSIEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody did. `mrn`, `clinic`, `drug`: whom it was about, where that is one
    patient's enrolment."""

    at: datetime
    who: str
    what: str
    about: str
    note: str = ""
    mrn: str = ""
    clinic: str = ""
    drug: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """From a day to a day, both included, the oldest first."""

    at: datetime
    since: date
    until: date
    zone: Any
    entries: tuple[Entry, ...]

    def document(self) -> dict[str, Any]:
        """As `monitor report audit --json` prints it."""
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "entries": [
                {
                    "at": it.at.astimezone(self.zone).isoformat(),
                    **{name: getattr(it, name) for name in FIELDS},
                }
                for it in self.entries
            ],
        }


FIELDS = ("who", "what", "about", "mrn", "clinic", "drug", "note")
Source = Callable[[Connection, datetime, datetime], Iterator[Entry]]


def audit(
    store: Store,
    settings: Settings,
    which: Which,
    days: tuple[date | None, date | None],
    now: datetime,
    *,
    who: str = "",
) -> Audit:
    """What people did in these days (default: 28 days up to today), no later than `now`; with
    `who` only what that person did. A clinic or drug leaves what is about one of its patients.
    """
    zone = settings.clinic.zone
    last = min(days[1] or clinic_day(now, zone), clinic_day(now, zone))
    first = days[0] or last - _USUAL
    check_period(first, last)
    begin = start_of_day(first, zone)
    end = min(start_of_day(last + timedelta(days=1), zone), now + timedelta.resolution)
    with store.read() as connection:
        told = [it for source in HISTORIES for it in source(connection, begin, end)]
        found = _once(told, list(_pages(connection, begin, end)))
        numbers = _numbers(connection, which)
    kept = [
        it
        for it in found
        if _takes(which, it, numbers) and (not who or it.who.casefold() == who.casefold())
    ]
    entries = tuple(sorted(kept, key=lambda it: it.at))
    return Audit(now.astimezone(zone), first, last, zone, entries)


def _once(told: list[Entry], trail: list[Entry]) -> list[Entry]:
    """What is done on a page stands in a history and in the trail (`docs/adr/0052`): one act, with
    what the history tells of it and where it was done."""
    deeds = {(it.at, it.who) for it in told}
    places = {(it.at, it.who): it.note for it in trail}
    return [
        *(
            replace(it, note=", ".join(filter(None, (it.note, places.get((it.at, it.who))))))
            for it in told
        ),
        *(it for it in trail if (it.at, it.who) not in deeds),
    ]


def _numbers(connection: Connection, which: Which) -> frozenset[str]:
    """The numbers of the patients with a treatment of the clinic and drug asked for."""
    if not which.words:
        return frozenset()
    home = func.coalesce(_ENROLMENTS.c.home_id, _ENROLMENTS.c.patient_id)
    query = select(_PATIENTS.c.mrn, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug).join(
        _PATIENTS, or_(_PATIENTS.c.id == _ENROLMENTS.c.patient_id, _PATIENTS.c.id == home)
    )
    return frozenset(
        row.mrn for row in connection.execute(query) if which.takes(row.clinic, row.drug)
    )


def _takes(which: Which, entry: Entry, numbers: frozenset[str]) -> bool:
    """An entry about a patient and none of the treatments in particular, such as a held row or a
    page that was seen, is about each of them."""
    if entry.clinic or entry.drug:
        return which.takes(entry.clinic, entry.drug)
    return not which.words or entry.mrn in numbers


def _alerts(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """Acknowledged, assigned, contacted, commented, snoozed, closed."""
    query = (
        select(
            _HISTORY.c.at, _HISTORY.c.by, _HISTORY.c.what, _HISTORY.c.note, _ALERTS.c.id,
            _ALERTS.c.kind, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug, _PATIENTS.c.mrn,
        )
        .join(_ALERTS, _ALERTS.c.id == _HISTORY.c.alert_id)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(_HISTORY.c.at >= begin, _HISTORY.c.at < end)
        .where(_HISTORY.c.by.not_in(["", MONITOR]))
        .order_by(_HISTORY.c.id)
    )  # fmt: skip
    for row in connection.execute(query):
        yield Entry(
            at=row.at,
            who=row.by,
            what=row.what,
            about=f"alert {row.id}, {row.kind.replace('_', ' ')}",
            note=row.note,
            mrn=row.mrn,
            clinic=row.clinic,
            drug=row.drug,
        )


def _reverted(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """Files taken back as a whole."""
    at = _FILES.c.reverted_at
    for row in connection.execute(select(_FILES).where(at >= begin, at < end)):
        yield Entry(
            at=row.reverted_at,
            who=row.reverted_by or "",
            what="file taken back",
            about=f"file {row.id}, {row.name}, {row.rows} rows",
            note=row.reverted_because or "",
        )


def _protocols(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """Texts put in force."""
    at = _TEXTS.c.applied_at
    for row in connection.execute(select(_TEXTS).where(at >= begin, at < end)):
        yield Entry(
            at=row.applied_at,
            who=row.applied_by,
            what="put in force",
            about=f"{row.protocol_id}, text {row.digest[:12]}",
            note=row.reason,
        )


def _merged(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """Numbers said to be one patient's, or no longer."""
    old, new = _PATIENTS.alias(), _PATIENTS.alias()
    query = (
        select(_MERGES, old.c.mrn.label("old_mrn"), new.c.mrn.label("new_mrn"), _FILES.c.name)
        .join(old, old.c.id == _MERGES.c.old_id)
        .join(new, new.c.id == _MERGES.c.new_id)
        .join(_FILES, _FILES.c.id == _MERGES.c.file_id)
        .where(_MERGES.c.received_at >= begin, _MERGES.c.received_at < end)
    )
    for row in connection.execute(query):
        yield Entry(
            at=row.received_at,
            who=f"{row.origin} in {row.name}",
            what=row.what,
            about=f"number {row.old_mrn} to {row.new_mrn}",
            note=row.note,
            mrn=row.new_mrn,
        )


def _fixes(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """What was said once for all rows of a source, and taken back."""
    for row in connection.execute(select(_FIXES)):
        about = f"{row.kind} {row.theirs} = {row.ours}, source {row.source or 'none'}"
        if begin <= row.made_at < end:
            yield Entry(at=row.made_at, who=row.made_by, what="fix for a source", about=about)
        if row.removed_at is not None and begin <= row.removed_at < end:
            who = row.removed_by or ""
            yield Entry(at=row.removed_at, who=who, what="fix removed", about=about)


def _held(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """Rows in quarantine that a person let in, let go, or held again."""
    at = _HELD.c.resolved_at
    query = select(_HELD, _PATIENTS.c.mrn).outerjoin(
        _PATIENTS, _PATIENTS.c.id == _HELD.c.patient_id
    )
    by = _HELD.c.resolved_by.not_in(_BY_ITSELF)
    for row in connection.execute(query.where(at >= begin, at < end, by).order_by(_HELD.c.id)):
        yield Entry(
            at=row.resolved_at,
            who=row.resolved_by,
            what="row held again" if row.state == "held" else f"held row {row.state}",
            about=f"quarantine {row.id}, {row.reason_code.replace('_', ' ')}",
            note=row.resolution,
            mrn=row.mrn or "",
        )


def _personal(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """Limits, intervals and accepted baselines of one patient, set and ended."""
    query = (
        select(_PERSONAL, _ENROLMENTS.c.clinic, _ENROLMENTS.c.drug, _PATIENTS.c.mrn)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _PERSONAL.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
    )
    for row in connection.execute(query):
        value = row.every or ("" if row.value is None else str(row.value))
        whose: dict[str, str] = {
            "about": f"{row.what} of {row.subject} {value}".strip() + f", until {row.until}",
            "mrn": row.mrn,
            "clinic": row.clinic,
            "drug": row.drug,
        }
        if begin <= row.set_at < end:
            who = f"{row.by} with {row.second}" if row.second else row.by
            yield Entry(
                at=row.set_at, who=who, what="set for one patient", note=row.reason, **whose
            )
        if row.ended_at is not None and begin <= row.ended_at < end:
            yield Entry(
                at=row.ended_at, who=row.ended_by, what="ended for one patient",
                note=row.ended_because, **whose,
            )  # fmt: skip


def _pages(connection: Connection, begin: datetime, end: datetime) -> Iterator[Entry]:
    """What people saw and did on the pages, and who may sign in."""
    query = (
        select(_TRAIL, _PATIENTS.c.mrn)
        .outerjoin(_PATIENTS, _PATIENTS.c.id == _TRAIL.c.patient_id)
        .where(_TRAIL.c.at >= begin, _TRAIL.c.at < end)
        .order_by(_TRAIL.c.id)
    )
    for row in connection.execute(query):
        yield Entry(
            at=row.at,
            who=row.who,
            what=row.what,
            about=f"alert {row.alert_id}" if row.alert_id else row.detail,
            note=f"from {row.address}" if row.address else "",
            mrn=row.mrn or "",
        )


HISTORIES: tuple[Source, ...] = (
    _alerts, _reverted, _protocols, _merged, _fixes, _held, _personal,
)  # fmt: skip
"""What the report reads beside the trail. Another kind of history joins as one more function."""


def page(found: Audit, which: Which) -> Page:
    """The report to look at and to print."""
    people = Counter(it.who for it in found.entries)
    kinds = Counter(it.what for it in found.entries)
    patients = {it.mrn for it in found.entries if it.mrn}
    days = f"{day_words(found.since)} to {day_words(found.until)}"
    columns = ["When", "Who", "What", "About", "MRN", "Note"]
    return Page(
        title="Who did what",
        span=", ".join(it for it in (days, which.words) if it),
        about="What people did with alerts, files, protocols, numbers, held rows and the terms of "
        "single patients. What the monitor did by itself is in the history of each alert.",
        facts=[
            (str(len(found.entries)), "acts", ""),
            (str(len(people)), "people and files", ""),
            (str(len(patients)), "patients concerned", ""),
        ],
        figure=Columns(
            title="Who did how much",
            parts=[Part(name="acts", tone="one")],
            bars=[(who, (count,), str(count)) for who, count in people.most_common(_BUSIEST)],
            unit=f"the {_BUSIEST} busiest at most",
        ),
        tables=[
            Table(
                title="In the order it happened",
                columns=columns,
                rows=[
                    (instant_text(it.at, found.zone), it.who, it.what, it.about, it.mrn, it.note)
                    for it in found.entries
                ],
                empty="Nobody did anything in these days.",
            ),
            Table(title="By kind", columns=["What", "Times"], rows=kinds.most_common()),
        ],
    )  # fmt: skip
