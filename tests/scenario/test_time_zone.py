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


LATER = LABS.replace("01-12T08:10", "01-13T08:10")


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_zone_that_was_set_right_again_is_not_said_to_be_another(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch, meanwhile: bool
) -> None:
    """Whatever was taken in under the clinic's own zone has its days, before a slip and after."""
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Europe/Zurich")
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    clinic("load", clinic.write("labs.csv", LABS), "--at", "2026-01-12T10:00")
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Asia/Tokyo")
    slip = clinic("sweep", "--at", "2026-01-13T16:00").err
    assert "results taken in before 13 Jan 2026, 16:00 keep the days they had in Europe/" in slip
    if meanwhile:
        clinic("load", clinic.write("later.csv", LATER), "--at", "2026-01-13T17:00")
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Europe/Zurich")
    said = clinic("sweep", "--at", "2026-01-13T10:00").err
    told = clinic("health", "--at", "2026-01-13T11:00").out
    between = (
        "results taken in from 13 Jan 2026, 08:00 to 13 Jan 2026, 10:00 keep the days they had in "
        "Asia/Tokyo"
    )
    assert (between in said) is (between in told) is meanwhile
    assert ("keep the days" in told) is meanwhile
    assert "Europe/Zurich" not in told


def test_of_several_edits_each_says_which_results_have_the_days_of_which_zone(
    clinic: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Europe/Zurich")
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    clinic("load", clinic.write("labs.csv", LABS), "--at", "2026-01-12T10:00")
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "Europe/London")
    clinic("load", clinic.write("later.csv", LATER), "--at", "2026-01-13T10:00")
    monkeypatch.setenv("MONITOR__CLINIC__TIMEZONE", "UTC")
    said = clinic("sweep", "--at", "2026-01-14T10:00").err
    assert (
        "results taken in before 13 Jan 2026, 10:00 keep the days they had in Europe/Zurich; "
        "results taken in from 13 Jan 2026, 10:00 to 14 Jan 2026, 10:00 keep the days they had in "
        "Europe/London; what is due is counted by the days of UTC"
    ) in said
