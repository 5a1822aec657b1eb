"""What only shows when the values of a protocol file are compared with each other.

Each check looks only where reading found no fault, so that one mistake is told once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal

from monitor.core.calendar import Duration, shorter
from monitor.core.catalogue import Catalogue
from monitor.core.faults import almost
from monitor.core.muting import KIDNEY
from monitor.core.protocol import Lateness, Level, PanelSchedule, Protocol, Rule
from monitor.core.protocol_dose_checks import check_shares
from monitor.core.protocol_numbers import check_numbers
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report, suggest
from monitor.core.vocabulary import Urgency

_ALL = Decimal(100)


def check(protocol: Protocol, report: Report, catalogue: Catalogue) -> None:
    """Every fault between the values of one protocol goes into the report."""
    _check_unique(protocol, report)
    _check_phases(protocol, report)
    in_panels = {name for panel in protocol.panels for name in panel.analytes}
    for place, rule in enumerate(protocol.rules):
        path: Path = ("rules", place)
        if report.sound(*path):
            _check_ladder(rule, path, report)
            _check_patience(rule, path, report)
            _check_reach(rule, path, report, in_panels)
    check_numbers(protocol, report, catalogue)
    check_shares(protocol.genotypes, report)
    _check_indications(protocol, report)
    _check_symptoms(protocol, report)
    _check_lines(protocol, report)
    _check_muting(protocol, report)
    _check_coverage(protocol, report)
    _check_room(protocol, report)
    _check_restarts(protocol, report)
    _check_ending(protocol, report)
    _check_example_rules(protocol, report)


def _check_unique(protocol: Protocol, report: Report) -> None:
    _each_once(report, "phases", "name", [phase.name for phase in protocol.phases])
    _each_once(report, "rules", "id", [rule.id for rule in protocol.rules])
    _each_once(report, "interactions", "id", [it.id for it in protocol.interactions])
    _each_once(report, "examples", "name", [example.name for example in protocol.examples])
    taken = {rule.id for rule in protocol.rules}
    for section, ids in (
        ("combinations", [it.id for it in protocol.combinations]),
        ("symptoms", [it.id for it in protocol.symptoms]),
    ):
        _each_once(report, section, "id", ids)
        for place, name in enumerate(ids):
            if name and name in taken:
                problem = "is the id of another rule, combination or symptom rule of this file"
                report.add((section, place, "id"), name, problem, "a name of its own")
        taken |= set(ids)


def _check_muting(protocol: Protocol, report: Report) -> None:
    """What speaks for a rule exists, and none speaks for itself in the end."""
    names = {rule.id: rule.muted_by for rule in protocol.rules}
    if protocol.dosing is not None and protocol.dosing.renal is not None:
        names[KIDNEY] = ()
    for place, rule in enumerate(protocol.rules):
        for name in dict.fromkeys(it for it in rule.muted_by if it not in names):
            valid = f"rules of this file: {', '.join(it for it in names if it)}"
            report.add(("rules", place, "muted_by"), name, "there is no such rule", valid)
        seen, ahead = set[str](), list(rule.muted_by)
        while ahead:
            name = ahead.pop()
            if name in names and name not in seen:
                seen.add(name)
                ahead += names[name]
        if rule.id in seen:
            problem = "would be muted by itself"
            report.add(("rules", place, "muted_by"), rule.id, problem, "another rule")


def _each_once(report: Report, table: str, key: str, names: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name and name in first:
            where = report.line((table, first[name], key))
            problem = f"stands twice: the first is {table}[{first[name]}], line {where}"
            report.add((table, place, key), name, problem, "a name of its own")
        first.setdefault(name, place)


def _check_phases(protocol: Protocol, report: Report) -> None:
    before: Duration | None = None
    last = len(protocol.phases) - 1
    for place, phase in enumerate(protocol.phases):
        path: Path = ("phases", place, "until")
        if phase.until is None and place != last:
            report.add(path, "", "is missing: only the last phase goes on for ever", "a duration")
        if phase.until is not None and report.sound(*path):
            if before is not None and not shorter(before, phase.until):
                problem = f"overlaps the phase before it, which lasts until {before}"
                report.add(path, str(phase.until), problem, f"more than {before}")
            before = phase.until
        for schedule in phase.panels:
            _check_schedule(schedule, ("phases", place, "panels", schedule.panel), report)
    for panel in protocol.panels:
        where = ("panels", panel.id, "on_demand")
        if panel.on_demand is not None and report.sound(*where):
            _check_urgencies(panel.on_demand, where, report)
    _check_growth(protocol, report)


def _check_schedule(schedule: PanelSchedule, path: Path, report: Report) -> None:
    if not report.sound(*path):
        return
    for key, span in (("grace", schedule.grace), ("lead", schedule.lead)):
        if not shorter(span, schedule.every):
            problem = f"is not shorter than every = {schedule.every}"
            report.add((*path, key), str(span), problem, f"less than {schedule.every}")
    if shorter(schedule.escalate_after, schedule.grace):
        problem = f"ends before the grace of {schedule.grace}"
        valid = f"at least {schedule.grace}"
        report.add((*path, "escalate_after"), str(schedule.escalate_after), problem, valid)
    _check_urgencies(schedule, path, report)


def _check_urgencies(lateness: Lateness, path: Path, report: Report) -> None:
    if lateness.serious_urgency.rank < lateness.urgency.rank:
        problem = f"is milder than urgency = {lateness.urgency}"
        path = (*path, "serious_urgency")
        report.add(path, str(lateness.serious_urgency), problem, _from(lateness.urgency))


def _check_growth(protocol: Protocol, report: Report) -> None:
    """Tests grow rarer from phase to phase: the other way round is a slip in the order."""
    known: dict[str, Duration] = {}
    for place, phase in enumerate(protocol.phases):
        for schedule in phase.panels:
            path = ("phases", place, "panels", schedule.panel)
            before = known.get(schedule.panel)
            if not report.sound(*path):
                continue
            if before is not None and shorter(schedule.every, before):
                problem = f"is more often than in the phase before it, every {before}"
                valid = f"{before} or more; is the order of the phases right?"
                report.add((*path, "every"), str(schedule.every), problem, valid)
            known[schedule.panel] = schedule.every


def _check_ladder(rule: Rule, path: Path, report: Report) -> None:
    """Levels go from mild to severe, in one direction, with an urgency that never falls."""
    for place, level in enumerate(rule.levels):
        where = (*path, "levels", place)
        if level.falls_in_a_row is not None and not rule.levels[0].falls_in_a_row:
            report.add(where, "", "is a trend among limits", "a rule of its own for the trend")
        elif rule.levels[0].falls_in_a_row is not None and level.falls_in_a_row is None:
            report.add(where, "", "is a limit in a rule of trends", "a rule of its own")
        elif _is_down(level) is not rule.downward:
            problem = f"points the other way than the first level ({_test(rule.levels[0])})"
            report.add((*where, _test(level)), "", problem, "a rule of its own")
    for place, level in enumerate(rule.levels[1:], start=1):
        where = (*path, "levels", place)
        milder = rule.levels[place - 1]
        if level.urgency.rank < milder.urgency.rank:
            problem = f"is milder than the level before it, {milder.urgency}"
            report.add((*where, "urgency"), str(level.urgency), problem, _from(milder.urgency))
    if report.sound(*path):
        _check_order(rule, path, report)


def _check_order(rule: Rule, path: Path, report: Report) -> None:
    """Of levels with the same test, each is more severe than the one before it.

    `above` and `above_times_uln` cannot be compared: the reference limit is the patient's.
    """
    latest: dict[str, Level] = {}
    for place, level in enumerate(rule.levels):
        test = _test(level)
        milder = latest.get(test)
        if milder is not None and not _SEVERER[test](milder, level):
            where = (*path, "levels", place, test)
            problem = f"is not more severe than the level before it, {test} = {_limit(milder)}"
            report.add(where, _limit(level), problem, "levels from mild to severe")
        latest[test] = level


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


def _test(level: Level) -> str:
    return next(test for test in _SEVERER if getattr(level, test) is not None)


def _limit(level: Level) -> str:
    return str(getattr(level, _test(level)))


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
    if rule.again_after is not None:
        problem = "would keep an urgent level quiet"
        report.add((*path, "again_after"), str(rule.again_after), problem, valid)


def _check_reach(rule: Rule, path: Path, report: Report, in_panels: Collection[str]) -> None:
    """What a level asks for could never come about."""
    for place, level in enumerate(rule.levels):
        where = (*path, "levels", place)
        if level.recheck is not None and rule.opportunistic and rule.analyte not in in_panels:
            problem = f"makes nothing due: no panel of this file has {rule.analyte}"
            report.add((*where, "recheck"), str(level.recheck), problem, "a panel that has it")
        for key in ("fall_from_baseline", "each", "not_fallen_by"):
            percent = getattr(level, key)
            if percent is not None and percent >= _ALL and report.sound(*where, key):
                problem = "is more than a value can fall"
                report.add((*where, key), f"{percent} %", problem, "less than all of it")


def _check_indications(protocol: Protocol, report: Report) -> None:
    """Two spellings of one indication in a file: the rarer one is a slip, and nobody's."""
    named = [*_named_indications(protocol)]
    often = Counter(name for _, name in named)
    for path, name in named:
        meant = almost(name, [it for it in often if often[it] > often[name]])
        if meant and report.sound(*path):
            report.add(path, name, "is nearly another of this file", f'did you mean "{meant}"?')


