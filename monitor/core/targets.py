"""What treatment should have brought to normal by now, and has not (founding brief: in
autoimmune hepatitis ALT and IgG must both become normal).

A value above its own upper limit makes the finding; an analyte never measured, or without a
limit to compare with, is named in it and makes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Finding
from monitor.core.case import Result
from monitor.core.findings import day_text, protocol_says, sentence
from monitor.core.indications import meant_for
from monitor.core.judged import measured
from monitor.core.protocol_care import Target
from monitor.core.threshold import Breach, above
from monitor.core.vocabulary import EnrolmentState, Kind, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

_OPEN = (EnrolmentState.ACTIVE, EnrolmentState.HELD, EnrolmentState.ELSEWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """Where one analyte stands: its latest value, whether above, and since when so."""

    analyte: str
    latest: Result | None
    is_above: bool | None
    """None: never measured, or no limit to compare with."""
    since: date | None
    text: str


def findings(view: View) -> Iterator[Finding]:
    """One finding for each target whose time has come and that a value misses."""
    for target in _entries(view):
        if view.today < target.after.after(view.life.first_dose_on):
            continue
        courses = [_course(name, target, view) for name in target.analytes]
        missing = [it for it in courses if it.is_above]
        if missing:
            yield _finding(target, courses, missing, view)


def wakes(view: View) -> Iterator[date]:
    """The day on which a target begins to count, and those on which it is told again."""
    for target in _entries(view):
        for number in range(1, _years(target, view) + 2):
            yield _told_on(target, number, view)


def considered(view: View) -> Iterator[Considered]:
    """Why each target kept quiet."""
    for target in view.protocol.targets:
        indication = view.case.enrolment.indication
        begins = target.after.after(view.life.first_dose_on)
        courses = [_course(name, target, view) for name in target.analytes]
        judged = True
        if not meant_for(target, indication):
            why: tuple[str, ...] = (f"not meant for the indication {indication or 'none'}",)
        elif view.life.state not in _OPEN:
            why = (f"the enrolment is {view.life.state}",)
        elif view.today < begins:
            lines = tuple(it.text for it in courses)
            why = (f"counts from {day_text(begins)}, {target.after} after the start", *lines)
        elif any(it.is_above for it in courses):
            continue
        else:
            why = tuple(it.text for it in courses)
            judged = all(it.is_above is not None for it in courses)
        yield Considered(
            room="target", subject=target.id, why=why, source=target.source, judged=judged
        )


def _entries(view: View) -> list[Target]:
    if view.life.state not in _OPEN:
        return []
    indication = view.case.enrolment.indication
    return [it for it in view.protocol.targets if meant_for(it, indication)]


def _finding(
    target: Target, courses: Sequence[_Course], missing: Sequence[_Course], view: View
) -> Finding:
    enrolment = view.case.enrolment
    first = missing[0]
    number = _years(target, view)
    begun = day_text(view.life.first_dose_on)
    assert first.latest is not None
    return Finding(
        enrolment_id=enrolment.id,
        cause=f"target:{target.id}",
        kind=Kind.TARGET,
        urgency=Urgency.ROUTINE,
        summary=f"{target.title}: not reached, {enrolment.drug} since {begun}; "
        + "; ".join(it.text for it in missing),
        source=target.source,
        analyte=first.analyte,
        latest=measured(first.latest),
        action=protocol_says(target.say),
        say=tuple(sentence(it.text) for it in courses if not it.is_above),
        arithmetic=tuple(it.text for it in courses),
        news=f"still not reached on {day_text(_told_on(target, number, view))}",
    )


def _years(target: Target, view: View) -> int:
    """How often it has been time to tell: 0 before the first time."""
    number = 0
    while number < _MOST_YEARS and _told_on(target, number + 1, view) <= view.today:
        number += 1
    return number


_MOST_YEARS = 100


def _told_on(target: Target, number: int, view: View) -> date:
    """The day of the first (1), second ... telling."""
    day = target.after.after(view.life.first_dose_on)
    for _ in range(number - 1):
        day = target.again_after.after(day)
    return day


def _course(name: str, target: Target, view: View) -> _Course:
    analyte = view.catalogue.analytes[name]
    own = [it for it in view.results.of(name) if it.is_valid]
    own.sort(key=lambda it: (it.collected_at, it.id))
    limits = dict(target.default_uln)
    judged = [
        _worst([(it, _is_above(it, limits.get(name))) for it in together])
        for _, together in groupby(own, key=lambda it: it.collected_at)
    ]
    latest = judged[-1] if judged else None
    if latest is None:
        text = f"{analyte.title} was never measured"
        return _Course(analyte=name, latest=None, is_above=None, since=None, text=text)
    result, is_above = latest
    shown = f"{analyte.title} {result.comparator}{result.value:f} {analyte.unit}"
    where = f"{shown} on {day_text(result.collected_on)}"
    if is_above is None:
        text = f"{where}: no upper limit came with it, so it could not be judged"
        return _Course(analyte=name, latest=result, is_above=None, since=None, text=text)
    since = _since(judged)
    uln = result.usable_uln
    whose = "its own upper limit" if uln is not None else "the protocol's upper limit"
    limit = uln if uln is not None else limits[name]
    how = "above" if is_above else "not above"
    text = f"{where}: {how} {whose}, {limit:f} {analyte.unit}, since {day_text(since)}"
    return _Course(analyte=name, latest=result, is_above=is_above, since=since, text=text)


def _is_above(result: Result, default: Decimal | None) -> bool | None:
    limit = result.usable_uln or default
    if limit is None or result.value is None:
        return None
    return above(result.value, result.comparator, limit) is not Breach.NO


def _worst(judged: Sequence[tuple[Result, bool | None]]) -> tuple[Result, bool | None]:
    """Values of one instant are judged as one: one above before one that is not, and that before
    one that could not be judged."""
    return max(judged, key=lambda it: (it[1] is not None, bool(it[1])))


def _since(judged: Sequence[tuple[Result, bool | None]]) -> date:
    """The day of the first of the latest values in a row that agree."""
    last = judged[-1][1]
    first = judged[-1][0]
    for result, is_above in reversed(judged):
        if is_above is not last:
            break
        first = result
    return first.collected_on
