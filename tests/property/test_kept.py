"""What is kept of an answer says of an edit only what judging everybody anew would say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.answer import Review
from monitor.core.calendar import parse_duration
from monitor.core.case import Case
from monitor.core.kept import edit_between
from monitor.core.kept_text import as_text, from_text
from monitor.core.protocol import Level, Protocol, Rule
from monitor.core.review import review_one
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import DAYS_TO_THE_LAST_NEWS, History, histories
from tests.property.test_arrival import seen

FACTORS = ("0.5", "0.8", "0.95", "1", "1.05", "1.25", "2")
NUMBERS = (
    "below", "above", "above_times_uln", "default_uln", "rise_from_baseline", "fall_from_baseline",
    "each", "only_below", "rise_from_lowest", "not_fallen_by",
)  # fmt: skip


def moved(rule: Rule, factor: Decimal) -> Rule:
    """With every number of its levels so many times what it was."""

    def level(it: Level) -> Level:
        known = {name: getattr(it, name) for name in NUMBERS}
        return replace(it, **{name: n * factor for name, n in known.items() if n is not None})

    return replace(rule, levels=tuple(map(level, rule.levels)))


EDITS: tuple[Callable[[Rule, Decimal], tuple[Rule, ...]], ...] = (
    lambda rule, factor: (moved(rule, factor),),
    lambda rule, _: (),
    lambda rule, factor: (rule, replace(moved(rule, factor), id=f"{rule.id}_too")),
    lambda rule, _: (replace(rule, confirm=3 - rule.confirm if rule.confirm < 3 else 1),),
    lambda rule, _: (replace(rule, indications=(), except_indications=()),),
    lambda rule, _: (replace(rule, indications=("nobody's",)),),
    lambda rule, _: (
        replace(
            rule,
            levels=tuple(replace(it, recheck=parse_duration("1 day")) for it in rule.levels),
        ),
    ),
)


@st.composite
def edited(draw: st.DrawFn, made: Protocol) -> Protocol:
    """The protocol with some of its rules otherwise."""
    rules: list[Rule] = []
    for rule in made.rules:
        edit = draw(st.sampled_from(EDITS)) if draw(st.integers(0, 3)) == 0 else None
        factor = Decimal(draw(st.sampled_from(FACTORS)))
        rules += (rule,) if edit is None else edit(rule, factor)
    return replace(made, rules=tuple(rules), digest="edited", version="2")


@st.composite
def reviewed(draw: st.DrawFn, made: Protocol, history: History) -> tuple[datetime, Case, Review]:
    """An instant, what is known then of an enrolment that stands alone, and the answer."""
    early = draw(st.sampled_from(DAYS_TO_THE_LAST_NEWS) | st.integers(0, 250))
    now = history.noon(history.last_day - timedelta(days=early))
    known = replace(history.known(now), siblings=(), personal=(), held=())
    return now, known, review_one(known, {made.id: made}, catalogue(), now, history.zone)


@st.composite
def before_it_changes(draw: st.DrawFn, now: datetime, before: Review) -> datetime:
    """A later instant at which the answer would still stand."""
    later = now + timedelta(days=draw(st.integers(0, 100)))
    if before.next_change_at is not None and later >= before.next_change_at:
        return before.next_change_at - timedelta(seconds=1)
    return later


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3 * settings().max_examples)
@given(data=st.data())
def test_whoever_an_edit_leaves_alone_is_answered_as_before(name: str, data: st.DataObject) -> None:
    made = protocol(name)
    history = data.draw(histories(made))
    now, known, before = data.draw(reviewed(made, history))
    assert before.reaches is not None
    changed = data.draw(edited(made))
    edit = edit_between(made, changed)
    if edit is None:
        return  # a rule of a combination looks at other results
    kept = from_text(as_text(before.reaches), edit.analytes)
    if not edit.leaves_alone(kept, known.enrolment.indication):
        return
    later = data.draw(before_it_changes(now, before))
    after = review_one(known, {made.id: changed}, catalogue(), later, history.zone)
    assert seen(after) == seen(before)
    assert before.next_change_at is None or after.next_change_at == before.next_change_at


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_an_answer_that_does_not_stand_alone_is_not_kept(name: str, data: st.DataObject) -> None:
    made = protocol(name)
    history = data.draw(histories(made))
    case = history.known(history.noon(history.last_day))
    now = history.noon(history.last_day)
    found = review_one(case, {made.id: made}, catalogue(), now, history.zone)
    alone = not (case.siblings or case.personal or case.held)
    assert (found.reaches is not None) is alone


def test_an_edit_of_anything_but_a_rule_concerns_everybody() -> None:
    made = protocol(NAMES[0])
    assert edit_between(made, replace(made, wash_out=parse_duration("5 months"))) is None
    assert edit_between(made, replace(made, panels=made.panels[:-1])) is None
    words = edit_between(made, replace(made, digest="x", version="9", note="other words"))
    assert words is not None and words.rules == ()
