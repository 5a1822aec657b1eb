"""What is in force: a file is a proposal, and an edit with enrolments goes live only by apply."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from monitor.core.faults import Faults
from monitor.core.model import AlertState
from monitor.operations.schedule_check import check
from monitor.operations.schedule_edit import Preview, apply, preview
from monitor.operations.schedule_show import NoSuchProtocol, list_in_force, show
from monitor.operations.schedules import Notice, adopt, differences
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.database import Store, TooEarly
from monitor.store.rulebook import NoRuleBook, load_rulebook, texts_in_force
from tests.clinic import CBC, Clinic, at

NOW = at("2026-02-01")
AZA = "azathioprine"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schedules folder with the shipped files."""
    return Path(shutil.copytree(schedules_folder(), tmp_path / "schedules"))


def text_of(folder: Path, name: str = AZA) -> str:
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def write(folder: Path, text: str, name: str = AZA) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def edit(folder: Path, old: str, new: str, name: str = AZA) -> Path:
    text = text_of(folder, name)
    assert old in text
    return write(folder, text.replace(old, new), name)


def retitle(folder: Path, title: str, name: str = AZA) -> Path:
    return edit(folder, "for ever", title, name)


def title_in_force(store: Store, protocol: str = AZA) -> str:
    with store.read() as connection:
        return load_rulebook(connection).protocols[protocol].title


def in_force(store: Store) -> set[str]:
    with store.read() as connection:
        return set(texts_in_force(connection))


def only(notices: list[Notice]) -> str:
    (notice,) = notices
    return notice.text


def site_protocol(folder: Path, name: str = "site", **changes: str) -> Path:
    """Another protocol for the same drug, not the default."""
    text = text_of(folder).replace(f'id = "{AZA}"', f'id = "{name}"', 1)
    text = text.replace("default = true ", "default = false")
    for old, new in changes.items():
        text = text.replace(old, new)
    return write(folder, text, name)


# --- First texts and edits that touch nobody ---------------------------------------------


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
    assert len(adopt(store, folder, NOW)) == 2
    assert in_force(store) == {"analytes", AZA}


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


# --- Edits where patients are enrolled ---------------------------------------------------


def milder_platelets(folder: Path) -> Path:
    """Platelets alert below 130 only, and the examples say so."""
    edit(folder, "{ below = 140,", "{ below = 130,")
    edit(folder, 'value = "139000"', 'value = "129000"')
    return retitle(folder, "milder")


def show_nothing(_: Preview) -> None:
    pass


def test_an_edit_with_enrolments_waits_for_apply(ward: Clinic, folder: Path) -> None:
    ward.enrol("A1")
    path = milder_platelets(folder)
    text = only(adopt(ward.store, folder, NOW))
    assert f"monitor schedule apply {path}" in text
    assert "1 are enrolled" in text
    assert only(differences(ward.store, folder)) == text
    assert "milder" not in title_in_force(ward.store)


def test_a_preview_names_who_becomes_quiet_alerted_due_or_overdue(
    ward: Clinic, folder: Path
) -> None:
    for mrn, platelets in (("A1", "135"), ("A2", "250"), ("A3", "90")):
        ward.enrol(mrn)
        ward.results(mrn, "2026-01-12", CBC | {"platelets": platelets})
    now = at("2026-01-13")
    ward.review(now)
    path = milder_platelets(folder)
    edit(folder, "{ below = 50, action", "{ below = 100, action")
    edit(folder, '"platelets", value = "50"', '"platelets", value = "100"')
    edit(folder, '"platelets", value = "49"', '"platelets", value = "99"')
    shown = preview(ward.store, ward.settings, path, now)
    assert [patient.mrn for patient in shown.patients] == ["A1", "A3"]
    assert shown.counts == {
        "due": 1, "overdue": 0, "seriously_overdue": 0,
        "alerted": 1, "changed": 0, "quiet": 1, "moved": 0, "unchanged": 1,
    }  # fmt: skip
    quiet, worse = shown.document()["patients"]
    assert quiet["alerts"][0]["before"] == {"kind": "withhold", "urgency": "urgent"}
    assert quiet["alerts"][0]["after"] is None
    assert worse["alerts"][0]["after"] == {"kind": "discontinue", "urgency": "critical"}
    assert "milder" not in title_in_force(ward.store)
    assert [len(ward.alerts(enrolment)) for enrolment in (1, 2, 3)] == [1, 0, 1]


def test_a_preview_of_another_interval_names_before_and_after(ward: Clinic, folder: Path) -> None:
    ward.enrol("A1")
    ward.results("A1", "2026-03-02", CBC)
    now = at("2026-04-20")
    ward.review(now)
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    edit(folder, 'cbc]\nevery = "3 months"', 'cbc]\nevery = "5 weeks"')
    edit(folder, 'every = "5 weeks"\ngrace = "1 week"', 'every = "5 weeks"\ngrace = "2 days"')
    shown = preview(ward.store, ward.settings, path, now)
    (panel,) = shown.document()["patients"][0]["panels"]
    assert panel == {
        "panel": "cbc",
        "before": {"state": "up_to_date", "due_on": "2026-06-02", "phase": "quarterly"},
        "after": {"state": "overdue", "due_on": "2026-04-06", "phase": "quarterly"},
    }
    assert (shown.counts["overdue"], shown.counts["alerted"]) == (1, 1)


