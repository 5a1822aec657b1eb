"""Patients on the very edge of a rule, by hand: the core, the oracle and a person agree.

Random patients seldom stand on the day itself; these do. The rules are those of the made
protocol `steps`: watched from 2 weeks before the start, wash-out 3 weeks, episodes no further
apart than 4 weeks; platelets below 140 speak at the second breach and again after 4 months.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest

from monitor.core.answer import Finding, Review
from monitor.core.calendar import parse_duration
from monitor.core.case import Case, Event, Result
from monitor.core.personal_terms import Personal, Terms
from monitor.core.review import review
from monitor.core.vocabulary import Kind
from tests.property.comparing import differences
from tests.property.made_cases import UTC_ZONE, case, enrolment, event, instant, result
from tests.property.made_protocols import PLAIN, STEPS
from tests.property.oracle import answer
from tests.property.shipped import catalogue

START = date(2026, 1, 5)


class Patient(NamedTuple):
    """`values`: (day, analyte, value as a laboratory writes it) up to the day of the review."""

    story: str
    values: list[tuple[date, str, str]]
    said: list[str]
    events: list[tuple[date, str, str]] = []  # noqa: RUF012  # never changed
    enrolled_on: date = START
    today: date = date(2027, 1, 1)


def day(month: int, number: int, year: int = 2026) -> date:
    return date(year, month, number)


PLATELETS = [
    (day(2, 1), "platelets", "130"),
    (day(2, 8), "platelets", "130"),
    (day(2, 9), "platelets", "200"),
]
PATIENTS = [
    Patient(
        "went on at the enrolment, recovered since: an alert",
        [(day(1, 2), "neutrophils", "0.9"), (day(1, 20), "neutrophils", "4")],
        ["low_neutrophils review urgent recovered"],
        enrolled_on=day(1, 20),
    ),
    Patient(
        "recovered before the enrolment: history",
        [(day(1, 2), "neutrophils", "0.9"), (day(1, 19), "neutrophils", "4")],
        [],
        enrolled_on=day(1, 20),
    ),
    Patient(
        "collected on the first day watched, before the first dose",
        [(day(12, 22, 2025), "neutrophils", "0.9")],
        ["low_neutrophils review urgent"],
    ),
    Patient("collected the day before that", [(day(12, 21, 2025), "neutrophils", "0.9")], []),
    Patient(
        "collected on the day of the first dose",
        [(START, "neutrophils", "0.9")],
        ["low_neutrophils withhold urgent"],
    ),
    Patient(
        "collected the day before a late first dose",
        [(day(1, 11), "neutrophils", "0.9")],
        ["low_neutrophils review urgent"],
        events=[(day(1, 12), "start", "")],
    ),
    Patient(
        "on the last day of the wash-out",
        [(day(3, 22), "neutrophils", "0.9")],
        ["low_neutrophils withhold urgent"],
        events=[(day(3, 1), "stop", "")],
    ),
    Patient(
        "the day after the wash-out",
        [(day(3, 23), "neutrophils", "0.9")],
        [],
        events=[(day(3, 1), "stop", "")],
    ),
    Patient(
        "an episode that outlasts the wash-out is watched to its end, and no further",
        [
            (day(3, 20), "neutrophils", "0.9"),
            (day(4, 20), "neutrophils", "0.4"),
            (day(5, 20), "neutrophils", "4"),
            (day(5, 27), "neutrophils", "0.1"),
        ],
        ["low_neutrophils discontinue critical recovered"],
        events=[(day(3, 1), "stop", "")],
    ),
    Patient(
        "a better one dated tomorrow reassures nobody today",
        [(day(2, 1), "neutrophils", "0.9"), (day(2, 2), "neutrophils", "4")],
        ["low_neutrophils withhold urgent"],
        today=day(2, 1),
    ),
    Patient(
        "and does so on its day",
        [(day(2, 1), "neutrophils", "0.9"), (day(2, 2), "neutrophils", "4")],
        ["low_neutrophils withhold urgent recovered"],
        today=day(2, 2),
    ),
    Patient(
        "a dangerous one dated tomorrow speaks today",
        [(day(2, 1), "neutrophils", "4"), (day(2, 2), "neutrophils", "0.9")],
        ["low_neutrophils withhold urgent"],
        today=day(2, 1),
    ),
    Patient(
        "28 days after the breach before: one episode",
        [
            (day(2, 1), "neutrophils", "0.9"),
            (day(2, 2), "neutrophils", "4"),
            (day(3, 1), "neutrophils", "0.8"),
        ],
        ["low_neutrophils withhold urgent"],
    ),
    Patient(
        "29 days after it: two",
        [
            (day(2, 1), "neutrophils", "0.9"),
            (day(2, 2), "neutrophils", "4"),
            (day(3, 2), "neutrophils", "0.8"),
        ],
        ["low_neutrophils withhold urgent recovered", "low_neutrophils withhold urgent"],
    ),
    Patient(
        "29 days after it with nothing between: one",
        [(day(2, 1), "neutrophils", "0.9"), (day(3, 2), "neutrophils", "0.8")],
        ["low_neutrophils withhold urgent"],
    ),
    Patient("one low platelet count", [(day(2, 1), "platelets", "130")], []),
    Patient("two in a row", PLATELETS, ["twice_low_platelets review routine recovered"]),
    Patient(
        "two with a better one between",
        [PLATELETS[0], (day(2, 3), "platelets", "200"), (day(2, 8), "platelets", "130")],
        [],
    ),
    Patient(
        "again the day before 4 months are over",
        [*PLATELETS, (day(6, 1), "platelets", "130"), (day(6, 7), "platelets", "130")],
        ["twice_low_platelets review routine recovered"],
    ),
    Patient(
        "again when 4 months are over",
        [*PLATELETS, (day(6, 1), "platelets", "130"), (day(6, 8), "platelets", "130")],
        ["twice_low_platelets review routine recovered", "twice_low_platelets review routine"],
    ),
    Patient(
        "again sooner, and 10 % worse",
        [*PLATELETS, (day(6, 1), "platelets", "130"), (day(6, 7), "platelets", "117")],
        ["twice_low_platelets review routine recovered", "twice_low_platelets review routine"],
    ),
    Patient(
        "what was history before the enrolment silences nothing",
        [*PLATELETS, (day(6, 1), "platelets", "130"), (day(6, 7), "platelets", "130")],
        ["twice_low_platelets review routine"],
        enrolled_on=day(5, 1),
    ),
    Patient("below the limit for certain", [(day(2, 1), "neutrophils", "<0.5")], ["low_neutrophils discontinue critical"]),
    Patient("at most the limit: only may", [(day(2, 1), "neutrophils", "<=0.5")], ["low_neutrophils withhold urgent"]),
    Patient("perhaps below every limit", [(day(2, 1), "neutrophils", "<1.7")], ["low_neutrophils review urgent"]),
    Patient("more than the limit", [(day(2, 1), "neutrophils", ">1.6")], []),
    Patient("more than less than the limit", [(day(2, 1), "neutrophils", ">1.5")], ["low_neutrophils review routine"]),
    Patient(
        "30 % above the baseline exactly",
        [(day(1, 4), "bilirubin", "10"), (day(1, 6), "bilirubin", "13")],
        [],
    ),
    Patient(
        "more than that",
        [(day(1, 4), "bilirubin", "10"), (day(1, 6), "bilirubin", "13.1")],
        ["bilirubin_rise review urgent"],
    ),
    Patient(
        "the baseline is 3 months old: still the baseline",
        [(day(1, 4), "bilirubin", "10"), (day(2, 4), "bilirubin", "12"), (day(4, 4), "bilirubin", "13.1")],
        ["bilirubin_rise review urgent"],
    ),
    Patient(
        "older: the earliest value of the 3 months",
        [(day(1, 4), "bilirubin", "10"), (day(2, 4), "bilirubin", "12"), (day(4, 5), "bilirubin", "13.1")],
        [],
    ),
    Patient(
        "two falls of more than a tenth, to below the ceiling",
        [(day(2, 1), "neutrophils", "3.2"), (day(2, 8), "neutrophils", "2.8"), (day(2, 15), "neutrophils", "2.4")],
        ["falling_neutrophils review urgent"],
    ),
    Patient(
        "to the ceiling",
        [(day(2, 1), "neutrophils", "3.2"), (day(2, 8), "neutrophils", "2.8"), (day(2, 15), "neutrophils", "2.5")],
        [],
    ),
    Patient(
        "one of them of exactly a tenth",
        [(day(2, 1), "neutrophils", "3.0"), (day(2, 8), "neutrophils", "2.6"), (day(2, 15), "neutrophils", "2.34")],
        [],
    ),
    Patient(
        "white cells and bands are no neutrophil count",
        [(day(2, 1), "white_cells", "5"), (day(2, 1), "bands_percent", "4")],
        [],
    ),
    Patient(
        "segmented and bands add up to it",
        [(day(2, 1), "white_cells", "5"), (day(2, 1), "neutrophils_percent", "15"), (day(2, 1), "bands_percent", "4")],
        ["low_neutrophils withhold urgent"],
    ),
    Patient(
        "a reported count beats the one that would be derived",
        [(day(2, 1), "white_cells", "5"), (day(2, 1), "neutrophils_percent", "15"), (day(2, 1), "neutrophils", "1.7")],
        [],
    ),
]  # fmt: skip


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.story)
def test_a_patient_on_the_edge(patient: Patient) -> None:
    results = [measured(number, *value) for number, value in enumerate(patient.values, start=1)]
    assert patient.said == alerts_of(reviewed(patient, results))


def reviewed(patient: Patient, results: list[Result]) -> Review:
    enrolled = enrolment(START, STEPS.id, enrolled_on=patient.enrolled_on)
    known = case(enrolled, results, events_of(patient))
    now = instant(patient.today)
    [found] = review([known], {STEPS.id: STEPS}, catalogue(), now, UTC_ZONE)
    said = answer(known, STEPS, catalogue(), now, UTC_ZONE)
    assert not differences(found, said, UTC_ZONE)
    return found


def measured(number: int, on: date, analyte: str, text: str) -> Result:
    value = text.lstrip("<>=")
    comparator = text[: len(text) - len(value)]
    return result(number, analyte, value, instant(on), comparator=comparator, specimen_id=str(on))


def events_of(patient: Patient) -> list[Event]:
    return [event(number, *it) for number, it in enumerate(patient.events, start=1)]


def alerts_of(found: Review) -> list[str]:
    spoken = [it for it in found.findings if it.rule is not None]
    return [
        f"{it.rule} {it.kind} {it.urgency}{' recovered' if it.recovered else ''}" for it in spoken
    ]


@pytest.mark.parametrize(
    ("events", "anchors"),
    [
        ([(day(1, 2), "dose", "50"), (day(1, 4), "dose", "100")], [START]),
        ([(day(1, 2), "dose", "50"), (START, "dose", "100")], [START]),
        ([(day(2, 2), "dose", "50"), (day(2, 9), "dose", "100")], [START, day(2, 9)]),
        ([(day(2, 2), "dose", "50")], [START]),
        ([(day(2, 2), "dose", "100"), (day(2, 3), "dose", "50"), (day(2, 4), "dose", "75")], [START, day(2, 4)]),
        ([(day(2, 2), "resume", "")], [START]),
        ([(day(2, 2), "hold", ""), (day(2, 2), "resume", ""), (day(2, 3), "resume", "")], [START, day(2, 2)]),
        ([(day(2, 2), "hold", ""), (day(3, 2), "start", "")], [START, day(3, 2)]),
        ([(day(2, 1, 2027), "start", "")], [START]),
    ],
)  # fmt: skip
def test_which_events_start_the_schedule_again(
    events: list[tuple[date, str, str]], anchors: list[date]
) -> None:
    """From the start on; a first known dose is no increase, a return after a reduction is one;
    `resume` counts only after a hold; an event to come changes nothing."""
    found = reviewed(Patient("", [], [], events=events), [])
    assert list(found.life.anchors) == anchors


def test_worst_is_the_number_not_the_milder_level_that_a_comparator_may_meet() -> None:
    """`>=15.5` is as surely above the 30 September's limit of the severe level as 20; that it may
    also lie above the mild one, reckoned from another value, makes it no worse."""
    values = [
        (day(12, 14, 2025), "bilirubin", "6.5"),
        (day(9, 30), "bilirubin", "20"),
        (day(12, 23), "bilirubin", ">=15.5"),
    ]
    results = [measured(number, *value) for number, value in enumerate(values, start=1)]
    enrolled = enrolment(day(10, 20, 2025), STEPS.id)
    [finding] = [
        it for it in judged(case(enrolled, results), day(1, 1, 2027)) if it.rule is not None
    ]
    assert finding.worst is not None
    assert (finding.level, str(finding.worst.value)) == (2, "20")


@pytest.mark.parametrize(
    ("rule", "level"),
    [("falling_neutrophils", 1), ("low_neutrophils", 4), ("gone", 1), ("low_neutrophils", 1)],
)
def test_the_end_of_a_limit_is_told_whatever_became_of_its_level(rule: str, level: int) -> None:
    """The protocol may have been edited since: the level looks at a row of values now, or it is
    gone with its number or its rule."""
    own = Personal(
        id=1,
        what=Terms.LIMIT,
        subject=rule,
        level=level,
        value=Decimal("1.2"),
        phase="",
        every="",
        since=START,
        until=day(2, 1),
        by="Dr A",
        reason="Duffy-null",
        set_at=instant(START),
    )
    results = [measured(1, day(1, 12), "neutrophils", "4")]
    known = replace(case(enrolment(START, STEPS.id), results), personal=(own,))
    [told] = [it for it in judged(known, day(2, 1)) if it.cause == "personal_ended:1"]
    assert told.summary.endswith("the protocol's own applies again")


def test_the_first_dose_to_come_is_announced_under_a_hold() -> None:
    """What is missing is to be had before the first dose, and from then on nevertheless."""
    rules = replace(PLAIN, baseline=replace(PLAIN.baseline, lead=parse_duration("2 weeks")))
    known = case(enrolment(START, PLAIN.id), [], [event(1, day(1, 1), "hold")])
    [found] = review([known], {PLAIN.id: rules}, catalogue(), instant(day(1, 4)), UTC_ZONE)
    assert [it.kind for it in found.findings] == [Kind.BASELINE_MISSING]
    assert found.next_change_at == instant(START, 0)


def judged(known: Case, today: date) -> tuple[Finding, ...]:
    now = instant(today)
    [found] = review([known], {STEPS.id: STEPS}, catalogue(), now, UTC_ZONE)
    assert not differences(found, answer(known, STEPS, catalogue(), now, UTC_ZONE), UTC_ZONE)
    return tuple(found.findings)
