"""A sound protocol file is read exactly, and its examples are worked through."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitor.core.calendar import Duration
from monitor.core.examples import check_examples, load_protocol
from monitor.core.toml_text import decode
from monitor.core.vocabulary import Kind, Urgency
from tests.protocol_texts import EXAMPLE, FILE, bare, catalogue, edited, faults_of, read, shipped


def test_the_shipped_protocol_is_sound_and_its_examples_hold() -> None:
    protocol = load_protocol(shipped(), FILE, catalogue())
    assert (protocol.id, protocol.default, len(protocol.rules)) == ("azathioprine", True, 20)
    assert check_examples(protocol, catalogue(), ZoneInfo("Asia/Tokyo")) == []


def test_every_rule_of_the_shipped_protocol_has_an_example_that_makes_it_speak() -> None:
    protocol = read(shipped())
    spoken = {it.rule for example in protocol.examples for it in example.expect_alerts or ()}
    assert spoken == {rule.id for rule in protocol.rules}


def test_values_are_read_exactly() -> None:
    protocol = read(bare())
    mild, severe = protocol.rules[0].levels
    assert (mild.below, mild.action, mild.urgency) == (
        Decimal("0.5"),
        Kind.DOSE_REDUCTION,
        Urgency.URGENT,
    )
    assert severe.recheck == Duration(days=2, text="2 days")
    quarterly = protocol.phases[1]
    assert quarterly.until is None
    assert [entry.panel for entry in quarterly.panels] == ["cbc", "lft"]
    assert quarterly.panels[1].every == Duration(months=3, text="3 months")
    assert protocol.panel("lft").any_of == (("alt", "ast"),)


def test_a_level_in_another_unit_is_converted_exactly() -> None:
    protocol = read(edited("{ below = 0.5, action", '{ below = 499, unit = "/uL", action'))
    assert protocol.rules[0].levels[0].below == Decimal("0.499")


def test_the_digest_tells_texts_apart_and_line_ends_do_not_matter() -> None:
    text = shipped()
    assert read(text).digest != read(text + "# a remark\n").digest
    windows = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    assert read(decode(windows, FILE)).digest == read(text).digest


def test_above_and_times_the_reference_limit_may_stand_in_one_ladder() -> None:
    levels = next(rule for rule in read(bare()).rules if rule.id == "raised_alt").levels
    assert levels[0].above == Decimal(100)
    assert (levels[1].above_times_uln, levels[1].default_uln) == (Decimal(5), Decimal(50))


def test_a_protocol_may_end_where_it_says_why() -> None:
    ending = edited('name = "quarterly"', 'name = "quarterly"\nuntil = "2 years"')
    assert read('allow_ending = "a course of two years"\n' + ending).allow_ending


def test_a_trend_may_grow_more_severe() -> None:
    text = edited(
        'only_below = 200, action = "review", urgency = "routine" }',
        'only_below = 200, action = "review", urgency = "routine" }, '
        '{ falls_in_a_row = 4, each = "10 %", action = "review", urgency = "urgent" }',
    )
    assert len(next(it for it in read(text).rules if it.id == "falling_platelets").levels) == 2


FAULTY_EXAMPLES = {
    "another due day": ("due_on = 2026-01-19", "due_on = 2026-01-20",
        "examples[0].expect.cbc.due_on", "2026-01-19"),
    "another state": ('"up_to_date"', '"overdue"', "examples[0].expect.cbc.state", "up_to_date"),
    "an alert too many": ('["lymphopenia"]', '["lymphopenia", "anaemia"]',
        "examples[0].expect.alerts", "lymphopenia (dose reduction, urgent)"),
    "an alert too few": ('["lymphopenia"]', "[]", "examples[0].expect.alerts",
        "lymphopenia (dose reduction, urgent)"),
    "another action": ('["lymphopenia"]', '[{ rule = "lymphopenia", action = "discontinue" }]',
        "examples[0].expect.alerts", "lymphopenia (dose reduction, urgent)"),
    "unknown rule": ('["lymphopenia"]', '["lymphopaenia"]', "examples[0].expect.alerts",
        'did you mean "lymphopenia"'),
    "unknown state": ('"up_to_date"', '"fine"', "examples[0].expect.cbc.state", "up_to_date"),
    "unknown panel": ("expect = { cbc", "expect = { cbd", "examples[0].expect.cbd", "cbc"),
    "unknown panel completed": ("completed = { cbc", "completed = { cbd",
        "examples[0].completed.cbd", "cbc"),
    "unknown analyte": ('"lymphocytes", value', '"lymphocyts", value',
        "examples[0].results[0].analyte", "lymphocytes"),
    "unknown unit": ('unit = "10*9/L"', 'unit = "mg/dL"', "examples[0].results[0]", "unit"),
    "no value": ('"0.4"', '"O.4"', "examples[0].results[0]", ""),
    "unknown event": ('event = "hold"', 'event = "holiday"', "examples[0].events[0].event", "hold"),
    "a hold of no length": ('event = "hold" }', 'event = "hold", value = "soon" }',
        "examples[0].events[0].value", "the day until when"),
    "a hold until before": ('event = "hold" }', 'event = "hold", value = 2026-01-11 }',
        "examples[0].events[0].value", "from the event on"),
    "an absence without an end": ('event = "hold" }', 'event = "away" }',
        "examples[0].events[0].value", "is missing: away"),
    "a dose in words": ('event = "hold" }', 'event = "dose", value = "lots" }',
        "examples[0].events[0].value", "mg/day"),
    "a kind nobody has": ('event = "hold" }', 'event = "genotype", value = "tmpt:poor" }',
        "examples[0].events[0].value", "tpmt:poor"),
    "a weight nobody has": ('event = "hold" }', 'event = "weight", value = 7000 }',
        "examples[0].events[0].value", "kg, from"),
    "a value that is a list": ('event = "hold" }', 'event = "away", value = [1] }',
        "examples[0].events[0].value", "must be text"),
    "a day in quotes": ("today = 2026-01-13", 'today = "2026-01-13"', "examples[0].today",
        "2026-01-05"),
    "a day and an hour": ("today = 2026-01-13", "today = 2026-01-13T10:00:00", "examples[0].today",
        "no day"),
    "a day of another time": ("today = 2026-01-13", "today = 0026-01-13", "examples[0].today",
        "1900"),
    "a result of tomorrow": ("today = 2026-01-13", "today = 2026-01-11", "examples[0].results",
        "nobody could know"),
    "a test of tomorrow": ("[2026-01-12] }", "[2026-01-12, 2026-01-14] }",
        "examples[0].completed.cbc", "days up to `today`"),
    "nothing expected": ("expect = {", "x = {", "examples[0].expect", "missing"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", FAULTY_EXAMPLES.values(), ids=FAULTY_EXAMPLES.keys())
def test_an_example_that_fails_is_a_fault(mistake: tuple[str, str, str, str]) -> None:
    old, new, where, words = mistake
    assert read(bare() + EXAMPLE).examples
    found = faults_of(edited(old, new, bare() + EXAMPLE))
    said = [str(it) for it in found if it.key.startswith(where) and '(example "one")' in it.key]
    assert any(words in text for text in said), [str(fault) for fault in found]


def test_an_edited_limit_fails_the_examples_around_it() -> None:
    found = faults_of(shipped().replace("{ below = 140,", "{ below = 139,"))
    assert ['example "platelets 139"' in fault.key for fault in found] == [True]
    assert found[0].line is not None
