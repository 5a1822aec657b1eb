"""What the database knows beside events and samples of why a test is missing: silent feeds, rows in
quarantine, what people did about the overdue alert. And when superseded results had come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.findings import day_text, named
from monitor.core.gap_reasons import Ground, Reason, Tie
from monitor.core.judges import View
from monitor.core.known_since import Received
from monitor.core.meanings import read_meanings
from monitor.core.outcomes import CONTACT, DECLINED, UNANSWERED
from monitor.core.vocabulary import Kind, Status
from monitor.operations.feed_outages import Outage
from monitor.store import tables
from monitor.store.alerts import ACKNOWLEDGED, CONTACTED, SNOOZED, history_of
from monitor.store.frames import chunks
from monitor.store.histories import Histories
from monitor.store.silent_feeds import title_of
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_HELD = table_of(tables.HeldRowTable)
_RESULTS = table_of(tables.ResultRow)
_ONE_DAY = timedelta(days=1)
_OF_CONTACT = {
    UNANSWERED: Reason.NOT_REACHED,
    "message_left": Reason.NOT_REACHED,
    "welfare_check_asked": Reason.NOT_REACHED,
    DECLINED: Reason.DECLINED,
    "moved_away": Reason.LOST,
    "stopped_by_itself": Reason.LOST,
}
"""Any other outcome: there was contact, and the test is not done all the same."""


def of_feeds(view: View, outages: Mapping[str, Sequence[Outage]]) -> Iterator[Ground]:
    """The silences of the source that the patient's results came from until then."""
    results = view.case.results
    for source, own in outages.items():
        for it in own:
            silent = start_of_day(it.last.date() + _ONE_DAY, view.zone)
            latest = max(
                (result for result in results if result.received_at < silent),
                key=lambda result: (result.received_at, result.id),
                default=None,
            )
            if latest is None or latest.source != source:
                continue
            last_on = it.last.date()
            yield Ground(
                reason=Reason.FEED_SILENT,
                first=last_on + _ONE_DAY,
                end=it.back_on,
                said=f"nothing from {title_of(source)}, missed since {day_text(it.noticed_on)}",
                record="arrivals of files",
                recorded_on=last_on + _ONE_DAY,
                tie=Tie.BEGUN_IN_IT,
            )


def of_alerts(
    connection: Connection, enrolments: Collection[int], until: datetime, zone: ZoneInfo
) -> Mapping[int, list[Ground]]:
    """What people did about the overdue alerts of these enrolments up to an instant."""
    found: dict[int, list[Ground]] = defaultdict(list)
    for piece in chunks(sorted(enrolments)):
        query = select(_ALERTS.c.id, _ALERTS.c.enrolment_id).where(
            _ALERTS.c.enrolment_id.in_(piece), _ALERTS.c.kind == Kind.OVERDUE_TEST.value
        )
        whose = {row.id: row.enrolment_id for row in connection.execute(query)}
        for ids in chunks(sorted(whose)):
            entries = [it for it in history_of(connection, ids) if it.at <= until]
            entries.sort(key=lambda it: (it.alert_id, it.id))
            for alert, own in groupby(entries, key=lambda it: it.alert_id):
                found[whose[alert]] += _of_alert(alert, list(own), zone)
    return found


def _of_alert(alert: int, history: Sequence[Row[Any]], zone: ZoneInfo) -> Iterator[Ground]:
    contacts = [it for it in history if it.what == CONTACTED]
    runs = [list(run) for _, run in groupby(contacts, key=_reason_of)]
    for number, run in enumerate(runs, start=1):
        end = clinic_day(runs[number][0].at, zone) if number < len(runs) else None
        yield _contacts(alert, run, end, zone)
    for number, entry in enumerate(history):
        if entry.what == SNOOZED:
            yield _put_aside(alert, entry, history[number + 1 :], zone)


def _reason_of(entry: Row[Any]) -> Reason:
    return _OF_CONTACT.get(entry.code, Reason.CONTACTED)


