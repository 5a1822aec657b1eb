"""Two protocols side by side: their calendars, their ladders, and where one is looser.

A calendar is that of a patient who is tested on every due day. In each month of treatment a
panel's longest wait is the longest time from one test (or the start) to the next of which a
week lies in the month; the protocol that lets a patient wait longer is the looser one there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from monitor.core import due
from monitor.core.calendar import Duration
from monitor.core.catalogue import Catalogue
from monitor.core.protocol import Level, Panel, Protocol, Rule
from monitor.core.vocabulary import Kind, Urgency

_MONTHS = 12
"""Of treatment that are compared at least."""
_WEEK = 7
_SEVERITY = (Kind.REVIEW, Kind.DOSE_REDUCTION, Kind.WITHHOLD, Kind.DISCONTINUE)
_URGENCIES = (Urgency.URGENT, Urgency.CRITICAL)
_TESTS = (
    "below", "above", "above_times_uln", "rise_from_baseline", "fall_from_baseline",
    "falls_in_a_row",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """One month of treatment of one panel, for both protocols."""

    panel: str
    month: int
    tests: tuple[int, int]
    longest_wait_days: tuple[int | None, int | None]
    """None: the protocol does not ask for the panel in that month at all."""
    looser: int | None
    """0 or 1; None where neither is."""


@dataclass(frozen=True, slots=True)
class Step:
    """The limit at which each protocol first asks for so much on an analyte: for an action or a
    severer one, or for anything of an urgency or a graver one."""

    analyte: str
    test: str
    asks: Kind | Urgency
    limits: tuple[Decimal | None, Decimal | None]
    looser: int | None


@dataclass(frozen=True, slots=True)
class Looser:
    """A stretch of months, or a limit, where one protocol is looser than the other."""

    which: int
    about: str
    months: tuple[int, int] | None
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    protocols: tuple[Protocol, Protocol]
    start: date
    span: Duration
    """Of treatment that is compared: to the first month in which both are in their last phase, or
    over."""
    calendars: tuple[dict[str, tuple[date, ...]], dict[str, tuple[date, ...]]]
    months: tuple[Month, ...]
    steps: tuple[Step, ...]
    looser: tuple[Looser, ...]


def compare(a: Protocol, b: Protocol, catalogue: Catalogue, start: date) -> Comparison:
    """Both calendars from a start day, both ladders, and where one is looser."""
    span = _span((a, b), start)
    end, horizon = span.after(start), Duration(months=2 * span.months).after(start)
    asked = {it.id: it for p in (b, a) for it in _asked(p)}
    panels = list(dict.fromkeys(it.id for p in (a, b) for it in _asked(p)))
    days = tuple(
        {name: _days(p, _answering(p, asked[name]), start, horizon) for name in panels}
        for p in (a, b)
    )
    months = tuple(
        _month(name, number, (days[0][name], days[1][name]), start)
        for name in panels
        for number in range(1, span.months + 1)
    )
    steps = tuple(_steps(a, b))
    looser = (
        *_looser_months(months, (a, b), span.months),
        *_not_asked((a, b), catalogue),
        *_looser_steps(steps, (a, b), catalogue),
    )
    shown = tuple(
        {name: tuple(day for day in found if day <= end) for name, found in calendar.items()}
        for calendar in days
    )
    return Comparison((a, b), start, span, (shown[0], shown[1]), months, steps, looser)


def _span(protocols: Sequence[Protocol], start: date) -> Duration:
    """A year, or as many months as their phases last and one more: what is said of its last month
    holds for ever."""
    ends = [it.until.after(start) for p in protocols for it in p.phases if it.until is not None]
    months = _MONTHS
    while ends and Duration(months=months - 1).after(start) < max(ends):
        months += 1
    return Duration(months=months, text=f"{months} months")


def _asked(protocol: Protocol) -> list[Panel]:
    """The panels that some phase asks for."""
    phases = protocol.phases
    return [it for it in protocol.panels if any(phase.schedule(it.id) for phase in phases)]


def _answering(protocol: Protocol, panel: Panel) -> str:
    """The panel of a protocol that is this one by its name, or has all that this one asks for:
    sites call the same test otherwise. Empty where none does."""
    ours = _asked(protocol)
    if any(it.id == panel.id for it in ours):
        return panel.id
    return next((it.id for it in ours if _has_all(it, panel)), "")


def _has_all(panel: Panel, of: Panel) -> bool:
    """Whether a day that completes the one panel completes the other."""
    sure = set(panel.all_of)
    return sure.issuperset(of.all_of) and all(
        sure & set(group) or any(set(it) <= set(group) for it in panel.any_of)
        for group in of.any_of
    )


def _not_asked(protocols: tuple[Protocol, Protocol], catalogue: Catalogue) -> Iterator[Looser]:
    """What one asks for with some test, and the other with none."""
    for which, here in enumerate(protocols):
        there = protocols[1 - which]
        known = {name for panel in _asked(here) for name in panel.analytes}
        for panel in _asked(there):
            for name in panel.all_of:
                if name not in known:
                    known.add(name)
                    title = catalogue.analytes[name].title
                    text = f"{title}: {here.id} asks for none, {there.id} with {panel.title}"
                    yield Looser(which, name, None, text)


def _days(protocol: Protocol, panel: str, start: date, end: date) -> tuple[date, ...]:
    """Every due day of a patient tested on each, to one beyond the end."""
    if not panel:
        return ()
    found: list[date] = []
    last: date | None = None
    while last is None or last <= end:
        duty = due.scheduled(protocol, panel, last, (start,), last or start)
        if duty is None or (last is not None and duty.due_on <= last):
            break
        last = duty.due_on
        found.append(last)
    return tuple(found)


def _month(
    panel: str, number: int, days: tuple[tuple[date, ...], tuple[date, ...]], start: date
) -> Month:
    first = Duration(months=number - 1).after(start) + timedelta(days=number > 1)
    last = Duration(months=number).after(start)
    waits = tuple(_longest_wait(found, start, first, last) for found in days)
    return Month(
        panel=panel,
        month=number,
        tests=(_count(days[0], first, last), _count(days[1], first, last)),
        longest_wait_days=(waits[0], waits[1]),
        looser=_looser(waits[0], waits[1]),
    )


def _count(days: Sequence[date], first: date, last: date) -> int:
    return sum(first <= day <= last for day in days)


def _longest_wait(days: Sequence[date], start: date, first: date, last: date) -> int | None:
    """The longest time between two neighbouring tests (the start counts as one) of which a week
    or more lies in the month; None where the panel is not asked for."""
    waits = []
    for before, after in zip((start, *days), days, strict=False):
        within = (min(after, last) - max(before, first - timedelta(days=1))).days
        if within >= min(_WEEK, (after - before).days):
            waits.append((after - before).days)
    return max(waits, default=None)


def _looser(a: int | None, b: int | None) -> int | None:
    """Waiting longer, or not being asked at all. Months and weeks that name the same interval
    (4 weeks, 1 month) differ by days only, and that is no difference."""
    if a is None or b is None:
        return None if a is b else (0 if a is None else 1)
    longer, shorter = max(a, b), min(a, b)
    if longer - shorter <= max(3, shorter // 8):
        return None
    return 0 if a > b else 1


def _steps(a: Protocol, b: Protocol) -> Iterator[Step]:
    """For every analyte and test where each protocol first asks for each action; and where for
    each urgency, unless an action says the same: what becomes critical may ask for no more."""
    keys = dict.fromkeys(
        (rule.analyte, _test(level)) for p in (a, b) for rule in p.rules for level in rule.levels
    )
    for analyte, test in keys:
        levels = [_levels(p, analyte, test) for p in (a, b)]
        said = set()
        for asks in (*_SEVERITY, *_URGENCIES):
            if not any(asks in (it.action, it.urgency) for found in levels for it in found):
                continue
            first, second = (_first_limit(found, test, asks) for found in levels)
            if (first, second) == (None, None) or (
                isinstance(asks, Urgency) and (first, second) in said
            ):
                continue
            said.add((first, second))
            looser = _further((first, second), test == "below")
            yield Step(analyte, test, asks, (first, second), looser)


def _levels(protocol: Protocol, analyte: str, test: str) -> list[Level]:
    """Those that hold for everybody."""
    return [
        level
        for rule in protocol.rules
        if rule.analyte == analyte and _is_for_all(rule)
        for level in rule.levels
        if _test(level) == test
    ]


def _first_limit(levels: Sequence[Level], test: str, asks: Kind | Urgency) -> Decimal | None:
    """The mildest limit at which so much or more is asked for."""
    limits = [Decimal(getattr(it, test)) for it in levels if _reaches(it, asks)]
    if not limits:
        return None
    return max(limits) if test == "below" else min(limits)


def _reaches(level: Level, asks: Kind | Urgency) -> bool:
    if isinstance(asks, Urgency):
        return level.urgency.rank >= asks.rank
    return _SEVERITY.index(level.action) >= _SEVERITY.index(asks)


def _is_for_all(rule: Rule) -> bool:
    return not rule.indications


def _further(limits: Sequence[Decimal | None], downward: bool) -> int | None:
    a, b = limits
    if a == b:
        return None
    if a is None or b is None:
        return 0 if a is None else 1
    return 0 if (a < b) is downward else 1


def _test(level: Level) -> str:
    return next(test for test in _TESTS if getattr(level, test) is not None)


def _looser_months(
    months: Sequence[Month], protocols: tuple[Protocol, Protocol], final: int
) -> Iterator[Looser]:
    """Months in a row where the same protocol is looser, as one stretch."""
    run: list[Month] = []
    for month in [*months, None]:
        joins = (
            month is not None
            and run
            and (month.panel, month.looser) == (run[-1].panel, run[-1].looser)
            and month.month == run[-1].month + 1
        )
        if run and not joins:
            yield _stretch(run, protocols, final)
            run = []
        if month is not None and month.looser is not None:
            run.append(month)


def _stretch(run: Sequence[Month], protocols: tuple[Protocol, Protocol], final: int) -> Looser:
    which = run[0].looser
    assert which is not None
    first, last = run[0].month, run[-1].month
    span = f"month {first}" if first == last else f"months {first}-{last}"
    goes_on = last == final
    span = f"from month {first} on" if goes_on else span
    here, there = protocols[which], protocols[1 - which]
    title = next(it for p in protocols for it in p.panels if it.id == run[0].panel).title
    mine, other = (_wait(run, it, counted=not goes_on) for it in (which, 1 - which))
    text = f"{title}, {span}: {here.id} {mine}, {there.id} {other}"
    return Looser(which, run[0].panel, (first, last), text)


def _wait(run: Sequence[Month], which: int, *, counted: bool) -> str:
    waits = [it.longest_wait_days[which] for it in run]
    known = [wait for wait in waits if wait is not None]
    if not known:
        return "asks for none"
    wait = f"a wait of up to {max(known)} days"
    count = sum(it.tests[which] for it in run)
    tests = "1 test" if count == 1 else f"{count} tests"
    return f"{tests}, {wait}" if counted else wait


def _looser_steps(
    steps: Sequence[Step], protocols: tuple[Protocol, Protocol], catalogue: Catalogue
) -> Iterator[Looser]:
    for step in steps:
        if step.looser is None:
            continue
        here, there = protocols[step.looser], protocols[1 - step.looser]
        mine, other = step.limits[step.looser], step.limits[1 - step.looser]
        assert other is not None
        asks = step.asks.replace("_", " ")
        analyte = catalogue.analytes[step.analyte]
        at = _limit_text(step.test, other, analyte.unit)
        says = "never" if mine is None else f"only {_limit_text(step.test, mine, analyte.unit)}"
        text = f"{analyte.title}, {asks} (or more): {here.id} {says}, {there.id} {at}"
        yield Looser(step.looser, step.analyte, None, text)


def _limit_text(test: str, limit: Decimal, unit: str) -> str:
    return {
        "below": f"below {limit:f} {unit}",
        "above": f"above {limit:f} {unit}",
        "above_times_uln": f"above {limit:f} x ULN",
        "rise_from_baseline": f"more than {limit:f} % above baseline",
        "fall_from_baseline": f"more than {limit:f} % below baseline",
        "falls_in_a_row": f"at {limit:f} falls in a row",
    }[test]