def _named_indications(protocol: Protocol) -> Iterator[tuple[Path, str]]:
    for section in ("rules", "interactions", "targets"):
        for place, it in enumerate(getattr(protocol, section)):
            yield from (((section, place, "indications"), name) for name in it.indications)
            yield from (((section, place, "except"), name) for name in it.except_indications)
    for task in protocol.tasks:
        yield from ((("tasks", task.id, "indications"), name) for name in task.indications)
        yield from ((("tasks", task.id, "except"), name) for name in task.except_indications)
    if protocol.dosing is not None:
        yield from (
            (("dosing", "indications", name), name) for name, _ in protocol.dosing.indications
        )


def _check_symptoms(protocol: Protocol, report: Report) -> None:
    """A level without a condition always holds: behind it those before it would never speak."""
    for place, symptom in enumerate(protocol.symptoms):
        for step, level in enumerate(symptom.levels[1:], start=1):
            path: Path = ("symptoms", place, "levels", step)
            if not level.is_conditional and report.sound(*path):
                problem = "always holds: the levels before it would never speak"
                report.add(path, "", problem, "a condition, or to be the first level")


def _check_lines(protocol: Protocol, report: Report) -> None:
    """A rule is of one line: of two, one value would make both of them low."""
    for place, combination in enumerate(protocol.combinations):
        seen: set[str] = set()
        for step, line in enumerate(combination.lines):
            for name in (it for it in line if it in seen):
                path: Path = ("combinations", place, "lines", step)
                problem = "stands in two lines: one value would make both of them low"
                report.add(path, name, problem, "each rule in one line")
            seen.update(line)


