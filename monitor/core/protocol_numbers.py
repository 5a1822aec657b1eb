"""Numbers of a protocol file held against what the analyte can be.

A limit beyond that is most likely in another unit: haemoglobin below 8 is grams a decilitre, and
in grams a litre it would never speak. So it is a fault that names the unit.
"""

from __future__ import annotations

from decimal import Decimal

from monitor.core.catalogue import Catalogue
from monitor.core.protocol import Protocol, Rule
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report

_ACTIVITY = "tpmt_activity"
_LIMITS = ("below", "above", "default_uln", "only_below")


def check_numbers(protocol: Protocol, report: Report, catalogue: Catalogue) -> None:
    """A fault for each number that no value of its analyte can have."""
    numbers = _Numbers(report, catalogue)
    for place, rule in enumerate(protocol.rules):
        numbers.rule(rule, ("rules", place))
    for place, symptom in enumerate(protocol.symptoms):
        for step, level in enumerate(symptom.levels):
            if level.last is not None:
                where = ("symptoms", place, "levels", step, "last", "below")
                numbers.check(where, level.last.analyte, level.last.below)
    for place, target in enumerate(protocol.targets):
        for analyte, limit in target.default_uln:
            numbers.check(("targets", place, "default_uln", analyte), analyte, limit)
    activity = protocol.genotypes.activity
    for key in ("deficient_below", "low_below"):
        numbers.check(("genotypes", "activity", key), _ACTIVITY, getattr(activity, key))
    _check_dosing(protocol, numbers)


def _check_dosing(protocol: Protocol, numbers: _Numbers) -> None:
    dosing = protocol.dosing
    if dosing is None:
        return
    regimes: list[tuple[Path, object]] = [(("dosing",), None)]
    regimes += [(("dosing", "indications", name), dosing.general) for name, _ in dosing.indications]
    every = (dosing.general, *(regime for _, regime in dosing.indications))
    for (path, general), regime in zip(regimes, every, strict=True):
        terms = regime.before_dose
        if terms is not None and terms is not getattr(general, "before_dose", None):
            numbers.check((*path, "before_dose", "below"), terms.analyte, terms.below)
    if dosing.renal is not None:
        for step, level in enumerate(dosing.renal.levels):
            where = ("dosing", "renal", "levels", step, "below")
            numbers.check(where, dosing.renal.analyte, level.below)


class _Numbers:
    """The report, and what each analyte can be."""

    def __init__(self, report: Report, catalogue: Catalogue) -> None:
        self._report = report
        self._catalogue = catalogue

    def rule(self, rule: Rule, path: Path) -> None:
        sound = self._report.sound
        for step, level in enumerate(rule.levels):
            where = (*path, "levels", step)
            for key in _LIMITS:
                if sound(*where, "unit"):
                    self.check((*where, key), rule.analyte, getattr(level, key), unit=True)
        test = "below" if rule.downward else "above"
        mildest: Decimal | None = getattr(rule.levels[0], test) if rule.levels else None
        if mildest is None or rule.floor is None:
            return
        self.check((*path, "floor"), rule.analyte, rule.floor)
        beyond = rule.floor > mildest if rule.downward else rule.floor < mildest
        known = sound(*path, "levels", 0, test) and sound(*path, "levels", 0, "unit")
        if beyond and known and sound(*path, "analyte") and sound(*path, "floor"):
            side = "above" if rule.downward else "under"
            problem = f"lies {side} the mildest level, {mildest}: no patient could have a limit"
            valid = f"{'at most' if rule.downward else 'at least'} {mildest}"
            self._report.add((*path, "floor"), str(rule.floor), problem, valid)

    def check(
        self, path: Path, analyte: str, number: Decimal | None, *, unit: bool = False
    ) -> None:
        known = self._catalogue.analytes.get(analyte)
        if number is None or known is None or not self._report.sound(*path):
            return
        low, high = known.plausible_low, known.plausible_high
        if low <= number <= high:
            return
        side = "above" if number > high else "below"
        problem = f"is {side} anything plausible for {analyte} ({low} to {high} {known.unit})"
        valid = f"a number in {known.unit}"
        if unit:
            valid += ', or `unit = "..."` beside it'
        self._report.add(path, str(number), problem, valid)
