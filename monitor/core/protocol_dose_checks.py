"""What only shows when the doses and shares of a protocol file are compared with each other.

Each is said where it stands: of an indication only what it says itself, not what it takes from
`[dosing]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from monitor.core.calendar import shorter
from monitor.core.dosing_rules import Amount, Regime, RenalLevel
from monitor.core.protocol import Genotypes
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report, Table

_ALL = Decimal(100)
_AT_MOST_THE_MAXIMUM = ("usual_start", "start_at_most", "step", "later_maximum")
_BY_STEPS = ("increase_after", "step", "step_interval")


def check_regime(table: Table, regime: Regime, nearest: Callable[[Decimal], Decimal]) -> None:
    """The doses of `[dosing]` or of one indication beside each other; `nearest` is how they are
    compared."""
    for place, amount in _stated(table, regime):
        if not amount.per_kg and not nearest(amount.number):
            problem = "is nothing to the nearest tablet, as doses are compared"
            table.report.add(place, _written(amount), problem, 'text such as "50 mg", or "2 mg/kg"')
    for key in _AT_MOST_THE_MAXIMUM:
        if (key in table or "maximum" in table) and _are_sound(table, key, "maximum"):
            _check_maximum(table, key, getattr(regime, key), regime.maximum)
    later = ("later_after", "later_maximum")
    if (
        any(key in table for key in later)
        and _are_sound(table, *later)
        and ((regime.later_after is None) is not (regime.later_maximum is None))
    ):
        table.report.add(
            table.path, "", "needs both or neither", "`later_after` and `later_maximum`"
        )
    if "maintenance" in table and _are_sound(table, "maintenance"):
        _check_range(table, regime.maintenance)
    if "ladder" in table:
        _check_rungs(table, regime)


def _are_sound(table: Table, *keys: str) -> bool:
    return all(table.report.sound(*table.at(key)) for key in keys)


def check_renal(levels: Sequence[RenalLevel], table: Table) -> None:
    """The kidney's levels go from mild to severe, and ask for no more than the usual dose."""
    for place, level in enumerate(levels):
        where = (*table.at("levels"), place)
        if level.percent > _ALL and table.report.sound(*where):
            problem = "is more than the usual dose"
            table.report.add(
                (*where, "percent"), f"{level.percent} %", problem, "at most all of it"
            )
    for place, (milder, level) in enumerate(pairwise(levels), start=1):
        where = (*table.at("levels"), place)
        for key, value, before in (
            ("below", level.below, milder.below),
            ("percent", level.percent, milder.percent),
        ):
            known = all(
                table.report.sound(*table.at("levels"), it, key) for it in (place - 1, place)
            )
            if value >= before and known:
                problem = f"is not less than in the level before it, {before}"
                table.report.add((*where, key), str(value), problem, "levels from mild to severe")


def check_shares(genotypes: Genotypes, report: Report) -> None:
    """Shares of the usual start for slow metabolisers: at most all of it, of two slow genes no
    more than of one; and a deficient activity is less than a low one."""
    one, both = genotypes.intermediate.at_most, genotypes.both_intermediate.at_most
    for key, share in (("intermediate", one), ("both_intermediate", both)):
        path = ("genotypes", key, "at_most")
        if share is not None and share > _ALL and report.sound(*path):
            report.add(path, f"{share} %", "is more than the usual start", "at most all of it")
    path = ("genotypes", "both_intermediate", "at_most")
    if one is not None and both is not None and both > one and report.sound(*path):
        problem = f"is more than with one intermediate gene, {one} %"
        report.add(path, f"{both} %", problem, f"at most {one} %")
    poor, low = genotypes.activity.deficient_below, genotypes.activity.low_below
    path = ("genotypes", "activity", "deficient_below")
    if poor is not None and low is not None and poor >= low and report.sound(*path):
        report.add(path, str(poor), f"is not below low_below = {low}", f"less than {low}")


def _stated(table: Table, regime: Regime) -> Iterator[tuple[Path, Amount]]:
    """The doses that this very table names, each with its place."""
    for key in (*_AT_MOST_THE_MAXIMUM, "maximum"):
        if key in table and _are_sound(table, key) and (amount := getattr(regime, key)) is not None:
            yield table.at(key), amount
    if "maintenance" in table and _are_sound(table, "maintenance"):
        for place, amount in enumerate(regime.maintenance):
            yield (*table.at("maintenance"), place), amount
    if "ladder" in table and _are_sound(table, "ladder"):
        for place, rung in enumerate(regime.ladder):
            yield (*table.at("ladder"), place, "at_most"), rung.at_most


def _check_maximum(table: Table, key: str, amount: Amount | None, maximum: Amount | None) -> None:
    if not _exceeds(amount, maximum):
        return
    least, most = _written(amount), _written(maximum)
    if key in table:
        table.fault(key, f"is above maximum = {most}", f"at most {most}")
    else:
        table.fault("maximum", f"is below {key} = {least}", f"at least {least}")


def _check_range(table: Table, amounts: Sequence[Amount]) -> None:
    if len(amounts) > 2:
        table.fault("maintenance", "names more than a range", "the lowest dose and the highest")
    elif len(amounts) == 2 and _exceeds(*amounts):
        table.fault("maintenance", "ends below where it begins", "the lowest dose first")


def _check_rungs(table: Table, regime: Regime) -> None:
    """A ladder is climbed in time and in dose, and is in place of steps."""
    for key in _BY_STEPS:
        if key in table:
            table.fault(key, "means nothing beside a ladder", "one of the two")
    if not _are_sound(table, "ladder"):
        return
    for place, (before, rung) in enumerate(pairwise(regime.ladder), start=1):
        where = (*table.at("ladder"), place)
        if not shorter(before.until, rung.until):
            problem = f"is not later than the rung before it, {before.until}"
            table.report.add((*where, "until"), str(rung.until), problem, "rungs in their order")
        if _exceeds(before.at_most, rung.at_most):
            problem = f"is less than the rung before it, {_written(before.at_most)}"
            table.report.add((*where, "at_most"), _written(rung.at_most), problem, "rungs upwards")
    for place, rung in enumerate(regime.ladder):
        if _exceeds(rung.at_most, regime.maximum) and _are_sound(table, "maximum"):
            where = (*table.at("ladder"), place, "at_most")
            most = _written(regime.maximum)
            problem = f"is above maximum = {most}"
            table.report.add(where, _written(rung.at_most), problem, f"at most {most}")


def _written(amount: Amount | None) -> str:
    """As a file has it: `2 mg/kg`."""
    return "" if amount is None else str(amount).removesuffix("/day")


def _exceeds(amount: Amount | None, other: Amount | None) -> bool:
    """Whether a dose is above another; one for each kg and one for all are not compared."""
    if amount is None or other is None or amount.per_kg is not other.per_kg:
        return False
    return amount.number > other.number
