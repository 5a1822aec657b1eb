"""An edit of a rule judges only whom it may concern, and says what judging everybody would."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from monitor.operations.schedule_edit import apply, edit_of, preview
from monitor.operations.verify import verify
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at
from tests.schedules_folder import edit, text_of, write

REVIEWED = at("2026-01-13")
EDITED = at("2026-01-14")


@pytest.fixture
def platelets(folder: Path) -> Path:
    """Platelets alert below 150 instead of 140."""
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    edit(folder, "{ below = 140,", "{ below = 150,")
    return path


def put_in_force(ward: Clinic, path: Path) -> int:
    applied = apply(ward.store, ward.settings, edit_of(path), EDITED, by="Dr A", reason="minutes")
    assert verify(ward.store, ward.settings, EDITED) == []
    return applied.tally.reviewed


def patient(ward: Clinic, mrn: str, count: str, **more: object) -> int:
    enrolment = ward.enrol(mrn)
    ward.results(mrn, "2026-01-12", CBC | LFT | {"platelets": count})
    return enrolment


def behind_its_back(ward: Clinic, count: str) -> None:
    """The newest platelet count reads otherwise now, and nobody was woken: whoever reads the
    results of this patient sees it, and whoever only asks what was kept does not."""
    newest = ward.rows(tables.ResultRow, analyte="platelets")[-1]
    ward.set(tables.ResultRow, newest.id, value=Decimal(count))


def test_whom_the_edit_cannot_concern_is_not_judged(ward: Clinic, platelets: Path) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    before = ward.next_review(enrolment)
    behind_its_back(ward, "20")
    shown = preview(ward.store, ward.settings, edit_of(platelets), EDITED)
    assert shown.counts["unchanged"] == 1
    apply(ward.store, ward.settings, edit_of(platelets), EDITED, by="Dr A", reason="minutes")
    assert ward.alerts(enrolment) == []
    assert ward.next_review(enrolment) == before


@pytest.mark.parametrize(("count", "alerts"), [("250", 0), ("150", 0), ("149", 1), ("139", 1)])
def test_each_value_is_answered_by_the_new_limit(
    ward: Clinic, platelets: Path, count: str, alerts: int
) -> None:
    enrolment = patient(ward, "A1", count)
    ward.review(REVIEWED)
    assert put_in_force(ward, platelets) == 1
    assert len(ward.alerts(enrolment)) == alerts


def test_a_result_that_came_after_the_last_review_is_judged_by_the_edit(
    ward: Clinic, platelets: Path
) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    ward.results("A1", "2026-01-13", {"platelets": "145"}, hour=11)
    put_in_force(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def test_only_a_bound_is_judged(ward: Clinic, platelets: Path) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.results("A1", "2026-01-12", {"platelets": "145"}, hour=10, comparator=">")
    ward.review(REVIEWED)
    put_in_force(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def test_an_alert_that_stands_speaks_of_the_new_text(ward: Clinic, platelets: Path) -> None:
    enrolment = patient(ward, "A1", CBC["platelets"])
    ward.results("A1", "2026-01-13", {"neutrophils": "1.2"})
    ward.review(REVIEWED)
    put_in_force(ward, platelets)
    (alert,) = ward.alerts(enrolment)
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    assert alert.protocol_digest == text.digest


def test_time_that_has_passed_is_judged(ward: Clinic, platelets: Path) -> None:
    """The next test is overdue by the instant of the edit, and nobody has looked since."""
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    late = at("2026-02-20")
    apply(ward.store, ward.settings, edit_of(platelets), late, by="Dr A", reason="minutes")
    assert "overdue_test" in [it.kind.value for it in ward.alerts(enrolment)]


def test_one_edit_after_the_other(ward: Clinic, platelets: Path, folder: Path) -> None:
    """What was kept is kept on: the second edit is compared with the first."""
    enrolment = patient(ward, "A1", "160")
    ward.review(REVIEWED)
    put_in_force(ward, platelets)
    assert ward.alerts(enrolment) == []
    edit(folder, "{ below = 150,", "{ below = 155,")
    put_in_force(ward, platelets)
    edit(folder, "{ below = 155,", "{ below = 165,")
    put_in_force(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def test_another_schedule_concerns_everybody(ward: Clinic, platelets: Path, folder: Path) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    before = ward.next_review(enrolment)
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    put_in_force(ward, platelets)
    assert ward.next_review(enrolment) != before


def low_neutrophils(ward: Clinic) -> int:
    """An alert stands that has nothing to do with platelets."""
    enrolment = patient(ward, "A1", "250")
    ward.results("A1", "2026-01-13", {"neutrophils": "1.2"})
    ward.review(REVIEWED)
    assert len(ward.alerts(enrolment)) == 1
    return enrolment


def test_an_alert_of_another_rule_is_not_judged_and_stands_by_the_new_text(
    ward: Clinic, platelets: Path
) -> None:
    enrolment = low_neutrophils(ward)
    before, (row,) = ward.next_review(enrolment), ward.rows(tables.AlertRow)
    history = ward.rows(tables.AlertHistory)
    behind_its_back(ward, "20")
    applied = apply(
        ward.store, ward.settings, edit_of(platelets), EDITED, by="Dr A", reason="minutes"
    )
    assert applied.tally.alerts == {"opened": 0, "updated": 0, "closed": 0}
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    (stands,) = ward.rows(tables.AlertRow)
    assert stands.protocol_digest == stands.shown["protocol"]["digest"] == text.digest
    assert {**stands.shown, "protocol": 0} == {**row.shown, "protocol": 0}
    assert ward.rows(tables.AlertHistory) == history
    assert ward.next_review(enrolment) == before


def test_an_alert_of_the_edited_rule_is_judged(ward: Clinic, platelets: Path, folder: Path) -> None:
    enrolment = patient(ward, "A1", "120")
    ward.review(REVIEWED)
    assert len(ward.alerts(enrolment)) == 1
    edit(folder, "{ below = 150,", "{ below = 110,")
    put_in_force(ward, platelets)
    (alert,) = ward.alerts(enrolment)
    assert (alert.state.value, alert.closed_by) == ("closed", None)


def test_who_is_judged_and_says_the_same_has_no_line_of_history(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """An edit of the schedule has everybody judged; what an alert says of a count is the same."""
    low_neutrophils(ward)
    history = ward.rows(tables.AlertHistory)
    edit(folder, 'grace = "1 week"', 'grace = "8 days"')
    put_in_force(ward, platelets)
    (stands,) = ward.rows(tables.AlertRow)
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    assert stands.protocol_digest == stands.shown["protocol"]["digest"] == text.digest
    assert ward.rows(tables.AlertHistory) == history


def test_a_combination_is_judged_anew_where_a_quiet_rule_of_it_looks_at_others(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """Two lines were low together, and it recovered by later platelets alone. Once the rule on
    platelets is for another indication, nothing has ended it: it goes on."""
    enrolment = ward.enrol("A1")
    low = {"neutrophils": "1.2", "hemoglobin": "85"}
    ward.results("A1", "2026-01-12", CBC | LFT | low)
    ward.results("A1", "2026-01-26", {"platelets": "250"})
    ward.review(at("2026-01-27"))
    edit(folder, 'id = "thrombocytopenia"', 'id = "thrombocytopenia"\nindications = ["other"]')
    now = at("2026-01-28")
    apply(ward.store, ward.settings, edit_of(platelets), now, by="Dr A", reason="minutes")
    (combined,) = (it for it in ward.alerts(enrolment) if it.cause.startswith("combination"))
    assert not combined.recovered
    assert verify(ward.store, ward.settings, now) == []


def test_a_preview_of_a_day_gone_by_sees_nothing_of_later_ones(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """What a review of a later day remembers is nothing that was known on this one."""
    patient(ward, "A1", "250")
    ward.results("A1", "2026-01-20", {"alt": "80"})
    ward.review(at("2026-01-21"))
    write(folder, text_of(folder).replace("{ above = 100,", "{ above = 60,"))
    assert preview(ward.store, ward.settings, edit_of(platelets), EDITED).counts["unchanged"] == 1
