"""The time line of a patient's page: phases, tests due and done, holds and alerts on one line of
days; the template draws it, and a table below says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from monitor.core.adherence import Became
from monitor.core.findings import day_text
from monitor.operations.patient_file import Tests, Treatment
from monitor.web.course_figure import Band, Span, Tick, bands, ticks

LEFT, RIGHT = 1, 97
"""Where the days begin and end, in hundredths of the width: signs and words keep their size on a
telephone and on paper."""
ROW, HEAD, FOOT = 30, 24, 24
_BESIDE = 13
_LABEL = 14
"""Of phases nearer to each other only the later one is named."""
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
    `beside` are pixels to the right of its day."""

    x: float
    sign: str
    text: str
    beside: int = 0


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
    """Those of one day beside each other."""
    on_day: Counter[date] = Counter()
    for row in alerts:
        on = date.fromisoformat(row["opened_at"][:10])
        if row["id"] in treatment.alerts and span.holds(on):
            kind = row["kind"].replace("_", " ")
            text = f"{day_text(on)} {kind}, {row['urgency']}"
            yield Sign(span.x(on), row["urgency"], text, _BESIDE * on_day[on])
            on_day[on] += 1


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
        near = any(0 < other.x - it.x < _LABEL for other in begun[place + 1 :])
        yield Tick(it.x, "") if near else it
