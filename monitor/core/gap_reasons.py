"""What is on record that explains days without a test: of the patient, the treatment, the sample.

None of it excuses a day: it stands beside it. A reason holds from the day it is about; that it was
recorded later is said. What people and the laboratory's feed tell is gathered outside and given as
`Ground`s like those of the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.core.adherence import Lapse
from monitor.core.calendar import clinic_day
from monitor.core.case import Event, in_turn
from monitor.core.findings import day_text, named
from monitor.core.judges import View
from monitor.core.life import parse_day, pauses
from monitor.core.panels import days_in_part
from monitor.core.spans import ONE_DAY, Span, within


class Reason(StrEnum):
    """Why a day had no test. A day with several counts under the first of them: what kept a test
    from being known or done, before what the treatment was and what was done about it."""

    ELSEWHERE = "monitored_elsewhere"
    FEED_SILENT = "feed_silent"
    HELD_ROW = "held_row"
    INCOMPLETE = "incomplete_sample"
    INPATIENT = "inpatient"
    AWAY = "away"
    LOST = "lost_to_follow_up"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"
    TRANSFER = "transfer_not_accepted"
    SUPPLY = "supply_ran_out"
    NOT_STARTED = "start_not_confirmed"
    HOLD = "hold"
    CONTACTED = "contacted"
    PUT_ASIDE = "put_aside"
    NOTHING = "nothing_on_record"

    @property
    def rank(self) -> int:
        return _RANK[self]


_RANK = {it: number for number, it in enumerate(Reason)}


class Tie(StrEnum):
    """To which days without a test something on record belongs."""

    ITS_DAYS = "its days"
    SINCE_TEST = "since the test before"
    """It ends with the next test: what was said before the last one explains nothing after it."""
    BEGUN_IN_IT = "begun in it"
    """It explains only a test that became overdue while it lasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Something on record that explains a missing test from a day on."""

    reason: Reason
    first: date
    end: date | None
    """The first day on which it holds no more; None: it lasts."""
    said: str
    record: str
    """Where it stands: an event's file and line, an alert, a held row."""
    recorded_on: date
    tie: Tie = Tie.ITS_DAYS
    panels: frozenset[str] | None = None
    """Those it is about; None: all."""

    def explains(self, lapse: Lapse) -> list[Span]:
        """The days of a lapse that it explains."""
        if self.panels is not None and lapse.panel not in self.panels:
            return []
        if self.tie is Tie.SINCE_TEST and lapse.last_done and self.first <= lapse.last_done:
            return []
        if self.tie is Tie.BEGUN_IN_IT and lapse.days[0] < self.first:
            return []
        return within(lapse.days, [(self.first, self.end or date.max)])


def of_events(view: View) -> Iterator[Ground]:
    """What the events up to the day of the view tell."""
    past = [it for it in in_turn(view.case.events) if it.on <= view.today]
    yield from _holds(past, view.zone)
    for number, event in enumerate(past):
        later = past[number + 1 :]
        match event.event:
            case "inpatient" | "away":
                until = parse_day(event.value)
                said = f"until {day_text(until)}" if until else ""
                yield _of(Reason(event.event), event, until, said, view.zone)
            case "declined":
                yield _of(Reason.DECLINED, event, None, "", view.zone, Tie.SINCE_TEST)
            case "transfer_out":
                end = _first(later, "accepted_by")
                said = f"to {event.value}"
                yield _of(Reason.TRANSFER, event, end, said, view.zone)
            case "supply":
                ran_out = event.on + timedelta(days=int(event.value))
                end = _first(later, "supply")
                yield _of(Reason.SUPPLY, event, end, "", view.zone, first=ran_out)
    yield from _not_started(view, past)


def of_samples(view: View, lapse: Lapse) -> Iterator[Ground]:
    """Samples since the last completion that did not make the panel whole."""
    panel = view.protocol.panel(lapse.panel)
    last = lapse.days[1] - ONE_DAY
    in_part = dict(days_in_part(panel, view.results, lapse.last_done, last))
    rows = [it for name in panel.analytes for it in view.results.rows(name)]
    since = lapse.last_done or date.min
    for day in sorted({it.collected_on for it in rows if since < it.collected_on <= last}):
        lacking = ", ".join(named(name, view.catalogue) for name in in_part.get(day, ()))
        came = (it.received_at for it in rows if it.collected_on == day)
        yield Ground(
            reason=Reason.INCOMPLETE,
            first=day,
            end=None,
            said=f"no {lacking or 'value that counts'}",
            record="results",
            recorded_on=clinic_day(min(came), view.zone),
            tie=Tie.SINCE_TEST,
            panels=frozenset({lapse.panel}),
        )


def attested(view: View, span: Span) -> Iterator[Ground]:
    """The events by which another clinic monitored on these days."""
    past = [it for it in in_turn(view.case.events) if it.on <= view.today]
    for number, event in enumerate(past):
        until = parse_day(event.value) if event.event == "monitored_elsewhere" else None
        if until is None:
            continue
        next_on = _first(past[number + 1 :], "monitored_elsewhere", "back")
        own = (event.on, until if next_on is None else min(until, next_on))
        if own[0] < own[1] and within(span, [own]):
            said = f"until {day_text(until)}"
            yield _of(Reason.ELSEWHERE, event, own[1], said, view.zone)


def record_of(event: Event) -> str:
    """Where an event was recorded."""
    return f"event, file {event.file_id} line {event.line}"


def _holds(past: Sequence[Event], zone: ZoneInfo) -> Iterator[Ground]:
    for pause in pauses(past):
        event = next(it for it in past if it.event == "hold" and it.on == pause.since)
        yield _of(Reason.HOLD, event, pause.until, "", zone)


def _not_started(view: View, past: Sequence[Event]) -> Iterator[Ground]:
    enrolment = view.case.enrolment
    if enrolment.started_on > enrolment.enrolled_on:
        yield Ground(
            reason=Reason.NOT_STARTED,
            first=enrolment.enrolled_on,
            end=_first(past, "start"),
            said=f"planned for {day_text(enrolment.started_on)}",
            record="enrolment",
            recorded_on=enrolment.enrolled_on,
        )


def _first(events: Sequence[Event], *kinds: str) -> date | None:
    return next((it.on for it in events if it.event in kinds), None)


def _of(
    reason: Reason,
    event: Event,
    end: date | None,
    said: str,
    zone: ZoneInfo,
    tie: Tie = Tie.ITS_DAYS,
    first: date | None = None,
) -> Ground:
    return Ground(
        reason=reason,
        first=first or event.on,
        end=end,
        said=", ".join(it for it in (said, event.note) if it),
        record=record_of(event),
        recorded_on=clinic_day(event.received_at, zone),
        tie=tie,
    )
