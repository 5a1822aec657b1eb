"""The page of the founding brief (docs/manual/brief.md) is complete, and fits the other pages."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from monitor.core.answer import Finding
from tests.spec import brief, cases
from tests.spec.brief import SILENCE
from tests.spec.brief_rows import BRIEF, FIRES, QUIET, TEST, UNKNOWN, Case, Entry

ROOT = Path(__file__).parents[2]
KEYS = {"baseline", "dosing", "dosing.renal", "missed", "ages", "never"}
ONLY_FIRES = (
    "A normal genotype never relaxes the schedule",
    "The elderly have more of every side effect",
    "No failure before adherence is checked; no early withdrawal",
    "No increase of malignancy in bowel disease; young people of one descent",
)
"""Rows that are of texts or of what is refused: there is no limit to be just short of."""
CASES = [(entry, case) for entry in BRIEF for case in entry.cases]
NAMES = [f"{entry.says[:30]} {case.kind} {case.words[-1][:40]}" for entry, case in CASES]


def names_of_the_file() -> set[str]:
    """Everything in the file that speaks, by id."""
    protocol = cases.protocol()
    assert protocol.dosing is not None
    found = {it.id for it in protocol.rules} | {it.id for it in protocol.combinations}
    found |= {it.id for it in protocol.symptoms} | {it.id for it in protocol.interactions}
    found |= {it.id for it in protocol.targets} | {it.id for it in protocol.tasks}
    found |= {it.name for it in protocol.phases} | {name for name, _ in protocol.dosing.indications}
    return found | {
        f"genotypes.{it}"
        for it in ("poor", "intermediate", "both_intermediate", "indeterminate", "activity")
    }


def test_whatever_speaks_in_the_file_has_its_row_and_no_row_names_what_is_not_there() -> None:
    named = {name for entry in BRIEF for name in entry.names}
    assert named - KEYS == names_of_the_file()
    assert named & KEYS == KEYS


@pytest.mark.parametrize("entry", BRIEF, ids=[it.says[:50] for it in BRIEF])
def test_every_row_has_a_case_that_speaks_one_that_just_does_not_and_one_not_known(
    entry: Entry,
) -> None:
    kinds = {it.kind for it in entry.cases}
    assert FIRES in kinds
    if entry.says not in ONLY_FIRES:
        assert kinds == {FIRES, QUIET, UNKNOWN}


@pytest.mark.parametrize(("entry", "case"), CASES, ids=NAMES)
def test_every_case_is_one_row_that_is_run(entry: Entry, case: Case) -> None:
    if case.page == TEST:
        path, _, name = case.words[0].partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", text, re.MULTILINE), case
        return
    hits = brief.found(case)
    assert len(hits) == 1, (case, [brief.goes_in(row) for _, row in hits])
    said = brief.said(hits[0][1])
    if case.kind == FIRES:
        assert said not in SILENCE
    loud = {
        brief.said(row)
        for other in entry.cases
        if other.kind == FIRES and other.page == case.page
        for _, row in brief.found(other)
    }
    if case.kind == QUIET:
        assert said in SILENCE or said not in loud


def test_the_page_is_what_the_others_say() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        brief.PATH.write_text(brief.page(), encoding="utf-8")
    assert brief.PATH.read_text(encoding="utf-8") == brief.page()


@pytest.mark.parametrize("today", [date(2026, 1, 20), date(2026, 4, 20), date(2030, 7, 1)])
def test_no_genotype_moves_a_due_day(today: date) -> None:
    """Most severe falls had a normal TPMT: a normal one never relaxes the schedule."""
    done = cases.panel("cbc", date(2026, 3, 2)) if today > date(2026, 3, 2) else []
    due = {
        tuple(
            (it.panel, it.due_on, it.state)
            for it in cases.reviewed(
                done, today, who=replace(cases.enrolment(), tpmt=word, nudt15=word)
            ).panels
        )
        for word in ("normal", "", "intermediate", "poor", "indeterminate")
    }
    assert len(due) == 1


def of(found: tuple[Finding, ...], cause: str) -> str:
    (finding,) = [it for it in found if it.cause == cause]
    return " ".join((finding.action, *finding.say)).lower()


def test_the_texts_that_the_brief_asks_for() -> None:
    """Adherence and the diagnosis before a failure; normal tests are no leave to stop; no
    percentage for febuxostat, no factor for warfarin; no alert asks to lower a steroid."""
    aih = replace(cases.enrolment(), indication="autoimmune_hepatitis")
    low = [cases.result("neutrophils", "1.5", date(2026, 3, 1))]
    raised = cases.reviewed(low, date(2026, 3, 2), cases.events("2026-03-02 dose 100")).findings
    check = of(raised, "dose_check:toxicity")
    assert "before 12 weeks" in check and "no non-response" in check
    assert "check adherence and the diagnosis first" in check
    high = [cases.result("alt", "60", date(2026, 6, 29))]
    target = of(cases.reviewed(high, date(2026, 7, 5), who=aih).findings, "target:aih_remission")
    assert "adherence and diagnosis first" in target
    assert "igg was never measured" in target
    stopped = cases.events("2026-06-01 stop")
    early = of(cases.reviewed([], date(2026, 6, 1), stopped, aih).findings, "withdrawal")
    assert "normal blood tests are not yet leave to stop" in early
    drugs = "2026-02-02 comedication_start febuxostat; 2026-02-02 comedication_start warfarin"
    beside = cases.reviewed(low, date(2026, 3, 2), cases.events(drugs)).findings
    febuxostat = of(beside, "interaction:febuxostat")
    assert "no dose rule exists" in febuxostat
    assert not re.search(r"\d+ ?%|quarter|third", febuxostat)
    warfarin = of(beside, "interaction:warfarin")
    assert "check inr" in warfarin and "by no fixed factor" in warfarin
    neutrophils = of(beside, "rule:neutropenia")
    assert "check inr" in neutrophils
    assert "does not apply to steroids: never stop prednisolone suddenly" in neutrophils
