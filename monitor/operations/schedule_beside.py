"""What a protocol says beside its calendar and the rules on single analytes, as people read it.

Genotypes, doses, symptoms, lines low together, other drugs and life, targets, tasks, tests
missed: one section each, one row for each thing that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from monitor.core.catalogue import Catalogue
from monitor.core.dosing_rules import Dosing, Regime
from monitor.core.indications import ForSome
from monitor.core.protocol import Lateness, Protocol
from monitor.core.protocol_interactions import COMEDICATION, ExtraTest, Interaction
from monitor.core.toxicity_rules import SymptomLevel, SymptomRule
from monitor.core.vocabulary import Kind, Urgency

COLUMNS = ("what", "when", "asks for", "urgency", "source")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is said; `what` and `source` are empty where the row above has them."""

    what: str
    when: str
    asks_for: str
    urgency: str
    source: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.what, self.when, self.asks_for, self.urgency, self.source)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: tuple[Row, ...]

    def document(self) -> dict[str, Any]:
        """As `monitor schedule show --json` prints it."""
        rows = [
            {
                "what": row.what,
                "when": row.when,
                "asks_for": row.asks_for,
                "urgency": row.urgency or None,
                "source": row.source,
            }
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows}


def beside(protocol: Protocol, catalogue: Catalogue) -> tuple[Section, ...]:
    """Every section of which the protocol says anything."""
    sections = (
        Section("Genotypes and TPMT activity", tuple(_genotypes(protocol, catalogue))),
        Section("Doses", tuple(_doses(protocol.dosing, catalogue)) if protocol.dosing else ()),
        Section("Lines that are low together", tuple(_combinations(protocol))),
        Section("Symptoms (events)", tuple(_symptoms(protocol, catalogue))),
        Section("Other drugs, vaccines, pregnancy", tuple(_interactions(protocol))),
        Section("Targets", tuple(_targets(protocol))),
        Section("Tasks without a laboratory", tuple(_tasks(protocol))),
        Section("Late tests", tuple(_late(protocol))),
        Section("Missed tests", tuple(_missed(protocol))),
    )
    return tuple(section for section in sections if section.rows)


def _genotypes(protocol: Protocol, catalogue: Catalogue) -> Iterator[Row]:
    terms = protocol.genotypes
    if not protocol.genes:
        return
    critical, urgent = Urgency.CRITICAL.value, Urgency.URGENT.value
    poor, one, both = terms.poor, terms.intermediate, terms.both_intermediate
    yield Row("poor in either gene", "", _asks("contraindicated", poor.say), critical, poor.source)
    for what, it in (("intermediate in one gene", one), ("intermediate in both", both)):
        if it.at_most is not None:
            when = f"dose above {_plain(it.at_most)} % of the usual start"
            yield Row(what, when, _asks(Kind.DOSE_CHECK, it.say), urgent, it.source)
    unsure = terms.indeterminate
    for gene in protocol.genes:
        said: str = getattr(unsure, gene)
        if said:
            asks = _asks(Kind.REVIEW, said)
            yield Row(f"{gene.upper()} indeterminate", "", asks, unsure.urgency, unsure.source)
    activity = terms.activity
    if activity.counts:
        unit = catalogue.analytes["tpmt_activity"].unit
        parts = ["a normal one before the first dose counts as the genotype"]
        if activity.deficient_below is not None:
            parts.append(f"below {_plain(activity.deficient_below)} {unit}: poor")
        if activity.after_transfusion is not None:
            parts.append(f"not within {activity.after_transfusion} after a transfusion")
        yield Row("TPMT activity", "; ".join(parts), activity.say, "", activity.source)


def _not_known(dosing: Dosing) -> str:
    if dosing.weight_valid is None:
        return "dose not known"
    return f"weight older than {dosing.weight_valid}, or dose or weight not known"


