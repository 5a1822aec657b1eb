"""An edit of the clinic's time zone: what came before keeps its days, and that is said."""

from __future__ import annotations

import pytest

from tests.command_line import CommandLine

PEOPLE = "mrn,drug,started_on\nA1,azathioprine,2026-01-05\n"
LABS = "mrn,collected_at,analyte,value,unit\nA1,2026-01-12T08:10,platelets,231,10*9/L\n"


@pytest.mark.parametrize("results", [True, False])
def test_the_operator_learns_which_results_keep_the_days_of_the_zone_before(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch, results: bool
) -> None:
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Europe/Zurich")
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    if results:
        clinic("load", clinic.write("labs.csv", LABS), "--at", "2026-01-12T10:00")
    assert "keep the days" not in clinic("health", "--at", "2026-01-12T11:00").out
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Asia/Tokyo")
    said = clinic("sweep", "--at", "2026-01-13T08:00")
    says = "[clinic] timezone is Asia/Tokyo now: results taken in before 13 Jan 2026, 08:00 keep"
    assert (says in said.err) is results
    assert "time zone" not in clinic("sweep", "--at", "2026-01-13T09:00").err
    told = clinic("health", "--at", "2026-01-13T10:00").out
    assert ("keep the days they had in Europe/Zurich" in told) is results
