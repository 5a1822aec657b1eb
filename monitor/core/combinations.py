"""Cell lines that are low together: what single counts do not say (`[[combinations]]`)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.core import findings as words
from monitor.core.answer import Considered, Finding
from monitor.core.episodes import Episode, episodes
from monitor.core.judged import Judged, Limit
from monitor.core.toxicity_rules import Combination
from monitor.core.units import show

if TYPE_CHECKING:
    from monitor.core.judges import View


@dataclass(frozen=True, slots=True, kw_only=True)
class _Low:
    """A line that is low at an instant, by the result that says so."""

    judged: Judged
    rule: str
    certain: bool


def findings(view: View) -> Iterator[Finding]:
    """One finding an episode, as for the rules themselves."""
    for combination in view.protocol.combinations:
        if not _is_any_low(combination, view):
            continue
        points = _points(combination, view)
        series = [judged for judged, _ in points]
        low = {judged.collected_at: lines for judged, lines in points}
        found = episodes(series, view.protocol.episode_gap, 1)
        for episode in found:
            if episode.concerns(view.case.enrolment.enrolled_on):
                yield _finding(combination, episode, low, view)


def _is_any_low(combination: Combination, view: View) -> bool:
    """Whether a line was ever low: without that there is nothing to tell."""
    rules = (rule for line in combination.lines for rule in line)
    return any(map(view.series.ever_breached, rules))


def _points(combination: Combination, view: View) -> list[tuple[Judged, list[_Low]]]:
    """The combination at every instant at which one of its analytes was judged."""
    own = {
        rule: view.series[rule]
        for line in combination.lines
        for rule in line
        if rule in view.series
    }
    at_instant: dict[datetime, Judged] = {}
    for series in own.values():
        for judged in series:
            at_instant.setdefault(judged.collected_at, judged)
    points = []
    for at in sorted(at_instant):
        lines = [
            line
            for rules in combination.lines
            if (line := _low(rules, own, combination, at_instant[at])) is not None
        ]
        points.append((_judged(combination, at_instant[at], lines), lines))
    return points


def _low(
    rules: Sequence[str],
    own: dict[str, Sequence[Judged]],
    combination: Combination,
    here: Judged,
) -> _Low | None:
    """The line's worst rule, by the latest result of each that is not too old."""
    since = combination.together.before(here.collected_on)
    found: list[_Low] = []
    for rule in rules:
        latest = _latest(own.get(rule, ()), here.collected_at)
        if latest is not None and latest.collected_on >= since and latest.breaches:
            found.append(_Low(judged=latest, rule=rule, certain=latest.certain > 0))
    return max(found, key=lambda it: it.certain, default=None)


def _latest(series: Sequence[Judged], at: datetime) -> Judged | None:
    until = bisect_right(series, at, key=lambda judged: judged.collected_at)
    return series[until - 1] if until else None


def _judged(combination: Combination, here: Judged, lines: Sequence[_Low]) -> Judged:
    """The levels that so many low lines meet, for certain and perhaps."""
    sure = sum(line.certain for line in lines)
    certain = may = 0
    for number, level in enumerate(combination.levels, start=1):
        if sure >= level.lines_low:
            certain = number
        if len(lines) >= level.lines_low:
            may = number
    return Judged(
        result=here.result,
        certain=certain,
        may=may,
        limits=tuple(
            Limit(value=Decimal(level.lines_low), text=_lines_text(combination, level.lines_low))
            for level in combination.levels
        ),
    )


def _lines_text(combination: Combination, count: int) -> str:
    return f"{count} of {len(combination.lines)} lines low"


def _finding(
    combination: Combination,
    episode: Episode,
    low: dict[datetime, list[_Low]],
    view: View,
) -> Finding:
    case, life = view.case, view.life
    worst = max(episode.breaches, key=lambda it: (it.certain, it.may))
    level = combination.levels[worst.level - 1]
    certain = worst.certain > 0
    early = episode.is_before(life.first_dose_on)
    kind, urgency = words.capped(level.action, level.urgency, certain=certain, early=early)
    lines = low[worst.measured.collected_at]
    day = worst.collected_on
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=f"combination:{combination.id}",
        kind=kind,
        urgency=urgency,
        summary=f"{combination.title} on {words.day_text(day)}: "
        + ", ".join(_value_beside(it, day, view) for it in lines),
        source=combination.source,
        recovered=not episode.going_on,
        rule=combination.id,
        level=worst.certain,
        limit_text=worst.limit.text,
        breaches=tuple(it.measured.collected_at for it in episode.breaches),
        action=words.action_words(kind, case.enrolment.drug),
        say=words.sentences(kind, case, [level.say], certain=certain, early=early),
        arithmetic=tuple(
            f"{words.day_text(it.collected_on)}: {it.limit.text}: "
            + ", ".join(_step(line, view) for line in low[it.measured.collected_at])
            for it in episode.breaches
        ),
    )


def _value_beside(line: _Low, day: date, view: View) -> str:
    """Of a line, with its day where it is another than that of the finding."""
    on = line.judged.collected_on
    value = _value(line, view)
    return value if on == day else f"{value} of {words.day_text(on)}"


def _value(line: _Low, view: View) -> str:
    """`platelets 120 10*9/L`."""
    measured = line.judged.measured
    analyte = view.catalogue.analytes[line.judged.result.analyte]
    shown = show(measured.value, analyte.decimals, (line.judged.limit.value,))
    title = words.titled(analyte.amid, derived=measured.derived)
    return f"{title} {measured.comparator}{shown} {analyte.unit}"


def _step(line: _Low, view: View) -> str:
    verdict = "is" if line.certain else "may be"
    return (
        f"{_value(line, view)} of {words.day_text(line.judged.collected_on)} {verdict} beyond "
        f"{line.judged.limit.text} ({line.rule})"
    )


def considered(view: View) -> Iterator[Considered]:
    """Each combination that said nothing, with its lines at the latest instant."""
    spoken = {finding.cause for finding in findings(view)}
    for combination in view.protocol.combinations:
        if f"combination:{combination.id}" in spoken:
            continue
        points = _points(combination, view)
        lines = points[-1][1] if points else []
        named = ", ".join(_step(line, view) for line in lines) or "none"
        yield Considered(
            room="combination",
            subject=combination.id,
            why=(f"low at the latest result: {named}",) if points else ("no result is known",),
            source=combination.source,
        )