def _check_coverage(protocol: Protocol, report: Report) -> None:
    """Whatever is tested is judged, and whatever is judged is tested; or the file says why."""
    places = range(len(protocol.rules))
    known = all(report.sound("rules", place, "analyte") for place in places)
    if not (known and protocol.rules and report.sound("panels")):
        return
    asked = {name for panel in protocol.panels for name in panel.analytes}
    judged = {rule.analyte for rule in protocol.rules}
    for place, rule in enumerate(protocol.rules):
        if rule.analyte and rule.analyte not in asked and not rule.opportunistic:
            problem = "is in no panel of this file, so nothing asks for it"
            valid = "an analyte of a panel, or `opportunistic = true` in the rule"
            report.add(("rules", place, "analyte"), rule.analyte, problem, valid)
    for panel in protocol.panels:
        excused = dict(panel.no_rule)
        for name in panel.analytes:
            if name not in judged and name not in excused:
                valid = f'a rule on it, or no_rule = {{ {name} = "reason" }} in the panel'
                report.add(("panels", panel.id), name, "has no rule that judges it", valid)
        for name in excused:
            where = ("panels", panel.id, "no_rule", name)
            if name not in panel.analytes:
                report.add(where, excused[name], "is no analyte of this panel", "leave it out")
            elif name in judged:
                report.add(where, excused[name], "has a rule after all", "leave it out")


