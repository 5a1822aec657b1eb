"""What only shows when the values of a protocol file are compared with each other.

Each check looks only at values in which reading found no fault, so that one mistake is told once,
and at all others, so that every mistake is told at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal

from monitor.core.calendar import Duration, shorter
from monitor.core.catalogue import Catalogue
from monitor.core.faults import Fault, almost
from monitor.core.muting import KIDNEY
from monitor.core.protocol import Lateness, PanelSchedule, Protocol
from monitor.core.protocol_dose_checks import check_shares
from monitor.core.protocol_ladders import check_rule, from_on
from monitor.core.protocol_numbers import check_numbers
from monitor.core.protocol_reach import check_reach, leads_back
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report, suggest


def check(protocol: Protocol, report: Report, catalogue: Catalogue) -> None:
    """Every fault between the values of one protocol goes into the report."""
    _check_unique(protocol, report)
    _check_phases(protocol, report)
    asked = _meant((name for panel in protocol.panels for name in panel.analytes), catalogue)
    for place, rule in enumerate(protocol.rules):
        check_rule(rule, ("rules", place), report, asked)
    check_numbers(protocol, report, catalogue)
    check_shares(protocol.genotypes, report)
    _check_indications(protocol, report)
    _check_symptoms(protocol, report)
    _check_lines(protocol, report)
    _check_muting(protocol, report)
    _check_coverage(protocol, report, catalogue, asked)
    _check_room(protocol, report)
    _check_restarts(protocol, report)
    check_reach(protocol, report, catalogue)
    _check_ending(protocol, report)
    _check_example_rules(protocol, report)


def minded_in(protocol: Protocol, text: str, file: str, catalogue: Catalogue) -> tuple[Fault, ...]:
    """What there is between the values of a protocol that was read from a text before."""
    report = Report(file, text)
    check(protocol, report, catalogue)
    return tuple(sorted(report.faults, key=lambda fault: fault.line or 0))


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
        if leads_back(rule.id, names):
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
        if panel.on_demand is not None:
            _check_urgencies(panel.on_demand, where, report)
    _check_growth(protocol, report)


def _check_schedule(schedule: PanelSchedule, path: Path, report: Report) -> None:
    for key, span in (("grace", schedule.grace), ("lead", schedule.lead)):
        if _all_sound(report, path, key, "every") and not shorter(span, schedule.every):
            problem = f"is not shorter than every = {schedule.every}"
            report.add((*path, key), str(span), problem, f"less than {schedule.every}")
    late, grace = schedule.escalate_after, schedule.grace
    if _all_sound(report, path, "escalate_after", "grace") and shorter(late, grace):
        problem = f"ends before the grace of {grace}"
        report.add((*path, "escalate_after"), str(late), problem, f"at least {grace}")
    _check_urgencies(schedule, path, report)


def _all_sound(report: Report, path: Path, *keys: str) -> bool:
    return all(report.sound(*path, key) for key in keys)


def _check_urgencies(lateness: Lateness, path: Path, report: Report) -> None:
    known = _all_sound(report, path, "urgency", "serious_urgency")
    if known and lateness.serious_urgency.rank < lateness.urgency.rank:
        problem = f"is milder than urgency = {lateness.urgency}"
        path = (*path, "serious_urgency")
        report.add(path, str(lateness.serious_urgency), problem, from_on(lateness.urgency))


def _check_growth(protocol: Protocol, report: Report) -> None:
    """Tests grow rarer from phase to phase: the other way round is a slip in the order."""
    known: dict[str, Duration] = {}
    for place, phase in enumerate(protocol.phases):
        for schedule in phase.panels:
            path = ("phases", place, "panels", schedule.panel)
            before = known.get(schedule.panel)
            if report.told(*path) or not report.sound(*path, "every"):
                continue
            if before is not None and shorter(schedule.every, before):
                problem = f"is more often than in the phase before it, every {before}"
                valid = f"{before} or more; is the order of the phases right?"
                report.add((*path, "every"), str(schedule.every), problem, valid)
            known[schedule.panel] = schedule.every


def _check_indications(protocol: Protocol, report: Report) -> None:
    """Two spellings of one indication in a file: the rarer one is a slip, and nobody's."""
    named = [*_named_indications(protocol)]
    often = Counter(name for _, name in named)
    for path, name in named:
        meant = almost(name, [it for it in often if often[it] > often[name]])
        if meant and not report.told(*path):
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


