"""A nurse with an unknown laboratory's spreadsheet: looked at, learned, taken in, and refused
once its layout has changed, with what changed."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.command_line import CommandLine

NOW = "2026-03-10"
PATIENTS = "mrn,drug,started_on\nP1,azathioprine,2026-01-05\nP2,azathioprine,2026-01-05\n"
SHEET = (
    ["Labor Nord", None, None, None, None, None],
    ["Patientennummer", "Abnahmedatum", "Parameter", "Ergebnis", "Einheit", "Referenzbereich"],
    ["P1", date(2026, 3, 2), "Neutrophile", "0,9", "Gpt/l", "1,8 - 7,5"],
    ["P2", date(2026, 3, 2), "Neutrophile", "3,2", "Gpt/l", "1,8 - 7,5"],
    ["P2", date(2026, 3, 2), "Retikulozyten", "12", "‰", "5 - 15"],
)
CSV = """\
Patientennummer;Abnahmedatum;Parameter;Ergebnis;Einheit;Referenzbereich
P1;13.02.2026;Neutrophile;0,9;Gpt/l;1,8 - 7,5
P2;02.03.2026;Leukozyten;4,1;Gpt/l;3,9 - 11
"""


@pytest.fixture
def desk(monitor: CommandLine, migrated_sqlite: Path) -> CommandLine:
    """A clinic of two patients on azathioprine; on SQLite alone."""
    shutil.copy(migrated_sqlite, monitor.folder / "monitor.db")
    assert monitor("init").code == 0
    assert monitor("enrol", monitor.write("p.csv", PATIENTS), "--at", "2026-01-05").code == 0
    return monitor


@pytest.fixture
def sheet(desk: CommandLine) -> Callable[..., str]:
    """Writes a workbook of one sheet; its name."""

    def write(*rows: list[Any], name: str = "nord.xlsx") -> str:
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in rows:
            book.active.append(row)
        book.save(desk.folder / name)
        return name

    return write


def counts(ended: Any) -> dict[str, int]:
    (document,) = ended.json["files"]
    names = ("stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")
    return {name: document[name] for name in names if document[name]}


def test_the_nurses_story(desk: CommandLine, sheet: Callable[..., str]) -> None:
    name = sheet(*SHEET)
    before = (desk.folder / "config.toml").read_text()

    looked = desk("load", name, "--preview", "--at", NOW)
    assert looked.code == 3
    assert "nothing was changed" in looked.out
    for said in ("Abnahmedatum", "collected_at", "Retikulozyten", "unknown", "neutrophils"):
        assert said in looked.out
    assert desk("status", "P1", "--at", NOW, "--json").json[0]["last_completed_on"] is None

    learned = desk("source", "learn", name, "--name", "nord", "--at", NOW)
    assert learned.code == 0
    assert "[sources.nord]" in learned.out and '"Retikulozyten" (1 row)' in learned.out
    text = (desk.folder / "config.toml").read_text()
    assert text.startswith(before)
    mapping = tomllib.loads(text)["sources"]["nord"]
    assert mapping["header"] == SHEET[1]
    assert mapping["columns"]["mrn"] == "Patientennummer"
    assert mapping["decimal_comma"] is True

    # She corrects what only a person knows.
    corrected = text.replace("[sources.nord]\n", '[sources.nord]\nignore = ["Retikulozyten"]\n')
    (desk.folder / "config.toml").write_text(corrected)
    loaded = desk("load", name, "--source", "nord", "--at", NOW, "--json")
    assert (loaded.code, counts(loaded)) == (0, {"stored": 2, "ignored": 1})

    changed = sheet(
        ["Patientennummer", "Abnahmedatum", "Analyse", "Ergebnis", "Einheit", "Station"],
        ["P1", date(2026, 3, 9), "Neutrophile", "0,8", "Gpt/l", "A1"],
        name="april.xlsx",
    )
    refused = desk("load", changed, "--source", "nord", "--at", NOW)
    assert refused.code == 2
    assert '"Parameter" is called "Analyse" now' in refused.err
    assert '"Referenzbereich" is called "Station" now' in refused.err
    assert "nothing was taken" in refused.err

    anew = desk("source", "learn", changed, "--name", "nord", "--at", NOW)
    assert anew.code == 2 and "--replace" in anew.err
    assert desk("source", "learn", changed, "--name", "nord", "--replace", "--at", NOW).code == 0
    again = desk("load", changed, "--source", "nord", "--at", NOW, "--json")
    assert counts(again) == {"stored": 1}
    (source,) = desk("source", "list", "--json").json
    assert (source["name"], source["files"], source["last_file"]) == ("nord", 2, "april.xlsx")
    assert '"Analyse"' in desk("source", "show", "nord").out
    assert desk("source", "show", "sued").code == 2


CHANGES = {
    "a column is gone": (
        CSV.replace(";Referenzbereich", "").replace(";1,8 - 7,5", "").replace(";3,9 - 11", ""),
        'column "Referenzbereich" is gone',
    ),
    "a column is new": (
        CSV.replace("Einheit", "Station;Einheit").replace("Gpt/l", "A1;Gpt/l"),
        'column "Station" is new',
    ),
    "a column is renamed": (CSV.replace("Ergebnis", "Resultat"), "is called"),
    "columns moved": (
        CSV.replace("Patientennummer;Abnahmedatum", "Abnahmedatum;Patientennummer")
        .replace("P1;13.02.2026", "13.02.2026;P1")
        .replace("P2;02.03.2026", "02.03.2026;P2"),
        '"Abnahmedatum" from column 2 to 1',
    ),
    "another order of dates": (
        CSV.replace("13.02.2026", "02/13/2026").replace("02.03.2026", "03/02/2026"),
        "dates are month first (line 2), no longer day first",
    ),
    "another decimal mark": (
        CSV.replace("0,9", "0.9").replace("4,1", "4.1").replace("1,8 - 7,5", "1.8 - 7.5")
        .replace("3,9 - 11", "3.9 - 11"),
        "a point marks decimals (line 2), no longer a comma",
    ),
    "another delimiter": (CSV.replace(";", "|"), "separated by pipe, no longer by semicolon"),
}  # fmt: skip


def test_a_change_of_the_layout_is_refused_and_named(desk: CommandLine) -> None:
    desk("source", "learn", desk.write("a.csv", CSV), "--name", "nord", "--at", NOW)
    same = desk.write("b.csv", CSV.replace("0,9", "1,1"))
    assert counts(desk("load", same, "--source", "nord", "--at", NOW, "--json")) == {"stored": 2}
    for what, (text, said) in CHANGES.items():
        refused = desk("load", desk.write("c.csv", text), "--source", "nord", "--at", NOW)
        assert (refused.code, said in refused.err) == (2, True), f"{what}: {refused.err}"


def test_dates_that_stay_open_are_held_until_somebody_says_the_order(desk: CommandLine) -> None:
    text = CSV.replace("13.02.2026", "03/02/2026").replace("02.03.2026", "02/03/2026")
    name = desk.write("a.csv", text)
    learned = desk("source", "learn", name, "--name", "nord", "--at", NOW)
    assert "No date settles day or month first" in learned.out
    held = desk("load", name, "--source", "nord", "--at", NOW, "--json")
    assert counts(held) == {"quarantined": 2}
    listed = desk("quarantine", "list").out
    assert "day and month of the dates cannot be told apart" in listed
    config = desk.folder / "config.toml"
    config.write_text(
        config.read_text().replace(
            "[sources.nord]\n", '[sources.nord]\ndate_format = "day_first"\n'
        )
    )
    retried = desk("quarantine", "retry", "--source", "nord", "--at", NOW, "--json").json
    assert retried["taken"] == 2


def test_dates_with_dots_are_learned_day_first(desk: CommandLine) -> None:
    name = desk.write("a.csv", CSV.replace("13.02.2026", "03.02.2026"))
    desk("source", "learn", name, "--name", "nord", "--at", NOW)
    assert 'date_format = "day_first"' in (desk.folder / "config.toml").read_text()
    assert counts(desk("load", name, "--source", "nord", "--at", NOW, "--json")) == {"stored": 2}


def test_columns_of_unheard_names_are_found_by_their_cells(desk: CommandLine) -> None:
    text = "Qa,Qb,Qc,Qd,Qe\nP1,2026-03-02,neutrophils,0.9,10*9/L\nP2,2026-03-02,ALT,20,U/L\n"
    name = desk.write("q.csv", text)
    assert desk("load", name, "--at", NOW).code == 2
    learned = desk("source", "learn", name, "--name", "q", "--at", NOW, "--json").json
    assert set(learned["guessed"]) == {"mrn", "collected_at", "analyte", "value", "unit"}
    assert learned["mapping"]["columns"] == {
        "mrn": "Qa", "collected_at": "Qb", "analyte": "Qc", "value": "Qd", "unit": "Qe",
    }  # fmt: skip
    loaded = desk("load", name, "--source", "q", "--at", NOW, "--json")
    assert counts(loaded) == {"stored": 2}


def test_a_preview_in_json_carries_what_was_recognised_and_changes_nothing(
    desk: CommandLine,
) -> None:
    name = desk.write("a.csv", "Labor Nord\n\n" + CSV + "Ende der Liste\n")
    for _ in range(2):
        (document,) = desk("load", name, "--preview", "--at", NOW, "--json").json["files"]
        (table,) = document["recognised"]["tables"]
        assert table["delimiter"] == "semicolon"
        assert (table["header_line"], table["lines_above_header"]) == (3, [1])
        assert table["lines_below_rows"] == [6]
        assert (table["date_order"], table["decimal_mark"]) == ("day_first", "comma")
        assert {it["name"]: it["read_as"] for it in table["columns"]}["Einheit"] == "unit"
        codes = {it["code"]: it["analyte"] for it in document["recognised"]["codes"]}
        assert codes == {"Neutrophile": "neutrophils", "Leukozyten": "white_cells"}
        assert (document["stored"], document["alerts"]["opened"] > 0) == (2, True)
    assert desk("alerts", "--json", "--at", NOW).json == [
        it for it in desk("alerts", "--json", "--at", NOW).json if not it["rule"]
    ]


def test_the_config_keeps_its_comments_and_a_bad_name_is_refused(desk: CommandLine) -> None:
    config = desk.folder / "config.toml"
    config.write_text(config.read_text() + "\n# The last line of a careful person.\n")
    before = config.read_text()
    name = desk.write("a.csv", CSV)
    assert desk("source", "learn", name, "--name", "../x", "--at", NOW).code == 2
    assert config.read_text() == before
    assert desk("source", "learn", name, "--name", "one", "--at", NOW).code == 0
    assert desk("source", "learn", name, "--name", "two", "--at", NOW).code == 0
    after = config.read_text()
    assert after.startswith(before)
    assert list(tomllib.loads(after)["sources"]) == ["one", "two"]
    assert desk("source", "learn", name, "--name", "one", "--replace", "--at", NOW).code == 0
    assert "# The last line of a careful person." in config.read_text()
    assert list(tomllib.loads(config.read_text())["sources"]) == ["one", "two"]


def test_a_file_that_lost_its_line_of_names_is_refused_without_repeating_a_row(
    desk: CommandLine,
) -> None:
    name = desk.write("nord.csv", CSV)
    assert desk("source", "learn", name, "--name", "nord", "--at", NOW).code == 0
    bare = desk.write("bare.csv", CSV.partition("\n")[2])
    for options in ((), ("--source", "nord")):
        ended = desk("load", bare, *options, "--at", NOW)
        assert ended.code == 2
        assert "reads like a row" in ended.err
        assert not any(word in ended.err for word in ("P1", "13.02.2026", "0,9"))