def _check_room(protocol: Protocol, report: Report) -> None:
    """Between what is too low and what is too high there must be a value without an alert."""
    floor: dict[str, Decimal] = {}
    for rule in protocol.rules:
        for level in rule.levels:
            if level.below is not None and not rule.indications:
                floor[rule.analyte] = max(level.below, floor.get(rule.analyte, level.below))
    for place, rule in enumerate(protocol.rules):
        for step, level in enumerate(rule.levels):
            low = floor.get(rule.analyte)
            if level.above is None or low is None or rule.indications or level.above >= low:
                continue
            where = ("rules", place, "levels", step, "above")
            if report.sound(*where):
                problem = f"lies under another rule's below = {low}: every value would alert"
                report.add(where, str(level.above), problem, f"at least {low}")


def _check_restarts(protocol: Protocol, report: Report) -> None:
    """An interaction restarts the phases only where the file says so in both places."""
    allowed = "interaction" in protocol.restart_on
    for place, it in enumerate(protocol.interactions):
        if it.restart and not allowed and report.sound("restart_on"):
            valid = 'restart_on = [..., "interaction"] at the top of the file'
            report.add(("interactions", place, "restart"), "true", "restarts nothing", valid)
    if allowed and not any(it.restart for it in protocol.interactions):
        valid = "`restart = true` in the interactions that do"
        report.add(("restart_on",), "interaction", "is said of no interaction", valid)


def _check_ending(protocol: Protocol, report: Report) -> None:
    """Monitoring must not peter out by a slip of the pen (specification, section 8)."""
    if protocol.allow_ending or not protocol.phases or not report.sound("phases"):
        return
    last = len(protocol.phases) - 1
    final = protocol.phases[last]
    valid = '`allow_ending = "reason"` at the top of the file if monitoring is meant to end'
    if final.until is not None:
        problem = "ends the last phase: nothing would be due after it"
        report.add(("phases", last, "until"), str(final.until), problem, valid)
    earlier = {entry.panel for phase in protocol.phases[:last] for entry in phase.panels}
    for name in sorted(earlier - {entry.panel for entry in final.panels}):
        problem = f"lacks {name}, which an earlier phase has: it would never be due again"
        report.add(("phases", last, "panels"), "", problem, valid)
    used = {*earlier, *(entry.panel for entry in final.panels), *protocol.baseline.panels}
    for panel in protocol.panels:
        if panel.id not in used and panel.on_demand is None:
            problem = "is in no phase: it would never be due"
            valid = "a phase that has it, or [panels.ID.on_demand]"
            report.add(("panels", panel.id), panel.id, problem, valid)


def _check_example_rules(protocol: Protocol, report: Report) -> None:
    known = [rule.id for rule in protocol.rules]
    for place, example in enumerate(protocol.examples):
        path: Path = ("examples", place)
        for alert in example.expect_alerts or ():
            if alert.rule and alert.rule not in known:
                where = (*path, "expect", "alerts")
                report.add(where, alert.rule, "is no rule of this file", suggest(alert.rule, known))
        if report.sound(*path) and any(row.on > example.today for row in example.results):
            problem = "holds a result after `today`, which nobody could know"
            report.add((*path, "results"), "", problem, "results up to `today`")
        for panel, days in example.completed:
            late = [day for day in days if day > example.today]
            if late and report.sound(*path):
                problem = "lies after `today`: nobody could know of that test"
                where = (*path, "completed", panel)
                report.add(where, late[0].isoformat(), problem, "days up to `today`")


def _from(urgency: Urgency) -> str:
    return "one of " + ", ".join(word for word in Urgency if word.rank >= urgency.rank)
