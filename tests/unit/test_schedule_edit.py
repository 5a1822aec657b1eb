"""An edit with enrolments goes live only by apply, after showing whom it touches."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete

from monitor.core.faults import Faults
from monitor.core.vocabulary import AlertState, Kind, Urgency
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import Preview, edit_of, preview
from monitor.operations.schedules import adopt, differences
from monitor.store import tables
from monitor.store.errors import TooEarly
from monitor.store.rulebook import texts_in_force
from monitor.store.tables import table_of
from tests.clinic import CBC, Clinic, at
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

VOLUME = """\
title = "Volume"
unit = "L"
decimals = 1
plausible = [0, 10]
[analytes.volume.volume]
[analytes.volume.volume.units]
"L" = 1
"""


RULE = """
[[rules]]
id = "much_volume"
analyte = "volume"
opportunistic = true
source = "an example"
levels = [{ above = 5, action = "review", urgency = "routine" }]
"""


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


def test_a_drug_that_patients_are_on_is_not_given_up(ward: Clinic, folder: Path) -> None:
    """They would be watched by a protocol of another drug, and nobody would have said so."""
    first, second = ward.enrol("A1"), ward.enrol("A2")
    ward.event("A2", "2026-01-20", "stop", enrolment_id=second)
    own = 'drugs = ["azathioprine"]'
    path = write(folder, text_of(folder).replace(own, 'drugs = ["tioguanine"]', 1))
    for look in (preview, partial(apply, by="Dr A", reason="a slip")):
        with pytest.raises(Faults) as refused:
            look(ward.store, ward.settings, edit_of(path), NOW)
        (fault,) = refused.value.faults
        assert (fault.key, fault.value) == ("drugs", "tioguanine")
        assert "gives up azathioprine, on which 1 are enrolled" in fault.problem
    ward.event("A1", "2026-01-21", "stop", enrolment_id=first)
    assert preview(ward.store, ward.settings, edit_of(path), NOW).enrolled == 2


def test_how_many_are_judged_by_a_text_whose_file_is_missing_is_said(
    ward: Clinic, folder: Path
) -> None:
    ward.enrol("A1")
    kept = (folder / f"{AZA}.toml").rename(folder.parent / "kept.toml")
    assert "and 1 are judged by it" in only(adopt(ward.store, folder, NOW))
    texts = table_of(tables.ProtocolText)
    with ward.store.write() as connection:
        connection.execute(delete(texts).where(texts.c.protocol_id == AZA))
    told = only(differences(ward.store, folder))
    assert "1 are enrolled on azathioprine, of which no text is in force" in told
    kept.rename(folder / f"{AZA}.toml")
    assert adopt(ward.store, folder, NOW) == []
    assert in_force(ward.store) == {"analytes", AZA}


def test_a_drug_more_or_by_its_brand_name_is_no_drug_given_up(ward: Clinic, folder: Path) -> None:
    ward.enrol("A1")
    own = 'drugs = ["azathioprine"]'
    path = write(folder, text_of(folder).replace(own, 'drugs = ["tioguanine", "Imurek"]', 1))
    assert preview(ward.store, ward.settings, edit_of(path), NOW).enrolled == 1


def test_files_that_need_a_catalogue_still_to_be_applied_say_that_alone(
    ward: Clinic, folder: Path
) -> None:
    adopt(ward.store, folder, NOW)
    ward.enrol("A1")
    edit(folder, "[analytes.mcv]", "[analytes.volume]\n" + VOLUME + "\n[analytes.mcv]", "analytes")
    site = site_protocol(folder)
    site.write_text(text_of(folder, "site") + RULE)
    edit(folder, "{ below = 140,", "{ below = nan,")
    told = {it.topic: it.text for it in adopt(ward.store, folder, NOW)}
    assert "goes live only by" in told["schedule analytes"]
    assert "apply that first" in told["schedule site"]
    assert "it is not in force" in told["schedule site"]
    assert "has 1 fault" in told[f"schedule {AZA}"]
    assert "is no number" in told[f"schedule {AZA}"]


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
    shown = preview(ward.store, ward.settings, edit_of(path), now)
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


def test_a_preview_names_whose_alert_asks_for_less(ward: Clinic, folder: Path) -> None:
    """Nobody is told of it afterwards, so this is where it is seen."""
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | {"platelets": "135"})
    now = at("2026-01-13")
    ward.review(now)
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    urgent = '{ below = 140, action = "withhold", urgency = "urgent"'
    edit(folder, urgent, '{ below = 140, action = "review", urgency = "routine"')
    shown = preview(ward.store, ward.settings, edit_of(path), now)
    assert (shown.counts["changed"], shown.counts["unchanged"]) == (1, 0)
    (change,) = shown.document()["patients"][0]["alerts"]
    assert change["before"] == {"kind": "withhold", "urgency": "urgent"}
    assert change["after"] == {"kind": "review", "urgency": "routine"}
    apply(ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="minutes")
    (alert,) = ward.alerts(enrolment)
    assert (alert.kind, alert.urgency) == (Kind.REVIEW, Urgency.ROUTINE)


def test_a_preview_names_whose_alert_goes_on_again(ward: Clinic, folder: Path) -> None:
    """People who know of it hear nothing new; it was over, and is so no more."""
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | {"platelets": "120"})
    ward.review(at("2026-01-13"))
    ward.results("A1", "2026-01-19", CBC | {"platelets": "145"})
    now = at("2026-01-20")
    ward.review(now)
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    edit(folder, "{ below = 140,", "{ below = 150,")
    shown = preview(ward.store, ward.settings, edit_of(path), now)
    assert shown.counts["alerted"] == 1
    assert shown.document()["patients"][0]["alerts"][0]["what"] == "relapsed"
    apply(ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="minutes")
    (alert,) = (it for it in ward.alerts(enrolment) if it.cause == "rule:thrombocytopenia")
    assert not alert.recovered


def test_a_preview_names_the_urgency_that_an_alert_will_have(ward: Clinic, folder: Path) -> None:
    """What is over when it is first seen opens as routine, whatever its level asks for."""
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | {"platelets": "145"})
    ward.results("A1", "2026-01-19", CBC)
    now = at("2026-01-20")
    ward.review(now)
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    edit(folder, "{ below = 140,", "{ below = 150,")
    shown = preview(ward.store, ward.settings, edit_of(path), now)
    (change,) = shown.document()["patients"][0]["alerts"]
    assert change["after"] == {"kind": "withhold", "urgency": "routine"}
    apply(ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="minutes")
    assert [it.urgency for it in ward.alerts(enrolment)] == [Urgency.ROUTINE]


def test_a_preview_of_another_interval_names_before_and_after(ward: Clinic, folder: Path) -> None:
    ward.enrol("A1")
    ward.results("A1", "2026-03-02", CBC)
    now = at("2026-04-20")
    ward.review(now)
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    edit(folder, 'cbc]\nevery = "3 months"', 'cbc]\nevery = "5 weeks"')
    edit(folder, 'every = "5 weeks"\ngrace = "1 week"', 'every = "5 weeks"\ngrace = "2 days"')
    shown = preview(ward.store, ward.settings, edit_of(path), now)
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
        ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="minutes", show=seen.append
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
    applied = apply(
        ward.store, ward.settings, edit_of(path), NOW, by="Dr A", reason="x", show=show_nothing
    )
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
            edit_of(path),
            at("2026-01-20"),
            by="Dr A",
            reason="x",
            show=show_nothing,
        )
    edit(folder, "{ below = 130,", "{ below = 13,")
    with pytest.raises(Faults):
        apply(
            ward.store, ward.settings, edit_of(path), NOW, by="Dr A", reason="x", show=show_nothing
        )
    assert len(ward.rows(tables.ProtocolText)) == 2


def test_apply_puts_a_new_protocol_in_force(ward: Clinic, folder: Path) -> None:
    path = site_protocol(folder)
    applied = apply(
        ward.store, ward.settings, edit_of(path), NOW, by="Dr A", reason="x", show=show_nothing
    )
    assert applied.preview.before is None
    assert "site" in in_force(ward.store)


def test_the_analytes_too_change_only_by_apply_where_patients_are_enrolled(
    ward: Clinic, folder: Path
) -> None:
    ward.enrol("A1")
    path = write(folder, text_of(folder, "analytes") + "\n# a remark\n", "analytes")
    assert "differs from the analytes in force" in only(adopt(ward.store, folder, NOW))
    applied = apply(
        ward.store, ward.settings, edit_of(path), NOW, by="Dr A", reason="x", show=show_nothing
    )
    assert applied.tally.reviewed == 1
    assert adopt(ward.store, folder, NOW) == []


def test_alerts_after_an_edit_are_those_of_the_new_text_alone(ward: Clinic, folder: Path) -> None:
    enrolment = ward.enrol("A1")
    ward.results("A1", "2026-01-12", CBC | {"platelets": "135"})
    ward.review(at("2026-01-13"))
    strict = text_of(folder)
    path = milder_platelets(folder)
    now = at("2026-01-14")
    apply(ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="x", show=show_nothing)
    write(folder, strict)
    apply(
        ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="back", show=show_nothing
    )
    closed, live = ward.alerts(enrolment)
    assert (closed.state, live.state) == (AlertState.CLOSED, AlertState.OPEN)
