"""What a canary is given lies beyond the limit, is plausible, and says nothing of anybody else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from monitor.core.beyond import beyond, indication_for
from monitor.core.protocol import Level, Protocol, Rule
from monitor.core.protocol_file import parse_protocol
from monitor.core.vocabulary import Kind, Urgency
from monitor.resources import schedules_folder
from tests.protocol_texts import catalogue

SHIPPED = sorted(it for it in schedules_folder().glob("*.toml") if it.stem != "analytes")


def level(**test: Any) -> Level:
    return Level(action=Kind.REVIEW, urgency=Urgency.ROUTINE, **test)


def rule(*levels: Level, analyte: str = "neutrophils") -> Rule:
    return Rule(id="made_up", analyte=analyte, source="made up", levels=levels)


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    path = request.param
    return parse_protocol(path.read_text(encoding="utf-8"), path.name, catalogue())


def test_each_rule_with_a_limit_of_its_own_has_a_plausible_value_beyond_its_gravest(
    protocol: Protocol,
) -> None:
    for it in protocol.rules:
        analyte = catalogue().analytes[it.analyte]
        found = beyond(it, analyte)
        plain = [
            one
            for one in it.levels
            if (one.below, one.above, one.above_times_uln) != (None, None, None)
            and not one.looks_at_course
            and one.after is None
        ]
        assert (found is not None) == bool(plain), it.id
        if found is None:
            continue
        assert found.level is plain[-1]
        assert analyte.plausible_low < found.value < analyte.plausible_high
        if found.level.below is not None:
            assert found.value < found.level.below
        elif found.level.above is not None:
            assert found.value > found.level.above
        else:
            assert found.uln is not None and found.level.above_times_uln is not None
            assert found.value > found.uln * found.level.above_times_uln


def test_the_gravest_level_is_the_one_that_is_met() -> None:
    of = rule(level(below=Decimal("1.5")), level(below=Decimal("0.5")))
    found = beyond(of, catalogue().analytes["neutrophils"])
    assert found is not None and found.level is of.levels[1] and found.value < Decimal("0.5")


def test_a_rule_that_compares_with_earlier_values_has_none() -> None:
    of = rule(level(fall_from_baseline=Decimal(30)), level(rise_from_baseline=Decimal(30)))
    assert beyond(of, catalogue().analytes["neutrophils"]) is None


def test_the_indication_is_one_that_the_rule_is_for(protocol: Protocol) -> None:
    for it in protocol.rules:
        chosen = indication_for(it, protocol)
        assert chosen not in it.except_indications
        assert chosen in it.indications or not it.indications
