"""A small figure of a value's course against its limit, as a PNG for a mail.

Exact where it matters: a point is drawn as breaching because its decimal breaches, not
because of where a pixel fell; the limit line lies where a value equal to the limit would.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from monitor.core.threshold import Breach, above, below
from monitor.delivery.pen import (
    BREACH,
    FAINT,
    FINE,
    GRID,
    HEIGHT,
    INK,
    LIMIT,
    LINE,
    PAPER,
    WIDTH,
    ZONE,
    Pen,
)
from monitor.delivery.words import short_day

MOST_BYTES = 60 * 1024
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 40, 20, 24
_POWER = re.compile(r"(.*\b10)\*(\d+)(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of the course; `value` None is a sample without result."""

    at: datetime
    value: Decimal | None
    text: str
    comparator: str = ""
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What to draw; the oldest point first."""

    title: str
    unit: str
    points: tuple[Point, ...]
    limit: Decimal
    limit_text: str
    downward: bool
    zone: ZoneInfo
    days: tuple[str, ...] = ()
    """The points' days in words, with their year; in the reader's language."""
    limit_word: str = "limit"
    number: str = "1.5"
    """A number as the reader writes it: its second sign is the decimal mark."""

    def day(self, place: int) -> str:
        """The day of a point without its year."""
        words = self.days[place] if self.days else day_text(self.points[place].at, self.zone)
        return words.rpartition(" ")[0]

    def written(self, number: Decimal) -> str:
        return f"{number:f}".replace(".", self.number[1])


def day_text(at: datetime, zone: ZoneInfo) -> str:
    """`12 May 2026`, the clinic's day of an instant."""
    return short_day(at.astimezone(zone).date())


def is_worth_drawing(points: Sequence[Point]) -> bool:
    """A course needs two values."""
    return sum(point.value is not None for point in points) > 1


def breaches(point: Point, limit: Decimal, *, downward: bool) -> bool:
    """Whether the point lies beyond the limit for certain, as the rules compare."""
    compare = below if downward else above
    return point.value is not None and (
        compare(point.value, point.comparator, limit) is Breach.CERTAIN
    )


def alt_text(figure: Figure) -> tuple[str, ...]:
    """The figure in words: what it shows, then every number, its day, and whether it lies beyond
    the limit. Each is a sentence of its own, to be said in the reader's language."""
    side = "lower" if figure.downward else "upper"
    parts = [f"{figure.title} in {figure.unit}, {side} limit {figure.limit_text}"]
    for point in figure.points:
        words = f"{day_text(point.at, figure.zone)} {point.text}"
        if point.derived:
            words += " (derived)"
        if breaches(point, figure.limit, downward=figure.downward):
            words += " (below the limit)" if figure.downward else " (above the limit)"
        parts.append(words)
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values and instants lie, in CSS pixels from the top left."""

    low: Decimal
    high: Decimal
    first: datetime
    last: datetime

    def y(self, value: Decimal) -> float:
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - float(share) * (HEIGHT - _TOP - _BOTTOM)

    def x(self, at: datetime) -> float:
        inner = WIDTH - _LEFT - _RIGHT - 20
        span = (self.last - self.first) / timedelta(seconds=1)
        share = (at - self.first) / timedelta(seconds=1) / span if span else 0.5
        return _LEFT + 10 + share * inner


def frame(figure: Figure) -> Frame:
    """A scale that holds every value and the limit."""
    values = [point.value for point in figure.points if point.value is not None] + [figure.limit]
    return Frame(*scale(values), figure.points[0].at, figure.points[-1].at)


def scale(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The ends of a scale with some room around these values; it starts at 0 where that wastes
    little."""
    low, high = min(values), max(values)
    room = (high - low) / 8 or abs(high) / 4 or Decimal(1)
    bottom = low - room
    if low >= 0 and (bottom < 0 or low * 3 < high):
        bottom = Decimal(0)
    return bottom, high + room


@lru_cache(maxsize=64)
def draw(figure: Figure) -> bytes:
    """The PNG, far below 60 KB. Kept for the other recipients of the same alert."""
    pen = Pen()
    scale = frame(figure)
    _draw_ground(pen, figure, scale)
    _draw_course(pen, figure, scale)
    _draw_days(pen, figure, scale)
    return pen.png()