def _doses(dosing: Dosing, catalogue: Catalogue) -> Iterator[Row]:
    kind, urgent = Kind.DOSE_CHECK.value.replace("_", " "), Urgency.URGENT.value
    general = dosing.general
    yield Row(
        "any indication",
        f"compared to the nearest {_plain(dosing.nearest_mg)} mg; {_not_known(dosing)}",
        kind,
        Urgency.ROUTINE.value,
        general.source,
    )
    yield Row("", "; ".join(_regime(general)), kind, urgent, "")
    yield from _beside_regime(general)
    for name, regime in dosing.indications:
        words = "; ".join(_regime(regime))
        yield Row(name.replace("_", " "), words, kind, urgent, regime.source)
        yield from _beside_regime(regime)
    if dosing.renal is not None:
        renal = dosing.renal
        unit = catalogue.analytes[renal.analyte].unit
        parts = [
            f"{renal.analyte} below {_plain(it.below)} {unit}: at most {_plain(it.percent)} % "
            "of the usual start"
            for it in renal.levels
        ]
        parts.append(f"{renal.symptom.replace('_', ' ')}: {renal.panel} is due that day")
        yield Row("kidney", "; ".join(parts), kind, urgent, renal.source)


def _beside_regime(regime: Regime) -> Iterator[Row]:
    if regime.note:
        yield Row("", regime.note, "a note", "", "")
    if regime.withdraw_after is not None:
        when = f"stopped before {regime.withdraw_after} of treatment, or after a relapse"
        asks = _asks(Kind.REVIEW, regime.withdraw_say)
        yield Row("", when, asks, regime.withdraw_urgency, "")


def _regime(regime: Regime) -> Iterator[str]:
    """Each limit of a regime that a dose is compared with, or that is shown."""
    yield f"usual start {regime.usual_start}"
    if regime.start_at_most is not None:
        yield f"begun with at most {regime.start_at_most}"
    if regime.ladder:
        yield ", ".join(f"at most {it.at_most} before {it.until}" for it in regime.ladder)
    elif regime.increase_after is not None:
        yield f"no increase before {regime.increase_after}"
    if regime.step is not None and regime.step_interval is not None:
        yield f"at most {regime.step} more every {regime.step_interval}"
    if regime.maintenance:
        yield f"maintenance {' to '.join(str(it) for it in regime.maintenance)} (shown)"
    if regime.maximum is not None:
        yield f"at most {regime.maximum}"
    if regime.later_maximum is not None:
        yield f"from {regime.later_after} on at most {regime.later_maximum}"
    if regime.before_dose is not None:
        terms = regime.before_dose
        yield f"begun only with {terms.analyte} below {terms.shown}, not older than {terms.within}"


def _combinations(protocol: Protocol) -> Iterator[Row]:
    for it in protocol.combinations:
        lines = ", ".join(" or ".join(line) for line in it.lines)
        for number, level in enumerate(it.levels):
            when = f"{level.lines_low} of {len(it.lines)} low within {it.together}"
            when += f": {lines}" if number == 0 else ""
            asks, source = _asks(level.action, level.say), "" if number else it.source
            yield Row("" if number else it.title, when, asks, level.urgency, source)


def _symptoms(protocol: Protocol, catalogue: Catalogue) -> Iterator[Row]:
    for rule in protocol.symptoms:
        for number, level in enumerate(rule.levels):
            what, source = ("", "") if number else (rule.title, rule.source)
            parts = list(_conditions(level, catalogue))
            if number == 0:
                parts = [*_groups(rule), *parts]
            when = "; ".join(parts) or "otherwise"
            yield Row(what, when, _asks(level.action, *level.say), level.urgency, source)


def _groups(rule: SymptomRule) -> Iterator[str]:
    groups = " and ".join(" or ".join(_words(group)) for group in rule.groups)
    yield groups + (f", within {rule.together}" if rule.together is not None else "")
    if rule.unless:
        yield f"not beside {', '.join(_words(rule.unless))}"
    if rule.test_today:
        yield f"{', '.join(rule.test_today)} due that day"


def _conditions(level: SymptomLevel, catalogue: Catalogue) -> Iterator[str]:
    if level.soon_after_start is not None:
        yield f"in the first {level.soon_after_start} after a start, resumption or increase"
    if level.last is not None:
        unit = catalogue.analytes[level.last.analyte].unit
        yield f"last {level.last.analyte} below {_plain(level.last.below)} {unit}"
    if level.none_since is not None:
        terms = level.none_since
        yield f'no {terms.analyte} within {terms.within} in the phase "{terms.phase}"'
    if level.after is not None:
        yield f"{level.after.event.replace('_', ' ')} within {level.after.within} before"


