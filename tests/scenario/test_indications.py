"""What a patient is treated for decides which rules are meant; people write it in many ways."""

from __future__ import annotations

import pytest

from tests.command_line import CommandLine

PEOPLE = (
    "mrn,drug,started_on,indication,tpmt,nudt15,dose_mg_per_day,weight_kg\n"
    "P1,azathioprine,2026-01-05,{},normal,normal,50,70\n"
)
RESULTS = """\
mrn,collected_at,analyte,value,unit
P1,2026-01-02,hemoglobin,140,g/L
P1,2026-01-02,white_cells,6.0,10*9/L
P1,2026-01-02,neutrophils,4.0,10*9/L
P1,2026-01-02,lymphocytes,1.5,10*9/L
P1,2026-01-02,platelets,250,10*9/L
P1,2026-01-02,bilirubin,10,umol/L
P1,2026-01-02,alt,400,U/L
P1,2026-02-03,alt,390,U/L
"""
EVENTS = "mrn,on,event,value\nP1,2026-02-02,comedication_start,budesonide\n"
AT = "2026-02-03T12:00"


def spoken(clinic: CommandLine, indication: str) -> set[str]:
    """The rules and interactions that speak of a patient with this indication."""
    assert clinic("enrol", clinic.write("p.csv", PEOPLE.format(indication)), "--at", "2026-01-05")
    assert clinic("events", clinic.write("e.csv", EVENTS), "--at", "2026-02-02T12:00").code == 0
    assert clinic("load", clinic.write("r.csv", RESULTS), "--at", AT).code == 0
    rows = clinic("alerts", "--json", "--at", AT).json
    return {it["rule"] or it["summary"].partition(":")[0] for it in rows} - {
        "Complete blood count with differential seriously overdue"
    }


@pytest.mark.parametrize(
    "indication",
    [
        "autoimmune_hepatitis",
        "Autoimmune hepatitis",
        "AUTOIMMUNE-HEPATITIS",
        " autoimmune  hepatitis",
    ],
)
def test_raised_alt_is_the_disease_however_the_disease_is_written(
    clinic: CommandLine, indication: str
) -> None:
    """Its rule, its interaction and its dose ladder belong together: before, only the dose was
    judged for the words `Autoimmune hepatitis`, and ALT alarmed as a toxic one."""
    said = spoken(clinic, indication)
    assert "raised_alt" not in said
    assert {"alt_in_aih", "Budesonide in autoimmune hepatitis"} <= said


def test_another_disease_keeps_its_rules(clinic: CommandLine) -> None:
    said = spoken(clinic, "Crohn's disease")
    assert "raised_alt" in said
    assert not {"alt_in_aih", "Budesonide in autoimmune hepatitis"} & said


def test_a_slip_in_an_indication_is_said(clinic: CommandLine) -> None:
    slip = PEOPLE.format("Autoimune hepatitis")
    ended = clinic("enrol", clinic.write("p.csv", slip), "--at", "2026-01-05")
    assert ended.code == 0
    assert "line 2:" in ended.out
    assert 'did you mean "autoimmune_hepatitis"?' in ended.out
    for right in ("Autoimmune hepatitis", "psoriasis"):
        ended = clinic("enrol", clinic.write("p.csv", PEOPLE.format(right)), "--at", "2026-01-06")
        assert (ended.code, "did you mean" in ended.out) == (0, False)


@pytest.mark.parametrize("indication", ["renal_transplant", "Kidney Transplant", "TRANSPLANTATION"])
def test_a_transplant_is_one_however_it_is_written(clinic: CommandLine, indication: str) -> None:
    """With a capital letter the alert did not say to call the transplant team."""
    assert clinic("enrol", clinic.write("p.csv", PEOPLE.format(indication)), "--at", "2026-01-05")
    low = "mrn,collected_at,analyte,value,unit\nP1,2026-02-03,neutrophils,0.9,10*9/L\n"
    assert clinic("load", clinic.write("low.csv", low), "--at", AT).code == 0
    (alert,) = (
        it for it in clinic("alerts", "--json", "--at", AT).json if it["rule"] == "neutropenia"
    )
    said = clinic("explain", str(alert["id"]), "--at", AT).out
    assert "Transplant: call the transplant team the same day." in said
