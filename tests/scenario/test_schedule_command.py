"""`monitor schedule`: what an admin does with protocol files, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.resources import schedules_folder
from tests.command_line import CommandLine

AZA = "schedules/azathioprine.toml"
CBC = {
    "hemoglobin": "140",
    "white_cells": "6.0",
    "neutrophils": "4.0",
    "lymphocytes": "1.5",
}
LFT = {"bilirubin": "10", "alt": "20"}


def edit(monitor: CommandLine, *edits: tuple[str, str], name: str = AZA) -> str:
    text = (monitor.folder / AZA).read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return monitor.write(name, text)


@pytest.fixture
def watched(clinic: CommandLine) -> CommandLine:
    """A clinic with two patients, one of whom has platelets 135."""
    rows = [f"{mrn},azathioprine,2026-01-05,normal,normal,100,70" for mrn in ("A1", "A2")]
    head = "mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg"
    people = clinic.write("people.csv", "\n".join([head, *rows]))
    assert clinic("enrol", people, "--at", "2026-01-05").code == 0
    lines = ["mrn,collected_at,analyte,value,unit"]
    for mrn, platelets in (("A1", "135"), ("A2", "250")):
        for analyte, value in {**CBC, **LFT, "platelets": platelets}.items():
            unit = {"hemoglobin": "g/L", "alt": "U/L", "bilirubin": "umol/L"}.get(analyte, "10*9/L")
            lines.append(f"{mrn},2026-01-12T09:00,{analyte},{value},{unit}")
    labs = clinic.write("labs.csv", "\n".join(lines))
    assert clinic("load", labs, "--at", "2026-01-13T10:00").code == 0
    return clinic


def test_the_list_shows_what_is_in_force(watched: CommandLine) -> None:
    ended = watched("schedule", "list")
    assert ended.code == 0
    assert "azathioprine" in ended.out
    assert "not yet approved by a clinician" in ended.out
    document = watched("schedule", "list", "--json").json
    enrolled = {row["id"]: row["enrolled"] for row in document["protocols"]}
    assert len(enrolled) == 7
    assert {name for name, count in enrolled.items() if count} == {"azathioprine"}
    assert enrolled["azathioprine"] == 2
    assert document["notices"] == []


def test_check_names_every_fault_and_ends_with_3(watched: CommandLine) -> None:
    assert watched("schedule", "check", AZA).code == 0
    file = edit(
        watched,
        ("below = 140", "below = nan"),
        ('until = "8 weeks"', 'until = "8 wks"'),
        name="bad.toml",
    )
    ended = watched("schedule", "check", file)
    assert ended.code == 3
    assert "bad.toml, line " in ended.out
    assert "nothing of this file goes live" in ended.out
    as_json = watched("schedule", "check", file, "--json")
    assert as_json.code == 3
    first, second = as_json.json["faults"]
    assert first["key"] == "phases[0].until (phase weekly)"
    assert second["key"] == "rules[3].levels[0].below (rule thrombocytopenia)"
    for gone in ("none.toml", "."):
        assert watched("schedule", "check", gone).code == 2


def test_check_says_all_that_stands_in_the_way_with_its_lines(watched: CommandLine) -> None:
    """What other files and those who are enrolled have against an edit, at once."""
    file = watched.folder / "schedules" / "azathioprine.toml"
    text = file.read_text(encoding="utf-8").partition("# ==== Examples")[0]
    text = text.replace('drugs = ["azathioprine"]', 'drugs = ["mercaptopurine"]', 1)
    file.write_text(text, encoding="utf-8")
    ended = watched("schedule", "check", str(file), "--json")
    assert ended.code == 3
    told = {it["key"]: (it["line"], it["problem"]) for it in ended.json["faults"]}
    lines = text.splitlines()
    assert "gives up azathioprine" in told["drugs"][1]
    assert "mercaptopurine is already the default" in told["default"][1]
    for key, (line, _) in told.items():
        assert lines[line - 1].startswith(f"{key} = ")
    assert watched("schedule", "preview", str(file)).code == 2


def test_check_says_what_apply_will_refuse(watched: CommandLine) -> None:
    """A drug given up while patients are on it was sound by the check, and refused by apply."""
    file = edit(watched, ('drugs = ["azathioprine"]', 'drugs = ["tioguanine"]'), name="x.toml")
    ended = watched("schedule", "check", file)
    assert ended.code == 3
    assert "gives up azathioprine, on which 2 are enrolled" in ended.out
    (fault,) = watched("schedule", "check", file, "--json").json["faults"]
    assert (fault["key"], fault["value"]) == ("drugs", "tioguanine")
    applied = watched("schedule", "apply", file, "--by", "Dr A", "--reason", "a slip")
    assert applied.code == 2
    assert "gives up azathioprine, on which 2 are enrolled" in applied.err


def test_check_works_outside_a_clinic(monitor: CommandLine) -> None:
    shipped = Path(schedules_folder() / "azathioprine.toml").read_text(encoding="utf-8")
    file = monitor.write("mine.toml", shipped)
    ended = monitor("schedule", "check", file)
    assert (ended.code, ended.err) == (0, "")
    assert "examples hold" in ended.out
    assert monitor("schedule", "check", monitor.write("x.toml", "id = ")).code == 3


def test_show_prints_all_that_a_protocol_says_beside_its_rules(watched: CommandLine) -> None:
    shown = watched("schedule", "show", "azathioprine", "--start", "2026-01-05").out
    for words in (
        "for those of 16 years and over", "grades shown: CTCAE v5.0",
        "Genotypes and TPMT activity:", "dose above 50 % of the usual start",
        "Doses:", "begun with at most 1 mg/kg/day", "stopped before 2 years of treatment",
        "Lines that are low together:", "2 of 3 low within 7 days",
        "Symptoms (events):", 'no neutrophils within 14 days in the phase "weekly"',
        "Other drugs, vaccines, pregnancy:", "dose 1/4 to 1/3 of the one before",
        "inr within 7 days after each start, dose, hold, resume, stop",
        "once 1 week after the other drug is stopped",
        "other than live-vaccine, inactivated-vaccine", "also 42 weeks before the enrolment",
        "not beside hypersensitivity", "again after 1 year; only in autoimmune hepatitis",
        "Late tests:", "reminded every 3 days, seriously overdue after 1 week",
        "Targets:", "alt (else 50), igg above the upper limit 6 months after the start",
        "Tasks without a laboratory:", "Skin check", "Missed tests:", "more than 2 in a row",
    ):  # fmt: skip
        assert words in shown, words
    document = watched("schedule", "show", "azathioprine", "--json").json
    titles = [it["title"] for it in document["beside"]]
    assert titles[0] == "Genotypes and TPMT activity"
    assert len(titles) == 9
    assert all(row["asks_for"] for it in document["beside"] for row in it["rows"])


def test_show_prints_the_calendar_and_the_ladder(watched: CommandLine) -> None:
    ended = watched("schedule", "show", "azathioprine", "--start", "2026-01-05")
    assert ended.code == 0
    for words in (
        "Mon 02 Mar 2026   56 (week 8)",
        "for as long as the drug is taken",
        "status: not yet approved by a clinician",
        "below 0.5 10*9/L",
        "above 5 x ULN (ULN 50 U/L",
        "CTCAE v5 grades 3 and 4",
    ):
        assert words in " ".join(ended.out.split("\n")), words
    document = watched("schedule", "show", "azathioprine", "--json", "--at", "2026-03-01").json
    assert document["calendar"][0]["due_on"] == "2026-03-08"
    only = {row["rule"]: row["only"] for row in document["rules"]}
    assert only["raised_alt"] == "not in autoimmune hepatitis"
    assert only["alt_in_aih"] == "only in autoimmune hepatitis"
    assert only["macrocytosis"] == "2 in a row, again after 12 months"
    assert only["rising_creatinine"].endswith("where not told by dose_check:renal")
    assert "Liver function tests: bilirubin, alt or ast" in document["about"]
    missing = watched("schedule", "show", "azathioprin")
    assert missing.code == 2
    assert 'did you mean "azathioprine"' in missing.err
    assert watched("schedule", "show", "azathioprine", "--start", "May").code == 2


def test_an_edit_is_previewed_applied_and_done(watched: CommandLine) -> None:
    edit(watched, ("{ below = 140,", "{ below = 130,"), ('"139000"', '"129000"'))
    now = ("--at", "2026-01-14T10:00")
    assert "apply" in watched("schedule", "list").out
    shown = watched("schedule", "preview", AZA, *now)
    assert shown.code == 0
    assert "1 become quiet" in shown.out
    assert "thrombocytopenia" in shown.out
    assert "withhold, urgent" in shown.out
    document = watched("schedule", "preview", AZA, *now, "--json").json
    assert [patient["mrn"] for patient in document["patients"]] == ["A1"]
    assert len(watched("alerts", "--json", *now).json) == 1

    assert watched("schedule", "apply", AZA, "--by", "Dr A", *now).code == 2
    assert watched("schedule", "apply", AZA, "--by", " ", "--reason", "x", *now).code == 2
    done = watched("schedule", "apply", AZA, "--by", "Dr A", "--reason", "agreed", *now)
    assert done.code == 0
    assert "1 become quiet" in done.out
    assert "azathioprine is in force" in done.out
    assert "1 closed" in done.out
    assert watched("alerts", "--json", *now).json == []
    assert watched("verify", *now).code == 0
    again = watched("schedule", "apply", AZA, "--by", "Dr A", "--reason", "x", *now, "--json")
    assert (again.code, again.json["already_in_force"]) == (0, True)


def test_a_faulty_file_is_neither_previewed_nor_applied(watched: CommandLine) -> None:
    edit(watched, ("below = 140", "below = 13"))
    now = ("--at", "2026-01-14T10:00")
    for command in (("preview", AZA), ("apply", AZA, "--by", "A", "--reason", "x")):
        ended = watched("schedule", *command, *now)
        assert ended.code == 2
        assert "rules[3].levels[1].below" in ended.err
    assert "no such" in watched("schedule", "preview", "none.toml").err.lower()


FERRITIN = """
[analytes.ferritin]
title = "Ferritin"
unit = "ug/L"
decimals = 0
plausible = [0, 100000]
names = ["Ferritin"]
[analytes.ferritin.mass]
loinc = ["2276-4"]
[analytes.ferritin.mass.units]
"ug/L" = 1
"""
IRON_RULE = """
[[rules]]
id = "low_ferritin"
analyte = "ferritin"
opportunistic = true
source = "a test"
levels = [{ below = 15, action = "review", urgency = "routine" }]
"""


def new_analyte_by_files(monitor: CommandLine) -> str:
    """An analyte in the catalogue and a protocol whose rule watches it; the protocol's file."""
    catalogue = monitor.folder / "schedules/analytes.toml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8") + FERRITIN, encoding="utf-8")
    name = "schedules/mercaptopurine.toml"
    text = (monitor.folder / name).read_text(encoding="utf-8")
    first = text.index("[[rules]]")
    return monitor.write(name, text[:first] + IRON_RULE.lstrip() + "\n" + text[first:])


