"""When a rule is passed over without judging results one by one: certainty, never a guess."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from monitor.core.levels import is_quiet
from monitor.core.ordered import Reach
from monitor.core.protocol import Rule
from tests.spec import cases

RULES = {it.id: it for it in cases.protocol().rules}
TRENDS = [it for it in RULES.values() if it.is_trend]
HIGH = Decimal(1000)


@pytest.mark.parametrize("rule", TRENDS, ids=[it.id for it in TRENDS])
def test_a_trend_is_quiet_only_where_nothing_lies_below_its_ceiling(rule: Rule) -> None:
    ceiling = rule.levels[0].only_below
    assert ceiling is not None
    assert is_quiet(rule, Reach(ceiling, HIGH))
    assert not is_quiet(rule, Reach(ceiling - Decimal("0.001"), HIGH))
    open_ended = replace(rule, levels=(replace(rule.levels[0], only_below=None),))
    assert not is_quiet(open_ended, Reach(ceiling, HIGH))


@pytest.mark.parametrize(
    ("rule", "lowest", "highest", "quiet"),
    [
        ("neutropenia", "1.6", "9", True),
        ("neutropenia", "1.599", "9", False),
        ("eosinophilia", "0", "0.5", True),
        ("eosinophilia", "0", "0.501", False),
    ],
)
def test_a_limit_is_certain_up_to_the_limit_itself(
    rule: str, lowest: str, highest: str, quiet: bool
) -> None:
    assert is_quiet(RULES[rule], Reach(Decimal(lowest), Decimal(highest))) is quiet


def test_a_missing_reference_limit_is_never_quiet() -> None:
    asked = [
        it
        for it in RULES.values()
        if it.asks_for_uln and not any(level.looks_at_course for level in it.levels)
    ]
    assert asked
    for rule in asked:
        low = Reach(Decimal(0), Decimal("0.001"))
        without = replace(rule, levels=tuple(replace(it, default_uln=None) for it in rule.levels))
        assert is_quiet(without, low, (Decimal(40),))
        assert not is_quiet(without, low, ())
        assert not is_quiet(without, low, (Decimal(40), None))