def test_apply_shows_the_change_then_reviews_everyone_on_it(ward: Clinic, folder: Path) -> None:
    enrolments = [ward.enrol(f"A{number}") for number in range(3)]
    for number in range(3):
        ward.results(f"A{number}", "2026-01-12", CBC | {"platelets": "135"})
    ward.review(at("2026-01-13"))
    path = milder_platelets(folder)
    seen: list[Preview] = []
    now = at("2026-01-14")
    applied = apply(
        ward.store, ward.settings, path, now, by="Dr A", reason="minutes", show=seen.append
    )
    assert seen[0].counts["quiet"] == 3
    assert (applied.tally.reviewed, applied.tally.closed) == (3, 3)
    assert "milder" in title_in_force(ward.store)
    for enrolment in enrolments:
        (alert,) = ward.alerts(enrolment)
        assert alert.state is AlertState.CLOSED
        (closing,) = ward.rows(tables.AlertHistory, alert_id=alert.id, what="closed")
        assert "protocol edited" in closing.note
    (message,) = ward.rows(tables.Delivery, kind="withdrawal")
    assert len(ward.rows(tables.DeliveryAlert, delivery_id=message.id)) == 3
    assert adopt(ward.store, folder, now) == []
    with ward.store.read() as connection:
        text = texts_in_force(connection)[AZA]
    assert (text.applied_by, text.reason, text.applied_at) == ("Dr A", "minutes", now)


def test_apply_of_the_text_in_force_changes_nothing(ward: Clinic, folder: Path) -> None:
    ward.enrol("A1")
    path = folder / f"{AZA}.toml"
    applied = apply(ward.store, ward.settings, path, NOW, by="Dr A", reason="x", show=show_nothing)
    assert applied.preview.already_in_force
    assert applied.tally.reviewed == 0
    assert len(ward.rows(tables.ProtocolText)) == 2


def test_apply_refuses_a_faulty_file_and_a_time_that_has_passed(ward: Clinic, folder: Path) -> None:
    ward.enrol("A1")
    ward.review(NOW)
    path = milder_platelets(folder)
    with pytest.raises(TooEarly):
        apply(
            ward.store,
            ward.settings,
            path,
            at("2026-01-20"),
            by="Dr A",
            reason="x",
            show=show_nothing,
        )
    edit(folder, "{ below = 130,", "{ below = 13,")
    with pytest.raises(Faults):
        apply(ward.store, ward.settings, path, NOW, by="Dr A", reason="x", show=show_nothing)
    assert len(ward.rows(tables.ProtocolText)) == 2


def test_apply_puts_a_new_protocol_in_force(ward: Clinic, folder: Path) -> None:
    path = site_protocol(folder)
    applied = apply(ward.store, ward.settings, path, NOW, by="Dr A", reason="x", show=show_nothing)
    assert applied.preview.before is None
    assert "site" in in_force(ward.store)


def test_the_analytes_too_change_only_by_apply_where_patients_are_enrolled(
    ward: Clinic, folder: Path
) -> None:
    ward.enrol("A1")
    path = write(folder, text_of(folder, "analytes") + "\n# a remark\n", "analytes")
    assert "differs from the analytes in force" in only(adopt(ward.store, folder, NOW))
    applied = apply(ward.store, ward.settings, path, NOW, by="Dr A", reason="x", show=show_nothing)
    assert applied.tally.reviewed == 1
    assert adopt(ward.store, folder, NOW) == []


def test_alerts_after_an_edit_are_those_of_the_new_text_alone(ward: Clinic, folder: Path) -> None:
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | {"platelets": "135"})
    ward.review(at("2026-01-13"))
    strict = text_of(folder)
    path = milder_platelets(folder)
    now = at("2026-01-14")
    apply(ward.store, ward.settings, path, now, by="Dr A", reason="x", show=show_nothing)
    write(folder, strict)
    apply(ward.store, ward.settings, path, now, by="Dr A", reason="back", show=show_nothing)
    closed, live = ward.alerts(enrolment)
    assert (closed.state, live.state) == (AlertState.CLOSED, AlertState.OPEN)


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
        "source": "founding brief; 0.5 and 0.2 are also CTCAE v5 grades 3 and 4",
    }


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
    assert check(path, None, analytes).stands == "new"
    adopt(store, folder, NOW)
    assert check(path, store, analytes).stands == "in force"
    retitle(folder, "other")
    checked = check(path, store, analytes)
    assert (checked.stands, checked.document()["ok"]) == ("differs from what is in force", True)
    edit(folder, "below = 140", "below = nan")
    document = check(path, store, analytes).document()
    assert document["ok"] is False
    fault = document["faults"][0]
    assert set(fault) == {"file", "key", "value", "problem", "valid", "line"}
    with pytest.raises(Faults, match="cannot be read"):
        check(folder / "none.toml", store, analytes)
