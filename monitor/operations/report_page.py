"""A report as one page to look at, print and file: tables and a figure, complete in itself.

The page has no script and asks for nothing from anywhere; its figure is inline SVG that takes
its colours from the page, so light, dark and paper each have their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import count
from math import ceil
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor.config import Settings
from monitor.core.calendar import instant_text
from monitor.delivery.words import PURPOSE, pretty
from monitor.resources import templates_folder

_TALL, _WIDE, _LEFT, _BOTTOM, _TOP = 220, 880, 44, 26, 18
_STEP = 72
"""How far apart columns are at most, where there are few: so few fit a telephone."""
_NARROW = 576
_LINES = 4
_DAY = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}")
_ROUND = (1, 2, 5)
"""What the lines of a figure are multiples of, and of ten times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under headings; a cell that is a number stands on the right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    total: Sequence[Any] = ()
    empty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One layer of a stacked column; `tone` is a class of the page's style."""

    name: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Stacked columns: for each label the numbers of the parts, and what is written on top."""

    title: str
    parts: Sequence[Part]
    bars: Sequence[tuple[str, Sequence[int], str]]
    unit: str
    empty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One report."""

    title: str
    span: str
    about: str
    facts: Sequence[tuple[str, str, str]]
    """A number, what it is, and what is said below it."""
    figure: Columns | None
    tables: Sequence[Table]
    notes: Sequence[str] = ()


def render(page: Page, settings: Settings, now: datetime) -> str:
    """The page as HTML."""
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            figure=drawn(page),
            clinic=settings.clinic.name,
            made=instant_text(now, settings.clinic.zone),
            purpose=PURPOSE,
        )
    )


def drawn(page: Page) -> Markup:
    """The page's figure as SVG; empty where it has none."""
    return _svg(page.figure) if page.figure is not None and page.figure.bars else Markup()


def is_amount(value: object) -> bool:
    """Whether a cell is a number, or a share in percent, and stands on the right."""
    return isinstance(value, int | float) or (isinstance(value, str) and value.endswith(" %"))


def is_day(value: object) -> bool:
    """Whether a cell is a day, and stands in one line."""
    return isinstance(value, date) or (isinstance(value, str) and bool(_DAY.fullmatch(value)))


def shown(value: object) -> object:
    """A cell as people read it; nothing for None."""
    if value is None or isinstance(value, date):
        return day_words(value)
    return pretty(value) if isinstance(value, str) else value


def _svg(columns: Columns) -> Markup:
    """The stacked columns, drawn; every number of them is in a table as well."""
    lines = _ticks(max((sum(numbers) for _, numbers, _ in columns.bars), default=0))
    most = lines[-1]
    step = min((_WIDE - _LEFT) / len(columns.bars), _STEP)
    wide = round(_LEFT + step * len(columns.bars))
    width = min(step * 2 / 3, 64)
    plot = _TALL - _TOP - _BOTTOM
    shapes: list[str] = []
    for line in lines:
        y = _TOP + plot - plot * line / most
        shapes.append(f'<line class="grid" x1="{_LEFT}" x2="{wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        shapes.append(
            f'<text class="axis" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{line}</text>'
        )
    for place, (label, numbers, above) in enumerate(columns.bars):
        x = _LEFT + step * place + (step - width) / 2
        y = float(_TOP + plot)
        for part, number in zip(columns.parts, numbers, strict=True):
            height = plot * number / most
            y -= height
            if number:
                shapes.append(
                    f'<rect class="{part.tone}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                    f'height="{max(height - 1, 1):.1f}"><title>{_escaped(label)}: {number} '
                    f"{_escaped(part.name)}</title></rect>"
                )
        middle = x + width / 2
        shapes.append(
            f'<text class="above" x="{middle:.1f}" y="{y - 4:.1f}" text-anchor="middle">'
            f"{_escaped(above)}</text>"
            f'<text class="axis" x="{middle:.1f}" y="{_TALL - _BOTTOM + 18}" '
            f'text-anchor="middle">{_escaped(label)}</text>'
        )
    drawn = "".join(shapes)
    many = ' class="many"' if wide > _NARROW else ""
    return Markup(  # noqa: S704  # numbers, and words that were escaped above
        f'<svg{many} width="{wide}" height="{_TALL}" viewBox="0 0 {wide} {_TALL}" role="img" '
        f'aria-label="{_escaped(columns.title)}">{drawn}</svg>'
    )


def _ticks(most: int) -> list[int]:
    """Round numbers from 0 to what no column is higher than."""
    steps = (times * 10**power for power in count() for times in _ROUND)
    step = next(it for it in steps if it * _LINES >= most)
    last = ceil(max(most, 1) / step) * step
    return list(range(0, last + 1, step))


def _escaped(text: str) -> str:
    return str(Markup.escape(text))


def day_words(day: date | None) -> str:
    """A day as people read it in a table; empty where there is none."""
    return "" if day is None else f"{day.day} {day:%b %Y}"


def share(part: int, whole: int) -> str:
    """A share in percent, never rounded to all or to none; nothing where there is no whole."""
    if whole == 0:
        return ""
    percent = round(100 * part / whole)
    if 0 < part < whole and percent in (0, 100):
        return "< 1 %" if percent == 0 else "> 99 %"
    return f"{percent} %"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder() / "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["amount"] = is_amount
    environment.tests["day"] = is_day
    environment.filters["shown"] = shown
    return environment