def _contacts(alert: int, run: Sequence[Row[Any]], end: date | None, zone: ZoneInfo) -> Ground:
    first, last = clinic_day(run[0].at, zone), clinic_day(run[-1].at, zone)
    words = run[-1].note or CONTACT.get(run[-1].code, run[-1].code)
    said = f"{day_text(last)}, {run[-1].by}: {words}"
    return Ground(
        reason=_reason_of(run[0]),
        first=first,
        end=end,
        said=f"{len(run)} attempts, the last {said}" if len(run) > 1 else said,
        record=f"alert {alert}",
        recorded_on=first,
        tie=Tie.SINCE_TEST,
    )


def _put_aside(alert: int, entry: Row[Any], later: Sequence[Row[Any]], zone: ZoneInfo) -> Ground:
    until, _, why = entry.note.removeprefix("until ").partition("; ")
    ended = [clinic_day(it.at, zone) for it in later if it.what in (ACKNOWLEDGED, SNOOZED)]
    on = clinic_day(entry.at, zone)
    return Ground(
        reason=Reason.PUT_ASIDE,
        first=on,
        end=min([date.fromisoformat(until), *ended]),
        said=f"until {day_text(date.fromisoformat(until))}, {entry.by}: {why}",
        record=f"alert {alert}",
        recorded_on=on,
        tie=Tie.SINCE_TEST,
    )


def of_held_rows(
    connection: Connection, views: Sequence[View], until: datetime, zone: ZoneInfo
) -> Mapping[int, list[Ground]]:
    """The rows of these patients that waited in quarantine, by enrolment; those of a file that was
    taken back are none."""
    rows: dict[int, list[Row[Any]]] = defaultdict(list)
    for piece in chunks(sorted({it.case.enrolment.patient_id for it in views})):
        query = select(_HELD).where(
            _HELD.c.patient_id.in_(piece),
            _HELD.c.analyte != "",
            _HELD.c.state != "reverted",
            _HELD.c.held_at <= until,
        )
        for row in connection.execute(query.order_by(_HELD.c.id)):
            rows[row.patient_id].append(row)
    return {
        it.case.enrolment.id: [
            ground
            for row in rows[it.case.enrolment.patient_id]
            for ground in _of_held(row, it, zone)
        ]
        for it in views
    }


def _of_held(row: Row[Any], view: View, zone: ZoneInfo) -> Iterator[Ground]:
    analytes = set(read_meanings(row.analyte, row.possible_values))
    panels = frozenset(it.id for it in view.protocol.panels if analytes.intersection(it.analytes))
    if not panels:
        return
    names = ", ".join(named(it, view.catalogue) for it in sorted(analytes))
    held_on = clinic_day(row.held_at, zone)
    on = row.collected_on or held_on
    resolved = None if row.resolved_at is None else clinic_day(row.resolved_at, zone)
    yield Ground(
        reason=Reason.HELD_ROW,
        first=on,
        end=resolved,
        said=names,
        record=f"held row {row.id}",
        recorded_on=held_on,
        tie=Tie.SINCE_TEST,
        panels=panels,
    )


def superseded(
    connection: Connection, patients: Collection[int], zone: ZoneInfo
) -> Mapping[int, Received]:
    """When results of these patients came first that another report superseded since: with them
    the test was known. Not of files that were taken back."""
    found: dict[int, dict[tuple[str, date], date]] = defaultdict(dict)
    histories = Histories(connection)
    for piece in chunks(sorted(patients)):
        which = _RESULTS.c.patient_id.in_(piece) & ~_RESULTS.c.stands & ~_RESULTS.c.taken_back
        for patient, _, it in histories.rows(which):
            if it.is_valid and it.status is not Status.WITHDRAWN:
                key, day = (it.analyte, it.collected_on), clinic_day(it.received_at, zone)
                found[patient][key] = min(day, found[patient].get(key, day))
    return found
