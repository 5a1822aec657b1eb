"""`monitor alerts`: whether somebody has an alert already, or it rests."""

from __future__ import annotations

from tests.command_line import CommandLine

PEOPLE = """\
mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg,last_tested_on
P1,azathioprine,2026-01-05,normal,normal,100,70,2026-01-02
P2,azathioprine,2026-01-05,normal,normal,100,70,2026-01-02
"""
NOW = "2026-02-02T12:00"
LATER = "2026-02-02T13:00"


def test_who_has_an_alert_and_until_when_it_rests_stands_in_the_list(clinic: CommandLine) -> None:
    """A nurse who lists what is open rang a patient whose alert a colleague had put aside."""
    clinic("enrol", clinic.write("people.csv", PEOPLE), "--at", "2026-01-05")
    clinic("sweep", "--at", NOW)
    late = {
        it["mrn"]: str(it["id"])
        for it in clinic("alerts", "--json", "--at", NOW).json
        if it["kind"] == "overdue_test"
    }
    clinic("ack", late["P1"], "--by", "Dr Gray", "--until", "2026-02-05", "--at", NOW)
    clinic("snooze", late["P2"], "--until", "2026-02-10", "--by", "Nurse Bell",
           "--reason", "abroad", "--at", NOW)  # fmt: skip
    listed = clinic("alerts", "--at", LATER).out
    assert "acknowledged, with Dr Gray until 2026-02-05" in listed
    assert "open, rests until 2026-02-10, Nurse Bell" in listed
    assert "until" not in clinic("alerts", "--at", "2026-02-01").out
    assert "rests" not in clinic("alerts", "--at", "2026-02-10").out