def _draw_ground(pen: Pen, figure: Figure, scale: Frame) -> None:
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    limit = scale.y(figure.limit)
    zone = (limit, floor) if figure.downward else (_TOP, limit)
    pen.box(_LEFT, zone[0], right, zone[1], ZONE)
    for tick in _ticks(scale):
        y = scale.y(tick)
        pen.line([(_LEFT, y), (right, y)], GRID)
        if abs(y - limit) > 13:
            pen.text(_LEFT - 6, y, figure.written(tick.normalize()), FAINT, "rm")
    pen.dashes(_LEFT, right, limit, LIMIT, 1.4)
    pen.text(_LEFT - 6, limit, figure.written(figure.limit), LIMIT, "rm")
    pen.text(_within(pen, right + 6, figure.limit_word), limit, figure.limit_word, LIMIT, "lm")
    _draw_title(pen, f"{figure.title}, {figure.unit}")


def _draw_title(pen: Pen, words: str) -> None:
    """Few fonts have every raised digit: the power of `10*9/L` is drawn small and higher."""
    power = _POWER.fullmatch(words)
    pieces = [(words, 11, 8.0)]
    if power is not None:
        pieces = [(power[1], 11, 8.0), (power[2], 8, 4.5), (power[3], 11, 8.0)]
    x = float(_LEFT)
    for piece, size, y in pieces:
        pen.text(x, y, piece, FAINT, "lm", size)
        x += pen.width(piece, size)


def _draw_course(pen: Pen, figure: Figure, scale: Frame) -> None:
    known = [
        (point, scale.x(point.at), scale.y(point.value))
        for point in figure.points
        if point.value is not None
    ]
    pen.curve([(x, y) for _, x, y in known], LINE, 1.6)
    for point in figure.points:
        if point.value is None:
            pen.cross(scale.x(point.at), HEIGHT - _BOTTOM - 7, 3.5, FAINT, 1.6)
    for point, x, y in known:
        bad = breaches(point, figure.limit, downward=figure.downward)
        _draw_mark(pen, point, x, y, BREACH if bad else FINE)
    point, x, y = known[-1]
    bad = breaches(point, figure.limit, downward=figure.downward)
    near_limit = abs(y - scale.y(figure.limit)) < 13
    shift = 0.0 if not near_limit else (13.0 if y >= scale.y(figure.limit) else -13.0)
    colour = BREACH if bad else FINE
    pen.text(_within(pen, x + 9, point.text, 14), y + shift, point.text, colour, "lm", 14)


def _within(pen: Pen, x: float, words: str, size: float = 11) -> float:
    """Where words begin that would begin at `x`, were the picture not at its end."""
    return min(x, WIDTH - 2 - pen.width(words, size))


def _draw_mark(pen: Pen, point: Point, x: float, y: float, colour: str) -> None:
    """A dot; a ring where the value was derived; a triangle that points where a censored
    value may lie."""
    if point.comparator:
        tip = 6.5 if point.comparator.startswith("<") else -6.5
        pen.shape([(x - 6, y - tip * 0.7), (x + 6, y - tip * 0.7), (x, y + tip)], colour)
    elif point.derived:
        pen.dot(x, y, 4.2, PAPER, colour)
    else:
        pen.dot(x, y, 4, colour, colour)


def _draw_days(pen: Pen, figure: Figure, scale: Frame) -> None:
    """The last day, the first, then whatever else has room."""
    taken: list[tuple[float, float]] = []
    places = range(len(figure.points))
    for place in (places[-1], *places[:-1]):
        point, words = figure.points[place], figure.day(place)
        half = pen.width(words) / 2 + 5
        x = scale.x(point.at)
        if all(x + half < left or x - half > right for left, right in taken):
            taken.append((x - half, x + half))
            pen.text(x, HEIGHT - _BOTTOM + 13, words, INK, "mm")


def _ticks(scale: Frame) -> list[Decimal]:
    """Three to six round numbers within the scale."""
    span = scale.high - scale.low
    size = Decimal(10) ** (span.adjusted() - 1)
    step = next(size * n for n in (1, 2, 5, 10, 20, 50, 100) if span / (size * n) <= 5)
    first = (scale.low / step).to_integral_value(rounding="ROUND_CEILING") * step
    return [first + step * n for n in range(8) if first + step * n <= scale.high]
