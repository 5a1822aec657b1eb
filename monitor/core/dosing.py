"""Doses that are too high or too early, or not known: each a `dose_check` with its arithmetic.

Source: founding brief; the numbers are those of `[dosing]` and `[genotypes]` of the protocol.
A dose below a range never speaks. A check ends with its cause: another dose, weight or
genotype on record, or the day from which the protocol allows the dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Finding
from monitor.core.doses import Given, Weight, history, weight_of, weights
from monitor.core.dosing_rules import Amount, Dosing, Regime
from monitor.core.findings import REDUCING, day_text, sentence
from monitor.core.genes import known_gene
from monitor.core.indications import indication_key
from monitor.core.once import once
from monitor.core.phenotypes import GENES
from monitor.core.vocabulary import EnrolmentState, Kind, Metaboliser, Urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

_TAKEN = (EnrolmentState.PLANNED, EnrolmentState.ACTIVE)
_DAY = timedelta(days=1)
_HUNDRED = Decimal(100)
_OF_THE_DOSE = frozenset({"maximum", "ladder", "step", "toxicity", "genotype", "renal"})
"""Checks of which a higher dose is worse."""


def findings(view: View) -> Iterator[Finding]:
    """What the present dose asks for."""
    dosing = view.protocol.dosing
    if dosing is None or view.life.state not in _TAKEN:
        return
    chart = Chart(view, dosing)
    if chart.now is None:
        if view.today >= view.life.first_dose_on:
            none = ("no dose is on record",)
            yield chart.check("dose_unknown", "Dose not known", Urgency.ROUTINE, none)
        return
    yield from _weight(chart)
    yield from _too_high(chart)
    yield from _too_early(chart)
    yield from _despite_toxicity(chart)
    yield from _for_the_genotype(chart)


def wakes(view: View) -> Iterator[date]:
    """The days on which a weight becomes too old, or a dose is allowed after all."""
    dosing = view.protocol.dosing
    if dosing is None or view.life.state not in _TAKEN:
        return
    chart = Chart(view, dosing)
    if chart.weight is not None and dosing.weight_valid is not None:
        yield dosing.weight_valid.after(chart.weight.on) + _DAY
    first = view.life.first_dose_on
    yield first
    regime = chart.regime
    if regime.later_after is not None:
        yield regime.later_after.after(first)
    yield from (rung.until.after(first) for rung in regime.ladder)
    allowed = chart.allowed_from()
    if allowed is not None:
        yield allowed[1]


def considered(view: View) -> Iterator[Considered]:
    """The dose history and what was compared, for `explain`, where nothing spoke of it."""
    dosing = view.protocol.dosing
    if dosing is None:
        return
    chart = Chart(view, dosing)
    lines = [] if view.life.state in _TAKEN else [f"the enrolment is {view.life.state}"]
    lines += [str(it) for it in chart.doses] or ["no dose is on record"]
    regime = chart.regime
    limits = {"usual start": regime.usual_start, "maximum": regime.maximum}
    lines += [f"{name}: {chart.shown(it)}" for name, it in limits.items() if it is not None]
    if regime.maintenance:
        lines.append(f"maintenance: {' to '.join(str(it) for it in regime.maintenance)}")
    yield Considered(
        room="dose",
        subject=view.case.enrolment.indication.strip() or "any indication",
        why=tuple(lines),
        source=regime.source,
        judged=chart.now is not None and (chart.weight is not None or not regime.asks_for_weight),
    )


class Chart:
    """The doses of one enrolment beside what its indication allows."""

    def __init__(self, view: View, dosing: Dosing) -> None:
        self.view, self.dosing = view, dosing
        self.indication = indication_key(view.case.enrolment.indication)
        self.regime: Regime = dosing.regime(self.indication)

    @once
    def doses(self) -> list[Given]:
        return history(self.view.case, self.view.life, self.view.today, self._weights)

    @property
    def now(self) -> Given | None:
        return self.doses[-1] if self.doses else None

    @once
    def weight(self) -> Weight | None:
        return weight_of(self._weights, self.view.today)

    @property
    def _weights(self) -> list[Weight]:
        view = self.view
        return view.once("weights", lambda: weights(view.case, view.today))

    @property
    def kg(self) -> Decimal | None:
        return None if self.weight is None else self.weight.kg

    def limit(self, amount: Amount, percent: Decimal = _HUNDRED) -> Decimal | None:
        """In mg/day as doses are compared; None where the weight is not known."""
        mg = amount.mg(self.kg)
        return None if mg is None else self.dosing.nearest(mg * percent / _HUNDRED)

    def exceeds(self, amount: Amount, percent: Decimal = _HUNDRED) -> bool:
        limit = self.limit(amount, percent)
        assert self.now is not None
        return limit is not None and self.dosing.nearest(self.now.mg) > limit

    def worth(self, amount: Amount) -> str:
        """A limit in a few words; one by weight with the weight, and what it comes to."""
        mg = amount.mg(self.kg)
        if mg is None or self.weight is None or not amount.per_kg:
            return str(amount)
        return f"{amount} x {self.weight.kg.normalize():f} kg = {_mg(mg)}"

    def shown(self, amount: Amount, percent: Decimal = _HUNDRED) -> str:
        """The arithmetic of a limit."""
        mg = amount.mg(self.kg)
        if mg is None:
            return f"{amount}; weight not known"
        part = "" if percent == _HUNDRED else f"{percent.normalize():f} % of "
        weighed = f" x {self.weight}" if amount.per_kg else ""
        exact = mg * percent / _HUNDRED
        return (
            f"{part}{amount}{weighed} = {exact.normalize():f} mg/day, to the nearest "
            f"{self.dosing.nearest_mg.normalize():f} mg: {self.limit(amount, percent):f} mg/day"
        )

    def check(
        self,
        what: str,
        summary: str,
        urgency: Urgency,
        arithmetic: tuple[str, ...],
        *say: str,
        source: str = "",
    ) -> Finding:
        """A finding about the present dose."""
        early = self.view.today < self.view.life.first_dose_on
        said = [sentence(text) for text in say if text]
        if early:
            said.append("Not begun yet: resolve before the first dose.")
        history = tuple(f"dose: {given}" for given in self.doses)
        return Finding(
            enrolment_id=self.view.case.enrolment.id,
            cause=f"dose_check:{what}",
            kind=Kind.DOSE_CHECK,
            urgency=urgency,
            summary=summary,
            source=source or self.regime.source,
            action="Check the dose. Prescriber to decide.",
            say=tuple(said),
            arithmetic=(*arithmetic, *history),
            news=self._raised() if what in _OF_THE_DOSE else "",
        )

    def _raised(self) -> str:
        """A dose that was raised while its check stands is told again, whoever has it in hand."""
        found = None if self.now is None else self.increase()
        if self.now is None or found is None or found[1] is None:
            return ""
        return f"the dose was raised on {day_text(self.now.on)}"

    # --- Increases ----------------------------------------------------------------------

    def increase(self) -> tuple[Decimal, Given | None] | None:
        """By how many mg/day, as compared, the present dose lies above the one before it, or
        above the most that is begun with; None where it does not."""
        assert self.now is not None
        present = self.dosing.nearest(self.now.mg)
        if len(self.doses) > 1:
            before: Given | None = self.doses[-2]
            assert before is not None
            base: Decimal | None = self.dosing.nearest(before.mg)
        else:
            before = None
            begin = self.regime.start_at_most
            base = None if begin is None else self.limit(begin)
        if base is None or present <= base:
            return None
        return present - base, before

    def allowed_from(self) -> tuple[date, date, int] | None:
        """For an increase: from when a first step is allowed, from when this one is, and how
        many steps it is."""
        regime, first = self.regime, self.view.life.first_dose_on
        if self.now is None or regime.ladder or regime.increase_after is None:
            return None
        found = self.increase()
        if found is None:
            return None
        size, before = found
        earliest = regime.increase_after.after(first)
        interval = regime.step_interval
        if interval is not None and before is not None and before.on > first:
            earliest = max(earliest, interval.after(before.on))
        step = None if regime.step is None else self.limit(regime.step)
        steps = ceil(size / step) if step else 1
        last = earliest
        if interval is not None:
            for _ in range(steps - 1):
                last = interval.after(last)
        return earliest, last, steps


def _weight(chart: Chart) -> Iterator[Finding]:
    """A weight nobody recorded, or one too old to reckon with."""
    if not chart.regime.asks_for_weight:
        return
    if chart.weight is None:
        summary = "Weight not known: the dose cannot be judged for the weight"
        yield chart.check("weight", summary, Urgency.ROUTINE, ())
        return
    valid = chart.dosing.weight_valid
    if valid is not None and chart.view.today > valid.after(chart.weight.on):
        summary = f"Weight is older than {valid}: {chart.weight}"
        yield chart.check("weight", summary, Urgency.ROUTINE, ())


def _too_high(chart: Chart) -> Iterator[Finding]:
    """Above the maximum, the lower one of later on, or a rung of the ladder."""
    regime, first, today = chart.regime, chart.view.life.first_dose_on, chart.view.today
    maximum, why = regime.maximum, "the maximum"
    later = regime.later_after
    if regime.later_maximum is not None and later is not None and today >= later.after(first):
        maximum, why = regime.later_maximum, f"the most from {later} on"
    if maximum is not None and chart.exceeds(maximum):
        yield _above(chart, "maximum", maximum, why)
    rung = next((it for it in regime.ladder if today < it.until.after(first)), None)
    if rung is not None and chart.exceeds(rung.at_most):
        ends = day_text(rung.until.after(first))
        yield _above(chart, "ladder", rung.at_most, f"the most before {ends}")


def _above(chart: Chart, what: str, amount: Amount, why: str) -> Finding:
    assert chart.now is not None
    summary = f"{_mg(chart.now.mg)} is above {why}, {chart.worth(amount)}"
    lines = (f"{why}: {chart.shown(amount)}",)
    return chart.check(what, summary, Urgency.URGENT, lines, chart.regime.maximum_say)


def _too_early(chart: Chart) -> Iterator[Finding]:
    allowed = chart.allowed_from()
    if allowed is None or chart.now is None:
        return
    earliest, last, steps = allowed
    if chart.view.today >= last or chart.now.on >= last:
        return
    regime = chart.regime
    found = chart.increase()
    assert found is not None
    size, before = found
    was = f"{_mg(before.mg)} before" if before else f"begin with {regime.start_at_most} at most"
    how = "too early" if chart.now.on < earliest else "too large a step"
    arithmetic = [
        f"{_mg(chart.now.mg)} from {day_text(chart.now.on)}; {was}: {_mg(size)} more, as compared",
        f"first dose {day_text(chart.view.life.first_dose_on)}",
        f"a first step is allowed from {day_text(earliest)}",
    ]
    if regime.step is not None:
        every = f" every {regime.step_interval}" if regime.step_interval else ""
        arithmetic.append(f"step{every}: {chart.shown(regime.step)}; this is {steps}")
    arithmetic.append(f"allowed from {day_text(last)}")
    summary = f"Increase to {_mg(chart.now.mg)} on {day_text(chart.now.on)} is {how}"
    if before is None:
        summary = f"{_mg(chart.now.mg)} is more than is begun with, {regime.start_at_most}"
    yield chart.check("step", summary, Urgency.URGENT, tuple(arithmetic))


def _despite_toxicity(chart: Chart) -> Iterator[Finding]:
    """An increase while an alert that asked for less had not recovered, until it has."""
    found = chart.increase() if chart.now is not None and len(chart.doses) > 1 else None
    if found is None or chart.now is None:
        return
    on = chart.now.on
    standing = [
        it
        for it in chart.view.rule_findings
        if it.kind in REDUCING and not it.recovered and _stood_on(chart.view, it, on)
    ]
    if standing:
        summary = f"Increase to {_mg(chart.now.mg)} on {day_text(on)} while an alert stands"
        lines = tuple(f"not recovered: {it.summary}" for it in standing)
        say = chart.regime.toxicity_say
        yield chart.check("toxicity", summary, Urgency.URGENT, lines, say)


def _stood_on(view: View, finding: Finding, day: date) -> bool:
    """Whether the last result of the rule up to a day was one of the finding's breaches: one
    that had recovered by then, and came back after it, did not stand."""
    series = view.series.get(finding.rule or "", ())
    last = next((it for it in reversed(series) if it.collected_on <= day), None)
    return last is not None and last.result.collected_at in finding.breaches


def _for_the_genotype(chart: Chart) -> Iterator[Finding]:
    """More than an intermediate metaboliser begins with."""
    known = [known_gene(chart.view, gene) for gene in GENES]
    slow = [it for it in known if it.phenotype is Metaboliser.INTERMEDIATE]
    if not slow or any(it.phenotype is Metaboliser.POOR for it in known):
        return
    terms = chart.view.protocol.genotypes
    advice = terms.both_intermediate if len(slow) > 1 else terms.intermediate
    usual = chart.regime.usual_start
    if advice.at_most is None or not chart.exceeds(usual, advice.at_most):
        return
    assert chart.now is not None
    names = " and ".join(it.gene.upper() for it in slow)
    summary = (
        f"{_mg(chart.now.mg)} in an intermediate metaboliser ({names}) is above "
        f"{advice.at_most.normalize():f} % of the usual start, {usual}"
    )
    lines = (chart.shown(usual, advice.at_most), *(line for it in slow for line in it.lines()))
    yield chart.check("genotype", summary, Urgency.URGENT, lines, advice.say, source=advice.source)


def _mg(amount: Decimal) -> str:
    return f"{amount.normalize():f} mg/day"
