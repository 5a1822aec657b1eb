"""The clinics of `tools.burden`: lived through by the real functions, counted, and repeatable."""

from __future__ import annotations

import json
import re
from datetime import date
from math import log
from pathlib import Path
from statistics import stdev

import pytest

from tests.command_line import CommandLine
from tools.burden.__main__ import main
from tools.burden.person import facts, made_up, next_working_day, working_day
from tools.burden.real import survey
from tools.burden.simulated import Simulated

REAL = Path(__file__).parent.parent / "data" / "real"
ONE = "01-701-1015"
"""A subject of the placebo arm."""


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a run of the tool prints."""
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_a_simulated_clinic_is_the_same_each_time_and_its_figures_are_those_of_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--patients", "6", "--years", "0.1", "--seed", "4")
    once = told(capsys, "simulated", "--out", str(tmp_path / "a"), *size)
    again = told(capsys, "simulated", "--out", str(tmp_path / "b"), *size)
    assert once == again
    document = json.loads((tmp_path / "a" / "burden.json").read_text(encoding="utf-8"))
    assert document["patients"] == 6 and document["patient_years"] > 0.4
    monitor = CommandLine(tmp_path, capsys)
    asked = ("--from", document["first"], "--to", document["last"], "--json")
    report = monitor(
        "report", "burden", *asked, "--at", f"{document['last']}T23:30",
        "--config", str(tmp_path / "a" / "config.toml"),
    ).json  # fmt: skip
    assert sum(row["alerts"] for row in document["rows"]) == report["alerts"] > 0
    assert document["patient_years"] == report["patient_years"]
    assert sum(it["messages"] for it in report["readers"]) == sum(document["messages"].values())


def test_the_placebo_arm_is_judged_with_the_neutrophils_that_are_left_of_its_white_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = tmp_path / "trial"
    trial.mkdir()
    for name in ("dm.csv", "lb.csv"):
        lines = (REAL / "cdisc" / name).read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines[1:] if ONE in line]
        (trial / name).write_text("\n".join([lines[0], *kept]) + "\n", encoding="utf-8")
    out = told(capsys, "cdisc", str(trial), "--out", str(tmp_path / "clinic"))
    document = json.loads((tmp_path / "clinic" / "burden.json").read_text(encoding="utf-8"))
    causes = {row["cause"] for row in document["rows"]}
    assert "overdue" in causes
    assert "sample_unusable" not in {row["kind"] for row in document["rows"]}
    for row in document["rows"]:
        rate = 100 * row["alerts"] / document["patient_years"]
        assert row["everybody"] == pytest.approx(rate, abs=0.1)
    assert re.search(r"\*\*not critical\*\* \| \| \| \d+ \|", out)


def test_the_survey_gives_the_usual_values_of_its_adults() -> None:
    people = survey(REAL / "nhanes", 1000, seed=1)
    assert people == survey(REAL / "nhanes", 1000, seed=1)
    assert all(60 < it["hemoglobin"] < 200 and it["neutrophils"] >= 0.05 for it in people)
    one = Simulated(1, date(2023, 1, 2), date(2023, 6, 30), 1, people[:1], established=1)
    papers = one.papers(date(2023, 1, 2))
    drawn = [float(str(it["value"])) for it in papers.older if it["analyte"] == "hemoglobin"]
    assert drawn == pytest.approx([people[0]["hemoglobin"]] * len(drawn), rel=0.2)


@pytest.mark.parametrize("analyte", ["platelets", "hemoglobin"])
def test_draws_of_one_person_vary_as_the_file_says(analyte: str) -> None:
    person = made_up("B1", 1, date(2023, 1, 2))
    values = [
        float(str(row["value"]))
        for _ in range(600)
        for row in person.draw(date(2023, 2, 1), liver=False)
        if row["analyte"] == analyte
    ]
    within = facts()["cbc"][analyte]["within"]
    assert stdev(log(value) for value in values) == pytest.approx(within, rel=0.12)


@pytest.mark.parametrize(
    ("day", "drawn_on", "next_on"),
    [
        ("2023-01-06", "2023-01-06", "2023-01-09"),
        ("2023-01-07", "2023-01-06", "2023-01-09"),
        ("2023-01-08", "2023-01-06", "2023-01-09"),
        ("2023-01-09", "2023-01-09", "2023-01-10"),
    ],
)
def test_blood_is_drawn_on_working_days(day: str, drawn_on: str, next_on: str) -> None:
    assert working_day(date.fromisoformat(day)) == date.fromisoformat(drawn_on)
    assert next_working_day(date.fromisoformat(day)) == date.fromisoformat(next_on)


def test_a_folder_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["cdisc", "--out", "x"])
    assert "cdisc needs the FOLDER of its files" in capsys.readouterr().err
