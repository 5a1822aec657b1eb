"""The monitoring gap report: a clinic's weeks told as they happened, and what an auditor is shown
of them (`UPDATE_GOLDEN=1` writes the golden anew: read it)."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine
from tests.scenario.gap_story import DAYS, NOW, told_to, whole

GOLDEN = Path(__file__).parents[1] / "golden" / "gaps.txt"


@pytest.fixture
def told(clinic: CommandLine) -> CommandLine:
    return told_to(clinic)


def lines_of(document: Any, mrn: str, panel: str = "cbc") -> list[str]:
    """`covered 01-05 01-14`, and the reasons of days not covered with their days."""
    own = next(it for it in document["enrolments"] if it["mrn"] == mrn)
    found = next(it for it in own["panels"] if it["panel"] == panel)
    said = []
    for it in found["intervals"]:
        words = [it["state"], it["from"][5:], it["to"][5:]]
        if "known_only_since" in it:
            words += ["known", it["known_only_since"][5:]]
        said.append(" ".join(words))
        said += [
            f"  {why['reason']} {why['from'][5:]} {why['to'][5:]} [{why['recorded_on'][5:]}]"
            for why in it.get("reasons", ())
        ]
    return said


def test_the_story_day_by_day(told: CommandLine) -> None:
    found = whole(told)
    assert lines_of(found, "P1") == [
        "covered 01-05 01-21",
        "covered 01-22 01-25 known 01-30",
        "covered 01-26 02-08",
    ]
    assert lines_of(found, "P2") == [
        "covered 01-05 01-21",
        "not_covered 01-22 02-08",
        "  hold 01-25 02-08 [01-29]",
        "  not_reached 01-28 02-01 [01-28]",
        "  declined 02-02 02-08 [02-02]",
    ]
    assert lines_of(found, "P3") == [
        "covered 01-05 01-13",
        "elsewhere 01-14 01-31",
        "  monitored_elsewhere 01-14 01-31 [01-15]",
        "not_covered 02-01 02-01",
        "covered 02-02 02-08",
    ]
    assert lines_of(found, "P4") == [
        "covered 01-05 01-21",
        "not_covered 01-22 02-08",
        "  held_row 01-22 02-01 [01-19]",
        "  incomplete_sample 01-29 02-08 [01-30]",
        "  put_aside 02-03 02-05 [02-03]",
    ]
    assert lines_of(found, "P5") == ["covered 01-05 01-21", "not_covered 01-22 02-08"]
    assert lines_of(found, "P5", "lft") == ["covered 01-05 02-08"]


def test_its_days_are_those_of_the_report_on_tests_done(told: CommandLine) -> None:
    for narrow in ((), ("--clinic", "south")):
        found = whole(told, *narrow)["totals"]
        other = told("report", "compliance", *DAYS, "--json", "--at", NOW, *narrow).json
        days = {"days": found["days"], "covered": found["covered"]}
        assert other["patient_days"].items() >= days.items()
        for mine, theirs in zip(found["clinics"], other["clinics"], strict=True):
            assert all(mine[name] == theirs[name] for name in ("clinic", "drug", "days", "covered"))
    assert found["not_covered"] == sum(it["days"] for it in found["reasons"]) == 18 + 18 + 1
    assert found["elsewhere"] == 18
    assert found["longest_gap"] == {
        "mrn": "P4", "test": "Complete blood count with differential",
        "from": "2026-01-22", "to": "2026-02-08", "days": 18,
    }  # fmt: skip


def test_on_the_screen_as_its_golden_has_it(told: CommandLine) -> None:
    shown = told("report", "gaps", *DAYS, "--at", NOW)
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[-1] == f"  SHA-256 {whole(told)['sealed']['digest']}"
    kept = [line for line in lines[:-1] if not line.startswith("  Made ")]
    text = "\n".join(line.rstrip() for line in kept) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_every_form_says_the_same(told: CommandLine) -> None:
    found = whole(told)
    rows = list(
        csv.DictReader(io.StringIO(told("report", "gaps", *DAYS, "--csv", "--at", NOW).out))
    )
    *intervals, last = rows
    many = [
        it for line in found["enrolments"] for panel in line["panels"] for it in panel["intervals"]
    ]
    assert [(it["state"], it["from"], int(it["days"])) for it in intervals] == [
        (it["state"], it["from"], it["days"]) for it in many
    ]
    assert last["state"] == "sealed"
    assert found["sealed"]["digest"] in last["reasons"]
    page = told("report", "gaps", *DAYS, "--html", "--at", NOW).out
    assert found["sealed"]["digest"] in page
    assert "letter of Dr Ash" in page and "Doe" not in page


@pytest.mark.parametrize("form", [(), ("--html",)])
def test_a_slip_or_days_of_nobody_do_not_read_as_all_well(
    told: CommandLine, form: tuple[str, ...]
) -> None:
    slip = told("report", "gaps", "--clinic", "nroth", *form, "--at", NOW).out
    before = told("report", "gaps", "--from", "2020-01-01", "--to", "2020-02-01", *form).out
    early = told("report", "gaps", "--clinic", "north", *form, "--at", "2026-01-06").out
    assert "Nobody is enrolled under" in slip and "nroth" in slip
    assert "Nobody was on treatment in these days." in before
    assert "No day without a test." in early
    for said in (slip, before):
        assert "No day" not in said


def test_days_that_end_before_they_begin_are_refused(clinic: CommandLine) -> None:
    ended = clinic("report", "gaps", "--from", "2026-03-01", "--to", "2026-02-01")
    assert (ended.code, ended.out) == (2, "")
    assert "--from 2026-03-01 lies after --to 2026-02-01" in ended.err


def test_an_empty_clinic_has_one_too(clinic: CommandLine) -> None:
    shown = clinic("report", "gaps", "--at", "2026-02-05")
    assert shown.code == 0, shown.err
    assert "Nobody is enrolled yet." in shown.out
    assert "5 Feb 2026 is not over: a test of that day may still come." in shown.out
    assert clinic("report", "gaps", "--json", "--at", "2026-02-05").json["enrolments"] == []
