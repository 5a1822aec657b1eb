"""What was held at an earlier instant."""

from __future__ import annotations

from tests.command_line import CommandLine


def held_at(monitor: CommandLine, at: str) -> int:
    ended = monitor("quarantine", "list", "--at", at, "--json")
    assert ended.code == 0
    return len(ended.json)


def test_the_list_of_an_instant_has_what_was_held_then(clinic: CommandLine) -> None:
    people = clinic.write("people.csv", "mrn,drug,started_on\nA1,azathioprine,2026-01-05\n")
    assert clinic("enrol", people, "--at", "2026-01-05").code == 0
    head = "mrn,collected_at,analyte,value,unit"
    labs = clinic.write("labs.csv", f"{head}\nA1,2026-01-12T08:00,platelets,231,furlong\n")
    assert clinic("load", labs, "--at", "2026-01-12T09:00").code == 3
    row = str(clinic("quarantine", "list", "--json").json[0]["id"])
    discard = ("quarantine", "discard", row, "--by", "Dr A", "--reason", "no unit")
    assert clinic(*discard, "--at", "2026-01-13T09:00").code == 0

    assert held_at(clinic, "2026-01-12T08:59") == 0
    assert held_at(clinic, "2026-01-12T09:00") == 1
    assert held_at(clinic, "2026-01-13T08:59") == 1
    assert held_at(clinic, "2026-01-13T09:00") == 0
