"""Which number survives: chains, circles, and what is taken back."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.merges import MERGE, UNMERGE, Said, lasting, survivors, together_since

A, B, C, D = 1, 2, 3, 4


def m(old: int, new: int) -> Said:
    return Said(MERGE, old, new)


def u(old: int, new: int) -> Said:
    return Said(UNMERGE, old, new)


@pytest.mark.parametrize(
    ("said", "of"),
    [
        ([m(A, B)], {A: B, B: B}),
        ([m(A, B), m(B, C)], {A: C, B: C, C: C}),
        ([m(B, C), m(A, B)], {A: C, B: C, C: C}),
        ([m(A, B), m(C, A)], {A: B, B: B, C: B}),
        ([m(A, B), m(A, C)], {A: C, B: C, C: C}),
        ([m(A, B), m(B, A)], {A: A, B: A}),
        ([m(A, B), m(B, C), m(C, A)], {A: A, B: A, C: A}),
        ([m(A, B), m(A, B)], {A: B, B: B}),
        ([m(A, B), u(A, B)], {A: A, B: B}),
        ([m(A, B), u(B, A)], {A: A, B: B}),
        ([m(A, B), m(B, A), u(A, B)], {A: A, B: B}),
        ([m(A, B), m(B, C), u(A, B)], {A: A, B: C, C: C}),
        ([m(A, B), m(B, C), u(B, C)], {A: B, B: B, C: C}),
        ([u(A, B), m(A, B)], {A: B, B: B}),
        ([m(A, B), u(A, B), m(A, B)], {A: B, B: B}),
        ([m(A, B), m(C, D), m(B, D)], {A: D, B: D, C: D, D: D}),
    ],
)
def test_who_survives(said: list[Said], of: dict[int, int]) -> None:
    assert survivors(said) == of


NUMBERS = st.integers(1, 6)
SAID = st.lists(
    st.builds(Said, st.sampled_from([MERGE, MERGE, UNMERGE]), NUMBERS, NUMBERS).filter(
        lambda one: one.old != one.new
    ),
    max_size=20,
)


@given(SAID)
def test_those_who_hang_together_have_one_survivor_who_is_one_of_them(said: list[Said]) -> None:
    of = survivors(said)
    groups = {number: {number} for number in of}
    for one in lasting(said):
        together = groups[one.old] | groups[one.new]
        groups.update(dict.fromkeys(together, together))
    for number, survivor in of.items():
        assert survivor in groups[number]
        assert of[survivor] == survivor
        assert {of[other] for other in groups[number]} == {survivor}


@given(SAID, NUMBERS, NUMBERS)
def test_what_is_taken_back_leaves_nothing(said: list[Said], one: int, other: int) -> None:
    if one == other or {one, other} in [{it.old, it.new} for it in lasting(said)]:
        return
    of = survivors(said)
    back = survivors([*said, m(one, other), u(one, other)])
    assert {number: back[number] for number in of} == of


@given(SAID, NUMBERS, NUMBERS)
def test_together_since_the_word_from_which_on_every_answer_is_one_patient(
    said: list[Said], one: int, other: int
) -> None:
    since = None
    for count in range(1, len(said) + 1):
        of = survivors(said[:count])
        if of.get(one, one) != of.get(other, other):
            since = None
        elif since is None:
            since = count - 1
    if one != other:
        assert together_since(said, one, other) == since


def test_a_patient_merged_and_unmerged_a_thousand_times_takes_no_minutes() -> None:
    said = [m(A, B)] + [
        word for place in range(1_000) for word in (m(C, 9 + place), u(C, 9 + place))
    ]
    said += [m(B, C), u(A, B), m(A, B)]
    began = perf_counter()
    assert together_since(said, A, C) == len(said) - 1
    assert len(lasting(said)) == 2
    assert perf_counter() - began < 5


def test_what_a_hospital_has_merged_in_years_takes_no_minutes() -> None:
    """`monitor verify` asks it of all at once; going through all numbers for each word took 2
    minutes of 20,000."""
    said = [Said(MERGE, 2 * pair, 2 * pair + 1) for pair in range(20_000)]
    began = perf_counter()
    of = survivors(said)
    assert perf_counter() - began < 5
    assert all(of[2 * pair] == of[2 * pair + 1] == 2 * pair + 1 for pair in range(20_000))
