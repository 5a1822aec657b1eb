"""The time line of a patient's page: phases, tests due and done, holds and alerts on one line of
days; the template draws it, and a table below says the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from monitor.core.adherence import Became
from monitor.core.findings import day_text
from monitor.core.vocabulary import Urgency
from monitor.operations.patient_file import Tests, Treatment
from monitor.web.course_figure import Band, Span, Tick, bands, ticks

LEFT, RIGHT = 1, 97
"""Where the days begin and end, in hundredths of the width: signs and words keep their size on a
telephone and on paper."""
ROW, HEAD, FOOT = 30, 24, 24
_LABEL, LEFTWARDS = 14, 70
"""Of phases nearer to each other only the later one is named; where the words of a phase would
not fit before the end, they stand on the left of its line."""
_AHEAD = 3
"""The days to come take a third as much room as those shown of the past."""
_SIGNS = {
    Became.IN_TIME: "done",
    Became.IN_GRACE: "done",
    Became.LATE: "late",
    Became.MISSED: "missed",
    Became.WAITING: "coming",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """Something on a day: `sign` is done, late, missed or coming, or the urgency of an alert;
    `count` is how many of them, the gravest of which is shown."""

    x: float
    sign: str
    text: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of signs with its name."""

    name: str
    y: int
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class TimeLine:
    """One enrolment's time line, ready to be written as SVG."""

    height: int
    today: float
    phases: tuple[Tick, ...]
    rows: tuple[Row, ...]
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    leftwards: int
    besides: tuple[tuple[str, date], ...]
    """Tests that are drawn and that answered no due day, with their days; latest first."""
    words: str
    """It in words for who does not see it."""


def of_treatment(treatment: Treatment, shown: Span, alerts: Sequence[Any]) -> TimeLine:
    """The days of `shown` and some to come; `alerts` are rows of the patient's alerts."""
    past = treatment.today - shown.first
    span = Span(shown.first, treatment.today + past / _AHEAD, LEFT, RIGHT)
    named = [(it.title, tuple(_tests(treatment, it, span))) for it in treatment.tests]
    named.append(("Alerts", tuple(_alerts(treatment, alerts, span))))
    rows = tuple(
        Row(name, HEAD + ROW * place + ROW // 2, signs) for place, (name, signs) in enumerate(named)
    )
    held = tuple(bands([treatment], span))
    return TimeLine(
        height=HEAD + ROW * len(rows) + FOOT,
        today=span.x(treatment.today),
        phases=tuple(_phases(treatment, span)),
        rows=rows,
        bands=held,
        ticks=tuple(ticks(span)),
        leftwards=LEFTWARDS,
        besides=tuple(
            (it.title, on)
            for it in treatment.tests
            for on in reversed(it.besides)
            if span.holds(on)
        ),
        words="; ".join([*map(_in_words, rows), *(band.text for band in held)]),
    )


def _in_words(row: Row) -> str:
    return f"{row.name}: {', '.join(sign.text for sign in row.signs) or 'nothing'}"


def _tests(treatment: Treatment, tests: Tests, span: Span) -> Iterator[Sign]:
    for test in tests.due:
        on = test.done_on or test.due_on
        if span.holds(on) and test.became is not Became.WAITING:
            was = f"due {day_text(test.due_on)}, {test.became.value.replace('_', ' ')}"
            yield Sign(span.x(on), _SIGNS[test.became], f"{day_text(on)} ({was})")
    for on in tests.besides:
        if span.holds(on):
            yield Sign(span.x(on), "done", f"{day_text(on)} (done)")
    overdue = tests.status.days_overdue
    for coming in treatment.coming:
        if coming.panel != tests.status.panel or not span.holds(coming.due_on):
            continue
        if overdue and coming.due_on == tests.status.due_on:
            text = f"due {day_text(coming.due_on)}, {overdue} days late"
            yield Sign(span.x(coming.due_on), "missed", text)
        else:
            yield Sign(span.x(coming.due_on), "coming", f"due {day_text(coming.due_on)}")


def _alerts(treatment: Treatment, alerts: Sequence[Any], span: Span) -> Iterator[Sign]:
    """Those that opened on one day as one sign: beside each other they would reach into days on
    which nothing opened."""
    on_day: defaultdict[date, list[Any]] = defaultdict(list)
    for row in alerts:
        on = date.fromisoformat(row["opened_at"][:10])
        if row["id"] in treatment.alerts and span.holds(on):
            on_day[on].append(row)
    for on, rows in on_day.items():
        kinds = Counter((Urgency(it["urgency"]), it["kind"].replace("_", " ")) for it in rows)
        worst = sorted(kinds, key=lambda it: -it[0].rank)
        told = "; ".join(_kind(kind, urgency, kinds[urgency, kind]) for urgency, kind in worst)
        yield Sign(span.x(on), worst[0][0].value, f"{day_text(on)} {told}", len(rows))


def _kind(kind: str, urgency: Urgency, count: int) -> str:
    return f"{kind}, {urgency.value}" if count == 1 else f"{count} of {kind}, {urgency.value}"


def _phases(treatment: Treatment, span: Span) -> Iterator[Tick]:
    """Where each phase of the schedule begins, by the tests that it asked for."""
    asked = [(it.due_on, it.phase) for test in treatment.tests for it in test.due]
    asked += [(it.due_on, it.phase) for it in treatment.coming]
    begun: list[Tick] = []
    before = ""
    for on, phase in sorted(asked):
        if phase != before and on <= span.last:
            before = phase
            begun.append(Tick(span.x(max(on, span.first)), phase.replace("_", " ")))
    for place, it in enumerate(begun):
        near = any(0 < other.x - it.x < _room(other.x) for other in begun[place + 1 :])
        yield Tick(it.x, "") if near else it


def _room(x: float) -> float:
    """How far before a phase at `x` the one before it has to be, for both to be named."""
    return 2 * _LABEL if x > LEFTWARDS else _LABEL