def _meaning(name: str, catalogue: Catalogue) -> str:
    """The analyte that a file means, also by a name that is not ours; "" where it may be any."""
    return name if name in catalogue.analytes else catalogue.likely(name)


def _meant(names: Iterable[str], catalogue: Catalogue) -> set[str]:
    return {_meaning(name, catalogue) for name in names}


def _check_coverage(
    protocol: Protocol, report: Report, catalogue: Catalogue, asked: Collection[str]
) -> None:
    """Whatever is tested is judged, and whatever is judged is tested; or the file says why."""
    if not (protocol.rules and protocol.panels):
        return
    judged = _meant((rule.analyte for rule in protocol.rules), catalogue)
    for place, rule in enumerate(protocol.rules):
        where: Path = ("rules", place, "analyte")
        if rule.opportunistic or not report.sound(*where) or "" in asked or rule.analyte in asked:
            continue
        problem = "is in no panel of this file, so nothing asks for it"
        valid = "an analyte of a panel, or `opportunistic = true` in the rule"
        report.add(where, rule.analyte, problem, valid)
    for panel in protocol.panels:
        excused = dict(panel.no_rule)
        for name in (_meaning(it, catalogue) for it in panel.analytes):
            if name and not {name, ""} & {*judged, *excused}:
                valid = f'a rule on it, or no_rule = {{ {name} = "reason" }} in the panel'
                report.add(("panels", panel.id), name, "has no rule that judges it", valid)
        of_panel = _meant(panel.analytes, catalogue)
        for name in excused:
            where = ("panels", panel.id, "no_rule", name)
            if name in judged and name in of_panel:
                report.add(where, excused[name], "has a rule after all", "leave it out")
            elif report.sound(*where) and not {name, ""} & of_panel:
                report.add(where, excused[name], "is no analyte of this panel", "leave it out")


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
    if protocol.allow_ending or not protocol.phases or not report.sound("allow_ending"):
        return
    last = len(protocol.phases) - 1
    final = protocol.phases[last]
    valid = '`allow_ending = "reason"` at the top of the file if monitoring is meant to end'
    if final.until is not None and report.sound("phases", last, "until"):
        problem = "ends the last phase: nothing would be due after it"
        report.add(("phases", last, "until"), str(final.until), problem, valid)
    if any(_misnames_a_panel(place, protocol, report) for place in range(last + 1)):
        return
    earlier = {entry.panel for phase in protocol.phases[:last] for entry in phase.panels}
    for name in sorted(earlier - {entry.panel for entry in final.panels}):
        problem = f"lacks {name}, which an earlier phase has: it would never be due again"
        report.add(("phases", last, "panels"), "", problem, valid)
    used = {*earlier, *(entry.panel for entry in final.panels), *protocol.baseline.panels}
    for panel in protocol.panels:
        if panel.id not in used and panel.on_demand is None and report.sound("baseline", "panels"):
            problem = "is in no phase: it would never be due"
            valid = "a phase that has it, or [panels.ID.on_demand]"
            report.add(("panels", panel.id), panel.id, problem, valid)


def _misnames_a_panel(place: int, protocol: Protocol, report: Report) -> bool:
    """Whether a phase names no panel, or one that the file does not have: any may be meant."""
    path: Path = ("phases", place, "panels")
    named = protocol.phases[place].panels
    return not named or any(report.told(*path, schedule.panel) for schedule in named)


def _check_example_rules(protocol: Protocol, report: Report) -> None:
    known = [rule.id for rule in protocol.rules]
    for place, example in enumerate(protocol.examples):
        path: Path = ("examples", place)
        for alert in example.expect_alerts or ():
            if alert.rule and alert.rule not in known:
                where = (*path, "expect", "alerts")
                report.add(where, alert.rule, "is no rule of this file", suggest(alert.rule, known))
        if not report.sound(*path, "today"):
            continue
        where = (*path, "results")
        if report.sound(*where) and any(row.on > example.today for row in example.results):
            problem = "holds a result after `today`, which nobody could know"
            report.add(where, "", problem, "results up to `today`")
        for panel, days in example.completed:
            where = (*path, "completed", panel)
            late = [day for day in days if day > example.today]
            if late and report.sound(*where):
                problem = "lies after `today`: nobody could know of that test"
                report.add(where, late[0].isoformat(), problem, "days up to `today`")
