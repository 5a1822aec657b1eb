"""Where things lie in the small figures of a patient's page; the template draws them.

All figures of a page share one span of days, so that a dose and a count of the same week stand
below each other. A point is marked as breaching because its decimal breaches, as in a mail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from monitor.core.case import Result
from monitor.core.findings import day_text
from monitor.core.threshold import Breach, above, below, worse
from monitor.delivery.figure import scale
from monitor.operations.patient_courses import Course, Limit
from monitor.operations.patient_file import Treatment

WIDTH, HEIGHT = 300, 116
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 40, 10, 22
_TICKS = 4
_LABEL = 12
"""Lines nearer to each other share the first one's number."""
_LEAST_DAYS = 42
"""A shorter span would draw two days as a trend."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a page's figures show, laid out from `left` to `right`."""

    first: date
    last: date
    left: int = _LEFT
    right: int = WIDTH - _RIGHT

    def x(self, day: date) -> float:
        share = (day - self.first) / (self.last - self.first)
        return round(self.left + share * (self.right - self.left), 1)

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Mark:
    """One value; `sign` is its comparator."""

    x: float
    y: float
    breach: bool
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit as a line with the room beyond it."""

    y: float
    text: str
    label: str
    urgency: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Band:
    """A time in which the drug was held."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A word at a place: the dose where it changes."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure, ready to be written as SVG."""

    path: str
    marks: tuple[Mark, ...]
    rules: tuple[Rule, ...]
    ticks: tuple[Tick, ...]
    bands: tuple[Band, ...]
    words: str
    """The figure for who does not see it."""
    earlier: int
    """Values before the span."""
    notes: tuple[Note, ...] = ()


def span_of(treatments: Sequence[Treatment], results: Sequence[Result], months: int) -> Span | None:
    """The latest `months` months (0: all), no longer than there is anything to show."""
    if not treatments:
        return None
    today = max(it.today for it in treatments)
    days = [it.case.enrolment.started_on for it in treatments] + [it.collected_on for it in results]
    begun = min([day for day in days if day <= today], default=today)
    first = begun if not months else max(begun, today - timedelta(days=round(months * 30.4375)))
    return Span(min(first, today - timedelta(days=_LEAST_DAYS)), today + timedelta(days=1))


def of_course(course: Course, span: Span, treatments: Sequence[Treatment]) -> Drawn:
    """The course of one analyte within the span."""
    inside = [it for it in course.results if span.holds(it.collected_on)]
    shown = [(it, it.value) for it in inside if it.value is not None]
    limits = _worth_showing(course.limits, [value for _, value in shown])
    # Without a limit no number stands in the figure: from nought up, a small change looks small.
    known = [it.value for it in limits] or [Decimal(0)]
    low, high = scale([value for _, value in shown] + known)

    def y(value: Decimal) -> float:
        return _y(value, low, high)

    marks = tuple(
        Mark(
            span.x(result.collected_on),
            y(value),
            breaches(result, course.limits),
            result.comparator,
            f"{day_text(result.collected_on)}: {course.shown(result)} {course.unit}",
        )
        for result, value in shown
    )
    return Drawn(
        path=_path([(mark.x, mark.y) for mark in marks]),
        marks=marks,
        rules=tuple(_rules(limits, y)),
        ticks=tuple(ticks(span)),
        bands=tuple(bands(treatments, span)),
        words=_in_words(course, [result for result, _ in shown], limits),
        earlier=sum(it.collected_on < span.first for it in course.results),
    )


def of_doses(treatment: Treatment, span: Span) -> Drawn | None:
    """The dose in mg a day as steps; None where none is known."""
    doses = [it for it in treatment.doses if it.on <= span.last]
    if not doses:
        return None
    low, high = scale([it.mg for it in doses] + [Decimal(0)])
    points: list[tuple[float, float]] = []
    notes = []
    for place, given in enumerate(doses):
        until = doses[place + 1].on if place + 1 < len(doses) else span.last
        if until < span.first:
            continue
        level = _y(given.mg, low, high)
        begun = span.x(max(given.on, span.first))
        points += [(begun, level), (span.x(until), level)]
        notes.append(Note(begun, level - 4, f"{given.mg.normalize():f}"))
    return Drawn(
        path=_path(points),
        marks=(),
        rules=(),
        ticks=tuple(ticks(span)),
        bands=tuple(bands([treatment], span)),
        words="; ".join(str(given) for given in doses),
        earlier=0,
        notes=tuple(notes),
    )


def breaches(result: Result, limits: Sequence[Limit]) -> bool:
    """Whether a value lies beyond any limit for certain."""
    value = result.value
    return value is not None and any(
        (below if it.downward else above)(value, result.comparator, it.value) is Breach.CERTAIN
        for it in limits
    )


def _worth_showing(limits: Sequence[Limit], values: Sequence[Decimal]) -> list[Limit]:
    """The first limit on each side always, a graver one once the course comes near it: else the
    room below would flatten the course."""
    kept: list[Limit] = []
    for downward in (True, False):
        own = sorted((it for it in limits if it.downward is downward), key=lambda it: it.value)
        mildest_first = own[::-1] if downward else own
        kept += mildest_first[:1]
        for milder, limit in pairwise(mildest_first):
            if any(worse(value, milder.value, downward=downward) for value in values):
                kept.append(limit)
    return kept


def _y(value: Decimal, low: Decimal, high: Decimal) -> float:
    share = float((value - low) / (high - low))
    return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)


def _rules(limits: Sequence[Limit], y: Callable[[Decimal], float]) -> Iterator[Rule]:
    named: list[float] = []
    for limit in limits:
        at = y(limit.value)
        top, height = (at, HEIGHT - _BOTTOM - at) if limit.downward else (_TOP, at - _TOP)
        label = ""
        if all(abs(at - other) >= _LABEL for other in named):
            named.append(at)
            label = f"{limit.value:f}"
        yield Rule(at, limit.text, label, limit.urgency, top, max(0, height))


def bands(treatments: Sequence[Treatment], span: Span) -> Iterator[Band]:
    """The holds within the span."""
    for treatment in treatments:
        for pause in treatment.pauses:
            ended = pause.until or treatment.life.stopped_on or span.last
            since, until = max(pause.since, span.first), min(ended, span.last)
            if since < until:
                x = span.x(since)
                yield Band(x, round(span.x(until) - x, 1), f"held from {day_text(pause.since)}")


def ticks(span: Span) -> Iterator[Tick]:
    """Days along the foot of a figure."""
    length = (span.last - span.first).days
    for part in range(_TICKS):
        day = span.first + timedelta(days=round(length * part / (_TICKS - 1)))
        near = length < 365
        yield Tick(span.x(day), f"{day.day} {day:%b}" if near else f"{day:%b %Y}")


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if place else 'M'}{x:g} {y:g}" for place, (x, y) in enumerate(points))


def _in_words(course: Course, shown: Sequence[Result], limits: Sequence[Limit]) -> str:
    values = "; ".join(
        f"{day_text(it.collected_on)} {course.shown(it)}"
        + (" beyond a limit" if breaches(it, course.limits) else "")
        for it in shown
    )
    lines = ", ".join(it.text for it in limits)
    return f"in {course.unit}: {values or 'no value in this time'}" + (
        f". Limits: {lines}" if lines else ""
    )
