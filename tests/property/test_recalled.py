"""Results that are recalled answer as those that are read: what a review left, and what came
since, say the same as all results together, or that they have to be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitor.core.answer import Review
from monitor.core.case import Case, Result
from monitor.core.derive import may_derive
from monitor.core.kept import reaches, unchanged_rules
from monitor.core.kept_text import Counted, as_text, memory_from
from monitor.core.ordered import Ordered, in_order
from monitor.core.protocol import Protocol
from monitor.core.recalled import Memory, NotRead, Recalled
from monitor.core.review import review_one
from tests.property.numbers_near_limits import interesting_values
from tests.property.shipped import NAMES, catalogue, protocol
from tests.property.strategies import History, histories
from tests.property.test_arrival import seen
from tests.property.test_kept import edited


def alone(history: History, now: datetime) -> Case:
    return replace(history.known(now), siblings=(), personal=(), held=())


def written(found: Review) -> Memory | None:
    """What a review leaves, as it comes back from the database."""
    if found.memory is None:
        return None
    assert found.reaches is not None
    known = memory_from(as_text(found.reaches, found.memory, Counted(7, 9)))
    assert known == (found.memory, Counted(7, 9))
    return known[0]


def follows(memory: Memory, before: Case, after: Case) -> list[Result] | None:
    """What came since, where nothing of what was there was taken back or met by it."""
    assert not isinstance(before.results, Recalled) and not isinstance(after.results, Recalled)
    new = [it for it in after.results if it not in before.results]
    if any(it not in after.results for it in before.results):
        return None
    if any(it.value is None or not memory.goes_on_with(it.collected_on, it.analyte) for it in new):
        return None
    return None if may_derive((it.analyte for it in new), catalogue()) else new


def recalled(
    case: Case,
    memory: Memory,
    new: list[Result],
    rules: tuple[Protocol, Protocol],
    at: History,
    now: datetime,
) -> Review:
    """The answer by what is recalled; what somebody asks for is read, one analyte at a time."""
    old, present = rules
    read: dict[str, list[Result]] = {}
    while True:
        own = Recalled(
            memory,
            Ordered(sorted(new, key=in_order)),
            unchanged_rules(old, present) - memory.open,
            read,
        )
        try:
            event(f"analytes read: {len(read)}")
            return review_one(
                replace(case, results=own), {present.id: present}, catalogue(), now, at.zone
            )
        except NotRead as error:
            for name in (error.analytes or frozenset()) - read.keys():
                read[name] = sorted((it for it in case.results if it.analyte == name), key=in_order)


@st.composite
def later(draw: st.DrawFn, made: Protocol, before: Case, then: datetime) -> list[Result]:
    """Results that come after all others, near limits or a step from what was there."""
    assert not isinstance(before.results, Recalled)
    known = [it for it in before.results if it.value is not None]
    last = max([then.date(), *(it.collected_on for it in before.results)])
    names = sorted({rule.analyte for rule in made.rules} | {it.analyte for it in known})
    found: list[Result] = []
    for number in range(draw(st.integers(0, 6))):
        last += timedelta(
            days=draw(st.sampled_from([0, 1, 2, 7, 30, 90]) if number else st.just(1))
        )
        name = draw(st.sampled_from(names))
        own = [it.value for it in (*known, *found) if it.analyte == name and it.value is not None]
        values = interesting_values(made, name)
        if own:
            steps = ("1", "0.95", "0.89", "0.85", "0.7", "0.69", "1.31", "1.5")
            values += [own[-1] * Decimal(step) for step in steps] * (len(values) // 8 + 1)
        value = draw(st.sampled_from(values))
        high = draw(st.sampled_from([None, None, Decimal(40), Decimal(60)]))
        at = datetime.combine(last, time(9 + number), then.tzinfo)
        comparator = draw(st.sampled_from(["", "", "", "", "", "", "<"]))
        method = draw(st.sampled_from(["", "", "", "", "", "", "b"]))
        plain = Result(
            10_000 + number, name, at, last, value, at, ref_high=high, received_value=str(value)
        )
        found.append(plain._replace(comparator=comparator, method=method))
    return found


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3 * settings().max_examples)
@given(data=st.data())
def test_what_is_recalled_answers_as_what_is_read(name: str, data: st.DataObject) -> None:
    made = protocol(name)
    history = data.draw(histories(made))
    then = data.draw(st.sampled_from(history.arrivals() or [history.noon(history.last_day)]))
    before = alone(history, then)
    assert not isinstance(before.results, Recalled)
    memory = written(review_one(before, {made.id: made}, catalogue(), then, history.zone))
    if memory is None:
        event("nothing may be remembered")
        return
    present = data.draw(st.just(made) | edited(made))
    new = data.draw(later(made, before, then))
    new = [it for it in new if memory.goes_on_with(it.collected_on, it.analyte)]
    last = max([then.date(), *(it.collected_on for it in new)])
    now = max(then, history.noon(last + timedelta(days=data.draw(st.integers(0, 100)))))
    case = replace(alone(history, now), results=(*before.results, *new))
    if may_derive((it.analyte for it in new), catalogue()):
        return
    whole = review_one(case, {made.id: present}, catalogue(), now, history.zone)
    found = recalled(case, memory, new, (made, present), history, now)
    assert seen(found) == seen(whole)
    assert found.panels == whole.panels
    assert found.next_change_at == whole.next_change_at
    assert found.reaches == whole.reaches
    event(f"new results: {bool(new)}, edited: {present is not made}")
    assert without_asked(found.memory) == without_asked(whole.memory)


def without_asked(memory: Memory | None) -> Memory | None:
    """Without what was asked for, which depends on what was read before."""
    return None if memory is None else replace(memory, asked=frozenset())


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_what_is_recalled_can_be_recalled_again(name: str, data: st.DataObject) -> None:
    """A chain of reviews, each by what the one before left, ends as one that reads everything."""
    made = protocol(name)
    history = data.draw(histories(made))
    memory: Memory | None = None
    before: Case | None = None
    for now in history.arrivals():
        case = alone(history, now)
        whole = review_one(case, {made.id: made}, catalogue(), now, history.zone)
        found = whole
        if memory is not None and before is not None:
            new = follows(memory, before, case)
            if new is not None:
                found = recalled(case, memory, new, (made, made), history, now)
                event("recalled")
        assert seen(found) == seen(whole)
        memory, before = written(found), case


def test_results_that_were_not_read_are_never_gone_through() -> None:
    made = protocol(NAMES[0])
    memory = Memory(
        start=datetime(2026, 1, 5).date(), indication="", of={}, open=frozenset(), baselines={},
        asked=frozenset(),
    )  # fmt: skip
    own = Recalled(memory, Ordered(()), frozenset(), {})
    with pytest.raises(NotRead):
        list(own)
    assert made.rules and reaches(own) == {}
