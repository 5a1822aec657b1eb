"""The manual's page on what is said beside the rules, row by row."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.core import judges
from monitor.core.answer import Considered, Review
from monitor.core.case import Enrolment, Result
from monitor.core.reasons import rule_reasons
from monitor.core.review import view_of
from monitor.core.units import to_canonical
from tests.spec import cases
from tests.spec.manual import ids, table

PAGE = "beside-the-rules.md"
HEADINGS = (
    "Doubts from other results",
    "When to repeat the test",
    "Steroids",
    "Grades and ages",
    "Trends and a change of method",
)
ROWS = [row for heading in HEADINGS for row in table(PAGE, heading)]
VALUE = re.compile(r"(\S+) (\w+) ([\d.]+)(?:@(\w+))?(?: \(([\d.]+)-([\d.]+)\))?")


def values(text: str) -> list[Result]:
    found = []
    for part in (it.strip() for it in text.split(";")):
        match = VALUE.fullmatch(part)
        assert match, part
        day, analyte, value, method, low, high = match.groups()
        result = cases.result(analyte, value, date.fromisoformat(day), ref_low=low, ref_high=high)
        found.append(result._replace(method=method or ""))
    return found


def reviewed(row: dict[str, str]) -> Review:
    results = values(row["values"])
    today = max(result.collected_on for result in results)
    return cases.reviewed(results, today, cases.events(row["happened"]))


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_what_is_said_beside_a_rule(row: dict[str, str]) -> None:
    found = [it for it in reviewed(row).findings if it.cause.startswith("rule:")]
    said = "\n".join(line for it in found for line in (it.rule or "", *it.say))
    silent = row["said"].startswith("- ")
    assert (row["said"].removeprefix("- ") in said) is not silent, said


@pytest.mark.parametrize(("analyte", "limit"), [("tgn", "450"), ("mmp", "5700")])
def test_metabolites_of_a_tenth_of_the_cells_are_eight_times_as_much(
    analyte: str, limit: str
) -> None:
    """Laboratories report per 8x10^8 cells; the unit of the LOINC code is per 10^8."""
    known = cases.catalogue().analytes[analyte]
    for number, speaks in ((limit, False), (f"{limit}.8", True)):
        value = to_canonical(known, Decimal(number) / 8, "pmol/10*8{RBC}")
        assert isinstance(value, Decimal)
        assert value == Decimal(number)
        answer = cases.reviewed([cases.result(analyte, value, cases.START)], cases.START)
        assert any(it.rule == f"high_{analyte}" for it in answer.findings) is speaks


BIRTHDAYS = {
    "the day before 16": (date(2010, 1, 13), "outside"),
    "16 today": (date(2010, 1, 12), ""),
    "an adult": (date(1970, 1, 1), ""),
    "not known": (None, "not known"),
}


@pytest.mark.parametrize(("born", "said"), BIRTHDAYS.values(), ids=BIRTHDAYS.keys())
def test_whom_the_protocol_is_for(born: date | None, said: str) -> None:
    who = replace(cases.enrolment(), birth_date=born, enrolled_on=date(2026, 1, 12))
    today = date(2026, 1, 12)
    low = [cases.result("neutrophils", "1.4", today)]
    answer = cases.reviewed(low, today, who=who)
    ages = [it for it in answer.findings if it.cause == "ages"]
    (rule,) = [it for it in answer.findings if it.rule == "neutropenia"]
    assert [(it.kind, it.urgency, it.recovered) for it in ages] == (
        [("review", "urgent", False)] if said == "outside" else []
    )
    assert any("Age not known" in line for line in rule.say) is (said == "not known")
    assert any("Outside the ages" in line for line in rule.say) is (said == "outside")


def test_growing_into_the_ages_recovers_the_review_on_the_birthday() -> None:
    who = replace(cases.enrolment(), birth_date=date(2010, 1, 20))
    young = cases.reviewed([], date(2026, 1, 19), who=who)
    assert young.next_change_at is not None
    assert young.next_change_at.date() <= date(2026, 1, 20)
    grown = cases.reviewed([], date(2026, 1, 20), who=who)
    (ages,) = [it for it in grown.findings if it.cause == "ages"]
    assert ages.recovered
    assert timedelta(0) <= date(2026, 1, 20) - young.next_change_at.date()


def test_a_stop_takes_back_no_review_of_an_age() -> None:
    who = replace(cases.enrolment(), birth_date=date(2010, 1, 20))
    events = cases.events("2026-01-10 stop")
    stopped = cases.reviewed([], date(2026, 1, 12), events, who=who)
    (ages,) = [it for it in stopped.findings if it.cause == "ages"]
    assert ages.recovered


def test_the_review_of_an_age_keeps_its_words_and_the_next_birthday_is_announced() -> None:
    """The review says the age of the day on which it began; beside a rule stands that of today."""
    who = replace(cases.enrolment(), birth_date=date(2016, 1, 20))
    young = cases.reviewed([], date(2026, 1, 19), who=who)
    older = cases.reviewed([], date(2028, 2, 1), who=who)
    said = [[it.summary for it in found.findings if it.cause == "ages"] for found in (young, older)]
    assert said[0] == said[1]
    assert "9 years old" in said[0][0]
    assert young.next_change_at is not None
    assert young.next_change_at.date() <= date(2026, 1, 20)


def test_every_rule_explains_itself() -> None:
    """Also those whose level is a fall from the baseline, and with personal terms in force."""
    answer = reviewed(ROWS[-6])
    told = rule_reasons(answer, cases.protocol(), cases.catalogue())
    assert [it.rule for it in told] == [rule.id for rule in cases.protocol().rules]
    (drift,) = [it for it in told if it.rule == "drifting_platelets"]
    assert drift.levels == ("30 % below the baseline: review, routine",)


def kept_quiet(happened: str, today: date, who: Enrolment | None = None) -> dict[Any, Considered]:
    case = cases.reviewed([], today, cases.events(happened), who=who).case
    protocols = {"azathioprine": cases.protocol()}
    view = view_of(case, protocols, cases.catalogue(), cases.noon(today), cases.ZONE)
    return {(it.room, it.subject): it for it in judges.considered(view)}


ROOMS = {
    "absence", "ages", "before the start", "combination", "dose", "genotype", "interaction",
    "missed tests", "personal", "symptom", "target", "task",
}  # fmt: skip


def test_every_judge_says_why_it_kept_quiet() -> None:
    """Of a patient of whom there is nothing to say, and of one of whom all might be said."""
    fine = replace(
        cases.enrolment(), indication="autoimmune_hepatitis", tpmt="normal", nudt15="normal",
        weight_kg=Decimal(70),
    )  # fmt: skip
    told = kept_quiet("2026-01-06 away 2026-01-20; 2026-01-06 comedication_start nettle tea",
                      date(2026, 1, 12), fine)  # fmt: skip
    assert {room for room, _ in told} >= ROOMS - {"before the start"}
    assert all(it.why and all(it.why) for it in told.values())
    assert told["genotype", "TPMT"].judged
    assert told["absence", "known"].why[0].startswith("Away until 20 Jan 2026")
    assert told["dose", "withdrawal"].why == ("not stopped; before 5 Jan 2028 a stop is early",)
    assert told["dose", "renal"].judged is False
    unknown = kept_quiet("", date(2026, 1, 12))
    assert unknown["genotype", "TPMT"].why == ("not known",)
    grown = replace(fine, birth_date=date(1970, 1, 1))
    assert kept_quiet("", date(2026, 1, 12), grown)["ages", "age"].why == (
        "56 years old; the protocol is for those of 16 years and over",
    )
    assert unknown["genotype", "TPMT"].judged is False
    assert ("before the start", "baseline") not in unknown, "it spoke"
    planned = cases.enrolment(date(2026, 6, 1), date(2026, 1, 5))
    early = kept_quiet("", date(2026, 1, 12), planned)["before the start", "baseline"]
    assert early.why[0].startswith("asked for from ")


def test_of_the_dead_it_is_said_why_nobody_hears_anything() -> None:
    told = kept_quiet("2026-01-10 died", date(2026, 1, 12))
    assert "recorded as died" in told["absence", "died"].why[0]


def test_what_kept_quiet_is_told_too() -> None:
    quiet = kept_quiet("2026-01-05 symptom fever", cases.START)
    assert quiet["symptom", "hypersensitivity"].why == (
        "recorded: fever on 5 Jan 2026; not enough for it",
    )
    assert quiet["symptom", "jaundice"].why == ("none of its symptoms",)
    assert ("symptom", "infection") not in quiet
    assert quiet["combination", "pancytopenia"].why == ("no result is known",)
    assert quiet["ages", "age"].judged is False


@pytest.mark.parametrize("low", [None, "2.0"])
def test_a_grade_that_cannot_be_told_is_told_to_explain_only(low: str | None) -> None:
    value = cases.result("neutrophils", "1.5", date(2026, 1, 12), ref_low=low)
    answer = cases.reviewed([value], date(2026, 1, 12))
    (rule,) = [it for it in answer.findings if it.rule == "neutropenia"]
    said, reckoned = " ".join(rule.say), " ".join(rule.arithmetic)
    assert ("grade 1" in said) is (low is not None)
    assert ("grade could not be told" in reckoned) is (low is None)
    assert "could not be told" not in said


def test_a_comment_that_doubts_a_number_leaves_the_alert_and_asks_for_another_today() -> None:
    day = date(2026, 1, 12)
    doubted = cases.result("platelets", "40", day)._replace(doubtful_comment="platelet clumps")
    (found,) = [it for it in cases.reviewed([doubted], day).findings if it.rule]
    assert (found.rule, found.kind) == ("thrombocytopenia", "discontinue")
    assert "Sample doubtful: repeat today before acting (platelet clumps)." in found.say
