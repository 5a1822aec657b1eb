"""What only shows when the levels of one rule of a protocol file are compared with each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from itertools import combinations, pairwise

from monitor.core.calendar import shorter
from monitor.core.protocol import Level, Rule
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report
from monitor.core.vocabulary import Urgency

_ALL = Decimal(100)


def check_rule(rule: Rule, path: Path, report: Report, asked: Collection[str]) -> None:
    """The faults between the levels of a rule; `asked` are the analytes of the file's panels, with
    "" among them where one of these may be any."""
    _check_ladder(rule, path, report)
    _check_urgencies(rule, path, report)
    _check_patience(rule, path, report)
    _check_reach(rule, path, report, asked)


def from_on(urgency: Urgency) -> str:
    """What is valid where nothing may be milder than this."""
    return "one of " + ", ".join(word for word in Urgency if word.rank >= urgency.rank)


_Step = tuple[int, Level, str]
"""A level that can be read: its place in the file, itself, and its one test."""


def _check_ladder(rule: Rule, path: Path, report: Report) -> None:
    """Levels are of one kind and go in one direction, from mild to severe."""
    steps = [
        (place, level, tests[0])
        for place, level in enumerate(rule.levels)
        if len(tests := _tests(level)) == 1
    ]
    odd = [step for step in steps if not _goes_with(step, steps[0], path, report)]
    if not odd:
        _check_order(steps, path, report)


def _goes_with(step: _Step, first: _Step, path: Path, report: Report) -> bool:
    (place, level, test), (_, other, its_test) = step, first
    where = (*path, "levels", place)
    if _is_trend(level) is not _is_trend(other):
        problem = (
            "is a trend among limits" if _is_trend(level) else "is a limit in a rule of trends"
        )
        report.add(where, "", problem, "a rule of its own")
        return False
    if _is_down(level) is not _is_down(other):
        problem = f"points the other way than the first level ({its_test})"
        report.add((*where, test), "", problem, "a rule of its own")
        return False
    return True


def _check_order(steps: Sequence[_Step], path: Path, report: Report) -> None:
    """Of levels with the same test, each is more severe than the one before it.

    `above` and `above_times_uln` cannot be compared: the reference limit is the patient's. Nor
    can what was to be converted from a unit of an unknown analyte.
    """
    if not report.sound(*path, "analyte"):
        return
    latest: dict[str, Level] = {}
    for place, level, test in steps:
        where = (*path, "levels", place)
        if not all(report.sound(*where, key) for key in (test, "each", "unit")):
            continue
        milder = latest.get(test)
        if milder is not None and not _SEVERER[test](milder, level):
            problem = f"is not more severe than the level before it, {test} = {_limit(milder)}"
            report.add((*where, test), _limit(level), problem, "levels from mild to severe")
        latest[test] = level
    _check_mixed_order(steps, path, report)


def _check_mixed_order(steps: Sequence[_Step], path: Path, report: Report) -> None:
    """Of a plain limit and one in multiples of the reference limit, the one behind is the higher
    where the laboratory sent none: else the one before it would never speak."""
    for (before, milder, its_test), (place, level, test) in combinations(steps, 2):
        where, other = (*path, "levels", place), (*path, "levels", before)
        if test == its_test or not (report.sound(*where) and report.sound(*other)):
            continue
        low, high = _limit_by_default(level), _limit_by_default(milder)
        if low is None or high is None or low >= high or _is_narrowed(level):
            continue
        problem = (
            f"is {low} where the laboratory sends no limit, under the {high} of a level before "
            "it, which would never speak"
        )
        report.add((*where, test), _limit(level), problem, "levels from mild to severe")


def _limit_by_default(level: Level) -> Decimal | None:
    """The upper limit of a level where the laboratory sent no reference limit."""
    if level.above_times_uln is None or level.default_uln is None:
        return level.above
    return level.above_times_uln * level.default_uln


def _is_narrowed(level: Level) -> bool:
    """Not every value beyond its limit meets it."""
    return (level.rise_from_lowest, level.not_fallen_by) != (None, None)


def _check_urgencies(rule: Rule, path: Path, report: Report) -> None:
    """The urgency of a ladder never falls."""
    for place, (milder, level) in enumerate(pairwise(rule.levels), start=1):
        before, where = ((*path, "levels", it, "urgency") for it in (place - 1, place))
        known = report.sound(*before) and report.sound(*where)
        if known and level.urgency.rank < milder.urgency.rank:
            problem = f"is milder than the level before it, {milder.urgency}"
            report.add(where, str(level.urgency), problem, from_on(milder.urgency))


def _more(read: Callable[[Level], Decimal | None], sign: int) -> Callable[[Level, Level], bool]:
    def severer(milder: Level, level: Level) -> bool:
        return ((read(level) or Decimal(0)) - (read(milder) or Decimal(0))) * sign > 0

    return severer


def _longer_fall(milder: Level, level: Level) -> bool:
    before = (milder.falls_in_a_row or 0, milder.each or Decimal(0))
    after = (level.falls_in_a_row or 0, level.each or Decimal(0))
    return after[0] >= before[0] and after[1] >= before[1] and after != before


_SEVERER: dict[str, Callable[[Level, Level], bool]] = {
    "below": _more(lambda level: level.below, -1),
    "above": _more(lambda level: level.above, 1),
    "above_times_uln": _more(lambda level: level.above_times_uln, 1),
    "rise_from_baseline": _more(lambda level: level.rise_from_baseline, 1),
    "fall_from_baseline": _more(lambda level: level.fall_from_baseline, 1),
    "falls_in_a_row": _longer_fall,
}


def _tests(level: Level) -> list[str]:
    return [test for test in _SEVERER if getattr(level, test) is not None]


def _limit(level: Level) -> str:
    return str(getattr(level, _tests(level)[0]))


def _is_trend(level: Level) -> bool:
    return level.falls_in_a_row is not None


def _is_down(level: Level) -> bool:
    return (level.below, level.falls_in_a_row, level.fall_from_baseline) != (None,) * 3


def _check_patience(rule: Rule, path: Path, report: Report) -> None:
    """Waiting for a second breach, or keeping quiet for a time, suits only routine levels."""
    if all(level.urgency is Urgency.ROUTINE for level in rule.levels):
        return
    valid = "only in a rule whose levels are all routine"
    if rule.confirm > 1:
        problem = "would keep an urgent level waiting"
        report.add((*path, "confirm"), str(rule.confirm), problem, valid)
    if rule.again_after is not None and report.sound(*path, "again_after"):
        problem = "would keep an urgent level quiet"
        report.add((*path, "again_after"), str(rule.again_after), problem, valid)


def _check_reach(rule: Rule, path: Path, report: Report, asked: Collection[str]) -> None:
    """What a level asks for could never come about."""
    unasked = rule.opportunistic and not {rule.analyte, ""} & {*asked}
    for place, level in enumerate(rule.levels):
        where = (*path, "levels", place)
        if level.recheck is not None and unasked and report.sound(*where, "recheck"):
            problem = f"makes nothing due: no panel of this file has {rule.analyte}"
            report.add((*where, "recheck"), str(level.recheck), problem, "a panel that has it")
        for key in ("fall_from_baseline", "each", "not_fallen_by"):
            percent = getattr(level, key)
            if percent is not None and percent >= _ALL and report.sound(*where, key):
                problem = "is more than a value can fall"
                report.add((*where, key), f"{percent} %", problem, "less than all of it")
        if level.after is None or level.until is None or not report.sound(*where):
            continue
        if not shorter(level.after, level.until):
            problem = f"is over before after = {level.after} begins: the level would never hold"
            report.add((*where, "until"), str(level.until), problem, f"more than {level.after}")
