"""The manual's page on the baseline, genotypes and doses, row by row
(docs/manual/dose-and-genotype.md), and CPIC's tables of diplotypes."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.answer import Finding, Review
from monitor.core.case import Case, Enrolment, Result
from monitor.core.review import review
from monitor.core.vocabulary import Metaboliser, PanelState
from monitor.intake.measure import Measures
from monitor.intake.measured import Measure
from tests.spec import cases
from tests.spec.manual import ids, table

HEADINGS = ("Before the start", "Genotypes", "Dose", "By indication", "Kidney")
ROWS = [row for heading in HEADINGS for row in table("dose-and-genotype.md", heading)]
ABOUT = re.compile(r"(baseline_missing|contraindicated:|dose_check:|indeterminate:|withdrawal)")
FACT = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")
CPIC = Path(__file__).parents[1] / "data" / "real" / "cpic" / "diplotypes.csv"
BASELINE = {
    "hemoglobin": "140",
    "white_cells": "6.0",
    "neutrophils": "4.0",
    "lymphocytes": "1.5",
    "platelets": "250",
    "bilirubin": "10",
    "alt": "20",
}
PHENOTYPES = {
    "Normal Metabolizer": Metaboliser.NORMAL,
    "Intermediate Metabolizer": Metaboliser.INTERMEDIATE,
    "Possible Intermediate Metabolizer": Metaboliser.INTERMEDIATE,
    "Poor Metabolizer": Metaboliser.POOR,
    "Indeterminate": Metaboliser.INDETERMINATE,
}


def enrolled(facts: dict[str, str]) -> Enrolment:
    start = date.fromisoformat(facts.get("start", "2026-01-05"))
    return replace(
        cases.enrolment(start, date.fromisoformat(facts.get("enrolled", str(start)))),
        dose_mg_per_day=Decimal(facts["dose"]) if "dose" in facts else None,
        weight_kg=Decimal(facts["kg"]) if "kg" in facts else None,
        indication=facts.get("indication", ""),
        tpmt=facts.get("tpmt", "normal"),
        nudt15=facts.get("nudt15", "normal"),
    )


def as_stored(number: int, text: str) -> Result:
    """`2026-01-12 tpmt *1/*3A`, as intake stores it."""
    day, analyte, value = text.split(" ", 2)
    match = re.fullmatch(r"([\d.]+) (\S+)", value)
    value, unit = (match[1], match[2]) if match else (value, "")
    unit = unit or cases.catalogue().analytes[analyte].unit
    found = Measures(cases.catalogue(), Source()).measure(analyte, value, unit)
    assert isinstance(found, Measure), found
    on = date.fromisoformat(day)
    return Result(
        id=number,
        analyte=found.analyte.name,
        collected_at=datetime.combine(on, time(9), UTC),
        collected_on=on,
        value=found.value,
        comparator=found.comparator,
        received_value=value,
        received_unit=unit,
        received_at=cases.RECEIVED,
    )


def judged(row: dict[str, str]) -> Review:
    facts = dict(FACT.findall(row["patient"]))
    patient = enrolled(facts)
    results = []
    if "baseline" not in facts:
        before = patient.started_on - timedelta(days=30)
        values = BASELINE | ({"creatinine": "70"} if patient.indication else {})
        results = [cases.result(name, value, before) for name, value in values.items()]
    parts = [part.strip() for part in row["results"].split(";") if part.strip()]
    results += [as_stored(10**6 + place, part) for place, part in enumerate(parts)]
    now = datetime.combine(date.fromisoformat(row["today"]), time(12), UTC)
    events = tuple(
        replace(event, note="Dr Gray: sent away") for event in cases.events(row["happened"])
    )
    case = Case(enrolment=patient, results=tuple(results), events=events)
    protocols = {"azathioprine": cases.protocol()}
    return review([case], protocols, cases.catalogue(), now, cases.ZONE)[0]


def told(finding: Finding) -> str:
    recovered = " recovered" if finding.recovered else ""
    return f"{finding.cause} {finding.kind} {finding.urgency}{recovered}"


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_what_is_said_before_the_start_and_of_doses(row: dict[str, str]) -> None:
    answer = judged(row)
    found = [it for it in answer.findings if ABOUT.match(it.cause)]
    assert sorted(told(it) for it in found) == sorted(filter(None, row["says"].split("; ")))
    assert all(it.source and it.action and it.arithmetic for it in found)


def test_the_day_from_which_a_step_that_was_too_large_is_allowed_is_announced() -> None:
    """150 mg where 1 mg/kg is begun with: three steps, the last allowed 12 weeks after the start."""
    row = {"patient": "dose=150 kg=62.5 indication=rheumatoid_arthritis", "happened": ""}
    before = judged(row | {"results": "", "today": "2026-03-29"})
    assert "dose_check:step" in [it.cause for it in before.findings]
    assert before.next_change_at == datetime(2026, 3, 30, tzinfo=cases.ZONE)
    after = judged(row | {"results": "", "today": "2026-03-30"})
    assert "dose_check:step" not in [it.cause for it in after.findings]


def test_the_kidney_test_is_due_on_the_day_of_the_symptom() -> None:
    row = {"patient": "dose=75 kg=70", "happened": "2026-02-01 symptom oliguria"}
    answer = judged(row | {"results": "", "today": "2026-02-01"})
    (kidney,) = [panel for panel in answer.panels if panel.panel == "kidney"]
    assert (kidney.due_on, kidney.state) == (date(2026, 2, 1), PanelState.DUE)


def test_what_is_not_available_here_stands_on_every_alert() -> None:
    row = {
        "patient": "dose=225 kg=70 tpmt=",
        "happened": "2026-01-06 genotype_unavailable tpmt:2026-06-01",
        "results": "2026-01-12 neutrophils 0.9",
        "today": "2026-01-12",
    }
    found = judged(row).findings
    assert len(found) >= 2
    said = "TPMT not available here until 1 Jun 2026 (Dr Gray: sent away)."
    assert all(said in finding.say for finding in found)


def diplotypes() -> list[dict[str, str]]:
    with CPIC.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_diplotype_of_cpic_is_read_whatever_the_order_of_its_alleles() -> None:
    genes = cases.catalogue().genes
    rows = diplotypes()
    assert len(rows) == 632 + 32
    for row in rows:
        gene, expected = row["gene"], PHENOTYPES[row["phenotype"]]
        one, other = row["diplotype"].split("/")
        for text in (f"{one}/{other}", f"{other}/{one}", f"{gene.upper()} {other} / {one}"):
            assert genes.read(gene, text) is expected, (gene, text)
        assert genes.read(gene, row["phenotype"]) is expected
        assert genes.read(gene, f"{one}/{other} ({row['phenotype']})") is expected


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("NM", Metaboliser.NORMAL),
        ("im", Metaboliser.INTERMEDIATE),
        ("TPMT PM", Metaboliser.POOR),
        ("LA25391-6", Metaboliser.NORMAL),
        ("LA10317-8", Metaboliser.INTERMEDIATE),
        ("LA9657-3", Metaboliser.POOR),
        ("Likely Poor Metabolizer", Metaboliser.POOR),
        ("TPMT*1/TPMT*3A", Metaboliser.INTERMEDIATE),
        ("TPMT *2 / TPMT *3A", Metaboliser.POOR),
        ("Wildtyp", Metaboliser.NORMAL),
        ("heterozygot *1/*3A", Metaboliser.INTERMEDIATE),
        ("homozygous mutant", Metaboliser.POOR),
    ],
)
def test_the_short_words_and_the_answers_of_loinc_are_read(text: str, meant: Metaboliser) -> None:
    assert cases.catalogue().genes.read("tpmt", text) is meant


@pytest.mark.parametrize(
    "text",
    ["*1/*99", "*1", "*1/*3A or *3B/*3C", "see report", "not poor", "*1/*1 poor metabolizer",
     "normal or intermediate", "*1/*3A*", "2", "*1/*3A/*2", "TPMT*1/NUDT15*3",
     "NUDT15 *1/*2", "TPMT and NUDT15 normal", "homozygoter Wildtyp *1/*3A", "no carrier"],
)  # fmt: skip
def test_what_cannot_be_read_is_never_guessed(text: str) -> None:
    assert cases.catalogue().genes.read("tpmt", text) is None
    found = Measures(cases.catalogue(), Source()).measure("tpmt", text, "")
    assert not isinstance(found, Measure)