def test_a_protocol_is_checked_with_the_catalogue_beside_it(clinic: CommandLine) -> None:
    protocol = new_analyte_by_files(clinic)
    ended = clinic("schedule", "check", protocol, "--json")
    assert (ended.code, ended.json["faults"]) == (0, [])
    assert ended.json["waits_for"] is None


def test_check_says_that_the_catalogue_has_to_be_applied_first(watched: CommandLine) -> None:
    protocol = new_analyte_by_files(watched)
    ended = watched("schedule", "check", protocol, "--json")
    assert (ended.code, ended.json["waits_for"]) == (0, "analytes.toml")
    said = watched("schedule", "check", protocol).out
    assert "apply that first" in said

    by = ("--by", "Dr A", "--reason", "iron", "--at", "2026-01-14T10:00")
    assert watched("schedule", "apply", "schedules/analytes.toml", *by).code == 0
    assert watched("schedule", "check", protocol, "--json").json["waits_for"] is None


def test_a_preview_of_other_things_puts_no_file_in_force_and_alarms_nobody(
    watched: CommandLine,
) -> None:
    """An edit of a protocol that nobody is on goes live with the next command that writes; one
    that only says what it would write is none."""
    file = "schedules/leflunomide-bsr-2017.toml"
    text = (watched.folder / file).read_text(encoding="utf-8")
    watched.write(file, text.replace('version = "', 'version = "edited ', 1))
    previews = (
        ("load", "labs.csv", "--preview"),
        ("batch", "revert", "2", "--by", "W", "--reason", "R", "--preview"),
    )
    for preview in previews:
        assert watched(*preview, "--at", "2026-01-14").code == 0
        assert "differs from what is in force" in watched("schedule", "check", file).out
    watched.write(file, "broken = [")
    for preview in previews:
        assert watched(*preview, "--at", "2026-01-14").err == ""
    watched.write(file, text.replace('version = "', 'version = "edited ', 1))
    assert watched("load", "labs.csv", "--at", "2026-01-14").code == 0
    assert "; in force." in watched("schedule", "check", file).out