def _interactions(protocol: Protocol) -> Iterator[Row]:
    for it in protocol.interactions:
        parts = list(_about(it))
        parts += [_test(test) for test in it.tests]
        if it.restart:
            parts.append("begins the phases anew")
        yield Row(it.title, "; ".join(parts), _asks(it.action, it.say), it.urgency, it.source)
        if it.intended is not None:
            when = f"event intended_combination, dose {it.intended.text} of the one before"
            yield Row("", when, _asks("recovered", it.intended.say), "", "")


def _about(it: Interaction) -> Iterator[str]:
    names = ", ".join((*it.drugs, *_words(it.classes)))
    if it.event == COMEDICATION:
        yield names
    else:
        yield f"event {it.event}" + (f": {names}" if names else "")
    if it.not_classes:
        yield f"other than {', '.join(_words(it.not_classes))}"
    yield from for_whom(it)
    if it.counts_before.least_days:
        yield f"also {it.counts_before} before the enrolment"


def for_whom(it: ForSome) -> Iterator[str]:
    """Which patients it is said of, where it is not said of all."""
    if it.indications:
        yield f"only in {', '.join(_words(it.indications))}"
    if it.except_indications:
        yield f"not in {', '.join(_words(it.except_indications))}"


def _test(test: ExtraTest) -> str:
    asked = []
    if test.every is not None:
        span = f" for {test.lasting}" if test.lasting is not None else ""
        asked.append(f"every {test.every}{span}")
    if test.after:
        asked.append(f"within {test.within} after each {', '.join(test.after)}")
    if test.after_stop is not None:
        asked.append(f"once {test.after_stop} after the other drug is stopped")
    return f"{test.panel} {' and '.join(asked)} (late: {test.urgency} at least)"


def _targets(protocol: Protocol) -> Iterator[Row]:
    for it in protocol.targets:
        limits = dict(it.default_uln)
        names = (
            f"{name} (else {_plain(limits[name])})" if name in limits else name
            for name in it.analytes
        )
        when = f"{', '.join(names)} above the upper limit {it.after} after the start"
        when = "; ".join([f"{when}; again after {it.again_after}", *for_whom(it)])
        asks = _asks(Kind.TARGET, it.say)
        yield Row(it.title, when, asks, Urgency.ROUTINE.value, it.source)


def _tasks(protocol: Protocol) -> Iterator[Row]:
    for it in protocol.tasks:
        asks = _asks(Kind.TASK_DUE, it.say)
        when = "; ".join([f"every {it.every}, reminded every {it.repeat}", *for_whom(it)])
        yield Row(it.title, when, asks, Urgency.ROUTINE.value, it.source)
    for phase in protocol.phases:
        for entry in phase.panels:
            if entry.ask:
                title = f"With each {protocol.panel(entry.panel).title}"
                yield Row(title, f'in the phase "{phase.name}"', entry.ask, "", protocol.source)


def _late(protocol: Protocol) -> Iterator[Row]:
    """When and how urgently somebody hears of a test that did not come."""
    for phase in protocol.phases:
        for entry in phase.panels:
            yield _lateness(protocol, entry.panel, entry, f'in the phase "{phase.name}"')
    for panel in protocol.panels:
        if panel.on_demand is not None:
            yield _lateness(protocol, panel.id, panel.on_demand, "where something demands it")


def _lateness(protocol: Protocol, panel: str, late: Lateness, where: str) -> Row:
    when = (
        f"{where}: due from {late.lead} before, reminded every {late.repeat}, seriously overdue "
        f"after {late.escalate_after}"
    )
    urgency = late.urgency.value
    if late.serious_urgency is not late.urgency:
        urgency += f", then {late.serious_urgency.value}"
    kind = Kind.OVERDUE_TEST.replace("_", " ")
    return Row(protocol.panel(panel).title, when, kind, urgency, protocol.source)


def _missed(protocol: Protocol) -> Iterator[Row]:
    it = protocol.missed
    if it is not None:
        when = f"more than {it.more_than} in a row"
        yield Row("any panel", when, _asks(Kind.REVIEW, it.say), it.urgency, it.source)


def _asks(kind: str, *said: str) -> str:
    words = "; ".join(text for text in said if text)
    return kind.replace("_", " ") + (f": {words}" if words else "")


def _words(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in names)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
