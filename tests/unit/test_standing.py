"""Which of several reports of one result stands (specification, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.standing import (
    Meaning,
    Report,
    key_of,
    repeats,
    standing,
)
from monitor.core.status_words import PLACEHOLDER, read_status
from monitor.core.vocabulary import Status

DAY = datetime(2026, 3, 2, tzinfo=UTC)
EIGHT, NINE = (datetime(2026, 3, 9, hour, tzinfo=UTC) for hour in (8, 9))
LETTERS = {
    "P": Status.PRELIMINARY,
    "F": Status.FINAL,
    "C": Status.CORRECTED,
    "W": Status.WITHDRAWN,
    "X": Status.CANCELLED,
}


def reports(text: str) -> list[Report]:
    """`F0.4@9 C0.5` is a final 0.4 reported at nine, then a corrected 0.5 at no known time;
    `F-` is a final no result."""
    found = []
    for number, word in enumerate(text.split()):
        said, _, hour = word[1:].partition("@")
        found.append(
            Report(
                LETTERS[word[0]],
                Decimal(said) if said not in ("", "-") else None,
                "",
                DAY + timedelta(hours=int(hour)) if hour else None,
                (DAY, number),
            )
        )
    return found


def stands(found: Sequence[Report], *, untimed: bool = False) -> str:
    answer = standing(found, untimed=untimed)
    if answer.meaning is not Meaning.VALUE:
        return answer.meaning.value
    return " ".join(sorted(str(found[index].value) for index in answer.stands))


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ("F0.4", "0.4"),
        ("P0.4 F0.5", "0.5"),
        ("F0.4 P0.5", "0.4"),
        ("F0.4 C0.5", "0.5"),
        ("C0.5 F0.4", "0.5"),
        ("F0.4@9 F0.5@8", "0.4"),
        ("F0.4 F0.5@8", "0.5"),
        ("F0.4 F0.5", "0.5"),
        ("F0.4@9 C0.5@8", "0.5"),
        ("F0.4 W", "withdrawn"),
        ("W F0.4", "withdrawn"),
        ("W0.4 F0.4", "withdrawn"),
        ("F0.4@9 W@8", "withdrawn"),
        ("F0.4 W@8 C0.4@9", "0.4"),
        ("F0.4 C0.5@9 W@8", "0.5"),
        ("F0.4 W C0.6", "0.6"),
        ("X", "no result"),
        ("F0.4 X", "withdrawn"),
        ("X F0.4", "withdrawn"),
        ("P0.4 X", "withdrawn"),
        ("F- X", "no result"),
        ("X C0.4", "0.4"),
        ("F-", "no result"),
        ("F- F0.4", "0.4"),
        ("F0.4 F0.9 F0.4", "0.9"),
        ("F0.4 F0.9 F0.4@8", "0.4"),
        ("C0.4 C0.9 F0.4", "0.9"),
    ],
)
def test_of_one_key_one_report_stands(came: str, left: str) -> None:
    assert stands(reports(came)) == left


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ("F0.4", "0.4"),
        ("F0.4 F0.9", "0.4 0.9"),
        ("F0.4 F0.4", "0.4"),
        ("P0.4 F0.9", "0.4 0.9"),
        ("P0.4 F0.4", "0.4"),
        ("F0.4 C0.9", "0.9"),
        ("C0.9 F0.4", "0.9"),
        ("F0.4 F0.5 C0.9", "0.9"),
        ("F0.9 F0.4 C0.4", "0.4"),
        ("F0.4@9 C0.9@8", "0.4 0.9"),
        ("F0.4@8 C0.9@9", "0.9"),
        ("C0.4@8 C0.9@9", "0.9"),
        ("F0.4 F0.9 W0.4", "0.9"),
        ("W0.4 F0.4 F0.9", "0.9"),
        ("F0.4 F0.9 W", "withdrawn"),
        ("F0.4 W0.7", "0.4"),
        ("F0.4 X", "withdrawn"),
        ("X@8 F0.4@9", "0.4"),
        ("X", "no result"),
        ("F- X", "no result"),
        ("F- F0.4", "0.4"),
        ("F0.4 W@8 C0.4@9", "0.4"),
        ("C0.4 C0.9 C0.4", "0.9"),
    ],
)
def test_different_values_of_a_bare_date_are_different_results_unless_corrected(
    came: str, left: str
) -> None:
    found = reports(came)
    answer = standing(found, untimed=True)
    values = sorted(str(found[i].value) for i in answer.stands if found[i].value is not None)
    assert (" ".join(values) or answer.meaning.value) == left


def report_lists() -> st.SearchStrategy[list[Report]]:
    one = st.builds(
        lambda status, value, hour: (status, None if status is Status.CANCELLED else value, hour),
        st.sampled_from(list(Status)),
        st.sampled_from([None, Decimal("0.4"), Decimal("0.5"), Decimal(9)]),
        st.sampled_from([None, 8, 9, 10]),
    )
    return st.lists(one, min_size=1, max_size=5).map(
        lambda rows: [
            Report(
                status, value, "", None if hour is None else DAY + timedelta(hours=hour), (DAY, n)
            )
            for n, (status, value, hour) in enumerate(rows)
        ]
    )


@given(report_lists(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_order_of_arrival_changes_nothing(found: list[Report], untimed: bool) -> None:
    """Except between two of equal status and report time, where the later received counts:
    the order of receipt is kept here, and only the order of the rows is changed."""
    answers = set()
    for order in permutations(range(len(found))):
        answer = standing([found[index] for index in order], untimed=untimed)
        answers.add((frozenset(order[index] for index in answer.stands), answer.meaning))
    assert len(answers) == 1


@given(report_lists(), st.booleans(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_repetition_changes_nothing(
    found: list[Report], untimed: bool, data: st.DataObject
) -> None:
    again = data.draw(st.sampled_from(found))
    late = Report(again.status, again.value, again.comparator, again.reported_at, (DAY, len(found)))
    assert repeats(late, found, untimed=untimed)


@given(report_lists(), st.booleans())
@example(  # the last takes away what the second, by its time, could not
    [
        Report(Status.PRELIMINARY, Decimal("0.4"), "", NINE, (DAY, 0)),
        Report(Status.CORRECTED, None, "", EIGHT, (DAY, 1)),
        Report(Status.CORRECTED, None, "", None, (DAY, 2)),
    ],
    True,
)
@settings(max_examples=300, deadline=None)
def test_leaving_repetitions_out_changes_no_answer(found: list[Report], untimed: bool) -> None:
    kept: list[Report] = []
    for report in found:
        if not repeats(report, kept, untimed=untimed):
            kept.append(report)

    def said(rows: list[Report]) -> set[tuple[Decimal | None, str]]:
        return {(rows[i].value, rows[i].comparator) for i in standing(rows, untimed=untimed).stands}

    without_ties = len({(r.status, r.reported_at) for r in found}) == len(found)
    if without_ties:
        assert said(kept) == said(found)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("F V U B final Final FINAL appended", Status.FINAL),
        ("C A corrected amended Amended", Status.CORRECTED),
        ("P R S p preliminary unknown", Status.PRELIMINARY),
        ("D W w entered-in-error entered_in_error withdrawn", Status.WITHDRAWN),
        ("X x cancelled canceled", Status.CANCELLED),
        ("I N O registered pending", PLACEHOLDER),
    ],
)
def test_status_words_of_hl7_fhir_and_people(words: str, status: Status | str) -> None:
    assert {read_status(word) for word in words.split()} == {status}


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("F - Final|Final (F)|Final Report|final result|Slutsvar|DEFINITIF|endelig svar|(F) Final",
         Status.FINAL),
        (("Corrected (final)|Final - corrected|Corrected result|Rättat svar|C^Corrected|"
          "C - corrected final|modifie"), Status.CORRECTED),
        (("P - Preliminary|Preliminary report|Préliminaire|nicht validiert|techn. freigegeben|"
          "not verified|not final"), Status.PRELIMINARY),
        ("X (cancelled)|X: not performed|geannuleerd", Status.CANCELLED),
        ("en cours|in Bearbeitung|Result pending", PLACEHOLDER),
        (("F - Preliminary|Pending, final|never final|not quite final|Result|Final by|F (C)|"
          "C - Complete|F in an order X, cancelled|final in a report entered-in-error|"
          "Abnormal - high|CANCELLED REPORT|") + "final " * 20, None),
    ],
)  # fmt: skip
def test_a_status_in_words_is_understood_where_all_of_them_are(
    words: str, status: Status | str | None
) -> None:
    assert {read_status(word) for word in words.split("|")} == {status}


def test_no_status_is_final_and_an_unknown_one_is_not_guessed() -> None:
    assert read_status(" ") is Status.FINAL
    assert read_status("entered in error") is Status.WITHDRAWN
    assert read_status("Auth (Verified)") is Status.FINAL
    assert read_status("Edited Result - FINAL") is Status.CORRECTED
    assert read_status("In Error") is Status.WITHDRAWN
    assert read_status("vorläufig") is Status.PRELIMINARY
    assert read_status("Incomplete") == "placeholder"
    assert [read_status(word) for word in ("ok", "Z", "finale", "F C")] == [None] * 4


def test_a_specimen_ties_a_day_and_no_specimen_an_instant() -> None:
    later = DAY + timedelta(hours=3)
    with_id = [key_of(1, "alt", " s1", DAY.date(), at, True) for at in (DAY, later)]
    without = [key_of(1, "alt", "", DAY.date(), at, True) for at in (DAY, later)]
    bare = key_of(1, "alt", "", DAY.date(), DAY, False)
    assert with_id[0] == with_id[1] == key_of(1, "alt", "S1", DAY.date(), DAY, False)
    assert without[0] != without[1]
    assert bare.untimed and bare not in without
