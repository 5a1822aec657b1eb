"""What is in force: a file is a proposal; only a sound one, rightly named, goes live."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from monitor.core.catalogue import Catalogue
from monitor.core.examples import load_protocol
from monitor.core.faults import Faults
from monitor.core.protocol import Protocol
from monitor.operations import schedule_force
from monitor.operations.schedule_check import check
from monitor.operations.schedule_show import NoSuchProtocol, list_in_force, show
from monitor.operations.schedules import adopt, differences, tell
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.rulebook import NoRuleBook, load_rulebook, texts_in_force
from tests.clinic import Clinic, at
from tests.schedules_folder import (
    AZA,
    NOW,
    edit,
    in_force,
    only,
    retitle,
    site_protocol,
    text_of,
    title_in_force,
    write,
)

# --- First texts and edits that touch nobody ---------------------------------------------


def test_two_with_folders_of_their_own_do_not_put_them_in_force_in_turns(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    """Each wrote all protocols that nobody was on into the database twice a minute, for ever."""
    other = shutil.copytree(folder, tmp_path / "other")
    retitle(other, "Theirs")
    of_one: dict[str, str] = {}
    of_other: dict[str, str] = {}
    assert adopt(store, folder, NOW, of_one) == []
    assert adopt(store, other, NOW, of_other) == []
    assert title_in_force(store).endswith("Theirs")
    for _ in range(3):
        (notice,) = adopt(store, folder, NOW, of_one)
        assert "from another schedules folder" in notice.text
        assert adopt(store, other, NOW, of_other) == []
    assert title_in_force(store).endswith("Theirs")
    retitle(folder, "Ours")
    assert adopt(store, folder, NOW, of_one) == [], "an edit goes live as ever"
    assert title_in_force(store).endswith("Ours")
    edit(folder, "Ours", "Theirs")
    assert adopt(store, folder, NOW, of_one) == []
    assert adopt(store, other, NOW, of_other) == []


def test_first_texts_go_in_force_once(store: Store, folder: Path) -> None:
    with store.read() as connection, pytest.raises(NoRuleBook, match="monitor init"):
        load_rulebook(connection)
    assert adopt(store, folder, NOW) == []
    assert in_force(store) == {"analytes", AZA}
    assert adopt(store, folder, at("2026-02-02")) == []
    with store.read() as connection:
        assert {text.applied_at for text in texts_in_force(connection).values()} == {NOW}
        book = load_rulebook(connection)
        assert load_rulebook(connection) is book


def test_an_edit_that_touches_nobody_goes_live(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    retitle(folder, "a new title")
    assert "not in force yet" in only(differences(store, folder))
    assert adopt(store, folder, NOW) == []
    assert "a new title" in title_in_force(store)
    assert differences(store, folder) == []


def test_line_ends_are_no_difference(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    path = folder / f"{AZA}.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text_of(folder).replace("\n", "\r\n").encode())
    assert differences(store, folder) == []


# --- What changes nothing ----------------------------------------------------------------


def test_a_faulty_file_leaves_the_last_good_text_in_force(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    before = title_in_force(store)
    path = folder / f"{AZA}.toml"
    edit(folder, "below = 140", "below = nan")
    text = only(adopt(store, folder, NOW))
    assert f"{path} has " in text
    assert "2026-02-01 stays" in text
    assert "rules[3].levels[0].below" in text
    for data in (b"", b"\xff\xfe\x00", b"id = ", b"x" * 2_000_000):
        path.write_bytes(data)
        assert "2026-02-01 stays" in only(adopt(store, folder, NOW))
        assert title_in_force(store) == before


def test_the_operator_hears_of_each_fault_of_a_day_once(ward: Clinic, folder: Path) -> None:
    """Mended in the morning and broken otherwise in the afternoon: that is another thing to know,
    and so is a sound edit that waits to be applied."""
    ward.enrol("A1")
    adopt(ward.store, folder, NOW)
    sound = text_of(folder)
    told = []
    for text in (
        sound.replace("wash_out =", "washout ="),
        sound.replace("wash_out =", "washout ="),
        sound.replace("for ever", "always"),
        sound.replace("grace =", "grce ="),
        sound.replace("wash_out =", "washout ="),
        sound.replace("for ever", "always"),
    ):
        write(folder, text)
        tell(ward.store, ward.settings, adopt(ward.store, folder, NOW), NOW)
        told.append(len(ward.rows(tables.Delivery, kind="operator")))
    assert told == [1, 1, 2, 3, 3, 3]
    first, differs, other = ward.rows(tables.Delivery, kind="operator")
    assert "washout" in first.payload["text"]
    assert "schedule apply" in differs.payload["text"]
    assert "grce" in other.payload["text"]
    assert {it.payload["topic"] for it in (first, differs, other)} == {f"schedule {AZA}"}


def test_a_file_that_its_reader_stumbles_over_keeps_nothing_else_back(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(store, folder, NOW)
    before = title_in_force(store)
    retitle(folder, "a new title")
    site_protocol(folder, "another")

    def stumble(text: str, file: str, catalogue: Catalogue) -> Protocol:
        if file == f"{AZA}.toml":
            raise ZeroDivisionError
        return load_protocol(text, file, catalogue)

    monkeypatch.setattr(schedule_force, "load_protocol", stumble)
    text = only(adopt(store, folder, NOW))
    assert f"{AZA}.toml" in text
    assert "a fault of ours" in text
    assert "2026-02-01 stays" in text
    assert title_in_force(store) == before
    assert "another" in in_force(store)


def test_a_file_whose_examples_fail_changes_nothing(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    edit(folder, "{ below = 140,", "{ below = 130,")
    assert 'example "platelets 139"' in only(adopt(store, folder, NOW))


def test_a_missing_file_leaves_its_text_in_force(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    (folder / f"{AZA}.toml").unlink()
    assert f"{AZA}.toml is missing" in only(adopt(store, folder, NOW))
    (folder / "analytes.toml").unlink()
    assert len(adopt(store, folder, NOW)) == 2
    shutil.rmtree(folder)
    gone = only(adopt(store, folder, NOW))
    assert f"{folder} is not there: what is in force stays" in gone
    assert "correct [schedules] folder" in gone
    assert in_force(store) == {"analytes", AZA}


@pytest.mark.parametrize("ending", [".TOML", ".toml.txt"])
@pytest.mark.parametrize("in_force_before", [True, False])
def test_a_name_that_ends_otherwise_is_not_read_and_that_is_said_once(
    store: Store, folder: Path, ending: str, in_force_before: bool
) -> None:
    if in_force_before:
        adopt(store, folder, NOW)
    (folder / f"{AZA}.toml").rename(folder / f"{AZA}{ending}")
    text = only(adopt(store, folder, NOW))
    assert f"{AZA}{ending} is not read" in text
    assert ("stays" in text, "it is not in force" in text) == (in_force_before, not in_force_before)


def test_an_edit_beside_its_file_by_a_program_that_hides_endings_is_told(
    store: Store, folder: Path
) -> None:
    """Notepad saves `azathioprine.toml.txt`: the file seemed to be what was in force."""
    adopt(store, folder, NOW)
    (folder / f"{AZA}.toml.txt").write_text("anything", encoding="utf-8")
    (folder / f"{AZA}.toml.bak").write_text("anything", encoding="utf-8")
    assert f"{AZA}.toml.txt is not read" in only(adopt(store, folder, NOW))


def test_a_renamed_file_changes_nothing(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    path = retitle(folder, "a new title")
    path.rename(folder / "renamed.toml")
    text = only(adopt(store, folder, NOW))
    assert "renamed.toml holds protocol azathioprine" in text
    assert "a new title" not in title_in_force(store)


def test_a_renamed_protocol_changes_nothing(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    edit(folder, f'id = "{AZA}"', 'id = "aza"')
    edit(folder, "default = true ", "default = false")
    assert "now says id = 'aza'" in only(adopt(store, folder, NOW))
    assert in_force(store) == {"analytes", AZA}


def test_of_two_files_of_one_protocol_the_one_of_its_name_counts(
    store: Store, folder: Path
) -> None:
    write(folder, text_of(folder).replace("for ever", "a copy"), f"{AZA} copy")
    assert "copy.toml changes nothing" in only(adopt(store, folder, NOW))
    assert "for ever" in title_in_force(store)


def test_a_second_default_for_a_drug_is_refused(store: Store, folder: Path) -> None:
    adopt(store, folder, NOW)
    site_protocol(folder, **{"default = false": "default = true"})
    assert "azathioprine is already the default" in only(adopt(store, folder, NOW))
    assert in_force(store) == {"analytes", AZA}
    edit(folder, "default = true", "default = false", "site")
    assert adopt(store, folder, NOW) == []
    assert in_force(store) == {"analytes", AZA, "site"}


def test_two_first_texts_cannot_both_be_the_default(store: Store, folder: Path) -> None:
    site_protocol(folder, **{"default = false": "default = true"})
    assert "already the default" in only(adopt(store, folder, NOW))
    assert in_force(store) == {"analytes", AZA}


def test_without_analytes_nothing_goes_in_force_and_that_is_said(
    store: Store, folder: Path
) -> None:
    (folder / "analytes.toml").unlink()
    said = " ".join(notice.text for notice in adopt(store, folder, NOW))
    assert "without it no result can be judged" in said
    assert in_force(store) == set()


def test_analytes_that_do_not_suit_the_protocols_in_force_change_nothing(
    store: Store, folder: Path
) -> None:
    adopt(store, folder, NOW)
    text = text_of(folder, "analytes").replace("analytes.mcv", "analytes.volume")
    text = text.replace('"mcv",', '"volume",')
    write(folder, text.replace('title = "Mean corpuscular', 'title = "Corpuscular'), "analytes")
    said = only(adopt(store, folder, NOW))
    assert "azathioprine.toml (in force), read with the new analytes.toml" in said
    assert "rules[7].analyte (rule macrocytosis) = mcv" in said


# --- The protocol of an enrolment --------------------------------------------------------


def test_a_protocol_that_names_a_brand_is_for_its_drug(store: Store, folder: Path) -> None:
    site_protocol(folder)
    own = f'drugs = ["{AZA}"]'
    write(folder, text_of(folder, "site").replace(own, 'drugs = ["Imurek"]', 1), "site")
    assert adopt(store, folder, NOW) == []
    with store.read() as connection:
        book = load_rulebook(connection)
    assert book.protocols["site"].drugs == (AZA,)
    assert book.for_drug(book.drug_named("Imurek 50 mg"), "site").id == "site"


def test_the_protocol_of_a_drug(store: Store, folder: Path) -> None:
    site_protocol(folder)
    adopt(store, folder, NOW)
    with store.read() as connection:
        book = load_rulebook(connection)
    assert book.for_drug("Azathioprine").id == AZA
    assert book.for_drug(AZA, "site").id == "site"
    with pytest.raises(LookupError, match="methotrexate.*known: azathioprine"):
        book.for_drug("methotrexate")
    with pytest.raises(LookupError, match="no protocol 'aza'; in force: azathioprine, site"):
        book.for_drug(AZA, "aza")
    with pytest.raises(LookupError, match="is for azathioprine, not for 'methotrexate'"):
        book.for_drug("methotrexate", "site")


def test_several_protocols_without_a_default_are_listed(store: Store, folder: Path) -> None:
    edit(folder, "default = true ", "default = false")
    site_protocol(folder)
    adopt(store, folder, NOW)
    with store.read() as connection:
        book = load_rulebook(connection)
    with pytest.raises(LookupError, match="name one of azathioprine, site"):
        book.for_drug(AZA)


# --- Looking at them ---------------------------------------------------------------------


def test_the_calendar_of_a_patient_who_is_tested_on_every_due_day(
    store: Store, folder: Path
) -> None:
    adopt(store, folder, NOW)
    shown = show(store, AZA, date(2026, 1, 5))
    days = [(str(test.due_on), test.panel, test.phase) for test in shown.tests]
    assert days == [
        ("2026-01-12", "cbc", "weekly"),
        ("2026-01-19", "cbc", "weekly"),
        ("2026-01-26", "cbc", "weekly"),
        ("2026-02-02", "cbc", "weekly"),
        ("2026-02-09", "cbc", "weekly"),
        ("2026-02-16", "cbc", "weekly"),
        ("2026-02-23", "cbc", "weekly"),
        ("2026-03-02", "cbc", "weekly"),
        ("2026-04-05", "lft", "quarterly"),
        ("2026-06-02", "cbc", "quarterly"),
        ("2026-07-05", "lft", "quarterly"),
    ]
    first = shown.tests[0]
    assert (first.overdue_after, first.seriously_overdue_after) == (
        date(2026, 1, 14),
        date(2026, 1, 19),
    )
    document = shown.document()
    assert "for as long as the drug is taken" in document["then"]
    assert document["status"] == "not yet approved by a clinician"
    assert document["text"] == text_of(folder)
    assert document["rules"][0] == {
        "rule": "lymphopenia",
        "analyte": "lymphocytes",
        "test": "below 0.5 10*9/L",
        "action": "dose_reduction",
        "urgency": "urgent",
        "recheck": "1 week",
        "say": None,
        "only": "",
        "source": "founding brief; 0.5 and 0.2 are also CTCAE v5 grades 3 and 4 "
        "[verified second-hand: S27]",
    }


def test_phases_after_what_the_calendar_shows_are_named(store: Store, folder: Path) -> None:
    """Of 2-weekly tests to week 52 nothing was said, and "then every 3 months" was not so."""
    cbc = text_of(folder).partition("[phases.panels.cbc]")[2].partition("[[phases]]")[0]
    between = f'[[phases]]\nname = "two-weekly"\nuntil = "52 weeks"\n[phases.panels.cbc]{cbc}'
    text = between.replace('"1 week"', '"2 weeks"') + '[[phases]]\nname = "quarterly"'
    edit(folder, '[[phases]]\nname = "quarterly"', text)
    edit(folder, text_of(folder)[text_of(folder).index("# ==== Examples") :], "")
    adopt(store, folder, NOW)
    assert show(store, AZA, date(2026, 1, 5)).document()["then"] == (
        "Complete blood count with differential every 2 weeks until 52 weeks after the start; "
        "then Complete blood count with differential every 3 months, Liver function tests every "
        "3 months, for as long as the drug is taken"
    )


def test_a_protocol_that_is_not_in_force_is_named_with_the_nearest(
    store: Store, folder: Path
) -> None:
    adopt(store, folder, NOW)
    with pytest.raises(NoSuchProtocol, match='did you mean "azathioprine"'):
        show(store, "azathioprin", date(2026, 1, 5))


def test_the_list_says_who_is_enrolled_and_since_when(ward: Clinic) -> None:
    ward.enrol("A1")
    (row,) = list_in_force(ward.store)
    assert (row["id"], row["enrolled"], row["default"]) == (AZA, 1, True)


def test_a_check_says_how_a_file_stands(store: Store, folder: Path) -> None:
    path = folder / f"{AZA}.toml"
    analytes = text_of(folder, "analytes")
    assert check(path, None, analytes, NOW.date()).stands == "new"
    adopt(store, folder, NOW)
    assert check(path, store, analytes, NOW.date()).stands == "in force"
    retitle(folder, "other")
    checked = check(path, store, analytes, NOW.date())
    assert (checked.stands, checked.document()["ok"]) == ("differs from what is in force", True)
    edit(folder, "below = 140", "below = nan")
    document = check(path, store, analytes, NOW.date()).document()
    assert document["ok"] is False
    fault = document["faults"][0]
    assert set(fault) == {"file", "key", "value", "problem", "valid", "line"}
    with pytest.raises(Faults, match="cannot be read"):
        check(folder / "none.toml", store, analytes, NOW.date())
